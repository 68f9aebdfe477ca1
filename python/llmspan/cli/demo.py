"""``llmspan demo``: recorded calls, replayed."""

from __future__ import annotations

import sys
from importlib import resources
from typing import TYPE_CHECKING

from llmspan import replay
from llmspan._llmspan import waterfall_legend, waterfall_page
from llmspan.cli.errors import CommandError
from llmspan.cli.output import Style

if TYPE_CHECKING:
    import argparse

    from llmspan import Record

_LOG = ".jsonl"
_NEXT = """\
Next: `llmspan show calls.jsonl` draws calls of your own,
      `llmspan report calls.jsonl -o report.html` sums them up."""


def run(options: argparse.Namespace) -> None:
    """Replay the captures and print them as the options say."""
    calls = captures(options.only)
    if options.json:
        sys.stdout.write("".join(record.to_json() + "\n" for _, record in calls))
    elif options.html:
        figures = [record.waterfall_html(title=name) for name, record in calls]
        sys.stdout.buffer.write(waterfall_page("Recorded calls", figures).encode())
    else:
        style = Style.of(options)
        sys.stdout.write(waterfall_legend(style.width, color=style.color, ascii=style.ascii) + "\n")
        for name, record in calls:
            sys.stdout.write(style.draw(record, name) + "\n")
        sys.stdout.write(_NEXT + "\n")


def captures(only: str | None = None) -> list[tuple[str, Record]]:
    """Name and record of each capture, in the order of their names."""
    folder = resources.files("llmspan") / "data" / "captures"
    config = (folder / "config.json").read_text(encoding="utf-8")
    logs = sorted((file for file in folder.iterdir() if file.name.endswith(_LOG)), key=lambda file: file.name)
    names = [log.name.removesuffix(_LOG) for log in logs]
    if only is not None and only not in names:
        raise CommandError(f"there is no capture `{only}`, only {', '.join(names)}")
    return [
        (name, record)
        for name, log in zip(names, logs, strict=True)
        if only in {None, name}
        for record in replay(log.read_text(encoding="utf-8"), config=config)
    ]
