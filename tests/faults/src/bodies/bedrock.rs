//! Converse and Invoke of AWS Bedrock. Invoke wraps the events of Anthropic's Messages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Event, Headers, Refusal,
    answer::{Answer, Counts, Finish, Piece, TOOL},
    anthropic,
};
use crate::schedule::Mark;

pub(super) fn converse_events(answer: &Answer) -> Vec<Event> {
    let mut events = vec![Event::named("messageStart", Mark::Structure, json!({"role": "assistant"}))];
    let mut pieces = answer.pieces.iter().peekable();
    let mut index = 0;
    while let Some(first) = pieces.peek().copied() {
        let kind = Block::of(first);
        if kind == Block::Call {
            let start = json!({"toolUse": {"toolUseId": format!("tooluse_{}", answer.id), "name": TOOL}});
            let start = json!({"contentBlockIndex": index, "start": start});
            events.push(Event::named("contentBlockStart", Mark::Answer, start));
        }
        while let Some(piece) = pieces.next_if(|piece| Block::of(piece) == kind) {
            let (mark, delta) = match piece {
                Piece::Reasoning(text) => (Mark::Reasoning, json!({"reasoningContent": {"text": text}})),
                Piece::Refusal(text) | Piece::Text(text) => (Mark::Answer, json!({"text": text})),
                Piece::Tool(json) => (Mark::Answer, json!({"toolUse": {"input": json}})),
            };
            let delta = json!({"contentBlockIndex": index, "delta": delta, "p": "abcdef"});
            events.push(Event::named("contentBlockDelta", mark, delta));
        }
        if kind == Block::Reasoning {
            let delta = json!({"reasoningContent": {"signature": "ZmF1bHRz"}});
            let delta = json!({"contentBlockIndex": index, "delta": delta, "p": "abc"});
            events.push(Event::named("contentBlockDelta", Mark::Structure, delta));
        }
        events.push(Event::named("contentBlockStop", Mark::Structure, json!({"contentBlockIndex": index})));
        index += 1;
    }
    let stop = json!({"stopReason": finish(answer.finish)});
    events.push(Event::named("messageStop", Mark::End, stop).and(Mark::Finish));
    if let Some(counts) = &answer.counts {
        let metadata = json!({"usage": usage(counts), "metrics": {"latencyMs": 30}, "p": "abcdefgh"});
        events.push(Event::named("metadata", Mark::Usage, metadata));
    }
    events
}

pub(super) fn converse_whole(answer: &Answer) -> Value {
    let mut content = Vec::new();
    if !answer.reasoning().is_empty() {
        let reasoning = json!({"text": answer.reasoning(), "signature": "ZmF1bHRz"});
        content.push(json!({"reasoningContent": {"reasoningText": reasoning}}));
    }
    let text = answer.text() + &answer.refusal();
    if !text.is_empty() {
        content.push(json!({"text": text}));
    }
    if let Some(input) = answer.arguments_object() {
        let call = json!({"toolUseId": format!("tooluse_{}", answer.id), "name": TOOL, "input": input});
        content.push(json!({"toolUse": call}));
    }
    let mut body = json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": finish(answer.finish),
        "metrics": {"latencyMs": 30},
    });
    if let Some(counts) = &answer.counts {
        body["usage"] = usage(counts);
    }
    body
}

pub(super) fn invoke_events(answer: &Answer) -> Vec<Event> {
    let mut events = anthropic::events(answer);
    if let (Some(counts), Some(last)) = (&answer.counts, events.last_mut()) {
        let mut data: Value = serde_json::from_str(&last.data).unwrap_or_default();
        data["amazon-bedrock-invocationMetrics"] = json!({
            "inputTokenCount": counts.fresh_input(), "outputTokenCount": counts.output,
            "invocationLatency": 30, "firstByteLatency": 20,
            "cacheReadInputTokenCount": counts.cached, "cacheWriteInputTokenCount": counts.cache_write,
        });
        last.data = data.to_string();
    }
    for event in &mut events {
        event.name = Some("chunk");
        event.data = json!({"bytes": STANDARD.encode(&event.data), "p": "abcdef"}).to_string();
    }
    events
}

pub(super) fn error(refusal: Refusal) -> Value {
    let message = match refusal.status {
        400 | 422 => "The provided model identifier is invalid.",
        401 | 403 => "The security token included in the request is invalid.",
        404 => "Could not resolve the foundation model from the provided model identifier.",
        429 => "Too many requests, please wait before trying again.",
        503 => "Bedrock is unable to process your request.",
        _ => "The system encountered an unexpected error during processing. Try your request again.",
    };
    json!({"message": message})
}

/// An exception inside the stream: its name is a header of the message.
pub(super) fn error_event() -> Event {
    Event::named(
        "throttlingException",
        Mark::Error,
        json!({"message": "Too many requests, please wait before trying again."}),
    )
}

pub(super) fn headers(id: &str, status: u16) -> Headers {
    let mut headers = vec![("x-amzn-requestid", id.into())];
    if status >= 400 {
        let class = match status {
            400 | 422 => "ValidationException",
            401 => "UnrecognizedClientException",
            403 => "AccessDeniedException",
            404 => "ResourceNotFoundException",
            408 => "ModelTimeoutException",
            424 => "ModelErrorException",
            429 => "ThrottlingException",
            503 => "ServiceUnavailableException",
            _ => "InternalServerException",
        };
        headers.push(("x-amzn-errortype", format!("{class}:http://internal.amazon.com/coral/com.amazon.bedrock/")));
    }
    headers
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Block {
    Call,
    Reasoning,
    Text,
}

impl Block {
    const fn of(piece: &Piece) -> Self {
        match piece {
            Piece::Reasoning(_) => Self::Reasoning,
            Piece::Refusal(_) | Piece::Text(_) => Self::Text,
            Piece::Tool(_) => Self::Call,
        }
    }
}

fn usage(counts: &Counts) -> Value {
    let mut usage = json!({
        "inputTokens": counts.fresh_input(), "outputTokens": counts.output, "totalTokens": counts.total(),
    });
    if counts.cached > 0 || counts.cache_write > 0 {
        usage["cacheReadInputTokens"] = counts.cached.into();
        usage["cacheWriteInputTokens"] = counts.cache_write.into();
    }
    usage
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "max_tokens",
        Finish::Refusal => "content_filtered",
        Finish::Stop => "end_turn",
        Finish::Tool => "tool_use",
    }
}
