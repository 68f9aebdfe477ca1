"""Calls of a client built on ``httpx2``, seen at the wire.

For one client, give it a transport; :func:`llmspan.instrument` does the same for all clients::

    import httpx2, llmspan.httpx2, openai

    client = openai.OpenAI(http_client=httpx2.Client(transport=llmspan.httpx2.Transport()))

Requests that go to no model pass untouched. Bytes reach the client as they come, unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

from llmspan._httpx import Library, SeeingAsyncTransport, SeeingTransport, SeenAsyncStream, SeenStream

if TYPE_CHECKING:
    from llmspan.recorder import Recorder


class _Stream(SeenStream, httpx2.SyncByteStream):
    pass


class _AsyncStream(SeenAsyncStream, httpx2.AsyncByteStream):
    pass


library = Library(_Stream, _AsyncStream, httpx2.RequestNotRead)


class Transport(SeeingTransport, httpx2.BaseTransport):
    """Sees the requests of one client on their way to another transport."""

    _library = library

    def __init__(self, transport: httpx2.BaseTransport | None = None, *, recorder: Recorder | None = None) -> None:
        """Stand before a transport; before ``httpx2.HTTPTransport()`` when none is given.

        :param recorder: recorder of the calls; the one of :func:`llmspan.configure` when it is not said.
        """
        super().__init__(httpx2.HTTPTransport() if transport is None else transport, recorder)


class AsyncTransport(SeeingAsyncTransport, httpx2.AsyncBaseTransport):
    """Sees the requests of one asynchronous client on their way to another transport."""

    _library = library

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None, *, recorder: Recorder | None = None) -> None:
        """Stand before a transport; before ``httpx2.AsyncHTTPTransport()`` when none is given.

        :param recorder: recorder of the calls; the one of :func:`llmspan.configure` when it is not said.
        """
        super().__init__(httpx2.AsyncHTTPTransport() if transport is None else transport, recorder)
