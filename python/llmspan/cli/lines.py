"""The lines of an input, from a file or from standard input, plain or compressed."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from llmspan.cli.errors import CommandError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

STDIN = "-"
"""The name that stands for standard input."""

MOST_BYTES = 64 << 20
"""Bytes of a line, or of a document that spans lines. A record has a few thousand."""

_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


class Lines:
    """The lines of one input, with their numbers, in the memory of one line."""

    def __init__(self, path: str) -> None:
        """Open the input: a path, or ``-`` for standard input."""
        self.name = "<stdin>" if path == STDIN else path
        self.number = 0
        """Number of the line that came last, from 1."""
        try:
            self._raw = _open(path)
            self._size = _size(self._raw)
            head = self._raw.peek(len(_UTF8_MARK))
        except OSError as error:
            raise CommandError(f"{self.name}: {error.strerror or error}") from error
        if head.startswith(_UTF16):
            raise CommandError(f"{self.name}: this is UTF-16; save it as UTF-8")
        self._data: BinaryIO = (
            cast("BinaryIO", gzip.GzipFile(fileobj=self._raw)) if head.startswith(_GZIP) else self._raw
        )

    def __iter__(self) -> Iterator[bytes]:
        """Give line after line without its end; blank lines too, so that numbers are those of an editor."""
        while line := self._read():
            if self.number == 1:
                line = line.removeprefix(_UTF8_MARK)
            yield line.rstrip(b"\r\n")

    def rest(self) -> bytes:
        """Read all that is left."""
        rest = bytearray()
        while line := self._read():
            rest += line
            if len(rest) > MOST_BYTES:
                raise CommandError(
                    f"{self.name}: a document of more than {MOST_BYTES >> 20} MiB; write a record a line"
                )
        return bytes(rest)

    def part(self) -> float | None:
        """How much of the input has been read, from 0 to 1; ``None`` where its size is unknown."""
        if not self._size:
            return None
        try:
            return min(self._raw.tell() / self._size, 1.0)
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._data is not self._raw:
            self._data.close()
        if self.name != "<stdin>":
            self._raw.close()

    def _read(self) -> bytes:
        try:
            line = self._data.readline(MOST_BYTES + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CommandError(f"{self.name}: broken gzip data after line {self.number}: {error}") from error
        except OSError as error:
            raise CommandError(f"{self.name}: {error.strerror or error}") from error
        if line:
            self.number += 1
        if len(line) > MOST_BYTES:
            raise CommandError(f"{self.name}:{self.number}: a line of more than {MOST_BYTES >> 20} MiB")
        return line


def _open(path: str) -> io.BufferedReader:
    if path == STDIN:
        return cast("io.BufferedReader", sys.stdin.buffer)
    return open(path, "rb")


def _size(file: io.BufferedReader) -> int:
    try:
        return os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return 0
