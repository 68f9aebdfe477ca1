//! The older Completions of OpenAI: bare text.

use serde_json::{Value, json};

use super::{
    Event,
    answer::{Answer, Finish, Piece},
    openai_chat::usage,
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let chunk = |text: &str, finish: Option<&str>| {
        let mut chunk = head(answer);
        chunk["choices"] = json!([{"index": 0, "text": text, "logprobs": null, "finish_reason": finish}]);
        chunk
    };
    let mut events: Vec<Event> = answer
        .pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Refusal(text) | Piece::Text(text) => Some(Event::new(Mark::Answer, chunk(text, None))),
            Piece::Reasoning(_) | Piece::Tool(_) => None,
        })
        .collect();
    events.push(Event::new(Mark::Finish, chunk("", Some(finish(answer.finish)))));
    if answer.wants_usage
        && let Some(counts) = &answer.counts
    {
        let mut last = head(answer);
        last["choices"] = json!([]);
        last["usage"] = usage(counts);
        events.push(Event::new(Mark::Usage, last));
    }
    events.push(Event::new(Mark::End, "[DONE]"));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let text = answer.text() + &answer.refusal();
    let mut body = head(answer);
    body["choices"] = json!([{"index": 0, "text": text, "logprobs": null, "finish_reason": finish(answer.finish)}]);
    if let Some(counts) = &answer.counts {
        body["usage"] = usage(counts);
    }
    body
}

fn head(answer: &Answer) -> Value {
    json!({"id": format!("cmpl-{}", answer.id), "object": "text_completion", "created": answer.created,
        "model": answer.model})
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Refusal | Finish::Stop | Finish::Tool => "stop",
    }
}
