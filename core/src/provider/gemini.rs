//! `gemini.generate_content`: Gemini at AI Studio and Vertex.
//!
//! Every chunk is a whole `GenerateContentResponse`, with usage counted up to then. There is no end marker.
//!
//! Names are read in both spellings: the mapping of protocol buffers to JSON writes `usageMetadata` and has readers
//! accept `usage_metadata`, which is what the objects of the Python libraries are written out with.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Counted, Tally};
use super::error::{ErrorField, bare_error};
use super::lenient::{Code, Count, Flag, List, Maybe, Payload, Str, Text, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one chunk has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Gemini {
    /// Function calls so far: they come whole and without an index.
    calls: u32,
    /// The counts so far: chunks do not repeat every one, and sums need them all.
    usage: RawUsage,
}

impl Gemini {
    /// Reads one chunk, one whole answer or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        let mut chunk = Chunk::default();
        match json.fill(&mut chunk) {
            Some(()) => self.write(delta, &mut chunk, json, body),
            None => delta.decode_errors = 1,
        }
    }

    fn write<'a>(&mut self, delta: &mut Delta<'a>, chunk: &mut Chunk<'a>, json: Input<'a>, body: bool) {
        delta.chunk = true;
        delta.whole = body;
        delta.response_id = chunk.response_id.take();
        delta.response_model = chunk.model_version.take();
        delta.usage = chunk.usage.0.as_ref().and_then(|usage| usage.report(&mut self.usage));
        delta.error = chunk.error.take();
        delta.block_reason = word_of(&mut chunk.prompt_feedback.block_reason);
        for (position, candidate) in chunk.candidates.0.iter_mut().enumerate() {
            let index = candidate.index.index().or_else(|| u32::try_from(position).ok()).unwrap_or(u32::MAX);
            for part in &mut candidate.content.parts.0 {
                self.add_part(delta, index, part);
            }
            let finish_reason = word_of(&mut candidate.finish_reason);
            delta.choices.push(ChoiceDelta { index, finish_reason });
        }
        if body && delta.choices.is_empty() && delta.usage.is_none() && delta.block_reason.is_none() {
            delta.error = delta.error.take().or_else(|| bare_error(json));
        }
        delta.terminal = if delta.error.is_some() {
            Terminal::No
        } else if body || delta.block_reason.is_some() {
            // The candidates of a blocked prompt, if there are any, do not finish.
            Terminal::Yes
        } else {
            Terminal::WhenEveryChoiceFinished
        };
    }

    fn add_part<'a>(&mut self, delta: &mut Delta<'a>, choice: u32, part: &mut Part<'a>) {
        if part.thought.0 {
            // A model that shows only that it thinks has begun to answer: the flag counts without any text.
            delta.add_visible(ContentKind::Reasoning, part.text.bytes);
        } else {
            delta.add_text(ContentKind::Text, part.text.bytes);
        }
        // What closes a call whose arguments were streamed is an empty object.
        if !part.function_call.name.is_empty() || part.function_call.arguments.filled {
            delta.add_visible(ContentKind::ToolCall, part.function_call.arguments.bytes);
            // A call whose arguments are streamed goes on without a name.
            if let Some(name) = part.function_call.name.take() {
                let id = part.function_call.id.take();
                delta.tool_calls.push(ToolCallDelta { choice, index: Some(self.calls), id, name: Some(name) });
                self.calls = self.calls.saturating_add(1);
            }
        }
        if part.tool_call.present {
            // A built-in tool that the provider ran, shown because the request asked for it.
            delta.add_visible(ContentKind::ToolCall, part.tool_call.arguments.bytes);
            delta.server_tool_calls = delta.server_tool_calls.saturating_add(1);
        }
        let media = part.inline_data.data.bytes + part.file_data.uri.bytes;
        let is_audio = part.inline_data.mime_type.bytes().starts_with(b"audio/");
        delta.add_text(if is_audio { ContentKind::Audio } else { ContentKind::Image }, media);
        if part.executable_code.present {
            delta.add_visible(ContentKind::Code, part.executable_code.code.bytes);
            delta.server_tool_calls = delta.server_tool_calls.saturating_add(1);
        }
        if part.code_result.present {
            delta.add_visible(ContentKind::Code, part.code_result.output.bytes);
        }
    }
}

/// The name of an enumerator, or its number in decimal; absent when it stands for "unspecified".
fn word_of<'a>(code: &mut Code<'a>) -> Option<Cow<'a, str>> {
    core::mem::take(code).label().filter(|word| word != "0" && !word.ends_with("_UNSPECIFIED"))
}

object! {
    struct Chunk<'a> {
        "candidates" => candidates: List<Candidate<'a>, 1>,
        "usageMetadata" | "usage_metadata" => usage: Maybe<Usage>,
        "modelVersion" | "model_version" => model_version: Str<'a>,
        "responseId" | "response_id" => response_id: Str<'a>,
        "promptFeedback" | "prompt_feedback" => prompt_feedback: PromptFeedback<'a>,
        "error" => error: ErrorField<'a>,
    }
}

object! {
    struct Candidate<'a> {
        "index" => index: Count,
        "content" => content: Content<'a>,
        // Some libraries send the number of the enum.
        "finishReason" | "finish_reason" => finish_reason: Code<'a>,
    }
}

object! {
    struct Content<'a> { "parts" => parts: List<Part<'a>, 1> }
}

object! {
    struct Part<'a> {
        "text" => text: Text,
        "thought" => thought: Flag,
        "functionCall" | "function_call" => function_call: FunctionCall<'a>,
        "toolCall" | "tool_call" => tool_call: ToolCall,
        "inlineData" | "inline_data" => inline_data: InlineData<'a>,
        "fileData" | "file_data" => file_data: FileData,
        "executableCode" | "executable_code" => executable_code: ExecutableCode,
        "codeExecutionResult" | "code_execution_result" => code_result: CodeResult,
    }
}

object! {
    struct FunctionCall<'a> {
        "name" => name: Str<'a>,
        "id" => id: Str<'a>,
        "args" | "partialArgs" | "partial_args" => arguments: Payload,
    }
}

object! {
    struct ToolCall { "args" => arguments: Payload }
}

object! {
    struct InlineData<'a> {
        "mimeType" | "mime_type" => mime_type: Str<'a>,
        "data" => data: Text,
    }
}

object! {
    struct FileData { "fileUri" | "file_uri" => uri: Text }
}

object! {
    struct ExecutableCode { "code" => code: Text }
}

object! {
    struct CodeResult { "output" => output: Text }
}

object! {
    struct PromptFeedback<'a> { "blockReason" | "block_reason" => block_reason: Code<'a> }
}

object! {
    struct Usage {
        "promptTokenCount" | "prompt_token_count" => prompt: Count,
        "cachedContentTokenCount" | "cached_content_token_count" => cached: Count,
        "candidatesTokenCount" | "candidates_token_count" => candidates: Count,
        "thoughtsTokenCount" | "thoughts_token_count" => thoughts: Count,
        "toolUsePromptTokenCount" | "tool_use_prompt_token_count" => tool_use_prompt: Count,
        "totalTokenCount" | "total_token_count" => total: Count,
    }
}

impl Usage {
    /// The counts of this report, over those of the ones before it.
    fn report(&self, known: &mut RawUsage) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let counts = RawUsage {
            input: tally.take(self.prompt),
            output: tally.take(self.candidates),
            cache_read: tally.take(self.cached),
            reasoning: tally.take(self.thoughts),
            total: tally.take(self.total),
            tool_use_prompt: tally.take(self.tool_use_prompt),
            ..RawUsage::default()
        };
        if counts.is_empty() && tally.rejected == 0 {
            return None;
        }
        known.merge(&counts);
        ACCOUNTING.report(*known, tally.rejected)
    }
}

/// Cached tokens are part of the prompt. Thoughts are counted beside the candidates, and what tools of the provider put in
/// beside the prompt: total = prompt + tool use + candidates + thoughts, by the reference of `UsageMetadata`.
pub(super) const ACCOUNTING: Accounting =
    Accounting { cache: Counted::Included, reasoning: Counted::Apart, tool_input: Counted::Apart, ..Accounting::PLAIN };

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(decoder: &mut Gemini, json: &'a [u8], body: bool) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json), body);
        delta
    }

    #[test]
    fn only_true_makes_a_thought() {
        let mut decoder = Gemini::default();
        let delta = read(
            &mut decoder,
            br#"{"candidates":[{"content":{"parts":[{"text":"a","thought":"true"},{"text":"bc","thought":true}]}}]}"#,
            false,
        );
        assert_eq!((delta.bytes[0], delta.bytes[1]), (1, 2));
    }

    #[test]
    fn thoughts_and_tool_input_are_added() {
        let mut decoder = Gemini::default();
        let json = br#"{"usageMetadata":{"promptTokenCount":5,"toolUsePromptTokenCount":7,"candidatesTokenCount":2,"thoughtsTokenCount":3}}"#;
        let usage = read(&mut decoder, json, false).usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(12), Some(5)));
        assert!(read(&mut decoder, br#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#, false).usage.is_none());
    }

    #[test]
    fn sums_are_of_the_last_count_of_each_kind() {
        let mut decoder = Gemini::default();
        let mut output = |json: &[u8]| read(&mut decoder, json, false).usage.unwrap().output_tokens;
        assert_eq!(output(br#"{"usageMetadata":{"promptTokenCount":5,"thoughtsTokenCount":30}}"#), Some(30));
        assert_eq!(output(br#"{"usageMetadata":{"candidatesTokenCount":7}}"#), Some(37));
        assert_eq!(output(br#"{"usageMetadata":{"candidatesTokenCount":9,"thoughtsTokenCount":31}}"#), Some(40));
    }

    #[test]
    fn a_blocked_prompt_ends_the_answer() {
        let delta = read(&mut Gemini::default(), br#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, false);
        assert_eq!(delta.terminal, Terminal::Yes);
        assert_eq!(delta.block_reason.as_deref(), Some("SAFETY"));
    }

    #[test]
    fn streamed_arguments_go_on_without_a_name() {
        let mut decoder = Gemini::default();
        let mut part = |json: &str| {
            let json = alloc::format!(r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{json}}}]}}}}]}}"#);
            let delta = read(&mut decoder, json.as_bytes(), false);
            (delta.tool_calls.len(), delta.visible.contains(ContentKind::ToolCall))
        };
        assert_eq!(part(r#"{"name":"f","willContinue":true}"#), (1, true));
        assert_eq!(part(r#"{"partialArgs":[{"jsonPath":"$.a","stringValue":"x"}],"willContinue":true}"#), (0, true));
        assert_eq!(part("{}"), (0, false));
        assert_eq!(part(r#"{"name":"f"}"#), (1, true));
    }

    #[test]
    fn both_spellings_are_read() {
        let json = br#"{"response_id":"r","model_version":"m","candidates":[{"finish_reason":"STOP","content":{"parts":[{"function_call":{"name":"f","args":{}}},{"inline_data":{"mime_type":"audio/wav","data":"abcd"}}]}}],"usage_metadata":{"prompt_token_count":3,"candidates_token_count":2,"thoughts_token_count":null}}"#;
        let delta = read(&mut Gemini::default(), json, false);
        assert_eq!((delta.response_id.as_deref(), delta.response_model.as_deref()), (Some("r"), Some("m")));
        assert_eq!((delta.tool_calls.len(), delta.bytes[6]), (1, 4));
        assert_eq!(delta.choices[0].finish_reason.as_deref(), Some("STOP"));
        let usage = delta.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.reasoning_tokens), (Some(3), Some(2), None));
    }

    #[test]
    fn enumerators_may_be_numbers_and_unspecified_is_none() {
        let reason = |json: &'static str| {
            let delta = read(&mut Gemini::default(), json.as_bytes(), false);
            delta.choices[0].finish_reason.as_deref().map(alloc::string::String::from)
        };
        assert_eq!(reason(r#"{"candidates":[{"finishReason":1}]}"#).as_deref(), Some("1"));
        assert_eq!(reason(r#"{"candidates":[{"finishReason":0}]}"#), None);
        assert_eq!(reason(r#"{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}"#), None);
    }

    #[test]
    fn tools_of_the_provider_are_counted_apart() {
        let json = br#"{"candidates":[{"content":{"parts":[{"toolCall":{"toolType":"GOOGLE_SEARCH_WEB","args":{}}},{"toolResponse":{}},{"executableCode":{"code":"1"}},{"codeExecutionResult":{"output":"1"}}]}}]}"#;
        let delta = read(&mut Gemini::default(), json, false);
        assert_eq!((delta.server_tool_calls, delta.tool_calls.len(), delta.bytes[4]), (2, 0, 2));
    }
}
