"""`llmspan report`: what the page says, and that it is safe to open."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import html5lib
import pytest
from command import LLMSPAN, LOG, SECOND, START, environment, lines, record, run

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

HOUR = 3600 * SECOND


def parse(page: str) -> Element:
    """The page as a tree; whatever is not valid HTML raises."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(page)
    return root


def report(text: str, *options: str) -> Element:
    """The page for some records."""
    done = run("report", "-", "-o", "-", *options, text=text)
    assert done.returncode == 0, done.stderr
    return parse(done.stdout)


def words(element: Element) -> str:
    """The text of an element, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def tiles(root: Element) -> dict[str, str]:
    """Name and text of each tile."""
    return {
        words(tile[0]): " | ".join(map(words, tile[1:])) for tile in root.iter("div") if tile.get("class") == "tile"
    }


def table(root: Element, caption: str) -> list[list[str]]:
    """The rows of a table, its heads first."""
    (found,) = [one for one in root.iter("table") if words(one[0]) == caption]
    return [[words(cell) for cell in row] for row in found.iter("tr")]


def details(root: Element, section: str) -> list[str]:
    """The lines of the calls of a section."""
    (found,) = [one for one in root.iter("section") if one.get("id") == section]
    return [words(line) for line in found.iter("span") if line.get("class") == "line"]


USAGE = {"input_tokens": 1_000, "output_tokens": 50, "cache_read_tokens": 400, "reasoning_tokens": 10}
COST = {"currency": "USD", "total": "0.25", "all_attempts": "0.5", "wasted": "0.25", "source": "table"}
GAPS = {"count": 1, "min_ns": 10_000_000, "max_ns": 10_000_000, "mean_ns": 10_000_000, "p50_ns": 10_000_000}
STREAMED: dict[str, Any] = {
    "request_setup_ns": 0,
    "ttft_ns": SECOND // 2,
    "call_ttft_ns": SECOND // 2,
    "sampling_ns": SECOND // 2,
}

THREE = lines(
    record(
        "first", 1, total_usage=USAGE, cost=COST, inter_chunk={**GAPS, "p90_ns": 10**7, "p99_ns": 10**7}, **STREAMED
    ),
    record("second", 2, total_usage=USAGE, model="n", retry_count=2, start_unix_ns=str(START + HOUR)),
    record("third", 4, "error", provider="q", start_unix_ns=str(START + 3 * HOUR)),
)


def test_the_numbers_are_those_of_the_records() -> None:
    root = report(THREE)
    assert tiles(root) == {
        "Calls": "3 | 1 failed, 33.3 %",
        "To first token, median": "500 ms | p90 500 ms, p99 500 ms",
        "Duration, median": "2 s | p90 4 s, p99 4 s",
        "Output rate, median": "– | tokens per second of streaming",  # noqa: RUF001
        "Retries": "2 | in 33.3 % of calls",
        "Tokens in": "2,000 | 40.0 % of them cached",
        "Tokens out": "100 | 20.0 % of them reasoning",
        "Cost": "USD 0.500 | USD 0.500 a call; USD 0.250 of it wasted",
    }
    assert table(root, "Outcomes")[1:] == [["success", "2", "66.7 %"], ["error", "1", "33.3 %"]]
    assert table(root, "Errors")[1:] == [["boom", "1", "33.3 %", "1"]]
    models = {row[0]: row[1:] for row in table(root, "Models")[1:]}
    assert models["m p"] == ["1", "0", "500 ms / 500 ms", "1 s / 1 s", "1,000", "40.0 %", "50", "USD 0.500"]
    assert models["m q"][:2] == ["1", "100.0 %"]
    assert models["all"][4:] == ["2,000", "40.0 %", "100", "USD 0.500"]
    assert [row[:3] for row in table(root, "By the hour")[1:]] == [
        ["21 Nov 08:00", "1", "0"],
        ["21 Nov 09:00", "1", "0"],
        ["21 Nov 11:00", "1", "1 (100.0 %)"],
    ]
    went = {row[0]: row[1:3] for row in table(root, "Where the time went")[1:]}
    assert went == {
        "to the first token": ["7.1 %", "500 ms"],
        "streaming": ["7.1 %", "500 ms"],
        "answers not streamed, failures before a token": ["85.7 %", "6 s"],
    }
    assert [row[1:] for row in table(root, "Gaps between chunks: values of the chart")[1:]] == [["1", "100.0 %"]]
    assert details(root, "slowest") == [
        "second chat n @ p success 2 s",
        "first chat m @ p success 1 s",
    ]
    assert details(root, "failed") == ["third chat m @ q error: boom 4 s"]


def test_a_call_is_drawn_once_and_the_style_sheet_is_there_once() -> None:
    page = run("report", "-", "-o", "-", text=THREE).stdout
    assert page.count("<figure ") == 3
    assert page.count("<style>") == 1
    assert page.count(".llmspan-cell{") > 0


def test_few_calls_are_drawn_of_many() -> None:
    many = [record(f"ok-{number}", number + 1) for number in range(50)]
    bad = [record(f"bad-{number}", 0.1, "error", error={"type": f"e{number % 4}"}) for number in range(40)]
    root = report(lines(*many, *bad), "--details", "3")
    assert [line.split()[0] for line in details(root, "slowest")] == ["ok-49", "ok-48", "ok-47"]
    # The latest of three types of error: past the cap they share a place.
    assert len(details(root, "failed")) == 3
    assert tiles(root)["Calls"] == "90 | 40 failed, 44.4 %"
    # The attempts of all of them failed alike.
    assert [(row[0], row[1], row[3]) for row in table(root, "Errors")[1:]] == [
        *((f"e{kind}", "10", "0") for kind in range(4)),
        ("boom", "0", "40"),
    ]
    assert report(lines(*bad), "--details", "0").find(".//figure") is None


def test_one_record_and_an_event_log_make_pages() -> None:
    assert tiles(report(lines(record("a"))))["Calls"] == "1 | 0 failed, 0 %"
    root = report(LOG)
    assert tiles(root)["To first token, median"] == "250 ms | p90 250 ms, p99 250 ms"
    assert words(next(root.iter("header"))).startswith("LLM calls <stdin>: event log of 5 events, replayed to 1 record")


def test_extremes_make_a_page() -> None:
    most = 2**64 - 1
    root = report(
        lines(
            {"duration_ns": 0},
            {"duration_ns": str(most), "start_unix_ns": str(most), "ttft_ns": str(most), "retry_count": 2**53},
            record("x", start_unix_ns="0", total_usage={"input_tokens": 2**53}, ttft_ns=0),
        )
    )
    assert tiles(root)["Calls"] == "3 | 0 failed, 0 %"


SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"
ODD = "\x00\x1b[31m\u202e\ufffe" + "long" * 100


@pytest.mark.parametrize("text", [SCRIPT, ODD, "javascript:alert(1)", "]]>", "</style><script>"])
def test_what_others_wrote_stays_text(text: str) -> None:
    hostile = record(
        text,
        2,
        "error",
        operation=text,
        provider=text,
        model=text,
        response_model=text,
        finish_reasons=[text],
        cost={**COST, "currency": text},
        attributes={text: text},
        phases=[{"name": text, "depth": 0, "start_ns": 0, "duration_ns": 5}],
    )
    hostile["error"] = hostile["attempts"][0]["error"] = {"type": text, "message": text}
    root = report(lines(hostile, record("good", start_unix_ns=str(START + HOUR))), "--title", text.replace("\0", "\1"))
    check_harmless(root)
    # Two rows and their sum; the model is one cell of text.
    assert len(table(root, "Models")) == 4


def check_harmless(root: Element) -> None:
    """Nothing runs, nothing is fetched, nothing leads elsewhere."""
    for element in root.iter():
        assert element.tag not in {"script", "img", "link", "iframe", "object", "form", "base", "svg"}, element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in {"src", "srcset", "action", "data", "formaction"}, name
            assert name != "href" or value.startswith("#"), value
            assert "url(" not in value
    for style in root.iter("style"):
        assert "url(" not in words(style)
        assert "@import" not in words(style)


def test_the_page_needs_nothing_else() -> None:
    done = run("report", "-", "-o", "-", text=THREE)
    check_harmless(parse(done.stdout))
    assert not re.search(r"https?:|//[a-z]", done.stdout)
    assert "default-src 'none'" in done.stdout


def test_charts_have_words_and_tables() -> None:
    root = report(THREE)
    charts = [one for one in root.iter("div") if one.get("role") == "img" and one.get("class") in {"plot", "plot low"}]
    assert len(charts) == 4
    assert all(chart.get("aria-label") for chart in charts)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    targets = {(link.get("href") or "")[1:] for link in root.iter("a")}
    assert targets <= set(ids)
    for found in root.iter("table"):
        if "llmspan" not in (found.get("class") or ""):
            assert words(found[0])
            assert all(head.get("scope") for head in found.iter("th"))


def test_a_hundred_thousand_records_take_little_memory(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("there is no getrusage")
    count = 100_000
    path, out = tmp_path / "calls.jsonl", tmp_path / "report.html"
    with path.open("w") as file:
        for number in range(count):
            file.write(json.dumps(varied(number)) + "\n")
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, LLMSPAN, "report", str(path), "-o", str(out)]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
    seconds = time.monotonic() - started
    # The unit is KiB, and bytes on macOS.
    peak = int(done.stdout) / (1024 if sys.platform == "linux" else 1024 * 1024)
    size = out.stat().st_size
    print(f"{count:,} records, {path.stat().st_size >> 20} MiB: {seconds:.1f} s, {peak:.0f} MiB, page {size >> 10} KiB")
    assert peak < 100
    assert size < 2 << 20
    root = parse(out.read_text(encoding="utf-8"))
    assert tiles(root)["Calls"] == f"100 k | {count // 10:,} failed, 10.0 %"
    assert len(table(root, "Models")) == 203
    assert len(list(root.iter("figure"))) <= 40


def varied(number: int) -> dict[str, Any]:
    """A record of a thousand models, a hundred types of errors and 300 days."""
    outcome = "error" if number % 10 == 0 else "success"
    start = START + number * 260 * SECOND
    found = record(f"c{number}", 0.1 + number % 977 / 100, outcome, model=f"m{number % 1000}", start_unix_ns=str(start))
    if outcome == "error":
        found["error"] = found["attempts"][0]["error"] = {"type": f"e{number // 10 % 100}"}
    found["ttft_ns"] = number % 613 * 1_000_000
    return found
