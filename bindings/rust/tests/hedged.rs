//! Attempts that run side by side keep their events apart.

mod support;

use llmspan::{AttemptStart, Nanos, Outcome, Protocol};
use support::{Body, FINISH, bench, next, start, word};

#[test]
fn the_slow_one_does_not_speak_for_the_fast_one() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let mut slow = call.attempt().observe(Body::new(&bench).then(400, word("late")), Protocol::OpenAiChat);
    bench.wait(500);
    let mut hedged = AttemptStart::default();
    hedged.hedged = true;
    let fast = call.attempt_with(hedged);
    next(&mut slow).unwrap().unwrap();
    bench.wait(100);
    fast.bytes(Protocol::OpenAiChat, word("quick").as_bytes());
    fast.bytes(Protocol::OpenAiChat, FINISH.as_bytes());
    call.end();
    drop(slow);

    let record = bench.only_record();
    assert_eq!((record.outcome, record.final_attempt), (Outcome::Success, Some(2)));
    let ttft: Vec<_> = record.attempts.iter().map(|attempt| attempt.ttft_ns).collect();
    assert_eq!(ttft, [Some(Nanos::from_millis(900)), Some(Nanos::from_millis(500))]);
}
