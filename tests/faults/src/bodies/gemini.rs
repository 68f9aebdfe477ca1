//! `generateContent` of Gemini, at AI Studio and Vertex.

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Counts, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let mut events = Vec::new();
    for piece in answer.with_whole_call() {
        let mark = if matches!(piece, Piece::Reasoning(_)) { Mark::Reasoning } else { Mark::Answer };
        let part = part(answer, &piece);
        events.push(Event::new(mark, response(answer, json!([part]), None)));
    }
    let last = response(answer, json!([{"text": ""}]), Some(finish(answer.finish)));
    events.push(Event::new(Mark::Finish, last).and(Mark::Usage));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let mut parts = Vec::new();
    if !answer.reasoning().is_empty() {
        parts.push(json!({"text": answer.reasoning(), "thought": true}));
    }
    let text = answer.text() + &answer.refusal();
    if !text.is_empty() {
        parts.push(json!({"text": text}));
    }
    if let Some(arguments) = answer.arguments() {
        parts.push(part(answer, &Piece::Tool(arguments)));
    }
    response(answer, parts.into(), Some(finish(answer.finish)))
}

pub(super) fn error(refusal: Refusal) -> Value {
    let (word, message) = match refusal.status {
        400 | 422 => ("INVALID_ARGUMENT", "Request contains an invalid argument."),
        401 => ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
        403 => ("PERMISSION_DENIED", "The caller does not have permission."),
        404 => ("NOT_FOUND", "The model is not found for API version v1beta."),
        429 => ("RESOURCE_EXHAUSTED", "You exceeded your current quota."),
        503 => ("UNAVAILABLE", "The model is overloaded. Please try again later."),
        504 => ("DEADLINE_EXCEEDED", "The service did not finish in time."),
        status if status < 500 => ("FAILED_PRECONDITION", "The request cannot be served."),
        _ => ("INTERNAL", "An internal error has occurred."),
    };
    let mut error = json!({"code": refusal.status, "message": message, "status": word});
    if let Some(seconds) = refusal.retry_after {
        error["message"] = format!("{message} Please retry in {seconds}s.").into();
        error["details"] =
            json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s")}]);
    }
    json!({"error": error})
}

pub(super) fn error_event() -> Event {
    Event::new(Mark::Error, error(Refusal { status: 503, retry_after: None }))
}

fn response(answer: &Answer, parts: Value, finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    let mut response =
        json!({"candidates": [candidate], "modelVersion": answer.model, "responseId": format!("g-{}", answer.id)});
    if let Some(counts) = &answer.counts {
        response["usageMetadata"] = usage(counts);
    }
    response
}

/// The counts so far. Candidates are without the thoughts, the prompt is with what the cache held.
fn usage(counts: &Counts) -> Value {
    let mut usage = json!({
        "promptTokenCount": counts.input,
        "candidatesTokenCount": counts.answer_output(),
        "totalTokenCount": counts.total(),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": counts.input}],
    });
    if counts.reasoning > 0 {
        usage["thoughtsTokenCount"] = counts.reasoning.into();
    }
    if counts.cached > 0 {
        usage["cachedContentTokenCount"] = counts.cached.into();
    }
    usage
}

fn part(answer: &Answer, piece: &Piece) -> Value {
    match piece {
        Piece::Reasoning(text) => json!({"text": text, "thought": true}),
        Piece::Refusal(text) | Piece::Text(text) => json!({"text": text}),
        Piece::Tool(arguments) => {
            let args: Value = serde_json::from_str(arguments).unwrap_or_default();
            json!({"functionCall": {"id": format!("fc-{}", answer.id), "name": TOOL, "args": args}})
        }
    }
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "MAX_TOKENS",
        Finish::Refusal => "SAFETY",
        Finish::Stop | Finish::Tool => "STOP",
    }
}
