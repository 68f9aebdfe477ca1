//! Chat Completions of OpenAI, and of Groq, which adds its own fields.

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Counts, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer, is_groq: bool) -> Vec<Event> {
    let chunk = |delta: Value, finish: Option<&str>| chunk(answer, delta, finish, is_groq);
    let mut opening = chunk(json!({"role": "assistant", "content": "", "refusal": null}), None);
    if is_groq {
        opening["x_groq"] = json!({"id": format!("req_{}", answer.id)});
    }
    let mut events = vec![Event::new(Mark::Structure, opening)];
    let mut has_call = false;
    for piece in &answer.pieces {
        let (mark, delta) = match piece {
            Piece::Reasoning(text) if is_groq => (Mark::Reasoning, json!({"reasoning": text})),
            Piece::Reasoning(text) => (Mark::Reasoning, json!({"reasoning_content": text})),
            Piece::Text(text) => (Mark::Answer, json!({"content": text})),
            Piece::Refusal(text) => (Mark::Answer, json!({"refusal": text})),
            Piece::Tool(arguments) => (Mark::Answer, json!({"tool_calls": [call_delta(answer, arguments, has_call)]})),
        };
        has_call |= matches!(piece, Piece::Tool(_));
        events.push(Event::new(mark, chunk(delta, None)));
    }
    let mut last = chunk(json!({}), Some(finish(answer.finish)));
    if is_groq && let Some(counts) = &answer.counts {
        last["x_groq"] = json!({"id": format!("req_{}", answer.id), "usage": groq_usage(counts)});
        events.push(Event::new(Mark::Finish, last).and(Mark::Usage));
    } else {
        events.push(Event::new(Mark::Finish, last));
    }
    if answer.wants_usage
        && let Some(counts) = &answer.counts
    {
        let mut chunk = chunk(json!({}), None);
        chunk["choices"] = json!([]);
        chunk["usage"] = usage(counts);
        events.push(Event::new(Mark::Usage, chunk));
    }
    events.push(Event::new(Mark::End, "[DONE]"));
    events
}

pub(super) fn whole(answer: &Answer, is_groq: bool) -> Value {
    let mut message = json!({"role": "assistant", "content": answer.text(), "refusal": null});
    if answer.text().is_empty() {
        message["content"] = Value::Null;
    }
    if !answer.refusal().is_empty() {
        message["refusal"] = answer.refusal().into();
    }
    if !answer.reasoning().is_empty() {
        message[if is_groq { "reasoning" } else { "reasoning_content" }] = answer.reasoning().into();
    }
    if let Some(arguments) = answer.arguments() {
        message["tool_calls"] = json!([call(answer, &arguments)]);
    }
    let mut body = head(answer, "chat.completion");
    body["choices"] =
        json!([{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(answer.finish)}]);
    if let Some(counts) = &answer.counts {
        body["usage"] = if is_groq { groq_usage(counts) } else { usage(counts) };
    }
    if is_groq {
        body["x_groq"] = json!({"id": format!("req_{}", answer.id)});
    }
    body
}

/// The body of an error, which the other endpoints of OpenAI share.
pub(super) fn error(refusal: Refusal) -> Value {
    let (kind, code, message) = match refusal.status {
        401 => ("invalid_request_error", Some("invalid_api_key"), "Incorrect API key provided."),
        404 => ("invalid_request_error", Some("model_not_found"), "The model does not exist."),
        429 => ("requests", Some("rate_limit_exceeded"), "Rate limit reached for requests per minute."),
        status if status < 500 => ("invalid_request_error", None, "Invalid request."),
        503 => ("server_error", None, "The engine is currently overloaded, please try again later"),
        _ => ("server_error", None, "The server had an error while processing your request."),
    };
    let message = match refusal.retry_after {
        Some(seconds) => format!("{message} Please try again in {seconds}s."),
        None => message.into(),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

pub(super) fn error_event() -> Event {
    let error = json!({"message": "The server had an error while processing your request.", "type": "server_error",
        "param": null, "code": null});
    Event::new(Mark::Error, json!({"error": error}))
}

/// Counts as OpenAI writes them.
pub(super) fn usage(counts: &Counts) -> Value {
    json!({
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output,
        "total_tokens": counts.total(),
        "prompt_tokens_details": {"cached_tokens": counts.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": counts.reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    })
}

fn groq_usage(counts: &Counts) -> Value {
    let mut usage = json!({
        "prompt_tokens": counts.input, "completion_tokens": counts.output, "total_tokens": counts.total(),
        "queue_time": 0.001, "prompt_time": 0.002, "completion_time": 0.003, "total_time": 0.005,
    });
    if counts.cached > 0 {
        usage["prompt_tokens_details"] = json!({"cached_tokens": counts.cached});
    }
    if counts.reasoning > 0 {
        usage["completion_tokens_details"] = json!({"reasoning_tokens": counts.reasoning});
    }
    usage
}

fn chunk(answer: &Answer, delta: Value, finish: Option<&str>, is_groq: bool) -> Value {
    let mut chunk = head(answer, "chat.completion.chunk");
    chunk["choices"] = json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);
    if answer.wants_usage && !is_groq {
        chunk["usage"] = Value::Null;
    }
    chunk
}

fn head(answer: &Answer, object: &str) -> Value {
    json!({"id": format!("chatcmpl-{}", answer.id), "object": object, "created": answer.created, "model": answer.model,
        "service_tier": "default", "system_fingerprint": "fp_faults"})
}

fn call_delta(answer: &Answer, arguments: &str, has_begun: bool) -> Value {
    let mut delta = if has_begun { json!({"function": {"arguments": arguments}}) } else { call(answer, arguments) };
    delta["index"] = 0.into();
    delta
}

fn call(answer: &Answer, arguments: &str) -> Value {
    json!({"id": format!("call_{}", answer.id), "type": "function", "function": {"name": TOOL, "arguments": arguments}})
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Refusal | Finish::Stop => "stop",
        Finish::Tool => "tool_calls",
    }
}
