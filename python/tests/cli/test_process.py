"""The command as a process: help, exit codes, pipes, signals."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from command import LLMSPAN, environment, lines, record, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = lines(*(record(f"call-{number}") for number in range(500)))


def test_help_names_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    for word in ("demo", "show", "report", "convert", "exit codes"):
        assert word in done.stdout


@pytest.mark.parametrize("command", ["demo", "show", "report", "convert"])
def test_each_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: llmspan {command}")


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"llmspan {metadata.version('llmspan')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["nope"], "invalid choice: 'nope'"),
        (["show"], "the following arguments are required: INPUT"),
        (["show", "-", "--slowest", "0"], "`0` is not a number from 1 on"),
        (["show", "-", "--slowest", "-3"], "`-3` is not a number from 1 on"),
        (["show", "-", "--only", "good"], "there is no outcome `good`, only success, error,"),
        (["report", "-"], "the following arguments are required: -o/--output"),
        (["convert", "-"], "the following arguments are required: --to"),
        (["demo", "--html", "--json"], "not allowed with argument"),
    ],
)
def test_a_wrong_command_line_is_2(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "llmspan", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run("--version").stdout


def test_whoever_stops_reading_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(MANY)
    with subprocess.Popen(
        [LLMSPAN, "show", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.fixture
def not_ignored() -> Iterator[None]:
    """Let children be interrupted: what runs in the background of a shell ignores the signal, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.usefixtures("not_ignored")
def test_an_interrupt_is_quiet() -> None:
    with subprocess.Popen(
        [LLMSPAN, "report", "-", "-o", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        # More than a pipe holds: once it is written, the command is reading.
        process.stdin.write(MANY.encode())
        process.stdin.flush()
        assert len(MANY) > 1 << 17
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait(60) == 130


def test_the_package_is_not_slowed_down() -> None:
    code = "import llmspan, sys; print([name for name in sys.modules if name.startswith('llmspan.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "llmspan.cli" not in done.stdout
    assert "llmspan.report" not in done.stdout


if sys.platform != "win32":
    import pty

    def read(terminal: int) -> str:
        """What a terminal shows, up to its end."""
        shown = b""
        # Linux reports the end of the other side as an error.
        with contextlib.suppress(OSError):
            while data := os.read(terminal, 1 << 16):
                shown += data
        os.close(terminal)
        return shown.decode()

    @pytest.mark.parametrize(
        ("options", "more", "colored"), [([], {}, True), (["--no-color"], {}, False), ([], {"NO_COLOR": "1"}, False)]
    )
    def test_a_terminal_gets_colours(options: list[str], more: dict[str, str], colored: bool) -> None:  # noqa: FBT001
        terminal, inside = pty.openpty()
        command = [LLMSPAN, "demo", "--only", "stalled", *options]
        subprocess.run(command, stdout=inside, env=environment(**more), check=True)
        os.close(inside)
        assert ("\x1b[" in read(terminal)) is colored

    def test_a_terminal_sees_how_far_it_is() -> None:
        terminal, inside = pty.openpty()
        with subprocess.Popen(
            [LLMSPAN, "convert", "--to", "openmetrics", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=inside,
            env=environment(),
        ) as process:
            os.close(inside)
            assert process.stdin is not None
            deadline = time.monotonic() + 60
            while not select.select([terminal], [], [], 0)[0]:
                assert time.monotonic() < deadline
                process.stdin.write(MANY.encode())
            process.stdin.close()
            shown = read(terminal)
            assert process.wait(60) == 0
        assert re.match(r"\r<stdin>: [0-9,]+ records", shown), shown
        # The line is wiped before the last word.
        assert re.search(r"\r +\rllmspan: <stdin>: [0-9,]+ records\r\n$", shown), shown
