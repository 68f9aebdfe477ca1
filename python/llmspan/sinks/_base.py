"""What a sink is, and sinks that keep records in the process."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspan._llmspan import Record
    from llmspan.recorder import Recorder


class Sink:
    """Takes finished records.

    A recorder calls all methods but :meth:`ended` on one thread of its own, so that a sink may take its time; while it
    does, records wait in the recorder's queue, and past its capacity they are dropped and counted. What a sink raises
    is counted and goes no further.

    Where the application uses OpenTelemetry, the context in which a call began is the current one while its record is
    taken.
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

    def ended(self, record: Record, context: object) -> None:
        """Look at a record at once, on the thread that ended the call, before it waits for :meth:`record`.

        The application waits for this. It is not called for calls that are dropped without an end, which destructors do
        at any moment.

        :param context: the OpenTelemetry context in which the call began; ``None`` where there was none.
        """

    def after_fork(self) -> None:
        """Begin anew in the child of a fork, before its records: what was taken before is the parent's."""


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

    def after_fork(self) -> None:
        """Forget the parent's records."""
        self.clear()


class Default(Sink):
    """The OpenTelemetry SDK of the application, once it has set one up; nothing before that."""

    def __init__(self) -> None:
        """Wait for the SDK."""
        self._sink: Sink | None = None
        self._recorder: Recorder | None = None

    @property
    def is_ready(self) -> bool:
        """Whether there is an SDK that takes records."""
        return self._sink is not None

    def attach(self, recorder: Recorder) -> None:
        """Take note of the recorder."""
        self._recorder = recorder

    def prepare(self) -> None:
        """Look for a tracer provider that does something. Imports nothing of OpenTelemetry by itself."""
        trace, recorder = sys.modules.get("opentelemetry.trace"), self._recorder
        if trace is None or recorder is None:
            return
        try:
            if isinstance(trace.get_tracer_provider(), (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
                return
        except AttributeError:
            # It is being imported.
            return
        try:
            from llmspan.sinks._opentelemetry import OpenTelemetry  # noqa: PLC0415 - only beside OpenTelemetry

            sink = OpenTelemetry()
            sink.attach(recorder)
        except BaseException:
            # Once is enough.
            self._recorder = None
            raise
        # Threads may come here at once, for their first calls.
        if self._sink is None:
            self._sink = sink

    def record(self, record: Record) -> None:
        """Hand the record on."""
        if self._sink is not None:
            self._sink.record(record)

    def ended(self, record: Record, context: object) -> None:
        """Hand the record on."""
        if self._sink is not None:
            self._sink.ended(record, context)
