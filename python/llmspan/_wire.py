"""What hooks around HTTP clients share: requests that go to models become attempts of calls.

A hook asks :meth:`Wire.begin` before a request leaves, and tells the :class:`Tap` that it gets what happens. Nothing here raises:
what goes wrong is counted, and the application goes on.
"""

from __future__ import annotations

import os
import threading
import weakref
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from llmspan import _llmspan
from llmspan._context import current_call, current_task, flow
from llmspan._decompress import decompressor
from llmspan.call import Call
from llmspan.failure import describe, is_abort
from llmspan.recorder import default_recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspan.failure import Failure
    from llmspan.recorder import Recorder
    from llmspan.types import HeaderPairs

    Function = TypeVar("Function", bound=Callable[..., Any])


def guarded(function: Function) -> Function:
    """Let no exception of telemetry reach the application: it is counted, and the first one is logged."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except Exception:
            count_failure()
            return None

    return call  # type: ignore[return-value]


def hook_errors() -> int:
    """Give the number of exceptions that hooks kept from the application. It should be 0; please report what was logged."""
    return _errors[0]


def count_failure() -> None:
    """Count the exception that is being handled; the first one is logged."""
    _errors[0] += 1
    if _errors[0] == 1:
        import logging  # noqa: PLC0415 - not for programs in which nothing fails

        logging.getLogger("llmspan").warning("a hook failed; later failures are counted", exc_info=True)


_errors = [0]


def is_sent() -> bool:
    """Say whether what is sent here is a request that another hook sees."""
    return bool(SENDING) and id(current_task()) in SENDING


SENDING: set[int] = set()
"""Tasks in which a request is on its way that a hook sees: the library that it is sent with may have a hook, too."""


class Wire:
    """The calls of one recorder that are seen at the wire."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        """Watch for a recorder; for the one of :func:`llmspan.configure` when none is given."""
        self._recorder = recorder
        self._settles: Recorder | None = None
        self._reset()
        _wires.add(self)

    def _reset(self) -> None:
        self._correlator = _llmspan.Correlator()
        self._waiting: dict[int, _Waiting] = {}
        self._last = 0
        # A destructor may come back here, in the middle of what the lock is for.
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None

    @guarded
    def begin(self, method: str, url: str, headers: HeaderPairs, body: bytes | None) -> Tap | None:
        """Begin an attempt, if the request asks something of a model."""
        if _llmspan.request_body_limit(method, url) is None:
            return None
        request = _llmspan.read_request(url, headers, body)
        if request is None:
            return None
        recorder = self._recorder or default_recorder()
        if recorder is not self._settles:
            recorder.settle_with(self)
            self._settles = recorder
        here, now = flow(), recorder.clock()
        resumed = None
        if self._waiting:
            resumed = self._correlator.request(request, here, now)
            self.settle(now)
        call, owned = current_call(), False
        if resumed is not None:
            number, failed_at, retry = resumed
            waiting = self._take_waiting(number)
            if waiting is not None and waiting.call.is_open:
                if call is None or call is waiting.call:
                    call, owned = waiting.call, waiting.owned
                    if waiting.given_up is not None:
                        waiting.given_up.repeated(failed_at)
                    call.retry(**retry, at_ns=failed_at)
                else:
                    waiting.over(failed_at)
        if call is None:
            call, owned = Call(sent=request, recorder=recorder, at_ns=now), True
        call.is_seen = True
        with self._lock:
            self._last = number = self._last + 1
        return Tap(self, recorder, call, request, url, number=number, here=here, owned=owned, now=now)

    def failed(self, tap: Tap, status_code: int | None, error: BaseException | None) -> bool:
        """Take note that a request failed before its response could be read; says whether it may be repeated."""
        said = describe(error) if error is not None else {}
        with self._lock:
            # Before the correlator may give it up.
            given_up = tap if tap.given_up else None
            task = _reference(current_task())
            self._waiting[tap.number] = _Waiting(tap.call, tap.owned, tap.here, task, given_up)
        may_retry = self._correlator.failed(
            tap.number,
            tap.request,
            tap.here,
            tap.recorder.clock(),
            status_code=status_code if status_code is not None else said.get("status_code"),
            error_type=said.get("error_type"),
            abort_like=said.get("abort_like", False),
            retry_after_ns=tap.retry_after_ns,
        )
        if may_retry:
            self._schedule(tap.recorder)
        else:
            self._take_waiting(tap.number)
        return may_retry

    @guarded
    def settle(self, now: int) -> None:
        """End the calls whose retries stopped coming, at their last failure."""
        for number, failed_at in self._correlator.over(now):
            waiting = self._take_waiting(number)
            if waiting is not None:
                waiting.over(failed_at)

    @guarded
    def flush(self, recorder: Recorder) -> None:
        """End what this flow of control, and tasks that are done, have given up: they are not waiting for a retry."""
        self._correlator.moved_on(flow())
        with self._lock:
            waiting = list(self._waiting.values())
        for one in waiting:
            if _is_gone(one.task):
                self._correlator.moved_on(one.here)
        self.settle(recorder.clock())

    @guarded
    def close(self, recorder: Recorder) -> None:
        """End all that waits."""
        self._correlator.shutdown()
        self.settle(recorder.clock())

    def _take_waiting(self, number: int) -> _Waiting | None:
        with self._lock:
            return self._waiting.pop(number, None)

    @guarded
    def _schedule(self, recorder: Recorder) -> None:
        timeout = self._correlator.timeout_ns
        with self._lock:
            if timeout is None or self._timer is not None:
                return
            delay = max(timeout - recorder.clock(), 0) / 1e9
            self._timer = threading.Timer(delay + 0.01, self._on_timer, (recorder,))
            self._timer.daemon = True
            self._timer.name = "llmspan-retries"
            self._timer.start()

    def _on_timer(self, recorder: Recorder) -> None:
        with self._lock:
            self._timer = None
        self.settle(recorder.clock())
        self._schedule(recorder)


class _Waiting(NamedTuple):
    """A call after a failure, which its client may repeat."""

    call: Call
    owned: bool
    """Whether the wire began it, and ends it; otherwise the application does."""
    here: int
    """The flow of control of the request."""
    task: weakref.ref[Any] | None
    """The task in which it failed; ``None`` outside of tasks."""
    given_up: Tap | None
    """The attempt that the client gave up before it was answered: what that was is said once it is known whether it is repeated."""

    def over(self, at_ns: int) -> None:
        """End the call, which is not repeated any more."""
        if self.given_up is not None:
            self.given_up.timed_out(at_ns)
        elif self.owned:
            self.call.end(at_ns=at_ns)


def _reference(task: object | None) -> weakref.ref[Any] | None:
    return None if task is None else weakref.ref(task)


def _is_gone(reference: weakref.ref[Any] | None) -> bool:
    if reference is None:
        return False
    task = reference()
    is_done = getattr(task, "done", None)
    return task is None or (is_done is not None and bool(is_done()))


class Tap:
    """One attempt, as its hook sees it. Every method may be called at any time; after the end they do nothing."""

    __slots__ = (
        "__weakref__",
        "_attempt",
        "_bytes",
        "_decompress",
        "_done",
        "_protocol",
        "_status_code",
        "_url",
        "_wire",
        "call",
        "given_up",
        "here",
        "number",
        "owned",
        "recorder",
        "request",
        "retry_after_ns",
        "take",
    )

    def __init__(
        self,
        wire: Wire,
        recorder: Recorder,
        call: Call,
        request: _llmspan.ModelRequest,
        url: str,
        *,
        number: int,
        here: int,
        owned: bool,
        now: int,
    ) -> None:
        """Begin the attempt."""
        self._wire = wire
        self._url = url
        self.owned = owned
        self._done = False
        self._status_code: int | None = None
        self._protocol: str | None = None
        self._decompress: Callable[[bytes], bytes] | None = None
        self.recorder = recorder
        self.call = call
        self.request = request
        self.number = number
        self.here = here
        self.retry_after_ns: int | None = None
        self.given_up: Failure | None = None
        """How the client gave the attempt up before it was answered."""
        self.take: Callable[[bytes], None] | None = None
        """Takes bytes of the body, once it is known what they are. May raise."""
        self._attempt = call.attempt(
            provider=request.provider, model=request.model, endpoint=request.server_address, at_ns=now
        )
        self._bytes = self._attempt.bytes

    @guarded
    def headers(self, status_code: int, headers: HeaderPairs, content_encoding: str = "") -> None:
        """Take the head of the response."""
        self._status_code = status_code
        self.retry_after_ns = self._attempt.headers(status_code, headers)
        self._decompress = decompressor(content_encoding) if content_encoding else None
        if status_code < _FIRST_ERROR:
            # What the first bytes say is asked once they are there.
            self._protocol = None
        else:
            self._protocol = self.request.protocol

    def data(self, chunk: bytes) -> None:
        """Take bytes of the body. Where there are many chunks, ask :attr:`take` before."""
        try:
            take = self.take
            if take is None:
                self.take_first(chunk)
            else:
                take(chunk)
        except Exception:
            count_failure()

    def take_first(self, chunk: bytes) -> None:
        """Take bytes, and find out what they are: then there is :attr:`take`. May raise."""
        decompress = self._decompress
        if decompress is not None:
            chunk = decompress(chunk)
        if not chunk or self._done:
            return
        protocol = self._protocol
        if protocol is None:
            protocol = self._protocol = _llmspan.detect(self._url, None, chunk[:2048]) or self.request.protocol
        self._bytes(protocol, chunk)
        if decompress is None:
            self.take = partial(self._bytes, protocol)

    @guarded
    def ended(self) -> None:
        """Take note that the body is complete."""
        if not self._done:
            self._done = True
            self._attempt.stream_ended()
            self._end()

    @guarded
    def closed(self) -> None:
        """Take note that the client closed the response, which it may do without having read all of it."""
        if not self._done:
            self._done = True
            if not self._is_error:
                self._attempt.consumer_closed()
            self._end()

    @guarded
    def failed(self, error: BaseException) -> None:
        """Take note of an exception: instead of a response, or while its body was read."""
        if self._done:
            return
        if isinstance(error, GeneratorExit):
            self.closed()
            return
        self._done = True
        if is_abort(error):
            if self.owned:
                self.call.end_with(error)
            else:
                self._attempt.fail(error)
            return
        if self.owned and describe(error).get("error_type") == "timeout":
            # Nothing came for as long as the client was told to wait.
            if self._status_code is None:
                self.given_up = describe(error)
                if self._wire.failed(self, None, error):
                    return
            self.timed_out()
            return
        self._attempt.fail(error)
        if self._status_code is None:
            self._end(error)
        elif self.owned:
            self.call.end()

    def repeated(self, at_ns: int) -> None:
        """Take note that the client repeats what it had given up then."""
        if self.given_up is not None:
            self._attempt.fail(**self.given_up, at_ns=at_ns)

    def timed_out(self, at_ns: int | None = None) -> None:
        """Take note that what the client has given up is not repeated."""
        self.call.timed_out("idle", at_ns=at_ns)
        self.call.end(at_ns=at_ns)

    @property
    def _is_error(self) -> bool:
        return self._status_code is not None and self._status_code >= _FIRST_ERROR

    def _end(self, error: BaseException | None = None) -> None:
        failed = error is not None or self._is_error
        if failed and self._wire.failed(self, self._status_code, error):
            return
        if self.owned:
            self.call.end()


_FIRST_ERROR = 400

_wires: weakref.WeakSet[Wire] = weakref.WeakSet()


def _after_fork() -> None:
    # What waits is the parent's, and so is the timer.
    for wire in list(_wires):
        wire._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
