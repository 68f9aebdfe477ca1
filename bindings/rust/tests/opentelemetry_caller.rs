//! The span that is current when a call begins is its parent, wherever the call goes on and ends.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use std::{sync::mpsc, thread};

use llmspan::{Callback, Recorder};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt as _,
    trace::{FutureExt as _, Span as _, SpanId, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_support::{bench, id, only, start};

#[tokio::test]
async fn across_an_await_and_on_another_thread() {
    let bench = bench();
    let tracer = bench.provider.tracer("application");
    let turn = Context::new().with_span(tracer.start("turn"));
    let turn_id = turn.span().span_context().span_id();
    let call = async {
        tokio::task::yield_now().await;
        let call = bench.recorder.call(start());
        tokio::task::yield_now().await;
        call
    };
    let call = call.with_context(turn.clone()).await;
    // It ends on a thread that is inside of a span of its own.
    thread::scope(|scope| {
        scope.spawn(|| {
            let other = Context::new().with_span(tracer.start("other"));
            let _entered = other.clone().attach();
            bench.retried(call);
            other.span().end();
        });
    });
    turn.span().end();

    let spans = bench.spans();
    let call = only(&spans, "chat gpt-4.1-mini");
    assert_eq!(call.parent_span_id, turn_id);
    assert_eq!(id(only(&spans, "turn")), turn_id);
    assert_eq!(call.span_context.trace_id(), only(&spans, "turn").span_context.trace_id());
    assert_ne!(call.span_context.trace_id(), only(&spans, "other").span_context.trace_id());
    assert_eq!(only(&spans, "prompt.build").parent_span_id, id(call));
}

#[test]
fn two_calls_of_one_span_are_siblings() {
    let bench = bench();
    let tracer = bench.provider.tracer("application");
    let turn = Context::new().with_span(tracer.start("turn"));
    let entered = turn.clone().attach();
    let (first, second) = (bench.recorder.call(start()), bench.recorder.call(start()));
    drop(entered);
    second.end();
    first.end();
    let spans = bench.spans();
    assert_eq!(spans.len(), 2);
    assert!(spans.iter().all(|span| span.parent_span_id == turn.span().span_context().span_id()));
}

#[test]
fn ids_of_the_caller_win() {
    let bench = bench();
    let tracer = bench.provider.tracer("application");
    let _entered = Context::new().with_span(tracer.start("turn")).attach();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = Some("00f067aa0ba902b7");
    bench.recorder.call(start().with_trace(trace, "b7ad6b7169203331", parent)).end();
    let spans = bench.spans();
    assert_eq!(spans[0].span_context.trace_id().to_string(), trace);
    assert_eq!(spans[0].parent_span_id.to_string(), "00f067aa0ba902b7");
    let record = &bench.records.records()[0];
    assert_eq!(record.span_id.as_deref(), Some("b7ad6b7169203331"), "the record keeps what it was given");
}

#[test]
fn a_call_that_names_its_own_span_is_below_it() {
    let bench = bench();
    bench.recorder.call(start().with_trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", None)).end();
    let spans = bench.spans();
    assert_eq!(spans[0].span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(spans[0].parent_span_id.to_string(), "b7ad6b7169203331");
}

#[test]
fn ids_that_are_none_make_a_root() {
    let bench = bench();
    let zeros = "00000000000000000000000000000000";
    bench.recorder.call(start().with_trace(zeros, "0000000000000000", Some("not an id"))).end();
    let spans = bench.spans();
    assert_eq!(spans[0].parent_span_id, SpanId::INVALID);
    assert!(spans[0].span_context.is_valid());
}

#[test]
fn an_open_call_does_not_keep_the_span_of_its_caller_open() {
    let bench = bench();
    let tracer = bench.provider.tracer("application");
    let turn = Context::new().with_span(tracer.start("turn"));
    let entered = turn.attach();
    let call = bench.recorder.call(start());
    // The application lets go of the context: that ends the span.
    drop(entered);
    assert_eq!(bench.spans().len(), 1, "the span has ended");
    call.end();
    let spans = bench.spans();
    assert_eq!(only(&spans, "chat gpt-4.1-mini").parent_span_id, id(only(&spans, "turn")));
}

#[test]
fn a_span_that_has_ended_is_a_parent_too() {
    let bench = bench();
    let mut turn = bench.provider.tracer("application").start("turn");
    turn.end();
    let turn_id = turn.span_context().span_id();
    let entered = Context::new().with_span(turn).attach();
    let call = bench.recorder.call(start());
    drop(entered);
    call.end();
    assert_eq!(only(&bench.spans(), "chat gpt-4.1-mini").parent_span_id, turn_id);
}

#[test]
fn sinks_run_in_the_context_of_the_caller() {
    let (sender, receiver) = mpsc::channel();
    let recorder = Recorder::new(Callback::new(move |_| {
        let tenant = Context::current().baggage().get("tenant").map(ToString::to_string);
        sender.send(tenant).unwrap();
    }));
    let entered = Context::new().with_baggage([KeyValue::new("tenant", "t-1")]).attach();
    let call = recorder.call(start());
    drop(entered);
    call.end();
    assert_eq!(receiver.recv().unwrap().as_deref(), Some("t-1"));
    assert!(Context::current().baggage().is_empty(), "and the thread is left as it was");
}
