//! `ollama.chat`: `/api/chat` and `/api/generate` of Ollama.
//!
//! Lines of JSON; the last one has `done` and the counts. An answer that does not stream is one such line.

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Counted, Tally};
use super::error::ErrorField;
use super::lenient::{Count, Flag, List, Payload, Str, Text, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, ServerTiming, Terminal, ToolCallDelta, UsageReport};
use crate::time::Nanos;

/// What one line has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct OllamaChat {
    begun: bool,
    /// Tool calls so far: they come whole and without an index.
    calls: u32,
}

impl OllamaChat {
    /// Reads one line, one whole answer or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>) {
        let mut line = Line::default();
        match json.fill(&mut line) {
            Some(()) => self.write(delta, &mut line),
            None => delta.decode_errors = 1,
        }
    }

    fn write<'a>(&mut self, delta: &mut Delta<'a>, line: &mut Line<'a>) {
        delta.chunk = true;
        let first = !core::mem::replace(&mut self.begun, true);
        delta.response_model = line.model.take();
        delta.error = line.error.take();
        if delta.error.is_some() {
            delta.whole = first;
            return;
        }
        delta.add_text(ContentKind::Text, line.message.content.bytes);
        delta.add_text(ContentKind::Text, line.response.bytes);
        delta.add_text(ContentKind::Reasoning, line.message.thinking.bytes + line.thinking.bytes);
        let images: usize = line.message.images.0.iter().map(|image| image.bytes).sum();
        delta.add_text(ContentKind::Image, images + line.image.bytes);
        for call in &mut line.message.tool_calls.0 {
            if call.function.name.is_empty() && !call.function.arguments.filled {
                continue;
            }
            delta.add_visible(ContentKind::ToolCall, call.function.arguments.bytes);
            let (id, name) = (call.id.take(), call.function.name.take());
            delta.tool_calls.push(ToolCallDelta { choice: 0, index: Some(self.calls), id, name });
            self.calls = self.calls.saturating_add(1);
        }
        if line.done.0 {
            delta.whole = first;
            delta.terminal = Terminal::Yes;
            delta.usage = line.usage();
            let server = line.server_timing();
            delta.server = (!server.is_empty()).then_some(server);
        }
        delta.choices.push(ChoiceDelta { index: 0, finish_reason: line.done_reason.take() });
    }
}

object! {
    struct Line<'a> {
        "model" => model: Str<'a>,
        "message" => message: Message<'a>,
        // Of `/api/generate`.
        "response" => response: Text,
        "thinking" => thinking: Text,
        "image" => image: Text,
        "done" => done: Flag,
        "done_reason" => done_reason: Str<'a>,
        "prompt_eval_count" => prompt_eval_count: Count,
        "prompt_eval_cached_count" => prompt_eval_cached_count: Count,
        "eval_count" => eval_count: Count,
        "prompt_eval_duration" => prompt_eval_duration: Count,
        "eval_duration" => eval_duration: Count,
        "total_duration" => total_duration: Count,
        "error" => error: ErrorField<'a>,
    }
}

object! {
    struct Message<'a> {
        "content" => content: Text,
        "thinking" => thinking: Text,
        "tool_calls" => tool_calls: List<ToolCall<'a>, 0>,
        "images" => images: List<Text, 0>,
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

impl Line<'_> {
    /// `prompt_eval_count` is left out when the whole prompt was in the cache: then the input is unknown, not zero.
    /// Newer servers count the whole prompt there, and beside it the part of it that was cached.
    fn usage(&self) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let raw = RawUsage {
            input: tally.take(self.prompt_eval_count),
            output: tally.take(self.eval_count),
            cache_read: tally.take(self.prompt_eval_cached_count),
            ..RawUsage::default()
        };
        ACCOUNTING.report(raw, tally.rejected)
    }

    /// Durations are in nanoseconds.
    fn server_timing(&self) -> ServerTiming {
        let nanos = |count: Count| count.value().map(Nanos::from_nanos);
        ServerTiming {
            prompt_ns: nanos(self.prompt_eval_duration),
            generation_ns: nanos(self.eval_duration),
            total_ns: nanos(self.total_duration),
            ..ServerTiming::default()
        }
    }
}

/// What was cached is part of the prompt, and thinking part of the output; the latter is not told apart.
pub(super) const ACCOUNTING: Accounting = Accounting { cache: Counted::Included, ..Accounting::PLAIN };

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(decoder: &mut OllamaChat, json: &'a [u8]) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json));
        delta
    }

    #[test]
    fn a_first_line_that_is_done_is_a_whole_answer() {
        let line = br#"{"model":"m","message":{"content":"hi"},"done":true,"done_reason":"stop","eval_count":3}"#;
        let mut decoder = OllamaChat::default();
        let delta = read(&mut decoder, line);
        assert!(delta.whole && delta.terminal == Terminal::Yes);
        let usage = delta.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (None, Some(3)));
        assert!(!read(&mut decoder, line).whole);
    }

    #[test]
    fn calls_are_told_apart_across_lines() {
        let line = br#"{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}"#;
        let mut decoder = OllamaChat::default();
        assert_eq!(read(&mut decoder, line).tool_calls[0].index, Some(0));
        assert_eq!(read(&mut decoder, line).tool_calls[0].index, Some(1));
    }

    #[test]
    fn images_and_cached_input_are_read() {
        let image = br#"{"message":{"content":"","images":["QUJD","QQ=="]},"done":false}"#;
        assert_eq!(read(&mut OllamaChat::default(), image).bytes[5], 8);
        let last = br#"{"done":true,"prompt_eval_count":28,"prompt_eval_cached_count":27,"eval_count":3}"#;
        let usage = read(&mut OllamaChat::default(), last).usage.unwrap();
        assert_eq!((usage.input_tokens, usage.cache_read_tokens), (Some(28), Some(27)));
    }

    #[test]
    fn an_error_may_come_behind_content() {
        let mut decoder = OllamaChat::default();
        read(&mut decoder, br#"{"response":"hi","done":false}"#);
        let delta = read(&mut decoder, br#"{"error":"out of memory"}"#);
        assert!(!delta.whole && delta.error.unwrap().message.as_deref() == Some("out of memory"));
    }
}
