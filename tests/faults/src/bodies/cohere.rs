//! Chat of Cohere, version 2.

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Counts, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let opening = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
    let mut opening = event("message-start", Mark::Structure, None, Some(opening));
    opening.data = with_id(answer, &opening.data);
    let mut events = vec![opening];
    let mut pieces = answer.pieces.iter().peekable();
    let mut index = 0;
    while let Some(first) = pieces.peek().copied() {
        let kind = Block::of(first);
        let at = Some(index);
        let (start, mark, message) = match kind {
            Block::Call => ("tool-call-start", Mark::Answer, json!({"tool_calls": call(answer, "")})),
            Block::Text => ("content-start", Mark::Structure, json!({"content": {"type": "text", "text": ""}})),
            Block::Thinking => {
                ("content-start", Mark::Structure, json!({"content": {"type": "thinking", "thinking": ""}}))
            }
        };
        events.push(event(start, mark, at, Some(message)));
        while let Some(piece) = pieces.next_if(|piece| Block::of(piece) == kind) {
            events.push(match piece {
                Piece::Reasoning(text) => {
                    event("content-delta", Mark::Reasoning, at, Some(json!({"content": {"thinking": text}})))
                }
                Piece::Refusal(text) | Piece::Text(text) => {
                    event("content-delta", Mark::Answer, at, Some(json!({"content": {"text": text}})))
                }
                Piece::Tool(json) => {
                    let calls = json!({"tool_calls": {"function": {"arguments": json}}});
                    event("tool-call-delta", Mark::Answer, at, Some(calls))
                }
            });
        }
        let end = if kind == Block::Call { "tool-call-end" } else { "content-end" };
        events.push(event(end, Mark::Structure, at, None));
        index += 1;
    }
    events.push(end(answer, finish(answer.finish), None));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let mut content = Vec::new();
    if !answer.reasoning().is_empty() {
        content.push(json!({"type": "thinking", "thinking": answer.reasoning()}));
    }
    let text = answer.text() + &answer.refusal();
    if !text.is_empty() {
        content.push(json!({"type": "text", "text": text}));
    }
    let mut message = json!({"role": "assistant", "content": content});
    if let Some(arguments) = answer.arguments() {
        message["tool_calls"] = json!([call(answer, &arguments)]);
    }
    let mut body = json!({"id": answer.id, "message": message, "finish_reason": finish(answer.finish)});
    if let Some(counts) = &answer.counts {
        body["usage"] = usage(counts);
    }
    body
}

pub(super) fn error(refusal: Refusal) -> Value {
    let message = match refusal.status {
        401 => "invalid api token",
        404 => "model not found",
        429 => "Please wait and try again later",
        status if status < 500 => "invalid request",
        503 => "no healthy upstream",
        _ => "internal server error",
    };
    json!({"id": "faults", "message": message})
}

/// The end of a stream that failed.
pub(super) fn error_event(answer: &Answer) -> Event {
    let mut event = end(answer, "ERROR", Some("internal server error"));
    event.marks = vec![Mark::Error];
    event
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Block {
    Call,
    Text,
    Thinking,
}

impl Block {
    const fn of(piece: &Piece) -> Self {
        match piece {
            Piece::Reasoning(_) => Self::Thinking,
            Piece::Refusal(_) | Piece::Text(_) => Self::Text,
            Piece::Tool(_) => Self::Call,
        }
    }
}

fn event(name: &'static str, mark: Mark, index: Option<usize>, message: Option<Value>) -> Event {
    let mut data = json!({"type": name});
    if let Some(index) = index {
        data["index"] = index.into();
    }
    if let Some(message) = message {
        data["delta"] = json!({"message": message});
    }
    Event::named(name, mark, data)
}

fn end(answer: &Answer, reason: &str, error: Option<&str>) -> Event {
    let mut delta = json!({"finish_reason": reason});
    if let Some(error) = error {
        delta["error"] = error.into();
    }
    if let Some(counts) = &answer.counts {
        delta["usage"] = usage(counts);
    }
    let data = json!({"type": "message-end", "id": answer.id, "delta": delta});
    let event = Event::named("message-end", Mark::End, data).and(Mark::Finish);
    if answer.counts.is_some() { event.and(Mark::Usage) } else { event }
}

fn with_id(answer: &Answer, data: &str) -> String {
    let mut data: Value = serde_json::from_str(data).unwrap_or_default();
    data["id"] = answer.id.as_str().into();
    data.to_string()
}

fn call(answer: &Answer, arguments: &str) -> Value {
    json!({"id": format!("{TOOL}_{}", answer.id), "type": "function", "function": {"name": TOOL, "arguments": arguments}})
}

/// What is billed leaves out what Cohere adds to the prompt.
fn usage(counts: &Counts) -> Value {
    let mut usage = json!({
        "billed_units": {"input_tokens": counts.input / 3, "output_tokens": counts.output},
        "tokens": {"input_tokens": counts.input, "output_tokens": counts.output},
    });
    if counts.cached > 0 {
        usage["cached_tokens"] = counts.cached.into();
    }
    usage
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "MAX_TOKENS",
        Finish::Refusal | Finish::Stop => "COMPLETE",
        Finish::Tool => "TOOL_CALL",
    }
}
