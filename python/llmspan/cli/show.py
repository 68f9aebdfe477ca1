"""``llmspan show``: calls as waterfalls in the terminal."""

from __future__ import annotations

import heapq
import sys
from typing import TYPE_CHECKING

from llmspan._llmspan import waterfall_legend
from llmspan.cli.errors import CommandError
from llmspan.cli.output import Style, read_config, say, say_what_was_read
from llmspan.cli.source import Source, counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from llmspan import Record


def run(options: argparse.Namespace) -> None:
    """Draw the calls that the options choose."""
    source = Source(options.inputs, skip_bad=options.skip_bad, config=read_config(options.config))
    style = Style.of(options)
    chosen: Iterable[Record] = (record for record in source if _fits(record, options))
    if options.slowest:
        chosen = _slowest(chosen, options.slowest)
    shown = 0
    for record in chosen:
        if not shown:
            sys.stdout.write(waterfall_legend(style.width, color=style.color, ascii=style.ascii) + "\n")
        sys.stdout.write(style.draw(record, record.call) + "\n")
        shown += 1
    sys.stdout.flush()
    say_what_was_read(source)
    total = sum(account.records for account in source.accounts)
    if total and not shown:
        raise CommandError(f"none of {counted(total, 'record')} fits")
    if shown < total:
        say(f"{counted(shown, 'call')} of {total:,} shown")


def _fits(record: Record, options: argparse.Namespace) -> bool:
    return (not options.call or record.call in options.call) and (not options.only or record.outcome in options.only)


def _slowest(records: Iterable[Record], count: int) -> Iterator[Record]:
    # The number of a record settles ties: the earlier one comes first, and records are not compared.
    keyed = ((record.duration_ns, -number, record) for number, record in enumerate(records))
    return (record for _, _, record in heapq.nlargest(count, keyed))
