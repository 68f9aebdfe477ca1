use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::Topic;
use crate::{
    config::Config,
    engine::Tracker,
    event::read_log,
    price::Price,
    random::Random,
    record::{
        AttemptRecord, Cost, EventKind, InterChunk, KeepAlives, Marks, Money, Outcome, PhaseRecord, Record,
        RecordError, Server, SpanEvent, TimeoutKind, Usage, WaitReason, WaitRecord,
    },
    time::Nanos,
};

fn ms(millis: u64) -> Nanos {
    Nanos::from_millis(millis)
}

fn lines(record: &Record) -> Vec<String> {
    record.explain().iter().map(ToString::to_string).collect()
}

/// The lines of the only call of a log.
fn replayed(log: &str) -> Vec<String> {
    let config = Config::default().with_prices(vec![Price::new("gpt-4.1-mini", 400_000_000, 1_600_000_000)]);
    let mut tracker = Tracker::new(config).unwrap();
    for event in read_log(log).unwrap() {
        tracker.handle_event(&event);
    }
    lines(&tracker.poll_record().unwrap())
}

const CALL: &str = r#"{"at_ns":0,"event":"call_started","operation":"chat","provider":"openai","model":"gpt-4.1-mini","stream":true}
{"at_ns":0,"event":"attempt_started"}
"#;

fn call(rest: &str) -> Vec<String> {
    replayed(&[CALL, rest].concat())
}

#[test]
fn a_clean_call_has_one_line() {
    let found = call(
        r#"{"at_ns":250000000,"event":"chunk","content":"text"}
{"at_ns":1000000000,"event":"chunk","content":"text","finish_reasons":["stop"],"usage":{"input_tokens":10,"output_tokens":30},"terminal":true}
{"at_ns":1000000000,"event":"call_ended"}"#,
    );
    assert_eq!(found, ["1 s in all: 75 % sampling, 25 % to the first token"]);
}

#[test]
fn a_retry_is_told_with_its_wait_and_its_error() {
    let found = call(
        r#"{"at_ns":50000000,"event":"attempt_failed","error_type":"rate_limit","status_code":429}
{"at_ns":50000000,"event":"retry_scheduled","delay_ns":2000000000,"reason":"rate_limit","server_requested":true}
{"at_ns":2050000000,"event":"attempt_started"}
{"at_ns":2250000000,"event":"chunk","content":"text"}
{"at_ns":3250000000,"event":"chunk","finish_reasons":["stop"],"usage":{"input_tokens":10,"output_tokens":500},"terminal":true}
{"at_ns":3250000000,"event":"call_ended"}"#,
    );
    assert_eq!(
        found,
        [
            "3.25 s in all: 62 % waiting for retries (1 of rate_limit, the server asked for 2 s), 31 % sampling, \
             6 % to the first token, 1 % in 1 failed attempt",
            "behind the success: attempt 1 failed with rate_limit (HTTP 429) after 50 ms",
        ]
    );
}

#[test]
fn a_cancelled_wait_still_names_the_error_before_it() {
    let found = call(
        r#"{"at_ns":500000000,"event":"attempt_failed","error_type":"overloaded_error","status_code":529}
{"at_ns":500000000,"event":"retry_scheduled","delay_ns":4000000000,"reason":"server_error"}
{"at_ns":2000000000,"event":"cancelled"}
{"at_ns":2000000000,"event":"call_ended"}"#,
    );
    assert_eq!(
        found,
        [
            "2 s in all: 75 % waiting for retries (1 of server_error, cut short), 25 % in attempt 1 without a visible \
             chunk",
            "cancelled by the caller during a wait",
            "no time to first token: no chunk came",
            "no token counts, so no rate and no cost: the response ended before any count was reported",
            "before the end: attempt 1 failed with overloaded_error (HTTP 529) after 500 ms",
        ]
    );
}

#[test]
fn missing_usage_names_the_option_to_ask_for() {
    let found = call(
        r#"{"at_ns":100000000,"event":"payload","protocol":"openai.chat","data":{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}}
{"at_ns":400000000,"event":"payload","protocol":"openai.chat","data":"[DONE]"}
{"at_ns":400000000,"event":"call_ended"}"#,
    );
    assert_eq!(
        found.get(1).unwrap(),
        "no token counts, so no rate and no cost: no usage chunk: ask for `stream_options.include_usage`"
    );
}

#[test]
fn a_cut_anthropic_stream_leaves_a_placeholder() {
    let found = call(
        r#"{"at_ns":100000000,"event":"payload","protocol":"anthropic.messages","data":{"type":"message_start","message":{"id":"msg_1","model":"claude","usage":{"input_tokens":20,"output_tokens":1}}}}
{"at_ns":200000000,"event":"payload","protocol":"anthropic.messages","data":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}}
{"at_ns":400000000,"event":"stream_ended"}
{"at_ns":400000000,"event":"call_ended"}"#,
    );
    assert_eq!(
        found,
        [
            "400 ms in all: 50 % to the first token, 50 % sampling",
            "the stream was cut after 2 chunks (1 visible): it ended without message_stop",
            "output tokens are a placeholder, so there is no rate: stream cut before message_delta",
        ]
    );
}

#[test]
fn a_call_that_does_not_stream_says_so() {
    let found = replayed(
        r#"{"at_ns":0,"event":"call_started","model":"unpriced","provider":"openai"}
{"at_ns":0,"event":"attempt_started"}
{"at_ns":300000000,"event":"usage","usage":{"input_tokens":4,"output_tokens":2}}
{"at_ns":300000000,"event":"call_ended"}"#,
    );
    assert_eq!(
        found,
        [
            "300 ms in all: 100 % waiting for the response",
            "no time to first token: not a streamed call",
            "no cost: no price for model unpriced of openai in the table",
        ]
    );
}

#[test]
fn ends_are_told_by_kind() {
    let mut record = Record {
        stream: true,
        duration_ns: ms(900),
        final_attempt: Some(1),
        attempt_count: 1,
        marks: Marks { started_ns: Some(ms(0)), ended_ns: Some(ms(900)), ..Marks::default() },
        ..Record::default()
    };
    let mut told = |outcome, kind, error: Option<&str>| {
        record.outcome = outcome;
        record.timeout_kind = kind;
        record.error = error.map(|name| RecordError {
            error_type: name.into(),
            message: Some("line one\nline two".into()),
            ..RecordError::default()
        });
        lines(&record).remove(1)
    };
    assert_eq!(told(Outcome::Cancelled, None, None), "cancelled by the caller after 900 ms without a visible chunk");
    assert_eq!(
        told(Outcome::Interrupted, None, None),
        "the consumer stopped reading after 900 ms without a visible chunk"
    );
    assert_eq!(
        told(Outcome::Abandoned, None, None),
        "abandoned after 900 ms without a visible chunk: nobody ended the call"
    );
    assert_eq!(
        told(Outcome::TimedOut, Some(TimeoutKind::Idle), Some("timeout")),
        "timed out: nothing came for 900 ms, after 900 ms without a visible chunk"
    );
    assert_eq!(
        told(Outcome::TimedOut, Some(TimeoutKind::Deadline), Some("timeout")),
        "timed out: the deadline of the call passed after 900 ms, after 900 ms without a visible chunk"
    );
    assert_eq!(
        told(Outcome::Error, None, Some("overloaded_error")),
        "failed with overloaded_error after 900 ms without a visible chunk: line one line two"
    );
}

#[test]
fn facts_have_numbers_and_units() {
    let mut record = eventful();
    record.output_buffered = Some(false);
    assert_eq!(
        lines(&record),
        [
            "10 s in all: 50 % sampling (3 s of it stalled), 20 % to the first token, 20 % in prompt.build, \
             10 % unattributed",
            "2 stalls, 3 s in all, the longest 2 s, 5 s into the call",
            "of 2 s to the first token the server reports 500 ms of queue and 700 ms of prompt; 800 ms are network \
             and client",
            "silent but alive: 3 keep-alives, the last one 3.5 s into the call",
            "cache served 75 % of the input: 1,500 of 2,000 tokens",
            "reasoning took 40 % of the output, not shown: 40 of 100 tokens",
            "the token limit cut the answer (finish reason `length`)",
            "phase left open and closed with the call: prompt.build",
            "no phase, attempt or wait covers 1 s (10 %)",
            "2 timestamps ran backwards and took the time before",
            "past the caps, counted without detail: 4 events",
        ]
    );
}

#[test]
fn buffered_output_has_one_line_and_no_line_about_rates() {
    let mut record = eventful();
    record.output_buffered = Some(true);
    record.output_tokens_per_second = None;
    record.sampling_ns = Some(ms(1));
    let found = lines(&record);
    assert!(
        found.contains(
            &"output was buffered: 100 tokens in 1 ms after 2 s of silence, so something held the stream back and the \
          rates are left out"
                .into()
        )
    );
    assert!(!record.explain().iter().any(|line| line.topic == Topic::OutputTokensPerSecond));
}

#[test]
fn a_frozen_clock_is_named() {
    let found = call(
        r#"{"at_ns":0,"event":"chunk","content":"text"}
{"at_ns":0,"event":"chunk","content":"text","usage":{"input_tokens":1,"output_tokens":9},"terminal":true}
{"at_ns":0,"event":"call_ended"}"#,
    );
    assert_eq!(
        found,
        [
            "no time passed between the first event and the last",
            "clock did not advance while chunks came: the times say nothing and there are no rates",
        ]
    );
}

#[test]
fn shares_add_up_to_a_hundred() {
    let mut record = Record { duration_ns: Nanos::from_nanos(7), ..Record::default() };
    for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
        record.phases.push(PhaseRecord {
            name: name.into(),
            start_ns: Nanos::from_nanos(u64::try_from(at).unwrap() * 2),
            duration_ns: Nanos::from_nanos(2),
            ..PhaseRecord::default()
        });
    }
    assert_eq!(lines(&record)[0], "7 ns in all: 29 % in a, 29 % in b, 28 % in c, 14 % unattributed");
}

#[test]
fn overlapping_stretches_are_counted_once() {
    let loser =
        AttemptRecord { number: 1, outcome: Outcome::Abandoned, duration_ns: ms(100), ..AttemptRecord::default() };
    let record = Record {
        duration_ns: ms(100),
        final_attempt: Some(2),
        marks: Marks { started_ns: Some(ms(40)), ended_ns: Some(ms(100)), ..Marks::default() },
        attempts: vec![loser],
        ..Record::default()
    };
    assert_eq!(lines(&record)[0], "100 ms in all: 60 % waiting for the response, 40 % in 1 other attempt");
}

#[test]
fn a_wait_before_the_first_attempt_is_not_a_retry() {
    let wait = WaitRecord { reason: WaitReason::KeyPool, actual_delay_ns: ms(100), ..WaitRecord::default() };
    let record = Record { duration_ns: ms(100), waits: vec![wait], ..Record::default() };
    assert_eq!(lines(&record)[0], "100 ms in all: 100 % waiting before the first attempt (1 of key_pool)");
}

#[test]
fn codes_are_unique_and_in_snake_case() {
    let mut codes: Vec<&str> = Topic::ALL.iter().map(|topic| topic.code()).collect();
    assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Topic::ALL.len());
    let json = serde_json::to_value(Record::default().explain()).unwrap();
    assert_eq!(json[0]["topic"], "duration_ns");
}

/// Records from a small generator whose numbers sit at the edges: nothing panics, and every line is one line.
#[test]
fn every_record_can_be_explained() {
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    let edges = [0, 1, 2, 999, 1_000_000, 1_000_000_000, 1 << 53, u64::MAX - 1, u64::MAX];
    for _ in 0..3_000 {
        let mut number = || edges[usize::try_from(random.next() % 9).unwrap()];
        let mut record = wild(&mut number);
        for line in record.explain() {
            assert!(!line.text.is_empty() && !line.text.contains('\n'), "{line:?}");
            assert!(!line.text.contains("NaN"), "{line:?}");
        }
        record.duration_ns = Nanos::ZERO;
        assert!(!record.explain().is_empty());
    }
    assert_eq!(lines(&Record::default()).len(), 2);
}

fn eventful() -> Record {
    let stall = |at, gap| SpanEvent {
        kind: EventKind::Stall,
        attempt: Some(1),
        at_ns: ms(at),
        duration_ns: Some(ms(gap)),
        ..SpanEvent::default()
    };
    let mut record = Record {
        stream: true,
        duration_ns: ms(10_000),
        unattributed_ns: ms(1_000),
        final_attempt: Some(1),
        attempt_count: 1,
        marks: Marks {
            started_ns: Some(ms(3_000)),
            first_chunk_ns: Some(ms(4_500)),
            first_content_ns: Some(ms(5_000)),
            ended_ns: Some(ms(10_000)),
            ..Marks::default()
        },
        ttft_ns: Some(ms(2_000)),
        sampling_ns: Some(ms(5_000)),
        output_tokens_per_second: Some(20.0),
        network_ns: Some(ms(800)),
        finish_reasons: vec!["length".into()],
        cost: Some(Cost { total: Some(Money::from_nanos(1)), ..Cost::default() }),
        server: Some(Server { queue_ns: Some(ms(500)), prompt_ns: Some(ms(700)), ..Server::default() }),
        inter_chunk: Some(InterChunk { stalls: 2, stalled_ns: ms(3_000), max_ns: ms(2_000), ..InterChunk::default() }),
        events: vec![stall(7_000, 2_000), stall(9_000, 1_000)],
        keep_alives: Some(KeepAlives { count: 3, last_ns: Some(ms(3_500)) }),
        usage: Some(Usage {
            input_tokens: Some(2_000),
            cache_read_tokens: Some(1_500),
            output_tokens: Some(100),
            reasoning_tokens: Some(40),
            ..Usage::default()
        }),
        phases: vec![PhaseRecord {
            name: "prompt.build".into(),
            duration_ns: ms(2_000),
            left_open: true,
            ..PhaseRecord::default()
        }],
        ..Record::default()
    };
    record.diagnostics.clock_regressions = 2;
    record.diagnostics.dropped.events = Some(4);
    record
}

fn wild(number: &mut impl FnMut() -> u64) -> Record {
    let mut record = eventful();
    let mut nanos = || Nanos::from_nanos(number());
    record.duration_ns = nanos();
    record.unattributed_ns = nanos();
    record.retry_actual_delay_ns = nanos();
    record.retry_planned_delay_ns = nanos();
    record.marks.started_ns = Some(nanos());
    record.marks.first_chunk_ns = Some(nanos());
    record.marks.first_content_ns = Some(nanos());
    record.marks.delivered_ns = Some(nanos());
    record.marks.ended_ns = Some(nanos());
    record.sampling_ns = Some(nanos());
    record.keep_alives.as_mut().unwrap().last_ns = Some(nanos());
    record.phases[0].start_ns = nanos();
    record.phases[0].duration_ns = nanos();
    record.events[0].at_ns = nanos();
    record.inter_chunk.as_mut().unwrap().stalled_ns = nanos();
    for _ in 0..3 {
        record.attempts.push(AttemptRecord {
            start_ns: nanos(),
            duration_ns: nanos(),
            outcome: Outcome::Error,
            ..AttemptRecord::default()
        });
        record.waits.push(WaitRecord {
            start_ns: nanos(),
            actual_delay_ns: nanos(),
            planned_delay_ns: nanos(),
            server_requested: true,
            after_attempt: 1,
            ..WaitRecord::default()
        });
    }
    let usage = record.usage.as_mut().unwrap();
    usage.input_tokens = Some(number());
    usage.output_tokens = Some(number());
    usage.cache_read_tokens = Some(number());
    usage.reasoning_tokens = Some(number());
    record.wasted_usage = record.usage.clone();
    record.ttft_ns = (number() > 2).then(|| Nanos::from_nanos(1));
    record.final_attempt = (number() > 2).then_some(1);
    record.attempt_count = number();
    record.retry_count = number();
    record.output_tokens_per_second = None;
    record.output_buffered = (number() > 2).then_some(true);
    let outcomes = [
        Outcome::Success,
        Outcome::Error,
        Outcome::Cancelled,
        Outcome::Interrupted,
        Outcome::TimedOut,
        Outcome::Abandoned,
    ];
    record.outcome = outcomes[usize::try_from(number() % 6).unwrap()];
    record
}
