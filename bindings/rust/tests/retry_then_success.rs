//! A rate limit, the wait that the server asked for, and a second attempt that succeeds.

mod support;

use llmspan::{Failure, Nanos, Outcome, Protocol, Retry, WaitReason, headers};
use support::{Body, FINISH, bench, next, start, word};

#[test]
fn waits_and_attempts_are_told_apart() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let first = call.attempt();
    assert_eq!(first.number(), 1);
    bench.wait(50);
    let headers = first.response(429, [("Retry-After", "2"), ("X-Request-Id", "req_1")]);
    assert_eq!(headers, headers::read(429, [("retry-after", "2"), ("x-request-id", "req_1")]));
    let delay = headers.retry_after_ns.unwrap();
    first.failed(Failure::of_status(429).with_retry_after(delay));
    call.retry_scheduled(Retry::after(delay, WaitReason::RateLimit).requested_by_server());
    bench.wait(2_100);

    let second = call.attempt();
    assert_eq!(second.number(), 2);
    second.request_sent();
    let body = Body::new(&bench).then(300, word("Hi")).then(700, FINISH);
    let mut body = second.observe(body, Protocol::OpenAiChat).ending(call);
    while let Some(item) = next(&mut body) {
        item.unwrap();
    }

    let record = bench.only_record();
    assert_eq!(record.outcome, Outcome::Success);
    assert_eq!((record.attempt_count, record.retry_count), (2, 1));
    assert_eq!(record.attempts[0].request_id.as_deref(), Some("req_1"));
    assert_eq!(record.attempts[0].error.as_ref().unwrap().error_type, "429");
    assert_eq!(record.retry_planned_delay_ns, Nanos::from_secs(2));
    assert_eq!(record.retry_actual_delay_ns, Nanos::from_millis(2_100));
    assert!(record.waits[0].server_requested);
    assert_eq!(record.request_setup_ns, Some(Nanos::from_millis(2_150)));
    assert_eq!(record.ttft_ns, Some(Nanos::from_millis(300)));
    assert_eq!(record.sampling_ns, Some(Nanos::from_millis(700)));
    assert_eq!(record.usage.unwrap().output_tokens, Some(3));
}
