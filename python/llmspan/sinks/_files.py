"""Sinks that write files."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from llmspan import _llmspan
from llmspan.sinks._base import Sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmspan._llmspan import Record
    from llmspan.recorder import Recorder
    from llmspan.types import AttributeValue, SpanShape


class JsonLines(Sink):
    """Writes each record as one line of JSON to the end of a file, which is made if it is not there.

    Lines are written whole, so that several processes may share a file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file; raises what opening it raises."""
        self._path = os.fspath(path)
        self._file = io.FileIO(self._path, "a")

    def record(self, record: Record) -> None:
        """Write the line."""
        self._write(record.to_json().encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: bytes) -> None:
        if self._file.closed:
            self._file = io.FileIO(self._path, "a")
        _write_all(self._file, line + b"\n")


class OtlpJsonLines(JsonLines):
    """Writes the spans of each call as one line of OTLP to the end of a file: an ``ExportTraceServiceRequest`` as JSON.

    This is what the ``otlpjsonfile`` receiver of OpenTelemetry collectors reads. Calls that know no trace get a random
    one. Calls of a recorder without a wall clock have no spans, and are left out. Several processes may share a file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        profiles: Iterable[str] | None = None,
        shape: SpanShape = "call",
        resource: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        """Open the file; raises what opening it raises.

        :param profiles: names of the dialects that are written; those of the recorder when they are not said.
        :param shape: whether backends shall count calls or attempts.
        :param resource: attributes of what writes, such as ``service.name``. When they are not said, ``service.name``
            is that of the environment variable ``OTEL_SERVICE_NAME``, else ``unknown_service``.
        :raises ValueError: for a shape that does not exist.
        """
        self._profiles = None if profiles is None else list(profiles)
        self._shape = shape
        name = os.environ.get("OTEL_SERVICE_NAME") or "unknown_service"
        self._resource = {"service.name": name} if resource is None else dict(resource)
        _llmspan.otlp_traces([], profiles=self._profiles, shape=shape, resource=self._resource)
        super().__init__(path)

    def attach(self, recorder: Recorder) -> None:
        """Take over the profiles of the recorder, if no others were given."""
        if self._profiles is None:
            self._profiles = list(recorder.profiles)

    def record(self, record: Record) -> None:
        """Write the line."""
        if record.start_unix_ns is not None:
            line = _llmspan.otlp_traces(
                [record], format="json", profiles=self._profiles, shape=self._shape, resource=self._resource
            )
            self._write(line)


class ChromeTrace(Sink):
    """Writes a trace for Perfetto and ``chrome://tracing``, in which every call is as long as it took.

    The file is written anew, and can be opened at any time, also after the process was killed. The child of a fork
    writes one of its own, with its process id before the extension: ``trace.json`` and ``trace.4711.json``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file; raises what opening it raises."""
        self._path = os.fspath(path)
        self._begin(self._path)

    def record(self, record: Record) -> None:
        """Draw the call."""
        text = self._log.append(record)
        if text:
            _write_all(self._file, text.encode())

    def close(self) -> None:
        """Complete and close the file."""
        text = self._log.close()
        if not self._file.closed:
            try:
                _write_all(self._file, text.encode())
            finally:
                self._file.close()

    def after_fork(self) -> None:
        """Go on in a file of this process."""
        self._file.close()
        stem, extension = os.path.splitext(self._path)
        self._begin(f"{stem}.{os.getpid()}{extension}")

    def _begin(self, path: str) -> None:
        self._log = _llmspan.ChromeTraceLog()
        self._file = io.FileIO(path, "w")


def _write_all(file: io.FileIO, data: bytes) -> None:
    """Write with one call of the system, or with more where a file system takes only a part."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]
