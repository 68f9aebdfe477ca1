//! A retried call becomes spans with the times, parents, kinds and values that it had.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use llmspan::{
    Config, Failure, ManualClock, Recorder,
    opentelemetry::{Shape, Spans},
};
use opentelemetry::{
    Array, StringValue, Value,
    trace::{SpanId, SpanKind, Status},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use opentelemetry_support::{ORIGIN, at, attribute, bench, bench_with, id, millis, only, start};

#[test]
fn the_tree_of_a_call() {
    let bench = bench();
    bench.retried(bench.recorder.call(start().with_attribute("sampled", true)));
    let spans = bench.spans();
    let names: Vec<_> = spans.iter().map(|span| (span.name.as_ref(), millis(span))).collect();
    assert_eq!(
        names,
        [
            ("chat gpt-4.1-mini", (0, 2420)),
            ("prompt.build", (0, 20)),
            ("attempt", (20, 70)),
            ("wait rate_limit", (70, 2070)),
            ("attempt", (2070, 2420)),
        ]
    );
    let kinds: Vec<_> = spans.iter().map(|span| span.span_kind.clone()).collect();
    let (client, internal) = (SpanKind::Client, SpanKind::Internal);
    assert_eq!(kinds, [client.clone(), internal.clone(), client.clone(), internal, client]);

    let [call, children @ ..] = &spans[..] else { panic!("spans") };
    assert_eq!(call.parent_span_id, SpanId::INVALID);
    assert!(children.iter().all(|child| child.parent_span_id == id(call)));
    assert!(spans.iter().all(|span| span.span_context.trace_id() == call.span_context.trace_id()));
    assert!(spans.iter().all(|span| span.span_context.is_sampled() && !span.parent_span_is_remote));
    assert!(spans.iter().all(|span| span.instrumentation_scope.name() == "llmspan"));
    assert_eq!(call.instrumentation_scope.version(), Some(env!("CARGO_PKG_VERSION")));

    assert_eq!((bench.sink.stats().exported, bench.sink.stats().not_recorded), (1, 0));
    // The ids are the SDK's: a record without ids has none of its own.
    assert_eq!(bench.records.records()[0].trace_id, None);
}

#[test]
fn values_keep_their_types() {
    let bench = bench();
    let start = start().with_attribute("sampled", true).with_attribute("score", 0.5).with_attribute("turn", 7_i64);
    bench.retried(bench.recorder.call(start));
    let spans = bench.spans();
    let call = only(&spans, "chat gpt-4.1-mini");
    let list = Value::Array(Array::String(vec![StringValue::from("stop")]));
    for (key, value) in [
        ("gen_ai.operation.name", Value::from("chat")),
        ("gen_ai.provider.name", "openai".into()),
        ("gen_ai.request.model", "gpt-4.1-mini".into()),
        ("gen_ai.request.stream", true.into()),
        ("gen_ai.response.finish_reasons", list),
        ("gen_ai.response.time_to_first_chunk", 0.3.into()),
        ("gen_ai.usage.input_tokens", 10_i64.into()),
        ("gen_ai.usage.output_tokens", 3_i64.into()),
        ("sampled", true.into()),
        ("score", 0.5.into()),
        ("turn", 7_i64.into()),
    ] {
        assert_eq!(attribute(call, key), Some(value), "{key}");
    }
    let wait = only(&spans, "wait rate_limit");
    assert_eq!(attribute(wait, "llmspan.wait.planned_delay_ns"), Some(2_000_000_000_i64.into()));
    assert_eq!(attribute(wait, "llmspan.wait.server_requested"), Some(true.into()));
}

#[test]
fn failed_attempts_are_errors_and_the_call_is_not() {
    let bench = bench();
    bench.retried(bench.recorder.call(start()));
    let spans = bench.spans();
    let [refused, answered] = attempts(&spans)[..] else { panic!("two attempts") };
    assert_eq!(refused.status, Status::error(""));
    assert_eq!(attribute(refused, "error.type"), Some("429".into()));
    assert_eq!(attribute(refused, "http.response.status_code"), Some(429_i64.into()));
    assert_eq!(attribute(refused, "http.request.resend_count"), None);
    assert_eq!(attribute(answered, "http.request.resend_count"), Some(1_i64.into()));
    let call = only(&spans, "chat gpt-4.1-mini");
    assert_eq!((&answered.status, &call.status), (&Status::Unset, &Status::Unset));
    assert_eq!((attribute(answered, "error.type"), attribute(call, "error.type")), (None, None));
    // Backends add tokens up over spans: they are on one.
    assert_eq!(attribute(answered, "gen_ai.usage.output_tokens"), None);
}

#[test]
fn a_failed_call_says_why() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let attempt = call.attempt();
    bench.wait(40);
    attempt.failed(Failure::of_status(503));
    call.end();
    let spans = bench.spans();
    let call = only(&spans, "chat gpt-4.1-mini");
    assert_eq!(call.status, Status::error(""));
    assert_eq!(attribute(call, "error.type"), Some("503".into()));
}

#[test]
fn the_message_of_an_error_describes_the_status_where_messages_are_kept() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let config = Config::from_json(r#"{"error_messages": true}"#).unwrap();
    let builder = Recorder::builder().with_config(config).with_sink(Spans::of_provider(&provider));
    let mut failure = Failure::of_status(503);
    failure.message = Some("overloaded".into());
    builder.build().unwrap().call(start()).fail(failure);
    assert_eq!(exporter.get_finished_spans().unwrap()[0].status, Status::error("overloaded"));
}

#[test]
fn moments_are_events_with_their_times() {
    let bench = bench();
    bench.retried(bench.recorder.call(start()));
    let spans = bench.spans();
    let call = only(&spans, "chat gpt-4.1-mini");
    let events: Vec<_> = call.events.iter().map(|event| (event.name.as_ref(), event.timestamp)).collect();
    assert_eq!(
        events,
        [("llmspan.retry", at(70)), ("llmspan.first_token", at(2370)), ("llmspan.finish", at(2420))],
        "at the call, in the order of time"
    );
    let retry = &call.events.events[0];
    assert!(retry.attributes.contains(&opentelemetry::KeyValue::new("llmspan.wait.reason", "rate_limit")));
    assert!(spans[1..].iter().all(|span| span.events.is_empty()));
    assert_eq!((call.events.dropped_count, call.dropped_attributes_count), (0, 0));
}

#[test]
fn the_other_shape_has_a_gen_ai_span_for_every_attempt() {
    let bench = bench_with(ManualClock::anchored(ORIGIN), Sampler::AlwaysOn, |sink| sink.with_shape(Shape::Attempt));
    bench.retried(bench.recorder.call(start()));
    let spans = bench.spans();
    let names: Vec<_> = spans.iter().map(|span| (span.name.as_ref(), millis(span))).collect();
    assert_eq!(
        names,
        [
            ("llmspan.call", (0, 2420)),
            ("prompt.build", (0, 20)),
            ("chat gpt-4.1-mini", (20, 70)),
            ("wait rate_limit", (70, 2070)),
            ("chat gpt-4.1-mini", (2070, 2420)),
        ]
    );
    let [outer, _, refused, _, answered] = &spans[..] else { panic!("spans") };
    assert_eq!(outer.span_kind, SpanKind::Internal);
    assert_eq!((&refused.span_kind, &answered.span_kind), (&SpanKind::Client, &SpanKind::Client));
    assert!(spans[1..].iter().all(|span| span.parent_span_id == id(outer)));
    let tokens = |span| attribute(span, "gen_ai.usage.output_tokens");
    assert_eq!((tokens(outer), tokens(refused), tokens(answered)), (None, None, Some(3_i64.into())));
    let model = |span| attribute(span, "gen_ai.request.model");
    assert_eq!((model(outer), model(refused).is_some(), model(answered).is_some()), (None, true, true));
    assert_eq!((&outer.status, &refused.status), (&Status::Unset, &Status::error("")));
    // Of the events only that of the retry is the call's.
    let events = |span: &SpanData| span.events.iter().map(|event| event.timestamp).collect::<Vec<_>>();
    assert_eq!((events(outer), events(answered)), (vec![at(70)], vec![at(2370), at(2420)]));
}

#[test]
fn a_phase_inside_a_phase_is_its_child() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let outer = call.phase("prompt.build");
    bench.wait(10);
    let inner = call.phase("load.history");
    bench.wait(10);
    drop(inner);
    bench.wait(10);
    drop(outer);
    call.end();
    let spans = bench.spans();
    let (outer, inner) = (only(&spans, "prompt.build"), only(&spans, "load.history"));
    assert_eq!((millis(outer), millis(inner)), ((0, 30), (10, 20)));
    assert_eq!(inner.parent_span_id, id(outer));
    assert_eq!(outer.parent_span_id, id(only(&spans, "chat gpt-4.1-mini")));
}

fn attempts(spans: &[SpanData]) -> Vec<&SpanData> {
    spans.iter().filter(|span| span.name == "attempt").collect()
}
