//! `huggingface.textgen`: text generation of Hugging Face servers: `/generate_stream` and `/generate` of TGI, and the
//! Inference API before chat completions.
//!
//! Each event of a stream brings one token; the last one also has the whole text again and, when the request asks for
//! them, details. An answer that does not stream is an object with the text, or a list of such objects. Neither names a
//! model or has an id.

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Tally};
use super::error::ErrorField;
use super::json::Malformed;
use super::lenient::{Code, Count, Few, Fill, Flag, List, Rare, Str, Text, object};
use super::source::{Input, Source};
use crate::delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, RawUsage, Terminal, UsageReport};

/// What one event has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct HuggingFaceTextGen {
    /// Whether tokens have come one by one: a text after them repeats them.
    is_stream: bool,
    /// Sequences of whole answers so far: each is a choice of its own.
    sequences: u32,
    /// Tokens of all sequences so far.
    generated: u64,
}

impl HuggingFaceTextGen {
    /// Reads one event, one whole answer, a list of those, or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        let mut events: Few<Event<'a>> = Few::default();
        if json.fill(&mut events).is_none() {
            delta.decode_errors = 1;
            return;
        }
        delta.chunk = true;
        for event in events.iter_mut() {
            self.write(delta, event, body);
        }
    }

    fn write<'a>(&mut self, delta: &mut Delta<'a>, event: &mut Event<'a>, body: bool) {
        if let Some(error) = event.take_error() {
            delta.whole = body;
            delta.error = Some(error);
            return;
        }
        self.is_stream |= event.token.present;
        if !event.token.special.0 {
            delta.add_text(ContentKind::Text, event.token.text.bytes);
        }
        if !event.generated_text.is_given {
            return;
        }
        // Details or not, the text closes the stream.
        delta.terminal = Terminal::Yes;
        if !self.is_stream {
            delta.whole = true;
            delta.add_text(ContentKind::Text, event.generated_text.bytes);
        }
        if let Some(details) = &mut event.details.0 {
            self.add_details(delta, details);
        } else {
            self.sequences = self.sequences.saturating_add(1);
        }
    }

    fn add_details<'a>(&mut self, delta: &mut Delta<'a>, details: &mut Details<'a>) {
        self.add_sequence(delta, &mut details.finish_reason, details.generated_tokens);
        for other in &mut details.best_of_sequences.0 {
            delta.add_text(ContentKind::Text, other.generated_text.bytes);
            self.add_sequence(delta, &mut other.finish_reason, other.generated_tokens);
        }
        delta.usage = self.report(details);
    }

    fn add_sequence<'a>(&mut self, delta: &mut Delta<'a>, reason: &mut Str<'a>, tokens: Count) {
        if reason.is("error") {
            delta.error.get_or_insert_default();
            delta.terminal = Terminal::No;
        }
        delta.choices.push(ChoiceDelta { index: self.sequences, finish_reason: reason.take() });
        self.sequences = self.sequences.saturating_add(1);
        self.generated = self.generated.saturating_add(tokens.value().unwrap_or(0));
    }

    /// `generated_tokens` counts what one sequence has, its special tokens included; the output is that of all of them.
    /// The input is `input_length` of a stream's details (`prompt_tokens` at `LoRAX`), else the length of `prefill`, which
    /// holds the prompt's tokens when they were asked for and is empty when not. Neither a cache nor reasoning is
    /// counted: `StreamDetails` and `Details` of TGI's router have no more.
    fn report(&self, details: &Details<'_>) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let raw = RawUsage {
            input: tally.take(details.input_length).or(details.prefill.0),
            output: tally.take(details.generated_tokens).map(|_| self.generated),
            ..RawUsage::default()
        };
        for other in &details.best_of_sequences.0 {
            tally.take(other.generated_tokens);
        }
        Accounting::PLAIN.report(raw, tally.rejected)
    }
}

object! {
    struct Event<'a> {
        "token" => token: Token,
        "generated_text" => generated_text: GeneratedText,
        "details" => details: Rare<Details<'a>>,
        "error" => error: ErrorList<'a>,
        "error_type" => error_type: Str<'a>,
        // Of gateways in front of the server, and of servers that validate requests by themselves.
        "message" | "detail" => error_message: Str<'a>,
        "code" => error_code: Code<'a>,
    }
}

object! {
    struct Token {
        "text" => text: Text,
        // The end of the sequence and the like: part of the count, not of the text.
        "special" => special: Flag,
    }
}

object! {
    struct Details<'a> {
        "finish_reason" => finish_reason: Str<'a>,
        "generated_tokens" => generated_tokens: Count,
        "input_length" | "prompt_tokens" => input_length: Count,
        "prefill" => prefill: Length,
        "best_of_sequences" => best_of_sequences: List<Sequence<'a>, 0>,
    }
}

object! {
    /// A sequence that was not the best one.
    struct Sequence<'a> {
        "generated_text" => generated_text: Text,
        "finish_reason" => finish_reason: Str<'a>,
        "generated_tokens" => generated_tokens: Count,
    }
}

impl<'a> Event<'a> {
    /// The class of an error is `error_type` (TGI: `overloaded`, `validation`, `generation`, `incomplete_generation`);
    /// the Inference API has only messages.
    fn take_error(&mut self) -> Option<ErrorDelta<'a>> {
        let is_bare = !self.token.present && !self.generated_text.is_given && !self.error_message.is_empty();
        let mut error = match self.error.0.take() {
            Some(error) => error,
            None if is_bare => ErrorField::of_parts(&mut Str::default(), &mut self.error_code, &mut self.error_message),
            None => return None,
        };
        error.error_type = self.error_type.take().or(error.error_type);
        Some(error)
    }
}

/// The text of a whole answer, which is null until it is complete and may be empty then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GeneratedText {
    is_given: bool,
    bytes: usize,
}

impl<'de> Fill<'de> for GeneratedText {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.is_given = reader.begins(b'"');
        self.bytes = reader.text()?.len();
        Ok(())
    }
}

/// How many elements a list has; absent when there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Length(Option<u64>);

impl<'de> Fill<'de> for Length {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = None;
        if !reader.begins(b'[') {
            return reader.skip_value();
        }
        reader.elements(|reader| {
            self.0 = Some(self.0.unwrap_or(0).saturating_add(1));
            reader.skip_value()
        })
    }
}

/// The value of `error`: an object or a message as elsewhere, or a list of which the first is taken.
#[derive(Debug, Default)]
pub(super) struct ErrorList<'a>(ErrorField<'a>);

impl<'de: 'a, 'a> Fill<'de> for ErrorList<'a> {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        if !reader.begins(b'[') {
            return self.0.fill(reader);
        }
        self.0 = ErrorField::default();
        reader.elements(|reader| if self.0.is_present() { reader.skip_value() } else { self.0.fill(reader) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(decoder: &mut HuggingFaceTextGen, json: &'a str) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json.as_bytes()), false);
        delta
    }

    fn first(json: &str) -> Delta<'_> {
        read(&mut HuggingFaceTextGen::default(), json)
    }

    fn reasons<'a>(delta: &'a Delta<'_>) -> alloc::vec::Vec<(u32, Option<&'a str>)> {
        delta.choices.iter().map(|choice| (choice.index, choice.finish_reason.as_deref())).collect()
    }

    #[test]
    fn the_last_event_repeats_the_text_and_has_the_details() {
        let mut decoder = HuggingFaceTextGen::default();
        let token = read(
            &mut decoder,
            r#"{"index":1,"token":{"id":5,"text":" né","logprob":-0.1,"special":false},"generated_text":null,"details":null}"#,
        );
        assert!(token.is_plain() && !token.whole);
        assert_eq!(token.bytes[0], 4);
        let last = read(
            &mut decoder,
            r#"{"index":2,"token":{"id":2,"text":"</s>","special":true},"generated_text":" né","details":{"finish_reason":"eos_token","generated_tokens":2,"seed":null,"input_length":7}}"#,
        );
        assert!(last.visible.is_empty() && !last.whole && last.terminal == Terminal::Yes);
        assert_eq!(reasons(&last), [(0, Some("eos_token"))]);
        let usage = last.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(7), Some(2)));
    }

    #[test]
    fn an_empty_text_ends_the_stream_too() {
        let last = first(r#"{"token":{"text":"</s>","special":true},"generated_text":""}"#);
        assert!(last.terminal == Terminal::Yes && last.visible.is_empty() && last.usage.is_none());
        assert!(last.choices.is_empty());
        assert_eq!(first(r#"{"token":{"text":"a"},"generated_text":7}"#).terminal, Terminal::No);
    }

    #[test]
    fn whole_answers_come_alone_or_in_lists() {
        let mut decoder = HuggingFaceTextGen::default();
        let one = r#"{"generated_text":"abc","details":{"finish_reason":"length","generated_tokens":3,"prefill":[{"id":1},{"id":2}]}}"#;
        let whole = read(&mut decoder, one);
        assert!(whole.whole && whole.terminal == Terminal::Yes && whole.bytes[0] == 3);
        assert_eq!((whole.usage.unwrap().input_tokens, whole.usage.unwrap().output_tokens), (Some(2), Some(3)));
        let second = read(&mut decoder, one);
        assert_eq!(reasons(&second), [(1, Some("length"))]);
        assert_eq!(second.usage.unwrap().output_tokens, Some(6));
        let list = first(r#"[{"generated_text":"ab"},{"generated_text":"c"}]"#);
        assert!(list.whole && list.bytes[0] == 3 && list.usage.is_none());
        let nothing = first(r#"{"generated_text":"a","details":{"finish_reason":"length","prefill":[]}}"#);
        assert!(nothing.usage.is_none());
    }

    #[test]
    fn the_sequences_that_were_not_best_count_too() {
        let delta = first(
            r#"{"generated_text":"ab","details":{"finish_reason":"length","generated_tokens":4,"best_of_sequences":[{"generated_text":"c","finish_reason":"stop_sequence","generated_tokens":3}]}}"#,
        );
        assert_eq!(reasons(&delta), [(0, Some("length")), (1, Some("stop_sequence"))]);
        assert_eq!((delta.bytes[0], delta.usage.unwrap().output_tokens), (3, Some(7)));
    }

    #[test]
    fn errors_have_many_forms() {
        for (json, kind, message) in [
            (r#"{"error":"full","error_type":"overloaded"}"#, Some("overloaded"), Some("full")),
            (r#"{"error":"loading","estimated_time":20.5}"#, None, Some("loading")),
            (r#"{"error":["","first","second"]}"#, None, Some("first")),
            (r#"{"error":[{"message":"m","type":"t"}]}"#, Some("t"), Some("m")),
            (r#"{"error":{"message":"m","type":"t"},"error_type":"u"}"#, Some("u"), Some("m")),
            (r#"{"message":"no route"}"#, None, Some("no route")),
            (r#"{"detail":"best_of is 0"}"#, None, Some("best_of is 0")),
        ] {
            let delta = first(json);
            assert!(delta.chunk && delta.terminal == Terminal::No, "{json}");
            let error = delta.error.unwrap();
            assert_eq!((error.error_type.as_deref(), error.message.as_deref()), (kind, message), "{json}");
        }
        let failed = first(r#"{"token":{"text":"a"},"generated_text":"a","details":{"finish_reason":"error"}}"#);
        assert!(failed.error.is_some() && failed.terminal == Terminal::No);
        assert!(first(r#"{"error":[],"token":{"text":"a"},"message":"m"}"#).error.is_none());
        assert_eq!(first("{").decode_errors, 1);
    }
}
