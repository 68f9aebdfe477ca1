"""Charts of plain HTML: each has its values in words, and in a table beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmspan.report.markup import Table, escape
from llmspan.report.values import number, seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmspan.report.histogram import Histogram

_LEAST_LABELS = 3

_LATE = 0.6
"""From here on a label is left of its mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A value that is pointed out on an axis, in seconds."""

    name: str
    seconds: float


def histogram(title: str, shown: Histogram, marks: Sequence[Mark], unit: str) -> str:
    """Draw a distribution of times on a logarithmic axis. ``unit`` is what is counted, such as ``calls``."""
    words = ", ".join(f"{mark.name} {seconds(mark.seconds)}" for mark in marks)
    columns = []
    for column in shown.columns:
        height = _percent(column.count, shown.highest)
        what = f"above {seconds(column.low)} up to {seconds(column.high)}: {number(column.count)} {unit}"
        seen = "" if column.count else ' class="none"'
        columns.append(f'<span{seen} title="{escape(what)}"><i style="height:{height}"></i></span>')
    places = [(mark, shown.place(mark.seconds)) for mark in marks]
    flags = "".join(
        f'<div class="flag row{row}{" late" if place > _LATE else ""}" style="{_side(place)}">'
        f"<b>{escape(mark.name)}</b> {seconds(mark.seconds)}</div>"
        for row, (mark, place) in enumerate(places)
        if place is not None
    )
    placed = [(tick, place) for tick in shown.ticks() if (place := shown.place(tick)) is not None]
    ticks = "".join(f'<span style="left:{place:.2%}">{seconds(tick)}</span>' for tick, place in placed)
    rows = [
        (f"{seconds(column.low)} to {seconds(column.high)}", number(column.count), share(column.count, shown.count))
        for column in shown.columns
        if column.count
    ]
    if shown.zeros:
        rows.insert(0, ("0 s", number(shown.zeros), share(shown.zeros, shown.count)))
    table = Table(f"{title}: values of the chart", ("time", unit, "share"), rows)
    return (
        f'<div class="chart"><div class="plot" role="img" aria-label="{escape(f"{title}: {words}")}">'
        f'<div class="columns">{"".join(columns)}</div>{flags}</div>\n'
        f'<div class="axis" aria-hidden="true">{ticks}</div>\n{table.folded()}</div>\n'
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A column over a stretch of time: a part of it may be set apart, and a ghost may stand behind it."""

    label: str
    words: str
    value: int
    part: int = 0
    ghost: int = 0


def bars(words: str, shown: Sequence[Bar], highest: str) -> str:
    """Draw columns in the order of time, the largest as high as the chart, which is labelled with its value."""
    top = max((max(bar.value, bar.ghost) for bar in shown), default=0)
    columns = []
    for bar in shown:
        ghost = f'<u style="height:{_percent(bar.ghost, top)}"></u>' if bar.ghost else ""
        part = f'<b style="height:{_percent(bar.part, bar.value)}"></b>' if bar.part else ""
        seen = "" if max(bar.value, bar.ghost) else ' class="none"'
        height = _percent(bar.value, top)
        columns.append(f'<span{seen} title="{escape(bar.words)}">{ghost}<i style="height:{height}">{part}</i></span>')
    first, last = escape(shown[0].label), escape(shown[-1].label)
    middle = escape(shown[len(shown) // 2].label) if len(shown) >= _LEAST_LABELS else ""
    ends = f"<span>{first}</span><span>{middle}</span><span>{last}</span>"
    return (
        f'<div class="chart"><div class="plot low" role="img" aria-label="{escape(words)}">'
        f'<div class="top">{escape(highest)}</div><div class="columns">{"".join(columns)}</div></div>\n'
        f'<div class="ends" aria-hidden="true">{ends}</div></div>\n'
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a whole. ``look`` is the class of its colour and pattern."""

    name: str
    value: int
    look: str


def whole(words: str, pieces: Sequence[Piece]) -> str:
    """Draw pieces of a whole as one bar."""
    total = sum(piece.value for piece in pieces)
    drawn = "".join(
        f'<span class="{piece.look}" style="flex-grow:{max(piece.value / total, 0.002):.4f}" '
        f'title="{escape(f"{piece.name}: {share(piece.value, total)}")}"></span>'
        for piece in pieces
        if piece.value
    )
    return f'<div class="whole" role="img" aria-label="{escape(words)}">{drawn}</div>\n'


def swatch(look: str) -> str:
    """Show a sample of the colour and pattern of a piece."""
    return f'<span class="swatch {look}" aria-hidden="true"></span>'


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.2f}%" if total else "0%"


def _side(place: float) -> str:
    return f"right:{1 - place:.2%}" if place > _LATE else f"left:{place:.2%}"
