//! What breaks a stream is the error of its attempt.

mod support;

use std::io;

use llmspan::{Failure, Nanos, Outcome, Protocol};
use support::{Body, bench, next, start, word};

#[test]
fn an_error_is_of_the_network_unless_told_otherwise() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let body = Body::new(&bench).then(200, word("Hi")).then_error(40, io::ErrorKind::ConnectionReset);
    let mut body = call.attempt().observe(body, Protocol::OpenAiChat).ending(call);
    next(&mut body).unwrap().unwrap();
    assert_eq!(next(&mut body).unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    // Nobody polls a broken stream to its end.
    drop(body);

    let record = bench.only_record();
    assert_eq!(record.outcome, Outcome::Error);
    assert_eq!(record.error.unwrap().error_type, "network");
    assert_eq!(record.ttft_ns, Some(Nanos::from_millis(200)));
}

#[test]
fn the_application_may_classify_errors() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let body = Body::new(&bench).then_error(40, io::ErrorKind::TimedOut);
    let body = call.attempt().observe(body, Protocol::OpenAiChat).ending(call);
    let mut body = body.classify_errors(|error: &io::Error| {
        Failure::of_type(if error.kind() == io::ErrorKind::TimedOut { "timeout" } else { "network" })
    });
    next(&mut body).unwrap().unwrap_err();
    assert!(next(&mut body).is_none());
    assert_eq!(bench.only_record().error.unwrap().error_type, "timeout");
}

#[test]
fn a_stream_without_its_end_marker_was_cut() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let mut body = call.attempt().observe(Body::new(&bench).then(5, word("Hi")), Protocol::OpenAiChat).ending(call);
    while next(&mut body).is_some() {}
    assert_eq!(bench.only_record().error.unwrap().error_type, "stream_truncated");
}

#[test]
fn a_broken_stream_can_be_retried_by_a_loop_that_keeps_the_call() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let body = Body::new(&bench).then_error(40, io::ErrorKind::ConnectionReset);
    let mut body = call.attempt().observe(body, Protocol::OpenAiChat);
    next(&mut body).unwrap().unwrap_err();
    drop(body);
    let body = Body::new(&bench).then(5, word("Hi")).then(5, support::FINISH);
    let mut body = call.attempt().observe(body, Protocol::OpenAiChat).ending(call);
    while next(&mut body).is_some() {}
    let record = bench.only_record();
    assert_eq!((record.outcome, record.attempt_count), (Outcome::Success, 2));
}
