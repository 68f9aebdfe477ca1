"""SDKs without hooks: a transport for one client, or a stream that is observed; and both together."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

import llmspan
from wire.sdks.clients import CLIENTS, Client, Options
from wire.sdks.compare import Sight, origin
from wire.sdks.test_sdks import FAULTS, look, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from wire.conftest import Faults, Seen

pytest.importorskip("openai")

pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = ("openai.chat", "openai.responses", "anthropic", "anthropic.stream")
MODES = [
    pytest.param(client, mode, id=f"{client.name}-{mode}")
    for client in CLIENTS
    for mode in ("sync", "async")
    if client.is_installed and client.name in NAMES
]


def transport(client: Client, mode: str, seen: Seen) -> Options:
    """Options with a client of the HTTP library that has our transport."""
    library = importlib.import_module(client.http)
    ours = importlib.import_module(f"llmspan.{client.http}")
    if mode == "sync":
        return Options(http_client=library.Client(transport=ours.Transport(recorder=seen.recorder)))
    return Options(http_client=library.AsyncClient(transport=ours.AsyncTransport(recorder=seen.recorder)))


def watcher(seen: Seen) -> Callable[[Any], Any]:
    return lambda stream: llmspan.observe(stream, recorder=seen.recorder)


def see(kind: str, client: Client, mode: str, base: str, seen: Seen, **how: Any) -> Sight:
    """Read a stream in one of the ways."""
    options = Options()
    if "transport" in kind:
        options = transport(client, mode, seen)
    if "observe" in kind:
        how["watch"] = watcher(seen)
    if "hooks" in kind:
        llmspan.instrument(recorder=seen.recorder)
    try:
        return look(client, mode, base, options, **how)
    finally:
        llmspan.uninstrument()


ALL = [
    pytest.param(client, mode, id=f"{client.name}-{mode}")
    for client in CLIENTS
    for mode in ("sync", "async")
    if client.is_installed and (mode == "sync" or client.stream_async is not None)
]


@pytest.mark.parametrize("kind", ["observe", "observe and hooks"])
@pytest.mark.parametrize(("client", "mode"), ALL)
def test_observed_stream_of_every_sdk(client: Client, mode: str, kind: str, faults: Faults, seen: Seen) -> None:
    parameters = "protocol=groq" if client.name == "groq" else ""
    bare = look(client, mode, faults.url(parameters))
    assert see(kind, client, mode, faults.url(parameters), seen) == bare
    assert bare.error is None
    record = seen.record()
    assert record.outcome == "success"
    assert record.finish_reasons == [client.finish]
    assert (record.usage.input_tokens, record.usage.output_tokens) == (21, 9)


KINDS = ("transport", "observe", "observe and hooks", "observe and transport", "transport and hooks")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("client", "mode"), MODES)
def test_complete_stream(client: Client, mode: str, kind: str, faults: Faults, seen: Seen) -> None:
    bare = look(client, mode, faults.url())
    assert see(kind, client, mode, faults.url(), seen) == bare
    assert bare.error is None
    record = seen.record()
    (request,) = faults.truth()
    assert record.outcome == "success"
    assert record.finish_reasons == [client.finish]
    assert (record.usage.input_tokens, record.usage.output_tokens) == (21, 9)
    assert record.attempt_count == 1
    behind = record.start_unix_ns + record.call_ttft_ns - request["first_visible_at_ns"]
    assert 0 <= behind < 500e6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fault", "error_type"), FAULTS, ids=[fault for fault, _ in FAULTS])
@pytest.mark.parametrize(("client", "mode"), MODES)
def test_fault_in_mid_stream(
    client: Client, mode: str, fault: str, error_type: str | None, kind: str, faults: Faults, seen: Seen
) -> None:
    bare = look(client, mode, faults.url(f"plan={fault}"))
    sight = see(kind, client, mode, faults.url(f"plan={fault}"), seen)
    assert sight == bare
    record = seen.record()
    assert record.outcome == "error"
    assert record.ttft_ns is not None
    if error_type is not None:
        assert record.error.type == error_type


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("client", "mode"), MODES)
def test_reader_that_stops_and_closes(client: Client, mode: str, kind: str, faults: Faults, seen: Seen) -> None:
    parameters = "chunks=20&interval=10"
    bare = look(client, mode, faults.url(parameters), limit=6)
    assert see(kind, client, mode, faults.url(parameters), seen, limit=6) == bare
    assert seen.record().outcome == "interrupted"


@pytest.mark.parametrize("kind", ["observe", "observe and hooks"])
@pytest.mark.parametrize(("client", "mode"), MODES)
def test_retry_of_the_sdk(client: Client, mode: str, kind: str, faults: Faults, seen: Seen) -> None:
    with_hooks = "hooks" in kind
    if with_hooks:
        llmspan.instrument(recorder=seen.recorder)
    sight = look(client, mode, faults.url("plan=429,ok&retry-after-ms=60"), Options(retries=2), watch=watcher(seen))
    assert sight.error is None
    record = seen.record()
    assert record.outcome == "success"
    assert record.attempt_count == (2 if with_hooks else 1)


@pytest.mark.parametrize(("client", "mode"), [mode for mode in MODES if not mode.values[0].manager])
def test_call_that_begins_before_the_request(client: Client, mode: str, faults: Faults, seen: Seen) -> None:
    base = faults.url("head=80")

    def sync() -> None:
        with llmspan.Call("chat", model="m", stream=True, recorder=seen.recorder) as call:
            for _ in llmspan.observe(client.stream(base, Options()), call=call):
                pass

    async def asynchronous() -> None:
        assert client.stream_async is not None
        async with llmspan.Call("chat", model="m", stream=True, recorder=seen.recorder):
            # It is found without being handed over.
            async for _ in llmspan.observe(await client.stream_async(base, Options())):
                pass

    sync() if mode == "sync" else run(asynchronous())
    record = seen.record()
    assert (record.outcome, record.attempt_count) == ("success", 1)
    assert record.call_ttft_ns > 80e6


@pytest.mark.parametrize("kind", ["observe", "observe and hooks"])
def test_attributes_of_the_stream(kind: str, faults: Faults, seen: Seen) -> None:
    client = CLIENTS[0]
    if "hooks" in kind:
        llmspan.instrument(recorder=seen.recorder)
    stream = llmspan.observe(client.stream(faults.url(), Options()), recorder=seen.recorder)
    assert stream.response.status_code == 200
    with pytest.raises(AttributeError):
        stream.nothing_like_that  # noqa: B018 - that it raises
    with stream as same:
        assert same is stream
        assert len(list(same)) > 4
    assert seen.record().outcome == "success"


def test_final_message_of_a_manager(faults: Faults, seen: Seen) -> None:
    client = next(client for client in CLIENTS if client.name == "anthropic.stream")
    with llmspan.observe(client.stream(faults.url(), Options()), recorder=seen.recorder) as stream:
        assert len(list(stream)) > 4
        assert stream.get_final_message().stop_reason == "end_turn"
    assert seen.record().outcome == "success"


def test_exception_keeps_its_identity(faults: Faults, seen: Seen) -> None:
    client = CLIENTS[0]
    stream = client.stream(faults.url("plan=reset"), Options())
    with pytest.raises(Exception) as raised:  # noqa: PT011 - that of the SDK, compared below
        list(llmspan.observe(stream, recorder=seen.recorder))
    with pytest.raises(type(raised.value)) as bare:
        list(client.stream(faults.url("plan=reset"), Options()))
    assert origin(raised.value) == origin(bare.value)
    assert seen.record().error.type == "network"
