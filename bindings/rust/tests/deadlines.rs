//! Deadlines pass when the application ticks.

mod support;

use llmspan::{Config, ManualClock, Memory, Nanos, Outcome, Recorder, TimeoutKind};
use support::start;

#[test]
fn a_tick_ends_the_calls_that_are_due() {
    let (clock, records) = (ManualClock::default(), Memory::default());
    let config = Config::default().with_deadline(Nanos::from_secs(30)).with_idle_timeout(Nanos::from_secs(10));
    let recorder = Recorder::builder().with_config(config).with_clock(clock.clone()).with_sink(records.clone());
    let recorder = recorder.build().unwrap();

    let silent = recorder.call_with_id("silent", start());
    let attempt = silent.attempt();
    let waiting = recorder.call_with_id("waiting", start());
    clock.advance(Nanos::from_secs(9));
    recorder.tick();
    assert!(records.records().is_empty());
    clock.advance(Nanos::from_secs(2));
    recorder.tick();
    clock.advance(Nanos::from_secs(20));
    recorder.tick();
    attempt.stream_ended();
    silent.end();
    drop(waiting);

    let ends: Vec<_> = records.records().into_iter().map(|r| (r.call, r.outcome, r.timeout_kind)).collect();
    let timed_out = |call: &str, kind| (call.to_owned(), Outcome::TimedOut, Some(kind));
    assert_eq!(ends, [timed_out("silent", TimeoutKind::Idle), timed_out("waiting", TimeoutKind::Deadline)]);
}

#[test]
fn a_configuration_is_checked() {
    let config = Config::default().with_deadline(Nanos::ZERO);
    let error = Recorder::builder().with_config(config).build().unwrap_err();
    assert_eq!(error.code(), "invalid_config");
}
