//! The UI message stream of the Vercel AI SDK, as an application's own route sends it to its browser.

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Counts, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let metadata = json!({"model": answer.model});
    let start = json!({"type": "start", "messageId": format!("msg_{}", answer.id), "messageMetadata": metadata});
    let mut events = vec![Event::new(Mark::Structure, start), part(Mark::Structure, "start-step", json!({}))];
    let mut pieces = answer.pieces.iter().peekable();
    while let Some(first) = pieces.peek().copied() {
        let kind = Part::of(first);
        let (start, delta, end) = match kind {
            Part::Call => ("tool-input-start", "tool-input-delta", "tool-input-available"),
            Part::Reasoning => ("reasoning-start", "reasoning-delta", "reasoning-end"),
            Part::Text => ("text-start", "text-delta", "text-end"),
        };
        let id = format!("{}_{}", if kind == Part::Call { "call" } else { "part" }, answer.id);
        if kind == Part::Call {
            events.push(part(Mark::Answer, start, json!({"toolCallId": id, "toolName": TOOL})));
        } else {
            events.push(part(Mark::Structure, start, json!({"id": id})));
        }
        while let Some(piece) = pieces.next_if(|piece| Part::of(piece) == kind) {
            events.push(match piece {
                Piece::Reasoning(text) => part(Mark::Reasoning, delta, json!({"id": id, "delta": text})),
                Piece::Refusal(text) | Piece::Text(text) => part(Mark::Answer, delta, json!({"id": id, "delta": text})),
                Piece::Tool(json) => part(Mark::Answer, delta, json!({"toolCallId": id, "inputTextDelta": json})),
            });
        }
        events.push(if kind == Part::Call {
            let input = answer.arguments_object();
            part(Mark::Structure, end, json!({"toolCallId": id, "toolName": TOOL, "input": input}))
        } else {
            part(Mark::Structure, end, json!({"id": id}))
        });
    }
    events.push(part(Mark::Structure, "finish-step", json!({})));
    let mut last = json!({"finishReason": finish(answer.finish)});
    if let Some(counts) = &answer.counts {
        last["messageMetadata"] = json!({"totalUsage": usage(counts)});
    }
    events.push(part(Mark::Finish, "finish", last).and(Mark::Usage));
    events.push(Event::new(Mark::End, "[DONE]"));
    events
}

/// An application that does not stream answers with a message.
pub(super) fn whole(answer: &Answer) -> Value {
    let mut parts = Vec::new();
    if !answer.reasoning().is_empty() {
        parts.push(json!({"type": "reasoning", "text": answer.reasoning()}));
    }
    let text = answer.text() + &answer.refusal();
    if !text.is_empty() {
        parts.push(json!({"type": "text", "text": text}));
    }
    json!({"id": format!("msg_{}", answer.id), "role": "assistant", "parts": parts})
}

pub(super) fn error(refusal: Refusal) -> Value {
    match refusal.status {
        401 => json!({"error": "Unauthorized"}),
        429 => json!({"code": "rate_limit:chat", "message": "Come back later"}),
        status if status < 500 => json!({"code": "bad_request:api", "message": "The request is invalid"}),
        _ => json!({"error": "Internal server error"}),
    }
}

pub(super) fn error_event() -> Event {
    part(Mark::Error, "error", json!({"errorText": "An error occurred."}))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Call,
    Reasoning,
    Text,
}

impl Part {
    const fn of(piece: &Piece) -> Self {
        match piece {
            Piece::Reasoning(_) => Self::Reasoning,
            Piece::Refusal(_) | Piece::Text(_) => Self::Text,
            Piece::Tool(_) => Self::Call,
        }
    }
}

fn part(mark: Mark, kind: &str, mut data: Value) -> Event {
    data["type"] = kind.into();
    Event::new(mark, data)
}

fn usage(counts: &Counts) -> Value {
    json!({
        "inputTokens": counts.input,
        "inputTokenDetails": {"noCacheTokens": counts.fresh_input(), "cacheReadTokens": counts.cached,
            "cacheWriteTokens": counts.cache_write},
        "outputTokens": counts.output,
        "outputTokenDetails": {"textTokens": counts.answer_output(), "reasoningTokens": counts.reasoning},
        "totalTokens": counts.total(),
    })
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Refusal => "content-filter",
        Finish::Stop => "stop",
        Finish::Tool => "tool-calls",
    }
}
