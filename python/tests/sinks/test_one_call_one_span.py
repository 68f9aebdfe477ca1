"""Beside the span that another library makes for the same call there is no second one."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind

import llmspan

from .conftest import retried_call, simple_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Recording, Sdk


def test_the_other_span_gets_what_it_lacks(sdk: Sdk, record_to: Recording) -> None:
    sink = sdk.sink()
    recorder = record_to(sink)
    given = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "theirs"}
    with sdk.tracer.start_as_current_span("chat theirs", attributes=given):
        retried_call(recorder)
    recorder.flush()

    other = sdk.span("chat theirs")
    assert other.attributes["gen_ai.request.model"] == "theirs", "what is there stays"
    assert other.attributes["gen_ai.usage.output_tokens"] == 500
    assert other.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    names = sorted(span.name for span in sdk.spans)
    assert names == ["attempt", "attempt", "chat theirs", "load.system_prompt", "prompt.build", "wait rate_limit"]
    below = [span for span in sdk.spans if span.name not in ("chat theirs", "load.system_prompt")]
    assert {span.parent.span_id for span in below} == {other.context.span_id}
    assert not [key for span in sdk.spans if span is not other for key in span.attributes if "usage" in key]
    assert sink.stats == (0, 0, 1, 0)


def test_a_count_that_was_renamed_is_not_there_twice(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    theirs: dict[str, str | int] = {"gen_ai.operation.name": "chat", "gen_ai.usage.cache_write.input_tokens": 5}
    with sdk.tracer.start_as_current_span("theirs", attributes=theirs):
        call = llmspan.Call("chat", recorder=recorder)
        call.attempt().usage(input_tokens=9, output_tokens=4, cache_write_tokens=5)
        call.end()
    counts = {key: value for key, value in sdk.span("theirs").attributes.items() if "usage" in key}
    assert counts == {
        "gen_ai.usage.cache_write.input_tokens": 5,
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 4,
    }


def test_the_same_with_attempts_as_calls(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink(shape="attempt"))
    with sdk.tracer.start_as_current_span("theirs", attributes={"openinference.span.kind": "LLM"}):
        retried_call(recorder)
    recorder.flush()
    with_usage = [span.name for span in sdk.spans if "gen_ai.usage.output_tokens" in span.attributes]
    assert with_usage == ["theirs"]


def test_attributes_that_come_after_the_start(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    with sdk.tracer.start_as_current_span("theirs") as span:
        call = llmspan.Call("chat", recorder=recorder)
        span.set_attribute("llm.request.type", "chat")
    call.end()
    recorder.flush()
    assert [span.name for span in sdk.spans] == ["theirs"]
    assert dict(sdk.span("theirs").attributes) == {"llm.request.type": "chat"}, "a span that ended is not changed"


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.request.method": "POST"},
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m", "gen_ai.provider.name": "openai"},
        {"openinference.span.kind": "CHAIN"},
        {"traceloop.span.kind": "workflow"},
    ],
)
def test_other_spans_stay_as_they_are(sdk: Sdk, record_to: Recording, attributes: dict[str, str]) -> None:
    recorder = record_to(sdk.sink())
    with sdk.tracer.start_as_current_span("theirs", attributes=attributes):
        simple_call(recorder)
    recorder.flush()
    assert dict(sdk.span("theirs").attributes) == attributes
    assert sdk.span("chat gpt-4.1-mini").parent.span_id == sdk.span("theirs").context.span_id


def test_a_call_of_another_trace_belongs_to_no_current_span(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    with sdk.tracer.start_as_current_span("theirs", attributes={"gen_ai.operation.name": "chat"}):
        simple_call(recorder, trace_id="0af7651916cd43dd8448eb211c80319c", parent_span_id="b7ad6b7169203331")
    recorder.flush()
    assert dict(sdk.span("theirs").attributes) == {"gen_ai.operation.name": "chat"}
    assert sdk.span("chat gpt-4.1-mini").attributes["gen_ai.usage.input_tokens"] == 3


def test_a_destructor_changes_no_span(sdk: Sdk, record_to: Recording) -> None:
    """It may run while the span is being changed, and would wait for itself."""
    recorder = record_to(sdk.sink())
    with sdk.tracer.start_as_current_span("theirs", attributes={"gen_ai.operation.name": "chat"}):
        call = llmspan.Call("chat", provider="openai", recorder=recorder)
        del call
        recorder.flush()
    assert dict(sdk.span("theirs").attributes) == {"gen_ai.operation.name": "chat"}
    assert len(sdk.spans) == 1


def test_a_library_inside_the_block_of_a_call(sdk: Sdk, record_to: Recording) -> None:
    sink = sdk.sink()
    recorder = record_to(sink)
    with (
        sdk.tracer.start_as_current_span("turn") as turn,
        llmspan.Call("chat", provider="openai", model="m", recorder=recorder) as call,
    ):
        with call.phase("prompt.build"):
            pass
        theirs: dict[str, str | int] = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 3}
        with sdk.tracer.start_as_current_span("chat m", attributes=theirs), call.attempt() as attempt:
            attempt.usage(input_tokens=3, output_tokens=4)
    recorder.flush()
    counted = [span.name for span in sdk.spans if "gen_ai.usage.input_tokens" in span.attributes]
    assert counted == ["chat m"]
    with_model = [span.name for span in sdk.spans if "gen_ai.request.model" in span.attributes]
    assert with_model == []
    (around,) = {span.parent.span_id for span in sdk.spans if span.name in ("attempt", "prompt.build")}
    (ours,) = [span for span in sdk.spans if span.context.span_id == around]
    assert ours.parent.span_id == turn.get_span_context().span_id
    assert ours.kind is SpanKind.INTERNAL
    assert sink.stats == (0, 0, 1, 0)


def test_other_spans_inside_the_block_of_a_call(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    attributes = {"http.request.method": "POST"}
    with (
        llmspan.Call("chat", provider="openai", model="m", recorder=recorder) as call,
        sdk.tracer.start_as_current_span("POST", attributes=attributes),
        call.attempt(),
    ):
        pass
    recorder.flush()
    assert sdk.span("chat m").attributes["gen_ai.request.model"] == "m"


class Handler(BaseHTTPRequestHandler):
    """Answers as the servers of OpenAI and Anthropic do."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/chat/completions"):
            body = OPENAI_STREAM if request.get("stream") else json.dumps(OPENAI).encode()
        else:
            body = json.dumps(ANTHROPIC).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if request.get("stream") else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


OPENAI = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4.1-mini-2025",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}
OPENAI_STREAM = b"".join(
    b"data: " + (json.dumps(event).encode() if isinstance(event, dict) else event) + b"\n\n"
    for event in (
        {
            **OPENAI,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": {"content": "Hi"}}],
            "usage": None,
        },
        {
            **OPENAI,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "usage": None,
        },
        {**OPENAI, "object": "chat.completion.chunk", "choices": []},
        b"[DONE]",
    )
)
ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-test",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 5},
}


@pytest.fixture
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def seen_client(recorder: llmspan.Recorder, protocol: str) -> Any:
    """An HTTP client that tells of its requests, as hooks at the wire do."""
    httpx2 = pytest.importorskip("httpx2")

    class Stream(httpx2.SyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, stream: Any, call: llmspan.Call) -> None:
            self.stream, self.call = stream, call

        def __iter__(self) -> Iterator[bytes]:
            for data in self.stream:
                self.call.bytes(protocol, data)
                yield data
            self.call.stream_ended()
            self.call.end()

        def close(self) -> None:
            self.stream.close()
            self.call.end()

    class Transport(httpx2.HTTPTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            call = llmspan.Call("chat", provider=protocol.split(".", maxsplit=1)[0], recorder=recorder)
            call.attempt()
            response = super().handle_request(request)
            call.headers(response.status_code, response.headers)
            response.stream = Stream(response.stream, call)
            return response

    return httpx2.Client(transport=Transport())


@pytest.mark.parametrize("stream", [False, True])
def test_opentelemetry_instrumentation_openai_v2(sdk: Sdk, record_to: Recording, server: str, *, stream: bool) -> None:
    openai = pytest.importorskip("openai")
    module = pytest.importorskip("opentelemetry.instrumentation.openai_v2")
    sink = sdk.sink()
    recorder = record_to(sink)
    instrumentor = module.OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=sdk.tracers, meter_provider=sdk.meters, skip_dep_check=True)
    try:
        with seen_client(recorder, "openai.chat") as http_client:
            client = openai.OpenAI(base_url=f"{server}/v1", api_key="k", http_client=http_client, max_retries=0)
            messages = [{"role": "user", "content": "Hi"}]
            options = {"stream_options": {"include_usage": True}} if stream else {}
            answer = client.chat.completions.create(model="gpt-4.1-mini", messages=messages, stream=stream, **options)
            if stream:
                assert [chunk.id for chunk in answer] == ["chatcmpl-1"] * 3
    finally:
        instrumentor.uninstrument()
    recorder.flush()

    theirs = sdk.span("chat gpt-4.1-mini")
    assert "llmspan" not in theirs.instrumentation_scope.name
    assert sorted(span.name for span in sdk.spans) == ["attempt", "chat gpt-4.1-mini"]
    assert sdk.span("attempt").parent.span_id == theirs.context.span_id
    assert theirs.attributes["gen_ai.usage.input_tokens"] == 10
    assert theirs.attributes["gen_ai.provider.name"] == "openai", "the name that its conventions did not have"
    if stream:
        assert theirs.attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert sink.stats.elsewhere == 1


def test_the_tracing_of_the_anthropic_sdk(
    sdk: Sdk, record_to: Recording, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    anthropic = pytest.importorskip("anthropic", minversion="2.0")
    sink = sdk.sink()
    recorder = record_to(sink)
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", sdk.tracers)
    with seen_client(recorder, "anthropic.messages") as http_client:
        client = anthropic.Anthropic(base_url=server, api_key="k", http_client=http_client, max_retries=0)
        client.messages.create(model="claude-test", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    recorder.flush()
    (theirs,) = [span for span in sdk.spans if span.parent is None]
    assert "anthropic" in theirs.instrumentation_scope.name
    assert sorted(span.name for span in sdk.spans if span is not theirs) == ["attempt"]
    assert sdk.span("attempt").parent.span_id == theirs.context.span_id
    assert theirs.attributes["gen_ai.usage.output_tokens"] == 5
    assert sink.stats.elsewhere == 1


def test_hooks_beside_the_tracing_of_the_anthropic_sdk(
    sdk: Sdk, record_to: Recording, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    anthropic = pytest.importorskip("anthropic", minversion="2.0")
    recorder = record_to(sdk.sink())
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", sdk.tracers)
    llmspan.instrument(recorder=recorder)
    try:
        with anthropic.Anthropic(base_url=server, api_key="k", max_retries=0) as client:
            client.messages.create(model="claude-test", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    finally:
        llmspan.uninstrument()
    recorder.flush()
    (theirs,) = [span for span in sdk.spans if span.parent is None]
    assert "anthropic" in theirs.instrumentation_scope.name
    assert [span.name for span in sdk.spans if span is not theirs] == ["attempt"]


def test_a_call_by_hand_around_the_anthropic_sdk(
    sdk: Sdk, record_to: Recording, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    anthropic = pytest.importorskip("anthropic", minversion="2.0")
    recorder = record_to(sdk.sink())
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", sdk.tracers)
    llmspan.instrument(recorder=recorder)
    try:
        with (
            anthropic.Anthropic(base_url=server, api_key="k", max_retries=0) as client,
            llmspan.Call("chat", provider="anthropic", recorder=recorder),
        ):
            client.messages.create(model="claude-test", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    finally:
        llmspan.uninstrument()
    recorder.flush()
    counted = [span for span in sdk.spans if "gen_ai.usage.output_tokens" in span.attributes]
    assert [span.instrumentation_scope.name for span in counted] != ["llmspan"]
    assert len(counted) == 1
