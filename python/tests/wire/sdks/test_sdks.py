"""SDKs against a server that misbehaves, with hooks in the library that they send with."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import statistics
import threading
from typing import TYPE_CHECKING, Any

import pytest

import llmspan
from wire.sdks.clients import CLIENTS, Client, Options
from wire.sdks.compare import Sight, read, read_async

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from wire.conftest import Faults, Seen

pytest.importorskip("openai")

# What SDKs and their connections leave behind is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")

MODES = [
    pytest.param(client, mode, id=f"{client.name}-{mode}")
    for client in CLIENTS
    for mode in ("sync", "async")
    if client.is_installed and (mode == "sync" or client.stream_async is not None)
]
WHOLE = [
    pytest.param(client, mode, id=f"{client.name}-{mode}")
    for client in CLIENTS
    for mode in ("sync", "async")
    if client.is_installed and (client.whole if mode == "sync" else client.whole_async) is not None
]


DEFAULTS = Options()


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end, with what an SDK left to the event loop."""

    async def main() -> Any:
        try:
            return await coroutine
        finally:
            gc.collect()
            for _ in range(3):
                await asyncio.sleep(0)

    return asyncio.run(main())


def look(client: Client, mode: str, base: str, options: Options = DEFAULTS, **how: Any) -> Sight:
    """Read a stream."""
    if mode == "sync":
        return read(client, base, options, **how)
    return run(read_async(client, base, options, **how))


def ask(client: Client, mode: str, base: str, options: Options = DEFAULTS) -> Sight:
    """Ask for a whole answer."""
    sight = Sight()
    try:
        if mode == "sync":
            assert client.whole is not None
            sight.take(client.whole(base, options))
        else:
            assert client.whole_async is not None
            sight.take(run(client.whole_async(base, options)))  # type: ignore[arg-type]
    except Exception as error:
        from wire.sdks.compare import origin

        sight.error = origin(error)
    return sight


def both(faults: Faults, seen: Seen, parameters: str, see: Callable[[str], Sight]) -> Sight:
    """Look once without llmspan and once with it: the application has to see the same."""
    bare = see(faults.url(parameters))
    llmspan.instrument(recorder=seen.recorder)
    try:
        observed = see(faults.url(parameters))
    finally:
        llmspan.uninstrument()
    assert observed == bare
    return observed


def served(client: Client, parameters: str = "") -> str:
    """Parameters for the server, which cannot tell all clients by their path."""
    return "&".join(filter(None, ["protocol=groq" if client.name == "groq" else "", parameters]))


@pytest.mark.parametrize(("client", "mode"), MODES)
def test_complete_stream(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    sight = both(faults, seen, served(client), lambda base: look(client, mode, base))
    assert sight.error is None
    assert len(sight.chunks) >= 4
    record = seen.record()
    (request,) = faults.truth()
    assert record.outcome == "success"
    assert record.stream is True
    assert (record.usage.input_tokens, record.usage.output_tokens) == (21, 9)
    assert record.finish_reasons == [client.finish]
    assert record.attempt_count == 1
    assert record.attempts[0].status_code == 200
    assert record.model
    # Behind a local address the paths of some providers look like OpenAI's.
    assert record.provider in {client.provider, "openai"}
    assert record.start_unix_ns <= request["accepted_at_ns"]


@pytest.mark.parametrize(("client", "mode"), MODES)
def test_time_to_first_token(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    llmspan.instrument(recorder=seen.recorder)
    errors = []
    for _ in range(6):
        look(client, mode, faults.url(served(client, "first=40")))
        record = seen.record()
        (request,) = faults.truth()
        errors.append(record.start_unix_ns + record.call_ttft_ns - request["first_visible_at_ns"])
    # The first one imports and prepares what the SDK needs while the answer waits to be read.
    errors = errors[1:]
    print(
        f"{client.name} {mode}: {statistics.median(errors) / 1e6:.2f} ms behind the server, at most {max(errors) / 1e6:.2f}"
    )
    # Whatever else runs on the machine adds to it; the least is what the measurement itself is off by.
    assert 0 <= min(errors) < 5e6
    assert statistics.median(errors) < 50e6


@pytest.mark.parametrize(("client", "mode"), WHOLE)
def test_whole_answer(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    sight = both(faults, seen, served(client), lambda base: ask(client, mode, base))
    assert sight.error is None
    record = seen.record()
    assert record.outcome == "success"
    assert record.stream is False
    assert record.ttft_ns is None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (21, 9)
    assert record.finish_reasons == [client.finish]


@pytest.mark.parametrize(("client", "mode"), WHOLE)
def test_compressed_answer(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    sight = both(faults, seen, served(client, "gzip=real"), lambda base: ask(client, mode, base))
    assert sight.error is None
    record = seen.record()
    assert record.outcome == "success"
    assert (record.usage.input_tokens, record.usage.output_tokens) == (21, 9)


@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if mode.values[0].gzip])
def test_compressed_stream(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    sight = both(faults, seen, served(client, "gzip=real"), lambda base: look(client, mode, base))
    assert sight.error is None
    record = seen.record()
    assert record.outcome == "success"
    assert (record.usage.input_tokens, record.usage.output_tokens) == (21, 9)


@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if mode.values[0].retries])
def test_retry_of_the_sdk(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    parameters = served(client, "plan=429,ok&retry-after-ms=60")
    both(faults, seen, parameters, lambda base: look(client, mode, base, Options(retries=2)))
    record = seen.record()
    requests = faults.truth()
    assert record.attempt_count == len(requests)
    assert record.attempts[0].status_code == 429
    if len(requests) == 1:
        # Streams of this SDK are not repeated.
        assert client.name == "cohere"
        assert (record.outcome, record.error.status_code) == ("error", 429)
        return
    assert record.outcome == "success"
    (wait,) = record.waits
    assert wait.reason == "rate_limit"
    assert wait.planned_delay_ns == 60_000_000
    between = requests[1]["accepted_at_ns"] - requests[0]["headers_at_ns"]
    assert 0 <= between - wait.actual_delay_ns < 30e6
    assert (record.usage.input_tokens, record.usage.output_tokens) == (21, 9)


@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if mode.values[0].retries])
def test_exhausted_retries_end_at_the_last_failure(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    parameters = served(client, "plan=503&retry-after-ms=20")
    sight = both(faults, seen, parameters, lambda base: look(client, mode, base, Options(retries=1)))
    assert sight.error is not None
    record = seen.record()
    requests = faults.truth()
    assert record.outcome == "error"
    assert record.attempt_count == len(requests)
    assert record.error.status_code == 503
    end = record.start_unix_ns + record.duration_ns
    assert 0 <= end - requests[-1]["headers_at_ns"] < 100e6


FAULTS = [("cut", "stream_truncated"), ("drop", "network"), ("reset", "network"), ("error-frame", None)]


@pytest.mark.parametrize(("fault", "error_type"), FAULTS, ids=[fault for fault, _ in FAULTS])
@pytest.mark.parametrize(("client", "mode"), MODES)
def test_fault_in_mid_stream(
    client: Client, mode: str, fault: str, error_type: str | None, faults: Faults, seen: Seen
) -> None:
    both(faults, seen, served(client, f"plan={fault}"), lambda base: look(client, mode, base))
    record = seen.record()
    assert record.outcome == "error"
    assert record.ttft_ns is not None
    assert record.attempt_count == 1
    if error_type is not None:
        assert record.error.type == error_type
    else:
        assert record.error.type not in {"stream_truncated", "network"}


@pytest.mark.parametrize(("client", "mode"), MODES)
def test_connection_lost_before_the_headers(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    sight = both(faults, seen, served(client, "plan=drop&at=head"), lambda base: look(client, mode, base))
    assert sight.error is not None
    record = seen.record()
    assert (record.outcome, record.error.type) == ("error", "network")


@pytest.mark.parametrize(("client", "mode"), MODES)
def test_reader_that_stops_and_closes(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    parameters = served(client, "chunks=20&interval=10")
    sight = both(faults, seen, parameters, lambda base: look(client, mode, base, limit=6))
    assert len(sight.chunks) == 6
    record = seen.record()
    # This SDK closes nothing: its response is garbage then.
    is_left = (client.name, mode) == ("dashscope", "sync")
    assert record.outcome == ("abandoned" if is_left else "interrupted")
    # It ends when the reader stops, long before the answer would.
    assert record.duration_ns < 190e6 + record.ttft_ns


@pytest.mark.parametrize(("client", "mode"), MODES)
def test_reader_that_stops_and_drops(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    llmspan.instrument(recorder=seen.recorder)
    base = faults.url(served(client, "chunks=20&interval=5"))

    def drop() -> None:
        with contextlib.ExitStack() as stack:
            chunks = client.stream(base, Options())
            if client.manager:
                # Its block is never left.
                stack.enter_context(chunks)
                stack.pop_all()
            _first(iter(chunks if not client.manager else chunks.__enter__()))

    async def drop_async() -> None:
        assert client.stream_async is not None
        chunks: Any = await client.stream_async(base, Options())
        if client.manager:
            chunks = await chunks.__aenter__()
        async for _ in chunks:
            break

    if mode == "async":
        run(drop_async())
    else:
        if client.manager:
            pytest.skip("a block is left, or the stream never began")
        drop()
    # SDKs that read on when they are dropped are cancelled by the end of the event loop.
    assert seen.record().outcome in {"interrupted", "abandoned"} | ({"cancelled"} if mode == "async" else set())


def _first(chunks: Any) -> Any:
    return next(chunks)


@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if not mode.values[0].manager])
def test_stream_that_is_never_read(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    llmspan.instrument(recorder=seen.recorder)
    base = faults.url(served(client))

    async def forget() -> None:
        assert client.stream_async is not None
        await client.stream_async(base, Options())

    if mode == "async":
        run(forget())
    else:
        client.stream(base, Options())
    # An SDK may send the request when it is read, and then there is no call.
    assert [record.outcome for record in seen.records()] in ([], ["abandoned"], ["interrupted"])


@pytest.mark.parametrize("where", ["head=3000", "stall=3000"])
@pytest.mark.parametrize(("client", "mode"), MODES)
def test_timeout_of_the_client(client: Client, mode: str, where: str, faults: Faults, seen: Seen) -> None:
    before_headers = where.startswith("head")
    sight = both(faults, seen, served(client, where), lambda base: look(client, mode, base, Options(timeout=0.3)))
    assert sight.error is not None
    record = seen.record()
    if before_headers:
        assert (record.outcome, record.timeout_kind, record.error.type) == ("timed_out", "idle", "timeout")
        assert record.ttft_ns is None
    else:
        assert record.outcome == "timed_out"
        assert record.ttft_ns is not None
    assert 250e6 < record.duration_ns < 2900e6


@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if mode.values[0].retries])
def test_timeout_that_the_sdk_hides(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    parameters = served(client, "plan=hang,ok&at=head")
    both(faults, seen, parameters, lambda base: look(client, mode, base, Options(timeout=0.4, retries=1)))
    record = seen.record()
    requests = faults.truth()
    assert record.attempt_count == len(requests)
    if len(requests) == 1:
        # Not every SDK repeats what has timed out.
        assert client.name in {"cohere", "google-genai", "mistralai"}
        assert (record.outcome, record.timeout_kind) == ("timed_out", "idle")
        return
    assert record.outcome == "success"
    assert (record.attempts[0].outcome, record.attempts[0].error.type) == ("error", "timeout")
    assert [wait.reason for wait in record.waits] == ["timeout"]
    assert (record.usage.input_tokens, record.usage.output_tokens) == (21, 9)


@pytest.mark.parametrize("where", ["head=5000", "stall=5000"])
@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if mode.values[1] == "async"])
def test_cancelled_task(client: Client, mode: str, where: str, faults: Faults, seen: Seen) -> None:
    del mode
    llmspan.instrument(recorder=seen.recorder)
    base = faults.url(served(client, where))

    async def main() -> None:
        started = asyncio.Event()

        async def consume() -> None:
            assert client.stream_async is not None
            stream: Any = await client.stream_async(base, Options())
            if client.manager:
                async with stream as chunks:
                    async for _ in chunks:
                        started.set()
            else:
                async for _ in stream:
                    started.set()

        task = asyncio.create_task(consume())
        if where.startswith("stall"):
            await started.wait()
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    record = seen.record()
    assert record.outcome == "cancelled"
    assert 50e6 < record.duration_ns < 4900e6


@pytest.mark.parametrize(("client", "mode"), MODES)
def test_two_streams_at_a_time(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    if client.manager:
        pytest.skip("as the other streams of this SDK")
    llmspan.instrument(recorder=seen.recorder)
    first, second = faults.url(served(client)), faults.url(served(client, "output=5&chunks=3&plan=error-frame"))

    def sync() -> None:
        streams = [iter(client.stream(first, Options())), iter(client.stream(second, Options()))]
        while streams:
            for stream in list(streams):
                try:
                    next(stream)
                except Exception:
                    streams.remove(stream)

    async def asynchronous() -> None:
        assert client.stream_async is not None
        streams = [aiter(await client.stream_async(base, Options())) for base in (first, second)]
        while streams:
            for stream in list(streams):
                try:
                    await anext(stream)
                except (Exception, StopAsyncIteration):
                    streams.remove(stream)

    if mode == "sync":
        sync()
    else:
        run(asynchronous())
    good, bad = seen.records()
    if good.outcome == "error":
        # An SDK that sends when it is read begins both at the same time.
        good, bad = bad, good
    assert (good.outcome, bad.outcome) == ("success", "error")
    assert (good.usage.input_tokens, good.usage.output_tokens) == (21, 9)


@pytest.mark.parametrize(("client", "mode"), WHOLE)
def test_requests_of_a_block_are_attempts_of_one_call(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    llmspan.instrument(recorder=seen.recorder)

    def both_requests() -> None:
        with llmspan.Call("chat", model="the application's", recorder=seen.recorder) as call, call.phase("tools"):
            assert client.whole is not None
            client.whole(faults.url(served(client)), Options())
            client.whole(faults.url(served(client)), Options())

    async def both_requests_async() -> None:
        async with llmspan.Call("chat", model="the application's", recorder=seen.recorder):
            assert client.whole_async is not None
            await client.whole_async(faults.url(served(client)), Options())
            await client.whole_async(faults.url(served(client)), Options())

    if mode == "sync":
        both_requests()
    else:
        run(both_requests_async())
    record = seen.record()
    assert (record.outcome, record.model, record.attempt_count) == ("success", "the application's", 2)
    assert [attempt.usage.output_tokens for attempt in record.attempts] == [9, 9]
    assert llmspan.current_call() is None


@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if mode.values[1] == "sync"])
def test_threads(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    llmspan.instrument(recorder=seen.recorder)
    base = faults.url(served(client))
    sights: list[Sight] = []
    threads = [threading.Thread(target=lambda: sights.append(look(client, mode, base))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sight.error for sight in sights] == [None] * 20
    records = seen.records()
    assert [record.outcome for record in records] == ["success"] * 20
    assert [record.usage.output_tokens for record in records] == [9] * 20


@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if mode.values[1] == "async"])
def test_tasks(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    del mode
    llmspan.instrument(recorder=seen.recorder)
    base = faults.url(served(client))

    async def main() -> list[Sight]:
        return await asyncio.gather(*(read_async(client, base, Options()) for _ in range(20)))

    assert [sight.error for sight in run(main())] == [None] * 20
    records = seen.records()
    assert [record.outcome for record in records] == ["success"] * 20


@pytest.mark.parametrize("name", ["openai.chat", "anthropic"])
def test_trio(name: str, faults: Faults, seen: Seen) -> None:
    trio = pytest.importorskip("trio")
    client = next(client for client in CLIENTS if client.name == name)
    llmspan.instrument(recorder=seen.recorder)

    assert trio.run(lambda: read_async(client, faults.url(), Options())).error is None
    assert seen.record().outcome == "success"

    # A retry is known again by its task.
    plan = "plan=429,ok&retry-after-ms=20"
    assert trio.run(lambda: read_async(client, faults.url(plan), Options(retries=1))).error is None
    assert seen.record().attempt_count == 2

    async def give_up() -> None:
        with trio.move_on_after(0.3) as scope:
            await read_async(client, faults.url("stall=5000"), Options())
        assert scope.cancelled_caught

    trio.run(give_up)
    record = seen.record()
    assert record.outcome == "cancelled"
    assert record.duration_ns < 4.9e9


def test_error_of_the_application_in_its_loop(faults: Faults, seen: Seen) -> None:
    client = CLIENTS[0]
    llmspan.instrument(recorder=seen.recorder)
    error = KeyError("of the application")

    def loop() -> None:
        with client.stream(faults.url("chunks=20"), Options()) as stream:
            for _ in stream:
                raise error

    with pytest.raises(KeyError) as raised:
        loop()
    assert raised.value is error
    assert seen.record().outcome == "interrupted"


def test_uninstrumented_while_a_stream_is_read(faults: Faults, seen: Seen) -> None:
    client = CLIENTS[0]
    llmspan.instrument(recorder=seen.recorder)
    stream = client.stream(faults.url(), Options())
    llmspan.uninstrument()
    for _ in stream:
        pass
    assert seen.record().outcome == "success"
    for _ in client.stream(faults.url(), Options()):
        pass
    assert seen.records() == []


def test_patience_ends_a_call_that_nobody_flushes(faults: Faults, seen: Seen) -> None:
    client = CLIENTS[0]
    llmspan.instrument(recorder=seen.recorder)
    look(client, "sync", faults.url("plan=500"), Options(retries=0))
    # Until then it may be repeated.
    assert seen.recorder.stats.open_calls == 1
    # Another request of the same thread: it has given up.
    look(client, "sync", faults.url(), Options())
    assert seen.recorder.stats.open_calls == 0
    assert [record.outcome for record in seen.records()] == ["error", "success"]
