"""Streams of any kind, observed: objects, JSON, bytes; generators, managers, and what is none of them."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
from typing import TYPE_CHECKING, Any

import pytest

import llmspan
from llmspan import _wire
from wire.local import STREAM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from wire.conftest import Seen

EVENTS = [json.loads(chunk[6:]) for chunk in STREAM[:-1]]
USAGE = {
    "id": "c",
    "object": "chat.completion.chunk",
    "model": "gpt-4.1",
    "choices": [],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
}


class Thing:
    """An object with fields, as SDKs have."""

    def __init__(self, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            setattr(self, name, _thing(value))


def _thing(value: Any) -> Any:
    if isinstance(value, dict):
        return Thing(value)
    return [_thing(item) for item in value] if isinstance(value, list) else value


class Wrapped:
    """An event of a server that sends events."""

    def __init__(self, data: Any) -> None:
        self.data = data


FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dict": lambda event: event,
    "object": Thing,
    "text": json.dumps,
    "JSON bytes": lambda event: json.dumps(event).encode(),
    "raw bytes": lambda event: b"data: " + json.dumps(event).encode() + b"\n\n",
    "raw text": lambda event: f"data: {json.dumps(event)}\n\n",
    "wrapped": lambda event: Wrapped(Thing(event)),
}


@pytest.mark.parametrize("protocol", [None, "openai.chat"])
@pytest.mark.parametrize("form", FORMS)
def test_forms_of_chunks(form: str, protocol: str | None, seen: Seen) -> None:
    chunks = [FORMS[form](event) for event in [*EVENTS, USAGE]]
    got = list(llmspan.observe(iter(chunks), protocol=protocol, model="m", recorder=seen.recorder))
    assert all(one is other for one, other in zip(got, chunks, strict=True))
    record = seen.record()
    assert (record.outcome, record.finish_reasons, record.model) == ("success", ["stop"], "m")
    assert (record.usage.input_tokens, record.usage.output_tokens) == (3, 2)
    assert record.ttft_ns is not None


def test_chunks_that_nobody_knows(seen: Seen) -> None:
    chunks = [object(), 3, None, Thing({"x": 1})]
    assert list(llmspan.observe(iter(chunks), recorder=seen.recorder)) == chunks
    record = seen.record()
    assert (record.outcome, record.ttft_ns) == ("success", None)


def test_unknown_protocol_is_said_at_once() -> None:
    with pytest.raises(llmspan.errors.UnknownProtocolError, match="nothing"):
        llmspan.observe(iter(()), protocol="nothing")


def test_break_with_close_and_without(seen: Seen) -> None:
    def stream() -> Iterator[Any]:
        yield from EVENTS

    observed = llmspan.observe(stream(), recorder=seen.recorder)
    for _ in observed:
        break
    observed.close()
    assert seen.record().outcome == "interrupted"
    for _ in llmspan.observe(stream(), recorder=seen.recorder):
        break
    assert seen.record().outcome == "interrupted"
    observed = llmspan.observe(stream(), recorder=seen.recorder)
    del observed
    assert [record.outcome for record in seen.records()] == ["interrupted"]


def test_closing_closes_the_stream(seen: Seen) -> None:
    ended = []

    def stream() -> Iterator[Any]:
        try:
            yield from EVENTS
        finally:
            ended.append("sync")

    observed = llmspan.observe(stream(), recorder=seen.recorder)
    next(observed)
    observed.close()
    assert ended == ["sync"]

    async def astream() -> AsyncIterator[Any]:
        try:
            for event in EVENTS:
                yield event
        finally:
            ended.append("async")

    async def main() -> None:
        async with llmspan.observe(astream(), recorder=seen.recorder) as chunks:
            await chunks.__anext__()

    asyncio.run(main())
    assert ended == ["sync", "async"]
    assert [record.outcome for record in seen.records()] == ["interrupted"] * 2


def test_exceptions_of_the_stream_pass_unchanged(seen: Seen) -> None:
    error = ConnectionResetError("gone")

    def stream() -> Iterator[Any]:
        yield EVENTS[0]
        raise error

    with pytest.raises(ConnectionResetError) as raised:
        list(llmspan.observe(stream(), recorder=seen.recorder))
    assert raised.value is error
    assert raised.traceback[-1].name == "stream"
    assert error.__context__ is None
    record = seen.record()
    assert (record.outcome, record.error.type) == ("error", "network")


@pytest.mark.parametrize("abort", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_aborts(abort: type[BaseException], seen: Seen) -> None:
    def stream() -> Iterator[Any]:
        yield EVENTS[0]
        raise abort

    with pytest.raises(abort):
        list(llmspan.observe(stream(), recorder=seen.recorder))
    assert seen.record().outcome == "cancelled"


def test_stream_can_be_read_in_parts_and_after_its_end(seen: Seen) -> None:
    observed = llmspan.observe(iter(EVENTS), recorder=seen.recorder)
    first = next(observed)
    assert [first, *observed] == EVENTS
    assert list(observed) == []
    assert seen.record().outcome == "success"


def test_what_is_none_of_ours_is_the_streams(seen: Seen) -> None:
    class Stream:
        request_id = "r"

        def __init__(self) -> None:
            self._events = iter(EVENTS)

        def __iter__(self) -> Iterator[Any]:
            return self._events

        def until_done(self) -> str:
            return "done"

    observed: Any = llmspan.observe(Stream(), recorder=seen.recorder)
    assert (observed.request_id, observed.until_done()) == ("r", "done")
    assert "Stream" in repr(observed)
    with pytest.raises(AttributeError, match="nothing"):
        observed.nothing  # noqa: B018 - that it raises
    assert list(observed) == EVENTS
    assert copy.copy(observed).request_id == "r"
    assert seen.record().outcome == "success"


def test_managers(seen: Seen) -> None:
    left = []

    class Manager:
        def __enter__(self) -> Iterator[Any]:
            return iter(EVENTS)

        def __exit__(self, kind: object, error: object, traceback: object) -> bool:
            left.append(error)
            return isinstance(error, LookupError)

    with llmspan.observe(Manager(), recorder=seen.recorder) as stream:  # type: ignore[call-overload]
        assert list(stream) == EVENTS
    error = LookupError("swallowed by the manager")
    with llmspan.observe(Manager(), recorder=seen.recorder) as stream:  # type: ignore[call-overload]
        next(stream)
        raise error
    assert left == [None, error]
    assert [record.outcome for record in seen.records()] == ["success", "interrupted"]


def test_cancelled_reader(seen: Seen) -> None:
    async def stream() -> AsyncIterator[Any]:
        yield EVENTS[0]
        await asyncio.sleep(60)

    async def main() -> None:
        async def read() -> None:
            async for _ in llmspan.observe(stream(), recorder=seen.recorder):
                started.set()

        started = asyncio.Event()
        task = asyncio.create_task(read())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(read(), 0.05)

    asyncio.run(main())
    assert [record.outcome for record in seen.records()] == ["cancelled", "cancelled"]


def test_current_call_is_not_leaked(seen: Seen) -> None:
    inside = []

    def stream() -> Iterator[Any]:
        inside.append(llmspan.current_call())
        yield from EVENTS

    for _ in llmspan.observe(stream(), recorder=seen.recorder):
        # The application's own calls in its loop are calls of their own.
        assert llmspan.current_call() is None
    assert inside[0] is not None
    assert llmspan.current_call() is None
    assert seen.record().outcome == "success"


def test_call_of_the_application(seen: Seen) -> None:
    with llmspan.Call("chat", recorder=seen.recorder) as call:
        assert list(llmspan.observe(iter(EVENTS))) == EVENTS
        assert call.is_open
        with call.attempt() as attempt:
            assert list(llmspan.observe(iter(EVENTS), attempt=attempt)) == EVENTS
    record = seen.record()
    assert (record.outcome, record.attempt_count) == ("success", 2)


def test_two_streams_in_turn(seen: Seen) -> None:
    streams = [llmspan.observe(iter(EVENTS), recorder=seen.recorder) for _ in range(2)]
    assert [(one, other) for one, other in zip(*streams, strict=False)] == [(event, event) for event in EVENTS]
    del streams
    gc.collect()
    assert len(seen.records()) == 2


@pytest.mark.parametrize("broken", ["attempt", "payload", "end"])
def test_broken_engine_harms_nobody(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("of llmspan")

    recorder = llmspan.Recorder()
    before = _wire.hook_errors()
    owner = llmspan.Attempt if broken == "payload" else llmspan.Call
    monkeypatch.setattr(owner, broken, fail, raising=False)
    assert list(llmspan.observe(iter(EVENTS), recorder=recorder)) == EVENTS

    async def stream() -> AsyncIterator[Any]:
        for event in EVENTS:
            yield event

    async def main() -> list[Any]:
        return [chunk async for chunk in llmspan.observe(stream(), recorder=recorder)]

    assert asyncio.run(main()) == EVENTS
    assert _wire.hook_errors() > before
    recorder.close()
