//! Interactions of Gemini: steps with deltas.

use serde_json::{Value, json};

use super::{
    Event,
    answer::{Answer, Counts, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let id = id(answer);
    let mut events = vec![
        event("interaction.created", Mark::Structure, json!({"interaction": head(answer, "in_progress")})),
        event("interaction.status_update", Mark::Structure, json!({"interaction_id": id, "status": "in_progress"})),
    ];
    let mut pieces = answer.pieces.iter().peekable();
    let mut index = 0;
    while let Some(first) = pieces.peek().copied() {
        let kind = Step::of(first);
        let mark = if kind == Step::Call { Mark::Answer } else { Mark::Structure };
        events.push(event("step.start", mark, json!({"index": index, "step": kind.start(answer)})));
        while let Some(piece) = pieces.next_if(|piece| Step::of(piece) == kind) {
            let (mark, delta) = match piece {
                Piece::Reasoning(text) => {
                    let content = json!({"type": "text", "text": text});
                    (Mark::Reasoning, json!({"type": "thought_summary", "content": content}))
                }
                Piece::Refusal(text) | Piece::Text(text) => (Mark::Answer, json!({"type": "text", "text": text})),
                Piece::Tool(json) => (Mark::Answer, json!({"type": "arguments_delta", "arguments": json})),
            };
            events.push(event("step.delta", mark, json!({"index": index, "delta": delta})));
        }
        if kind == Step::Thought {
            let delta = json!({"type": "thought_signature", "signature": "ZmF1bHRz"});
            events.push(event("step.delta", Mark::Structure, json!({"index": index, "delta": delta})));
        }
        events.push(event("step.stop", Mark::Structure, json!({"index": index})));
        index += 1;
    }
    let mut done = head(answer, finish(answer.finish));
    if let Some(counts) = &answer.counts {
        done["usage"] = usage(counts);
    }
    events.push(event("interaction.completed", Mark::End, json!({"interaction": done})).and(Mark::Usage));
    events.push(Event::named("done", Mark::End, "[DONE]"));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let mut steps = Vec::new();
    if !answer.reasoning().is_empty() {
        let summary = json!([{"type": "text", "text": answer.reasoning()}]);
        steps.push(json!({"type": "thought", "signature": "ZmF1bHRz", "summary": summary}));
    }
    let text = answer.text() + &answer.refusal();
    if !text.is_empty() {
        steps.push(json!({"type": "model_output", "content": [{"type": "text", "text": text}]}));
    }
    if let Some(arguments) = answer.arguments_object() {
        let mut call = Step::Call.start(answer);
        call["arguments"] = arguments;
        steps.push(call);
    }
    let mut body = head(answer, finish(answer.finish));
    body["steps"] = steps.into();
    if let Some(counts) = &answer.counts {
        body["usage"] = usage(counts);
    }
    body
}

pub(super) fn error_event() -> Event {
    event("error", Mark::Error, json!({"error": {"code": "gateway_timeout", "message": "Deadline expired."}}))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Step {
    Call,
    Output,
    Thought,
}

impl Step {
    const fn of(piece: &Piece) -> Self {
        match piece {
            Piece::Reasoning(_) => Self::Thought,
            Piece::Refusal(_) | Piece::Text(_) => Self::Output,
            Piece::Tool(_) => Self::Call,
        }
    }

    fn start(self, answer: &Answer) -> Value {
        match self {
            Self::Call => {
                json!({"type": "function_call", "id": format!("fc_{}", answer.id), "name": TOOL, "arguments": {}})
            }
            Self::Output => json!({"type": "model_output"}),
            Self::Thought => json!({"type": "thought"}),
        }
    }
}

fn id(answer: &Answer) -> String {
    format!("v1_{}", answer.id)
}

fn head(answer: &Answer, status: &str) -> Value {
    json!({"id": id(answer), "status": status, "object": "interaction", "model": answer.model})
}

fn event(name: &'static str, mark: Mark, mut data: Value) -> Event {
    data["event_type"] = name.into();
    Event::named(name, mark, data)
}

/// The output is without the thoughts.
fn usage(counts: &Counts) -> Value {
    json!({
        "total_input_tokens": counts.input,
        "total_cached_tokens": counts.cached,
        "total_output_tokens": counts.answer_output(),
        "total_thought_tokens": counts.reasoning,
        "total_tool_use_tokens": 0,
        "total_tokens": counts.total(),
    })
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "incomplete",
        Finish::Refusal | Finish::Stop => "completed",
        Finish::Tool => "requires_action",
    }
}
