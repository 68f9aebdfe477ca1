"""The page: what the summary says, section by section."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from llmspan._llmspan import __version__
from llmspan.report import latency, over_time, overview
from llmspan.report.calls import Calls
from llmspan.report.markup import escape
from llmspan.report.times import EXACT_UP_TO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmspan.report.summary import Summary


def page(summary: Summary, *, title: str, notes: Sequence[str] = ()) -> str:
    """Write the page: one HTML document without script that asks for nothing else.

    ``notes`` are lines below the title, such as where the records come from.
    """
    calls = Calls(summary)
    sections = [
        ("outcomes", "Outcomes", overview.outcomes(summary)),
        ("latency", "Latency", latency.latency(summary)),
        ("time", "Where the time went", latency.stretches(summary)),
        ("models", "Models", overview.models(summary)),
        ("when", "Over time", over_time.over_time(summary)),
        ("slowest", "Slowest calls", calls.slowest()),
        ("failed", "Failed calls", calls.failed()),
    ]
    shown = [(name, head, html) for name, head, html in sections if html]
    links = "".join(f'<li><a href="#{name}">{head}</a></li>' for name, head, _ in shown)
    body = "".join(_section(*section) for section in shown)
    exact = f"Percentiles of more than {EXACT_UP_TO} calls are within 1 %, others exact."
    footer = f"{exact} Times of the day are UTC. llmspan {escape(__version__)}"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{_sheet()}{calls.sheet}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{_notes(notes)}<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{overview.tiles(summary)}{body}</main>
<footer>{footer}</footer>
</body>
</html>
"""


_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing in the page needs more: what should ever get into it cannot run, and cannot call home."""


def _section(name: str, head: str, html: str) -> str:
    return f'<section id="{name}" aria-labelledby="{name}-head">\n<h2 id="{name}-head">{head}</h2>\n{html}</section>\n'


def _notes(notes: Sequence[str]) -> str:
    return "".join(f"<p>{escape(note)}</p>\n" for note in notes)


def _sheet() -> str:
    return (resources.files("llmspan") / "report" / "report.css").read_text(encoding="utf-8")
