"""How far a long input has been read, for people who wait."""

from __future__ import annotations

import sys
import time

_EVERY_SECONDS = 0.2
_COUNT_MASK = 0xFF
"""The clock is read every 256 records."""


class Progress:
    """A line on standard error that is written over; nothing where that is no terminal."""

    def __init__(self) -> None:
        """Find out whether anybody looks."""
        self._shows = sys.stderr is not None and sys.stderr.isatty()
        self._next = time.monotonic() + _EVERY_SECONDS
        self._width = 0

    def update(self, name: str, count: int, part: float | None) -> None:
        """Say how many records have come, and how much of the input that is."""
        if not self._shows or count & _COUNT_MASK:
            return
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY_SECONDS
        percent = "" if part is None else f"  {part:.0%}"
        self._write(f"{name}: {count:,} records{percent}")

    def clear(self) -> None:
        """Wipe the line, before something else is written."""
        if self._width:
            self._write("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{text:<{self._width}}")
        sys.stderr.flush()
        self._width = len(text)
