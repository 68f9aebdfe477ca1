//! Responses of OpenAI: typed events with sequence numbers.

use serde_json::{Value, json};

use super::{
    Event,
    answer::{Answer, Counts, Finish, Piece, TOOL},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let mut stream = Stream::opened(answer);
    let mut pieces = answer.pieces.iter().peekable();
    let mut output_index = 0;
    while let Some(first) = pieces.peek().copied() {
        let kind = Kind::of(first);
        let item = Item { id: kind.item_id(answer), kind, output_index };
        stream.push(
            "response.output_item.added",
            item.start_mark(),
            json!({"output_index": output_index, "item": item.json(answer, "", "in_progress")}),
        );
        item.open_part(&mut stream);
        let mut text = String::new();
        while let Some(piece) = pieces.next_if(|piece| Kind::of(piece) == kind) {
            let (delta, mark) = match piece {
                Piece::Reasoning(text) => (text, Mark::Reasoning),
                Piece::Refusal(text) | Piece::Text(text) | Piece::Tool(text) => (text, Mark::Answer),
            };
            text += delta;
            stream.push(kind.delta_event(), mark, item.located(json!({"delta": delta})));
        }
        item.close_part(&mut stream, &text);
        stream.push(
            "response.output_item.done",
            Mark::Structure,
            json!({"output_index": output_index, "item": item.json(answer, &text, "completed")}),
        );
        output_index += 1;
    }
    let (name, status) = terminal(answer.finish);
    stream.push(name, Mark::End, json!({"response": response(answer, status)}));
    if let Some(last) = stream.events.last_mut() {
        last.marks.push(Mark::Usage);
    }
    stream.events
}

pub(super) fn whole(answer: &Answer) -> Value {
    response(answer, terminal(answer.finish).1)
}

/// An error event, and the response that failed.
pub(super) fn error_events(answer: &Answer) -> Vec<Event> {
    let mut failed = response(answer, "failed");
    failed["error"] = json!({"code": "server_error", "message": "The model produced invalid content."});
    failed["output"] = json!([]);
    failed["usage"] = Value::Null;
    let error = json!({"type": "error", "code": "server_error", "message": "The model produced invalid content.",
        "param": null, "sequence_number": 90});
    let failed = json!({"type": "response.failed", "response": failed, "sequence_number": 91});
    vec![Event::named("error", Mark::Error, error), Event::named("response.failed", Mark::Error, failed)]
}

/// The events so far.
struct Stream {
    events: Vec<Event>,
}

impl Stream {
    fn opened(answer: &Answer) -> Self {
        let mut stream = Self { events: Vec::new() };
        for name in ["response.created", "response.in_progress"] {
            stream.push(name, Mark::Structure, json!({"response": response(answer, "in_progress")}));
        }
        stream
    }

    fn push(&mut self, name: &'static str, mark: Mark, mut data: Value) {
        data["type"] = name.into();
        data["sequence_number"] = self.events.len().into();
        self.events.push(Event::named(name, mark, data));
    }
}

/// What an output item holds.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Call,
    Reasoning,
    Refusal,
    Text,
}

impl Kind {
    const fn of(piece: &Piece) -> Self {
        match piece {
            Piece::Reasoning(_) => Self::Reasoning,
            Piece::Refusal(_) => Self::Refusal,
            Piece::Text(_) => Self::Text,
            Piece::Tool(_) => Self::Call,
        }
    }

    fn item_id(self, answer: &Answer) -> String {
        let prefix = match self {
            Self::Call => "fc",
            Self::Reasoning => "rs",
            Self::Refusal | Self::Text => "msg",
        };
        format!("{prefix}_{}", answer.id)
    }

    const fn delta_event(self) -> &'static str {
        match self {
            Self::Call => "response.function_call_arguments.delta",
            Self::Reasoning => "response.reasoning_summary_text.delta",
            Self::Refusal => "response.refusal.delta",
            Self::Text => "response.output_text.delta",
        }
    }
}

struct Item {
    id: String,
    kind: Kind,
    output_index: usize,
}

impl Item {
    /// The start of a call shows that there is one.
    const fn start_mark(&self) -> Mark {
        if matches!(self.kind, Kind::Call) { Mark::Answer } else { Mark::Structure }
    }

    fn json(&self, answer: &Answer, text: &str, status: &str) -> Value {
        match self.kind {
            Kind::Call => json!({"id": self.id, "type": "function_call", "status": status, "arguments": text,
                "call_id": format!("call_{}", answer.id), "name": TOOL}),
            Kind::Reasoning => {
                let summary = if text.is_empty() { json!([]) } else { json!([self.part(text)]) };
                json!({"id": self.id, "type": "reasoning", "summary": summary})
            }
            Kind::Refusal | Kind::Text => {
                let content = if text.is_empty() { json!([]) } else { json!([self.part(text)]) };
                json!({"id": self.id, "type": "message", "status": status, "role": "assistant", "content": content})
            }
        }
    }

    fn part(&self, text: &str) -> Value {
        match self.kind {
            Kind::Reasoning => json!({"type": "summary_text", "text": text}),
            Kind::Refusal => json!({"type": "refusal", "refusal": text}),
            Kind::Call | Kind::Text => json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text}),
        }
    }

    /// Adds where the item is to the fields of an event.
    fn located(&self, mut fields: Value) -> Value {
        fields["item_id"] = self.id.as_str().into();
        fields["output_index"] = self.output_index.into();
        match self.kind {
            Kind::Call => {}
            Kind::Reasoning => fields["summary_index"] = 0.into(),
            Kind::Refusal => fields["content_index"] = 0.into(),
            Kind::Text => {
                fields["content_index"] = 0.into();
                fields["logprobs"] = json!([]);
            }
        }
        fields
    }

    fn open_part(&self, stream: &mut Stream) {
        let name = match self.kind {
            Kind::Call => return,
            Kind::Reasoning => "response.reasoning_summary_part.added",
            Kind::Refusal | Kind::Text => "response.content_part.added",
        };
        stream.push(name, Mark::Structure, self.located(json!({"part": self.part("")})));
    }

    fn close_part(&self, stream: &mut Stream, text: &str) {
        let (text_done, field, part_done) = match self.kind {
            Kind::Call => ("response.function_call_arguments.done", "arguments", None),
            Kind::Reasoning => {
                ("response.reasoning_summary_text.done", "text", Some("response.reasoning_summary_part.done"))
            }
            Kind::Refusal => ("response.refusal.done", "refusal", Some("response.content_part.done")),
            Kind::Text => ("response.output_text.done", "text", Some("response.content_part.done")),
        };
        let mut done = self.located(json!({field: text}));
        if self.kind == Kind::Call {
            done["name"] = TOOL.into();
        }
        stream.push(text_done, Mark::Structure, done);
        if let Some(name) = part_done {
            stream.push(name, Mark::Structure, self.located(json!({"part": self.part(text)})));
        }
    }
}

const fn terminal(finish: Finish) -> (&'static str, &'static str) {
    match finish {
        Finish::Length => ("response.incomplete", "incomplete"),
        Finish::Refusal | Finish::Stop | Finish::Tool => ("response.completed", "completed"),
    }
}

/// The response object, with output and counts once it has ended.
fn response(answer: &Answer, status: &str) -> Value {
    let has_ended = matches!(status, "completed" | "incomplete");
    let usage = answer.counts.as_ref().filter(|_| has_ended).map(usage);
    let incomplete = (status == "incomplete").then(|| json!({"reason": "max_output_tokens"}));
    json!({
        "id": format!("resp_{}", answer.id),
        "object": "response",
        "created_at": answer.created,
        "status": status,
        "background": false,
        "error": null,
        "incomplete_details": incomplete,
        "instructions": null,
        "max_output_tokens": null,
        "metadata": {},
        "model": answer.model,
        "output": if has_ended { output(answer) } else { json!([]) },
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null},
        "service_tier": "default",
        "store": true,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "user": null,
    })
}

fn output(answer: &Answer) -> Value {
    let texts = [
        (Kind::Reasoning, Some(answer.reasoning()).filter(|text| !text.is_empty())),
        (Kind::Text, Some(answer.text()).filter(|text| !text.is_empty())),
        (Kind::Refusal, Some(answer.refusal()).filter(|text| !text.is_empty())),
        (Kind::Call, answer.arguments()),
    ];
    let items = texts.into_iter().filter_map(|(kind, text)| {
        let item = Item { id: kind.item_id(answer), kind, output_index: 0 };
        Some(item.json(answer, &text?, "completed"))
    });
    items.collect()
}

fn usage(counts: &Counts) -> Value {
    json!({
        "input_tokens": counts.input,
        "input_tokens_details": {"cached_tokens": counts.cached},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.total(),
    })
}
