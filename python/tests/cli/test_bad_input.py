"""What is said of inputs that cannot be read."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from command import LOG, lines, record, run

if TYPE_CHECKING:
    from pathlib import Path

GOOD = lines(record("a"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (GOOD + "\nnope\n" + GOOD, ":3: not JSON: Expecting value at column 1"),
        (GOOD + GOOD[:40], ":2: not JSON: "),
        (GOOD + '{"call": "cut', ":2: not JSON: Unterminated string starting at column 10"),
        (GOOD + "{}\n", ":2: not a record: it has no `duration_ns`"),
        (GOOD + LOG, ":2: an event among records"),
        (GOOD + '{"duration_ns":"soon"}\n', ":2: "),
        (LOG + "{}\n", ":6: "),
        (LOG + '{"at_ns":0,"event":"no_such_event"}\n', ":6: "),
        (GOOD.encode() + b'{"duration_ns":\xff}\n', ":2: not UTF-8: byte 0xff at column 16"),
        ("nope\n" + GOOD, ":1: not JSON: "),
        ("[1,\n2\n", ":3: not JSON: "),
        ('[{"duration_ns":1}, 7]', ": entry 2: not a record"),
        ("", ": there is nothing in it"),
        ("\n \n", ": there is nothing in it"),
        (GOOD.encode("utf-16"), ": this is UTF-16"),
        (gzip.compress((GOOD * 100).encode())[:-20], ": broken gzip data after line "),
    ],
)
def test_the_place_is_named(data: str | bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    done = run("convert", "--to", "openmetrics", path)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"llmspan: {path}{message}"), line
    assert (done.returncode, done.stdout) == (1, "")


def test_bad_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(GOOD + "x\n" + GOOD + "{}\n" + "y\n" * 8 + GOOD)
    done = run("show", path, "--skip-bad")
    assert done.returncode == 0
    assert done.stdout.count("━\n") == 3
    assert done.stderr.splitlines() == [
        f"llmspan: {path}:2: not JSON: Expecting value at column 1",
        f"llmspan: {path}:4: not a record: it has no `duration_ns`",
        f"llmspan: {path}:5: not JSON: Expecting value at column 1",
        f"llmspan: {path}: 3 records, 10 bad lines skipped",
    ]


def test_bad_events_are_skipped_too() -> None:
    done = run("show", "-", "--skip-bad", text=LOG.replace("\n", "\nnope\n", 1))
    assert done.stderr.splitlines()[-1] == (
        "llmspan: <stdin>: event log of 5 events, replayed to 1 record, 1 bad line skipped"
    )


def test_files_that_are_not_there(tmp_path: Path) -> None:
    done = run("show", tmp_path / "none.jsonl")
    assert (done.returncode, done.stderr) == (1, f"llmspan: {tmp_path / 'none.jsonl'}: No such file or directory\n")
    assert run("show", tmp_path).stderr.endswith("Is a directory\n")
    done = run("report", "-", "-o", tmp_path / "no" / "r.html", text=GOOD)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        f"llmspan: {tmp_path / 'no' / 'r.html'}: No such file or directory",
    )
    done = run("show", "-", "--config", tmp_path / "c.json", text=LOG)
    assert (done.returncode, done.stderr) == (1, f"llmspan: {tmp_path / 'c.json'}: No such file or directory\n")


def test_a_bad_configuration_is_said(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"prices": 7}')
    done = run("show", "-", "--config", path, text=LOG)
    assert done.returncode == 1
    assert done.stderr.startswith("llmspan: the configuration: ")


def test_a_failed_command_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert run("convert", "--to", "chrome", "-", "-o", out, text=GOOD + "x").returncode == 1
    out.write_text("kept")
    assert run("convert", "--to", "chrome", "-", "-o", out, text=GOOD + "x").returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    assert out.read_text() == "kept"


def test_an_input_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(GOOD)
    done = run("convert", "--to", "chrome", path, "-o", path)
    assert (done.returncode, done.stderr) == (1, f"llmspan: {path} is an input\n")
    assert path.read_text() == GOOD
