//! Chat of Ollama: a JSON object per line.

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let mut events = Vec::new();
    for piece in answer.with_whole_call() {
        let mark = if matches!(piece, Piece::Reasoning(_)) { Mark::Reasoning } else { Mark::Answer };
        let message = match piece {
            Piece::Reasoning(text) => json!({"role": "assistant", "content": "", "thinking": text}),
            Piece::Refusal(text) | Piece::Text(text) => json!({"role": "assistant", "content": text}),
            Piece::Tool(arguments) => message_with_call(serde_json::from_str(&arguments).unwrap_or_default()),
        };
        events.push(Event::new(mark, line(answer, message, false)));
    }
    let last = line(answer, json!({"role": "assistant", "content": ""}), true);
    events.push(Event::new(Mark::End, last).and(Mark::Usage));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let mut message = match answer.arguments_object() {
        Some(arguments) => message_with_call(arguments),
        None => json!({"role": "assistant"}),
    };
    message["content"] = (answer.text() + &answer.refusal()).into();
    if !answer.reasoning().is_empty() {
        message["thinking"] = answer.reasoning().into();
    }
    line(answer, message, true)
}

pub(super) fn error(refusal: Refusal) -> Value {
    let message = match refusal.status {
        401 => "unauthorized",
        404 => "model not found",
        429 => "you have reached your hourly usage limit",
        status if status < 500 => "invalid request",
        503 => "server busy, please try again. maximum pending requests exceeded",
        _ => "llama runner process has terminated",
    };
    json!({"error": message})
}

pub(super) fn error_event() -> Event {
    Event::new(Mark::Error, json!({"error": "model runner has stopped"}))
}

fn message_with_call(arguments: Value) -> Value {
    json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": TOOL, "arguments": arguments}}]})
}

fn line(answer: &Answer, message: Value, is_last: bool) -> Value {
    let mut line =
        json!({"model": answer.model, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": is_last});
    if is_last {
        line["done_reason"] = finish(answer.finish).into();
        if let Some(counts) = &answer.counts {
            line["prompt_eval_count"] = counts.input.into();
            line["eval_count"] = counts.output.into();
            line["total_duration"] = 30_000_000.into();
            line["load_duration"] = 1_000_000.into();
            line["prompt_eval_duration"] = 2_000_000.into();
            line["eval_duration"] = 20_000_000.into();
        }
    }
    line
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Refusal | Finish::Stop | Finish::Tool => "stop",
    }
}
