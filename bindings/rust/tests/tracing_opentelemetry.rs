//! Exported through `tracing-opentelemetry`, spans have the true times, parents and attributes.
#![cfg(feature = "tracing")]

mod tracing_support;

use core::time::Duration;

use opentelemetry::{
    Value,
    trace::{SpanId, SpanKind, Status, TracerProvider as _},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tokio::time::Instant;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_support::{BACKOFF, CALL, REFUSED_AFTER, STREAMING, recorder, turn};

#[tokio::test]
async fn spans_are_exported_as_they_were() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("agent"));
    let scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let (recorder, records) = recorder();
    let began = Instant::now();
    turn(&recorder).await;
    let wall = began.elapsed();
    drop(scope);

    let spans = exporter.get_finished_spans().unwrap();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let (turn, call) = (named("agent.turn")[0], named("llm.chat_stream")[0]);
    let [refused, answered] = named("llm.call")[..] else { panic!("two attempts") };
    assert_eq!((named("agent.turn").len(), named("llm.chat_stream").len()), (1, 1));

    // Parents.
    assert_eq!(turn.parent_span_id, SpanId::INVALID);
    assert_eq!(call.parent_span_id, turn.span_context.span_id());
    assert_eq!(refused.parent_span_id, call.span_context.span_id());
    assert_eq!(answered.parent_span_id, call.span_context.span_id());
    let trace_id = turn.span_context.trace_id();
    assert!([call, refused, answered].iter().all(|span| span.span_context.trace_id() == trace_id));
    assert!(named("other.work").iter().all(|span| span.span_context.trace_id() != trace_id));

    // Times. The exporter reads the wall clock, a little before or after the other clocks are read.
    let slack = Duration::from_millis(100);
    assert!(duration(call) + slack >= CALL && duration(call) <= wall + slack, "{:?}", duration(call));
    assert!(turn.start_time <= call.start_time && call.start_time <= refused.start_time);
    assert!(refused.end_time <= answered.start_time && answered.end_time <= call.end_time);
    let pause = answered.start_time.duration_since(refused.end_time).unwrap();
    assert!(pause + slack >= BACKOFF, "{pause:?}");
    assert!(duration(refused) + slack >= REFUSED_AFTER && duration(refused) < BACKOFF);
    assert!(duration(answered) + slack >= STREAMING && duration(answered) + BACKOFF <= wall + slack);
    let record = &records.records()[0];
    for (span, attempt) in [refused, answered].iter().zip(&record.attempts) {
        let measured = Duration::from_nanos(attempt.duration_ns.as_nanos());
        assert!(duration(span).abs_diff(measured) < slack, "{:?}, {measured:?}", duration(span));
        let millis = i64::try_from(attempt.duration_ns.as_millis()).unwrap();
        assert_eq!(attribute(span, "llm.duration_ms"), Some(Value::I64(millis)));
    }

    // What they say.
    assert!([call, refused, answered].iter().all(|span| span.span_kind == SpanKind::Client));
    assert!(matches!(refused.status, Status::Error { .. }));
    assert_eq!((&answered.status, &call.status), (&Status::Unset, &Status::Unset));
    assert_eq!(attribute(refused, "llm.error"), Some("429".into()));
    assert_eq!(attribute(refused, "llm.attempt"), Some(Value::I64(0)));
    assert_eq!(attribute(answered, "llm.attempt"), Some(Value::I64(1)));
    assert_eq!(attribute(answered, "llm.model"), Some("claude-sonnet-4-5".into()));
    assert_eq!(attribute(answered, "llm.input_tokens"), Some(Value::I64(123)));
    assert_eq!(attribute(answered, "llm.output_tokens"), Some(Value::I64(42)));
    assert_eq!(attribute(answered, "llm.error"), None);
    assert_eq!(attribute(call, "task.id"), Some("t-17".into()));
    assert_eq!(attribute(call, "llm.output_tokens"), None);
    assert_eq!(call.events.len(), 1);
    assert_eq!(call.events[0].name, "retry scheduled");
}

fn duration(span: &SpanData) -> Duration {
    span.end_time.duration_since(span.start_time).unwrap()
}

fn attribute(span: &SpanData, key: &str) -> Option<Value> {
    let mut known = span.attributes.iter().filter(|attribute| attribute.key.as_str() == key);
    let value = known.next().map(|attribute| attribute.value.clone());
    assert!(known.next().is_none(), "{key} is there once");
    value
}
