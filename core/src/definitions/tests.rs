//! Figures computed by hand from small streams, tool by tool.

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;

use super::{Definition, Measure, Metric, Tool};
use crate::{config::Config, engine::Tracker, event::read_log, record::Record, time::Nanos};

/// A call whose attempt starts at 1000 ms: `events` are times in ms from there, and bodies.
fn record(start: &str, events: &[(u64, &str)]) -> Record {
    let mut log = format!(
        "{{\"at_ns\": 0, \"event\": \"call_started\"{start}}}\n{{\"at_ns\": 1000000000, \"event\": \"attempt_started\"}}\n"
    );
    for (millis, body) in events {
        let _ = writeln!(log, "{{\"at_ns\": {}000000, {body}}}", 1_000 + millis);
    }
    let mut tracker = Tracker::new(Config::default()).unwrap();
    for event in read_log(&log).unwrap() {
        tracker.handle_event(&event);
    }
    tracker.poll_record().unwrap()
}

fn choice(delta: &str, finish: &str) -> String {
    format!(
        "\"event\": \"payload\", \"protocol\": \"openai.chat\", \"data\": {{\"id\": \"c\", \"choices\": \
         [{{\"index\": 0, \"delta\": {delta}, \"finish_reason\": {finish}}}]}}"
    )
}

fn usage(counts: &str) -> String {
    format!(
        "\"event\": \"payload\", \"protocol\": \"openai.chat\", \
         \"data\": {{\"id\": \"c\", \"choices\": [], \"usage\": {counts}}}"
    )
}

const DONE: &str = r#""event": "payload", "protocol": "openai.chat", "data": "[DONE]""#;
const ENDED: &str = r#""event": "call_ended""#;
const STREAMED: &str = r#", "stream": true"#;

fn stream(events: &[(u64, String)]) -> Record {
    let events: Vec<_> = events.iter().map(|(at, body)| (*at, body.as_str())).collect();
    record(STREAMED, &events)
}

/// Role at 180 ms, text at 200, 220, 260 and 300, finish at 310, eleven tokens at 320, end marker at 325.
fn plain() -> Record {
    let text = |text: &str| choice(&format!("{{\"content\": \"{text}\"}}"), "null");
    stream(&[
        (180, choice(r#"{"role": "assistant", "content": ""}"#, "null")),
        (200, text("It")),
        (220, text(" is")),
        (260, text(" sun")),
        (300, text("ny")),
        (310, choice("{}", "\"stop\"")),
        (320, usage(r#"{"prompt_tokens": 9, "completion_tokens": 11}"#)),
        (325, DONE.into()),
        (330, ENDED.into()),
    ])
}

fn one(record: &Record, tool: Tool, metric: Metric) -> Definition {
    let mut found = record.definitions().into_iter().filter(|one| (one.tool, one.metric) == (tool, metric));
    let definition = found.next().unwrap();
    assert!(found.next().is_none(), "{tool} has {metric} once");
    definition
}

#[track_caller]
fn is_time(record: &Record, tool: Tool, metric: Metric, nanos: u64) {
    let definition = one(record, tool, metric);
    assert_eq!(definition.value, Some(Measure::Time(Nanos::from_nanos(nanos))), "{definition:?}");
    assert_eq!((definition.between, definition.why_absent), (None, None));
}

#[track_caller]
fn is_rate(record: &Record, tool: Tool, metric: Metric, expected: f64) {
    match one(record, tool, metric).value {
        Some(Measure::PerSecond(rate)) => assert!((rate - expected).abs() < 1e-9, "{rate}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn is_between(record: &Record, tool: Tool, metric: Metric, nanos: [u64; 2]) {
    let definition = one(record, tool, metric);
    assert_eq!(definition.between, Some(nanos.map(Nanos::from_nanos)), "{definition:?}");
    assert_eq!(definition.value, None);
    assert!(definition.why_absent.is_some());
}

#[track_caller]
fn is_absent(record: &Record, tool: Tool, metric: Metric, why: &str) {
    let definition = one(record, tool, metric);
    assert_eq!((definition.value, definition.between), (None, None));
    assert!(definition.why_absent.unwrap().contains(why), "{definition:?}");
}

const MS: u64 = 1_000_000;

#[test]
fn our_own_figures_are_those_of_the_record() {
    let plain = plain();
    is_time(&plain, Tool::Llmspan, Metric::TimeToFirstToken, 200 * MS);
    is_time(&plain, Tool::Llmspan, Metric::InterTokenLatency, 33_333_333);
    is_time(&plain, Tool::Llmspan, Metric::TimePerOutputToken, 12_500_000);
    is_rate(&plain, Tool::Llmspan, Metric::Throughput, 88.0);
}

#[test]
fn vllm_counts_a_role_which_a_record_does_not_tell() {
    let plain = plain();
    is_between(&plain, Tool::Vllm, Metric::TimeToFirstToken, [180 * MS, 200 * MS]);
    is_absent(&plain, Tool::Vllm, Metric::InterTokenLatency, "which events had a choice");
    // From the text at 200 to the finish at 310, or from the role at 180 to the last event at 320.
    is_between(&plain, Tool::Vllm, Metric::TimePerOutputToken, [11 * MS, 14 * MS]);
    is_absent(&plain, Tool::Vllm, Metric::RequestThroughput, "whole run");
}

#[test]
fn vllm_is_exact_where_every_event_has_content() {
    let record = stream(&[
        (200, choice(r#"{"content": "a"}"#, "null")),
        (230, choice(r#"{"content": "b"}"#, "null")),
        (300, choice(r#"{"content": "c"}"#, "\"stop\"")),
        (300, r#""event": "usage", "usage": {"output_tokens": 5}"#.into()),
        (400, DONE.into()),
        (400, ENDED.into()),
    ]);
    is_time(&record, Tool::Vllm, Metric::TimeToFirstToken, 200 * MS);
    is_time(&record, Tool::Vllm, Metric::InterTokenLatency, 50 * MS);
    is_time(&record, Tool::Vllm, Metric::TimePerOutputToken, 25 * MS);
}

#[test]
fn sglang_goes_from_the_first_text_to_the_end_marker() {
    let plain = plain();
    is_time(&plain, Tool::Sglang, Metric::TimeToFirstToken, 200 * MS);
    is_time(&plain, Tool::Sglang, Metric::InterTokenLatency, 33_333_333);
    is_time(&plain, Tool::Sglang, Metric::TimePerOutputToken, 12_500_000);
    is_absent(&plain, Tool::Sglang, Metric::RequestThroughput, "whole run");
}

#[test]
fn aiperf_goes_from_the_first_content_to_the_last() {
    let plain = plain();
    is_time(&plain, Tool::Aiperf, Metric::TimeToFirstToken, 200 * MS);
    is_time(&plain, Tool::Aiperf, Metric::TimeToFirstOutput, 200 * MS);
    is_between(&plain, Tool::Aiperf, Metric::TimeToSecondToken, [20 * MS, 40 * MS]);
    is_time(&plain, Tool::Aiperf, Metric::InterTokenLatency, 10 * MS);
    is_rate(&plain, Tool::Aiperf, Metric::Throughput, 100.0);
    is_rate(&plain, Tool::Aiperf, Metric::RequestThroughput, 11.0 / 0.3);
}

#[test]
fn the_time_to_the_second_token_is_exact_where_all_gaps_are_the_same() {
    let record = stream(&[
        (200, choice(r#"{"content": "a"}"#, "null")),
        (230, choice(r#"{"content": "b"}"#, "null")),
        (260, choice(r#"{"content": "c"}"#, "\"stop\"")),
        (260, DONE.into()),
        (260, ENDED.into()),
    ]);
    is_time(&record, Tool::Aiperf, Metric::TimeToSecondToken, 30 * MS);
    is_absent(&record, Tool::Aiperf, Metric::InterTokenLatency, "no output tokens were reported");
}

#[test]
fn tools_with_a_tokenizer_of_their_own_have_only_the_first_token() {
    let plain = plain();
    for tool in [Tool::GenaiPerf, Tool::Llmperf] {
        is_time(&plain, tool, Metric::TimeToFirstToken, 200 * MS);
        is_absent(&plain, tool, Metric::InterTokenLatency, "another tokenizer");
        is_absent(&plain, tool, Metric::RequestThroughput, "another tokenizer");
    }
}

#[test]
fn guidellm_has_the_time_to_first_token_inside_its_time_per_token() {
    let plain = plain();
    is_time(&plain, Tool::Guidellm, Metric::TimeToFirstToken, 200 * MS);
    is_time(&plain, Tool::Guidellm, Metric::TimeToFirstOutput, 200 * MS);
    is_time(&plain, Tool::Guidellm, Metric::InterTokenLatency, 10 * MS);
    is_time(&plain, Tool::Guidellm, Metric::TimePerOutputToken, 27_272_727);
    is_rate(&plain, Tool::Guidellm, Metric::RequestThroughput, 11.0 / 0.325);
}

#[test]
fn litellm_divides_two_different_times() {
    let plain = plain();
    for tool in [Tool::Litellm, Tool::LitellmPrometheus] {
        is_between(&plain, tool, Metric::TimeToFirstToken, [180 * MS, 200 * MS]);
    }
    // Of 325 less 200 or 180, and of 180 or 200: by eleven, rounded down.
    is_between(&plain, Tool::Litellm, Metric::TimePerOutputToken, [11_363_636, 13_181_818]);
    is_between(&plain, Tool::LitellmPrometheus, Metric::TimePerOutputToken, [16_363_636, 18_181_818]);

    let exact = stream(&[
        (200, choice(r#"{"content": "a"}"#, "null")),
        (300, choice(r#"{"content": "b"}"#, "\"stop\"")),
        (300, usage(r#"{"prompt_tokens": 9, "completion_tokens": 10}"#)),
        (300, DONE.into()),
        (300, ENDED.into()),
    ]);
    is_time(&exact, Tool::Litellm, Metric::TimePerOutputToken, 10 * MS);
    is_time(&exact, Tool::LitellmPrometheus, Metric::TimePerOutputToken, 20 * MS);
}

#[test]
fn otel_counts_chunks_of_any_kind() {
    let plain = plain();
    is_time(&plain, Tool::Otel, Metric::TimeToFirstToken, 180 * MS);
    // Seven events from 180 to 320.
    is_time(&plain, Tool::Otel, Metric::InterTokenLatency, 23_333_333);
}

#[test]
fn vercel_has_two_rates() {
    let plain = plain();
    is_time(&plain, Tool::Vercel, Metric::TimeToFirstToken, 200 * MS);
    is_time(&plain, Tool::Vercel, Metric::InterTokenLatency, 33_333_333);
    is_rate(&plain, Tool::Vercel, Metric::Throughput, 88.0);
    is_rate(&plain, Tool::Vercel, Metric::RequestThroughput, 11.0 / 0.325);
}

#[test]
fn reasoning_counts_for_some() {
    let record = stream(&[
        (500, choice(r#"{"reasoning_content": "Hm"}"#, "null")),
        (1_500, choice(r#"{"reasoning_content": "m"}"#, "null")),
        (2_000, choice(r#"{"content": "4"}"#, "\"stop\"")),
        (2_000, usage(r#"{"prompt_tokens": 9, "completion_tokens": 31}"#)),
        (2_000, DONE.into()),
        (2_000, ENDED.into()),
    ]);
    for tool in [Tool::Llmspan, Tool::Vllm, Tool::Sglang, Tool::Aiperf, Tool::Guidellm, Tool::Otel, Tool::Vercel] {
        is_time(&record, tool, Metric::TimeToFirstToken, 500 * MS);
    }
    for tool in [Tool::GenaiPerf, Tool::Llmperf] {
        is_time(&record, tool, Metric::TimeToFirstToken, 2_000 * MS);
    }
    for tool in [Tool::Aiperf, Tool::Guidellm] {
        is_time(&record, tool, Metric::TimeToFirstOutput, 2_000 * MS);
        is_time(&record, tool, Metric::InterTokenLatency, 50 * MS);
    }
}

#[test]
fn a_tool_call_counts_for_some_and_is_zero_for_others() {
    let call = |body: &str| choice(&format!("{{\"tool_calls\": [{{\"index\": 0, {body}}}]}}"), "null");
    let record = stream(&[
        (400, call(r#""id": "a", "type": "function", "function": {"name": "f", "arguments": ""}"#)),
        (500, call(r#""function": {"arguments": "{}"}"#)),
        (510, choice("{}", "\"tool_calls\"")),
        (510, usage(r#"{"prompt_tokens": 9, "completion_tokens": 21}"#)),
        (510, DONE.into()),
        (510, ENDED.into()),
    ]);
    for tool in [Tool::Llmspan, Tool::Vllm, Tool::Aiperf, Tool::Guidellm, Tool::Otel] {
        is_time(&record, tool, Metric::TimeToFirstToken, 400 * MS);
    }
    for tool in [Tool::Sglang, Tool::Llmperf] {
        is_time(&record, tool, Metric::TimeToFirstToken, 0);
    }
    is_absent(&record, Tool::GenaiPerf, Metric::TimeToFirstToken, "no content that the tool counts");
    is_between(&record, Tool::Vercel, Metric::TimeToFirstToken, [400 * MS, 500 * MS]);
    is_time(&record, Tool::Sglang, Metric::TimePerOutputToken, 25_500_000);
    is_time(&record, Tool::Aiperf, Metric::InterTokenLatency, 5 * MS);
    is_absent(&record, Tool::Vercel, Metric::Throughput, "arguments of a tool call");
}

#[test]
fn text_beside_a_tool_call_has_no_time_of_its_own() {
    let record = stream(&[
        (400, choice(r#"{"content": "Let me see"}"#, "null")),
        (
            500,
            choice(
                r#"{"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]}"#,
                "null",
            ),
        ),
        (510, choice("{}", "\"tool_calls\"")),
        (510, DONE.into()),
        (510, ENDED.into()),
    ]);
    is_between(&record, Tool::Sglang, Metric::TimeToFirstToken, [400 * MS, 500 * MS]);
    is_absent(&record, Tool::Sglang, Metric::InterTokenLatency, "each kind of content");
    is_time(&record, Tool::Aiperf, Metric::TimeToFirstToken, 400 * MS);
}

#[test]
fn reasoning_before_a_tool_call_is_first_for_certain() {
    let record = stream(&[
        (300, choice(r#"{"reasoning_content": "Hm"}"#, "null")),
        (400, choice(r#"{"content": "Let me see"}"#, "null")),
        (
            500,
            choice(
                r#"{"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]}"#,
                "null",
            ),
        ),
        (510, choice("{}", "\"tool_calls\"")),
        (510, DONE.into()),
        (510, ENDED.into()),
    ]);
    is_time(&record, Tool::Sglang, Metric::TimeToFirstToken, 300 * MS);
    is_time(&record, Tool::Vercel, Metric::TimeToFirstToken, 300 * MS);
    is_between(&record, Tool::Llmperf, Metric::TimeToFirstToken, [400 * MS, 500 * MS]);
    is_time(&record, Tool::Aiperf, Metric::TimeToFirstOutput, 400 * MS);
}

#[test]
fn benchmarks_take_the_number_of_the_provider_as_it_is() {
    // 2 of answer beside 30 of reasoning, as the total tells: our count is their sum.
    let counts = r#"{"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 42,
        "completion_tokens_details": {"reasoning_tokens": 30}}"#;
    let record = stream(&[
        (100, choice(r#"{"reasoning_content": "Hm"}"#, "null")),
        (410, choice(r#"{"content": "4"}"#, "\"stop\"")),
        (410, usage(&counts.replace('\n', " "))),
        (410, DONE.into()),
        (410, ENDED.into()),
    ]);
    is_time(&record, Tool::Llmspan, Metric::TimePerOutputToken, 10 * MS);
    is_time(&record, Tool::Aiperf, Metric::InterTokenLatency, 310 * MS);
    is_time(&record, Tool::Guidellm, Metric::TimePerOutputToken, 205 * MS);
    is_rate(&record, Tool::Vercel, Metric::Throughput, 32.0 / 0.31);
}

#[test]
fn chunks_without_sizes_do_not_tell_their_end() {
    let record = record(
        STREAMED,
        &[
            (200, r#""event": "chunk", "content": "text""#),
            (300, r#""event": "chunk", "content": "text""#),
            (310, r#""event": "chunk", "usage": {"output_tokens": 11}"#),
            (400, ENDED),
        ],
    );
    is_time(&record, Tool::Sglang, Metric::TimeToFirstToken, 200 * MS);
    is_between(&record, Tool::Sglang, Metric::TimePerOutputToken, [11 * MS, 20 * MS]);
}

#[test]
fn what_is_not_there_has_a_reason() {
    let all_absent = |record: &Record, why: &str| {
        let definitions = record.definitions();
        assert!(
            definitions.iter().all(|one| one.value.is_none() && one.between.is_none() && one.why_absent == Some(why))
        );
        assert!(!definitions.is_empty());
    };
    all_absent(&Record::default(), "no attempt was made");
    all_absent(&record(r#", "stream": false"#, &[(300, ENDED)]), "the call was not streamed");

    let cut = stream(&[
        (200, choice(r#"{"content": "a"}"#, "null")),
        (300, r#""event": "cancelled""#.into()),
        (300, ENDED.into()),
    ]);
    is_absent(&cut, Tool::Aiperf, Metric::TimeToFirstToken, "did not succeed");
    is_time(&cut, Tool::Otel, Metric::TimeToFirstToken, 200 * MS);
    is_time(&cut, Tool::Llmspan, Metric::TimeToFirstToken, 200 * MS);

    let single = stream(&[
        (200, choice(r#"{"content": "a"}"#, "\"stop\"")),
        (200, usage(r#"{"prompt_tokens": 9, "completion_tokens": 1}"#)),
        (200, DONE.into()),
        (200, ENDED.into()),
    ]);
    is_absent(&single, Tool::Aiperf, Metric::InterTokenLatency, "two output tokens");
    is_absent(&single, Tool::Vercel, Metric::Throughput, "no time passed");
    is_absent(&single, Tool::Aiperf, Metric::TimeToSecondToken, "fewer than two chunks");
    is_rate(&single, Tool::Guidellm, Metric::RequestThroughput, 5.0);

    let estimated = stream(&[
        (200, choice(r#"{"content": "a"}"#, "\"stop\"")),
        (200, r#""event": "usage", "usage": {"output_tokens": 50, "source": "estimated"}"#.into()),
        (300, DONE.into()),
        (300, ENDED.into()),
    ]);
    is_absent(&estimated, Tool::Guidellm, Metric::TimePerOutputToken, "not a final one of the provider");
}

#[test]
fn only_the_final_attempt_is_looked_at() {
    let record = record(
        STREAMED,
        &[
            (0, r#""event": "attempt_failed", "status_code": 503"#),
            (0, r#""event": "retry_scheduled", "delay_ns": 500000000"#),
            (500, r#""event": "attempt_started""#),
            (700, r#""event": "chunk", "content": "text""#),
            (800, r#""event": "chunk", "content": "text", "finish_reasons": ["stop"], "terminal": true"#),
            (800, r#""event": "usage", "usage": {"output_tokens": 6}"#),
            (800, ENDED),
        ],
    );
    is_time(&record, Tool::Vllm, Metric::TimeToFirstToken, 200 * MS);
    is_time(&record, Tool::Vllm, Metric::TimePerOutputToken, 20 * MS);
    is_time(&record, Tool::Guidellm, Metric::TimePerOutputToken, 50 * MS);
}

#[test]
fn the_json_form_has_codes_and_units() {
    let json = serde_json::to_value(plain().definitions()).unwrap();
    let all = json.as_array().unwrap();
    let of = |tool: &str, metric: &str| {
        all.iter().find(|one| one["tool"] == tool && one["metric"] == metric).unwrap().clone()
    };
    let first = of("sglang", "time_to_first_token");
    assert_eq!(first["value"], serde_json::json!({"time_ns": 200_000_000}));
    assert!(first.get("why_absent").is_none() && first.get("between_ns").is_none());
    assert_eq!(of("vercel", "throughput")["value"], serde_json::json!({"per_second": 88.0}));
    let unknown = of("vllm", "time_to_first_token");
    assert_eq!(unknown["between_ns"], serde_json::json!([180_000_000, 200_000_000]));
    assert!(unknown.get("value").is_none() && unknown["why_absent"].is_string() && unknown["rule"].is_string());
}

#[test]
fn tools_and_figures_come_in_a_stable_order() {
    let definitions = plain().definitions();
    let order: Vec<_> = definitions.iter().map(|one| (one.tool, one.metric)).collect();
    assert!(order.is_sorted(), "tool by tool, and the figures of each in one order");
    assert!(Tool::ALL.iter().all(|tool| order.iter().any(|(one, _)| one == tool)));
}
