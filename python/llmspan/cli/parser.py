"""The options of the commands."""

from __future__ import annotations

import argparse
from typing import get_args

import llmspan
from llmspan.types import Outcome

_INPUTS = """\
An input is a file of records (a JSON record a line, as llmspan.sinks.JsonLines writes), an event log (a JSON event a
line, which is replayed), or one record as JSON. It may be compressed with gzip; - is standard input.
"""

_EXIT = """\
exit codes: 0 done; 1 an input could not be read, an output not be written, or nothing fits; 2 wrong command line;
130 interrupted
"""

OUTCOMES: tuple[str, ...] = get_args(Outcome)


def parser() -> argparse.ArgumentParser:
    """Make the parser. What it gives has ``run``, the function of the command."""
    top = argparse.ArgumentParser(
        prog="llmspan",
        description="Shows records of LLM calls: where the time went, what was retried, what it cost.",
        epilog=_EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"llmspan {llmspan.__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _demo(_command(commands, "demo", "replay recorded calls that come with the package", has_inputs=False))
    _show(_command(commands, "show", "draw calls as waterfalls in the terminal"))
    _report(_command(commands, "report", "write one HTML page about all calls"))
    _convert(_command(commands, "convert", "write records for Perfetto, OpenTelemetry or Prometheus"))
    return top


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str, *, has_inputs: bool = True
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"{_INPUTS}\n{_EXIT}" if has_inputs else _EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if has_inputs:
        command.add_argument("inputs", nargs="+", metavar="INPUT", help="file, or - for standard input")
        command.add_argument(
            "--skip-bad", action="store_true", help="go on after lines that cannot be read; count them"
        )
        command.add_argument("--config", metavar="FILE", help="configuration that event logs are replayed with (JSON)")
    return command


def _demo(command: argparse.ArgumentParser) -> None:
    command.add_argument("--only", metavar="NAME", help="only the capture of this name, such as rate-limited")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--html", action="store_true", help="one HTML page, on standard output")
    form.add_argument("--json", action="store_true", help="the records, one a line")
    _drawing(command)
    command.set_defaults(run=_run_demo)


def _show(command: argparse.ArgumentParser) -> None:
    command.add_argument("--call", metavar="ID", action="append", help="only the call of this id (repeatable)")
    command.add_argument(
        "--only", metavar="OUTCOMES", type=_outcomes, help=f"only these outcomes: {','.join(OUTCOMES)}"
    )
    command.add_argument("--slowest", metavar="N", type=_positive, help="the N calls that took longest, slowest first")
    _drawing(command)
    command.set_defaults(run=_run_show)


def _report(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="where the page goes; - is standard output"
    )
    command.add_argument("--title", default="LLM calls", help="title of the page (default: %(default)s)")
    help_text = "waterfalls of the N slowest calls that did not fail, and of N that did (default: %(default)s)"
    command.add_argument("--details", metavar="N", type=_count, default=20, help=help_text)
    command.set_defaults(run=_run_report)


def _convert(command: argparse.ArgumentParser) -> None:
    kinds = ("chrome", "otlp", "openmetrics")
    command.add_argument(
        "--to", choices=kinds, required=True, help="chrome: JSON for ui.perfetto.dev and chrome://tracing"
    )
    command.add_argument("-o", "--output", metavar="FILE", default="-", help="where it goes (default: standard output)")
    names = "otlp, openmetrics: names of attributes or metrics; otlp takes several (default: otel-1.41)"
    command.add_argument("--profile", metavar="NAME", action="append", help=names)
    shape = "otlp: whether the call's span or those of attempts count as LLM calls"
    command.add_argument("--shape", choices=("call", "attempt"), default="call", help=f"{shape} (default: %(default)s)")
    form = "otlp: a JSON request a line, or one protobuf message (default: %(default)s)"
    command.add_argument("--format", choices=("json", "protobuf"), default="json", help=form)
    command.add_argument("--service", metavar="NAME", help="otlp: service.name of the resource")
    command.set_defaults(run=_run_convert)


def _drawing(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--width", metavar="N", type=_positive, help="columns, 40 to 400 (default: those of the terminal)"
    )
    command.add_argument("--ascii", action="store_true", help="draw with ASCII characters")
    command.add_argument("--no-color", action="store_true", help="no colours (also: the environment variable NO_COLOR)")


def _positive(text: str) -> int:
    return _number(text, 1)


def _count(text: str) -> int:
    return _number(text, 0)


def _number(text: str, least: int) -> int:
    if text.isascii() and text.isdigit() and int(text) >= least:
        return int(text)
    raise argparse.ArgumentTypeError(f"`{text}` is not a number from {least} on")


def _outcomes(text: str) -> frozenset[str]:
    wanted = frozenset(word.strip() for word in text.split(","))
    if unknown := sorted(wanted.difference(OUTCOMES)):
        raise argparse.ArgumentTypeError(f"there is no outcome `{unknown[0]}`, only {', '.join(OUTCOMES)}")
    return wanted


def _run_demo(options: argparse.Namespace) -> None:
    from llmspan.cli import demo  # noqa: PLC0415 - a command imports what it needs alone

    demo.run(options)


def _run_show(options: argparse.Namespace) -> None:
    from llmspan.cli import show  # noqa: PLC0415

    show.run(options)


def _run_report(options: argparse.Namespace) -> None:
    from llmspan.cli import report  # noqa: PLC0415

    report.run(options)


def _run_convert(options: argparse.Namespace) -> None:
    from llmspan.cli import convert  # noqa: PLC0415

    convert.run(options)
