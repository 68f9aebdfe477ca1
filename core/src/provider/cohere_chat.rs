//! `cohere.chat`: Cohere's chat API. This is version 2; version 1 is told by its first event and read apart.

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Basis, Counted, Tally};
use super::cohere_v1::CohereV1;
use super::error::ErrorField;
use super::lenient::{Code, Count, Flag, List, Payload, Str, Text, kinds, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one event has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct CohereChat {
    /// Once an event is of version 1.
    version_1: Option<CohereV1>,
}

impl CohereChat {
    /// Reads one event, one whole answer or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        if let Some(version_1) = &mut self.version_1 {
            return version_1.decode(delta, json, body);
        }
        let mut event = Event::default();
        if json.fill(&mut event).is_none() {
            delta.decode_errors = 1;
        } else if event.is_of_version_1() {
            self.version_1.insert(CohereV1::default()).decode(delta, json, body);
        } else {
            write(delta, &mut event, json, body);
        }
    }
}

fn write<'a>(delta: &mut Delta<'a>, event: &mut Event<'a>, json: Input<'a>, body: bool) {
    delta.chunk = true;
    match Kind::of(&event.kind.bytes()) {
        Some(Kind::Start) => {
            delta.response_id = event.id.take();
            delta.choices.push(ChoiceDelta::default());
        }
        Some(Kind::Content) => {
            event.delta.message.add_to(delta, event.index.index());
        }
        Some(Kind::End) => {
            add_end(delta, &event.delta.usage, &mut event.delta.finish_reason, &mut event.delta.error);
        }
        None if event.kind.is_empty() => whole(delta, json, event, body),
        // Ends of content, citations, debug events.
        None => {}
    }
}

kinds! {
    enum Kind {
        Content = "content-delta" | "content-start" | "tool-plan-delta" | "tool-call-start" | "tool-call-delta",
        End = "message-end",
        Start = "message-start",
    }
}

/// Reads an answer that does not stream. An error body has only a message, and maybe the id of the request.
fn whole<'a>(delta: &mut Delta<'a>, json: Input<'a>, event: &mut Event<'a>, body: bool) {
    let mut error = ErrorBody::default();
    if event.message.present || !event.finish_reason.is_empty() {
        delta.whole = true;
        delta.response_id = event.id.take();
        event.message.add_to(delta, None);
        add_end(delta, &event.usage, &mut event.finish_reason, &mut ErrorField::default());
    } else if json.fill(&mut error).is_some() && !error.message.is_empty() {
        delta.whole = body;
        delta.error = Some(ErrorField::of_parts(&mut Str::default(), &mut Code::default(), &mut error.message));
    }
}

/// Adds the end of the answer. The reasons `ERROR` and `TIMEOUT` report a failure.
fn add_end<'a>(delta: &mut Delta<'a>, usage: &Usage, reason: &mut Str<'a>, error: &mut ErrorField<'a>) {
    delta.usage = usage.report();
    delta.error = error.take();
    if reason.is("ERROR") || reason.is("TIMEOUT") {
        delta.error.get_or_insert_default();
    }
    if delta.error.is_none() {
        delta.terminal = Terminal::Yes;
    }
    delta.choices.push(ChoiceDelta { index: 0, finish_reason: reason.take() });
}

object! {
    struct Event<'a> {
        "type" => kind: Str<'a>,
        "id" => id: Str<'a>,
        "index" => index: Count,
        "delta" => delta: EventDelta<'a>,
        // Of a whole answer.
        "message" => message: Message<'a>,
        "finish_reason" => finish_reason: Str<'a>,
        "usage" => usage: Usage,
        // Of version 1.
        "event_type" => old_kind: Str<'a>,
        "is_finished" => is_finished: Flag,
        "text" => text: Text,
        "generation_id" => generation_id: Str<'a>,
        "generations" => generations: Payload,
    }
}

impl Event<'_> {
    /// Events and answers of version 1 have other fields, and never a type. Without an event type they are the text that
    /// has been generated.
    fn is_of_version_1(&self) -> bool {
        self.kind.is_empty()
            && (!self.old_kind.is_empty()
                || self.is_finished.0
                || self.text.bytes > 0
                || !self.generation_id.is_empty()
                || self.generations.filled)
    }
}

object! {
    struct EventDelta<'a> {
        "message" => message: Message<'a>,
        "finish_reason" => finish_reason: Str<'a>,
        "usage" => usage: Usage,
        "error" => error: ErrorField<'a>,
    }
}

object! {
    struct ErrorBody<'a> { "message" => message: Str<'a> }
}

object! {
    struct Message<'a> {
        "content" => content: List<Content, 1>,
        "tool_plan" => tool_plan: Text,
        "tool_calls" => tool_calls: List<ToolCall<'a>, 1>,
    }
}

object! {
    struct Content {
        "text" => text: Text,
        "thinking" => thinking: Text,
    }
}

object! {
    struct ToolCall<'a> {
        "id" => id: Str<'a>,
        "function" => function: Function<'a>,
    }
}

object! {
    struct Function<'a> {
        "name" => name: Str<'a>,
        "arguments" => arguments: Payload,
    }
}

object! {
    /// Counts of either version.
    struct Usage {
        "tokens" => tokens: Tokens,
        "billed_units" => billed: Tokens,
        "cached_tokens" => cached: Count,
    }
}

object! {
    struct Tokens {
        "input_tokens" => input: Count,
        "output_tokens" => output: Count,
    }
}

impl<'a> Message<'a> {
    fn add_to(&mut self, delta: &mut Delta<'a>, index: Option<u32>) {
        for content in &self.content.0 {
            delta.add_text(ContentKind::Text, content.text.bytes);
            delta.add_text(ContentKind::Reasoning, content.thinking.bytes);
        }
        delta.add_text(ContentKind::Reasoning, self.tool_plan.bytes);
        for (position, call) in self.tool_calls.0.iter_mut().enumerate() {
            let (id, name) = (call.id.take(), call.function.name.take());
            if name.is_some() || call.function.arguments.filled {
                delta.add_visible(ContentKind::ToolCall, call.function.arguments.bytes);
                let index = index.or_else(|| u32::try_from(position).ok());
                delta.tool_calls.push(ToolCallDelta { choice: 0, index, id, name });
            }
        }
    }
}

impl Usage {
    pub(super) fn report(&self) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let billed = (tally.take(self.billed.input), tally.take(self.billed.output));
        let raw = RawUsage {
            input: tally.take(self.tokens.input).or(billed.0),
            output: tally.take(self.tokens.output).or(billed.1),
            cache_read: tally.take(self.cached),
            billed_input: billed.0,
            billed_output: billed.1,
            ..RawUsage::default()
        };
        ACCOUNTING.report(raw, tally.rejected)
    }
}

/// What the model read and wrote; what is billed leaves out the tokens of Cohere's own prompt and is kept beside it.
/// Cached tokens are part of the input.
pub(super) const ACCOUNTING: Accounting =
    Accounting { cache: Counted::Included, basis: Basis::Counted, ..Accounting::PLAIN };

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(json: &[u8], body: bool) -> Delta<'_> {
        let mut delta = Delta::default();
        CohereChat::default().decode(&mut delta, Input::Json(json), body);
        delta
    }

    #[test]
    fn billed_units_are_kept_beside_the_tokens() {
        let json = br#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":8},"tokens":{"input_tokens":90}}}}"#;
        let delta = decode(json, false);
        let raw = delta.usage.unwrap().raw.unwrap();
        assert_eq!((raw.input, raw.billed_input, delta.terminal), (Some(90), Some(8), Terminal::Yes));
    }

    #[test]
    fn a_message_that_is_text_is_an_error() {
        let error = decode(br#"{"id":"x","message":"model removed"}"#, true).error.unwrap();
        assert_eq!(error.message.as_deref(), Some("model removed"));
        let delta = decode(br#"{"type":"message-end","delta":{"finish_reason":"ERROR"}}"#, false);
        assert!(delta.error.is_some() && delta.terminal == Terminal::No);
    }

    #[test]
    fn version_1_is_told_by_its_first_event() {
        let mut decoder = CohereChat::default();
        let start = br#"{"is_finished":false,"event_type":"stream-start","generation_id":"g"}"#;
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(start), true);
        assert_eq!(delta.response_id.as_deref(), Some("g"));
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(br#"{"event_type":"text-generation","text":"Hi"}"#), true);
        assert!(delta.bytes[0] == 2 && !delta.whole);
        let delta = decode(br#"{"text":"Hi","generation_id":"g","finish_reason":"COMPLETE","meta":{}}"#, true);
        assert!(delta.whole && delta.bytes[0] == 2 && delta.terminal == Terminal::Yes);
    }
}
