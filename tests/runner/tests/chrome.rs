//! Traces for Perfetto, read back by a strict reader of the format.

mod common;
mod trace;

use std::collections::BTreeMap;

use llmspan_core::{
    chrome::{ChromeTrace, ChromeTraceLog},
    config::Config,
    delta::ContentKind,
    engine::Tracker,
    event::{Chunk, Event, TimedEvent},
    machine::{AttemptStart, CallStart},
    record::{AttemptRecord, AttributeValue, EventKind, PhaseRecord, Record, SpanEvent, WaitReason},
    time::{Nanos, Timestamp, UnixNanos},
};
use llmspan_runner::sim::Sim;
use proptest::prelude::*;
use serde_json::Value;

use trace::{Drawn, Trace};

const MS: u64 = 1_000_000;

#[test]
fn a_slow_call_after_a_retry() {
    let mut sim = Sim::streamed(Config::default());
    sim.at_ms(0).event(Event::PhaseStarted("prompt.build".into()));
    sim.at_ms(30).event(Event::PhaseEnded("prompt.build".into()));
    sim.at_ms(30).attempt().at_ms(50).fails(429).waits_ms(2_000, WaitReason::RateLimit);
    sim.at_ms(2_050).attempt().at_ms(2_284).text().at_ms(4_284).text();
    let record = sim.at_ms(127_050).complete(10, 501).at_ms(127_060).end().unwrap();
    let trace = draw(&[record]);

    let drawn: Vec<_> = trace.slices.iter().map(|slice| (slice.name.as_str(), slice.start, slice.length)).collect();
    assert_eq!(
        drawn,
        [
            ("llm.chat_stream", 0, 127_060 * MS),
            ("prompt.build", 0, 30 * MS),
            ("attempt 1", 30 * MS, 20 * MS),
            ("wait: rate_limit", 50 * MS, 2_000 * MS),
            ("attempt 2", 2_050 * MS, 125_000 * MS),
            ("first_token", 2_050 * MS, 234 * MS),
            ("sampling", 2_284 * MS, 124_766 * MS),
        ]
    );
    for (name, parent) in [
        ("llm.chat_stream", None),
        ("prompt.build", Some("llm.chat_stream")),
        ("attempt 1", Some("llm.chat_stream")),
        ("wait: rate_limit", Some("llm.chat_stream")),
        ("first_token", Some("attempt 2")),
        ("sampling", Some("attempt 2")),
    ] {
        assert_eq!(trace.slice(name).parent.as_deref(), parent, "{name}");
    }
    let failed = &trace.slice("attempt 1").args;
    assert_eq!(
        (&failed["attempt"], &failed["status_code"], &failed["error_type"]),
        (&1.into(), &429.into(), &"429".into())
    );
    let call = &trace.slice("llm.chat_stream").args;
    assert_eq!((&call["ttft_ns"], &call["output_tokens"]), (&(234 * MS).into(), &501.into()));
    assert_eq!((&call["stalls"], &call["attempt_count"]), (&1.into(), &2.into()));
    let instants: Vec<_> = trace.instants.iter().map(|instant| (instant.name.as_str(), instant.start)).collect();
    assert_eq!(instants, [("stall", 4_284 * MS), ("finish: stop", 127_050 * MS)]);
    assert_eq!(trace.tracks.values().collect::<Vec<_>>(), ["calls 1"]);
}

#[test]
fn the_name_says_what_was_asked_and_whether_it_streamed() {
    let name = |operation: Option<&str>, stream| {
        let mut record = Record::default();
        record.operation = operation.map(Into::into);
        record.stream = stream;
        draw(&[record]).slices[0].name.clone()
    };
    assert_eq!(name(Some("chat"), false), "llm.chat");
    assert_eq!(name(None, true), "llm.chat_stream");
    assert_eq!(name(Some("embeddings"), false), "llm.embeddings");
    assert_eq!(name(Some("generate_content"), true), "llm.generate_content_stream");
}

#[test]
fn hedged_attempts_are_beside_each_other() {
    let mut sim = Sim::streamed(Config::default());
    let mut hedge = AttemptStart::default();
    hedge.hedged = true;
    sim.at_ms(0).attempt().at_ms(100).event(Event::AttemptStarted(Box::new(hedge)));
    sim.at_ms(150).text();
    let record = sim.at_ms(400).complete(5, 20).at_ms(500).end().unwrap();
    let trace = draw(&[record]);
    let (first, hedged) = (trace.slice("attempt 1"), trace.slice("attempt 2"));
    assert_eq!((first.start, first.length), (0, 500 * MS));
    assert_eq!((hedged.start, hedged.length), (100 * MS, 300 * MS));
    assert_eq!(first.track, trace.slice("llm.chat_stream").track);
    assert_ne!(first.track, hedged.track);
    assert_eq!(hedged.parent, None);
    assert_eq!(trace.slice("sampling").track, hedged.track, "parts are with their attempt");
    assert_eq!(trace.instants[0].track, hedged.track, "and so are its moments");
    assert_eq!(trace.tracks.values().collect::<Vec<_>>(), ["calls 1", "calls 1, beside 1"]);
}

#[test]
fn a_phase_that_crosses_the_end_of_a_part_is_beside_it_with_its_children() {
    let mut sim = Sim::streamed(Config::default());
    sim.at_ms(0).attempt().at_ms(100).event(Event::PhaseStarted("response.parse".into()));
    sim.at_ms(200).text().at_ms(210).event(Event::PhaseStarted("json".into()));
    sim.at_ms(220).event(Event::PhaseEnded("json".into())).at_ms(300).event(Event::PhaseEnded("response.parse".into()));
    let record = sim.at_ms(400).complete(5, 20).end().unwrap();
    let trace = draw(&[record]);
    let (parse, json) = (trace.slice("response.parse"), trace.slice("json"));
    assert_ne!(parse.track, trace.slice("attempt 1").track);
    assert_eq!((parse.start, parse.length, parse.parent.as_deref()), (100 * MS, 200 * MS, None));
    assert_eq!((json.track, json.parent.as_deref()), (parse.track, Some("response.parse")));
}

#[test]
fn headers_are_inside_the_first_token() {
    let mut sim = Sim::streamed(Config::default());
    sim.at_ms(0).attempt().at_ms(5).event(Event::RequestSent);
    sim.at_ms(80).event(Event::HeadersReceived(Box::default())).at_ms(200).text();
    let record = sim.at_ms(400).complete(5, 20).end().unwrap();
    let headers = draw(&[record]).slice("headers").clone();
    assert_eq!((headers.start, headers.length), (5 * MS, 75 * MS));
    assert_eq!(headers.parent.as_deref(), Some("first_token"));
}

/// A record of a streamed call with an anchor.
fn anchored(call: &str, start: u64, length: u64) -> Record {
    let mut record = Record::default();
    record.call = call.into();
    record.stream = true;
    record.start_unix_ns = Some(UnixNanos::from_nanos(start));
    record.duration_ns = Nanos::from_nanos(length);
    record
}

#[test]
fn calls_that_overlap_are_on_tracks_of_their_own() {
    const EPOCH: u64 = 1_790_000_000_000_000_000;
    let records = [
        anchored("b", EPOCH + 60, 50),
        anchored("a", EPOCH + 7, 100),
        anchored("c", EPOCH + 110, 10),
        anchored("d", EPOCH + 107, 1),
    ];
    let trace = draw(&records);
    let at: BTreeMap<_, _> =
        trace.slices.iter().map(|slice| (slice.args["call"].as_str().unwrap(), (slice.track, slice.start))).collect();
    assert_eq!(at["a"].1, 0, "0 is the start of the earliest");
    assert_eq!(at["b"].1, 53);
    assert_eq!((at["c"].1, at["d"].1), (103, 100));
    assert_ne!(at["a"].0, at["b"].0);
    assert_eq!(at["d"].0, at["a"].0, "it begins where a ended");
    assert_eq!(at["c"].0, at["b"].0);
    assert_eq!(trace.tracks.values().collect::<Vec<_>>(), ["calls 1", "calls 2"]);
    assert_eq!(trace.processes[&1], "llmspan");
}

#[test]
fn calls_without_an_anchor_are_on_their_own_clock() {
    let mut record = Record::default();
    record.duration_ns = Nanos::from_nanos(5);
    let mut trace = ChromeTrace::new();
    trace.add(&anchored("a", 77, 10));
    trace.add(&record);
    trace.add(&record);
    trace.add_at(&record, Timestamp::from_nanos(1_234_567_891));
    let trace = Trace::read(&trace.finish());
    assert_eq!(trace.processes[&1], "llmspan");
    assert_eq!(trace.processes[&2], "llmspan, monotonic clock");
    let mut starts: Vec<_> = trace.slices.iter().map(|slice| (slice.process, slice.start)).collect();
    starts.sort_unstable();
    assert_eq!(starts, [(1, 0), (2, 0), (2, 0), (2, 1_234_567_891)]);
    let ids: Vec<_> = trace.tracks.keys().collect();
    assert_eq!(ids.len(), 3, "two calls at 0 are not on one track, the later one joins the first: {ids:?}");
}

#[test]
fn a_call_that_nothing_can_place_is_counted() {
    let mut trace = ChromeTrace::new();
    trace.add(&anchored("a", 0, 10));
    trace.add(&anchored("b", u64::MAX - 5, u64::MAX));
    let file = trace.finish();
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap()["otherData"]["left_out"], 1);
    assert_eq!(Trace::read(&file).slices.len(), 1);

    let mut log = ChromeTraceLog::new().with_origin(UnixNanos::from_nanos(1_000));
    assert_eq!(log.append(&anchored("a", 999, 10)), "");
    assert_eq!(log.left_out(), 1);
    let file = log.append(&anchored("b", 1_500, 10)) + log.close();
    assert_eq!(Trace::read(&file).slices[0].start, 500);
}

#[test]
fn a_file_that_grows_can_be_read_at_every_byte() {
    const DAY: u64 = 86_400_000_000_000;
    let mut log = ChromeTraceLog::new();
    let mut file = String::new();
    let mut complete = Vec::new();
    for (call, start, length) in [("a", 0, 10), ("b\n\"}", 12, 8), ("long", 5, 20), ("d", 26, 4)] {
        file += &log.append(&anchored(call, start + 5 * DAY, length));
        complete.push((file.len(), complete.len() + 1));
        let trace = Trace::read(&format!("{file}]"));
        assert_eq!(trace.slices.len(), complete.len());
    }
    for end in 2..file.len() {
        let cut = file[..end].trim_end().trim_end_matches(',');
        let is_whole = serde_json::from_str::<Value>(&format!("{cut}]")).is_ok();
        let kept = if is_whole { cut } else { cut[..cut.rfind('\n').unwrap()].trim_end_matches(',') };
        let trace = Trace::read(&format!("{kept}\n]"));
        let expected = complete.iter().filter(|(length, _)| *length <= end).map(|(_, calls)| *calls).max();
        assert_eq!(trace.slices.len(), expected.unwrap_or(0), "cut at byte {end}");
    }
    let trace = Trace::read(&(file + log.close()));
    assert_eq!(trace.slices[0].start, DAY, "0 is a day before the first call");
    assert_eq!(trace.slices[2].start, DAY + 5);
    assert_eq!(trace.tracks.len(), 2, "as many as overlap");
    assert_eq!(Trace::read(ChromeTraceLog::new().close()).slices.len(), 0);
}

#[test]
fn text_of_any_kind_comes_back() {
    let odd = "na\u{ef}ve \u{1f600} \u{0}\u{1f}\u{7f}\u{2028}\"\\</script>\n";
    let mut record = anchored(odd, 5, 100);
    record.operation = Some(odd.into());
    record.model = Some("x".repeat(10_000));
    record.phases.push(phase(odd, 0, 1, 10));
    record.phases.push(phase("", 0, 20, 10));
    let mut call = SpanEvent::default();
    call.kind = EventKind::ToolCall;
    call.name = Some(odd.into());
    record.events.push(call);
    for (key, value) in [
        ("text", AttributeValue::Str(odd.into())),
        ("wide", AttributeValue::Int(-9_007_199_254_740_993)),
        ("narrow", AttributeValue::Int(-9_007_199_254_740_992)),
        ("nan", AttributeValue::Float(f64::NAN)),
        ("infinite", AttributeValue::Float(f64::NEG_INFINITY)),
        ("list", AttributeValue::StrList(vec![odd.into(); 1_000])),
    ] {
        record.attributes.insert(key.into(), value);
    }
    for number in 0..1_000 {
        record.attributes.insert(format!("z{number}"), AttributeValue::Bool(true));
    }
    record.output_tokens_per_second = Some(f64::INFINITY);
    record.unattributed_ns = Nanos::from_nanos(9_007_199_254_740_993);
    let trace = draw(&[record]);
    let call = trace.slice(&format!("llm.{odd}_stream"));
    assert_eq!(call.args["call"], odd);
    assert_eq!(call.args["model"].as_str().unwrap().len(), 4_096);
    assert_eq!(call.args["unattributed_ns"], "9007199254740993", "above 2^53 in decimal");
    assert_eq!(call.args.get("output_tokens_per_second"), None);
    let attributes = &call.args["attributes"];
    assert_eq!(attributes["text"], odd);
    assert_eq!(attributes["wide"], "-9007199254740993");
    assert_eq!(attributes["narrow"], -9_007_199_254_740_992_i64);
    assert_eq!((attributes.get("nan"), attributes.get("infinite")), (None, None));
    assert_eq!(attributes["list"].as_array().unwrap().len(), 64);
    assert!(attributes.as_object().unwrap().len() <= 128);
    assert_eq!(trace.slice(odd).length, 10);
    assert_eq!(trace.slice("phase").start, 20);
    assert_eq!(trace.instants[0].name, format!("tool_call: {odd}"));
}

fn phase(name: &str, depth: u32, start: u64, length: u64) -> PhaseRecord {
    let mut phase = PhaseRecord::default();
    phase.name = name.into();
    phase.depth = depth;
    phase.start_ns = Nanos::from_nanos(start);
    phase.duration_ns = Nanos::from_nanos(length);
    phase
}

#[test]
fn lists_past_the_cap_are_counted() {
    let mut record = anchored("a", 0, 5_000);
    record.phases = (0..1_030).map(|at| phase("p", 0, at, 1)).collect();
    let trace = draw(&[record]);
    assert_eq!(trace.slices.len(), 1 + 1_024);
    assert_eq!(trace.slice("llm.chat_stream").args["undrawn"], 6);
}

#[test]
fn a_record_that_contradicts_itself_is_drawn_within_the_call() {
    let mut record = anchored("a", 0, 100);
    let mut attempt = AttemptRecord::default();
    attempt.number = 1;
    attempt.start_ns = Nanos::from_nanos(90);
    attempt.duration_ns = Nanos::from_nanos(u64::MAX);
    attempt.ttft_ns = Some(Nanos::from_nanos(50));
    record.attempts.push(attempt);
    record.phases.push(phase("p", 7, 300, 300));
    let trace = draw(&[record]);
    assert_eq!((trace.slice("attempt 1").start, trace.slice("attempt 1").length), (90, 10));
    assert!(trace.slices.iter().all(|slice| slice.name != "first_token"));
    assert_eq!((trace.slice("p").start, trace.slice("p").length), (100, 0));
}

fn replay(log: Vec<TimedEvent>) -> Vec<Record> {
    let mut tracker = Tracker::new(Config::default()).unwrap();
    let last = log.iter().map(|event| event.at).max().unwrap_or_default();
    for event in log {
        tracker.handle_event(&event);
    }
    tracker.handle_shutdown(last);
    core::iter::from_fn(|| tracker.poll_record()).collect()
}

/// What a trace must say of one record that is alone in it.
fn check(record: &Record) {
    let trace = draw(core::slice::from_ref(record));
    let one = |name: &str| trace.slices.iter().filter(|slice| slice.name == name).collect::<Vec<_>>();
    let call = &trace.slices[0];
    assert_eq!(call.name, if record.stream { "llm.chat_stream" } else { "llm.chat" });
    assert_eq!((call.start, call.length), (0, record.duration_ns.as_nanos()));
    assert_eq!(call.args["duration_ns"], serde_json::to_value(record.duration_ns).unwrap());
    for attempt in &record.attempts {
        let drawn = one(&format!("attempt {}", attempt.number));
        assert_eq!(drawn.len(), 1);
        let drawn = drawn[0];
        let start = attempt.start_ns.as_nanos();
        assert_eq!((drawn.start, drawn.length), (start, attempt.duration_ns.as_nanos()));
        let part = |name: &str, from: u64, length: u64| {
            let matches = |slice: &&Drawn| (slice.track, slice.start, slice.length) == (drawn.track, from, length);
            assert!(one(name).into_iter().any(|slice| matches(&slice)), "{name} of attempt {}", attempt.number);
        };
        if let (Some(ttft), Some(sampling)) = (attempt.ttft_ns, attempt.sampling_ns) {
            part("first_token", start, ttft.as_nanos());
            part("sampling", start + ttft.as_nanos(), sampling.as_nanos());
        }
    }
    let of = |category: &str| trace.slices.iter().filter(|slice| slice.category == category).collect::<Vec<_>>();
    let total = |slices: Vec<&Drawn>| slices.iter().map(|slice| slice.length).sum::<u64>();
    assert_eq!(of("llm,wait").len(), record.waits.len());
    assert_eq!(total(of("llm,wait")), record.waits.iter().map(|wait| wait.actual_delay_ns.as_nanos()).sum::<u64>());
    assert_eq!(of("llm,phase").len(), record.phases.len());
    assert_eq!(total(of("llm,phase")), record.phases.iter().map(|phase| phase.duration_ns.as_nanos()).sum::<u64>());
    let moments = record.events.iter().filter(|event| !matches!(event.kind, EventKind::FirstToken | EventKind::Retry));
    assert_eq!(trace.instants.len(), moments.count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_record_is_drawn_as_it_is(log in common::log()) {
        for record in replay(log) {
            check(&record);
        }
    }

    #[test]
    fn calls_of_one_trace_never_cross(
        logs in prop::collection::vec((common::log(), prop::option::weighted(0.8, 0_u64..200_000_000_000)), 1..6),
    ) {
        let mut records = Vec::new();
        for (log, start) in logs {
            for mut record in replay(log) {
                record.start_unix_ns = start.map(|start| UnixNanos::from_nanos(1_790_000_000_000_000_000 + start));
                records.push(record);
            }
        }
        let whole = draw(&records);
        let calls = whole.slices.iter().filter(|slice| slice.category == "llm,call").count();
        prop_assert_eq!(calls, records.len());
        prop_assert_eq!(written(&records), written(&records));

        let mut log = ChromeTraceLog::new();
        let mut file: String = records.iter().map(|record| log.append(record)).collect();
        file += log.close();
        let grown = Trace::read(&file);
        prop_assert_eq!(grown.slices.len(), whole.slices.len());
        prop_assert_eq!(log_lengths(&grown), log_lengths(&whole));
    }

    #[test]
    fn a_float_keeps_every_nanosecond_of_26_days(start in 0_u64..1 << 51) {
        let mut trace = ChromeTrace::new();
        trace.add_at(&Record::default(), Timestamp::from_nanos(start));
        let file: Value = serde_json::from_str(&trace.finish()).unwrap();
        let event = file["traceEvents"].as_array().unwrap().iter().find(|event| event["ph"] == "X").unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what viewers do with a float")]
        let read = (event["ts"].as_f64().unwrap() * 1_000.0).round() as u64;
        prop_assert_eq!(read, start);
    }
}

fn log_lengths(trace: &Trace) -> Vec<(&str, u64)> {
    let mut lengths: Vec<_> = trace.slices.iter().map(|slice| (slice.name.as_str(), slice.length)).collect();
    lengths.sort_unstable();
    lengths
}

/// Writes records as a trace and reads it back.
fn draw(records: &[Record]) -> Trace {
    Trace::read(&written(records))
}

fn written(records: &[Record]) -> String {
    let mut trace = ChromeTrace::new();
    for record in records {
        trace.add(record);
    }
    trace.finish()
}

#[test]
fn a_whole_call_of_raw_events_has_its_tool_call_as_a_moment() {
    let start = CallStart::new("chat").streamed();
    let mut sim = Sim::with_start(Config::default(), start);
    let mut chunk = Chunk::of(ContentKind::ToolCall);
    chunk.tool_call = Some(serde_json::from_str(r#"{"index": 0, "id": "c1", "name": "get_weather"}"#).unwrap());
    sim.at_ms(0).attempt().at_ms(10).event(Event::Chunk(Box::new(chunk)));
    let record = sim.at_ms(20).complete(5, 20).end().unwrap();
    let trace = draw(&[record]);
    assert_eq!(trace.instants[0].name, "tool_call: get_weather");
    assert_eq!((trace.instants[0].start, trace.instants[0].args["attempt"].as_u64()), (10 * MS, Some(1)));
}
