"""Streams of SDKs, watched while the application reads them."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from llmspan import _llmspan
from llmspan._context import current_call, enter, leave
from llmspan._wire import count_failure, guarded
from llmspan.call import Attempt, Call
from llmspan.errors import UnknownProtocolError
from llmspan.failure import describe, is_abort

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
    from contextvars import Token
    from types import TracebackType

    from typing_extensions import Self

    from llmspan.recorder import Recorder

Chunk = TypeVar("Chunk")


@overload
def observe(
    stream: AsyncIterable[Chunk],
    *,
    protocol: str | None = ...,
    call: Call | None = ...,
    attempt: Attempt | None = ...,
    operation: str | None = ...,
    provider: str | None = ...,
    model: str | None = ...,
    attributes: Mapping[str, Any] | None = ...,
    recorder: Recorder | None = ...,
) -> AsyncObserved[Chunk]: ...


@overload
def observe(
    stream: Iterable[Chunk],
    *,
    protocol: str | None = ...,
    call: Call | None = ...,
    attempt: Attempt | None = ...,
    operation: str | None = ...,
    provider: str | None = ...,
    model: str | None = ...,
    attributes: Mapping[str, Any] | None = ...,
    recorder: Recorder | None = ...,
) -> Observed[Chunk]: ...


def observe(
    stream: Any,
    *,
    protocol: str | None = None,
    call: Call | None = None,
    attempt: Attempt | None = None,
    operation: str | None = None,
    provider: str | None = None,
    model: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    recorder: Recorder | None = None,
) -> Any:
    """Watch a stream while it is read: ``for chunk in llmspan.observe(stream)``, or ``async for``.

    The chunks may be objects of an SDK, dicts, JSON as text or bytes, or raw bytes of the response; they are passed on as they
    are, as soon as they come. What comes back has the attributes and methods of the stream, and can be used as a context
    manager where the stream can. Its end, an exception, a ``break`` with ``close()``, garbage collection or the cancellation of the
    task that reads it end the call, once.

    The time to the first token counts from here; where it is to count from the request, make a :class:`llmspan.Call` before the
    request and hand it over, or its attempt. A stream whose request is seen by :func:`llmspan.instrument` or by a transport is
    watched there: it is given back as it is.

    :param stream: what an SDK gives for ``stream=True``, or a manager that gives it at the begin of its block.
    :param protocol: protocol of the chunks, such as ``openai.chat``; the first chunk that tells decides when it is not said.
    :param call: call that the stream belongs to. It goes on after the stream, unless the stream began it.
    :param attempt: attempt that the stream is the response of; the call begins one when it is not said.
    :param operation: of the call that the stream begins: ``chat`` when it is not said.
    :param provider: of the call that the stream begins, by its OpenTelemetry name.
    :param model: of the call that the stream begins.
    :param attributes: of the call that the stream begins.
    :param recorder: of the call that the stream begins; the one of :func:`llmspan.configure` when it is not said.
    :raises llmspan.errors.UnknownProtocolError: for a protocol that does not exist.
    """
    if protocol is not None and protocol not in _llmspan.PROTOCOLS:
        raise UnknownProtocolError(f"there is no protocol `{protocol}`", "unknown_protocol")
    if _is_seen(stream):
        return stream
    joined = call or current_call() if attempt is None else None

    def begin() -> Call:
        return joined or Call(
            operation or "chat", provider=provider, model=model, stream=True, attributes=attributes, recorder=recorder
        )

    watch = _Watch(begin, attempt, protocol, owned=joined is None and attempt is None)
    is_async = hasattr(stream, "__aiter__") or (hasattr(stream, "__aenter__") and not hasattr(stream, "__iter__"))
    if hasattr(stream, "__aiter__" if is_async else "__iter__"):
        # Of a manager the request leaves at the begin of its block.
        watch.begin()
    return AsyncObserved(stream, watch) if is_async else Observed(stream, watch)


def _is_seen(stream: object) -> bool:
    """Whether hooks see the response that a stream reads."""
    names = ("llmspan._httpx", "llmspan._aiohttp", "llmspan._urllib3")
    hooks = [module for module in map(sys.modules.get, names) if module is not None]
    if not hooks:
        return False
    responses = [getattr(stream, name, None) for name in ("response", "_response", "_raw_stream")]
    return any(module.is_seen(response) for module in hooks for response in responses)


class _Watch:
    """What is known of a stream while it is read. Nothing here raises."""

    __slots__ = ("_attempt", "_begin", "_begun_at", "_call", "_done", "_owned", "_protocol", "take")

    def __init__(
        self, begin: Callable[[], Call], attempt: Attempt | None, protocol: str | None, *, owned: bool
    ) -> None:
        self._begin = begin
        self._begun_at: int | None = None
        self._call: Call | None = None
        self._attempt = attempt
        self._protocol = protocol
        self._owned = owned
        self._done = False
        self.take: Callable[[object], None] | None = None
        """Takes a chunk, once it is known what they are. May raise."""

    @guarded
    def begin(self) -> None:
        """Begin, unless that has happened."""
        if self._call is None and self._attempt is None:
            self._call = self._begin()
            self._begun_at = self._call.now()

    def enter(self) -> Token[Call | None] | None:
        """Make the call the current one while the first chunk is waited for: a request that leaves then is its attempt."""
        if self.take is not None or self._call is None or self._done:
            return None
        return enter(self._call)

    def take_first(self, chunk: object) -> None:
        """Take a chunk, and find out what it is: then there is :attr:`take`. May raise."""
        if self._done:
            return
        if self._call is not None and self._call.is_seen:
            # Hooks see the response: its bytes tell more.
            self.take = _nothing
            return
        attempt = self._own_attempt()
        take: Callable[[str, object], None]
        data = chunk.encode() if isinstance(chunk, str) else chunk
        if isinstance(data, (bytes, bytearray, memoryview)):
            protocol = self._protocol or _llmspan.detect("", None, bytes(data[:2048]))
            take = attempt.payload if _llmspan.is_event(bytes(data)) else _bytes_of(attempt)
        else:
            take, protocol = attempt.payload, self._protocol or _llmspan.detect_event(data)
        if protocol is None:
            # A ping, perhaps. The next one may tell.
            return
        self._protocol = protocol
        take(protocol, chunk)
        self.take = partial(take, protocol)

    def _own_attempt(self) -> Attempt:
        if self._attempt is None:
            self.begin()
            call = self._call
            assert call is not None
            self._attempt = call.attempt(at_ns=self._begun_at)
        return self._attempt

    @guarded
    def ended(self) -> None:
        """Take note of the end of the stream."""
        if self._is_first_end():
            if not self._is_seen_by_hooks():
                attempt = self._own_attempt()
                if self._protocol is not None:
                    # A stream that could not be read has no end that it could lack.
                    attempt.stream_ended()
            self._end()

    @guarded
    def closed(self) -> None:
        """Take note that nobody reads the stream any more."""
        if self._is_first_end():
            if self._call is not None and self._owned:
                self._call.consumer_closed()
            elif self._attempt is not None:
                self._attempt.consumer_closed()
            self._end()

    @guarded
    def failed(self, error: BaseException) -> None:
        """Take note of an exception of the stream."""
        if isinstance(error, GeneratorExit):
            self.closed()
        elif self._is_first_end():
            if is_abort(error):
                if self._owned and self._call is not None:
                    self._call.end_with(error)
                else:
                    self._own_attempt().fail(error)
                return
            if self._is_seen_by_hooks():
                self._end()
                return
            attempt = self._own_attempt()
            if self._owned and self._call is not None and describe(error).get("error_type") == "timeout":
                self._call.timed_out("idle")
            else:
                attempt.fail(error)
            self._end()

    def _is_first_end(self) -> bool:
        is_first, self._done, self.take = not self._done, True, _nothing
        return is_first

    def _is_seen_by_hooks(self) -> bool:
        return self._call is not None and self._call.is_seen

    def _end(self) -> None:
        if self._owned and self._call is not None:
            self._call.end()


def _nothing(_chunk: object) -> None:
    pass


def _bytes_of(attempt: Attempt) -> Callable[[str, object], None]:
    take = attempt.bytes

    def take_bytes(protocol: str, chunk: Any) -> None:
        take(protocol, chunk.encode() if isinstance(chunk, str) else chunk)

    return take_bytes


class _Proxy:
    """Stands for a stream; what it does not have itself is the stream's."""

    _stream: Any
    _watch: _Watch

    def __init__(self, stream: Any, watch: _Watch) -> None:
        self._stream = stream
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        if name in {"_stream", "_watch", "_chunks"}:
            # Not there yet, as in a copy that is being made.
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._stream!r}>"

    def __del__(self) -> None:
        watch = self.__dict__.get("_watch")
        if watch is not None:
            watch.closed()


class Observed(_Proxy, Generic[Chunk]):
    """A stream that is watched while it is read: see :func:`observe`."""

    _chunks: Iterator[Chunk] | None = None

    def __iter__(self) -> Iterator[Chunk]:
        """Give the chunks; the stream is its own iterator."""
        return self

    def __next__(self) -> Chunk:
        """Give the next chunk."""
        watch = self._watch
        token = watch.enter() if watch.take is None else None
        try:
            chunks = self._chunks
            if chunks is None:
                chunks = self._chunks = iter(self._stream)
            chunk = next(chunks)
        except StopIteration:
            watch.ended()
            raise
        except BaseException as error:
            watch.failed(error)
            raise
        finally:
            if token is not None:
                leave(token)
        try:
            take = watch.take
            if take is None:
                watch.take_first(chunk)
            else:
                take(chunk)
        except Exception:
            count_failure()
        return chunk

    def close(self) -> None:
        """Close the stream, if it can be closed; its call ends."""
        try:
            for holder in (self._stream, self._chunks):
                close = getattr(holder, "close", None)
                if close is not None:
                    close()
                    break
        finally:
            self._watch.closed()

    def __enter__(self) -> Self:
        """Enter the block of the stream."""
        self._watch.begin()
        enter_stream = getattr(type(self._stream), "__enter__", None)
        if enter_stream is not None:
            token = self._watch.enter()
            try:
                entered = enter_stream(self._stream)
            except BaseException as error:
                self._watch.failed(error)
                raise
            finally:
                if token is not None:
                    leave(token)
            self._manager, self._stream = self._stream, entered
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave the block of the stream; its call ends."""
        try:
            manager = self.__dict__.get("_manager")
            if manager is None:
                self.close()
                return None
            leave_stream: Any = type(manager).__exit__
            return leave_stream(manager, kind, error, traceback)  # type: ignore[no-any-return]
        finally:
            _leave(self._watch, error)


class AsyncObserved(_Proxy, Generic[Chunk]):
    """An asynchronous stream that is watched while it is read: see :func:`observe`."""

    _chunks: AsyncIterator[Chunk] | None = None

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Give the chunks; the stream is its own iterator."""
        return self

    async def __anext__(self) -> Chunk:
        """Give the next chunk."""
        watch = self._watch
        token = watch.enter() if watch.take is None else None
        try:
            chunks = self._chunks
            if chunks is None:
                chunks = self._chunks = self._stream.__aiter__()
            chunk = await chunks.__anext__()
        except StopAsyncIteration:
            watch.ended()
            raise
        except BaseException as error:
            watch.failed(error)
            raise
        finally:
            if token is not None:
                leave(token)
        try:
            take = watch.take
            if take is None:
                watch.take_first(chunk)
            else:
                take(chunk)
        except Exception:
            count_failure()
        return chunk

    async def aclose(self) -> None:
        """Close the stream, if it can be closed; its call ends."""
        await self._close("aclose")

    async def close(self) -> None:
        """Close the stream, as SDKs name it."""
        await self._close("close")

    async def _close(self, name: str) -> None:
        try:
            for holder in (self._stream, self._chunks):
                close = getattr(holder, name, None) or getattr(holder, "aclose", None) or getattr(holder, "close", None)
                if close is not None:
                    closing = close()
                    if hasattr(closing, "__await__"):
                        await closing
                    break
        finally:
            self._watch.closed()

    async def __aenter__(self) -> Self:
        """Enter the block of the stream."""
        self._watch.begin()
        enter_stream = getattr(type(self._stream), "__aenter__", None)
        if enter_stream is not None:
            token = self._watch.enter()
            try:
                entered = await enter_stream(self._stream)
            except BaseException as error:
                self._watch.failed(error)
                raise
            finally:
                if token is not None:
                    leave(token)
            self._manager, self._stream = self._stream, entered
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave the block of the stream; its call ends."""
        try:
            manager = self.__dict__.get("_manager")
            if manager is None:
                await self.aclose()
                return None
            leave_stream: Any = type(manager).__aexit__
            return await leave_stream(manager, kind, error, traceback)  # type: ignore[no-any-return]
        finally:
            _leave(self._watch, error)


def _leave(watch: _Watch, error: BaseException | None) -> None:
    if error is not None and is_abort(error):
        watch.failed(error)
    else:
        # An exception of the block is the reader's own.
        watch.closed()
