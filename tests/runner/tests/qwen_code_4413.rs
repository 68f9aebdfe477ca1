//! What <https://github.com/QwenLM/qwen-code/issues/4413> asks of the timing of a call and no vector can say: that calls
//! share nothing, that a call is told of once, and that both names of a value come from one number.

use llmspan_core::{
    config::Config,
    delta::ContentKind,
    engine::Tracker,
    event::{Chunk, Event, TimedEvent},
    limits::Limits,
    names::{Profile, call_attributes},
    record::{AttributeValue, Attributes, Record, WaitReason},
    time::{Nanos, Timestamp},
};
use llmspan_runner::sim::Sim;

#[test]
fn every_kind_of_visible_content_is_a_first_token() {
    for kind in [
        ContentKind::Text,
        ContentKind::Reasoning,
        ContentKind::ToolCall,
        ContentKind::Refusal,
        ContentKind::Code,
        ContentKind::Image,
        ContentKind::Audio,
    ] {
        let mut sim = Sim::streamed(Config::default());
        sim.attempt();
        sim.at_ms(100).event(Event::Chunk(Box::default()));
        sim.at_ms(250).event(Event::Chunk(Box::new(Chunk::of(kind))));
        sim.at_ms(400).text();
        sim.at_ms(900).complete(3, 4);
        let attributes = dual(&sim.end().unwrap());
        assert_eq!(attributes["ttft_ms"], AttributeValue::Int(250), "{kind:?}");
        assert_eq!(attributes["gen_ai.server.time_to_first_token"], AttributeValue::Float(0.25), "{kind:?}");
    }
}

#[test]
fn concurrent_calls_do_not_mix() {
    const CALLS: u64 = 3;
    let id = |call: u64| format!("call-{call}");
    let mut tracker = Tracker::new(Config::default()).unwrap();
    let mut log = Vec::new();
    for call in 1..=CALLS {
        // Of each call: start at 10, first token 100 later per number, end 1000 after that.
        for (at, event) in [
            (10, r#""event": "call_started", "model": "qwen3-coder-plus", "stream": true"#),
            (10, r#""event": "attempt_started""#),
            (10 + 100 * call, r#""event": "chunk", "content": "text""#),
            (
                1_010 + 100 * call,
                r#""event": "chunk", "content": "none", "finish_reasons": ["stop"], "terminal": true"#,
            ),
            (1_010 + 100 * call, r#""event": "call_ended""#),
        ] {
            log.push(format!(r#"{{"at_ns": {}, "call": "{}", {event}}}"#, at * 1_000_000, id(call)));
        }
    }
    let mut log: Vec<_> = log.iter().map(|line| TimedEvent::from_json(line).unwrap()).collect();
    log.sort_by_key(|timed| timed.at);
    for timed in &log {
        tracker.handle_event(timed);
    }
    for call in 1..=CALLS {
        let record = tracker.poll_record().unwrap();
        let attributes = dual(&record);
        let ttft = i64::try_from(100 * call).unwrap();
        assert_eq!(record.call, id(call));
        assert_eq!(attributes["ttft_ms"], AttributeValue::Int(ttft));
        assert_eq!(attributes["sampling_ms"], AttributeValue::Int(1_000));
        assert_eq!(attributes["duration_ms"], AttributeValue::Int(ttft + 1_000));
    }
    assert!(tracker.poll_record().is_none());
}

/// Metrics are folded from records: a call that gives one record is counted once.
#[test]
fn a_call_is_told_of_once_however_often_it_ends() {
    let mut sim = Sim::streamed(Config::default());
    sim.attempt();
    sim.at_ms(100).text();
    sim.at_ms(300).event(Event::Cancelled);
    let record = sim.at_ms(310).end().unwrap();
    assert_eq!(dual(&record)["duration_ms"], AttributeValue::Int(310));
    for late in [400, 500] {
        sim.at_ms(late).fails(500).tick();
        assert_eq!(sim.end(), None);
        sim.call().handle_dropped(Timestamp::from_millis(late));
        assert_eq!(sim.call().poll_record(), None);
    }
}

#[test]
fn a_retry_that_goes_on_for_long_is_counted_past_what_is_kept() {
    const FAILED: u64 = 50;
    let config = Config::default().with_limits(Limits { attempts: 4, waits: 4, ..Limits::default() });
    let mut sim = Sim::streamed(config);
    for attempt in 0..FAILED {
        sim.at_ms(attempt * 1_100).attempt();
        sim.at_ms(attempt * 1_100 + 100).fails(429).waits_ms(1_000, WaitReason::RateLimit);
    }
    sim.at_ms(FAILED * 1_100).attempt();
    sim.at_ms(FAILED * 1_100 + 200).text();
    sim.at_ms(FAILED * 1_100 + 1_200).complete(10, 20);
    let attributes = dual(&sim.end().unwrap());
    for (name, value) in [
        ("attempt", 51),
        ("retry_total_delay_ms", 50_000),
        ("request_setup_ms", 55_000),
        ("ttft_ms", 200),
        ("sampling_ms", 1_000),
    ] {
        assert_eq!(attributes[name], AttributeValue::Int(value), "{name}");
    }
}

/// The second name is never measured: whatever the native value is, it is the same one.
#[test]
fn the_second_name_follows_the_native_value() {
    let mut record = Record::default();
    for nanos in [0, 1, 999_999, 1_000_000, 234_567_891, u64::MAX] {
        record.ttft_ns = Some(Nanos::from_nanos(nanos));
        let attributes = dual(&record);
        assert_eq!(attributes["ttft_ms"], AttributeValue::Int(i64::try_from(nanos / 1_000_000).unwrap()));
        let AttributeValue::Float(seconds) = attributes["gen_ai.server.time_to_first_token"] else {
            panic!("no float")
        };
        // The decimal text of the nanoseconds, read as a float, is what dividing by 1e9 must give.
        let exact: f64 = format!("{nanos}e-9").parse().unwrap();
        assert!((seconds - exact).abs() <= exact * f64::EPSILON, "{nanos}: {seconds}");
    }
    record.ttft_ns = None;
    assert!(!dual(&record).keys().any(|name| name.contains("ttft") || name.contains("time_to_first")));

    let mut usage = llmspan_core::record::Usage::default();
    (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) = (Some(u64::MAX), Some(1 << 60), Some(9));
    record.usage = Some(usage);
    record.model = Some("qwen3 coder \u{1F680}\u{7}".into());
    let attributes = dual(&record);
    for (native, standard) in [
        ("input_tokens", "gen_ai.usage.input_tokens"),
        ("output_tokens", "gen_ai.usage.output_tokens"),
        ("cached_input_tokens", "gen_ai.usage.cached_tokens"),
        ("qwen-code.model", "gen_ai.request.model"),
    ] {
        assert_eq!(attributes[native], attributes[standard]);
    }
    assert_eq!(attributes["input_tokens"], AttributeValue::Int(i64::MAX));
    assert_eq!(attributes["output_tokens"], AttributeValue::Int(1_152_921_504_606_846_976));
}

fn dual(record: &Record) -> Attributes {
    call_attributes(record, &[Profile::by_name("qwen-code-4413").unwrap()])
}
