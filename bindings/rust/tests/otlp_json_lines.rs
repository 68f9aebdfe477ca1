//! Records as lines of OTLP/JSON.

mod support;

use std::{fs, path::PathBuf};

use llmspan::{
    Failure, ManualClock, Nanos, OtlpJsonLines, Profile, Recorder, UnixNanos,
    core::{otlp::Resource, spans::Shape},
};
use serde_json::{Value, json};
use support::start;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("llmspan-{name}-{}.jsonl", std::process::id()))
}

fn resource() -> Resource {
    Resource::of_service("assistant")
}

fn recorder(lines: OtlpJsonLines) -> (Recorder, ManualClock) {
    let clock = ManualClock::anchored(UnixNanos::from_nanos(1_764_547_200_000_000_000));
    (Recorder::builder().with_clock(clock.clone()).with_sink(lines).build().unwrap(), clock)
}

fn read(path: &PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    fs::remove_file(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn spans(line: &Value) -> &[Value] {
    line["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap()
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    attributes.iter().find(|attribute| attribute["key"] == key).map_or(&Value::Null, |found| &found["value"])
}

#[test]
fn a_line_is_an_export_request() {
    let path = temporary("otlp");
    let lines = OtlpJsonLines::create(&path, resource()).unwrap();
    let (recorder, clock) = recorder(lines.clone());
    let call = recorder.call(start().with_trace(TRACE, SPAN, None));
    clock.advance(Nanos::from_millis(20));
    let attempt = call.attempt();
    clock.advance(Nanos::from_millis(230));
    attempt.failed(Failure::of_status(503));
    call.end();
    recorder.flush();

    assert_eq!(lines.stats().written, 1);
    let lines = read(&path);
    let [line] = lines.as_slice() else { panic!("one line for a record") };
    let of_service = json!([{"key": "service.name", "value": {"stringValue": "assistant"}}]);
    assert_eq!(line["resourceSpans"][0]["resource"]["attributes"], of_service);
    let [call, attempt] = spans(line) else { panic!("a call and its attempt: {line}") };
    assert_eq!(
        (&call["traceId"], &call["spanId"], &call["name"]),
        (&json!(TRACE), &json!(SPAN), &json!("chat gpt-4.1-mini"))
    );
    assert_eq!(call["startTimeUnixNano"], "1764547200000000000");
    assert_eq!(call["endTimeUnixNano"], "1764547200250000000");
    assert_eq!(attribute(call, "error.type"), &json!({"stringValue": "503"}));
    assert_eq!((&attempt["traceId"], &attempt["parentSpanId"]), (&json!(TRACE), &json!(SPAN)));
    assert_eq!(attempt["startTimeUnixNano"], "1764547200020000000");
}

#[test]
fn a_record_without_a_trace_is_one_of_its_own() {
    let path = temporary("otlp-ids");
    let (recorder, _) = recorder(OtlpJsonLines::create(&path, resource()).unwrap());
    for _ in 0..2 {
        let call = recorder.call(start());
        call.attempt().stream_ended();
        call.end();
    }
    recorder.flush();

    let lines = read(&path);
    let [first, second] = lines.as_slice() else { panic!("a line per record") };
    for line in [first, second] {
        let [call, attempt] = spans(line) else { panic!("a call and its attempt: {line}") };
        for (id, digits) in [(&call["traceId"], 32), (&call["spanId"], 16), (&attempt["spanId"], 16)] {
            let id = id.as_str().unwrap();
            assert!(id.len() == digits && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
        }
        assert_eq!((&call["traceId"], &call["spanId"]), (&attempt["traceId"], &attempt["parentSpanId"]));
        assert_eq!(call.get("parentSpanId"), None);
    }
    assert_ne!(spans(first)[0]["traceId"], spans(second)[0]["traceId"]);
    assert_ne!(spans(first)[0]["spanId"], spans(second)[0]["spanId"]);
}

#[test]
fn a_record_without_a_wall_clock_is_counted() {
    let path = temporary("otlp-anchor");
    let lines = OtlpJsonLines::create(&path, resource()).unwrap();
    let recorder = Recorder::builder().with_clock(ManualClock::default()).with_sink(lines.clone()).build().unwrap();
    recorder.call(start().with_trace(TRACE, SPAN, None)).end();
    recorder.flush();
    assert_eq!((lines.stats().written, lines.stats().failed), (0, 1));
    assert_eq!(read(&path), Vec::<Value>::new());
}

#[test]
fn shape_and_names_are_the_callers() {
    let path = temporary("otlp-layout");
    let profiles = vec![Profile::by_name("ares").unwrap()];
    let file = fs::File::create(&path).unwrap();
    let lines = OtlpJsonLines::with_layout(16, file, resource(), Shape::Attempt, profiles).unwrap();
    let (recorder, _) = recorder(lines);
    let call = recorder.call(start());
    call.attempt().stream_ended();
    call.end();
    recorder.flush();
    let lines = read(&path);
    let [call, attempt] = spans(&lines[0]) else { panic!("a call and its attempt") };
    assert_eq!(attribute(call, "llm.model"), &Value::Null);
    assert_eq!(attempt["name"], "llm.call");
    assert_eq!(attribute(attempt, "llm.model"), &json!({"stringValue": "gpt-4.1-mini"}));
}

#[test]
fn a_file_is_appended_to() {
    let path = temporary("otlp-append");
    for _ in 0..2 {
        let (recorder, _) = recorder(OtlpJsonLines::append(&path, resource()).unwrap());
        recorder.call(start()).end();
        // The last handle waits for the queue.
    }
    assert_eq!(read(&path).len(), 2);
}
