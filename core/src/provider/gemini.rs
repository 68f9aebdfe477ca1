//! `gemini.generate_content`: Gemini at AI Studio and Vertex.
//!
//! Every chunk is a whole `GenerateContentResponse`, with usage counted up to then. There is no end marker.

use serde::{Deserialize, Serialize};

use super::error::ErrorField;
use super::lenient::{Code, Count, Flag, List, Payload, Str, Text, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one chunk has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Gemini {
    /// Function calls so far: they come whole and without an index.
    calls: u32,
}

impl Gemini {
    pub(super) fn decode<'a>(&mut self, json: Input<'a>, body: bool) -> Delta<'a> {
        let mut chunk = Chunk::default();
        match json.fill(&mut chunk) {
            Some(()) => self.delta(&mut chunk, body),
            None => Delta::undecodable(),
        }
    }

    fn delta<'a>(&mut self, chunk: &mut Chunk<'a>, body: bool) -> Delta<'a> {
        let mut delta = Delta::chunk();
        delta.whole = body;
        delta.response_id = chunk.response_id.take();
        delta.response_model = chunk.model_version.take();
        delta.usage = chunk.usage.report();
        delta.error = chunk.error.take();
        delta.block_reason = chunk.prompt_feedback.block_reason.take();
        for (position, candidate) in chunk.candidates.0.iter_mut().enumerate() {
            let index = candidate.index.index().or_else(|| u32::try_from(position).ok()).unwrap_or(u32::MAX);
            for part in &mut candidate.content.parts.0 {
                self.add_part(&mut delta, index, part);
            }
            let finish_reason = core::mem::take(&mut candidate.finish_reason).label();
            delta.choices.push(ChoiceDelta { index, finish_reason });
        }
        delta.terminal = if delta.error.is_some() {
            Terminal::No
        } else if body || (delta.block_reason.is_some() && delta.choices.is_empty()) {
            // A blocked prompt has no candidates that could finish.
            Terminal::Yes
        } else {
            Terminal::WhenEveryChoiceFinished
        };
        delta
    }

    fn add_part<'a>(&mut self, delta: &mut Delta<'a>, choice: u32, part: &mut Part<'a>) {
        if part.thought.0 {
            // A model that shows only that it thinks has begun to answer: the flag counts without any text.
            delta.add_visible(ContentKind::Reasoning, part.text.bytes);
        } else {
            delta.add_text(ContentKind::Text, part.text.bytes);
        }
        if part.function_call.present {
            delta.add_visible(ContentKind::ToolCall, part.function_call.arguments.bytes);
            // A call whose arguments are streamed goes on without a name.
            if let Some(name) = part.function_call.name.take() {
                let id = part.function_call.id.take();
                delta.tool_calls.push(ToolCallDelta { choice, index: Some(self.calls), id, name: Some(name) });
                self.calls = self.calls.saturating_add(1);
            }
        }
        let media = part.inline_data.data.bytes + part.file_data.uri.bytes;
        let is_audio = part.inline_data.mime_type.text().starts_with("audio/");
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

object! {
    struct Chunk<'a> {
        "candidates" => candidates: List<Candidate<'a>, 1>,
        "usageMetadata" => usage: Usage,
        "modelVersion" => model_version: Str<'a>,
        "responseId" => response_id: Str<'a>,
        "promptFeedback" => prompt_feedback: PromptFeedback<'a>,
        "error" => error: ErrorField<'a>,
    }
}

object! {
    struct Candidate<'a> {
        "index" => index: Count,
        "content" => content: Content<'a>,
        // Some libraries send the number of the enum.
        "finishReason" => finish_reason: Code<'a>,
    }
}

object! {
    struct Content<'a> { "parts" => parts: List<Part<'a>, 1> }
}

object! {
    struct Part<'a> {
        "text" => text: Text,
        "thought" => thought: Flag,
        "functionCall" => function_call: FunctionCall<'a>,
        "inlineData" => inline_data: InlineData<'a>,
        "fileData" => file_data: FileData,
        "executableCode" => executable_code: ExecutableCode,
        "codeExecutionResult" => code_result: CodeResult,
    }
}

object! {
    struct FunctionCall<'a> {
        "name" => name: Str<'a>,
        "id" => id: Str<'a>,
        "args" | "partialArgs" => arguments: Payload,
    }
}

object! {
    struct InlineData<'a> {
        "mimeType" => mime_type: Str<'a>,
        "data" => data: Text,
    }
}

object! {
    struct FileData { "fileUri" => uri: Text }
}

object! {
    struct ExecutableCode { "code" => code: Text }
}

object! {
    struct CodeResult { "output" => output: Text }
}

object! {
    struct PromptFeedback<'a> { "blockReason" => block_reason: Str<'a> }
}

object! {
    struct Usage {
        "promptTokenCount" => prompt: Count,
        "cachedContentTokenCount" => cached: Count,
        "candidatesTokenCount" => candidates: Count,
        "thoughtsTokenCount" => thoughts: Count,
        "toolUsePromptTokenCount" => tool_use_prompt: Count,
        "totalTokenCount" => total: Count,
    }
}

impl Usage {
    /// Cached tokens are part of the prompt. Thoughts are counted beside the candidates, and what tools of the provider
    /// put in beside the prompt: total = prompt + tool use + candidates + thoughts.
    fn report(&self) -> Option<UsageReport> {
        let mut rejected = 0;
        let mut take = |count: Count| count.tally(&mut rejected);
        let raw = RawUsage {
            input: take(self.prompt),
            output: take(self.candidates),
            cache_read: take(self.cached),
            reasoning: take(self.thoughts),
            total: take(self.total),
            tool_use_prompt: take(self.tool_use_prompt),
            ..RawUsage::default()
        };
        if raw.is_empty() && rejected == 0 {
            return None;
        }
        Some(UsageReport {
            input_tokens: sum(raw.input, raw.tool_use_prompt),
            output_tokens: sum(raw.output, raw.reasoning),
            cache_read_tokens: raw.cache_read,
            reasoning_tokens: raw.reasoning,
            raw: Some(raw),
            rejected,
            ..UsageReport::default()
        })
    }
}

/// The sum of what is known; absent when nothing is.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        _ => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_makes_a_thought() {
        let mut decoder = Gemini::default();
        let delta = decoder.decode(Input::Json(br#"{"candidates":[{"content":{"parts":[{"text":"a","thought":"true"},{"text":"bc","thought":true}]}}]}"#),
            false,
        );
        assert_eq!((delta.bytes[0], delta.bytes[1]), (1, 2));
    }

    #[test]
    fn thoughts_and_tool_input_are_added() {
        let mut decoder = Gemini::default();
        let json = br#"{"usageMetadata":{"promptTokenCount":5,"toolUsePromptTokenCount":7,"candidatesTokenCount":2,"thoughtsTokenCount":3}}"#;
        let usage = decoder.decode(Input::Json(json), false).usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(12), Some(5)));
        assert!(
            decoder.decode(Input::Json(br#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#), false).usage.is_none()
        );
    }

    #[test]
    fn a_blocked_prompt_ends_the_answer() {
        let delta = Gemini::default().decode(Input::Json(br#"{"promptFeedback":{"blockReason":"SAFETY"}}"#), false);
        assert_eq!(delta.terminal, Terminal::Yes);
        assert_eq!(delta.block_reason.as_deref(), Some("SAFETY"));
    }
}
