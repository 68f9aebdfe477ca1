//! A stream that is dropped early ends its call as interrupted, once.

mod support;

use llmspan::{Nanos, Outcome, Protocol};
use support::{Body, FINISH, bench, next, start, word};

#[test]
fn dropping_the_stream_interrupts_the_call_it_owns() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let body = Body::new(&bench).then(200, word("Hi")).then(50, word(" there")).then(50, FINISH);
    let mut body = call.attempt().observe(body, Protocol::OpenAiChat).ending(call);

    next(&mut body).unwrap().unwrap();
    next(&mut body).unwrap().unwrap();
    bench.wait(10);
    assert!(bench.records.records().is_empty());
    drop(body);

    let record = bench.only_record();
    assert_eq!(record.outcome, Outcome::Interrupted);
    assert_eq!(record.error, None);
    assert_eq!(record.ttft_ns, Some(Nanos::from_millis(200)));
    assert_eq!(record.duration_ns, Nanos::from_millis(260));
}

#[test]
fn a_stream_that_nobody_polled_is_interrupted() {
    let bench = bench();
    let call = bench.recorder.call(start());
    drop(call.attempt().observe(Body::new(&bench), Protocol::OpenAiChat).ending(call));
    assert_eq!(bench.only_record().outcome, Outcome::Interrupted);
}

#[test]
fn a_reader_that_stops_at_the_end_marker_has_a_success() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let body = Body::new(&bench).then(200, word("Hi")).then(50, FINISH);
    let mut body = call.attempt().observe(body, Protocol::OpenAiChat).ending(call);
    next(&mut body).unwrap().unwrap();
    next(&mut body).unwrap().unwrap();
    drop(body);
    assert_eq!(bench.only_record().outcome, Outcome::Success);
}

#[test]
fn a_loop_that_keeps_the_call_may_retry_after_a_drop() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let mut body = call.attempt().observe(Body::new(&bench).then(5, word("no")), Protocol::OpenAiChat);
    next(&mut body).unwrap().unwrap();
    drop(body);
    assert!(bench.records.records().is_empty());

    let mut body = call.attempt().observe(Body::new(&bench).then(5, FINISH), Protocol::OpenAiChat);
    next(&mut body).unwrap().unwrap();
    assert!(next(&mut body).is_none());
    drop(body);
    call.end();

    let record = bench.only_record();
    assert_eq!(record.outcome, Outcome::Success);
    assert_eq!(record.attempts[0].outcome, Outcome::Interrupted);
}
