use alloc::{format, sync::Arc, vec, vec::Vec};

use serde_json::{Value, json};

use super::*;
use crate::{
    engine::Call,
    machine::{AttemptStart, CallStart},
    time::{Nanos, Timestamp},
};

fn ms(millis: u64) -> Nanos {
    Nanos::from_millis(millis)
}

/// Label, depth, start and length in ms, and whether it failed.
fn outline(record: &Record) -> Vec<(String, u32, u64, u64, bool)> {
    let rows = Waterfall::new(record).rows;
    rows.into_iter()
        .map(|row| (row.label, row.depth, row.start_ns.as_millis(), row.duration_ns.as_millis(), row.failed))
        .collect()
}

#[test]
fn rows_come_in_the_order_of_their_start() {
    let expected = [
        ("prompt.build", 0, 0, 125, false),
        ("load", 1, 62, 0, false),
        ("attempt 1", 0, 125, 375, true),
        ("wait rate_limit", 0, 500, 1_000, false),
        ("attempt 2", 0, 1_500, 2_500, false),
        ("headers", 1, 1_500, 250, false),
        ("first chunk", 1, 1_500, 500, false),
        ("first token", 1, 1_500, 500, false),
        ("sampling", 1, 2_000, 2_000, false),
        ("stall", 2, 2_000, 1_875, false),
    ];
    let expected: Vec<_> = expected.into_iter().map(|row| (row.0.into(), row.1, row.2, row.3, row.4)).collect();
    assert_eq!(outline(&record(RETRIED)), expected);
}

#[test]
fn a_bar_shows_how_far_the_response_had_come() {
    let rows = Waterfall::new(&record(RETRIED)).rows;
    let segments = |at: usize| -> Vec<_> {
        let segments = rows[at].segments.iter();
        segments.map(|part| (part.kind, part.start_ns, part.end_ns(), part.failed)).collect()
    };
    let lost = [(SegmentKind::Waiting, ms(125), ms(500), true)];
    assert_eq!(segments(2), lost);
    let streamed = [
        (SegmentKind::Waiting, ms(1_500), ms(1_750), false),
        (SegmentKind::Pending, ms(1_750), ms(2_000), false),
        (SegmentKind::Content, ms(2_000), ms(4_000), false),
        (SegmentKind::Stalled, ms(2_000), ms(3_875), false),
    ];
    assert_eq!(segments(4), streamed);
}

#[test]
fn an_attempt_without_length_is_an_instant() {
    let record = from_json(r#"{"duration_ns": 9, "attempts": [{"number": 1, "outcome": "error", "start_ns": 5}]}"#);
    let row = &Waterfall::new(&record).rows[0];
    assert_eq!((row.segments.len(), row.segments[0].duration_ns), (1, Nanos::ZERO));
    // Twelve columns of the label, a gap, 37 of the bars: 5 of 9 ns are half column 41, in the column 20.
    let line = format!("{:<34}{:<17}{:>7}{:>6}", "✗ attempt 1", "▏ error", "5 ns", "0 s");
    let drawn = bars(&record, &narrow(64));
    assert_eq!(drawn.lines().last(), Some(line.as_str()), "\n{drawn}");
}

#[test]
fn notes_say_what_a_bar_cannot() {
    let record = from_json(
        r#"{"model": "m", "duration_ns": 9, "attempts": [
            {"number": 1, "model": "m", "outcome": "error", "error": {"type": "429", "status_code": 429}},
            {"number": 2, "model": "other", "outcome": "abandoned", "hedged": true},
            {"number": 3, "model": "m", "outcome": "success"}],
        "waits": [
            {"reason": "rate_limit", "server_requested": true, "planned_delay_ns": 2000000000, "start_ns": 1},
            {"reason": "network", "planned_delay_ns": 5000, "aborted": true, "start_ns": 2},
            {"reason": "key_pool", "start_ns": 3}],
        "phases": [{"name": "parse", "start_ns": 4, "left_open": true}]}"#,
    );
    let rows = Waterfall::new(&record).rows;
    let notes: Vec<_> = rows.iter().map(|row| (row.label.as_str(), row.note.as_deref())).collect();
    let expected = vec![
        ("attempt 1", Some("HTTP 429")),
        ("attempt 2", Some("other, abandoned, hedged")),
        ("attempt 3", None),
        ("wait rate_limit", Some("the server asked for 2 s")),
        ("wait network", Some("5 µs planned, cut short")),
        ("wait key_pool", None),
        ("parse", Some("left open")),
    ];
    assert_eq!(notes, expected);
}

#[test]
fn reasoning_and_answer_are_inside_of_sampling() {
    let record = from_json(
        r#"{"duration_ns": 100, "final_attempt": 1, "output_tokens_per_second": 1234.5, "attempts": [
            {"number": 1, "start_ns": 10, "duration_ns": 90, "marks": {
                "started_ns": 0, "first_content_ns": 20, "first_reasoning_ns": 20, "first_answer_ns": 50, "ended_ns": 90}}]}"#,
    );
    let rows = Waterfall::new(&record).rows;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            (row.kind.key(), row.depth, row.start_ns.as_nanos(), row.duration_ns.as_nanos(), row.note.as_deref())
        })
        .collect();
    let expected = vec![
        ("attempt", 0, 10, 90, None),
        ("first_token", 1, 10, 20, Some("TTFT")),
        ("sampling", 1, 30, 70, Some("1,234.5 tokens/s")),
        ("reasoning", 2, 30, 30, None),
        ("answer", 2, 60, 40, None),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn the_first_stalls_have_rows_and_the_last_of_these_counts_the_others() {
    let stalls: Vec<String> = (1..=6)
        .map(|at| format!(r#"{{"kind": "stall", "attempt": 1, "at_ns": {}, "duration_ns": 4}}"#, at * 10))
        .collect();
    let record = from_json(&format!(
        r#"{{"duration_ns": 100, "final_attempt": 1, "attempts": [{{"number": 1, "duration_ns": 100}}],
            "events": [{}]}}"#,
        stalls.join(",")
    ));
    let rows = Waterfall::new(&record).rows;
    let drawn: Vec<_> =
        rows.iter().skip(1).map(|row| (row.kind, row.start_ns.as_nanos(), row.note.as_deref())).collect();
    let stall = RowKind::Stall;
    assert_eq!(drawn, [(stall, 6, None), (stall, 16, None), (stall, 26, None), (stall, 36, Some("and 2 more"))]);
    // All of them are in the bar of the attempt.
    let segments = rows[0].segments.iter().filter(|segment| segment.kind == SegmentKind::Stalled);
    assert_eq!(segments.count(), 6);
}

#[test]
fn the_json_has_the_documented_shape() {
    let log = r#"
{"at_ns":0,"event":"call_started","operation":"chat","provider":"openai","model":"gpt-4.1-mini","stream":true}
{"at_ns":0,"event":"attempt_started"}
{"at_ns":50000000,"event":"attempt_failed","error_type":"rate_limit","status_code":429}
{"at_ns":50000000,"event":"call_ended"}
"#;
    let record = record(log);
    let found: Value = serde_json::from_str(&json(&record)).unwrap();
    let head = json!({
        "what": "chat gpt-4.1-mini @ openai", "outcome": "error", "ending": "error: rate_limit 429", "duration": "50 ms"
    });
    assert_eq!(found["head"], head);
    assert_eq!(found["duration_ns"], 50_000_000);
    assert_eq!(found["axis"]["step_ns"], 10_000_000);
    assert_eq!(found["axis"]["ticks"].as_array().unwrap().len(), 6);
    assert_eq!(found["axis"]["ticks"][1], json!({"at_ns": 10_000_000, "label": "10 ms"}));
    let row = json!([{
        "kind": "attempt", "label": "attempt 1", "depth": 0, "attempt": 1, "start_ns": 0, "duration_ns": 50_000_000,
        "note": "rate_limit 429", "failed": true,
        "segments": [{"kind": "waiting", "start_ns": 0, "duration_ns": 50_000_000, "failed": true}],
    }]);
    assert_eq!(found["rows"], row);
    assert_eq!(found["brief"]["timing"][0], json!({"key": "duration_ns", "label": "duration", "value": "50 ms"}));
    let attempts = json!({"key": "attempt_count", "label": "attempts", "value": "1 (0 retried)"});
    assert_eq!(found["brief"]["result"][0], attempts);
    let first = json!({"topic": "duration_ns", "text": "50 ms in all: 100 % in attempt 1 without a visible chunk"});
    assert_eq!(found["explanations"][0], first);
    let keys: Vec<_> = found.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["axis", "brief", "duration_ns", "explanations", "head", "rows"]);
}

#[test]
fn keys_are_unique_and_in_snake_case() {
    let rows: Vec<_> = RowKind::ALL.iter().map(|kind| kind.key()).collect();
    let segments: Vec<_> = SegmentKind::ALL.iter().map(|kind| kind.key()).collect();
    for mut keys in [rows, segments] {
        let count = keys.len();
        assert!(keys.iter().all(|key| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}

#[test]
fn hedged_attempts_overlap() {
    let log = r#"
{"at_ns":0,"event":"call_started","stream":true}
{"at_ns":0,"event":"attempt_started"}
{"at_ns":10000000,"event":"attempt_started","hedged":true}
{"at_ns":30000000,"event":"chunk","attempt":2,"content":"text"}
{"at_ns":40000000,"event":"chunk","attempt":2,"content":"text","terminal":true}
{"at_ns":50000000,"event":"call_ended"}
"#;
    let record = record(log);
    let rows = Waterfall::new(&record).rows;
    let attempts: Vec<_> = rows.iter().filter(|row| row.kind == RowKind::Attempt).collect();
    assert_eq!(attempts.len(), 2);
    assert!(attempts[0].end_ns() > attempts[1].start_ns);
    assert_eq!(attempts[1].start_ns, ms(10));
    assert_eq!(attempts[1].note.as_deref(), Some("hedged"));
}

#[test]
fn a_call_in_flight_is_drawn_from_a_copy() {
    let config = Arc::new(Config::default());
    let mut call = Call::new(config.clone(), Timestamp::from_millis(0), CallStart::default());
    call.handle_attempt_started(Timestamp::from_millis(10), AttemptStart::default());
    let mut copy = Call::resume(config, &call.snapshot().unwrap()).unwrap();
    copy.handle_dropped(Timestamp::from_millis(40));
    let waterfall = Waterfall::new(&copy.poll_record().unwrap());
    assert_eq!((waterfall.rows[0].start_ns, waterfall.rows[0].duration_ns), (ms(10), ms(30)));
    assert_eq!(waterfall.head.ending, "abandoned");
}
