//! Every way to end a call gives one record, and what comes later changes nothing.

mod support;

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use llmspan::{Chunk, ContentKind, Failure, Outcome, TimeoutKind};
use support::{bench, start};

#[test]
fn a_call_that_is_dropped_is_abandoned() {
    let bench = bench();
    let call = bench.recorder.call(start());
    call.attempt();
    drop(call);
    assert_eq!(bench.only_record().outcome, Outcome::Abandoned);
}

#[test]
fn a_drop_keeps_what_is_known() {
    let bench = bench();
    let call = bench.recorder.call(start());
    call.attempt();
    call.cancelled();
    drop(call);
    assert_eq!(bench.only_record().outcome, Outcome::Cancelled);
}

#[test]
fn a_timeout_of_the_host_is_one_of_the_call() {
    let bench = bench();
    let call = bench.recorder.call(start());
    call.attempt();
    call.timed_out(TimeoutKind::Idle);
    call.end();
    let record = bench.only_record();
    assert_eq!((record.outcome, record.timeout_kind), (Outcome::TimedOut, Some(TimeoutKind::Idle)));
}

#[test]
fn a_failure_of_the_call_is_its_error() {
    let bench = bench();
    bench.recorder.call(start()).fail(Failure::of_type("no_key"));
    assert_eq!(bench.only_record().error.unwrap().error_type, "no_key");
}

#[test]
fn handles_outlive_the_call() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let attempt = call.attempt();
    let phase = call.phase("response.parse");
    call.end();

    attempt.chunk(&Chunk::of(ContentKind::Text));
    attempt.failed(Failure::of_status(500));
    drop(phase);
    let record = bench.only_record();
    assert_eq!(record.outcome, Outcome::Success);
    assert!(record.phases[0].left_open);
    assert_eq!(bench.recorder.stats().open_calls, 0);
}

#[test]
fn a_panic_of_the_application_leaves_a_record() {
    let bench = bench();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let call = bench.recorder.call(start());
        call.attempt();
        panic!("a bug of the application");
    }));
    assert!(result.is_err());
    assert_eq!(bench.only_record().outcome, Outcome::Abandoned);
}
