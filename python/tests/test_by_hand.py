"""Calls that are told by hand what happens to them."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

import llmspan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Bench

MS = 1_000_000


def test_retry_then_success(bench: Bench) -> None:
    call = bench.call(model="gpt-4.1-mini")
    with call.phase("prompt.build"):
        bench.clock.advance_ms(20)
    with call.attempt() as first:
        assert first.number == 1
        delay = first.headers(429, {"retry-after": "2", "x-request-id": "req_1"})
        assert delay == 2_000 * MS
        first.fail(status_code=429, retry_after_ns=delay)
    call.retry(delay_ns=delay, reason="rate_limit", server_requested=True)
    bench.clock.advance_ms(2_000)
    with call.attempt() as second:
        bench.clock.advance_ms(300)
        second.bytes("openai.chat", b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n')
        bench.clock.advance_ms(50)
        second.bytes("openai.chat", b"data: [DONE]\n\n")
    call.end()

    record = bench.record
    assert record.outcome == "success"
    assert (record.attempt_count, record.retry_count) == (2, 1)
    assert record.request_setup_ns == 2_020 * MS
    assert record.ttft_ns == 300 * MS
    assert record.duration_ns == 2_370 * MS
    assert [phase.name for phase in record.phases] == ["prompt.build"]
    assert record.attempts[0].error is not None
    assert record.attempts[0].error.type == "429"
    assert record.attempts[0].request_id == "req_1"
    assert record.waits[0].server_requested is True


def test_times_may_be_given(bench: Bench) -> None:
    call = llmspan.Call("chat", stream=True, recorder=bench.recorder, at_ns=1_000)
    call.attempt(at_ns=2_000)
    call.chunk("text", at_ns=5_000)
    call.chunk(terminal=True, usage={"input_tokens": 3, "output_tokens": 4}, at_ns=9_000)
    call.end(at_ns=9_500)
    record = bench.record
    assert (record.request_setup_ns, record.ttft_ns, record.duration_ns) == (1_000, 3_000, 8_500)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (3, 4)


def test_hedged_attempts_take_chunks_by_number(bench: Bench) -> None:
    call = bench.call()
    first = call.attempt()
    second = call.attempt(hedged=True, endpoint="eu")
    first.chunk("text")
    second.chunk("text", bytes=7)
    second.chunk(terminal=True)
    first.fail(error_type="lost")
    call.end()
    attempts = bench.record.attempts
    assert [attempt.outcome for attempt in attempts] == ["error", "success"]
    assert attempts[1].endpoint == "eu"
    assert attempts[1].content is not None
    assert attempts[1].content.text_bytes == 7


def test_usage_apart_from_the_response(bench: Bench) -> None:
    call = bench.call(stream=False)
    call.attempt().usage(input_tokens=10, output_tokens=2, reasoning_tokens=0, cache_read_tokens=None)
    call.usage(output_tokens=2, mode=None)  # type: ignore[arg-type]
    call.usage(output_tokens=5, mode="delta")
    call.end()
    usage = bench.record.usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (10, 7, 0)
    assert usage.cache_read_tokens is None


def test_request_and_attributes(bench: Bench) -> None:
    call = llmspan.Call(
        "chat",
        request={"max_tokens": 100, "temperature": 0.5, "stop_sequences": ["x"], "input_parts": {"system": 7}},
        attributes={"tenant_id": "t", "flag": True, "count": 3, "share": 0.5, "tags": ["a", "b"]},
        recorder=bench.recorder,
    )
    call.attribute(key="json_valid", value=True)
    call.end()
    record = bench.record
    assert record.request is not None
    assert (record.request.max_tokens, record.request.temperature) == (100, 0.5)
    assert record.request.input_parts is not None
    assert record.request.input_parts.system == 7
    assert record.flags is not None
    assert record.flags.json_valid is True
    assert record.caller_attributes == {
        "tenant_id": "t",
        "flag": True,
        "count": 3,
        "share": 0.5,
        "tags": ("a", "b"),
    }


class StatusError(Exception):
    status_code = 503


@pytest.mark.parametrize(
    ("error", "outcome", "error_type"),
    [
        (StatusError("overloaded"), "error", "503"),
        (TimeoutError(), "error", "timeout"),
        (ConnectionResetError(), "error", "network"),
        (ValueError("bad"), "error", "ValueError"),
        (KeyboardInterrupt(), "cancelled", None),
        (asyncio.CancelledError(), "cancelled", None),
        (GeneratorExit(), "interrupted", None),
    ],
)
def test_what_leaves_the_block_ends_the_call(
    bench: Bench, error: BaseException, outcome: str, error_type: str | None
) -> None:
    call = bench.call()
    call.attempt().chunk("text")
    with pytest.raises(type(error)), call:
        raise error
    record = bench.record
    assert record.outcome == outcome
    assert (record.error.type if record.error else None) == error_type


def test_an_attempt_fails_with_what_its_block_raises(bench: Bench) -> None:
    call = bench.call()
    with pytest.raises(StatusError), call.attempt():
        raise StatusError
    with call.attempt() as second:
        second.chunk("text", terminal=True)
    call.end()
    record = bench.record
    assert [attempt.outcome for attempt in record.attempts] == ["error", "success"]
    assert record.attempts[0].error is not None
    assert record.attempts[0].error.status_code == 503


def test_an_attempt_fails_with_a_class_of_errors(bench: Bench) -> None:
    call = bench.call()
    call.attempt()
    call.fail("rate_limit", status_code=429)
    call.end()
    record = bench.record
    assert record.error is not None
    assert (record.outcome, record.error.type, record.error.status_code) == ("error", "rate_limit", 429)


def test_an_attempt_fails_with_a_lost_connection_that_is_called_a_timeout(bench: Bench) -> None:
    late, lost = TimeoutError("late"), TimeoutError("lost")
    lost.__cause__ = ConnectionError("lost")
    call = bench.call()
    call.attempt().fail(late)
    call.attempt().fail(lost)
    call.end()
    errors = [attempt.error for attempt in bench.record.attempts]
    assert [error.type for error in errors if error is not None] == ["timeout", "network"]


def test_async_blocks(bench: Bench) -> None:
    async def main() -> None:
        async with bench.call() as call, call.phase("route"), call.attempt() as attempt:
            attempt.chunk("text", terminal=True)

    asyncio.run(main())
    assert bench.record.outcome == "success"
    assert bench.record.phases[0].left_open is False


def test_a_call_that_is_dropped_is_abandoned(bench: Bench) -> None:
    call = bench.call()
    call.attempt().chunk("text")
    del call
    assert bench.record.outcome == "abandoned"
    assert bench.recorder.stats.open_calls == 0


def test_a_call_in_a_cycle_is_abandoned_by_the_collector(bench: Bench) -> None:
    def leave() -> None:
        holder: list[object] = [bench.call()]
        holder.append(holder)

    leave()
    assert bench.recorder.stats.open_calls == 1
    gc.collect()
    assert bench.record.outcome == "abandoned"


def test_a_call_that_an_exception_drops_is_abandoned(bench: Bench) -> None:
    for _ in range(3):
        with pytest.raises(AttributeError):
            bench.call().nope  # type: ignore[attr-defined] # noqa: B018
        with pytest.raises(ZeroDivisionError):
            print(bench.call(), 1 / 0)
    assert [record.outcome for record in bench.records] == ["abandoned"] * 6


def test_the_first_end_wins(bench: Bench) -> None:
    with bench.call(stream=False) as call:
        call.end(error_type="first")
        assert call.is_open is False
        call.end(error_type="second")
        call.attempt().chunk("text")
    assert bench.record.error is not None
    assert bench.record.error.type == "first"


def test_what_cannot_be_read_is_left_out_and_counted(bench: Bench) -> None:
    call = bench.call()
    with pytest.warns(RuntimeWarning, match="there is no such protocol"):
        call.payload("openai", {})
    call.bytes("openai.chat", 7)  # type: ignore[arg-type]
    call.chunk("txt")  # type: ignore[arg-type]
    call.chunk(response_id=5)  # type: ignore[arg-type]
    call.failed(stats_code=5)  # type: ignore[call-arg]
    call.attributes({"a": object()})  # type: ignore[dict-item]
    call.retry(reason="because")  # type: ignore[arg-type]
    assert call.is_open
    call.end(status="x")  # type: ignore[call-arg]
    assert call.is_open is False
    assert bench.recorder.stats.invalid_events == 8
    assert bench.record.diagnostics.decode_errors == 0


def test_headers_of_any_form(bench: Bench) -> None:
    def pairs() -> Iterator[tuple[bytes, bytes]]:
        yield b"X-Request-Id", b"r\xe9"
        yield b"retry-after", b"1"

    call = bench.call()
    assert call.attempt().headers(503, pairs()) == 1_000 * MS
    assert call.attempt().headers(200, [("request-id", "a"), ("odd", None)]) is None  # type: ignore[list-item]
    assert call.attempt().headers(200, None, request_id="own") is None
    assert call.attempt().headers(200, 5) is None  # type: ignore[arg-type]
    call.end()
    assert [attempt.request_id for attempt in bench.record.attempts] == ["r\u00e9", "a", "own", None]
