//! Messages of Anthropic, and its older Complete.

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Counts, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let mut message = message(answer, json!([]), None);
    if let Some(counts) = &answer.counts {
        // The output of the start is a placeholder.
        message["usage"] = usage(counts, counts.output.min(1));
    } else {
        message["usage"] = json!({"input_tokens": 0, "output_tokens": 0});
    }
    let mut events = vec![event("message_start", Mark::Structure, json!({"message": message}))];
    let mut pieces = answer.pieces.iter().peekable();
    let mut index = 0;
    while let Some(first) = pieces.peek().copied() {
        let kind = Block::of(first);
        let start = json!({"index": index, "content_block": kind.start(answer)});
        let mark = if kind == Block::Call { Mark::Answer } else { Mark::Structure };
        events.push(event("content_block_start", mark, start));
        while let Some(piece) = pieces.next_if(|piece| Block::of(piece) == kind) {
            let (mark, delta) = match piece {
                Piece::Reasoning(text) => (Mark::Reasoning, json!({"type": "thinking_delta", "thinking": text})),
                Piece::Refusal(text) | Piece::Text(text) => (Mark::Answer, json!({"type": "text_delta", "text": text})),
                Piece::Tool(json) => (Mark::Answer, json!({"type": "input_json_delta", "partial_json": json})),
            };
            events.push(event("content_block_delta", mark, json!({"index": index, "delta": delta})));
        }
        if kind == Block::Thinking {
            let delta = json!({"type": "signature_delta", "signature": "ZmF1bHRz"});
            events.push(event("content_block_delta", Mark::Structure, json!({"index": index, "delta": delta})));
        }
        events.push(event("content_block_stop", Mark::Structure, json!({"index": index})));
        index += 1;
    }
    let delta = json!({"stop_reason": finish(answer.finish), "stop_sequence": null});
    let mut last = json!({"delta": delta});
    last["usage"] = match &answer.counts {
        Some(counts) => usage(counts, counts.output),
        None => json!({}),
    };
    events.push(event("message_delta", Mark::Finish, last).and(Mark::Usage));
    events.push(event("message_stop", Mark::End, json!({})));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let mut content = Vec::new();
    if !answer.reasoning().is_empty() {
        content.push(json!({"type": "thinking", "thinking": answer.reasoning(), "signature": "ZmF1bHRz"}));
    }
    let text = answer.text() + &answer.refusal();
    if !text.is_empty() {
        content.push(json!({"type": "text", "text": text}));
    }
    if let Some(input) = answer.arguments_object() {
        content.push(json!({"type": "tool_use", "id": format!("toolu_{}", answer.id), "name": TOOL, "input": input}));
    }
    let mut body = message(answer, content.into(), Some(finish(answer.finish)));
    if let Some(counts) = &answer.counts {
        body["usage"] = usage(counts, counts.output);
    }
    body
}

pub(super) fn complete_events(answer: &Answer) -> Vec<Event> {
    let completion = |text: &str, stop: Option<&str>| {
        let mut body = completion(answer, text, stop);
        body["type"] = "completion".into();
        body
    };
    let mut events: Vec<Event> = answer
        .pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Refusal(text) | Piece::Text(text) => {
                Some(Event::named("completion", Mark::Answer, completion(text, None)))
            }
            Piece::Reasoning(_) | Piece::Tool(_) => None,
        })
        .collect();
    let stop = complete_finish(answer.finish);
    events.push(Event::named("completion", Mark::End, completion("", Some(stop))).and(Mark::Finish));
    events
}

pub(super) fn complete_whole(answer: &Answer) -> Value {
    completion(answer, &(answer.text() + &answer.refusal()), Some(complete_finish(answer.finish)))
}

pub(super) fn error(refusal: Refusal) -> Value {
    let (kind, message) = match refusal.status {
        400 | 422 => ("invalid_request_error", "messages: at least one message is required"),
        401 => ("authentication_error", "invalid x-api-key"),
        403 => ("permission_error", "Your API key does not have permission to use this resource."),
        404 => ("not_found_error", "model: not found"),
        413 => ("request_too_large", "Request exceeds the maximum size"),
        429 => ("rate_limit_error", "This request would exceed your rate limit."),
        529 => ("overloaded_error", "Overloaded"),
        status if status < 500 => ("invalid_request_error", "Invalid request"),
        _ => ("api_error", "Internal server error"),
    };
    let message = match refusal.retry_after {
        Some(seconds) => format!("{message} Try again in {seconds}s."),
        None => message.into(),
    };
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_faults"})
}

pub(super) fn error_event() -> Event {
    event(
        "error",
        Mark::Error,
        json!({"error": {"type": "overloaded_error", "message": "Overloaded", "details": null}}),
    )
}

pub(super) fn ping() -> Event {
    event("ping", Mark::KeepAlive, json!({}))
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

    fn start(self, answer: &Answer) -> Value {
        match self {
            Self::Call => json!({"type": "tool_use", "id": format!("toolu_{}", answer.id), "name": TOOL, "input": {}}),
            Self::Text => json!({"type": "text", "text": ""}),
            Self::Thinking => json!({"type": "thinking", "thinking": "", "signature": ""}),
        }
    }
}

fn event(name: &'static str, mark: Mark, mut data: Value) -> Event {
    data["type"] = name.into();
    Event::named(name, mark, data)
}

fn message(answer: &Answer, content: Value, stop: Option<&str>) -> Value {
    json!({"id": format!("msg_{}", answer.id), "type": "message", "role": "assistant", "model": answer.model,
        "content": content, "stop_reason": stop, "stop_sequence": null})
}

fn usage(counts: &Counts, output: i64) -> Value {
    let mut usage = json!({
        "input_tokens": counts.fresh_input(),
        "cache_creation_input_tokens": counts.cache_write,
        "cache_read_input_tokens": counts.cached,
        "output_tokens": output,
        "service_tier": "standard",
    });
    if counts.reasoning > 0 {
        usage["output_tokens_details"] = json!({"thinking_tokens": counts.reasoning});
    }
    usage
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "max_tokens",
        Finish::Refusal => "refusal",
        Finish::Stop => "end_turn",
        Finish::Tool => "tool_use",
    }
}

fn completion(answer: &Answer, text: &str, stop: Option<&str>) -> Value {
    let id = format!("compl_{}", answer.id);
    json!({"type": "completion", "id": id, "completion": text, "stop_reason": stop, "model": answer.model,
        "stop": stop.map(|_| "\n\nHuman:"), "log_id": id})
}

const fn complete_finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "max_tokens",
        Finish::Refusal | Finish::Stop | Finish::Tool => "stop_sequence",
    }
}
