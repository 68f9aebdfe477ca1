"""Calls by the hour, or by the day where they span many."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from llmspan.report.charts import Bar, bars
from llmspan.report.groups import Group
from llmspan.report.markup import Table, escape
from llmspan.report.summary import DAY_NS, HOUR_NS, MOST_HOURS
from llmspan.report.values import money, number, percentiles, share, time

if TYPE_CHECKING:
    from llmspan.report.summary import Summary

_MOST_COLUMNS = MOST_HOURS
"""Hours in a chart; past it days are shown."""


def over_time(summary: Summary) -> str:
    """Show calls, latency, tokens and cost over time; empty unless calls span more than one hour."""
    found, length, word, form = _choose(summary)
    if len(found) <= 1:
        return ""
    first, last = min(found), max(found)
    keys = list(range(first, last + 1)) if last - first < 2 * _MOST_COLUMNS else sorted(found)
    nothing = Group()
    labels = {
        key: datetime.fromtimestamp(key * length // 1_000_000_000, tz=timezone.utc).strftime(form) for key in keys
    }
    groups = [(labels[key], found.get(key, nothing)) for key in keys]
    return _calls(groups, word) + _ttft(groups, word) + _table(groups, word) + _past_cap(summary)


def _choose(summary: Summary) -> tuple[dict[int, Group], int, str, str]:
    hours = summary.hours
    if hours and len(hours) < MOST_HOURS and max(hours) - min(hours) < _MOST_COLUMNS:
        return hours, HOUR_NS, "hour", "%d %b %H:%M"
    return summary.days, DAY_NS, "day", "%d %b %Y"


def _calls(groups: list[tuple[str, Group]], word: str) -> str:
    shown = [
        Bar(
            label,
            f"{label}: {number(group.calls)} calls, {number(group.failed)} failed",
            group.calls,
            part=group.failed,
        )
        for label, group in groups
    ]
    top = max(group.calls for _, group in groups)
    words = f"Calls by the {word}, {number(top)} at most"
    return f"<h3>Calls, and those of them that failed</h3>\n{bars(words, shown, number(top))}"


def _ttft(groups: list[tuple[str, Group]], word: str) -> str:
    shown = []
    for label, group in groups:
        p50, p90, _ = group.ttft.percentiles() or (0, 0, 0)
        what = f"{label}: p50 {time(p50)}, p90 {time(p90)}" if group.ttft.count else f"{label}: none"
        shown.append(Bar(label, what, p50, ghost=p90))
    top = max(bar.ghost for bar in shown)
    if not top:
        return ""
    words = f"Time to first token by the {word}: 90th percentile {time(top)} at most"
    return f"<h3>Time to first token: median, and 90th percentile behind it</h3>\n{bars(words, shown, time(top))}"


def _table(groups: list[tuple[str, Group]], word: str) -> str:
    heads = (
        word,
        "calls",
        "failed",
        "retries",
        "ttft p50",
        "ttft p90",
        "duration p50",
        "tokens in",
        "tokens out",
        "cost",
    )
    rows = [
        (
            label,
            number(group.calls),
            f"{number(group.failed)} ({share(group.failed, group.calls)})" if group.failed else "0",
            number(group.retries),
            *percentiles(group.ttft)[:2],
            percentiles(group.duration)[0],
            number(group.input_tokens),
            number(group.output_tokens),
            money(group.costs),
        )
        for label, group in groups
        if group.calls
    ]
    return Table(f"By the {word}", heads, rows).folded()


def _past_cap(summary: Summary) -> str:
    if not summary.later_days:
        return ""
    text = f"{number(summary.later_days)} calls are of days past the {len(summary.days)} that are shown."
    return f'<p class="note">{escape(text)}</p>\n'
