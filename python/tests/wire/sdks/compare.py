"""What an application sees of a stream: with llmspan it has to be the same as without."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wire.sdks.clients import Client, Options


@dataclass
class Sight:
    """Chunks, and how it ended."""

    chunks: list[str] = field(default_factory=list)
    error: list[tuple[str, str, str]] | None = None
    """Class, file and function that raised, of the exception and of what caused it."""

    def take(self, chunk: object) -> None:
        self.chunks.append(_UNSTABLE.sub("*", repr(chunk)))


# Ids, dates, times, runs in URLs, and addresses of objects differ.
_UNSTABLE = re.compile(
    r"run=[^/&]*|[0-9a-f-]{12,}|0x[0-9a-f]+|datetime\([^)]*\)|created_at=[^,]*|\w{3}, \d+ \w{3} \d{4} [\d:]+ GMT"
    r"|(duration|created)[^,]*"
)


def origin(error: BaseException | None) -> list[tuple[str, str, str]]:
    """Where an exception comes from, and what caused it."""
    chain: list[tuple[str, str, str]] = []
    while error is not None and len(chain) < 8:
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        code = traceback.tb_frame.f_code if traceback is not None else None
        chain.append((type(error).__qualname__, code.co_filename if code else "", code.co_name if code else ""))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def read(
    client: Client,
    base: str,
    options: Options,
    *,
    watch: Callable[[Any], Any] = lambda stream: stream,
    limit: int | None = None,
) -> Sight:
    """Read a stream to its end, or its first chunks; then close it as its SDK does."""
    sight = Sight()
    try:
        stream = watch(client.stream(base, options))
        if client.manager:
            with stream as chunks:
                _take(chunks, sight, limit)
        else:
            _take(stream, sight, limit)
            if limit is not None:
                getattr(stream, "close", lambda: None)()
    except Exception as error:
        sight.error = origin(error)
    return sight


def _take(chunks: Any, sight: Sight, limit: int | None) -> None:
    for count, chunk in enumerate(chunks, 1):
        sight.take(chunk)
        if count == limit:
            break


async def read_async(
    client: Client,
    base: str,
    options: Options,
    *,
    watch: Callable[[Any], Any] = lambda stream: stream,
    limit: int | None = None,
) -> Sight:
    """The same of an asynchronous stream."""
    assert client.stream_async is not None
    sight = Sight()
    try:
        stream = watch(await client.stream_async(base, options))
        if client.manager:
            async with stream as chunks:
                await _take_async(chunks, sight, limit)
        else:
            await _take_async(stream, sight, limit)
            if limit is not None:
                close: Callable[[], Awaitable[None]] | None = getattr(stream, "aclose", None) or getattr(
                    stream, "close", None
                )
                if close is not None:
                    await close()
    except Exception as error:
        sight.error = origin(error)
    return sight


async def _take_async(chunks: Any, sight: Sight, limit: int | None) -> None:
    count = 0
    async for chunk in chunks:
        count += 1
        sight.take(chunk)
        if count == limit:
            break
