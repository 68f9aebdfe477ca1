//! A call without a wall-clock time has no spans: none are made up.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use llmspan::{ManualClock, Memory, Recorder, UnixNanos};
use opentelemetry_sdk::trace::Sampler;
use opentelemetry_support::{at, bench_with, start};

#[test]
fn it_is_counted() {
    let bench = bench_with(ManualClock::default(), Sampler::AlwaysOn, |sink| sink);
    bench.retried(bench.recorder.call(start()));
    assert_eq!(bench.spans().len(), 0);
    assert_eq!((bench.sink.stats().exported, bench.sink.stats().without_clock), (0, 1));
    assert_eq!(bench.records.records().len(), 1);
}

#[test]
fn an_anchor_of_the_caller_is_enough() {
    let bench = bench_with(ManualClock::default(), Sampler::AlwaysOn, |sink| sink);
    bench.retried(bench.recorder.call(start().with_unix(UnixNanos::from_nanos(1_700_000_000_000_000_000))));
    assert_eq!((bench.spans().len(), bench.sink.stats().without_clock), (5, 0));
    assert_eq!(bench.spans()[4].end_time, at(2420));
}

#[test]
fn the_clock_of_the_system_always_gives_one() {
    let records = Memory::default();
    Recorder::new(records.clone()).call(start()).end();
    let record = &records.records()[0];
    assert_eq!(
        record.end_unix_ns,
        record.start_unix_ns.map(|start| start.saturating_add(record.duration_ns)),
        "both are there"
    );
    assert!(record.start_unix_ns.is_some());
}
