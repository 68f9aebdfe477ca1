//! A panic inside the SDK costs the spans of one call, and nobody anything else.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use llmspan::{ManualClock, Memory, Recorder, opentelemetry::Spans};
use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId},
};
use opentelemetry_sdk::trace::{SamplingResult, SdkTracerProvider, ShouldSample};
use opentelemetry_support::{ORIGIN, start};

#[derive(Clone, Debug)]
struct Broken;

impl ShouldSample for Broken {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        panic!("a bug of the sampler")
    }
}

#[test]
fn the_host_and_the_other_sinks_go_on() {
    let (records, provider) = (Memory::default(), SdkTracerProvider::builder().with_sampler(Broken).build());
    let sink = Spans::of_provider(&provider);
    let builder = Recorder::builder().with_clock(ManualClock::anchored(ORIGIN));
    let recorder = builder.with_sink(sink.clone()).with_sink(records.clone()).build().unwrap();

    recorder.call(start()).end();
    recorder.call(start()).end();

    assert_eq!((records.records().len(), recorder.stats().sink_panics), (2, 2));
    assert_eq!(sink.stats().exported, 0);
}
