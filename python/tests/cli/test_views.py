"""What the extension gives the views: waterfalls, replays, sketches and series."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from command import LOG, PRICES, record

import llmspan
from llmspan._llmspan import Replay, Sketch, readable, waterfall_page
from llmspan.report.histogram import Histogram
from llmspan.report.times import EXACT_UP_TO, Times
from llmspan.report.values import money, share, short


def load(**fields: object) -> llmspan.Record:
    """A record of one second."""
    return llmspan.Record.from_json(json.dumps({**record("a"), **fields}))


def test_a_record_is_a_line_of_text() -> None:
    assert str(load()) == "chat m @ p  success  1 s"
    assert str(load(outcome="error", error={"type": "boom"})) == "chat m @ p  error: boom  1 s"


def test_a_record_is_drawn() -> None:
    drawn = load().waterfall(60, ascii=True, title="x")
    assert drawn.isascii()
    assert drawn.startswith("x  chat m @ p")
    assert max(map(len, drawn.splitlines())) == 60
    assert "\x1b[" in load().waterfall(color=True)
    assert "\x1b" not in load().waterfall()


def test_a_record_is_a_figure() -> None:
    figure = load(model="<b>").waterfall_html(title="<i>")
    assert figure.startswith("<figure ")
    assert "&lt;b&gt;" in figure
    assert "&lt;i&gt;" in figure
    assert "<i>" not in figure
    assert load()._repr_html_() == load().waterfall_html()
    assert waterfall_page("<t>", [figure]).count("<figure ") == 1


def test_a_waterfall_is_data() -> None:
    data = load().waterfall_data()
    assert data["head"]["what"] == "chat m @ p"
    assert data["duration_ns"] == 1_000_000_000
    assert [row["label"] for row in data["rows"]] == ["attempt 1"]


def test_a_replay_gives_records_as_calls_end() -> None:
    replay = Replay(PRICES)
    events = LOG.splitlines()
    assert [replay.feed(event) for event in events[:-1]] == [[]] * 4
    (ended,) = replay.feed(events[-1])
    assert ended == llmspan.replay(LOG, config=PRICES)[0]
    assert replay.finish() == []
    assert replay.feed(events[0].replace("simple", "other")) == []
    (left,) = replay.finish()
    assert (left.call, left.outcome) == ("other", "abandoned")
    with pytest.raises(llmspan.errors.InvalidEventError):
        replay.feed("{}")


def test_a_sketch_is_within_one_per_cent() -> None:
    sketch = Sketch()
    assert (sketch.count, sketch.max, sketch.percentiles()) == (0, None, None)
    for value in range(1, 1001):
        sketch.record(value * 1_000_000)
    found = sketch.percentiles()
    assert found is not None
    for value, wanted in zip(found, (500e6, 900e6, 990e6), strict=True):
        assert abs(value - wanted) <= wanted / 100
    assert (sketch.count, sketch.max) == (1000, 1_000_000_000)


def test_few_times_are_exact() -> None:
    times = Times()
    assert (times.count, times.max, times.percentiles()) == (0, None, None)
    times.record(1_234_567)
    assert times.percentiles() == (1_234_567, 1_234_567, 1_234_567)
    times.record(7)
    # Nearest rank: the first of two is the one at 50 %.
    assert times.percentiles() == (7, 1_234_567, 1_234_567)
    for _ in range(EXACT_UP_TO):
        times.record(10**9)
    assert (times.count, times.max) == (EXACT_UP_TO + 2, 10**9)
    found = times.percentiles()
    assert found is not None
    assert abs(found[0] - 10**9) <= 10**7


def test_series_have_labels_and_values() -> None:
    metrics = llmspan.Metrics(exponential=True)
    metrics.observe(load())
    series = {one["name"]: one for one in metrics.series()}
    calls, duration = series["llmspan.calls"], series["gen_ai.client.operation.duration"]
    assert calls["sum"] == "1"
    assert calls["labels"]["gen_ai.request.model"] == "m"
    assert (duration["unit"], duration["count"], duration["sum"], duration["min"], duration["max"]) == (
        "s",
        1,
        "1",
        "1",
        "1",
    )
    assert sum(count for _, count in duration["buckets"]) == 1
    assert duration["exponential"] == {"scale": 20, "zero_count": 0, "offset": -1, "counts": [1]}


def series(scale: int, offset: int, counts: list[int], zeros: int = 0) -> Histogram:
    """A histogram of these buckets."""
    buckets = {"scale": scale, "offset": offset, "counts": counts, "zero_count": zeros}
    return Histogram.of({"exponential": buckets, "count": sum(counts) + zeros, "sum": "0"})


def test_columns_are_buckets() -> None:
    # At scale 0 bucket i is above 2**i up to 2**(i + 1).
    shown = series(0, -3, [3, 0, 0, 0, 0, 0, 0, 1], zeros=2)
    assert [column.count for column in shown.columns] == [3, 0, 0, 0, 0, 0, 0, 1]
    assert [column.low for column in shown.columns] == [0.125, 0.25, 0.5, 1, 2, 4, 8, 16]
    assert [column.high for column in shown.columns] == [0.25, 0.5, 1, 2, 4, 8, 16, 32]
    assert (shown.zeros, shown.count, shown.highest) == (2, 6, 3)
    # Ranks 3, 6 and 6 of 2 zeros, 3 in the first column and 1 in the last.
    assert shown.percentiles == (0.25, 32, 32)
    assert shown.ticks() == [0.2, 0.5, 1, 2, 5, 10, 20]
    assert shown.place(2) == pytest.approx(0.5)
    assert (shown.place(0), shown.place(64)) == (None, None)
    nothing = series(20, 0, [], zeros=1)
    assert (nothing.columns, nothing.highest, nothing.ticks(), nothing.percentiles) == ([], 0, [], (0, 0, 0))


def test_few_values_stand_in_the_middle() -> None:
    # Bucket -1 of scale 20 is in bucket -1 of every scale: up to 1.
    shown = series(20, -1, [5])
    assert [column.count for column in shown.columns] == [0, 0, 0, 5, 0, 0, 0, 0]
    assert shown.columns[3].high == 1
    assert shown.columns[3].low == pytest.approx(2**-0.125)


def test_many_buckets_become_few_columns() -> None:
    # 64 buckets at scale 4 from an odd index on: joined twice they are buckets of scale 2.
    shown = series(4, 7, [1] * 64)
    assert sum(column.count for column in shown.columns) == 64
    assert len(shown.columns) == 17
    assert shown.columns[0].low == pytest.approx(2**0.25)
    assert shown.columns[-1].high == pytest.approx(2 ** (18 / 4))
    assert [column.count for column in shown.columns] == [1, *[4] * 15, 3]


def test_numbers_are_short() -> None:
    assert [short(value) for value in (0, 9_999, 10_000, 123_456, 9_999_999, 13_429_220, 5_000_000_000)] == [
        "0",
        "9,999",
        "10.0 k",
        "123 k",
        "10.00 M",
        "13.4 M",
        "5.00 G",
    ]
    assert [share(part, 10_000) for part in (0, 1, 520, 9_999, 10_000)] == [
        "0 %",
        "< 0.1 %",
        "5.2 %",
        "> 99.9 %",
        "100.0 %",
    ]
    assert share(0, 0) == "\N{EN DASH}"
    assert readable(1_234_000_000) == "1.23 s"


def test_money_keeps_what_counts() -> None:
    assert money({}) == "\N{EN DASH}"
    assert money({"USD": Decimal("1234.567"), "EUR": Decimal("0.00048")}) == "EUR 0.000480 + USD 1,234.57"
