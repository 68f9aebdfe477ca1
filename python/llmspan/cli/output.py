"""Where output goes, and how text for a terminal looks."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from llmspan.cli.errors import CommandError
from llmspan.cli.lines import STDIN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from llmspan import Record
    from llmspan.cli.source import Source

STDOUT = "-"
"""The name that stands for standard output."""

DEFAULT_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Style:
    """How waterfalls are drawn."""

    width: int
    color: bool
    ascii: bool

    @classmethod
    def of(cls, options: argparse.Namespace) -> Style:
        """Read the options, the environment and the terminal."""
        width = options.width or shutil.get_terminal_size((DEFAULT_COLUMNS, 24)).columns
        color = sys.stdout.isatty() and not options.no_color and not os.environ.get("NO_COLOR")
        return cls(width, color, options.ascii or not _can_draw())

    def draw(self, record: Record, title: str) -> str:
        """Draw the waterfall of a record."""
        return record.waterfall(self.width, color=self.color, ascii=self.ascii, title=title)


def say(text: str) -> None:
    """Tell people something, beside the output."""
    sys.stderr.write(f"llmspan: {text}\n")


def say_what_was_read(source: Source) -> None:
    """Tell what the inputs were, and which lines were skipped."""
    for complaint in source.complaints:
        say(complaint)
    for account in source.accounts:
        say(str(account))


def read_config(path: str | None) -> str | None:
    """Read the configuration for replays."""
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def output(path: str, inputs: list[str]) -> Iterator[BinaryIO]:
    """Open an output; a file appears whole when the block ends, and not at all when the block raises."""
    if path == STDOUT:
        yield sys.stdout.buffer
        return
    target = Path(path)
    if any(name != STDIN and _is_same(target, Path(name)) for name in inputs):
        raise CommandError(f"{path} is an input")
    try:
        if target.exists() and not target.is_file():
            # A pipe or a device cannot be replaced.
            with target.open("wb") as file:
                yield file
            return
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            _give_usual_rights(part)
            Path(part).replace(target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from error


def _give_usual_rights(path: str) -> None:
    # Temporary files are for their owner alone.
    mask = os.umask(0)
    os.umask(mask)
    Path(path).chmod(0o666 & ~mask)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _can_draw() -> bool:
    try:
        "█▒░╌✗".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
