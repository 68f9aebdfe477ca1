"""``llmspan convert``: records in the formats of other tools."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from llmspan import METRIC_PROFILES, PROFILES, ChromeTraceLog, Metrics, otlp_traces
from llmspan.cli.errors import CommandError
from llmspan.cli.output import output, read_config, say, say_what_was_read
from llmspan.cli.source import Source, counted

if TYPE_CHECKING:
    import argparse

_BATCH = 256
"""Records of one line of OTLP."""


def run(options: argparse.Namespace) -> None:
    """Write the records in the format that the options name."""
    _check_profiles(options)
    source = Source(options.inputs, skip_bad=options.skip_bad, config=read_config(options.config))
    write = {"chrome": _chrome, "otlp": _otlp, "openmetrics": _openmetrics}[options.to]
    with output(options.output, options.inputs) as file:
        write(source, options, file)
    say_what_was_read(source)


def _check_profiles(options: argparse.Namespace) -> None:
    chosen = options.profile or []
    known = METRIC_PROFILES if options.to == "openmetrics" else PROFILES
    if chosen and options.to == "chrome":
        raise CommandError("--profile is for otlp and openmetrics; chrome has the names of the record")
    if len(chosen) > 1 and options.to == "openmetrics":
        raise CommandError("openmetrics takes one --profile")
    for name in chosen:
        if name not in known:
            raise CommandError(f"{options.to} has no profile `{name}`, only {', '.join(known)}")


def _chrome(source: Source, _options: argparse.Namespace, file: BinaryIO) -> None:
    log = ChromeTraceLog()
    for record in source:
        file.write(log.append(record).encode())
    file.write(log.close().encode())


def _otlp(source: Source, options: argparse.Namespace, file: BinaryIO) -> None:
    resource = {"service.name": options.service} if options.service else {}
    records = iter(source)
    unanchored = 0
    while batch := list(islice(records, _BATCH)):
        unanchored += sum(record.start_unix_ns is None for record in batch)
        file.write(
            otlp_traces(batch, format=options.format, profiles=options.profile, shape=options.shape, resource=resource)
        )
        # Protobuf messages behind one another are one message with all their spans.
        if options.format == "json":
            file.write(b"\n")
    if unanchored:
        say(f"{counted(unanchored, 'record')} left out: without a wall-clock time they are no spans")


def _openmetrics(source: Source, options: argparse.Namespace, file: BinaryIO) -> None:
    metrics = Metrics(*(options.profile or []))
    for record in source:
        metrics.observe(record)
    _, text = metrics.scrape("application/openmetrics-text")
    file.write(text.encode())
