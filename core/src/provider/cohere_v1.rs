//! Version 1 of Cohere's API: chat, and the generation of text that came before it.
//!
//! Streams are lines of JSON or server-sent events. The last event repeats the answer. Bedrock passes the same events
//! and answers on.

use serde::{Deserialize, Serialize};

use super::cohere_chat::Usage;
use super::error::ErrorField;
use super::lenient::{Code, Count, Flag, List, Payload, Str, Text, kinds, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, Terminal, ToolCallDelta};

/// What one event has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct CohereV1 {
    /// Whether the plan for the tool calls has come in pieces.
    has_plan: bool,
    /// Whether tool calls have come in pieces.
    has_calls: bool,
}

impl CohereV1 {
    /// Reads one event, one whole answer or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        let mut event = Event::default();
        match json.fill(&mut event) {
            Some(()) => self.write(delta, &mut event, body),
            None => delta.decode_errors = 1,
        }
    }

    fn write<'a>(&mut self, delta: &mut Delta<'a>, event: &mut Event<'a>, body: bool) {
        delta.chunk = true;
        delta.response_id = event.generation_id.take();
        match Kind::of(&event.kind.bytes()) {
            Some(Kind::Start) => delta.choices.push(ChoiceDelta::default()),
            Some(Kind::Text) => event.add_piece(delta),
            Some(Kind::CallPiece) => self.add_call_piece(delta, event),
            Some(Kind::Calls) => self.add_calls(delta, event),
            Some(Kind::End) => event.add_end(delta),
            Some(Kind::Error) => delta.error = Some(event.take_error()),
            None if event.kind.is_empty() => event.add_unnamed(delta, body),
            // Search queries and results, citations, debug events.
            None => {}
        }
    }

    fn add_call_piece<'a>(&mut self, delta: &mut Delta<'a>, event: &mut Event<'a>) {
        let piece = &mut event.tool_call_delta;
        let plan = event.text.bytes + piece.text.bytes;
        delta.add_text(ContentKind::Reasoning, plan);
        self.has_plan |= plan > 0;
        let name = piece.name.take();
        if name.is_some() || piece.parameters.filled {
            self.has_calls = true;
            delta.add_visible(ContentKind::ToolCall, piece.parameters.bytes);
            let index = piece.index.index();
            delta.tool_calls.push(ToolCallDelta { choice: 0, index, id: None, name });
        }
    }

    /// Adds whole tool calls and the plan for them, as far as they have not come in pieces.
    fn add_calls<'a>(&mut self, delta: &mut Delta<'a>, event: &mut Event<'a>) {
        if !self.has_plan {
            delta.add_text(ContentKind::Reasoning, event.text.bytes);
        }
        if !self.has_calls {
            add_calls(delta, &mut event.tool_calls);
        }
    }
}

fn add_calls<'a>(delta: &mut Delta<'a>, calls: &mut List<ToolCall<'a>, 0>) {
    for (position, call) in calls.0.iter_mut().enumerate() {
        let name = call.name.take();
        if name.is_some() || call.parameters.filled {
            delta.add_visible(ContentKind::ToolCall, call.parameters.bytes);
            let index = u32::try_from(position).ok();
            delta.tool_calls.push(ToolCallDelta { choice: 0, index, id: None, name });
        }
    }
}

kinds! {
    enum Kind {
        CallPiece = "tool-calls-chunk",
        Calls = "tool-calls-generation",
        End = "stream-end",
        Error = "stream-error",
        Start = "stream-start",
        Text = "text-generation",
    }
}

object! {
    struct Event<'a> {
        "event_type" => kind: Str<'a>,
        "is_finished" => is_finished: Flag,
        "generation_id" => generation_id: Str<'a>,
        // Of generated text when there is more than one.
        "index" => index: Count,
        "text" => text: Text,
        "tool_call_delta" => tool_call_delta: CallPiece<'a>,
        "tool_calls" => tool_calls: List<ToolCall<'a>, 0>,
        "finish_reason" => finish_reason: Str<'a>,
        // Of the last event.
        "response" => response: Response<'a>,
        // Of a whole answer.
        "id" => id: Str<'a>,
        "generations" => generations: List<Generation<'a>, 0>,
        "meta" => meta: Usage,
        // Of an error.
        "message" | "err" => error_message: Str<'a>,
    }
}

object! {
    struct Response<'a> {
        "id" => id: Str<'a>,
        "generation_id" => generation_id: Str<'a>,
        "generations" => generations: List<Generation<'a>, 0>,
        "finish_reason" => finish_reason: Str<'a>,
        "meta" => meta: Usage,
    }
}

object! {
    struct CallPiece<'a> {
        "index" => index: Count,
        "name" => name: Str<'a>,
        "parameters" => parameters: Payload,
        "text" => text: Text,
    }
}

object! {
    struct ToolCall<'a> {
        "name" => name: Str<'a>,
        "parameters" => parameters: Payload,
    }
}

object! {
    struct Generation<'a> {
        "index" => index: Count,
        "text" => text: Text,
        "finish_reason" => finish_reason: Str<'a>,
    }
}

impl<'a> Event<'a> {
    fn add_piece(&mut self, delta: &mut Delta<'a>) {
        delta.add_text(ContentKind::Text, self.text.bytes);
        delta.choices.push(ChoiceDelta { index: self.index.index().unwrap_or(0), finish_reason: None });
    }

    /// Adds the end of a stream. What it repeats of the answer is no content.
    fn add_end(&mut self, delta: &mut Delta<'a>) {
        let response = &mut self.response;
        delta.response_id = delta.response_id.take().or_else(|| response.generation_id.take());
        delta.response_id = delta.response_id.take().or_else(|| response.id.take());
        // Generated text has the counts beside the response at Bedrock.
        delta.usage = response.meta.report().or_else(|| self.meta.report());
        let reason = if self.finish_reason.is_empty() { &mut response.finish_reason } else { &mut self.finish_reason };
        add_reasons(delta, reason, &mut response.generations);
    }

    /// Adds an event that has no name, or a whole answer.
    fn add_unnamed(&mut self, delta: &mut Delta<'a>, body: bool) {
        if self.is_finished.0 {
            self.add_end(delta);
        } else if !self.generations.0.is_empty() || delta.response_id.is_some() || self.meta.present {
            delta.whole = body;
            delta.response_id = delta.response_id.take().or_else(|| self.id.take());
            delta.usage = self.meta.report();
            delta.add_text(ContentKind::Text, self.text.bytes);
            for generation in &self.generations.0 {
                delta.add_text(ContentKind::Text, generation.text.bytes);
            }
            add_calls(delta, &mut self.tool_calls);
            add_reasons(delta, &mut self.finish_reason, &mut self.generations);
        } else if self.text.bytes == 0 && !self.error_message.is_empty() {
            delta.whole = body;
            delta.error = Some(self.take_error());
        } else {
            self.add_piece(delta);
        }
    }

    fn take_error(&mut self) -> ErrorDelta<'a> {
        ErrorField::of_parts(&mut Str::default(), &mut Code::default(), &mut self.error_message)
    }
}

/// Adds the reasons why the texts end, each its own or all the same.
///
/// `ERROR` reports a failure. `ERROR_TOXIC` and `ERROR_LIMIT` do not: they come with an answer that a filter took
/// exception to, or that the context of the model cut off.
fn add_reasons<'a>(delta: &mut Delta<'a>, reason: &mut Str<'a>, generations: &mut List<Generation<'a>, 0>) {
    for (position, generation) in generations.0.iter_mut().enumerate() {
        let index = generation.index.index().or_else(|| u32::try_from(position).ok()).unwrap_or(u32::MAX);
        let finish_reason = generation.finish_reason.take().or_else(|| reason.non_empty());
        delta.choices.push(ChoiceDelta { index, finish_reason });
    }
    if generations.0.is_empty() {
        delta.choices.push(ChoiceDelta { index: 0, finish_reason: reason.take() });
    }
    if delta.choices.iter().any(|choice| choice.finish_reason.as_deref() == Some("ERROR")) {
        delta.error.get_or_insert_default();
    } else {
        delta.terminal = Terminal::Yes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode<'a>(decoder: &mut CohereV1, json: &'a str) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json.as_bytes()), true);
        delta
    }

    #[test]
    fn calls_that_came_in_pieces_are_not_repeated() {
        let plan = r#"{"event_type":"tool-calls-chunk","text":"I look."}"#;
        let name = r#"{"event_type":"tool-calls-chunk","tool_call_delta":{"index":0,"name":"f"}}"#;
        let piece = r#"{"event_type":"tool-calls-chunk","tool_call_delta":{"index":0,"parameters":"{\"a\""}}"#;
        let whole = r#"{"event_type":"tool-calls-generation","text":"I look.","tool_calls":[{"name":"f","parameters":{"a":1}}]}"#;
        let mut decoder = CohereV1::default();
        let deltas = [plan, name, piece, whole].map(|json| decode(&mut decoder, json));
        assert_eq!(deltas.each_ref().map(|delta| delta.visible.is_empty()), [false, false, false, true]);
        assert_eq!((deltas[0].bytes[1], deltas[2].bytes[2], deltas[3].tool_calls.len()), (7, 4, 0));
        let delta = decode(&mut CohereV1::default(), whole);
        assert_eq!((delta.bytes[1], delta.tool_calls.len()), (7, 1));
        assert!(delta.visible.contains(ContentKind::ToolCall) && !delta.whole);
    }

    #[test]
    fn the_end_of_a_stream_repeats_and_counts() {
        let json = r#"{"event_type":"stream-end","is_finished":true,"finish_reason":"MAX_TOKENS","response":{"text":"Hello","generation_id":"g","meta":{"billed_units":{"input_tokens":3,"output_tokens":2},"tokens":{"input_tokens":60}}}}"#;
        let delta = decode(&mut CohereV1::default(), json);
        assert!(delta.visible.is_empty() && delta.terminal == Terminal::Yes && !delta.whole);
        assert_eq!(delta.response_id.as_deref(), Some("g"));
        let usage = delta.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(60), Some(2)));
    }

    #[test]
    fn generated_text_has_events_without_names() {
        let mut decoder = CohereV1::default();
        let delta = decode(&mut decoder, r#"{"index":1,"text":" a","is_finished":false}"#);
        assert_eq!((delta.bytes[0], delta.choices[0].index, delta.terminal), (2, 1, Terminal::No));
        let end = r#"{"is_finished":true,"finish_reason":"COMPLETE","response":{"id":"r","generations":[{"text":"b"},{"text":" a"}]}}"#;
        let delta = decode(&mut decoder, end);
        assert!(delta.visible.is_empty() && delta.terminal == Terminal::Yes);
        assert_eq!(delta.response_id.as_deref(), Some("r"));
        assert!(delta.choices.iter().all(|choice| choice.finish_reason.as_deref() == Some("COMPLETE")));
        let whole =
            decode(&mut decoder, r#"{"id":"r","generations":[{"id":"a","text":"abc","finish_reason":"COMPLETE"}]}"#);
        assert!(whole.whole && whole.terminal == Terminal::Yes && whole.bytes[0] == 3);
    }

    #[test]
    fn only_one_of_the_errors_is_a_failure() {
        let end = |reason: &str| {
            let json = alloc::format!(r#"{{"event_type":"stream-end","finish_reason":"{reason}"}}"#);
            decode(&mut CohereV1::default(), &json).error.is_some()
        };
        assert!(end("ERROR") && !end("ERROR_TOXIC") && !end("ERROR_LIMIT") && !end("USER_CANCEL"));
        let error = decode(&mut CohereV1::default(), r#"{"message":"too many tokens"}"#).error.unwrap();
        assert_eq!(error.message.as_deref(), Some("too many tokens"));
    }
}
