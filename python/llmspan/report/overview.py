"""What the calls came to: tiles, outcomes, errors, models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspan.report.charts import Piece, swatch, whole
from llmspan.report.markup import Cell, Markup, Table, escape
from llmspan.report.values import ABSENT, money, number, percentiles, share, short

if TYPE_CHECKING:
    from llmspan.report.groups import Group
    from llmspan.report.summary import Summary

_LOOKS = {
    "success": "good",
    "error": "bad",
    "timed_out": "bad late-look",
    "cancelled": "pause",
    "interrupted": "pause thin-look",
    "abandoned": "none-look",
}
"""Colour and pattern of each outcome, in the order in which they are shown."""


def tiles(summary: Summary) -> str:
    """Show the numbers that readers look for first."""
    every = summary.all
    ttft, duration = percentiles(every.ttft), percentiles(every.duration)
    rate = (summary.output_rate.percentiles() or (None,))[0]
    cached = f"{share(every.cached_tokens, every.input_tokens)} of them cached" if every.cached_tokens else ""
    reasoning = (
        f"{share(every.reasoning_tokens, every.output_tokens)} of them reasoning" if every.reasoning_tokens else ""
    )
    priced = every.calls - every.without_cost
    cost = "no prices known" if not priced else f"{_per_call(every, priced)} a call"
    wasted = f"; {money(every.wasted_costs)} of it wasted" if every.wasted_costs else ""
    found = [
        ("Calls", short(every.calls), f"{number(every.failed)} failed, {share(every.failed, every.calls)}"),
        (
            "To first token, median",
            ttft[0],
            f"p90 {ttft[1]}, p99 {ttft[2]}" if every.ttft.count else "no call streamed a token",
        ),
        ("Duration, median", duration[0], f"p90 {duration[1]}, p99 {duration[2]}"),
        ("Output rate, median", ABSENT if rate is None else f"{rate / 1000:.3g}", "tokens per second of streaming"),
        ("Retries", short(every.retries), f"in {share(every.retried, every.calls)} of calls"),
        ("Tokens in", short(every.input_tokens), cached),
        ("Tokens out", short(every.output_tokens), reasoning),
        ("Cost", money(every.costs), cost + wasted),
    ]
    cells = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd><dd class="more">{escape(more)}</dd></div>\n'
        for name, value, more in found
    )
    return f'<dl class="tiles">\n{cells}</dl>\n'


def outcomes(summary: Summary) -> str:
    """How calls ended, and with which errors."""
    total = summary.all.calls
    known = [*_LOOKS, *sorted(set(summary.outcomes) - set(_LOOKS))]
    found = [(name, summary.outcomes[name]) for name in known if summary.outcomes.get(name)]
    if not found:
        return "<p>No calls.</p>\n"
    words = ", ".join(f"{_spaced(name)} {share(count, total)}" for name, count in found)
    bar = whole(words, [Piece(_spaced(name), count, _LOOKS.get(name, "none-look")) for name, count in found])
    rows: list[tuple[Cell, str, str]] = [
        (Markup(swatch(_LOOKS.get(name, "none-look")) + escape(_spaced(name))), number(count), share(count, total))
        for name, count in found
    ]
    return bar + Table("Outcomes", ("outcome", "calls", "share"), rows).html() + _errors(summary)


def _errors(summary: Summary) -> str:
    found = sorted(summary.errors.items(), key=lambda entry: (-entry[1].calls, -entry[1].attempts, entry[0]))
    if not found:
        return ""
    rows = [
        (name, number(count.calls), share(count.calls, summary.all.calls), number(count.attempts))
        for name, count in found
    ]
    heads = ("error", "calls it ended", "of all calls", "attempts it ended")
    note = '<p class="note">An attempt that failed need not be the end of its call: a retry may have saved it.</p>\n'
    return f"<h3>Errors</h3>\n{note}{Table('Errors', heads, rows).html()}"


def models(summary: Summary) -> str:
    """Tokens, cost and latency by model."""
    groups = sorted(summary.models.items(), key=lambda entry: (-entry[1].calls, entry[0]))
    times = ("ttft p50 / p90", "duration p50 / p90")
    heads = ("model", "calls", "failed", *times, "tokens in", "cached", "tokens out", "cost")
    rows: list[tuple[Cell, ...]] = [(_model(*key), *_cells(group)) for key, group in groups]
    if len(groups) > 1:
        rows.append(("all", *_cells(summary.all)))
    return Table("Models", heads, rows).html() + _gaps(summary.all)


def _model(model: str, provider: str) -> Cell:
    return Markup(f'{escape(model)} <span class="dim">{escape(provider)}</span>') if provider else model


def _cells(group: Group) -> tuple[str, ...]:
    ttft, duration = percentiles(group.ttft), percentiles(group.duration)
    return (
        number(group.calls),
        share(group.failed, group.calls) if group.failed else "0",
        " / ".join(ttft[:2]) if group.ttft.count else ABSENT,
        " / ".join(duration[:2]),
        number(group.input_tokens),
        share(group.cached_tokens, group.input_tokens),
        number(group.output_tokens),
        money(group.costs),
    )


def _gaps(every: Group) -> str:
    lines = []
    if every.without_usage:
        lines.append(f"Calls without token counts: {number(every.without_usage)} of {number(every.calls)}")
    if every.without_cost and every.costs:
        lines.append(f"Calls without a cost: {number(every.without_cost)} of {number(every.calls)}")
    if every.wasted_tokens:
        lines.append(f"Tokens of attempts that were not the last: {number(every.wasted_tokens)}")
    return f'<p class="note">{escape(". ".join(lines))}.</p>\n' if lines else ""


def _per_call(every: Group, priced: int) -> str:
    return money({currency: value / priced for currency, value in every.costs.items()})


def _spaced(word: str) -> str:
    return word.replace("_", " ")
