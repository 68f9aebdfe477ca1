//! A call inside a span of `tracing`, exported with `tracing-opentelemetry`, is a child of that span.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_support::{bench, id, only, start};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

#[tokio::test]
async fn the_current_span_of_the_subscriber_is_the_parent() {
    let bench = bench();
    let layer = tracing_opentelemetry::layer().with_tracer(bench.provider.tracer("agent"));
    let scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let turn = async {
        tokio::task::yield_now().await;
        let call = bench.recorder.call(start());
        tokio::task::yield_now().await;
        call.end();
    };
    turn.instrument(tracing::info_span!("agent.turn")).await;
    drop(scope);

    let spans = bench.spans();
    let (turn, call) = (only(&spans, "agent.turn"), only(&spans, "chat gpt-4.1-mini"));
    assert_eq!(call.parent_span_id, id(turn));
    assert_eq!(call.span_context.trace_id(), turn.span_context.trace_id());
}
