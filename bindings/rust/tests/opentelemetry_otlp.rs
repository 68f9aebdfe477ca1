//! With the SDK's OTLP exporters, set up by environment variables, nothing is lost on a graceful shutdown.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use std::{collections::BTreeSet, thread};

use llmspan::{Failure, Protocol};
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_proto::tonic::{
    metrics::v1::{metric::Data, number_data_point::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use opentelemetry_support::{
    FINISH, WORD,
    otlp::{Application, Collector, is_child, run, text},
    start,
};

const THREADS: usize = 4;
const CALLS: usize = 100;

/// What the process does: calls of two attempts each on several threads, all inside of one span, and a shutdown.
#[test]
fn application() {
    if !is_child() {
        return;
    }
    let application = Application::new();
    let tracer = application.tracers.tracer("application");
    let turn = opentelemetry::Context::new().with_span(tracer.start("turn"));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let _entered = turn.clone().attach();
                for _ in 0..CALLS {
                    let call = application.recorder.call(start());
                    call.attempt().failed(Failure::of_status(429));
                    let attempt = call.attempt();
                    attempt.bytes(Protocol::OpenAiChat, WORD.as_bytes());
                    attempt.bytes(Protocol::OpenAiChat, FINISH.as_bytes());
                    call.end();
                }
            });
        }
    });
    drop(turn);
    application.tracers.shutdown().unwrap();
    application.meters.shutdown().unwrap();
    assert_eq!(application.spans.stats().exported, 400);
    assert_eq!(application.instruments.stats().records, 400);
}

#[tokio::test]
async fn every_call_arrives() {
    let collector = Collector::default();
    let endpoint = format!("http://{}", collector.serve().await);
    let child = tokio::task::spawn_blocking(move || {
        run("application", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_SERVICE_NAME", "agent")]);
    });
    child.await.unwrap();

    let got = collector.got();
    let resources: Vec<_> = got.traces.iter().flat_map(|request| &request.resource_spans).collect();
    for resource in &resources {
        assert_eq!(text(&resource.resource.as_ref().unwrap().attributes, "service.name"), Some("agent"));
    }
    let scopes = resources.iter().flat_map(|resource| &resource.scope_spans);
    let ours = scopes.clone().filter(|scope| scope.scope.as_ref().unwrap().name == "llmspan");
    let spans: Vec<_> = ours.flat_map(|scope| &scope.spans).collect();
    let all: Vec<_> = scopes.flat_map(|scope| &scope.spans).collect();
    let turn = all.iter().find(|span| span.name == "turn").unwrap();

    let calls: Vec<_> = spans.iter().filter(|span| span.name == "chat gpt-4.1-mini").collect();
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == "attempt").collect();
    assert_eq!((calls.len(), attempts.len(), spans.len()), (400, 800, 1200));
    let ids: BTreeSet<_> = calls.iter().map(|call| &call.span_id).collect();
    assert_eq!(ids.len(), 400);
    for call in &calls {
        assert_eq!((&call.parent_span_id, &call.trace_id), (&turn.span_id, &turn.trace_id));
        assert_eq!(call.kind, i32::from(SpanKind::Client));
        let of_call: Vec<_> = attempts.iter().filter(|attempt| attempt.parent_span_id == call.span_id).collect();
        let [refused, answered] = of_call[..] else { panic!("two attempts") };
        assert_eq!([refused, answered].map(|attempt| is_error(attempt)).iter().filter(|error| **error).count(), 1);
    }

    let metrics = got.metrics.iter().flat_map(|request| &request.resource_metrics);
    let mut metrics = metrics.flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics);
    // Cumulative, so the last export has all calls.
    let last = metrics.rfind(|metric| metric.name == "llmspan.calls").unwrap();
    let Some(Data::Sum(sum)) = &last.data else { panic!("a sum") };
    assert_eq!(sum.data_points.iter().map(|point| point.value).collect::<Vec<_>>(), [Some(Value::AsInt(400))]);
}

fn is_error(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code == i32::from(StatusCode::Error))
}
