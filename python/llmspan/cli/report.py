"""``llmspan report``: one HTML page about all calls."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from llmspan.cli.errors import CommandError
from llmspan.cli.output import STDOUT, output, read_config, say, say_what_was_read
from llmspan.cli.source import Source, counted
from llmspan.report import Summary, page

if TYPE_CHECKING:
    import argparse

_NANOS = 1_000_000_000


def run(options: argparse.Namespace) -> None:
    """Read the records and write the page."""
    source = Source(options.inputs, skip_bad=options.skip_bad, config=read_config(options.config))
    summary = Summary(details=options.details)
    with output(options.output, options.inputs) as file:
        for record in source:
            summary.add(record)
        if not summary.all.calls:
            raise CommandError("there is no record to report on")
        text = page(summary, title=options.title, notes=_notes(source, summary))
        file.write(text.encode())
    say_what_was_read(source)
    if options.output != STDOUT:
        say(f"{options.output}: {counted(summary.all.calls, 'call')}, {len(text) / 1024:,.0f} KiB")


def _notes(source: Source, summary: Summary) -> list[str]:
    notes = [str(account) for account in source.accounts]
    first, last = summary.first_unix_ns, summary.last_unix_ns
    if first is not None and last is not None:
        begin, end = _moment(first), _moment(last)
        notes.append(f"{begin} UTC" if begin == end else f"{begin} to {end} UTC")
    return notes


def _moment(unix_ns: int) -> str:
    return datetime.fromtimestamp(unix_ns // _NANOS, tz=timezone.utc).strftime("%d %b %Y %H:%M")
