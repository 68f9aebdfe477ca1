"""Single calls, with their waterfalls folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspan.report.groups import FAILED
from llmspan.report.markup import escape
from llmspan.report.values import number

if TYPE_CHECKING:
    from llmspan import Record
    from llmspan.report.summary import Summary

_STYLE = "<style>\n"
_STYLE_END = "</style>\n"


class Calls:
    """The calls of a page. The style sheet of all waterfalls is in the page once."""

    def __init__(self, summary: Summary) -> None:
        """Lay out which calls are shown where."""
        self._summary = summary
        self._slowest = summary.slowest
        self._failed = summary.failed
        shown = [*self._slowest, *self._failed]
        self.sheet = shown[0].waterfall_html().partition(_STYLE)[2].partition(_STYLE_END)[0] if shown else ""
        """The style sheet."""

    def slowest(self) -> str:
        """Show the calls that took longest of those that did not fail."""
        every = self._summary.all
        note = f"The slowest {number(len(self._slowest))} of {number(every.calls - every.failed)} that did not fail."
        return self._list(note, self._slowest)

    def failed(self) -> str:
        """Show calls that failed: the latest of each type of error first."""
        shown, failed = len(self._failed), self._summary.all.failed
        note = f"The latest of each type of error: {number(shown)} of {number(failed)} that failed."
        return self._list(note, self._failed)

    @staticmethod
    def _list(note: str, records: list[Record]) -> str:
        if not records:
            return ""
        longest = max(record.duration_ns for record in records)
        items = "".join(f"<li>{_call(record, longest)}</li>\n" for record in records)
        return f'<p class="note">{escape(note)}</p>\n<ol class="calls">\n{items}</ol>\n'


def _call(record: Record, longest: int) -> str:
    head, _, rest = record.waterfall_html().partition(_STYLE)
    # A waterfall brings its style sheet along, which the page has once.
    figure = head + rest.partition(_STYLE_END)[2]
    return f'<details><summary>{_line(record, longest)}</summary>\n<div class="figure">{figure}</div>\n</details>'


def _line(record: Record, longest: int) -> str:
    head = record.waterfall_data()["head"]
    look = "ok" if record.outcome == "success" else "ill" if record.outcome in FAILED else "stopped"
    width = f"{100 * record.duration_ns / longest:.1f}%" if longest else "0%"
    return (
        f'<span class="line"><span class="call-id">{escape(record.call)}</span> '
        f'<span class="what">{escape(head["what"])}</span> '
        f'<span class="ending {look}">{escape(head["ending"])}</span> '
        f'<span class="length"><span><i style="width:{width}"></i></span>'
        f"<b>{escape(head['duration'])}</b></span></span>"
    )
