"""How long calls took, and what they spent their time on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspan.report.charts import Mark, Piece, histogram, swatch, whole
from llmspan.report.histogram import NANOS_PER_SECOND
from llmspan.report.markup import Cell, Markup, Table, escape
from llmspan.report.summary import STRETCHES
from llmspan.report.values import number, percentiles, share, time

if TYPE_CHECKING:
    from llmspan.report.summary import Summary
    from llmspan.report.times import Times

_NAMES = ("p50", "p90", "p99")

_LOOKS = {
    "waits": "pause",
    "setup": "local",
    "ttft": "server",
    "sampling": "good",
    "rest": "server late-look",
    "tail": "none-look",
}


def latency(summary: Summary) -> str:
    """Percentiles and distributions."""
    measured = [
        ("first token, last attempt", summary.all.ttft),
        ("first token, with retries", summary.call_ttft),
        ("duration", summary.all.duration),
    ]
    rows = [
        (name, number(times.count), *percentiles(times), time(times.max)) for name, times in measured if times.count
    ]
    parts = [Table("Latency", ("", "calls", *_NAMES, "max"), rows).html()]
    if (ttft := summary.histogram("llmspan.time_to_first_token")) is not None:
        title = "Time to first token of the last attempt"
        parts.append(f"<h3>{title}</h3>\n{histogram(title, ttft, _marks(summary.all.ttft), 'calls')}")
    if (gaps := summary.histogram("gen_ai.client.operation.time_per_output_chunk")) is not None:
        title = "Gaps between chunks"
        marks = [Mark(name, value) for name, value in zip(_NAMES, gaps.percentiles, strict=True)]
        note = (
            '<p class="note">A record keeps percentiles of its gaps, not every gap: each is counted at the next '
            "percentile above it.</p>\n"
        )
        parts.append(f"<h3>{title}</h3>\n{note}{histogram(title, gaps, marks, 'gaps')}")
    return "".join(parts)


def stretches(summary: Summary) -> str:
    """Show the parts that the time of all calls divides into."""
    found = [(name, stretch) for name, stretch in summary.stretches.items() if stretch.total_ns]
    total = sum(stretch.total_ns for _, stretch in found)
    if not total:
        return ""
    words = ", ".join(f"{STRETCHES[name]} {share(stretch.total_ns, total)}" for name, stretch in found)
    bar = whole(words, [Piece(STRETCHES[name], stretch.total_ns, _LOOKS[name]) for name, stretch in found])
    rows: list[tuple[Cell, ...]] = [
        (
            Markup(swatch(_LOOKS[name]) + escape(STRETCHES[name])),
            share(stretch.total_ns, total),
            time(stretch.total_ns),
            number(stretch.calls),
            time(stretch.total_ns / stretch.calls),
        )
        for name, stretch in found
    ]
    return bar + Table("Where the time went", ("", "share", "time", "in calls", "mean in those"), rows).html()


def _marks(times: Times) -> list[Mark]:
    values = times.percentiles() or ()
    return [Mark(name, value / NANOS_PER_SECOND) for name, value in zip(_NAMES, values, strict=False)]
