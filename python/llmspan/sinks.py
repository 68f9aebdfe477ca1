"""Where finished records go."""

from __future__ import annotations

import io
import os
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspan._llmspan import Record
    from llmspan.recorder import Recorder


class Sink:
    """Takes finished records.

    A recorder calls all methods on one thread of its own, so that a sink may take its time; while it does, records
    wait in the recorder's queue, and past its capacity they are dropped and counted. What a sink raises is counted and
    goes no further.
    """

    def attach(self, recorder: Recorder) -> None:
        """Take note of the recorder, before its first record."""

    def record(self, record: Record) -> None:
        """Take one record."""
        raise NotImplementedError

    def flush(self) -> None:
        """Bring the records taken so far where they belong.

        Called by ``Recorder.flush``, at the exit of the interpreter, and when nothing has come for a second.
        """

    def close(self) -> None:
        """Let go of files and connections. Nothing follows but records of calls that end still later."""


class Callback(Sink):
    """Calls a function with each record."""

    def __init__(self, function: Callable[[Record], object]) -> None:
        """Take the function."""
        self._function = function

    def record(self, record: Record) -> None:
        """Call the function."""
        self._function(record)


class Memory(Sink):
    """Keeps the last records, for tests and notebooks. Flush the recorder before looking at them."""

    def __init__(self, capacity: int = 10_000) -> None:
        """Keep at most ``capacity`` records; the oldest go first."""
        self._records: deque[Record] = deque(maxlen=capacity)

    @property
    def records(self) -> list[Record]:
        """The records in the order in which their calls ended."""
        return list(self._records)

    def clear(self) -> None:
        """Forget the records."""
        self._records.clear()

    def record(self, record: Record) -> None:
        """Keep the record."""
        self._records.append(record)


class JsonLines(Sink):
    """Writes each record as one line of JSON to the end of a file, which is made if it is not there.

    Lines are written whole, so that several processes may share a file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file; raises what opening it raises."""
        self._path = os.fspath(path)
        self._file = self._open()

    def record(self, record: Record) -> None:
        """Write the line."""
        if self._file.closed:
            self._file = self._open()
        self._file.write(record.to_json().encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> io.FileIO:
        return io.FileIO(self._path, "a")
