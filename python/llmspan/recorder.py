"""The way of records from calls that ended to sinks."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from contextvars import Context
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, Protocol

from llmspan import _llmspan
from llmspan.sinks._base import Callback, Default, Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from llmspan._ambient import Origin
    from llmspan._llmspan import Record


class RecorderStats(NamedTuple):
    """What a recorder did."""

    open_calls: int
    """Calls that are open."""
    records: int
    """Records of calls that ended."""
    dropped: int
    """Records that no sink got, because the queue was full."""
    sink_errors: int
    """Exceptions of sinks."""
    invalid_events: int
    """Events left out because their fields could not be read; the first one is a ``RuntimeWarning``."""


class Settler(Protocol):
    """Keeps calls open that may have ended."""

    def flush(self, recorder: Recorder) -> None:
        """End what has ended as far as the flow of control that flushes can tell."""

    def close(self, recorder: Recorder) -> None:
        """End what is kept open."""


class Recorder:
    """What calls share: configuration, clocks and sinks.

    Records are handed to the sinks on a thread of the recorder, which starts with the first record. At the exit of the
    interpreter, calls that are open end as ``abandoned``, and what is queued is handed over.
    """

    def __init__(
        self,
        sinks: Iterable[Sink | Callable[[Record], object]] | None = None,
        *,
        profiles: Iterable[str] = ("otel-1.41",),
        config: Mapping[str, object] | str | None = None,
        queue_size: int = 10_000,
        clock: Callable[[], int] = time.perf_counter_ns,
        wall_clock: Callable[[], int] | None = time.time_ns,
    ) -> None:
        """Make a recorder.

        :param sinks: sinks, or functions that are called with each record. When they are not said, records go to the
            tracer and the meter of OpenTelemetry, once the application has set a tracer provider.
        :param profiles: names of the dialects that sinks write, unless a sink has its own.
        :param config: configuration of the engine, as a mapping or as JSON.
        :param queue_size: records that wait for the sinks; past it they are dropped and counted.
        :param clock: the monotonic clock, in nanoseconds; ``at_ns`` of events are times of it.
        :param wall_clock: the wall clock, in nanoseconds since 1970, read once per call; ``None`` for records without
            absolute times.
        :raises llmspan.errors.InvalidConfigError: for a configuration that is out of range.
        :raises llmspan.errors.UnknownProfileError: for a profile that does not exist.
        """
        self.profiles = tuple(profiles)
        _llmspan.Record.from_json('{"call": "1"}').attributes(*self.profiles)
        self.clock = clock
        self._settlers: weakref.WeakSet[Settler] = weakref.WeakSet()
        given = (Default(),) if sinks is None else sinks
        self.sinks = tuple(sink if isinstance(sink, Sink) else Callback(sink) for sink in given)
        self._dispatcher = _Dispatcher(self.sinks, queue_size)
        self.engine = _llmspan.Recorder(self._dispatcher.push, clock, wall_clock, _to_json(config))
        if self.engine.has_deadlines:
            self._dispatcher.tick_with(self.engine.tick)
        for sink in self.sinks:
            sink.attach(self)
        _recorders.add(self)
        _exit_first()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until the sinks have the records so far, at most ``timeout`` seconds; says whether they do."""
        for settler in list(self._settlers):
            settler.flush(self)
        return self._dispatcher.flush(timeout)

    def settle_with(self, settler: Settler) -> None:
        """Let somebody who keeps calls open know before a flush and before the end."""
        self._settlers.add(settler)

    def close(self, timeout: float = 5.0) -> None:
        """End open calls as ``abandoned``, flush, and close the sinks."""
        for settler in list(self._settlers):
            settler.close(self)
        self.engine.abandon_open_calls()
        self._dispatcher.close(timeout)
        _recorders.discard(self)

    def tick(self) -> None:
        """End the calls whose deadline, idle timeout or age has passed.

        The thread of the recorder does this about every second, if the configuration has one of them.
        """
        self.engine.tick()

    @property
    def stats(self) -> RecorderStats:
        """Counts of this recorder."""
        engine, dispatcher = self.engine, self._dispatcher
        return RecorderStats(
            open_calls=engine.open_calls,
            records=engine.records,
            dropped=dispatcher.dropped,
            sink_errors=dispatcher.sink_errors,
            invalid_events=engine.invalid_events,
        )

    def _after_fork(self) -> None:
        """In the child of a fork: what was open or queued is the parent's."""
        self.engine.forget_open_calls()
        self._dispatcher.after_fork()


def configure(
    sinks: Iterable[Sink | Callable[[Record], object]] | None = None,
    *,
    profiles: Iterable[str] = ("otel-1.41",),
    config: Mapping[str, object] | str | None = None,
    queue_size: int = 10_000,
) -> Recorder:
    """Make the recorder that calls use unless they are given another one, and give it back.

    The one before it is closed: its calls that are open end as ``abandoned``. See :class:`Recorder` for the arguments.
    """
    recorder = Recorder(sinks, profiles=profiles, config=config, queue_size=queue_size)
    before, _default[:] = _default[:], [recorder]
    for old in before:
        old.close()
    return recorder


def default_recorder() -> Recorder:
    """Give the recorder that was configured, or else one with the default sink."""
    try:
        return _default[0]
    except IndexError:
        return configure()


def is_configured() -> bool:
    """Say whether there is a recorder that calls use."""
    return bool(_default)


def flush(timeout: float = 5.0) -> bool:
    """Flush the default recorder: see :meth:`Recorder.flush`."""
    return default_recorder().flush(timeout)


class _Dispatcher:
    """A bounded queue of records, and the thread that hands them to the sinks."""

    def __init__(self, sinks: tuple[Sink, ...], capacity: int) -> None:
        self._sinks = sinks
        self._capacity = capacity
        self._closed = False
        self._tick: Callable[[], None] | None = None
        self._default = next((sink for sink in sinks if isinstance(sink, Default)), None)
        self._watchers = tuple(sink for sink in sinks if type(sink).ended is not Sink.ended)
        self.dropped = 0
        self.sink_errors = 0
        self.reset()

    def reset(self) -> None:
        """Begin without anything queued, and without a thread."""
        # `SimpleQueue.put` may be interrupted by a destructor that ends a call, and puts too.
        self._queue: SimpleQueue[tuple[Record, object] | _Request] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._asked = threading.Event()
        self._stuck = False
        if self._tick:
            self._start()

    def tick_with(self, tick: Callable[[], None]) -> None:
        """Have the thread look at deadlines, about every second."""
        self._tick = tick
        self._start()

    def after_fork(self) -> None:
        """Begin anew, and let the sinks do so."""
        for sink in self._sinks:
            self._guard(sink.after_fork)
        self.reset()

    def push(self, record: Record, origin: Origin | None, abandoned: bool) -> None:  # noqa: FBT001 - of the extension
        """Queue a record. Called on the thread that ended the call, also by destructors: it never waits."""
        context = None if origin is None else origin.take()
        if not self._sinks:
            return
        default = self._default
        if default is not None and not default.is_ready:
            self._guard(default.prepare)
            if not default.is_ready:
                return
        if not abandoned:
            for sink in self._watchers:
                self._guard(sink.ended, record, context)
        if self._closed and not self._stuck:
            # The interpreter exits, or another recorder took over: no thread is left.
            self._record(record, context)
        elif self._stuck or self._queue.qsize() >= self._capacity:
            self.dropped += 1
        else:
            self._queue.put((record, context))
            self._start()

    def flush(self, timeout: float) -> bool:
        if self._closed or (self._thread is None and self._queue.empty()):
            return True
        return self._ask(_Request(stop=False), timeout)

    def close(self, timeout: float) -> None:
        if self._closed:
            return
        deadline = time.monotonic() + timeout
        is_own_thread = threading.current_thread() is self._thread
        if self._thread is not None and not is_own_thread:
            self._stuck = not self._ask(_Request(stop=True), timeout)
        self._closed = True
        self._tick = None
        self._drain(deadline)
        if self._stuck or is_own_thread:
            # It stops when the sink that holds it lets go of it.
            self._queue.put(_Request(stop=True))
        if self._stuck:
            # The sink would hold this thread too.
            return
        for sink in self._sinks:
            self._guard(sink.close)

    def _ask(self, request: _Request, timeout: float) -> bool:
        if threading.current_thread() is self._thread:
            return False
        self._queue.put(request)
        self._asked.set()
        self._start()
        return request.done.wait(timeout)

    def _start(self) -> None:
        # Nobody waits for the lock: whoever has it is starting the thread.
        if self._thread is not None or not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                _exit_first()
                # With a context of its own: whatever is current where the thread starts has nothing to do with records.
                run = Context().run
                self._thread = threading.Thread(target=run, args=(self._run,), name="llmspan", daemon=True)
                self._thread.start()
        except RuntimeError:
            # No thread can be started any more: the interpreter exits.
            self._thread = None
            self._drain()
        finally:
            self._starting.release()

    def _run(self) -> None:
        queue = self._queue
        unflushed = False
        while True:
            try:
                item = queue.get(timeout=_PAUSE if unflushed or self._tick else None)
            except Empty:
                if self._tick:
                    self._tick()
                if unflushed:
                    unflushed = False
                    self._flush()
                continue
            if isinstance(item, _Request):
                self._asked.clear()
                self._flush()
                unflushed = False
                item.done.set()
                if item.stop:
                    return
            else:
                unflushed = True
                self._record(*item)
                if queue.empty():
                    # To be woken for each record would cost the application more than the record does.
                    self._asked.wait(_LULL)

    def _drain(self, deadline: float | None = None) -> None:
        unflushed = False
        while True:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if isinstance(item, _Request):
                item.done.set()
            elif deadline is not None and time.monotonic() > deadline:
                self.dropped += 1
            else:
                unflushed = True
                self._record(*item)
        if unflushed:
            self._flush()

    def _record(self, record: Record, context: object) -> None:
        api = sys.modules.get("opentelemetry.context") if context is not None or self._closed else None
        if api is None:
            self._hand_over(record)
            return
        token = api.attach(context if context is not None else api.Context())
        try:
            self._hand_over(record)
        finally:
            api.detach(token)

    def _hand_over(self, record: Record) -> None:
        for sink in self._sinks:
            self._guard(sink.record, record)

    def _flush(self) -> None:
        for sink in self._sinks:
            self._guard(sink.flush)

    def _guard(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            function(*arguments)
        except BaseException:  # also an exit would stop the thread
            self.sink_errors += 1
            if self.sink_errors == 1:
                import logging  # noqa: PLC0415 - not for programs whose sinks work

                logging.getLogger("llmspan").warning("a sink failed; later failures are counted", exc_info=True)


class _Request:
    """Asks the thread of a dispatcher to flush, or to stop after that."""

    def __init__(self, *, stop: bool) -> None:
        self.stop = stop
        self.done = threading.Event()


def replay(log: str, *, config: Mapping[str, object] | str | None = None) -> list[Record]:
    """Replay an event log to the records of its calls; calls that it leaves open end as ``abandoned``.

    :param log: events as lines of JSON.
    :param config: configuration of the engine, as a mapping or as JSON: prices, objectives, limits.
    :raises llmspan.errors.InvalidEventError: for a line that is no event.
    :raises llmspan.errors.InvalidConfigError: for a configuration that is out of range.
    """
    return _llmspan.replay(log, config=_to_json(config))


def _to_json(config: Mapping[str, object] | str | None) -> str | None:
    if config is None or isinstance(config, str):
        return config
    import json  # noqa: PLC0415 - only where there is something to write

    return json.dumps(dict(config))


def _exit_first() -> None:
    """At the exit of the interpreter, hand records over before those who came earlier close, such as an SDK."""
    atexit.unregister(_close_all)
    atexit.register(_close_all)


def _close_all() -> None:
    for recorder in list(_recorders):
        recorder.close()


def _after_fork() -> None:
    for recorder in list(_recorders):
        recorder._after_fork()


_PAUSE = 1.0
"""Seconds without a record after which sinks are flushed, and between two looks at deadlines."""

_LULL = 0.05
"""Seconds for which records gather, unless somebody asks for them."""

_default: list[Recorder] = []
_recorders: set[Recorder] = set()
"""Recorders that are not closed: calls may end in them until the interpreter exits."""

atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
