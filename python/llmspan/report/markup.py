"""HTML, escaped."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of what follows
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"  # no characters
)

_MOST_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Markup:
    """Text that is HTML already."""

    html: str


Cell = str | Markup


def escape(text: Cell) -> str:
    """Text as HTML, for an element and for a quoted attribute alike; markup as it is."""
    if isinstance(text, Markup):
        return text.html
    text = _UNWANTED.sub("\ufffd", text)
    if len(text) > _MOST_CHARACTERS:
        text = text[: _MOST_CHARACTERS - 1] + "…"
    return html.escape(text)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its first column names the rows, the others are numbers."""

    caption: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    words: frozenset[int] = frozenset()
    """Columns beside the first one that are words."""

    def html(self) -> str:
        """Write it, in a box that scrolls where the page is narrow."""
        heads = "".join(
            f'<th scope="col"{self._class(column)}>{escape(head)}</th>' for column, head in enumerate(self.heads)
        )
        rows = "\n".join(self._row(row) for row in self.rows)
        return (
            f'<div class="scroll" role="region" aria-label="{escape(self.caption)}" tabindex="0"><table>'
            f'<caption class="unseen">{escape(self.caption)}</caption>\n'
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>\n"
        )

    def folded(self) -> str:
        """Write it below a line that opens it."""
        return f'<details class="numbers"><summary>As a table</summary>\n{self.html()}</details>\n'

    def _row(self, row: Sequence[Cell]) -> str:
        first, *others = row
        cells = "".join(f"<td{self._class(column)}>{escape(cell)}</td>" for column, cell in enumerate(others, 1))
        return f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'

    def _class(self, column: int) -> str:
        return "" if column == 0 or column in self.words else ' class="number"'
