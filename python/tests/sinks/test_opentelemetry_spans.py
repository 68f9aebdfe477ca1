"""Spans have the times, parents and attributes that their calls had."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import TYPE_CHECKING

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags

import llmspan

from .conftest import MS, START, make_sdk, retried_call, simple_call

if TYPE_CHECKING:
    from .conftest import Recording, Sdk


def test_a_retried_call(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    retried_call(recorder)
    assert recorder.flush()

    call = sdk.span("chat gpt-4.1-mini")
    assert (call.start_time, call.end_time) == (START, START + 3250 * MS)
    assert call.kind is SpanKind.CLIENT
    assert call.parent is None
    assert call.status.status_code is StatusCode.UNSET
    assert call.attributes["gen_ai.usage.output_tokens"] == 500
    assert call.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert call.instrumentation_scope.name == "llmspan"
    first_token = [event for event in call.events if event.name == "llmspan.first_token"]
    assert [event.timestamp for event in first_token] == [START + 2400 * MS]

    attempts = sorted((span for span in sdk.spans if span.name == "attempt"), key=lambda span: span.start_time)
    assert [(span.start_time - START, span.end_time - START) for span in attempts] == [
        (20 * MS, 100 * MS),
        (2100 * MS, 3200 * MS),
    ]
    assert attempts[0].status.status_code is StatusCode.ERROR
    assert attempts[0].attributes["error.type"] == "rate_limit"
    assert attempts[1].attributes["http.request.resend_count"] == 1
    assert not [key for span in attempts for key in span.attributes if key.startswith("gen_ai.usage")]

    wait = sdk.span("wait rate_limit")
    assert (wait.start_time, wait.end_time) == (START + 100 * MS, START + 2100 * MS)
    assert wait.kind is SpanKind.INTERNAL
    outer, inner = sdk.span("prompt.build"), sdk.span("load.system_prompt")
    assert inner.parent.span_id == outer.context.span_id
    for span in (*attempts, wait, outer):
        assert span.parent.span_id == call.context.span_id
    assert {span.context.trace_id for span in sdk.spans} == {call.context.trace_id}
    assert len(sdk.spans) == 6


def test_a_failed_call_has_an_error_status(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    call = llmspan.Call("chat", provider="openai", recorder=recorder)
    call.attempt().fail(error_type="timeout")
    call.end()
    recorder.flush()
    span = sdk.span("chat")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "timeout"


def test_attempts_as_the_calls_of_backends(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink(shape="attempt"))
    retried_call(recorder)
    recorder.flush()
    with_usage = [span for span in sdk.spans if "gen_ai.usage.input_tokens" in span.attributes]
    assert len(with_usage) == 1
    assert with_usage[0].start_time == START + 2100 * MS


def test_profiles_of_the_recorder_and_of_the_sink(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink(), profiles=["otel-1.41", "qwen-code"])
    simple_call(recorder)
    recorder.flush()
    attributes = sdk.span("chat gpt-4.1-mini").attributes
    assert attributes["gen_ai.usage.input_tokens"] == attributes["input_tokens"] == 3
    sdk.exporter.clear()
    recorder = record_to(sdk.sink(profiles=["openinference"]), profiles=["otel-1.41"])
    simple_call(recorder)
    recorder.flush()
    written = [dict(span.attributes) for span in sdk.spans if span.attributes.get("openinference.span.kind") == "LLM"]
    assert len(written) == 1
    assert written[0]["llm.token_count.prompt"] == 3
    assert "gen_ai.usage.input_tokens" not in written[0]


def test_what_does_not_exist_is_refused(sdk: Sdk) -> None:
    with pytest.raises(ValueError, match="shape"):
        sdk.sink(shape="calls")
    with pytest.raises(llmspan.errors.UnknownProfileError):
        sdk.sink(profiles=["otel-0.1"])
    with pytest.raises(llmspan.errors.UnknownProfileError):
        sdk.sink(metrics_profile="otel-0.1")


def test_the_parent_is_the_span_that_was_current_at_the_start(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    with sdk.tracer.start_as_current_span("turn"):
        call = llmspan.Call("chat", recorder=recorder)
    with sdk.tracer.start_as_current_span("later"):
        call.end()
        recorder.flush()
    assert sdk.span("chat").parent.span_id == sdk.span("turn").context.span_id
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_parents_across_tasks(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())

    async def ask(name: str) -> None:
        with sdk.tracer.start_as_current_span(f"turn {name}"):
            async with llmspan.Call("chat", model=name, recorder=recorder):
                await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(ask(str(number)) for number in range(20)))

    asyncio.run(main())
    recorder.flush()
    for number in range(20):
        assert sdk.span(f"chat {number}").parent.span_id == sdk.span(f"turn {number}").context.span_id


def test_parents_across_threads(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    barrier = threading.Barrier(8)

    def ask(name: str) -> None:
        with sdk.tracer.start_as_current_span(f"turn {name}"):
            call = llmspan.Call("chat", model=name, recorder=recorder)
            barrier.wait(10)
            # It ends on another thread than it began on.
            thread = threading.Thread(target=call.end)
            thread.start()
            thread.join()

    threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.flush()
    for number in range(8):
        assert sdk.span(f"chat {number}").parent.span_id == sdk.span(f"turn {number}").context.span_id


def test_ids_of_the_caller(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    with sdk.tracer.start_as_current_span("turn"):
        simple_call(recorder, trace_id=trace_id, parent_span_id=parent)
    recorder.flush()
    span = sdk.span("chat gpt-4.1-mini")
    assert f"{span.context.trace_id:032x}" == trace_id
    assert f"{span.parent.span_id:016x}" == parent


def test_records_know_their_parent_with_any_sink(sdk: Sdk, record_to: Recording) -> None:
    memory = llmspan.sinks.Memory()
    recorder = record_to(memory)
    with sdk.tracer.start_as_current_span("turn") as turn:
        simple_call(recorder)
    simple_call(recorder)
    recorder.flush()
    inside, outside = memory.records
    assert inside.trace_id == f"{turn.get_span_context().trace_id:032x}"
    assert inside.parent_span_id == f"{turn.get_span_context().span_id:016x}"
    assert inside.span_id is None
    assert (outside.trace_id, outside.parent_span_id) == (None, None)


def test_no_spans_below_a_parent_that_is_not_sampled(sdk: Sdk, record_to: Recording) -> None:
    sink = sdk.sink()
    recorder = record_to(sink)
    parent = NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.DEFAULT)))
    with trace.use_span(parent):
        simple_call(recorder)
    recorder.flush()
    assert sdk.spans == []
    assert sink.stats == (0, 1, 0, 0)
    names = metric_names(sdk)
    assert "gen_ai.client.operation.duration" in names


def test_a_sampler_that_says_no(record_to: Recording) -> None:
    for sdk in make_sdk(sampler=ParentBased(ALWAYS_OFF)):
        recorder = record_to(sdk.sink())
        simple_call(recorder)
        recorder.flush()
        assert sdk.spans == []


def test_suppressed_where_the_call_began(sdk: Sdk, record_to: Recording) -> None:
    sink = sdk.sink()
    recorder = record_to(sink)
    token = context.attach(context.set_value(key="suppress_instrumentation", value=True))
    try:
        simple_call(recorder)
    finally:
        context.detach(token)
    simple_call(recorder)
    recorder.flush()
    assert sink.stats == (1, 1, 0, 0)


def test_no_spans_without_a_wall_clock(sdk: Sdk, record_to: Recording) -> None:
    sink = sdk.sink()
    recorder = record_to(sink, wall_clock=None)
    simple_call(recorder)
    recorder.flush()
    assert sink.stats == (0, 0, 0, 1)
    assert sdk.spans == []


def test_baggage_reaches_span_processors_and_objects_do_not(sdk: Sdk, record_to: Recording) -> None:
    seen = []

    class Processor(SpanProcessor):
        def on_start(self, span: Span, parent_context: context.Context | None = None) -> None:
            assert parent_context is not None
            seen.append((span.name, dict(parent_context), baggage.get_all(parent_context), baggage.get_all()))

    class Request:
        pass

    request = Request()
    alive = weakref.ref(request)
    sdk.tracers.add_span_processor(Processor())
    recorder = record_to(sdk.sink())
    token = context.attach(context.set_value("request", request, baggage.set_baggage("tenant", "acme")))
    call = llmspan.Call("chat", recorder=recorder)
    context.detach(token)
    del token, request
    gc.collect()
    assert alive() is None, "an open call keeps nothing but plain values"
    call.end()
    recorder.flush()
    name, parent_context, given, current = seen[0]
    assert name == "chat"
    assert "request" not in parent_context
    assert given == current == {"tenant": "acme"}


def test_an_ended_call_keeps_no_span(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    with sdk.tracer.start_as_current_span("turn") as turn:
        call = llmspan.Call("chat", recorder=recorder)
        alive = weakref.ref(turn)
    call.end()
    recorder.flush()
    sdk.exporter.clear()
    del turn
    gc.collect()
    assert alive() is None
    assert not call.is_open


def test_calls_that_are_dropped_are_children_too(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    with sdk.tracer.start_as_current_span("turn"):
        call = llmspan.Call("chat", recorder=recorder)
    del call
    gc.collect()
    recorder.flush()
    assert sdk.span("chat").parent.span_id == sdk.span("turn").context.span_id


def test_a_tracer_that_fails_is_counted(sdk: Sdk, record_to: Recording) -> None:
    class Broken(SpanProcessor):
        def on_start(self, *_: object, **__: object) -> None:
            raise RuntimeError

    sdk.tracers.add_span_processor(Broken())
    recorder = record_to(sdk.sink())
    simple_call(recorder)
    assert recorder.flush()
    assert recorder.stats.sink_errors == 1
    assert "gen_ai.client.operation.duration" in metric_names(sdk)


def metric_names(sdk: Sdk) -> set[str]:
    data = sdk.reader.get_metrics_data()
    assert data is not None
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
    return {metric.name for scope in scopes for metric in scope.metrics}
