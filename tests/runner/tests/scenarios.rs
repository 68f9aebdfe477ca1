//! Whole stories of calls on a virtual clock.

use llmspan_core::{
    config::Config,
    record::{Outcome, WaitReason},
    time::{Nanos, Timestamp},
};
use llmspan_runner::sim::Sim;

const fn ms(millis: u64) -> Nanos {
    Nanos::from_millis(millis)
}

#[test]
fn a_fallback_after_two_failures() {
    let mut sim = Sim::streamed(Config::default());
    sim.at_ms(0).attempt().at_ms(120).fails(503).waits_ms(400, WaitReason::ServerError);
    sim.at_ms(530).attempt().at_ms(700).fails(529).waits_ms(0, WaitReason::Fallback);
    sim.at_ms(700).attempt_with_model("gpt-4.1-nano").at_ms(900).text().at_ms(1_400).text();
    let record = sim.at_ms(1_900).complete(50, 100).at_ms(1_950).end().unwrap();

    assert_eq!(record.outcome, Outcome::Success);
    assert_eq!((record.attempt_count, record.retry_count), (3, 2));
    assert_eq!(
        (record.request_setup_ns, record.ttft_ns, record.sampling_ns),
        (Some(ms(700)), Some(ms(200)), Some(ms(1_000)))
    );
    assert_eq!((record.call_ttft_ns, record.tail_ns), (Some(ms(900)), Some(ms(50))));
    assert_eq!((record.retry_planned_delay_ns, record.retry_actual_delay_ns), (ms(400), ms(410)));
    let models: Vec<_> = record.attempts.iter().map(|attempt| attempt.model.as_deref().unwrap()).collect();
    assert_eq!(models, ["gpt-4.1-mini", "gpt-4.1-mini", "gpt-4.1-nano"]);
    assert_eq!(record.model.as_deref(), Some("gpt-4.1-mini"), "the call keeps what was asked for");
    assert_eq!(record.output_tokens_per_second, Some(100.0));
}

#[test]
fn a_silent_stream_is_timed_out_where_it_fell_silent() {
    let mut sim = Sim::streamed(Config::default().with_idle_timeout(Nanos::from_secs(30)));
    sim.at_ms(0).attempt().at_ms(300).text().at_ms(2_000).text();
    assert_eq!(sim.call().poll_timeout(), Some(Timestamp::from_millis(32_000)));
    sim.at_ms(31_999).tick();
    assert!(sim.call().is_open());
    sim.at_ms(60_000).tick();
    let record = sim.call().poll_record().unwrap();
    assert_eq!(record.outcome, Outcome::TimedOut);
    assert_eq!(record.duration_ns, Nanos::from_secs(32));
    assert_eq!(record.ttft_ns, Some(ms(300)));
    assert!(sim.end().is_none(), "a call ends once");
}

#[test]
fn the_explanation_begins_with_where_the_time_went() {
    let mut sim = Sim::streamed(Config::default());
    sim.at_ms(0).attempt().at_ms(100).fails(429).waits_ms(8_000, WaitReason::RateLimit);
    let record = sim.at_ms(8_100).attempt().at_ms(8_500).text().at_ms(10_000).complete(10, 30).end().unwrap();
    let lines: Vec<String> = record.explain().iter().map(ToString::to_string).collect();
    assert!(lines[0].starts_with("10 s in all: 80 % waiting for retries"), "{}", lines[0]);
}
