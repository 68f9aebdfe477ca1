"""Requests that are attempts of one call, by what a client repeats, without an SDK."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import llmspan
from llmspan import _context
from wire.local import BODY, STREAM, Answer, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wire.conftest import Seen

LIMITED = Answer(
    [b'{"error":{"message":"slow down"}}'], 429, [("content-type", "application/json"), ("retry-after", "0")]
)


@pytest.fixture
def hooked(seen: Seen) -> Iterator[Seen]:
    llmspan.instrument(recorder=seen.recorder)
    yield seen
    llmspan.uninstrument()


def limited_once(number: int, path: str) -> Answer:
    del path
    return Answer(STREAM) if number else LIMITED


def test_same_request_again_is_a_retry(hooked: Seen) -> None:
    with serve(limited_once) as server, httpx.Client() as http:
        assert http.post(server.url, content=BODY).status_code == 429
        assert http.post(server.url, content=BODY).status_code == 200
    record = hooked.record()
    assert (record.outcome, record.attempt_count) == ("success", 2)
    assert [wait.reason for wait in record.waits] == ["rate_limit"]


def test_other_request_is_another_call(hooked: Seen) -> None:
    with serve(limited_once) as server, httpx.Client() as http:
        http.post(server.url, content=BODY)
        http.post(server.url, content=BODY.replace(b"4.1", b"4o"))
    assert [record.outcome for record in hooked.records()] == ["error", "success"]


def test_another_thread_with_the_same_request_is_another_call(hooked: Seen) -> None:
    with serve(limited_once) as server, httpx.Client() as http:
        # The system gives the second thread the number of the first one.
        for _ in range(2):
            thread = threading.Thread(target=lambda: http.post(server.url, content=BODY))
            thread.start()
            thread.join()
        # Only the thread that failed could tell that it gave up: until then, or for ten seconds, the call waits.
        assert hooked.recorder.stats.open_calls == 1
    assert hooked.record().outcome == "success"
    hooked.recorder.close()
    assert [record.outcome for record in hooked.memory.records] == ["error"]


def test_task_after_task_with_the_same_request_is_another_call(hooked: Seen) -> None:
    async def main(url: str) -> None:
        async with httpx.AsyncClient() as http:
            for _ in range(2):
                await asyncio.create_task(_post(http, url))

    with serve(limited_once) as server:
        asyncio.run(main(server.url))
    assert [record.outcome for record in hooked.records()] == ["error", "success"]


async def _post(http: Any, url: str) -> None:
    await http.post(url, content=BODY)


def test_idempotency_key_is_known_in_every_thread(hooked: Seen) -> None:
    headers = {"idempotency-key": "k"}
    with serve(limited_once) as server, httpx.Client() as http:
        for _ in range(2):
            thread = threading.Thread(target=lambda: http.post(server.url, content=BODY, headers=headers))
            thread.start()
            thread.join()
    assert hooked.record().attempt_count == 2


def test_flush_ends_what_the_thread_has_given_up(hooked: Seen) -> None:
    with serve(lambda *_: LIMITED) as server, httpx.Client() as http:
        http.post(server.url, content=BODY)
        assert hooked.recorder.stats.open_calls == 1
        threading.Event().wait(0.3)
        record = hooked.record()
    assert (record.outcome, record.error.status_code) == ("error", 429)
    # It ended with its failure, and not with the flush.
    assert 0 <= record.duration_ns - record.attempts[0].duration_ns < 200e6


def test_flush_ends_what_tasks_that_are_done_have_given_up(hooked: Seen) -> None:
    async def main(url: str) -> None:
        async with httpx.AsyncClient() as http:
            await asyncio.gather(*(_post(http, url) for _ in range(3)))

    with serve(lambda *_: LIMITED) as server:
        asyncio.run(main(server.url))
    assert [record.outcome for record in hooked.records()] == ["error"] * 3


def test_retry_that_does_not_come_ends_the_call_in_time(hooked: Seen) -> None:
    ended = threading.Event()
    recorder = llmspan.Recorder([lambda _: ended.set()])
    llmspan.instrument(recorder=recorder)
    del hooked
    with serve(lambda *_: LIMITED) as server, httpx.Client() as http:
        http.post(server.url, content=BODY)
    # Ten seconds is the patience; nobody asks, nobody flushes.
    assert ended.wait(20)
    assert recorder.stats.open_calls == 0
    recorder.close()


def test_open_call_takes_the_requests_of_its_block(hooked: Seen) -> None:
    with serve(lambda *_: Answer(STREAM)) as server, httpx.Client() as http:
        with llmspan.Call("chat", recorder=hooked.recorder):
            http.post(server.url, content=BODY)
            http.post(server.url, content=BODY)
        http.post(server.url, content=BODY)
    assert [record.attempt_count for record in hooked.records()] == [2, 1]


def test_retry_inside_of_an_open_call(hooked: Seen) -> None:
    with serve(limited_once) as server, httpx.Client() as http, llmspan.Call("chat", recorder=hooked.recorder):
        http.post(server.url, content=BODY)
        http.post(server.url, content=BODY)
    record = hooked.record()
    assert (record.outcome, record.attempt_count) == ("success", 2)
    assert [wait.reason for wait in record.waits] == ["rate_limit"]


def test_task_inherits_the_call_and_keeps_it_to_itself(hooked: Seen) -> None:
    async def main(url: str) -> None:
        async with httpx.AsyncClient() as http:
            async with llmspan.Call("chat", recorder=hooked.recorder):
                await asyncio.create_task(_post(http, url))
            await _post(http, url)

    with serve(lambda *_: Answer(STREAM)) as server:
        asyncio.run(main(server.url))
    assert [record.attempt_count for record in hooked.records()] == [1, 1]
    assert llmspan.current_call() is None


def test_flows_are_numbered_apart() -> None:
    here = _context.flow()
    assert _context.flow() == here
    flows = {here}

    def note() -> None:
        flows.add(_context.flow())

    for _ in range(5):
        thread = threading.Thread(target=note)
        thread.start()
        thread.join()
    assert len(flows) == 6

    async def main() -> None:
        async def note_task() -> None:
            assert _context.flow() == _context.flow()
            flows.add(_context.flow())

        for _ in range(5):
            await asyncio.create_task(note_task())

    asyncio.run(main())
    assert len(flows) == 11
