"""Requests of ``aiohttp`` seen at the wire."""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import BytesPayload, StreamReader

from llmspan._wire import Tap, Wire, guarded, is_sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientRequest, ClientResponse


class Seeing:
    """Sees what one request of a session sends, as the middleware that is next to the connection."""

    def __init__(self, wire: Wire, *, is_decoded: bool) -> None:
        """Watch a request, the body of whose response is decompressed by the session or not."""
        self._wire = wire
        self._is_decoded = is_decoded
        self._stopped: Tap | None = None

    async def __call__(
        self, request: ClientRequest, forward: Callable[[ClientRequest], Awaitable[ClientResponse]]
    ) -> ClientResponse:
        """Send a request, which may be one of several: what redirects or another middleware send again are others."""
        if is_sent():
            return await forward(request)
        tap = self._begin(request)
        if tap is None:
            return await forward(request)
        try:
            response = await forward(request)
        except asyncio.CancelledError:
            # The session cancels a request that takes too long, and raises another exception then.
            self._stopped = tap
            raise
        except BaseException as error:
            tap.failed(error)
            raise
        _watch(tap, response, is_decoded=self._is_decoded)
        return response

    @guarded
    def _begin(self, request: ClientRequest) -> Tap | None:
        headers = list(request.headers.items())
        return self._wire.begin(request.method, str(request.url), headers, _bytes_of(request.body))

    def failed(self, error: BaseException) -> None:
        """Take note of what the session raises."""
        if self._stopped is not None:
            self._stopped.failed(error)


def _bytes_of(body: object) -> bytes | None:
    """Give the body of a request that is bytes, text or JSON. Others are the application's to read."""
    if isinstance(body, BytesPayload):
        try:
            return body.decode("latin-1").encode("latin-1")
        except AttributeError:
            # A ``memoryview`` cannot be decoded.
            return None
    return body if isinstance(body, bytes) else None


@guarded
def _watch(tap: Tap, response: ClientResponse, *, is_decoded: bool) -> None:
    encoding = "" if is_decoded else response.headers.get("content-encoding", "")
    tap.headers(response.status, list(response.raw_headers), encoding)
    if response.content.at_eof():
        tap.ended()
        return
    content = _Content(response.content, tap)
    response.content = content  # type: ignore[assignment]
    # Not by the response itself, which would keep it until the next collection of garbage.
    reference = weakref.ref(response)
    response.close = partial(_end, type(response).close, reference, content)  # type: ignore[method-assign]
    response.release = partial(_end, type(response).release, reference, content)  # type: ignore[method-assign]


def _end(end: Callable[[Any], Any], reference: weakref.ref[ClientResponse], content: _Content) -> Any:
    """End a response that nobody reads any more."""
    content.closed()
    return end(reference())


def is_seen(response: object) -> bool:
    """Say whether a response is one that is seen here."""
    # Not by the attribute: properties of other libraries may raise.
    return isinstance(getattr(response, "__dict__", {}).get("content"), _Content)


class _Content:
    """The body of a response, as it is read."""

    def __init__(self, content: StreamReader, tap: Tap) -> None:
        self._content = content
        self._tap = tap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    @guarded
    def closed(self) -> None:
        """Take note that nobody reads the body any more."""
        # Whoever reads by lines may stop in the middle of an event that has come.
        if self._content.exception() is None:
            # While somebody waits for more nothing is left, and when the time of the request is over nothing may be read.
            with suppress(RuntimeError, asyncio.TimeoutError):
                self._tap.data(self._content.read_nowait())
        self._tap.closed()

    async def read(self, n: int = -1) -> bytes:
        return await self._seen(self._content.read(n))

    async def readany(self) -> bytes:
        return await self._seen(self._content.readany())

    async def readline(self, **options: Any) -> bytes:
        return await self._seen(self._content.readline(**options))

    async def readuntil(self, *arguments: Any, **options: Any) -> bytes:
        return await self._seen(self._content.readuntil(*arguments, **options))

    async def readexactly(self, n: int) -> bytes:
        return await self._seen(self._content.readexactly(n))

    async def readchunk(self) -> tuple[bytes, bool]:
        try:
            chunk, is_end = await self._content.readchunk()
        except BaseException as error:
            self._tap.failed(error)
            raise
        self._take(chunk)
        return chunk, is_end

    def read_nowait(self, n: int = -1) -> bytes:
        chunk = self._content.read_nowait(n)
        self._take(chunk)
        return chunk

    async def _seen(self, reading: Awaitable[bytes]) -> bytes:
        try:
            chunk = await reading
        except asyncio.IncompleteReadError as error:
            self._take(error.partial)
            raise
        except BaseException as error:
            self._tap.failed(error)
            raise
        self._take(chunk)
        return chunk

    def _take(self, chunk: bytes) -> None:
        self._tap.data(chunk)
        if self._content.at_eof():
            self._tap.ended()

    # These read with the methods above.
    iter_chunked = StreamReader.iter_chunked
    iter_any = StreamReader.iter_any
    iter_chunks = StreamReader.iter_chunks
    __aiter__ = StreamReader.__aiter__
