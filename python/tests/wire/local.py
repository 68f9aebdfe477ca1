"""A server on loopback whose answers a test writes itself."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SSE = [("content-type", "text/event-stream")]
BODY = b'{"model":"gpt-4.1","messages":[],"stream":true}'


def event(text: str, finish: str | None = None) -> bytes:
    """An event of a stream of OpenAI."""
    reason = f'"{finish}"' if finish else "null"
    return (
        b'data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4.1","choices":[{"index":0,"delta":{"content":"'
        + text.encode()
        + b'"},"finish_reason":'
        + reason.encode()
        + b"}]}\n\n"
    )


DONE = b"data: [DONE]\n\n"
STREAM = [event("a"), event("b"), event("", "stop"), DONE]
"""A complete answer."""


@dataclass
class Answer:
    """What the server says."""

    chunks: Iterable[bytes] = ()
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=lambda: list(SSE))


class Server:
    """Requests so far, and their base URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[tuple[str, bytes]] = []


@contextmanager
def serve(answer: Callable[[int, str], Answer]) -> Iterator[Server]:
    """Answer each request by its number, from 0, and its path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            server.requests.append((self.path, self._body()))
            said = answer(len(server.requests) - 1, self.path)
            self.send_response(said.status)
            for name, value in said.headers:
                self.send_header(name, value)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for chunk in said.chunks:
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST  # noqa: N815 - the name of the library

        def _body(self) -> bytes:
            if "content-length" in self.headers:
                return self.rfile.read(int(self.headers["content-length"]))
            body = b""
            if self.headers.get("transfer-encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            return body

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients of tests go away in the middle."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server = Server(f"http://127.0.0.1:{http.server_address[1]}/v1/chat/completions")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
