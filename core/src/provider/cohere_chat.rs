//! `cohere.chat`: version 2 of Cohere's chat API.

use super::error::ErrorField;
use super::lenient::{Code, Count, List, Payload, Str, Text, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// Reads one event, one whole answer or one error body.
pub(super) fn decode(json: Input<'_>, body: bool) -> Delta<'_> {
    let mut event = Event::default();
    if json.fill(&mut event).is_none() {
        return Delta::undecodable();
    }
    let mut delta = Delta::chunk();
    match event.kind.text().as_ref() {
        "message-start" => {
            delta.response_id = event.id.take();
            delta.choices.push(ChoiceDelta::default());
        }
        "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start" | "tool-call-delta" => {
            event.delta.message.add_to(&mut delta, event.index.index());
        }
        "message-end" => {
            add_end(&mut delta, &event.delta.usage, &mut event.delta.finish_reason, &mut event.delta.error);
        }
        "" => whole(&mut delta, json, &mut event, body),
        // Ends of content, citations, debug events.
        _ => {}
    }
    delta
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
    /// What the model read and wrote; what is billed leaves out the tokens of Cohere's own prompt and is kept beside
    /// it. Cached tokens are part of the input.
    fn report(&self) -> Option<UsageReport> {
        let mut rejected = 0;
        let mut take = |count: Count| count.tally(&mut rejected);
        let billed = (take(self.billed.input), take(self.billed.output));
        let raw = RawUsage {
            input: take(self.tokens.input).or(billed.0),
            output: take(self.tokens.output).or(billed.1),
            cache_read: take(self.cached),
            billed_input: billed.0,
            billed_output: billed.1,
            ..RawUsage::default()
        };
        (!raw.is_empty() || rejected > 0).then(|| UsageReport {
            input_tokens: raw.input,
            output_tokens: raw.output,
            cache_read_tokens: raw.cache_read,
            raw: Some(raw),
            rejected,
            ..UsageReport::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn billed_units_are_kept_beside_the_tokens() {
        let json = br#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":8},"tokens":{"input_tokens":90}}}}"#;
        let delta = decode(Input::Json(json), false);
        let raw = delta.usage.unwrap().raw.unwrap();
        assert_eq!((raw.input, raw.billed_input, delta.terminal), (Some(90), Some(8), Terminal::Yes));
    }

    #[test]
    fn a_message_that_is_text_is_an_error() {
        let error = decode(Input::Json(br#"{"id":"x","message":"model removed"}"#), true).error.unwrap();
        assert_eq!(error.message.as_deref(), Some("model removed"));
        let delta = decode(Input::Json(br#"{"type":"message-end","delta":{"finish_reason":"ERROR"}}"#), false);
        assert!(delta.error.is_some() && delta.terminal == Terminal::No);
    }
}
