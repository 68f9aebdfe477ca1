//! What the SDK does not sample is not recorded, and counted.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use llmspan::{ManualClock, Record, Sink as _};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::Sampler;
use opentelemetry_support::{ORIGIN, bench, bench_with, start};

fn parent(flags: TraceFlags) -> Context {
    let state = TraceState::from_key_value([("vendor", "1")]).unwrap();
    let span = SpanContext::new(TraceId::from_bytes([7; 16]), SpanId::from_bytes([9; 8]), flags, true, state);
    Context::new().with_remote_span_context(span)
}

#[test]
fn a_parent_that_is_not_sampled_has_no_children() {
    let bench = bench();
    let entered = parent(TraceFlags::NOT_SAMPLED).attach();
    let call = bench.recorder.call(start());
    drop(entered);
    bench.retried(call);
    assert_eq!(bench.spans().len(), 0);
    assert_eq!((bench.sink.stats().exported, bench.sink.stats().not_recorded), (0, 1));
    // The record is there, and names the trace.
    let record = &bench.records.records()[0];
    assert_eq!(record.trace_id.as_deref(), Some("07070707070707070707070707070707"));
    assert_eq!(record.parent_span_id.as_deref(), Some("0909090909090909"));
}

#[test]
fn a_parent_that_is_sampled_has_all() {
    let bench = bench();
    let entered = parent(TraceFlags::SAMPLED).attach();
    let call = bench.recorder.call(start());
    drop(entered);
    bench.retried(call);
    let spans = bench.spans();
    assert_eq!(spans.len(), 5);
    assert_eq!(spans[0].parent_span_id, SpanId::from_bytes([9; 8]));
    assert!(spans[0].parent_span_is_remote, "as the caller's context says");
    assert_eq!(spans[0].span_context.trace_state().get("vendor"), Some("1"));
    assert_eq!(spans[4].span_context.trace_id(), TraceId::from_bytes([7; 16]));
}

#[test]
fn ids_of_a_trace_that_is_known_not_to_be_sampled() {
    let bench = bench();
    let entered = parent(TraceFlags::NOT_SAMPLED).attach();
    let span = Some("1111111111111111");
    let of_this = bench.recorder.call(start().with_trace("07070707070707070707070707070707", "2222222222222222", span));
    let of_another =
        bench.recorder.call(start().with_trace("08080808080808080808080808080808", "2222222222222222", span));
    drop(entered);
    of_this.end();
    assert_eq!((bench.spans().len(), bench.sink.stats().not_recorded), (0, 1));
    of_another.end();
    assert_eq!((bench.spans().len(), bench.sink.stats().exported), (1, 1));
}

#[test]
fn a_sampler_that_drops_roots_drops_their_trees() {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
    let bench = bench_with(ManualClock::anchored(ORIGIN), sampler, |sink| sink);
    bench.retried(bench.recorder.call(start()));
    assert_eq!((bench.spans().len(), bench.sink.stats().not_recorded), (0, 1));
}

#[test]
fn a_root_stays_one_where_it_ends_inside_of_another_span() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let entered = parent(TraceFlags::NOT_SAMPLED).attach();
    bench.retried(call);
    drop(entered);
    let spans = bench.spans();
    assert_eq!((spans.len(), spans[0].parent_span_id), (5, SpanId::INVALID));
}

#[test]
fn a_span_without_ids_is_no_parent() {
    let bench = bench();
    // That of a tracer that does nothing.
    let entered = Context::new().with_remote_span_context(SpanContext::NONE).attach();
    bench.retried(bench.recorder.call(start()));
    drop(entered);
    let spans = bench.spans();
    assert_eq!((spans.len(), spans[0].parent_span_id), (5, SpanId::INVALID));
}

#[test]
fn a_record_that_is_handed_over_by_hand_is_not_of_the_current_span() {
    let bench = bench();
    let mut record = Record::default();
    record.start_unix_ns = Some(ORIGIN);
    let entered = parent(TraceFlags::NOT_SAMPLED).attach();
    bench.sink.record(&record);
    drop(entered);
    assert_eq!(bench.spans()[0].parent_span_id, SpanId::INVALID);
}

#[test]
fn suppressed_telemetry_gives_no_spans() {
    let bench = bench();
    let suppressed = Context::enter_telemetry_suppressed_scope();
    let call = bench.recorder.call(start());
    drop(suppressed);
    bench.retried(call);
    assert_eq!((bench.spans().len(), bench.sink.stats().not_recorded), (0, 1));
}

#[test]
fn after_the_shutdown_of_the_provider_calls_go_on() {
    let bench = bench();
    bench.provider.shutdown().unwrap();
    bench.retried(bench.recorder.call(start()));
    assert_eq!((bench.sink.stats().exported, bench.sink.stats().not_recorded), (0, 1));
    assert_eq!(bench.recorder.stats().sink_panics, 0);
}
