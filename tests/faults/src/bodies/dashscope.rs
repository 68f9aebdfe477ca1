//! Generation of Alibaba's `DashScope`, in its native form.

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let (mut text, mut reasoning) = (String::new(), String::new());
    let mut events = Vec::new();
    for piece in answer.with_whole_call() {
        let mark = if matches!(piece, Piece::Reasoning(_)) { Mark::Reasoning } else { Mark::Answer };
        let message = match piece {
            Piece::Reasoning(piece) => {
                reasoning += &piece;
                let shown = if answer.is_cumulative { &reasoning } else { &piece };
                json!({"role": "assistant", "content": "", "reasoning_content": shown})
            }
            Piece::Refusal(piece) | Piece::Text(piece) => {
                text += &piece;
                let mut message =
                    json!({"role": "assistant", "content": if answer.is_cumulative { &text } else { &piece }});
                if answer.is_cumulative && !reasoning.is_empty() {
                    message["reasoning_content"] = reasoning.as_str().into();
                }
                message
            }
            Piece::Tool(arguments) => message_with_call(answer, &arguments),
        };
        events.push(Event::new(mark, body(answer, message, "null")));
    }
    let shown = if answer.is_cumulative { text.as_str() } else { "" };
    let last = body(answer, json!({"role": "assistant", "content": shown}), finish(answer.finish));
    events.push(Event::new(Mark::Finish, last).and(Mark::Usage));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let mut message = match answer.arguments() {
        Some(arguments) => message_with_call(answer, &arguments),
        None => json!({"role": "assistant"}),
    };
    message["content"] = (answer.text() + &answer.refusal()).into();
    if !answer.reasoning().is_empty() {
        message["reasoning_content"] = answer.reasoning().into();
    }
    body(answer, message, finish(answer.finish))
}

pub(super) fn error(refusal: Refusal) -> Value {
    let (code, message) = match refusal.status {
        401 => ("InvalidApiKey", "Invalid API-key provided."),
        404 => ("ModelNotFound", "Model can not be found."),
        429 => ("Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
        status if status < 500 => ("InvalidParameter", "A parameter of the request is invalid."),
        503 => ("ModelUnavailable", "Model is unavailable, please try again later."),
        _ => ("InternalError", "An internal error has occurred, please try again later."),
    };
    json!({"code": code, "message": message, "request_id": "faults"})
}

pub(super) fn error_event() -> Event {
    Event::named("error", Mark::Error, error(Refusal { status: 429, retry_after: None }))
}

fn body(answer: &Answer, message: Value, finish: &str) -> Value {
    let choice = json!({"index": 0, "message": message, "finish_reason": finish});
    let mut body = json!({"output": {"choices": [choice]}, "request_id": answer.id});
    if let Some(counts) = &answer.counts {
        body["usage"] = json!({
            "input_tokens": counts.input, "output_tokens": counts.output, "total_tokens": counts.total(),
            "prompt_tokens_details": {"cached_tokens": counts.cached},
        });
        if counts.reasoning > 0 {
            body["usage"]["output_tokens_details"] = json!({"reasoning_tokens": counts.reasoning});
        }
    }
    body
}

fn message_with_call(answer: &Answer, arguments: &str) -> Value {
    let call = json!({"index": 0, "id": format!("call_{}", answer.id), "type": "function",
        "function": {"name": TOOL, "arguments": arguments}});
    json!({"role": "assistant", "content": "", "tool_calls": [call]})
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Refusal | Finish::Stop => "stop",
        Finish::Tool => "tool_calls",
    }
}
