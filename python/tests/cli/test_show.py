"""`llmspan show`, on every form of input."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from command import LOG, PRICES, lines, record, run

if TYPE_CHECKING:
    from pathlib import Path

DRAWN = """\
╌╌ pause  ░░ waiting for the server  ▒▒ nothing visible yet  ██ content  ██ local work

simple  chat gpt-4.1-mini @ openai                                                      success  1 s
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

               0            200 ms        400 ms        600 ms        800 ms     1 s   start    time
               ┬────────────┬─────────────┬─────────────┬─────────────┬────────────┬
attempt 1      ░░░░░░░░░░░░░░░░░████████████████████████████████████████████████████       0     1 s
  first chunk  ░░░░░░░░░░░░░░░░░                                                           0  250 ms
  first token  ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ TTFT                                                      0  250 ms
  sampling       41.33 tokens/s ████████████████████████████████████████████████████  250 ms  750 ms

duration      1 s                                  attempts      1 (0 retried)
setup         0 s                                  tokens in     1,204
first chunk   250 ms                               tokens out    31
ttft          250 ms                               cost          USD 0.0005312
call ttft     250 ms                               finish        stop
sampling      750 ms                               response id   id-1
tokens/s      41.33
per token     25 ms
gaps p50/p99  750 ms / 750 ms
longest gap   750 ms

• 1 s in all: 75 % sampling, 25 % to the first token

"""


def heads(out: str) -> list[str]:
    """The ids of the calls that are drawn."""
    rules = [at for at, line in enumerate(out.splitlines()) if line.startswith(("━", "==="))]
    return [out.splitlines()[at - 1].split()[0] for at in rules]


def test_an_event_log_is_replayed(tmp_path: Path) -> None:
    log, prices = tmp_path / "session.jsonl", tmp_path / "config.json"
    log.write_text(LOG)
    prices.write_text(PRICES)
    done = run("show", log, "--config", prices)
    assert done.stdout == DRAWN
    assert done.stderr == f"llmspan: {log}: event log of 5 events, replayed to 1 record\n"
    assert done.returncode == 0


def test_a_log_that_stops_early_still_has_its_call() -> None:
    done = run("show", "-", text="".join(LOG.splitlines(keepends=True)[:3]))
    assert " abandoned " in done.stdout.splitlines()[2]
    assert done.stderr == "llmspan: <stdin>: event log of 3 events, replayed to 1 record\n"


RECORDS = lines(record("a", 1), record("b", 3, "error"), record("c", 2), record("d", 3))


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], "abcd"),
        (["--only", "error"], "b"),
        (["--only", "error,success"], "abcd"),
        (["--call", "c"], "c"),
        (["--call", "c", "--call", "a"], "ac"),
        (["--slowest", "2"], "bd"),
        (["--slowest", "3"], "bdc"),
        (["--slowest", "2", "--only", "success"], "dc"),
    ],
)
def test_calls_are_chosen(options: list[str], shown: str) -> None:
    done = run("show", "-", *options, text=RECORDS)
    assert heads(done.stdout) == list(shown)
    some = f"llmspan: {len(shown)} call{'s' if len(shown) > 1 else ''} of 4 shown\n" if len(shown) < 4 else ""
    assert done.stderr == "llmspan: <stdin>: 4 records\n" + some
    assert done.returncode == 0


def test_nothing_that_fits_is_said() -> None:
    done = run("show", "-", "--call", "x", text=RECORDS)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "llmspan: none of 4 records fits"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(RECORDS.encode(), id="lines"),
        pytest.param(RECORDS.replace("\n", "\n\n  \n").encode(), id="blank lines"),
        pytest.param(RECORDS.replace("\n", "\r\n").encode(), id="lines of Windows"),
        pytest.param(b"\xef\xbb\xbf" + RECORDS.encode(), id="byte order mark"),
        pytest.param(gzip.compress(RECORDS.encode()), id="gzip"),
        pytest.param(gzip.compress(RECORDS[:900].encode()) + gzip.compress(RECORDS[900:].encode()), id="gzip appended"),
        pytest.param(json.dumps([json.loads(line) for line in RECORDS.splitlines()]).encode(), id="array"),
        pytest.param(json.dumps([json.loads(line) for line in RECORDS.splitlines()], indent=2).encode(), id="indented"),
    ],
)
def test_an_input_may_have_any_form(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "calls"
    path.write_bytes(data)
    for done in (run("show", path), run("show", "-", text=data)):
        assert heads(done.stdout) == ["a", "b", "c", "d"]
        assert done.returncode == 0, done.stderr


def test_one_record_as_a_document() -> None:
    done = run("show", "-", text=json.dumps(record("only"), indent=4))
    assert heads(done.stdout) == ["only"]
    assert done.stderr == "llmspan: <stdin>: 1 record\n"


def test_inputs_follow_one_another(tmp_path: Path) -> None:
    one, other = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    one.write_text(lines(record("a")))
    other.write_text(LOG)
    done = run("show", one, other)
    assert heads(done.stdout) == ["a", "simple"]
    assert done.stderr.splitlines() == [
        f"llmspan: {one}: 1 record",
        f"llmspan: {other}: event log of 5 events, replayed to 1 record",
    ]


def test_the_drawing_is_as_wide_as_asked() -> None:
    for done in (run("show", "-", "--width", "60", text=RECORDS), run("show", "-", text=RECORDS, COLUMNS="60")):
        assert max(len(line) for line in done.stdout.splitlines()) == 60


def test_ascii_is_ascii_and_stands_in_where_a_terminal_has_nothing_else() -> None:
    wanted = run("show", "-", "--ascii", text=RECORDS).stdout
    assert wanted.isascii()
    assert run("show", "-", text=RECORDS, PYTHONIOENCODING="latin-1").stdout == wanted


def test_a_pipe_gets_no_colours() -> None:
    assert "\x1b" not in run("show", "-", text=RECORDS).stdout
