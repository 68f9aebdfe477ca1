"""How requests of ``httpx``, and of ``httpx2``, which has the same interface, are seen at the wire.

The two libraries share no class: what has to be one of theirs is made for each of them by its module, :mod:`llmspan.httpx` and
:mod:`llmspan.httpx2`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from llmspan._context import current_task
from llmspan._wire import SENDING, Tap, Wire, count_failure, guarded

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from llmspan.recorder import Recorder


class Library(NamedTuple):
    """What one of the libraries has, and what is made of it."""

    stream: type[SeenStream]
    """A ``SyncByteStream``."""
    async_stream: type[SeenAsyncStream]
    """An ``AsyncByteStream``."""
    not_read: type[Exception]
    """What is raised for the content of a request whose body is a stream."""

    def send(self, wire: Wire, request: Any, forward: Callable[[Any], Any]) -> Any:
        """Send a request, seen by ``wire`` unless another hook sees it already."""
        if _MARK in request.extensions:
            return forward(request)
        tap = self._begin(wire, request)
        if tap is None:
            return forward(request)
        try:
            response = forward(request)
        except BaseException as error:
            tap.failed(error)
            raise
        finally:
            # A request that a redirect makes of this one takes over its extensions.
            request.extensions.pop(_MARK, None)
        _take_head(tap, response)
        response.stream = self.stream(response.stream, tap)
        return response

    async def send_async(
        self,
        wire: Wire,
        request: Any,
        forward: Callable[[Any], Awaitable[Any]],
    ) -> Any:
        """Send a request, seen by ``wire`` unless another hook sees it already."""
        if _MARK in request.extensions:
            return await forward(request)
        tap = self._begin(wire, request)
        if tap is None:
            return await forward(request)
        task = id(current_task())
        SENDING.add(task)
        try:
            response = await forward(request)
        except BaseException as error:
            tap.failed(error)
            raise
        finally:
            SENDING.discard(task)
            request.extensions.pop(_MARK, None)
        _take_head(tap, response)
        response.stream = self.async_stream(response.stream, tap)
        return response

    @guarded
    def _begin(self, wire: Wire, request: Any) -> Tap | None:
        try:
            body = request.content
        except self.not_read:
            # A body that is streamed is the application's to read.
            body = None
        tap = wire.begin(request.method, str(request.url), request.headers.raw, body)
        if tap is not None:
            request.extensions[_MARK] = tap
        return tap


def is_seen(response: object) -> bool:
    """Say whether a response is one that was seen here."""
    extensions = getattr(response, "extensions", None)
    return isinstance(extensions, dict) and _MARK in extensions


_MARK = "llmspan"


@guarded
def _take_head(tap: Tap, response: Any) -> None:
    headers: list[tuple[bytes, bytes]] = response.headers.raw
    encoding = b",".join([value for name, value in headers if name.lower() == b"content-encoding"])
    tap.headers(response.status_code, headers, encoding.decode("latin-1"))
    # A client puts streams of its own around ours.
    response.extensions[_MARK] = True


class SeenStream:
    """The body of a response, on its way to the client."""

    def __init__(self, stream: Any, tap: Tap) -> None:
        self._stream = stream
        self.tap = tap

    def __iter__(self) -> Iterator[bytes]:
        """Give the chunks as they come."""
        tap = self.tap
        chunks: Iterable[bytes] = self._stream
        try:
            for chunk in chunks:
                try:
                    take = tap.take
                    if take is None:
                        tap.take_first(chunk)
                    else:
                        take(chunk)
                except Exception:
                    count_failure()
                yield chunk
        except GeneratorExit:
            # Whoever reads may go on in another way; closing is told apart.
            raise
        except BaseException as error:
            tap.failed(error)
            raise
        tap.ended()

    def close(self) -> None:
        """Close the stream."""
        try:
            self._stream.close()
        finally:
            self.tap.closed()


class SeenAsyncStream:
    """The body of a response, on its way to an asynchronous client."""

    def __init__(self, stream: Any, tap: Tap) -> None:
        self._stream = stream
        self.tap = tap

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the chunks as they come."""
        return _AsyncChunks(self._stream, self.tap)

    async def aclose(self) -> None:
        """Close the stream."""
        try:
            await self._stream.aclose()
        except BaseException as error:
            self.tap.failed(error)
            raise
        finally:
            self.tap.closed()


class _AsyncChunks:
    """An iterator and no generator: there is nothing for the event loop to finalize."""

    __slots__ = ("_chunks", "_tap")

    def __init__(self, stream: AsyncIterable[bytes], tap: Tap) -> None:
        self._chunks = stream.__aiter__()
        self._tap = tap

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._chunks.__anext__()
        except StopAsyncIteration:
            self._tap.ended()
            raise
        except BaseException as error:
            self._tap.failed(error)
            raise
        tap = self._tap
        try:
            take = tap.take
            if take is None:
                tap.take_first(chunk)
            else:
                take(chunk)
        except Exception:
            count_failure()
        return chunk

    async def aclose(self) -> None:
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()


class SeeingTransport:
    """Sees the requests of one client on their way to another transport."""

    _library: Library

    def __init__(self, transport: Any, recorder: Recorder | None) -> None:
        self._transport = transport
        self._wire = Wire(recorder)

    def handle_request(self, request: Any) -> Any:
        """Send the request, and take note of it and of its response."""
        return self._library.send(self._wire, request, self._transport.handle_request)

    def close(self) -> None:
        """Close the transport behind."""
        self._transport.close()

    def __enter__(self) -> Self:
        """Enter the transport behind."""
        self._transport.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Leave the transport behind."""
        self._transport.__exit__(exc_type, exc_value, traceback)


class SeeingAsyncTransport:
    """Sees the requests of one asynchronous client on their way to another transport."""

    _library: Library

    def __init__(self, transport: Any, recorder: Recorder | None) -> None:
        self._transport = transport
        self._wire = Wire(recorder)

    async def handle_async_request(self, request: Any) -> Any:
        """Send the request, and take note of it and of its response."""
        return await self._library.send_async(self._wire, request, self._transport.handle_async_request)

    async def aclose(self) -> None:
        """Close the transport behind."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        """Enter the transport behind."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Leave the transport behind."""
        await self._transport.__aexit__(exc_type, exc_value, traceback)
