"""Memory stays where it is, over very many chunks and over calls that nobody ends."""

from __future__ import annotations

import gc
import pathlib
import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import llmspan
import llmspan.httpx
from wire.local import DONE, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wire.conftest import Seen

CHUNKS = 1_000_000
CALLS = 10_000
URL = "http://api.openai.com/v1/chat/completions"
BODY = b'{"model":"gpt-4.1","messages":[],"stream":true}'


def resident() -> int:
    """Bytes of this process in memory."""
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096


pytestmark = pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="it is read from /proc")


class Local(httpx.BaseTransport):
    """Answers with a stream that never touches a network."""

    def __init__(self, count: int) -> None:
        self._count = count

    def handle_request(self, request: Any) -> Any:
        del request
        chunk, count = event("word"), self._count

        class Stream(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                for _ in range(count):
                    yield chunk
                yield event("", "stop")
                yield DONE

        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Stream())


def grown(work: Iterator[Any]) -> tuple[int, int]:
    """Run a tenth, then the rest: by how many bytes Python's objects and the process have grown in the rest."""
    for _ in range(CHUNKS // 10):
        next(work)
    gc.collect()
    before = resident()
    for _ in range(CHUNKS * 8 // 10):
        next(work)
    gc.collect()
    process = resident() - before
    # Tracing is slow: it gets the last tenth.
    tracemalloc.start()
    try:
        next(work)
        traced = tracemalloc.get_traced_memory()[0]
        for _ in range(CHUNKS // 10 - 2):
            next(work)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - traced, process
    finally:
        tracemalloc.stop()


def settle(seen: Seen) -> None:
    """Let go of what the test itself keeps."""
    gc.collect()
    assert seen.recorder.flush()
    seen.memory.clear()


def test_chunks_at_the_transport(seen: Seen) -> None:
    with (
        httpx.Client(transport=llmspan.httpx.Transport(Local(CHUNKS), recorder=seen.recorder)) as http,
        http.stream("POST", URL, content=BODY) as response,
    ):
        chunks = response.iter_raw()
        objects, process = grown(chunks)
        for _ in chunks:
            pass
    print(f"{objects} bytes of objects, {process} bytes of the process")
    assert objects < 64 * 1024
    assert process < 4 * 1024 * 1024
    assert seen.record().outcome == "success"


def test_chunks_that_are_observed(seen: Seen) -> None:
    def stream() -> Iterator[Any]:
        said = {"id": "c", "choices": [{"index": 0, "delta": {"content": "word"}, "finish_reason": None}]}
        for _ in range(CHUNKS):
            yield said

    observed = llmspan.observe(stream(), protocol="openai.chat", recorder=seen.recorder)
    objects, process = grown(observed)
    observed.close()
    print(f"{objects} bytes of objects, {process} bytes of the process")
    assert objects < 64 * 1024
    assert process < 4 * 1024 * 1024
    assert seen.record().outcome == "interrupted"


def test_calls_that_nobody_ends(seen: Seen) -> None:
    with httpx.Client(transport=llmspan.httpx.Transport(Local(5), recorder=seen.recorder)) as http:

        def abandon(count: int) -> None:
            for number in range(count):
                response = http.send(http.build_request("POST", URL, content=BODY), stream=True)
                next(response.iter_raw())
                if number % 500 == 0:
                    settle(seen)
            del response
            settle(seen)

        abandon(CALLS // 5)
        before = resident()
        abandon(CALLS)
        process = resident() - before
    print(f"{process} bytes of the process over {CALLS} calls")
    assert process < 8 * 1024 * 1024
    assert seen.recorder.stats.open_calls == 0
    assert seen.recorder.stats.records == CALLS + CALLS // 5


def test_calls_of_the_application_that_nobody_ends(seen: Seen) -> None:
    def abandon(count: int) -> None:
        for number in range(count):
            llmspan.observe(iter([{"choices": []}]), recorder=seen.recorder)
            llmspan.Call("chat", recorder=seen.recorder).attempt()
            if number % 500 == 0:
                settle(seen)
        settle(seen)

    abandon(CALLS // 5)
    before = resident()
    abandon(CALLS)
    assert resident() - before < 8 * 1024 * 1024
    assert seen.recorder.stats.open_calls == 0
