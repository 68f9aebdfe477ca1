//! What happens to a finished record, and to a request before its call: both once per call.

use core::hint::black_box;

use llmspan_core::{
    chrome::ChromeTraceLog,
    engine::Call,
    machine::{AttemptStart, CallStart, Failure, Retry},
    metrics::{Aggregator, MetricNames, Options},
    names::Profile,
    otlp::{Resource, traces_to_json, traces_to_protobuf},
    provider::{Protocol, request},
    record::{Record, WaitReason},
    spans::{Context, Layout, Shape, SpanTree},
    time::{Nanos, Timestamp, UnixNanos},
};

use crate::CALL_OPS;

/// A record of a call that was retried, and room for what is written of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExportInput {
    record: Record,
    profiles: [&'static Profile; 1],
    trees: Vec<Option<SpanTree>>,
    bytes: Vec<u8>,
    text: String,
    aggregator: Aggregator,
}

/// A call of two attempts, the first of them limited.
///
/// # Panics
/// When a profile does not exist.
pub fn input() -> ExportInput {
    let mut start = CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed();
    start.unix_ns = Some(UnixNanos::from_nanos(1_763_713_224_000_000_000));
    start.trace_id = Some("0af7651916cd43dd8448eb211c80319c".into());
    start.span_id = Some("b7ad6b7169203331".into());
    let mut call = Call::new(llmspan_core::config::Config::default().into(), Timestamp::from_millis(0), start);
    call.handle_attempt_started(Timestamp::from_millis(0), AttemptStart::default());
    call.handle_attempt_failed(Timestamp::from_millis(50), None, Failure::of_status(429));
    call.handle_retry_scheduled(Timestamp::from_millis(50), Retry::after(Nanos::from_secs(2), WaitReason::RateLimit));
    call.handle_attempt_started(Timestamp::from_millis(2_050), AttemptStart::default());
    for read in ANSWER {
        call.handle_bytes(Timestamp::from_millis(2_400), None, Protocol::OpenAiChat, read);
    }
    call.handle_call_ended(Timestamp::from_millis(2_500), Failure::default());
    let mut aggregator = Aggregator::new(MetricNames::by_profile("otel-1.41").expect("it exists"), Options::default());
    let record = call.poll_record().unwrap_or_default();
    // The series of its labels are there.
    aggregator.observe(&record);
    ExportInput {
        record,
        profiles: [Profile::by_name("otel-1.41").expect("the default profile exists")],
        trees: Vec::with_capacity(CALL_OPS),
        bytes: Vec::with_capacity(1 << 20),
        text: String::with_capacity(1 << 20),
        aggregator,
    }
}

/// Makes the spans of the record.
pub fn spans(mut input: ExportInput) -> ExportInput {
    for _ in 0..CALL_OPS {
        let layout = Layout::new(Shape::Call, &input.profiles);
        input.trees.push(SpanTree::new(black_box(&input.record), &layout, &Context::default()));
    }
    input
}

/// Writes the record as OTLP in JSON.
pub fn otlp_json(mut input: ExportInput) -> ExportInput {
    for _ in 0..CALL_OPS {
        let layout = Layout::new(Shape::Call, &input.profiles);
        let tree = SpanTree::new(black_box(&input.record), &layout, &Context::default());
        traces_to_json(tree, &Resource::of_service("bench"), &mut input.bytes);
    }
    input
}

/// Writes the record as OTLP in protobuf.
pub fn otlp_protobuf(mut input: ExportInput) -> ExportInput {
    for _ in 0..CALL_OPS {
        let layout = Layout::new(Shape::Call, &input.profiles);
        let tree = SpanTree::new(black_box(&input.record), &layout, &Context::default());
        traces_to_protobuf(tree, &Resource::of_service("bench"), &mut input.bytes);
    }
    input
}

/// Writes the record as slices of a Chrome trace.
pub fn chrome_trace(mut input: ExportInput) -> ExportInput {
    let mut log = ChromeTraceLog::default();
    for _ in 0..CALL_OPS {
        input.text.push_str(&log.append(black_box(&input.record)));
    }
    input
}

/// Counts the record.
pub fn metrics(mut input: ExportInput) -> ExportInput {
    for _ in 0..CALL_OPS {
        input.aggregator.observe(black_box(&input.record));
    }
    input
}

/// A request of 20 messages, 20 KiB in all, as a hook around an HTTP client gets it.
pub fn request_input() -> Vec<u8> {
    let message = format!(r#"{{"role":"user","content":"{}"}}"#, "What is slow, and why? ".repeat(44));
    let messages = [message.as_str(); 20].join(",");
    format!(r#"{{"model":"gpt-4.1-mini","messages":[{messages}],"stream":true,"temperature":0.2}}"#).into_bytes()
}

/// Reads the request.
pub fn read_request(body: Vec<u8>) -> Vec<u8> {
    for _ in 0..CALL_OPS {
        let headers = [("content-type", "application/json"), ("x-stainless-retry-count", "0")];
        black_box(request::read("https://api.openai.com/v1/chat/completions", headers, black_box(&body)));
    }
    body
}

const ANSWER: [&[u8]; 3] = [
    b"data: {\"id\":\"c1\",\"model\":\"gpt-4.1-mini-2025-04-14\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n",
    b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n",
    b"data: [DONE]\n\n",
];
