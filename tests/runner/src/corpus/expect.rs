//! What is expected of a case, and how a record compares with it.

use llmspan_core::{
    provider::Protocol,
    record::{Outcome, Record},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Case, Kind};

/// One line of `expected.jsonl`. Facts that the line does not give are not compared.
#[derive(Debug, Deserialize)]
pub(super) struct Expected {
    pub(super) id: String,
    #[serde(default)]
    ambiguous: Vec<String>,
    #[serde(flatten)]
    facts: Map<String, Value>,
}

impl Expected {
    /// Compares the record of a case that was fed event by event; differences are added to `out`.
    pub(super) fn compare(
        &self,
        case: &Case,
        protocol: Protocol,
        record: &Record,
        event_count: usize,
        out: &mut Vec<String>,
    ) {
        let mut got = self.facts_of(record);
        if case.kind == Kind::Stream {
            got.insert(String::from("total_events"), json!(event_count));
        }
        for (name, got) in &got {
            let Some(expected) = self.facts.get(name) else { continue };
            if self.is_scored(name) {
                compare_fact(name, expected, got, out);
            }
        }
        if self.is_scored("error") {
            self.compare_end(case, protocol, record, out);
        }
    }

    /// The facts of the corpus, as the record states them.
    fn facts_of(&self, record: &Record) -> Map<String, Value> {
        let usage = record.usage.clone().unwrap_or_default();
        let content = record.content.clone().unwrap_or_default();
        let raw = &usage.raw;
        let facts = json!({
            "response_model": record.response_model,
            "response_id": record.response_id,
            "finish_reasons": record.finish_reasons,
            "tokens": {
                "input": raw.input,
                "output": raw.output,
                "cache_read": raw.cache_read,
                "cache_creation": raw.cache_write,
                "reasoning": raw.reasoning,
                "total": raw.total,
                "tool_use_prompt": raw.tool_use_prompt,
                "billed_input": raw.billed_input,
                "billed_output": raw.billed_output,
            },
            "normalized": {
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "cache_read_input_tokens": usage.cache_read_tokens,
                "cache_creation_input_tokens": usage.cache_write_tokens,
                "reasoning_output_tokens": usage.reasoning_tokens,
            },
            "tool_calls": record.tool_call_count,
            "server_tool_calls": record.server_tool_call_count,
            "first_content_index": record.marks.first_content_ns.map(|at| at.as_nanos().saturating_sub(1)),
            "content_chunks": content.visible_chunks,
            "total_chunks": self.payloads(record),
            "bad_chunks": record.diagnostics.decode_errors,
            "block_reason": record.flags.block_reason,
            "incomplete_reason": record.flags.incomplete_reason,
        });
        match facts {
            Value::Object(facts) => facts,
            _ => Map::new(),
        }
    }

    /// Payloads that are JSON: the record keeps pings apart, together with comments, and what came behind an error.
    fn payloads(&self, record: &Record) -> u64 {
        let comments = self.facts.get("sse").and_then(|sse| sse.get("comments")).and_then(Value::as_u64).unwrap_or(0);
        let keep_alives = record.keep_alives.as_ref().map_or(0, |keep_alives| keep_alives.count);
        let chunks = record.content.as_ref().map_or(0, |content| content.chunks);
        chunks + keep_alives.saturating_sub(comments) + record.diagnostics.late_events
    }

    /// Compares the outcome and the error.
    fn compare_end(&self, case: &Case, protocol: Protocol, record: &Record, out: &mut Vec<String>) {
        let stated = ["stream_error", "error"].into_iter().find_map(|key| self.facts.get(key)?.as_object());
        let Some(outcome) = self.outcome(case, protocol, stated.is_some()) else { return };
        if record.outcome != outcome {
            out.push(format!(
                "outcome: expected {}, got {} ({})",
                outcome.as_str(),
                record.outcome.as_str(),
                record.error.as_ref().map_or("no error", |error| &error.error_type)
            ));
            return;
        }
        match (&record.error, stated) {
            (Some(got), Some(stated)) => {
                let of_header = self.facts.get("error_type_header").and_then(Value::as_str);
                let expected = StatedError::new(stated, case.http_status, of_header);
                compare_fact("error.type", &json!(expected.error_type), &json!(got.error_type), out);
                compare_fact("error.status_code", &json!(expected.status_code), &json!(got.status_code), out);
                if !is_same_message(expected.message, got.message.as_deref()) {
                    out.push(format!("error.message: expected {:?}, got {:?}", expected.message, got.message));
                }
            }
            // Cut, or finished with the reason `error`: nothing in the stream names the class of that error.
            (Some(got), None) if case.kind == Kind::Stream && !self.finished_with_error() => {
                compare_fact("error.type", &json!("stream_truncated"), &json!(got.error_type), out);
            }
            _ => {}
        }
    }

    /// How the call should have ended; `None` where the corpus does not tell.
    fn outcome(&self, case: &Case, protocol: Protocol, has_error: bool) -> Option<Outcome> {
        if has_error || case.kind == Kind::Error {
            return Some(Outcome::Error);
        }
        if case.kind == Kind::Json {
            return (!self.finished_with_error()).then_some(Outcome::Success);
        }
        let is_clean = self.facts.get("ended_cleanly")?.as_bool()?;
        if self.finished_with_error() {
            return Some(Outcome::Error);
        }
        let choices = self.facts.get("choices").and_then(Value::as_u64).unwrap_or(0);
        let finished = self.finish_reasons().count() as u64;
        match protocol {
            _ if is_clean => Some(Outcome::Success),
            // Only a stream that the end marker of these closes is complete.
            Protocol::AnthropicMessages | Protocol::OpenAiResponses => Some(Outcome::Error),
            // Servers leave `[DONE]` out: a finish reason of every choice is enough.
            Protocol::OpenAiChat | Protocol::OpenAiCompletions | Protocol::MistralChat => {
                Some(if finished > 0 && finished >= choices { Outcome::Success } else { Outcome::Error })
            }
            _ if finished == 0 => Some(Outcome::Error),
            _ => None,
        }
    }

    fn finish_reasons(&self) -> impl Iterator<Item = &Value> {
        self.facts.get("finish_reasons").and_then(Value::as_array).into_iter().flatten()
    }

    fn finished_with_error(&self) -> bool {
        self.finish_reasons().any(|reason| matches!(reason.as_str(), Some("error" | "failed")))
    }

    /// Whether no reason in `ambiguous` concerns the fact.
    fn is_scored(&self, name: &str) -> bool {
        !self.ambiguous.iter().any(|reason| {
            let reason = reason.to_ascii_lowercase();
            CONCERNS
                .iter()
                .any(|(words, facts)| facts.contains(&name) && words.iter().any(|word| reason.contains(word)))
        })
    }
}

/// Which facts a reason for ambiguity concerns, by the words in it.
const CONCERNS: &[(&[&str], &[&str])] = &[
    (&["not json"], &["bad_chunks", "total_chunks", "error"]),
    (&["finish"], &["finish_reasons"]),
    (&["tool", "function"], &["tool_calls", "server_tool_calls"]),
    (&["response id", "response.id", "message id"], &["response_id"]),
    (&["model"], &["response_model"]),
    (&["usage", "token"], &["tokens", "normalized"]),
    (&["content", "compaction", "text", "snapshot", "item"], &["content_chunks", "first_content_index"]),
    (&["willcontinue", "argument"], &["tool_calls", "content_chunks", "first_content_index"]),
    (&["error", "end marker", "terminal", "truncat"], &["error"]),
];

/// An error as the corpus states it.
struct StatedError<'a> {
    error_type: String,
    status_code: Option<u64>,
    message: Option<&'a str>,
}

impl<'a> StatedError<'a> {
    /// The class is the provider's type, else its code if that is a word, else that of the headers, else the status; a code that is a number is the
    /// status, before that of the response.
    fn new(stated: &'a Map<String, Value>, http_status: Option<u16>, of_header: Option<&str>) -> Self {
        let text = |key: &str| stated.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let code = stated.get("code");
        let number = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
        let status_code = number
            .filter(|code| (100..600).contains(code))
            .or_else(|| http_status.filter(|status| *status >= 400).map(u64::from));
        let word = text("code").filter(|code| code.parse::<u64>().is_err());
        let error_type = text("type")
            .or(word)
            .or(of_header)
            .map(String::from)
            .or_else(|| status_code.map(|status| status.to_string()))
            .unwrap_or_else(|| String::from("_OTHER"));
        Self { error_type, status_code, message: text("message") }
    }
}

/// Whether the record's message is the stated one. The corpus keeps the first characters only; the record cleans messages:
/// white space becomes blanks, control characters go, and a credential becomes `***`.
fn is_same_message(stated: Option<&str>, got: Option<&str>) -> bool {
    let stated = stated.unwrap_or_default();
    let is_cut = stated.chars().count() >= STATED_MESSAGE_CHARS;
    let plain: String =
        stated.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()).collect();
    let got = got.unwrap_or_default();
    if !got.contains("***") {
        return if is_cut { got.starts_with(&plain) } else { got == plain };
    }
    let mut rest = plain.as_str();
    got.split("***").all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        // The stated text may end before this piece does.
        None => is_cut && (rest.is_empty() || piece.starts_with(rest) || rest.len() < piece.len()),
    })
}

const STATED_MESSAGE_CHARS: usize = 300;

/// Compares one fact. Of an object each key that is expected is compared, but notes for people.
fn compare_fact(name: &str, expected: &Value, got: &Value, out: &mut Vec<String>) {
    match expected {
        Value::Object(expected) => {
            for (key, expected) in expected.iter().filter(|(key, _)| *key != "note") {
                match got.get(key) {
                    Some(got) => compare_fact(&format!("{name}.{key}"), expected, got, out),
                    None => out.push(format!("{name}.{key}: this runner knows no such fact")),
                }
            }
        }
        // Some recordings carry the numbers of an enum in place of its words.
        Value::Array(expected) => {
            let expected: Vec<String> = expected.iter().map(text_of).collect();
            let got: Vec<String> = got.as_array().into_iter().flatten().map(text_of).collect();
            if expected != got {
                out.push(format!("{name}: expected {expected:?}, got {got:?}"));
            }
        }
        _ if expected != got => out.push(format!("{name}: expected {expected}, got {got}")),
        _ => {}
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}
