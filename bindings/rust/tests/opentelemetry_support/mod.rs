//! What the tests of the feature `opentelemetry` share: a recorder on a manual clock whose spans stay in memory, and a call
//! that is retried.
#![allow(dead_code, reason = "each test file uses its part of it")]

pub(crate) mod metrics;
pub(crate) mod otlp;

use core::time::Duration;
use std::time::SystemTime;

use llmspan::{
    Call, CallStart, Failure, ManualClock, Memory, Nanos, Protocol, Recorder, Retry, UnixNanos, WaitReason,
    opentelemetry::Spans,
};
use opentelemetry::{Value, trace::SpanId};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracer, SdkTracerProvider, SpanData};

/// Wall-clock time at which the manual clock starts: 14 November 2023, 22:13:20 UTC.
pub(crate) const ORIGIN: UnixNanos = UnixNanos::from_nanos(1_700_000_000_000_000_000);

pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) recorder: Recorder,
    pub(crate) records: Memory,
    pub(crate) sink: Spans<SdkTracer>,
    pub(crate) provider: SdkTracerProvider,
    exporter: InMemorySpanExporter,
}

pub(crate) fn bench() -> Bench {
    bench_with(ManualClock::anchored(ORIGIN), Sampler::ParentBased(Box::new(Sampler::AlwaysOn)), |sink| sink)
}

pub(crate) fn bench_with(
    clock: ManualClock,
    sampler: Sampler,
    configure: impl FnOnce(Spans<SdkTracer>) -> Spans<SdkTracer>,
) -> Bench {
    let (exporter, records) = (InMemorySpanExporter::default(), Memory::default());
    let provider = SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(exporter.clone()).build();
    let sink = configure(Spans::of_provider(&provider));
    let builder = Recorder::builder().with_clock(clock.clone()).with_sink(sink.clone()).with_sink(records.clone());
    Bench { clock, recorder: builder.build().unwrap(), records, sink, provider, exporter }
}

impl Bench {
    pub(crate) fn wait(&self, millis: u64) {
        self.clock.advance(Nanos::from_millis(millis));
    }

    /// The spans that were exported, in the order of their start, then of their end, the longest first.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        let mut spans = self.exporter.get_finished_spans().unwrap();
        spans.sort_by_key(|span| (span.start_time, core::cmp::Reverse(span.end_time)));
        spans
    }

    /// See [`retried`].
    pub(crate) fn retried(&self, call: Call) {
        retried(&self.clock, call);
    }
}

/// A call that is rate limited after 50 ms, waits for two seconds, and streams an answer.
///
/// | ms | |
/// |---|---|
/// | 0 | the call, and its phase `prompt.build` |
/// | 20 | first attempt |
/// | 70 | status 429, wait of 2 s |
/// | 2070 | second attempt |
/// | 2370 | first word |
/// | 2420 | finish reason, usage, end |
pub(crate) fn retried(clock: &ManualClock, call: Call) {
    let wait = |millis| clock.advance(Nanos::from_millis(millis));
    let phase = call.phase("prompt.build");
    wait(20);
    drop(phase);
    let first = call.attempt();
    wait(50);
    first.failed(Failure::of_status(429));
    call.retry_scheduled(Retry::after(Nanos::from_millis(2000), WaitReason::RateLimit).requested_by_server());
    wait(2000);
    let second = call.attempt();
    wait(300);
    second.bytes(Protocol::OpenAiChat, WORD.as_bytes());
    wait(50);
    second.bytes(Protocol::OpenAiChat, FINISH.as_bytes());
    call.end();
}

pub(crate) fn start() -> CallStart {
    CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed()
}

pub(crate) const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";

pub(crate) const FINISH: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":3}}\n\n",
    "data: [DONE]\n\n",
);

/// The wall-clock time so many milliseconds after [`ORIGIN`].
pub(crate) fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_millis(millis)
}

/// Start and end of a span in milliseconds after [`ORIGIN`].
pub(crate) fn millis(span: &SpanData) -> (u128, u128) {
    let since = |time: SystemTime| {
        let passed = time.duration_since(at(0)).unwrap();
        assert_eq!(passed.subsec_nanos() % 1_000_000, 0, "whole milliseconds");
        passed.as_millis()
    };
    (since(span.start_time), since(span.end_time))
}

/// The span with that name; panics unless there is exactly one.
pub(crate) fn only<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    let [span] = found[..] else { panic!("{} spans are named {name}", found.len()) };
    span
}

pub(crate) fn id(span: &SpanData) -> SpanId {
    span.span_context.span_id()
}

/// The value of an attribute; panics if it is there twice.
pub(crate) fn attribute(span: &SpanData, key: &str) -> Option<Value> {
    let mut known = span.attributes.iter().filter(|attribute| attribute.key.as_str() == key);
    let value = known.next().map(|attribute| attribute.value.clone());
    assert!(known.next().is_none(), "{key} is there once");
    value
}
