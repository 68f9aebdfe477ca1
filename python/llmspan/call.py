"""Calls, told by hand what happens to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspan import _ambient, _llmspan
from llmspan._context import enter, leave
from llmspan.failure import describe, is_abort
from llmspan.recorder import default_recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from types import TracebackType

    from typing_extensions import Self

    from llmspan._llmspan import ModelRequest
    from llmspan.failure import Failure
    from llmspan.recorder import Recorder
    from llmspan.types import AttributeValue, RequestInput


class Call(_llmspan.Call):
    """One call, as the application sees it: retries, waits and local work included.

    It ends with :meth:`end`, or as a context manager with its block; its record then goes to the sinks of the
    recorder. A call that is dropped without an end is finalized too, as what is known to have happened to it, else as
    ``abandoned``.

    All methods take the time of their event as ``at_ns``, in nanoseconds of the recorder's clock, which is
    ``time.perf_counter_ns``; without it the clock is read. They may be called from any thread, and raise nothing
    because of what they are told: an event whose fields cannot be read is left out and counted in
    :attr:`Recorder.stats`.

    In the block of a call its requests are its attempts, where hooks see them (:func:`llmspan.instrument`).

    What is told to a call and not to one of its attempts is about its latest attempt.
    """

    now: Callable[[], int]
    """The clock of ``at_ns``, in nanoseconds."""
    is_seen = False
    """Whether hooks see a request of the call at the wire."""
    _origin: _ambient.Origin | None = None
    _token: Token[Call | None] | None = None

    def __new__(
        cls,
        operation: str | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        stream: bool | None = None,
        request: RequestInput | Mapping[str, object] | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
        parent_span_id: str | None = None,
        unix_ns: int | None = None,
        id: str | None = None,  # noqa: A002 - its name in the record's documentation
        recorder: Recorder | None = None,
        sent: ModelRequest | None = None,
        at_ns: int | None = None,
    ) -> Self:
        """Open a call.

        :param operation: what is asked for: ``chat``, ``text_completion``, ``generate_content``, ``embeddings``, …
        :param provider: provider by its OpenTelemetry name: ``openai``, ``anthropic``, ``gcp.gemini``, …
        :param model: model that is asked for.
        :param stream: whether the response is to be streamed; the first chunk with content decides when it is not said.
        :param request: request parameters, such as ``max_tokens`` and ``temperature``.
        :param attributes: attributes of the call.
        :param trace_id: trace that the call belongs to, 32 hex digits. When none of the three ids is said, the current
            span of OpenTelemetry is the parent, if there is one.
        :param span_id: span of the call, 16 hex digits.
        :param parent_span_id: span above, 16 hex digits.
        :param unix_ns: wall-clock start in nanoseconds since 1970; without it the recorder's wall clock is read.
        :param id: id of the call in its record; numbered by the recorder when it is not said.
        :param recorder: recorder of the call; the one of :func:`llmspan.configure` when it is not said.
        :param sent: request that the call begins with, as :func:`llmspan.read_request` reads it: it says what is not said
            here.
        """
        origin = _ambient.origin()
        if origin is not None and trace_id is None and span_id is None and parent_span_id is None:
            trace_id, parent_span_id = origin.trace_id, origin.span_id
        recorder = recorder or default_recorder()
        call = super().__new__(
            cls,
            recorder.engine,
            id,
            origin,
            sent,
            operation=operation,
            provider=provider,
            model=model,
            stream=stream,
            request=request,
            attributes=attributes,
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent_span_id,
            unix_ns=unix_ns,
            at_ns=at_ns,
        )
        call.now = recorder.clock
        call._origin = origin
        return call

    def phase(self, name: str, *, at_ns: int | None = None) -> Phase:
        """Begin a phase, such as ``prompt.build``; it ends with its block, or with :meth:`Phase.end`."""
        self.phase_started(name, at_ns=at_ns)
        return Phase(self, name)

    def attempt(
        self,
        *,
        provider: str | None = None,
        model: str | None = None,
        endpoint: str | None = None,
        hedged: bool | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        at_ns: int | None = None,
    ) -> Attempt:
        """Begin the next attempt. It closes the wait that is open, and the attempt before it unless ``hedged``."""
        if self._origin is not None:
            self._origin.attempt_begins()
        return Attempt(
            self,
            provider=provider,
            model=model,
            endpoint=endpoint,
            hedged=hedged,
            attributes=attributes,
            at_ns=at_ns,
        )

    def attribute(self, key: str, value: AttributeValue, *, at_ns: int | None = None) -> None:
        """Set an attribute. ``refusal``, ``json_valid`` and ``cache_hit`` have fields of their own in the record."""
        self.attributes({key: value}, at_ns=at_ns)

    def fail(
        self,
        error: BaseException | str | None = None,
        *,
        error_type: str | None = None,
        status_code: int | None = None,
        message: str | None = None,
        abort_like: bool | None = None,
        retry_after_ns: int | None = None,
        at_ns: int | None = None,
    ) -> None:
        """Close the latest attempt with an error; the call goes on, and may be retried. See :meth:`Attempt.fail`."""
        _fail(self, error, error_type, status_code, message, abort_like, retry_after_ns, at_ns)

    def end_with(self, error: BaseException | None, *, at_ns: int | None = None) -> None:
        """End the call as its block does: with the exception that left it, or with none."""
        if error is None:
            self.end(at_ns=at_ns)
        elif isinstance(error, GeneratorExit):
            self.consumer_closed(at_ns=at_ns)
            self.end(at_ns=at_ns)
        elif is_abort(error):
            self.cancelled(at_ns=at_ns)
            self.end(at_ns=at_ns)
        else:
            failure = describe(error)
            self.end(
                error_type=failure.get("error_type"),
                status_code=failure.get("status_code"),
                message=failure.get("message"),
                at_ns=at_ns,
            )

    def __enter__(self) -> Self:
        """Begin the block of the call: requests that hooks see in it are its attempts."""
        self._token = enter(self)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """End the call."""
        token, self._token = self._token, None
        if token is not None:
            leave(token)
        if self.is_open:
            self.end_with(error)

    async def __aenter__(self) -> Self:
        """Begin the block of the call."""
        return self.__enter__()

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """End the call."""
        self.__exit__(_type, error, _traceback)


class Attempt(_llmspan.Attempt):
    """One physical request of a call.

    It ends with its response, its failure, the next attempt or its call. As a context manager it fails with what its
    block raises.
    """

    def fail(
        self,
        error: BaseException | str | None = None,
        *,
        error_type: str | None = None,
        status_code: int | None = None,
        message: str | None = None,
        abort_like: bool | None = None,
        retry_after_ns: int | None = None,
        at_ns: int | None = None,
    ) -> None:
        """Close the attempt with an error: what an exception says, or the class of the error, and over it what is given here."""
        _fail(self, error, error_type, status_code, message, abort_like, retry_after_ns, at_ns)

    def __enter__(self) -> Self:
        """Begin the block of the attempt."""
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Fail with the exception, if there is one."""
        if isinstance(error, GeneratorExit):
            self.consumer_closed()
        elif error is not None:
            self.fail(error)

    async def __aenter__(self) -> Self:
        """Begin the block of the attempt."""
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Fail with the exception, if there is one."""
        self.__exit__(_type, error, _traceback)


class Phase:
    """A stretch of local work inside a call. It ends with its block."""

    __slots__ = ("_call", "name")

    def __init__(self, call: Call, name: str) -> None:
        """Stand for a phase of a call that has begun."""
        self._call = call
        self.name = name

    def end(self, *, at_ns: int | None = None) -> None:
        """End the phase, and every phase inside it."""
        self._call.phase_ended(self.name, at_ns=at_ns)

    def __enter__(self) -> Self:
        """Begin the block of the phase."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the phase."""
        self.end()

    async def __aenter__(self) -> Self:
        """Begin the block of the phase."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the phase."""
        self.end()


def _fail(
    exchange: Call | Attempt,
    error: BaseException | str | None,
    error_type: str | None,
    status_code: int | None,
    message: str | None,
    abort_like: bool | None,  # noqa: FBT001 - a field
    retry_after_ns: int | None,
    at_ns: int | None,
) -> None:
    said: Failure = {}
    if isinstance(error, str):
        said = {"error_type": error}
    elif error is not None:
        said = describe(error)
    exchange.failed(
        error_type=said.get("error_type") if error_type is None else error_type,
        status_code=said.get("status_code") if status_code is None else status_code,
        message=said.get("message") if message is None else message,
        abort_like=said.get("abort_like") if abort_like is None else abort_like,
        retry_after_ns=retry_after_ns,
        at_ns=at_ns,
    )
