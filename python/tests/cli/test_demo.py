"""`llmspan demo`, and the captures that come with the package."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from command import run

NAMES = ["cut-stream", "rate-limited", "reasoning-tool", "stalled"]


def test_every_capture_is_drawn() -> None:
    done = run("demo")
    assert (done.returncode, done.stderr) == (0, "")
    heads = [line.split()[0] for line in done.stdout.splitlines() if " @ openai " in line or " @ anthropic " in line]
    assert heads == NAMES
    assert "wait rate_limit" in done.stdout
    assert "llmspan show calls.jsonl" in done.stdout


def test_one_capture_is_drawn() -> None:
    done = run("demo", "--only", "stalled", "--ascii", "--width", "80")
    assert done.stdout.isascii()
    assert max(len(line) for line in done.stdout.splitlines()) == 80
    assert "stalled  chat" in done.stdout
    assert "rate-limited" not in done.stdout
    done = run("demo", "--only", "none")
    assert (done.returncode, done.stderr) == (1, f"llmspan: there is no capture `none`, only {', '.join(NAMES)}\n")


def test_the_page_has_a_figure_for_each() -> None:
    page = run("demo", "--html").stdout
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<figure ") == 4
    for name in NAMES:
        assert f'<strong class="llmspan-title">{name}</strong>' in page


def test_the_records_can_be_shown() -> None:
    records = run("demo", "--json").stdout
    assert [json.loads(line)["call"] for line in records.splitlines()] == NAMES
    shown = run("show", "-", text=records).stdout
    assert shown in run("demo").stdout


def test_the_captures_are_those_of_the_repository() -> None:
    packaged = resources.files("llmspan") / "data" / "captures"
    examples = Path(__file__).parents[3] / "examples" / "captures"
    names = sorted(path.name for path in examples.iterdir())
    assert names == sorted(path.name for path in packaged.iterdir())
    assert len(names) == 5
    for name in names:
        assert (packaged / name).read_bytes() == (examples / name).read_bytes(), name
