"""Calls of a client built on ``httpx``, seen at the wire.

For one client, give it a transport; :func:`llmspan.instrument` does the same for all clients::

    import groq, httpx, llmspan.httpx

    client = groq.Groq(http_client=httpx.Client(transport=llmspan.httpx.Transport()))

Requests that go to no model pass untouched. Bytes reach the client as they come, unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from llmspan._httpx import Library, SeeingAsyncTransport, SeeingTransport, SeenAsyncStream, SeenStream

if TYPE_CHECKING:
    from llmspan.recorder import Recorder


class _Stream(SeenStream, httpx.SyncByteStream):
    pass


class _AsyncStream(SeenAsyncStream, httpx.AsyncByteStream):
    pass


library = Library(_Stream, _AsyncStream, httpx.RequestNotRead)


class Transport(SeeingTransport, httpx.BaseTransport):
    """Sees the requests of one client on their way to another transport."""

    _library = library

    def __init__(self, transport: httpx.BaseTransport | None = None, *, recorder: Recorder | None = None) -> None:
        """Stand before a transport; before ``httpx.HTTPTransport()`` when none is given.

        :param recorder: recorder of the calls; the one of :func:`llmspan.configure` when it is not said.
        """
        super().__init__(httpx.HTTPTransport() if transport is None else transport, recorder)


class AsyncTransport(SeeingAsyncTransport, httpx.AsyncBaseTransport):
    """Sees the requests of one asynchronous client on their way to another transport."""

    _library = library

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, *, recorder: Recorder | None = None) -> None:
        """Stand before a transport; before ``httpx.AsyncHTTPTransport()`` when none is given.

        :param recorder: recorder of the calls; the one of :func:`llmspan.configure` when it is not said.
        """
        super().__init__(httpx.AsyncHTTPTransport() if transport is None else transport, recorder)
