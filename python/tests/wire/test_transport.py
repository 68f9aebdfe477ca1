"""Transports for one client of `httpx` or `httpx2`, without an SDK."""

from __future__ import annotations

import asyncio
import gc
import gzip
import importlib
import threading
import weakref
import zlib
from typing import TYPE_CHECKING, Any

import pytest

import llmspan
from llmspan import _wire
from wire.local import BODY, DONE, SSE, STREAM, Answer, event, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from wire.conftest import Seen

LIBRARIES = [name for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Any:
    return importlib.import_module(request.param)


def client(library: Any, seen: Seen, **options: Any) -> Any:
    ours = importlib.import_module(f"llmspan.{library.__name__}")
    return library.Client(transport=ours.Transport(recorder=seen.recorder), **options)


def async_client(library: Any, seen: Seen, **options: Any) -> Any:
    ours = importlib.import_module(f"llmspan.{library.__name__}")
    return library.AsyncClient(transport=ours.AsyncTransport(recorder=seen.recorder), **options)


def test_bytes_are_unchanged_and_come_as_they_are_sent(library: Any, seen: Seen) -> None:
    go_on = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield STREAM[0]
        # The rest is sent once the first chunk has reached the reader: nothing may hold it back.
        assert go_on.wait(10)
        yield from STREAM[1:]

    with serve(lambda *_: Answer(chunks())) as server, client(library, seen) as http:
        with http.stream("POST", server.url, content=BODY) as response:
            parts = response.iter_raw()
            got = next(parts)
            assert got == STREAM[0]
            go_on.set()
            got += b"".join(parts)
        assert got == b"".join(STREAM)
        assert server.requests == [("/v1/chat/completions", BODY)]
    record = seen.record()
    assert (record.outcome, record.finish_reasons, record.model) == ("success", ["stop"], "gpt-4.1")


def test_requests_to_no_model_are_untouched(library: Any, seen: Seen) -> None:
    with serve(lambda *_: Answer([b"hello"], headers=[])) as server, client(library, seen) as http:
        response = http.post(server.url.replace("/v1/chat/completions", "/upload"), content=b"x")
        assert response.content == b"hello"
        assert "llmspan" not in response.extensions
        assert http.get(server.url.replace("/v1/chat/completions", "/models")).status_code == 200
        # What is stored there.
        assert http.get(server.url).status_code == 200
    assert seen.records() == []


def encodings() -> list[Any]:
    plain = b"".join(STREAM)
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bodies = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "deflate without a header": bare.compress(plain) + bare.flush(),
    }
    if importlib.util.find_spec("brotli"):
        bodies["br"] = importlib.import_module("brotli").compress(plain)
    if importlib.util.find_spec("zstandard"):
        bodies["zstd"] = importlib.import_module("zstandard").ZstdCompressor().compress(plain)
    return [pytest.param(name.split()[0], body, id=name) for name, body in bodies.items()]


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(("encoding", "body"), encodings())
def test_compressed_bodies(library: Any, seen: Seen, encoding: str, body: bytes, size: int) -> None:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    headers = [*SSE, ("content-encoding", encoding)]
    with (
        serve(lambda *_: Answer(parts, headers=headers)) as server,
        client(library, seen) as http,
        # Raw: not each library knows each encoding.
        http.stream("POST", server.url, content=BODY) as response,
    ):
        assert b"".join(response.iter_raw()) == body
    record = seen.record()
    assert (record.outcome, record.finish_reasons) == ("success", ["stop"])


def test_body_that_is_not_compressed_as_it_says(library: Any, seen: Seen) -> None:
    headers = [*SSE, ("content-encoding", "gzip")]
    with (
        serve(lambda *_: Answer([b"not gzip at all"], headers=headers)) as server,
        client(library, seen) as http,
        pytest.raises(library.DecodingError),
    ):
        http.post(server.url, content=BODY)
    # The client gives up in the middle.
    assert seen.record().outcome == "interrupted"


def test_redirect_is_followed_as_without(library: Any, seen: Seen) -> None:
    def answer(number: int, path: str) -> Answer:
        del path
        moved = [("location", "/v1/chat/completions?moved")]
        return Answer(STREAM) if number else Answer(status=307, headers=moved)

    with serve(answer) as server, client(library, seen, follow_redirects=True) as http:
        response = http.post(server.url, content=BODY)
        assert response.content == b"".join(STREAM)
        assert len(response.history) == 1
        assert [body for _, body in server.requests] == [BODY, BODY]
    moved, answered = seen.records()
    assert (moved.attempts[0].status_code, moved.usage) == (307, None)
    assert answered.outcome == "success"


def test_streamed_request_body_is_left_to_the_application(library: Any, seen: Seen) -> None:
    def parts() -> Iterator[bytes]:
        yield BODY[:10]
        yield BODY[10:]

    with serve(lambda *_: Answer(STREAM)) as server, client(library, seen) as http:
        assert http.post(server.url, content=parts()).status_code == 200
        assert server.requests[0][1] == BODY
    record = seen.record()
    # What it asks cannot be known.
    assert (record.outcome, record.finish_reasons) == ("success", ["stop"])


def test_error_answer(library: Any, seen: Seen) -> None:
    error = b'{"error":{"message":"no","type":"invalid_request_error","code":"bad"}}'
    json = [("content-type", "application/json")]
    with serve(lambda *_: Answer([error], 400, json)) as server, client(library, seen) as http:
        assert http.post(server.url, content=BODY).content == error
    record = seen.record()
    assert (record.outcome, record.error.status_code) == ("error", 400)


def test_closed_response_and_dropped_response(library: Any, seen: Seen) -> None:
    with serve(lambda *_: Answer(event("a") for _ in range(50))) as server, client(library, seen) as http:
        response = http.send(http.build_request("POST", server.url, content=BODY), stream=True)
        next(response.iter_raw())
        response.close()
        assert seen.record().outcome == "interrupted"
        response = http.send(http.build_request("POST", server.url, content=BODY), stream=True)
        gone = weakref.ref(response)
        del response
        gc.collect()
        assert gone() is None
        assert seen.record().outcome in {"abandoned", "interrupted"}


def test_closed_after_the_end_marker_is_a_success(library: Any, seen: Seen) -> None:
    release = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield from STREAM
        release.wait(10)

    with serve(lambda *_: Answer(chunks())) as server, client(library, seen) as http:
        with http.stream("POST", server.url, content=BODY) as response:
            got = b""
            for chunk in response.iter_raw():
                got += chunk
                if got.endswith(DONE):
                    break
        release.set()
    assert seen.record().outcome == "success"


def test_cancelled_after_the_end_marker_is_a_success(library: Any, seen: Seen) -> None:
    release = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield from STREAM
        release.wait(10)

    async def main(url: str) -> None:
        got = b""

        async def read() -> None:
            nonlocal got
            async with async_client(library, seen) as http, http.stream("POST", url, content=BODY) as response:
                async for chunk in response.aiter_raw():
                    got += chunk

        task = asyncio.create_task(read())
        while not got.endswith(DONE):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with serve(lambda *_: Answer(chunks())) as server:
        asyncio.run(main(server.url))
        release.set()
    record = seen.record()
    assert record.finish_reasons == ["stop"]
    assert record.outcome == "success"


def test_async_stream_with_a_body_that_is_streamed(library: Any, seen: Seen) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield BODY

    async def main(url: str) -> bytes:
        async with async_client(library, seen) as http:
            return (await http.post(url, content=parts())).content

    with serve(lambda *_: Answer(STREAM)) as server:
        assert asyncio.run(main(server.url)) == b"".join(STREAM)
    assert seen.record().outcome == "success"


def test_transport_behind_is_used_and_closed(library: Any, seen: Seen) -> None:
    closed = []

    class Behind(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            raise library.ConnectError("no way", request=request)

        def close(self) -> None:
            closed.append(True)

    ours = importlib.import_module(f"llmspan.{library.__name__}")
    with library.Client(transport=ours.Transport(Behind(), recorder=seen.recorder)) as http:
        with pytest.raises(library.ConnectError, match="no way"):
            http.post("http://api.openai.com/v1/chat/completions", content=BODY)
        record = seen.record()
        assert (record.outcome, record.error.type) == ("error", "network")
    assert closed == [True]


@pytest.mark.parametrize("broken", ["begin", "headers", "bytes", "end"])
def test_broken_engine_harms_nobody(library: Any, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("of llmspan")

    recorder = llmspan.Recorder()
    before = _wire.hook_errors()
    if broken == "begin":
        monkeypatch.setattr(_wire._llmspan, "read_request", fail)
    elif broken == "end":
        monkeypatch.setattr(_wire.Call, "end", fail)
    else:
        original = _wire.Call.attempt

        def attempt(self: Any, **fields: Any) -> Any:
            made = original(self, **fields)

            class Broken:
                bytes = made.bytes
                headers = made.headers
                stream_ended = made.stream_ended
                consumer_closed = made.consumer_closed

            setattr(Broken, broken, staticmethod(fail))
            return Broken()

        monkeypatch.setattr(_wire.Call, "attempt", attempt)
    ours = importlib.import_module(f"llmspan.{library.__name__}")
    with serve(lambda *_: Answer(STREAM)) as server:
        with library.Client(transport=ours.Transport(recorder=recorder)) as http:
            assert http.post(server.url, content=BODY).content == b"".join(STREAM)

        async def main() -> bytes:
            async with library.AsyncClient(transport=ours.AsyncTransport(recorder=recorder)) as http:
                return (await http.post(server.url, content=BODY)).content

        assert asyncio.run(main()) == b"".join(STREAM)
    assert _wire.hook_errors() > before
    recorder.close()
