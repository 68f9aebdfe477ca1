//! Chat of Mistral: near to OpenAI's, with reasoning as parts of the content, whole tool calls, and errors of its own.

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Counts, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let mut events =
        vec![Event::new(Mark::Structure, chunk(answer, json!({"role": "assistant", "content": ""}), None))];
    for piece in answer.with_whole_call() {
        let mark = if matches!(piece, Piece::Reasoning(_)) { Mark::Reasoning } else { Mark::Answer };
        let delta = match &piece {
            Piece::Reasoning(text) => json!({"content": [thinking(text)]}),
            Piece::Refusal(text) | Piece::Text(text) => json!({"content": text}),
            Piece::Tool(arguments) => json!({"content": "", "tool_calls": [call(answer, arguments)]}),
        };
        events.push(Event::new(mark, chunk(answer, delta, None)));
    }
    let mut last = chunk(answer, json!({"content": ""}), Some(finish(answer.finish)));
    if let Some(counts) = &answer.counts {
        last["usage"] = usage(counts);
    }
    events.push(Event::new(Mark::Finish, last).and(Mark::Usage));
    events.push(Event::new(Mark::End, "[DONE]"));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let text = answer.text() + &answer.refusal();
    let content = if answer.reasoning().is_empty() {
        json!(text)
    } else {
        json!([thinking(&answer.reasoning()), {"type": "text", "text": text}])
    };
    let calls = answer.arguments().map(|arguments| json!([call(answer, &arguments)]));
    let message = json!({"role": "assistant", "content": content, "tool_calls": calls});
    let mut body = head(answer, "chat.completion");
    body["choices"] = json!([{"index": 0, "message": message, "finish_reason": finish(answer.finish)}]);
    if let Some(counts) = &answer.counts {
        body["usage"] = usage(counts);
    }
    body
}

pub(super) fn error(refusal: Refusal) -> Value {
    let (kind, code, message) = match refusal.status {
        401 => return json!({"detail": "Unauthorized"}),
        400 | 422 => ("invalid_request_error", "1500", "Invalid request."),
        404 => ("invalid_model", "1500", "Invalid model."),
        429 => ("rate_limited", "1300", "Rate limit exceeded"),
        status if status < 500 => ("invalid_request_error", "1500", "Invalid request."),
        503 => ("service_unavailable", "3505", "Service unavailable."),
        _ => ("internal_server_error", "3000", "Internal server error."),
    };
    json!({"object": "error", "message": message, "type": kind, "param": null, "code": code})
}

pub(super) fn error_event() -> Event {
    Event::new(Mark::Error, error(Refusal { status: 500, retry_after: None }))
}

fn head(answer: &Answer, object: &str) -> Value {
    json!({"id": answer.id, "object": object, "created": answer.created, "model": answer.model})
}

fn chunk(answer: &Answer, delta: Value, finish: Option<&str>) -> Value {
    let mut chunk = head(answer, "chat.completion.chunk");
    chunk["choices"] = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    chunk
}

fn thinking(text: &str) -> Value {
    json!({"type": "thinking", "thinking": [{"type": "text", "text": text}]})
}

fn call(answer: &Answer, arguments: &str) -> Value {
    let function = json!({"name": TOOL, "arguments": arguments});
    json!({"id": answer.id.chars().take(9).collect::<String>(), "type": "function", "function": function, "index": 0})
}

fn usage(counts: &Counts) -> Value {
    let mut usage = json!({"prompt_tokens": counts.input, "completion_tokens": counts.output,
        "total_tokens": counts.total()});
    if counts.cached > 0 {
        usage["prompt_tokens_details"] = json!({"cached_tokens": counts.cached});
    }
    usage
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Refusal | Finish::Stop => "stop",
        Finish::Tool => "tool_calls",
    }
}
