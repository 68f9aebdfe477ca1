"""Sessions of `requests`, without an SDK."""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

import llmspan
from wire.local import BODY, SSE, STREAM, Answer, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wire.conftest import Seen

requests = pytest.importorskip("requests")

WHOLE = b"".join(STREAM)


@pytest.fixture(autouse=True)
def _hooks(seen: Seen) -> None:
    llmspan.instrument(recorder=seen.recorder)


def by_content(response: Any) -> bytes:
    return bytes(response.content)


def by_size(response: Any) -> bytes:
    return b"".join(response.iter_content(7))


def as_it_comes(response: Any) -> bytes:
    return b"".join(response.iter_content(None))


def by_lines(response: Any) -> bytes:
    return b"\n".join(response.iter_lines()) + b"\n\n"


def raw(response: Any) -> bytes:
    return bytes(response.raw.read())


@pytest.mark.parametrize("read", [by_content, by_size, as_it_comes, by_lines, raw])
def test_every_way_to_read(read: Callable[[Any], bytes], seen: Seen) -> None:
    with serve(lambda *_: Answer(STREAM)) as server, requests.Session() as session:
        with session.post(server.url, data=BODY, stream=True) as response:
            got = read(response)
        # An empty line at the end is no line of its own.
        assert got.strip() == WHOLE.strip()
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

    with serve(lambda *_: Answer(chunks())) as server:
        response = requests.post(server.url, data=BODY, stream=True)
        parts = response.iter_content(None)
        assert next(parts) == STREAM[0]
        go_on.set()
        assert b"".join(parts) == b"".join(STREAM[1:])
    assert seen.record().outcome == "success"


def test_answer_that_is_no_stream(seen: Seen) -> None:
    answer = b'{"id":"c","object":"chat.completion","model":"gpt-4.1","choices":[{"index":0,"finish_reason":"stop",'
    answer += b'"message":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}'
    with serve(lambda *_: Answer([answer], headers=[("content-type", "application/json")])) as server:
        response = requests.post(server.url, json={"model": "gpt-4.1", "messages": []})
        assert response.json() == json.loads(answer)
    record = seen.record()
    assert (record.outcome, record.stream, record.model) == ("success", False, "gpt-4.1")
    assert (record.usage.input_tokens, record.usage.output_tokens) == (3, 1)


def test_requests_to_no_model_are_untouched(seen: Seen) -> None:
    with serve(lambda *_: Answer([b"hello"], headers=[])) as server:
        response = requests.post(server.url.replace("/v1/chat/completions", "/upload"), data=b"x", stream=True)
        assert type(response.raw).__module__ == "urllib3.response"
        assert response.content == b"hello"
        # What is stored there.
        assert requests.get(server.url).content == b"hello"
    assert seen.records() == []


def test_compressed_body(seen: Seen) -> None:
    headers = [*SSE, ("content-encoding", "gzip")]
    with serve(lambda *_: Answer([gzip.compress(WHOLE)], headers=headers)) as server:
        assert requests.post(server.url, data=BODY).content == WHOLE
    record = seen.record()
    assert (record.outcome, record.finish_reasons) == ("success", ["stop"])


def test_reader_that_stops(seen: Seen) -> None:
    left = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield STREAM[0]
        left.wait(10)

    with serve(lambda *_: Answer(chunks())) as server:
        with requests.post(server.url, data=BODY, stream=True) as response:
            assert next(response.iter_content(None)) == STREAM[0]
        left.set()
    record = seen.record()
    assert record.outcome == "interrupted"
    assert record.ttft_ns is not None


@pytest.mark.parametrize("sent", [[], STREAM[:1]], ids=["before the head", "in the body"])
def test_timeout(seen: Seen, sent: list[bytes]) -> None:
    go_on = threading.Event()

    def answer(*_: object) -> Answer:
        def chunks() -> Iterator[bytes]:
            yield from sent
            go_on.wait(10)

        if not sent:
            go_on.wait(10)
        return Answer(chunks())

    with serve(answer) as server:
        # Of a timeout in the body it says that the connection has failed.
        with pytest.raises((requests.Timeout, requests.ConnectionError)):
            requests.post(server.url, data=BODY, timeout=0.3)
        go_on.set()
    record = seen.record()
    assert (record.outcome, record.error.type) == ("timed_out", "timeout")


def test_server_that_is_not_there(seen: Seen) -> None:
    with serve(lambda *_: Answer()) as server:
        pass
    with pytest.raises(requests.ConnectionError):
        requests.post(server.url, data=BODY)
    record = seen.record()
    assert (record.outcome, record.error.type) == ("error", "network")


def test_redirect_is_followed_as_without(seen: Seen) -> None:
    def answer(number: int, _path: str) -> Answer:
        moved = [("location", "/v1/chat/completions?moved")]
        return Answer(STREAM) if number else Answer(status=307, headers=moved)

    with serve(answer) as server:
        response = requests.post(server.url, data=BODY)
        assert response.content == WHOLE
        assert len(response.history) == 1
        assert [body for _, body in server.requests] == [BODY, BODY]
    moved, answered = seen.records()
    assert (moved.attempts[0].status_code, moved.usage) == (307, None)
    assert answered.outcome == "success"


def test_requests_that_are_sent_again_are_attempts_of_one_call(seen: Seen) -> None:
    def answer(number: int, _path: str) -> Answer:
        error = b'{"error":{"message":"slow","type":"rate_limit"}}'
        return Answer(STREAM) if number else Answer([error], 429, [("content-type", "application/json")])

    with serve(answer) as server:
        assert requests.post(server.url, data=BODY).status_code == 429
        assert requests.post(server.url, data=BODY).content == WHOLE
    record = seen.record()
    assert (record.outcome, record.attempt_count, record.attempts[0].status_code) == ("success", 2, 429)


def test_uninstrumented_while_a_response_is_read(seen: Seen) -> None:
    with serve(lambda *_: Answer(STREAM)) as server:
        response = requests.post(server.url, data=BODY, stream=True)
        llmspan.uninstrument()
        assert response.content == WHOLE
        assert requests.post(server.url, data=BODY).content == WHOLE
    assert seen.record().outcome == "success"
