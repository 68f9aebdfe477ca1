//! The end of a call takes a bounded number of measurements, however long its stream was.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use llmspan::{ManualClock, Nanos, Protocol, Recorder, opentelemetry::MetricNames};
use opentelemetry_support::{
    FINISH, ORIGIN, WORD,
    metrics::{Buckets, meters},
    start,
};

/// The histogram of the gaps of a stream: one in ten is 200 ms long, the others are 5 ms. And how many were left out.
fn gaps_of(chunks: u32) -> (Buckets, u64) {
    let (meters, clock) = (meters(MetricNames::by_profile("otel-1.41").unwrap()), ManualClock::anchored(ORIGIN));
    let recorder = Recorder::builder().with_clock(clock.clone()).with_sink(meters.sink.clone()).build().unwrap();
    let call = recorder.call(start());
    let attempt = call.attempt();
    for number in 0..chunks {
        clock.advance(Nanos::from_millis(if number % 10 == 9 { 200 } else { 5 }));
        attempt.bytes(Protocol::OpenAiChat, WORD.as_bytes());
    }
    attempt.bytes(Protocol::OpenAiChat, FINISH.as_bytes());
    call.end();
    let gaps = meters.only("gen_ai.client.operation.time_per_output_chunk", &[]).buckets.unwrap();
    (gaps, meters.sink.stats().left_out)
}

#[test]
fn up_to_the_cap_each_gap_is_measured() {
    let (gaps, left_out) = gaps_of(1025);
    // Of 1,024 gaps 102 are long ones: those before the chunks 10, 20, .. 1,020.
    assert_eq!((gaps.count, left_out), (1024, 0));
    assert_eq!((gaps.counts[0], gaps.counts[5]), (922, 102));
}

#[test]
fn past_it_a_share_of_each_kind_is() {
    let (gaps, left_out) = gaps_of(10_001);
    assert_eq!(gaps.count + left_out, 10_000);
    assert!((1000..=1030).contains(&gaps.count), "{}", gaps.count);
    let long = gaps.counts[5];
    assert!((95..=110).contains(&long), "one in ten: {long}");
    assert_eq!((gaps.min, gaps.max), (0.005, 0.2));
}
