//! A host's own objects give what the same event as JSON text gives.

use std::{fs, path::Path, sync::Arc};

use llmspan_core::{
    config::Config,
    engine::Call,
    machine::{CallStart, Failure},
    provider::{Decoder, Protocol, Tape},
    time::{Nanos, Timestamp},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Decodes the events of one response in four ways: as text of the wire, as text of a library's object, as a tree of values, and
/// through a deserializer that streams.
fn assert_same(protocol: Protocol, events: &[Value]) {
    let [mut by_text, mut by_object, mut by_tree, mut by_stream] = [(); 4].map(|()| Decoder::new(protocol));
    let mut tape = Tape::default();
    for event in events {
        let text = event.to_string();
        let expected = format!("{:?}", by_text.decode_payload(text.as_bytes()));
        assert_eq!(format!("{:?}", by_object.decode_object(text.as_bytes())), expected, "{protocol}: {text}");
        assert_eq!(format!("{:?}", by_tree.decode_value(event, &mut tape)), expected, "{protocol}: {text}");
        let mut streamed = serde_json::Deserializer::from_str(&text);
        assert_eq!(format!("{:?}", by_stream.decode_value(&mut streamed, &mut tape)), expected, "{protocol}: {text}");
    }
}

/// The payloads of the vectors, one list of events per file.
fn payloads(dir: &Path, out: &mut Vec<(Protocol, Vec<Value>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            payloads(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let vector: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let steps = vector["steps"].as_array().unwrap();
            let events: Vec<_> = steps.iter().filter(|step| step["event"] == "payload").collect();
            if let Some(first) = events.first() {
                let protocol = Protocol::parse(first["protocol"].as_str().unwrap()).unwrap();
                out.push((protocol, events.iter().map(|step| step["data"].clone()).collect()));
            }
        }
    }
}

#[test]
fn the_payloads_of_the_vectors_are_the_same_either_way() {
    let mut cases = Vec::new();
    payloads(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors"), &mut cases);
    assert!(cases.len() > 15, "the vectors have payloads");
    for (protocol, events) in cases {
        assert_same(protocol, &events);
    }
}

#[test]
fn odd_events_are_the_same_either_way() {
    for event in [
        json!("[DONE]"),
        json!("text"),
        json!(null),
        json!(7),
        json!([]),
        json!([{"choices": []}]),
        json!({"choices": {"delta": {"content": "a lone object"}}}),
        json!({"choices": [{"index": 2, "delta": {"content": "quote \" back\\slash \u{e9}\u{1f600}\n"}}], "id": "a\\b"}),
        json!({"choices": [{"delta": {"content": ["x", {"type": "text", "text": "y"}, 3]}}]}),
        json!({"usage": {"prompt_tokens": -1, "completion_tokens": 1.5, "total_tokens": 12.0, "prompt_tokens_details": []}}),
        json!({"usage": {"prompt_tokens": u64::MAX, "completion_tokens": "3", "cost": 0.25}}),
        json!({"error": {"code": 429, "message": "m", "type": null}}),
        json!({"error": "plain"}),
        json!({"type": "message_start", "message": {"id": 5, "usage": null}}),
    ] {
        for protocol in [Protocol::OpenAiChat, Protocol::AnthropicMessages, Protocol::OpenAiResponses] {
            assert_same(protocol, core::slice::from_ref(&event));
        }
    }
}

#[test]
fn a_name_that_begins_with_an_underscore_is_no_word() {
    let event = json!({"__type": "com.amazon.coral.validate#ValidationException", "message": "bad"});
    assert_same(Protocol::BedrockConverse, &[event]);
}

#[test]
fn what_a_deserializer_refuses_is_counted() {
    let mut decoder = Decoder::new(Protocol::OpenAiChat);
    let mut tape = Tape::default();
    let mut broken = serde_json::Deserializer::from_str("{\"choices\": [");
    assert_eq!(decoder.decode_value(&mut broken, &mut tape).decode_errors, 1);
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({"choices": [deep]});
    }
    assert_eq!(decoder.decode_value(deep, &mut tape).decode_errors, 1);
}

/// `contentBlockDelta` as the attributes of Python objects spell it.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(char.to_ascii_lowercase());
    }
    out
}

fn renamed(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (snake(name), renamed(value))).collect(),
        Value::Array(elements) => elements.iter().map(renamed).collect(),
        other => other.clone(),
    }
}

#[test]
fn camel_case_names_may_be_snake_case() {
    let bedrock = [
        json!({"messageStart": {"role": "assistant"}}),
        json!({"contentBlockStart": {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}}}),
        json!({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}}),
        json!({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}}}),
        json!({"messageStop": {"stopReason": "end_turn"}}),
        json!({"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2, "cacheReadInputTokens": 1}, "metrics": {"latencyMs": 9}}}),
        json!({"throttlingException": {"message": "slow down"}}),
    ];
    let vercel = [
        json!({"type": "tool-input-available", "toolCallId": "c", "toolName": "f", "providerExecuted": true}),
        json!({"type": "error", "errorText": "no"}),
        json!({"type": "finish", "finishReason": "stop", "messageMetadata": {"totalUsage": {"inputTokens": 3, "outputTokens": 2}}}),
    ];
    let gemini = [json!({
        "responseId": "r", "modelVersion": "m",
        "candidates": [{"finishReason": "STOP", "content": {"parts": [{"functionCall": {"name": "f", "args": {}}}]}}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 1},
    })];
    for (protocol, events) in [
        (Protocol::BedrockConverse, bedrock.as_slice()),
        (Protocol::VercelUiMessage, vercel.as_slice()),
        (Protocol::GeminiGenerateContent, gemini.as_slice()),
    ] {
        let [mut camel, mut other, mut by_text] = [(); 3].map(|()| Decoder::new(protocol));
        let (mut tape, mut other_tape) = (Tape::default(), Tape::default());
        for event in events {
            let expected = format!("{:?}", camel.decode_value(event, &mut tape));
            assert!(!expected.contains("decode_errors: 1"), "{event}");
            assert_eq!(format!("{:?}", other.decode_value(renamed(event), &mut other_tape)), expected, "{event}");
            let text = renamed(event).to_string();
            assert_eq!(format!("{:?}", by_text.decode_object(text.as_bytes())), expected, "{event}");
            let nothing = format!("{:?}", Decoder::new(protocol).decode_payload(b"{}"));
            assert_ne!(expected, nothing, "{protocol}: {event} says nothing");
        }
    }
}

/// `finish_reason` as libraries of JavaScript spell it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

fn renamed_to_camel(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (camel(name), renamed_to_camel(value))).collect(),
        Value::Array(elements) => elements.iter().map(renamed_to_camel).collect(),
        other => other.clone(),
    }
}

#[test]
fn snake_case_names_may_be_camel_case() {
    let mistral = [
        json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": null}]}),
        json!({"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}]}, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}}),
    ];
    let cohere = [
        json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {"id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}}}}),
        json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}}),
        json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 1}, "tokens": {"input_tokens": 3, "output_tokens": 2}}}}),
    ];
    for (protocol, events) in [(Protocol::MistralChat, mistral.as_slice()), (Protocol::CohereChat, cohere.as_slice())] {
        let [mut wire, mut other, mut by_text] = [(); 3].map(|()| Decoder::new(protocol));
        let mut tape = Tape::default();
        for event in events {
            let expected = format!("{:?}", wire.decode_payload(event.to_string().as_bytes()));
            let respelled = renamed_to_camel(event);
            let text = respelled.to_string();
            assert_eq!(format!("{:?}", by_text.decode_object(text.as_bytes())), expected, "{event}");
            assert_eq!(format!("{:?}", other.decode_value(respelled, &mut tape)), expected, "{event}");
            let nothing = format!("{:?}", Decoder::new(protocol).decode_payload(b"{}"));
            assert_ne!(expected, nothing, "{protocol}: {event} says nothing");
        }
    }
}

#[test]
fn an_event_may_be_wrapped_in_one_of_the_server() {
    let chunk = json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}});
    let mut tape = Tape::default();
    for wrapped in [json!({"data": chunk}), json!({"id": "7", "event": "message", "retry": 5, "data": chunk})] {
        let expected =
            format!("{:?}", Decoder::new(Protocol::MistralChat).decode_payload(chunk.to_string().as_bytes()));
        let got = format!("{:?}", Decoder::new(Protocol::MistralChat).decode_value(&wrapped, &mut tape));
        assert_eq!(got, expected, "{wrapped}");
        assert_eq!(tape.detect(), Some(Protocol::MistralChat));
        let text = wrapped.to_string();
        let got = format!("{:?}", Decoder::new(Protocol::MistralChat).decode_object(text.as_bytes()));
        assert_eq!(got, expected, "{wrapped}");
        assert_eq!(Protocol::detect_event(&text), Some(Protocol::MistralChat));
    }
    // What is beside the fields of such an event, or no object in it, is an event of its own.
    for event in [json!({"data": {"id": "x"}, "id": "own", "model": "m"}), json!({"id": "own", "data": [chunk]})] {
        let delta = format!("{:?}", Decoder::new(Protocol::OpenAiChat).decode_value(&event, &mut tape));
        assert!(delta.contains("own"), "{delta}");
        let text = event.to_string();
        let delta = format!("{:?}", Decoder::new(Protocol::OpenAiChat).decode_object(text.as_bytes()));
        assert!(delta.contains("own"), "{delta}");
    }
}

/// Output tokens and finish reasons of the record of objects that were given as text.
fn of_objects(protocol: Protocol, objects: &[Value]) -> (u64, Vec<String>) {
    let mut call = Call::new(Arc::new(Config::default()), Timestamp::from_millis(0), CallStart::default());
    for object in objects {
        call.handle_object(Timestamp::from_millis(0), None, protocol, object.to_string().as_bytes());
    }
    call.handle_call_ended(Timestamp::from_millis(0), Failure::default());
    let record = call.poll_record().unwrap();
    (record.usage.and_then(|usage| usage.output_tokens).unwrap_or(0), record.finish_reasons)
}

#[test]
fn objects_of_libraries_as_text_are_read_as_such() {
    let usage = json!({"promptTokens": 3, "completionTokens": 2});
    let choices = json!([{"index": 0, "delta": {"content": "Hi"}, "finishReason": "stop"}]);
    let mistral = json!({"data": {"id": "c", "choices": choices, "usage": usage}});
    assert_eq!(of_objects(Protocol::MistralChat, &[mistral]), (2, vec!["stop".to_owned()]));
    let wire = json!({"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 2}});
    assert_eq!(of_objects(Protocol::OpenAiChat, &[wire]), (2, vec!["stop".to_owned()]));
}

#[test]
fn several_objects_are_lines_with_a_time_each() {
    let lines = concat!(
        r#"{"choices": [{"index": 0, "delta": {"content": "a"}}]}"#,
        "\n",
        r#"{"choices": [{"index": 0, "delta": {"content": "b"}}]}"#,
        "\n",
        r#"{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}"#,
    );
    // Milliseconds of the last event of each run: with as many times as lines, with too many and with too few.
    for (times, last, reasons) in [(&[10, 20, 40][..], 40, 1), (&[10, 20, 40, 80], 40, 1), (&[10, 20], 20, 0)] {
        let mut start = CallStart::default();
        start.stream = Some(true);
        let mut call = Call::new(Arc::new(Config::default()), Timestamp::from_millis(0), start);
        let times = times.iter().map(|at| Timestamp::from_millis(*at));
        call.handle_objects(times, None, Protocol::OpenAiChat, lines.as_bytes());
        call.handle_call_ended(Timestamp::from_millis(100), Failure::default());
        let record = call.poll_record().unwrap();
        assert_eq!(record.marks.first_content_ns, Some(Nanos::from_millis(10)));
        assert_eq!(record.marks.last_chunk_ns, Some(Nanos::from_millis(last)));
        assert_eq!((record.finish_reasons.len(), record.diagnostics.decode_errors), (reasons, 0));
    }
}

#[test]
fn pieces_have_a_time_and_an_end_each() {
    let bytes = concat!(
        "data: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"a\"}}]}\n\n",
        "data: {\"choices\": [{\"index\": 0, \"delta\": {}, \"finish_reason\": \"stop\"}]}\n\n",
    )
    .as_bytes();
    let first = 2 + bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
    // The first event comes in two pieces, and is there with the second. What ends beyond the bytes, or before it begins, is none.
    let whole = [(10, 5), (20, 5), (30, first), (40, bytes.len())];
    for (pieces, last, reasons) in
        [(&whole[..], 40, 1), (&whole[..3], 30, 0), (&[(10, 5), (20, 2), (30, first), (40, bytes.len() + 1)], 0, 0)]
    {
        let mut start = CallStart::default();
        start.stream = Some(true);
        let mut call = Call::new(Arc::new(Config::default()), Timestamp::from_millis(0), start);
        let pieces = pieces.iter().map(|(at, end)| (Timestamp::from_millis(*at), *end));
        call.handle_pieces(pieces, None, Protocol::OpenAiChat, bytes);
        call.handle_call_ended(Timestamp::from_millis(100), Failure::default());
        let record = call.poll_record().unwrap();
        let last = (last > 0).then(|| Nanos::from_millis(last));
        assert_eq!(record.marks.first_content_ns, last.and(Some(Nanos::from_millis(30))));
        assert_eq!((record.marks.last_chunk_ns, record.finish_reasons.len()), (last, reasons));
    }
}

/// An object with one member, whose value is bytes.
fn of_bytes(
    name: &'static str,
    bytes: &'static [u8],
) -> impl serde::Deserializer<'static, Error = serde::de::value::Error> {
    let member = (name, serde::de::value::BytesDeserializer::new(bytes));
    serde::de::value::MapDeserializer::new(core::iter::once(member))
}

#[test]
fn bytes_are_the_base64_that_the_wire_has() {
    let mut tape = Tape::default();
    let chunk = br#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#;
    let mut decoder = Decoder::new(Protocol::BedrockInvoke);
    let delta = decoder.decode_value(of_bytes("bytes", chunk), &mut tape);
    assert_eq!((delta.bytes[0], delta.decode_errors), (2, 0));

    // 4 bytes for every 3, filled up: 8 for 4, of which two are no UTF-8.
    let mut decoder = Decoder::new(Protocol::OpenAiCompletions);
    let mut tape = Tape::default();
    let delta = decoder.decode_value(of_bytes("id", b"\x89P\xffG"), &mut tape);
    assert_eq!(delta.response_id.as_deref(), Some("iVD/Rw=="));
}

#[test]
fn an_event_larger_than_the_tape_keeps_is_read_and_let_go() {
    let mut decoder = Decoder::new(Protocol::OpenAiChat);
    let mut tape = Tape::default();
    let event = |length| json!({"choices": [{"delta": {"content": "x".repeat(length)}}]});
    for length in [1, 300_000, 2] {
        let delta = decoder.decode_value(event(length), &mut tape);
        assert_eq!(usize::try_from(delta.bytes[0]).unwrap(), length);
    }
}

/// JSON that looks like events: the names that decoders read, with anything below them.
fn event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-10_i64..5_000).prop_map(Value::from),
        (0.0_f64..1e6).prop_map(Value::from),
        "[a-z\"\\\\\n\u{e9}\u{1f600}]{0,6}".prop_map(Value::from),
        Just(json!("tool_use")),
        Just(json!("content_block_delta")),
        Just(json!("text_delta")),
    ];
    let name = prop::sample::select(vec![
        "id",
        "model",
        "choices",
        "delta",
        "message",
        "content",
        "text",
        "type",
        "index",
        "usage",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "finish_reason",
        "error",
        "code",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "input_tokens",
        "output_tokens",
        "reasoning_content",
        "content_block",
        "thinking",
        "unknown",
    ]);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::btree_map(name.clone().prop_map(String::from), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_event_is_the_same_either_way(events in prop::collection::vec(event(), 1..4)) {
        for protocol in [Protocol::OpenAiChat, Protocol::AnthropicMessages] {
            assert_same(protocol, &events);
        }
    }
}
