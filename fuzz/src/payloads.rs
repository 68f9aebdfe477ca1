//! An event is the same as JSON text, as a host's objects and in the framing of its protocol.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use llmspan_core::{
    config::Config,
    delta::Delta,
    engine::Call,
    framing::Framing,
    machine::{AttemptStart, CallStart, Failure},
    provider::{Decoder, Protocol, StreamDecoder, Tape},
    record::Record,
    time::Timestamp,
};
use llmspan_runner::{compare::compare_records, fuzz::Choices};
use serde_json::{Value, value::RawValue};

use crate::{
    messages,
    responses::{self, check_record},
};

/// Decodes each line of the data.
pub(crate) fn check(protocol: Protocol, choices: Choices, data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    check_deltas(protocol, &lines);
    let config = Arc::new(responses::config(choices));
    let whole = record(protocol, &config, &lines, None);
    check_record(&whole);
    let resumed = record(protocol, &config, &lines, Some(usize::from(choices.cuts[0]) % lines.len()));
    let mut differences = Vec::new();
    compare_records("through a snapshot", &whole, &resumed, &mut differences);
    assert!(differences.is_empty(), "{differences:#?}");
    if let Some(framed) = lines.iter().map(|line| framed(protocol, line)).collect::<Option<Vec<_>>>() {
        check_framed(protocol, &lines, &framed);
    }
}

/// Compares the ways in which an event comes, and a decoder with its copy.
fn check_deltas(protocol: Protocol, lines: &[&[u8]]) {
    let mut by_text = Decoder::new(protocol);
    let (mut by_stream, mut by_tree) = (by_text.clone(), by_text.clone());
    let mut tape = Tape::default();
    for line in lines {
        // A tree has no duplicate members; what it says may differ from what the text says.
        let (Ok(tree), Ok(text)) = (serde_json::from_slice::<Value>(line), core::str::from_utf8(line)) else {
            by_text.decode_payload(line);
            by_text = stored(&by_text);
            (by_stream, by_tree) = (by_text.clone(), by_text.clone());
            continue;
        };
        if reads_snake_case(protocol) && has_snake_case(&tree) {
            by_text.decode_payload(line);
            by_text = stored(&by_text);
            (by_stream, by_tree) = (by_text.clone(), by_text.clone());
            continue;
        }
        let expected = shown(&by_text.decode_payload(line));
        let mut streamed = serde_json::Deserializer::from_str(text);
        assert_eq!(shown(&by_stream.decode_value(&mut streamed, &mut tape)), expected, "streamed, not text: {text}");
        let mut by_tree_text = by_tree.clone();
        let tree_text = tree.to_string();
        let expected = shown(&by_tree_text.decode_payload(tree_text.as_bytes()));
        assert_eq!(shown(&by_tree.decode_value(&tree, &mut tape)), expected, "a tree, not text: {tree_text}");
        by_text = stored(&by_text);
        by_tree = by_text.clone();
    }
}

/// Whether objects of a host may spell members in a way that text may not.
fn reads_snake_case(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::BedrockConverse | Protocol::VercelUiMessage)
}

fn has_snake_case(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| {
            let is_snake = !name.starts_with('_')
                && name.as_bytes().windows(2).any(|pair| pair[0] == b'_' && pair[1].is_ascii_lowercase());
            is_snake || has_snake_case(value)
        }),
        Value::Array(elements) => elements.iter().any(has_snake_case),
        _ => false,
    }
}

/// Compares events as they come over the wire with the same events as text.
fn check_framed(protocol: Protocol, lines: &[&[u8]], framed: &[Vec<u8>]) {
    let mut by_text = Decoder::new(protocol);
    let mut by_bytes = StreamDecoder::new(protocol, 1 << 20, 1 << 20);
    for (line, framed) in lines.iter().zip(framed) {
        let expected = shown(&by_text.decode_payload(line));
        let mut read = framed.as_slice();
        let got = by_bytes.next_delta(&mut read).map(|delta| shown(&delta));
        assert_eq!(got, Some(expected), "framed, not text: {}", String::from_utf8_lossy(line));
        assert!(by_bytes.next_delta(&mut read).is_none(), "one frame is one event");
    }
    assert!(by_bytes.finish().is_none(), "the last frame is complete");
}

/// An event as it comes over the wire; `None` where it means something else there.
fn framed(protocol: Protocol, line: &[u8]) -> Option<Vec<u8>> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(line).ok()?;
    match protocol {
        Protocol::BedrockConverse => {
            let (name, payload) = members.first_key_value().filter(|_| members.len() == 1)?;
            let is_one_of = |names: &[&str]| names.contains(&name.as_str());
            let kind = if is_one_of(&EXCEPTIONS) { "exception" } else { "event" };
            (kind == "exception" || is_one_of(&CONVERSE_EVENTS))
                .then(|| messages::message(kind, name, payload.get().as_bytes()))
        }
        Protocol::BedrockInvoke => {
            let is_native =
                !members.keys().any(|name| name == "bytes" || name == "chunk" || name.ends_with("Exception"));
            let chunk = format!("{{\"bytes\":\"{}\"}}", BASE64.encode(line));
            is_native.then(|| messages::message("event", "chunk", chunk.as_bytes()))
        }
        _ if line.contains(&b'\r') => None,
        _ => match protocol.framing() {
            Framing::Sse => Some([b"data: ", line, b"\n\n"].concat()),
            Framing::Ndjson => Some([line, b"\n"].concat()),
            _ => None,
        },
    }
}

fn record(protocol: Protocol, config: &Arc<Config>, lines: &[&[u8]], resume_at: Option<usize>) -> Record {
    let mut call = Call::new(Arc::clone(config), Timestamp::default(), CallStart::new("chat"));
    call.handle_attempt_started(Timestamp::default(), AttemptStart::default());
    let mut now = Timestamp::default();
    for (at, line) in lines.iter().enumerate() {
        if resume_at == Some(at) {
            let snapshot = call.snapshot().expect("an open call");
            call = Call::resume(Arc::clone(config), &snapshot).expect("a snapshot");
        }
        now = Timestamp::from_millis(u64::try_from(at).expect("few lines") + 1);
        call.handle_payload(now, None, protocol, line);
    }
    call.handle_call_ended(now, Failure::default());
    call.poll_record().expect("an ended call")
}

fn stored(decoder: &Decoder) -> Decoder {
    let bytes = postcard::to_allocvec(decoder).expect("a decoder can be written");
    postcard::from_bytes(&bytes).expect("a decoder can be read")
}

fn shown(delta: &Delta<'_>) -> String {
    format!("{delta:?}")
}

/// Exceptions that a host's event has as a member of that name.
const EXCEPTIONS: [&str; 5] = [
    "internalServerException",
    "modelStreamErrorException",
    "serviceUnavailableException",
    "throttlingException",
    "validationException",
];

/// Events whose payload a message carries without a wrapper.
const CONVERSE_EVENTS: [&str; 6] =
    ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];
