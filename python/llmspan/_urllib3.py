"""Requests of ``requests`` and of ``botocore``, and so of ``boto3``, seen at the wire.

Both send with ``urllib3``, and have requests and responses of one form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspan._wire import Tap, Wire, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def send(wire: Wire, request: Any, forward: Callable[[Any], Any]) -> Any:
    """Send a prepared request, and take note of it and of its response."""
    tap = _begin(wire, request)
    if tap is None:
        return forward(request)
    try:
        response = forward(request)
    except BaseException as error:
        tap.failed(error)
        raise
    _watch(tap, response)
    return response


@guarded
def _begin(wire: Wire, request: Any) -> Tap | None:
    body = request.body
    if isinstance(body, str):
        body = body.encode()
    content = bytes(body) if isinstance(body, (bytes, bytearray)) else None
    return wire.begin(request.method, request.url, request.headers, content)


@guarded
def _watch(tap: Tap, response: Any) -> None:
    tap.headers(response.status_code, response.headers)
    if not response._content:
        response.raw = _Body(response.raw, tap)
        return
    tap.data(response._content)
    tap.ended()


def is_seen(response: object) -> bool:
    """Say whether a response, or the body of one, is seen here."""
    # Not by the attribute: properties of other libraries may raise.
    return isinstance(response, _Body) or isinstance(getattr(response, "__dict__", {}).get("raw"), _Body)


class _Body:
    """The body of a response of urllib3, as it is read: decompressed."""

    def __init__(self, body: Any, tap: Tap) -> None:
        self._body = body
        self._tap = tap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def stream(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        take = self._tap.data
        try:
            for chunk in self._body.stream(*arguments, **options):
                take(chunk)
                yield chunk
        except GeneratorExit:
            raise
        except BaseException as error:
            self._tap.failed(error)
            raise
        self._tap.ended()

    def read(self, *arguments: Any, **options: Any) -> bytes:
        try:
            chunk: bytes = self._body.read(*arguments, **options)
        except BaseException as error:
            self._tap.failed(error)
            raise
        self._tap.data(chunk)
        amount = arguments[0] if arguments else options.get("amt")
        if (not chunk and amount != 0) or amount is None:
            self._tap.ended()
        return chunk

    def readinto(self, buffer: bytearray) -> int:
        try:
            count: int = self._body.readinto(buffer)
        except BaseException as error:
            self._tap.failed(error)
            raise
        self._tap.data(bytes(memoryview(buffer)[:count]))
        if count == 0:
            self._tap.ended()
        return count

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            self._tap.closed()

    def release_conn(self) -> None:
        try:
            self._body.release_conn()
        finally:
            self._tap.closed()

    def __iter__(self) -> Iterator[bytes]:
        return self.stream(1024)
