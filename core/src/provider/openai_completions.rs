//! `openai.completions`: text completions of OpenAI and of every server that speaks like it.
//!
//! A text completion is a chat completion whose choices have `text` in place of a message: usage, finish reasons, errors
//! and server timing come in the same fields and by the same habits. [`openai_chat`] reads those, and the choices of
//! servers that answer in the shape of a chat (Mistral's fill-in-the-middle); the text is read in a second pass.

use super::json::Malformed;
use super::lenient::{Fill, Text, object};
use super::openai_chat;
use super::source::{Input, Source};
use crate::delta::{ContentKind, Delta};

/// Reads one chunk, one whole body or one error body.
///
/// Chunks and whole completions both say `"object": "text_completion"`: only the framing tells them apart.
pub(super) fn decode<'a>(delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
    openai_chat::decode(delta, json, body);
    // Together repeats the text of a choice as its `delta`.
    if delta.chunk && delta.visible.is_empty() {
        let mut texts = Texts::default();
        if json.fill(&mut texts).is_some() {
            delta.add_text(ContentKind::Text, texts.choices.text);
            delta.add_text(ContentKind::Reasoning, texts.choices.reasoning);
        }
    }
}

object! {
    struct Texts { "choices" => choices: ChoiceTexts }
}

/// The bytes of text in a list of choices, added up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChoiceTexts {
    text: usize,
    reasoning: usize,
}

object! {
    struct Choice {
        "text" => text: Text,
        // Of servers that take thinking out of the text. Those that have both fields repeat it.
        "reasoning_content" => reasoning_content: Text,
        "reasoning" => reasoning: Text,
    }
}

impl<'de> Fill<'de> for ChoiceTexts {
    fn fill<S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        *self = Self::default();
        match reader.peek() {
            Some(b'[') => reader.elements(|reader| self.add_choice(reader)),
            // A lone object is a list of one, as in the first pass.
            Some(b'{') => self.add_choice(reader),
            _ => reader.skip_value(),
        }
    }
}

impl ChoiceTexts {
    fn add_choice<'de, S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        let mut choice = Choice::default();
        choice.fill(reader)?;
        self.text = self.text.saturating_add(choice.text.bytes);
        let reasoning = choice.reasoning_content.bytes.max(choice.reasoning.bytes);
        self.reasoning = self.reasoning.saturating_add(reasoning);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::Terminal;

    fn read(json: &str, body: bool) -> Delta<'_> {
        let mut delta = Delta::default();
        decode(&mut delta, Input::Json(json.as_bytes()), body);
        delta
    }

    #[test]
    fn the_framing_tells_a_chunk_from_a_whole_completion() {
        let json = r#"{"id":"c","object":"text_completion","model":"m","choices":[{"text":"né","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#;
        let chunk = read(json, false);
        assert!(!chunk.whole && chunk.terminal == Terminal::WhenEveryChoiceFinished);
        let whole = read(json, true);
        assert!(whole.whole && whole.terminal == Terminal::Yes);
        for delta in [chunk, whole] {
            assert_eq!((delta.bytes[0], delta.usage.unwrap().input_tokens), (3, Some(3)));
            assert_eq!(delta.choices[0].finish_reason.as_deref(), Some("stop"));
            assert_eq!((delta.response_id.as_deref(), delta.response_model.as_deref()), (Some("c"), Some("m")));
        }
    }

    #[test]
    fn text_counts_in_every_choice_and_once() {
        let two = read(r#"{"choices":[{"index":0,"text":"ab"},{"index":1,"text":"c","reasoning":"xyz"}]}"#, false);
        assert_eq!((two.bytes[0], two.bytes[1], two.choices.len()), (3, 3, 2));
        assert_eq!(read(r#"{"choices":[{"text":"ab","delta":{"content":"ab"}}]}"#, false).bytes[0], 2);
        assert_eq!(read(r#"{"choices":[{"text":"ab","delta":{"token_id":7}}]}"#, false).bytes[0], 2);
        assert_eq!(read(r#"{"choices":[{"reasoning_content":"ab","reasoning":"ab","text":""}]}"#, false).bytes[1], 2);
        assert!(read(r#"{"choices":[{"text":"","logprobs":{"tokens":["a"]}}]}"#, false).visible.is_empty());
        assert_eq!(read(r#"{"choices":{"text":"ab"}}"#, false).bytes[0], 2);
    }

    #[test]
    fn choices_in_the_shape_of_a_chat_are_read_as_such() {
        let delta = read(r#"{"choices":[{"index":0,"delta":{"content":"ab"},"finish_reason":null}]}"#, false);
        assert_eq!((delta.bytes[0], delta.whole), (2, false));
        let whole = read(
            r#"{"object":"chat.completion","choices":[{"message":{"content":"ab"},"finish_reason":"stop"}]}"#,
            true,
        );
        assert!(whole.whole && whole.bytes[0] == 2 && whole.terminal == Terminal::Yes);
    }

    #[test]
    fn errors_and_garbage_are_those_of_a_chat() {
        let error =
            read(r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#, true).error.unwrap();
        assert_eq!((error.error_type.as_deref(), error.status_code), (Some("BadRequestError"), Some(400)));
        let failed = read(r#"{"choices":[{"text":"","finish_reason":"error"}]}"#, false);
        assert!(failed.error.is_some() && failed.terminal == Terminal::No);
        let bad = read("{", false);
        assert!(bad.decode_errors == 1 && !bad.chunk);
        let odd = read(r#"{"choices":[7,null,{"text":[1]}],"usage":"none"}"#, false);
        assert!(odd.chunk && odd.visible.is_empty() && odd.usage.is_none());
    }
}
