"""Sessions of `aiohttp`, without an SDK."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

import llmspan
from wire.local import BODY, SSE, STREAM, Answer, event, serve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from wire.conftest import Seen
    from wire.local import Server

aiohttp = pytest.importorskip("aiohttp")

WHOLE = b"".join(STREAM)


@pytest.fixture(autouse=True)
def _hooks(seen: Seen) -> None:
    llmspan.instrument(recorder=seen.recorder)


def run(server: Server, use: Callable[[Any, str], Awaitable[Any]], **options: Any) -> Any:
    """Use a session in a loop of its own."""

    async def main() -> Any:
        async with aiohttp.ClientSession(**options) as session:
            return await use(session, server.url)

    return asyncio.run(main())


async def by_lines(content: Any) -> bytes:
    return b"".join([line async for line in content])


async def by_any(content: Any) -> bytes:
    return b"".join([chunk async for chunk in content.iter_any()])


async def by_size(content: Any) -> bytes:
    return b"".join([chunk async for chunk in content.iter_chunked(7)])


async def by_chunks(content: Any) -> bytes:
    return b"".join([chunk async for chunk, _ in content.iter_chunks()])


async def by_readchunk(content: Any) -> bytes:
    got = b""
    while not content.at_eof():
        chunk, _ = await content.readchunk()
        got += chunk
    return got


async def by_events(content: Any) -> bytes:
    got = b""
    while one := await content.readuntil(b"\n\n"):
        got += one
    return got


async def exactly(content: Any) -> bytes:
    got = await content.readexactly(10)
    with pytest.raises(asyncio.IncompleteReadError) as rest:
        await content.readexactly(1_000_000)
    return bytes(got + rest.value.partial)


async def without_waiting(content: Any) -> bytes:
    await content.wait_eof()
    return bytes(content.read_nowait())


async def at_once(content: Any) -> bytes:
    return bytes(await content.read())


WAYS = [by_lines, by_any, by_size, by_chunks, by_readchunk, by_events, exactly, without_waiting, at_once]


@pytest.mark.parametrize("read", WAYS)
def test_every_way_to_read(read: Callable[[Any], Awaitable[bytes]], seen: Seen) -> None:
    async def use(session: Any, url: str) -> bytes:
        async with session.post(url, data=BODY) as response:
            return await read(response.content)

    with serve(lambda *_: Answer(STREAM)) as server:
        assert run(server, use) == WHOLE
        assert server.requests == [("/v1/chat/completions", BODY)]
    record = seen.record()
    assert (record.outcome, record.finish_reasons, record.model) == ("success", ["stop"], "gpt-4.1")
    assert record.attempts[0].status_code == 200


def test_bytes_come_as_they_are_sent(seen: Seen) -> None:
    go_on = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield STREAM[0]
        # The rest is sent once the first chunk has reached the reader: nothing may hold it back.
        assert go_on.wait(10)
        yield from STREAM[1:]

    async def use(session: Any, url: str) -> None:
        async with session.post(url, data=BODY) as response:
            assert await response.content.readany() == STREAM[0]
            go_on.set()
            assert await response.content.read() == b"".join(STREAM[1:])

    with serve(lambda *_: Answer(chunks())) as server:
        run(server, use)
    assert seen.record().outcome == "success"


def test_answer_that_is_no_stream(seen: Seen) -> None:
    answer = b'{"id":"c","object":"chat.completion","model":"gpt-4.1","choices":[{"index":0,"finish_reason":"stop",'
    answer += b'"message":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}'

    async def use(session: Any, url: str) -> Any:
        response = await session.post(url, json={"model": "gpt-4.1", "messages": []})
        return await response.json()

    with serve(lambda *_: Answer([answer], headers=[("content-type", "application/json")])) as server:
        assert run(server, use) == json.loads(answer)
    record = seen.record()
    assert (record.outcome, record.stream, record.model) == ("success", False, "gpt-4.1")
    assert (record.usage.input_tokens, record.usage.output_tokens) == (3, 1)


def test_requests_to_no_model_are_untouched(seen: Seen) -> None:
    async def use(session: Any, url: str) -> None:
        async with session.post(url.replace("/v1/chat/completions", "/upload"), data=b"x") as response:
            assert type(response.content) is aiohttp.StreamReader
            assert await response.read() == b"hello"
        # What is stored there.
        async with session.get(url) as response:
            assert await response.read() == b"hello"

    with serve(lambda *_: Answer([b"hello"], headers=[])) as server:
        run(server, use)
    assert seen.records() == []


@pytest.mark.parametrize("decodes", [True, False])
@pytest.mark.parametrize("of_session", [True, False])
def test_compressed_body(seen: Seen, decodes: bool, of_session: bool) -> None:  # noqa: FBT001
    option = {"auto_decompress": decodes}

    async def use(session: Any, url: str) -> bytes:
        async with session.post(url, data=BODY, **({} if of_session else option)) as response:
            return bytes(await response.read())

    body = gzip.compress(WHOLE)
    with serve(lambda *_: Answer([body], headers=[*SSE, ("content-encoding", "gzip")])) as server:
        assert run(server, use, **(option if of_session else {})) == (WHOLE if decodes else body)
    record = seen.record()
    assert (record.outcome, record.finish_reasons) == ("success", ["stop"])


def test_body_that_is_sent_in_parts_is_left_to_the_application(seen: Seen) -> None:
    async def parts() -> Any:
        yield BODY[:10]
        yield BODY[10:]

    async def use(session: Any, url: str) -> None:
        async with session.post(url, data=parts()) as response:
            assert await response.read() == WHOLE

    with serve(lambda *_: Answer(STREAM)) as server:
        run(server, use)
        assert server.requests[0][1] == BODY
    # What it asks cannot be known.
    assert (seen.record().outcome, seen.records()) == ("success", [])


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, bytes.decode])
def test_forms_of_a_body(seen: Seen, form: Callable[[bytes], Any]) -> None:
    async def use(session: Any, url: str) -> None:
        async with session.post(url, data=form(BODY)) as response:
            assert await response.read() == WHOLE

    with serve(lambda *_: Answer(STREAM)) as server:
        run(server, use)
        assert server.requests[0][1] == BODY
    record = seen.record()
    assert record.outcome == "success"
    # What the request asks for, unless it cannot be known.
    assert record.model == (None if form is memoryview else "gpt-4.1")


def test_reader_that_stops(seen: Seen) -> None:
    left = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield STREAM[0]
        left.wait(10)

    async def use(session: Any, url: str) -> None:
        async with session.post(url, data=BODY) as response:
            assert await response.content.readany() == STREAM[0]
        left.set()

    with serve(lambda *_: Answer(chunks())) as server:
        run(server, use)
    record = seen.record()
    assert record.outcome == "interrupted"
    assert record.ttft_ns is not None


def test_response_is_seen_to_its_end_without_hooks(seen: Seen) -> None:
    async def use(session: Any, url: str) -> None:
        response = await session.post(url, data=BODY)
        llmspan.uninstrument()
        assert await response.read() == WHOLE
        response = await session.post(url, data=BODY)
        assert await response.read() == WHOLE

    with serve(lambda *_: Answer(STREAM)) as server:
        run(server, use)
    assert seen.record().outcome == "success"


def test_response_is_closed_without_hooks(seen: Seen) -> None:
    async def use(session: Any, url: str) -> None:
        response = await session.post(url, data=BODY)
        await response.content.readline()
        llmspan.uninstrument()
        response.close()

    with serve(lambda *_: Answer([event("a"), event("b")])) as server:
        run(server, use)
    assert seen.record().outcome == "interrupted"


TIMEOUTS = [{"total": 0.3}, {"sock_read": 0.3}]


@pytest.mark.parametrize("timeout", TIMEOUTS, ids=["total", "read"])
@pytest.mark.parametrize("sent", [[], STREAM[:1]], ids=["before the head", "in the body"])
def test_timeout(seen: Seen, timeout: dict[str, float], sent: list[bytes]) -> None:
    go_on = threading.Event()

    def answer(*_: object) -> Answer:
        def chunks() -> Iterator[bytes]:
            yield from sent
            go_on.wait(10)

        if not sent:
            go_on.wait(10)
        return Answer(chunks())

    async def use(session: Any, url: str) -> None:
        with pytest.raises(asyncio.TimeoutError):
            async with session.post(url, data=BODY) as response:
                await response.read()
        go_on.set()

    with serve(answer) as server:
        run(server, use, timeout=aiohttp.ClientTimeout(**timeout))
    record = seen.record()
    assert (record.outcome, record.error.type) == ("timed_out", "timeout")


def test_cancelled_task(seen: Seen) -> None:
    go_on = threading.Event()

    def answer(*_: object) -> Answer:
        go_on.wait(10)
        return Answer(STREAM)

    async def use(session: Any, url: str) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(session.post(url, data=BODY), 0.3)
        go_on.set()

    with serve(answer) as server:
        run(server, use)
    assert seen.record().outcome == "cancelled"


def test_server_that_is_not_there(seen: Seen) -> None:
    with serve(lambda *_: Answer()) as server:
        pass

    async def use(session: Any, url: str) -> None:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.post(url, data=BODY)

    run(server, use)
    record = seen.record()
    assert (record.outcome, record.error.type) == ("error", "network")


def test_redirect_is_followed_as_without(seen: Seen) -> None:
    def answer(number: int, _path: str) -> Answer:
        moved = [("location", "/v1/chat/completions?moved")]
        return Answer(STREAM) if number else Answer(status=307, headers=moved)

    async def use(session: Any, url: str) -> None:
        async with session.post(url, data=BODY) as response:
            assert await response.read() == WHOLE
            assert len(response.history) == 1

    with serve(answer) as server:
        run(server, use)
        assert [body for _, body in server.requests] == [BODY, BODY]
    moved, answered = seen.records()
    assert (moved.attempts[0].status_code, moved.usage) == (307, None)
    assert answered.outcome == "success"


@pytest.mark.parametrize("raises", [True, False])
def test_requests_that_are_sent_again_are_attempts_of_one_call(seen: Seen, raises: bool) -> None:  # noqa: FBT001
    def answer(number: int, _path: str) -> Answer:
        error = b'{"error":{"message":"slow","type":"rate_limit"}}'
        return Answer(STREAM) if number else Answer([error], 429, [("content-type", "application/json")])

    async def use(session: Any, url: str) -> None:
        if raises:
            with pytest.raises(aiohttp.ClientResponseError):
                await session.post(url, data=BODY, raise_for_status=True)
        else:
            async with session.post(url, data=BODY) as response:
                assert response.status == 429
        async with session.post(url, data=BODY) as response:
            assert await response.read() == WHOLE

    with serve(answer) as server:
        run(server, use)
    record = seen.record()
    assert (record.outcome, record.attempt_count, record.attempts[0].status_code) == ("success", 2, 429)


def test_middleware_of_the_application(seen: Seen) -> None:
    passed = []

    async def again(request: Any, send: Any) -> Any:
        passed.append(request.url.path)
        response = await send(request)
        if response.status == 503:
            response.release()
            response = await send(request)
        return response

    def answer(number: int, _path: str) -> Answer:
        return Answer(STREAM) if number % 2 else Answer([b"{}"], 503)

    async def use(session: Any, url: str) -> None:
        async with session.post(url, data=BODY) as response:
            assert await response.read() == WHOLE
        async with session.post(url, data=BODY, middlewares=(again,)) as response:
            assert await response.read() == WHOLE

    with serve(answer) as server:
        run(server, use, middlewares=(again,))
    assert passed == ["/v1/chat/completions"] * 2
    assert [(record.outcome, record.attempt_count) for record in seen.records()] == [("success", 2)] * 2


@pytest.mark.skipif(not importlib.util.find_spec("httpx_aiohttp"), reason="it is not installed")
def test_transport_of_another_client_is_seen_once(seen: Seen) -> None:
    import httpx
    import httpx_aiohttp

    async def use(url: str) -> bytes:
        async with httpx.AsyncClient(transport=httpx_aiohttp.AiohttpTransport()) as http:
            return (await http.post(url, content=BODY)).content

    with serve(lambda *_: Answer(STREAM)) as server:
        assert asyncio.run(use(server.url)) == WHOLE
    record = seen.record()
    assert (record.outcome, record.attempt_count, record.finish_reasons) == ("success", 1, ["stop"])


@pytest.mark.parametrize("broken", ["begin", "headers", "take_first"])
def test_broken_hook_harms_nobody(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmspan import _wire

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(_wire.Wire if broken == "begin" else _wire.Tap, broken, fail)
    monkeypatch.setattr(_wire, "_errors", [0])
    recorder = llmspan.Recorder()
    llmspan.instrument(recorder=recorder)

    async def use(session: Any, url: str) -> bytes:
        async with session.post(url, data=BODY) as response:
            return bytes(await response.read())

    with serve(lambda *_: Answer(STREAM)) as server:
        assert run(server, use) == WHOLE
    assert _wire.hook_errors() > 0
    recorder.close()
