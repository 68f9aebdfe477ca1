//! `dashscope.generation`: text and multimodal generation of `DashScope`, in its native form.
//!
//! Every event is a whole answer with usage counted up to then, and no marker ends the stream. Unless a request asks
//! for `incremental_output`, each event repeats the text from its beginning; nothing in the response says which.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::iter::once;

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Counted, Tally};
use super::error::ErrorField;
use super::growth::Growth;
use super::json::Malformed;
use super::lenient::{Code, Count, Fill, List, Str, Text, object};
use super::source::{Input, Source};
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one event has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct DashScopeGeneration {
    /// By choice index.
    choices: Vec<Choice>,
    /// Whether audio has come as data, and not only as the address of a file.
    has_audio: bool,
}

/// What has come of one choice.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Choice {
    text: Growth,
    reasoning: Growth,
    images: Growth,
    /// Its tool calls, by their index.
    calls: Vec<Call>,
}

/// What has come of one tool call.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Call {
    has_begun: bool,
    arguments: Growth,
}

impl DashScopeGeneration {
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
        delta.whole = body;
        delta.usage = event.usage.report();
        delta.error = event.error.take();
        // Streams and bodies put errors at the top level: `{"code": "Throttling.RateQuota", "message": "..."}`.
        let is_bare_error = event.code.label().is_some() || !event.message.is_empty();
        if delta.error.is_none() && !event.output.present && is_bare_error {
            delta.error = Some(ErrorField::of_parts(&mut event.kind, &mut event.code, &mut event.message));
        }
        if let Some(error) = &mut delta.error {
            error.status_code = error.status_code.or_else(|| event.status_code.status_code());
            // The request id beside an error is not the id of an answer.
            return;
        }
        delta.response_id = event.request_id.take();
        let output = &mut event.output;
        self.add_audio(delta, &output.audio);
        let has_choices = !output.choices.0.is_empty();
        for (position, choice) in output.choices.0.iter_mut().enumerate() {
            let index = choice.index.index().or_else(|| u32::try_from(position).ok()).unwrap_or(u32::MAX);
            self.add_audio(delta, &choice.message.audio);
            self.add_message(delta, index, &mut choice.message);
            delta.choices.push(ChoiceDelta { index, finish_reason: finish_reason(&mut choice.finish_reason) });
        }
        // `result_format` "text" has no choices, and neither have speech and deep research.
        if !has_choices && output.present {
            output.message.content.text =
                if output.text.is_empty() { output.message.content.text } else { output.text };
            self.add_message(delta, 0, &mut output.message);
            delta.choices.push(ChoiceDelta { index: 0, finish_reason: finish_reason(&mut output.finish_reason) });
        }
        delta.terminal = if body { Terminal::Yes } else { Terminal::WhenEveryChoiceFinished };
    }

    fn add_message<'a>(&mut self, delta: &mut Delta<'a>, index: u32, message: &mut Message<'a>) {
        let mut past_cap = Choice::default();
        let state = entry(&mut self.choices, index, CHOICES).unwrap_or(&mut past_cap);
        delta.add_text(ContentKind::Text, state.text.new_bytes(message.content.texts()));
        delta.add_text(ContentKind::Reasoning, state.reasoning.new_bytes(once(message.reasoning)));
        delta.add_text(
            ContentKind::Image,
            state.images.new_bytes(message.content.parts.0.iter().map(|part| part.image)),
        );
        for part in &message.content.parts.0 {
            delta.add_text(ContentKind::Audio, part.audio.bytes);
        }
        for (position, call) in message.tool_calls.0.iter_mut().enumerate() {
            // Older models do not number the calls.
            let place = call.index.index().or_else(|| u32::try_from(position).ok()).unwrap_or(u32::MAX);
            let mut past_cap = Call::default();
            let state = entry(&mut state.calls, place, CALLS).unwrap_or(&mut past_cap);
            let new = state.arguments.new_bytes(once(call.function.arguments));
            let (id, name) = (call.id.take(), call.function.name.take());
            // The name is repeated where the arguments are.
            if name.is_some() && !state.has_begun {
                state.has_begun = true;
                delta.add_visible(ContentKind::ToolCall, new);
            } else {
                delta.add_text(ContentKind::ToolCall, new);
            }
            if name.is_some() || new > 0 {
                delta.tool_calls.push(ToolCallDelta { choice: index, index: Some(place), id, name });
            }
        }
    }

    /// Adds speech. It comes in pieces, and at the end, or where it does not stream, as the address of a file.
    fn add_audio(&mut self, delta: &mut Delta<'_>, audio: &Media) {
        let is_repeated = audio.is_address && self.has_audio;
        if audio.bytes > 0 && !is_repeated {
            self.has_audio = true;
            delta.add_visible(ContentKind::Audio, audio.bytes);
        }
    }
}

/// Choices that are followed; a request may ask for 4. What is past a cap counts as if it did not repeat.
const CHOICES: usize = 8;

/// Tool calls of a choice that are followed.
const CALLS: usize = 32;

/// The entry of that index, which is made when it is not there; `None` past the cap.
fn entry<T: Default>(entries: &mut Vec<T>, index: u32, cap: usize) -> Option<&mut T> {
    let index = usize::try_from(index).ok().filter(|&index| index < cap)?;
    if index >= entries.len() {
        entries.resize_with(index + 1, T::default);
    }
    entries.get_mut(index)
}

/// The reason, which is the string `null` until the choice has ended.
fn finish_reason<'a>(reason: &mut Str<'a>) -> Option<Cow<'a, str>> {
    if reason.is("null") { None } else { reason.take() }
}

object! {
    struct Event<'a> {
        "output" => output: Output<'a>,
        "usage" => usage: Usage,
        "request_id" => request_id: Str<'a>,
        // Of an error.
        "error" => error: ErrorField<'a>,
        "type" => kind: Str<'a>,
        "code" => code: Code<'a>,
        "message" => message: Str<'a>,
        // Of the objects that the provider's own libraries make of answers and errors.
        "status_code" => status_code: Code<'a>,
    }
}

object! {
    struct Output<'a> {
        "choices" => choices: List<ChoicePart<'a>, 1>,
        "text" => text: Str<'a>,
        "message" => message: Message<'a>,
        "audio" => audio: Media,
        "finish_reason" => finish_reason: Str<'a>,
    }
}

object! {
    struct ChoicePart<'a> {
        "index" => index: Count,
        "message" => message: Message<'a>,
        "finish_reason" => finish_reason: Str<'a>,
    }
}

object! {
    struct Message<'a> {
        "content" => content: Content<'a>,
        "reasoning_content" => reasoning: Str<'a>,
        "tool_calls" => tool_calls: List<ToolCall<'a>, 1>,
        "audio" => audio: Media,
    }
}

object! {
    struct ToolCall<'a> {
        "index" => index: Count,
        "id" => id: Str<'a>,
        "function" => function: Function<'a>,
    }
}

object! {
    struct Function<'a> {
        "name" => name: Str<'a>,
        "arguments" => arguments: Str<'a>,
    }
}

/// The `content` of a message: a string, or the parts of multimodal models.
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    text: Str<'a>,
    parts: List<Part<'a>, 1>,
}

object! {
    struct Part<'a> {
        "text" => text: Str<'a>,
        "image" => image: Str<'a>,
        "audio" => audio: Media,
    }
}

impl<'a> Content<'a> {
    fn texts(&self) -> impl Iterator<Item = Str<'a>> + Clone {
        once(self.text).chain(self.parts.0.iter().map(|part| part.text))
    }
}

impl<'de: 'a, 'a> Fill<'de> for Content<'a> {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        *self = Self::default();
        if reader.begins(b'"') { self.text.fill(reader) } else { self.parts.fill(reader) }
    }
}

/// Encoded media, or the address of a file with them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Media {
    bytes: usize,
    is_address: bool,
}

object! {
    struct MediaObject {
        "data" => data: Text,
        "url" => url: Text,
    }
}

impl<'de> Fill<'de> for Media {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        let mut media = MediaObject::default();
        let read = if reader.begins(b'"') { media.data.fill(reader) } else { media.fill(reader) };
        read?;
        let is_address = media.data.bytes == 0;
        *self = Self { bytes: if is_address { media.url.bytes } else { media.data.bytes }, is_address };
        Ok(())
    }
}

object! {
    struct Usage {
        "input_tokens" => input: Count,
        "output_tokens" => output: Count,
        "total_tokens" => total: Count,
        "prompt_tokens_details" => input_details: InputDetails,
        "output_tokens_details" => output_details: OutputDetails,
    }
}

object! {
    struct InputDetails {
        "cached_tokens" => cached: Count,
        "cache_creation_input_tokens" => cache_write: Count,
    }
}

object! {
    struct OutputDetails { "reasoning_tokens" => reasoning: Count }
}

impl Usage {
    /// Each report counts from the beginning of the answer.
    fn report(&self) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let raw = RawUsage {
            input: tally.take(self.input),
            output: tally.take(self.output),
            cache_read: tally.take(self.input_details.cached),
            cache_write: tally.take(self.input_details.cache_write),
            reasoning: tally.take(self.output_details.reasoning),
            total: tally.take(self.total),
            ..RawUsage::default()
        };
        ACCOUNTING.report(raw, tally.rejected)
    }
}

/// Cached tokens, and those of images, audio and video, are part of the input, reasoning is part of the output: in every
/// recording with details total = input + output.
pub(super) const ACCOUNTING: Accounting =
    Accounting { cache: Counted::Included, reasoning: Counted::Included, ..Accounting::PLAIN };

#[cfg(test)]
mod tests {
    use super::*;

    fn decode<'a>(decoder: &mut DashScopeGeneration, json: &'a str) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json.as_bytes()), false);
        delta
    }

    #[test]
    fn repeated_text_is_no_content() {
        let mut decoder = DashScopeGeneration::default();
        let first = r#"{"output":{"choices":[{"message":{"content":[{"text":"Rain"}]},"finish_reason":"null"}]}}"#;
        let last = r#"{"output":{"choices":[{"message":{"content":[{"text":"Rain"}]},"finish_reason":"stop"}]}}"#;
        let delta = decode(&mut decoder, first);
        assert_eq!((delta.bytes[0], delta.choices[0].finish_reason.as_deref()), (4, None));
        let delta = decode(&mut decoder, last);
        assert!(delta.visible.is_empty());
        assert_eq!(delta.choices[0].finish_reason.as_deref(), Some("stop"));
        assert_eq!(delta.terminal, Terminal::WhenEveryChoiceFinished);
    }

    #[test]
    fn a_repeated_call_begins_once() {
        let call = |arguments: &str| {
            alloc::format!(
                r#"{{"output":{{"choices":[{{"message":{{"content":"","tool_calls":[{{"id":"c","function":{{"name":"f","arguments":"{arguments}"}}}}]}}}}]}}}}"#
            )
        };
        let mut decoder = DashScopeGeneration::default();
        let json = [call(""), call(""), call("{"), call("{}")];
        let deltas = json.each_ref().map(|json| decode(&mut decoder, json));
        assert_eq!(deltas.each_ref().map(|delta| delta.visible.is_empty()), [false, true, false, false]);
        assert_eq!(deltas.each_ref().map(|delta| delta.bytes[2]), [0, 0, 1, 1]);
        assert!(deltas.iter().all(|delta| delta.tool_calls[0].index == Some(0)));
    }

    #[test]
    fn text_without_choices_and_speech_belong_to_the_first_one() {
        let mut decoder = DashScopeGeneration::default();
        let delta = decode(&mut decoder, r#"{"output":{"text":"Hi","finish_reason":"stop"},"request_id":"r"}"#);
        assert_eq!((delta.bytes[0], delta.choices[0].finish_reason.as_deref()), (2, Some("stop")));
        assert_eq!(delta.response_id.as_deref(), Some("r"));
        let delta = decode(&mut decoder, r#"{"output":{"audio":{"data":"UklG","url":""},"finish_reason":"null"}}"#);
        assert_eq!(delta.bytes[6], 4);
        let delta = decode(&mut decoder, r#"{"output":{"audio":{"data":"","url":"http://x"},"finish_reason":"stop"}}"#);
        assert!(delta.visible.is_empty());
        let delta = decode(&mut DashScopeGeneration::default(), r#"{"output":{"audio":{"url":"http://x"}}}"#);
        assert_eq!(delta.bytes[6], 8);
    }

    #[test]
    fn an_error_has_no_answer_id() {
        let json = r#"{"code":"Arrearage","message":"pay","request_id":"r"}"#;
        let mut delta = Delta::default();
        DashScopeGeneration::default().decode(&mut delta, Input::Json(json.as_bytes()), true);
        let error = delta.error.unwrap();
        assert_eq!((error.error_type.as_deref(), error.message.as_deref()), (Some("Arrearage"), Some("pay")));
        assert!(delta.response_id.is_none() && delta.whole);
        // Answers of older versions have both fields, empty.
        let json = r#"{"output":{"text":"Hi"},"code":"","message":""}"#;
        assert!(decode(&mut DashScopeGeneration::default(), json).error.is_none());
    }

    #[test]
    fn choices_past_the_cap_still_count() {
        let mut decoder = DashScopeGeneration::default();
        let json = r#"{"output":{"choices":[{"index":4000000000,"message":{"content":"ab"}}]}}"#;
        assert_eq!(decode(&mut decoder, json).bytes[0], 2);
        assert!(decoder.choices.is_empty());
    }
}
