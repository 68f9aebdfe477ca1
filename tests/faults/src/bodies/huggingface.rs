//! Text generation of Hugging Face (TGI).

use serde_json::{Value, json};

use super::{
    Event, Refusal,
    answer::{Answer, Finish, Piece},
};
use crate::schedule::Mark;

pub(super) fn events(answer: &Answer) -> Vec<Event> {
    let texts: Vec<&String> = answer
        .pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Refusal(text) | Piece::Text(text) => Some(text),
            Piece::Reasoning(_) | Piece::Tool(_) => None,
        })
        .collect();
    let mut events: Vec<Event> =
        (1_u32..).zip(&texts).map(|(index, text)| Event::new(Mark::Answer, event(index, text, false))).collect();
    let index = u32::try_from(texts.len() + 1).unwrap_or(u32::MAX);
    let mut last = event(index, "</s>", true);
    last["generated_text"] = (answer.text() + &answer.refusal()).into();
    if let Some(counts) = &answer.counts {
        last["details"] = json!({"finish_reason": finish(answer.finish), "generated_tokens": counts.output,
            "input_length": counts.input, "seed": null});
    }
    events.push(Event::new(Mark::End, last).and(Mark::Finish).and(Mark::Usage));
    events
}

pub(super) fn whole(answer: &Answer) -> Value {
    let mut body = json!({"generated_text": answer.text() + &answer.refusal()});
    if let Some(counts) = &answer.counts {
        let prefill: Vec<Value> =
            (0..counts.input.max(0)).map(|id| json!({"id": id, "text": "a", "logprob": null})).collect();
        body["details"] = json!({"finish_reason": finish(answer.finish), "generated_tokens": counts.output,
            "seed": null, "prefill": prefill, "tokens": []});
    }
    body
}

pub(super) fn error(refusal: Refusal) -> Value {
    match refusal.status {
        401 => json!({"error": "Authorization header is invalid"}),
        404 => json!({"error": "Model not found"}),
        429 => json!({"error": "Model is overloaded", "error_type": "overloaded"}),
        status if status < 500 => json!({"error": "Input validation error", "error_type": "validation"}),
        503 => json!({"error": "Model is currently loading", "estimated_time": refusal.retry_after.unwrap_or(20.0)}),
        _ => json!({"error": "Request failed during generation", "error_type": "generation"}),
    }
}

pub(super) fn error_event() -> Event {
    Event::new(Mark::Error, json!({"error": "Request failed during generation", "error_type": "generation"}))
}

fn event(index: u32, text: &str, is_special: bool) -> Value {
    json!({
        "index": index,
        "token": {"id": 100 + index, "text": text, "logprob": -0.5, "special": is_special},
        "generated_text": null,
        "details": null,
    })
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Refusal | Finish::Stop | Finish::Tool => "eos_token",
    }
}
