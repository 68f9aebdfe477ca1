//! `vercel.ui_message`: the UI message stream of the Vercel AI SDK, version 1 (`ai` 5 and later).
//!
//! It carries one message of an application to its user interface, over all steps of the model behind it. Chunk types and
//! their fields are those of `uiMessageChunkSchema` in `packages/ai/src/ui-message-stream/ui-message-chunks.ts`. There is
//! no usage but what the application puts into the metadata of the message, and no whole body but that of an error.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Counted, Tally};
use super::error::ErrorField;
use super::lenient::{Code, Count, Flag, Payload, Rare, Str, Text, kinds, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one chunk has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct VercelUiMessage {
    /// Hashes of the ids of tool calls whose input has begun and is not complete.
    open_calls: Vec<u32>,
    /// Calls that had begun when there was no room in the list.
    forgotten_calls: u32,
    /// Whether the server gave up the message.
    aborted: bool,
}

impl VercelUiMessage {
    /// Reads one chunk or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        let mut chunk = Chunk::default();
        match json.fill(&mut chunk) {
            Some(()) => self.write(delta, &mut chunk, body),
            None => delta.decode_errors = 1,
        }
    }

    /// What `[DONE]` says: the SDK writes it whenever the stream closes, also behind an `abort`.
    pub(super) fn done(&self) -> Terminal {
        if self.aborted { Terminal::No } else { Terminal::Yes }
    }

    fn write<'a>(&mut self, delta: &mut Delta<'a>, chunk: &mut Chunk<'a>, body: bool) {
        delta.chunk = true;
        if chunk.kind.is("text-delta") {
            // Parts of `fullStream` have `text` in place of `delta`.
            delta.add_text(ContentKind::Text, chunk.delta.bytes.max(chunk.text.bytes));
            return;
        }
        match Kind::of(&chunk.kind.bytes()) {
            Some(Kind::Reasoning) => delta.add_text(ContentKind::Reasoning, chunk.delta.bytes.max(chunk.text.bytes)),
            Some(Kind::InputStart) => self.open(delta, chunk),
            Some(Kind::InputDelta) => delta.add_text(ContentKind::ToolCall, chunk.input_delta.bytes),
            // Input that the tool does not accept is still a call of the model.
            Some(Kind::Input) => self.complete(delta, chunk),
            Some(Kind::File) => chunk.add_file(delta),
            Some(Kind::ReasoningFile) => delta.add_text(ContentKind::Reasoning, chunk.url.text().len()),
            Some(Kind::Metadata) => chunk.add_metadata(delta),
            Some(Kind::Finish) => chunk.add_finish(delta),
            Some(Kind::FinishStep) => chunk.add_response(delta),
            // Whoever watches the stream did not ask for the end, and there is no answer: neither an error of a class nor
            // a finish, so that the stream counts as cut unless something says otherwise.
            Some(Kind::Abort) => {
                self.aborted = true;
                delta.incomplete_reason = Some(Cow::Borrowed("abort"));
            }
            Some(Kind::Error) => {
                let message = chunk.error_text.take();
                delta.error = Some(ErrorDelta { message, ..ErrorDelta::default() });
            }
            // What was begun in a step that the server tries again does not go on.
            Some(Kind::ResetStep) => {
                self.open_calls.clear();
                self.forgotten_calls = 0;
            }
            // No chunk of the protocol: an error body.
            None if chunk.kind.is_empty() => chunk.add_error(delta, body),
            // Starts and ends of parts and steps, tool approvals and outputs, sources, data of the application.
            None => {}
        }
    }

    /// Begins a call whose input follows in pieces.
    fn open<'a>(&mut self, delta: &mut Delta<'a>, chunk: &mut Chunk<'a>) {
        let hash = hash(&chunk.call_id.text());
        if self.open_calls.contains(&hash) {
            return;
        }
        if self.open_calls.len() < OPEN_CALLS {
            self.open_calls.push(hash);
        } else {
            self.forgotten_calls = self.forgotten_calls.saturating_add(1);
        }
        chunk.begin_call(delta);
    }

    /// Takes the whole input of a call, which begins with it when it did not come in pieces before.
    fn complete<'a>(&mut self, delta: &mut Delta<'a>, chunk: &mut Chunk<'a>) {
        let hash = hash(&chunk.call_id.text());
        if let Some(at) = self.open_calls.iter().position(|&open| open == hash) {
            self.open_calls.swap_remove(at);
        } else if self.forgotten_calls > 0 {
            self.forgotten_calls = self.forgotten_calls.saturating_sub(1);
        } else {
            chunk.begin_call(delta);
        }
    }
}

/// Tool calls told apart while their input streams.
const OPEN_CALLS: usize = 32;

/// FNV-1a, 32 bits.
fn hash(id: &str) -> u32 {
    id.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

kinds! {
    enum Kind {
        Abort = "abort",
        Error = "error",
        File = "file",
        Finish = "finish",
        FinishStep = "finish-step",
        Input = "tool-input-available" | "tool-input-error",
        InputDelta = "tool-input-delta",
        InputStart = "tool-input-start",
        Metadata = "start" | "message-metadata",
        Reasoning = "reasoning-delta",
        ReasoningFile = "reasoning-file",
        ResetStep = "reset-step",
    }
}

object! {
    struct Chunk<'a> {
        "type" => kind: Str<'a>,
        "delta" => delta: Text,
        "text" => text: Text,
        "inputTextDelta" => input_delta: Text,
        "toolCallId" => call_id: Str<'a>,
        "toolName" => tool_name: Str<'a>,
        "input" => input: Payload,
        "providerExecuted" => provider_executed: Flag,
        "messageId" => message_id: Str<'a>,
        "messageMetadata" => metadata: Rare<Metadata<'a>>,
        "finishReason" => finish_reason: Str<'a>,
        // Of a part of `fullStream`.
        "totalUsage" => total_usage: Rare<Usage>,
        "response" => response: Rare<Response<'a>>,
        "errorText" => error_text: Str<'a>,
        "url" => url: Str<'a>,
        "mediaType" => media_type: Str<'a>,
        // Of an error body, which the application or a gateway writes.
        "error" => error: ErrorField<'a>,
        "message" => error_message: Str<'a>,
        "code" => error_code: Code<'a>,
    }
}

object! {
    /// What `fullStream` says of the response behind a step.
    struct Response<'a> {
        "id" => id: Str<'a>,
        "modelId" => model_id: Str<'a>,
    }
}

object! {
    /// What the application says of its message. The shape is its own; these are the names of the SDK's documentation.
    struct Metadata<'a> {
        "totalUsage" => total_usage: Usage,
        "usage" => usage: Usage,
        "inputTokens" => input: Count,
        "outputTokens" => output: Count,
        "totalTokens" => total: Count,
        "model" => model: Str<'a>,
        "modelId" => model_id: Str<'a>,
        "finishReason" => finish_reason: Str<'a>,
    }
}

object! {
    /// `LanguageModelUsage` of the SDK.
    struct Usage {
        "inputTokens" => input: Count,
        "inputTokenDetails" => input_details: InputDetails,
        "outputTokens" => output: Count,
        "outputTokenDetails" => output_details: OutputDetails,
        "totalTokens" => total: Count,
        "cachedInputTokens" => cached: Count,
        "reasoningTokens" => reasoning: Count,
    }
}

object! {
    struct InputDetails {
        "cacheReadTokens" => cache_read: Count,
        "cacheWriteTokens" => cache_write: Count,
    }
}

object! {
    struct OutputDetails { "reasoningTokens" => reasoning: Count }
}

impl<'a> Chunk<'a> {
    fn begin_call(&mut self, delta: &mut Delta<'a>) {
        delta.add_visible(ContentKind::ToolCall, self.input.bytes);
        if self.provider_executed.0 {
            delta.server_tool_calls = delta.server_tool_calls.saturating_add(1);
        } else {
            let (id, name) = (self.call_id.take(), self.tool_name.take());
            delta.tool_calls.push(ToolCallDelta { choice: 0, index: None, id, name });
        }
    }

    /// A file is content when it is there itself, as a data URL, or is an image or a sound behind a link.
    fn add_file(&self, delta: &mut Delta<'a>) {
        let (url, media_type) = (self.url.text(), self.media_type.text());
        let data_type = url.strip_prefix("data:");
        let media_type = if media_type.is_empty() { data_type.unwrap_or_default() } else { media_type.as_ref() };
        if media_type.starts_with("audio/") {
            delta.add_text(ContentKind::Audio, url.len());
        } else if media_type.starts_with("image/") || data_type.is_some() {
            delta.add_text(ContentKind::Image, url.len());
        }
    }

    fn add_metadata(&mut self, delta: &mut Delta<'a>) {
        delta.response_id = self.message_id.take();
        if let Some(metadata) = &mut self.metadata.0 {
            delta.response_model = metadata.model.take().or_else(|| metadata.model_id.take());
            delta.usage = metadata.report();
        }
    }

    fn add_response(&mut self, delta: &mut Delta<'a>) {
        if let Some(response) = &mut self.response.0 {
            delta.response_id = response.id.take();
            delta.response_model = response.model_id.take();
        }
    }

    fn add_finish(&mut self, delta: &mut Delta<'a>) {
        self.add_metadata(delta);
        let total = self.total_usage.0.as_ref().and_then(|usage| usage.report());
        delta.usage = total.or(delta.usage.take());
        let said = self.finish_reason.take();
        // The chunk had no field of its own at first: applications put the reason into the metadata, as the SDK's examples
        // do.
        let finish_reason = said.or_else(|| self.metadata.0.as_mut()?.finish_reason.take());
        if finish_reason.as_deref() == Some("error") {
            delta.error = Some(ErrorDelta::default());
        } else {
            delta.terminal = Terminal::Yes;
        }
        delta.choices.push(ChoiceDelta { index: 0, finish_reason });
    }

    fn add_error(&mut self, delta: &mut Delta<'a>, body: bool) {
        delta.whole = body;
        delta.error = self.error.take();
        if delta.error.is_none() && !self.error_message.is_empty() {
            delta.error =
                Some(ErrorField::of_parts(&mut Str::default(), &mut self.error_code, &mut self.error_message));
        }
    }
}

impl Metadata<'_> {
    /// The usage of all steps before that of one; counts beside the rest of the metadata when there is neither.
    fn report(&self) -> Option<UsageReport> {
        let own = Usage { input: self.input, output: self.output, total: self.total, ..Usage::default() };
        self.total_usage.report().or_else(|| self.usage.report()).or_else(|| own.report())
    }
}

impl Usage {
    fn report(&self) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let (cached, reasoning) = (tally.take(self.cached), tally.take(self.reasoning));
        let raw = RawUsage {
            input: tally.take(self.input),
            output: tally.take(self.output),
            cache_read: tally.take(self.input_details.cache_read).or(cached),
            cache_write: tally.take(self.input_details.cache_write),
            reasoning: tally.take(self.output_details.reasoning).or(reasoning),
            total: tally.take(self.total),
            ..RawUsage::default()
        };
        ACCOUNTING.report(raw, tally.rejected)
    }
}

/// Input includes what the cache gave and took, and output includes reasoning: the details are parts of their totals in
/// `LanguageModelUsage` (`packages/ai/src/types/usage.ts`). Version 5 has the details beside them under other names, and
/// passes the provider's own input on.
pub(super) const ACCOUNTING: Accounting =
    Accounting { cache: Counted::Included, reasoning: Counted::Included, ..Accounting::PLAIN };

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(decoder: &mut VercelUiMessage, json: &'a str) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json.as_bytes()), false);
        delta
    }

    fn first(json: &str) -> Delta<'_> {
        read(&mut VercelUiMessage::default(), json)
    }

    #[test]
    fn deltas_are_content_and_the_rest_is_not() {
        assert!(first(r#"{"type":"text-delta","id":"t","delta":"né"}"#).is_plain());
        for (json, bytes) in [
            (r#"{"type":"text-delta","id":"t","delta":"né"}"#, [3, 0, 0, 0, 0, 0, 0]),
            (r#"{"type":"text-delta","id":"t","text":"né"}"#, [3, 0, 0, 0, 0, 0, 0]),
            (r#"{"type":"reasoning-delta","id":"r","delta":"ab"}"#, [0, 2, 0, 0, 0, 0, 0]),
            (r#"{"type":"reasoning-delta","id":"r","text":"ab"}"#, [0, 2, 0, 0, 0, 0, 0]),
            (r#"{"type":"tool-input-delta","toolCallId":"c","inputTextDelta":"{\"a"}"#, [0, 0, 3, 0, 0, 0, 0]),
        ] {
            assert_eq!(first(json).bytes, bytes, "{json}");
        }
        for silent in [
            r#"{"type":"start"}"#,
            r#"{"type":"start-step"}"#,
            r#"{"type":"finish-step"}"#,
            r#"{"type":"text-start","id":"t"}"#,
            r#"{"type":"text-delta","id":"t","delta":""}"#,
            r#"{"type":"source-url","sourceId":"s","url":"https://a.example"}"#,
            r#"{"type":"source-document","sourceId":"s","mediaType":"image/png","title":"t"}"#,
            r#"{"type":"data-weather","data":{"text":"rain"}}"#,
            r#"{"type":"tool-output-available","toolCallId":"c","output":"rain"}"#,
            r#"{"type":"tool-output-error","toolCallId":"c","errorText":"no"}"#,
            r#"{"type":"tool-approval-request","approvalId":"a","toolCallId":"c"}"#,
            r#"{"type":"custom","kind":"p.k"}"#,
        ] {
            let delta = first(silent);
            assert!(delta.chunk && delta.visible.is_empty() && delta.error.is_none(), "{silent}");
            assert_eq!((delta.terminal, delta.tool_calls.len()), (Terminal::No, 0), "{silent}");
        }
    }

    #[test]
    fn a_call_begins_once() {
        let mut decoder = VercelUiMessage::default();
        let start = read(&mut decoder, r#"{"type":"tool-input-start","toolCallId":"a","toolName":"look"}"#);
        assert!(start.visible.contains(ContentKind::ToolCall));
        let call = &start.tool_calls[0];
        assert_eq!((call.id.as_deref(), call.name.as_deref(), call.index), (Some("a"), Some("look"), None));
        let complete = r#"{"type":"tool-input-available","toolCallId":"a","toolName":"look","input":{"q":1}}"#;
        let again = read(&mut decoder, r#"{"type":"tool-input-start","toolCallId":"a","toolName":"look"}"#);
        assert!(again.visible.is_empty() && again.tool_calls.is_empty());
        let available = read(&mut decoder, complete);
        assert!(available.visible.is_empty() && available.tool_calls.is_empty());
        let other = read(
            &mut decoder,
            r#"{"type":"tool-input-error","toolCallId":"b","toolName":"look","input":"x","errorText":"e"}"#,
        );
        assert_eq!((other.bytes[2], other.tool_calls.len()), (1, 1));
        assert!(other.error.is_none());
        let server = read(
            &mut decoder,
            r#"{"type":"tool-input-available","toolCallId":"c","toolName":"web","input":{},"providerExecuted":true}"#,
        );
        assert_eq!((server.server_tool_calls, server.tool_calls.len()), (1, 0));
        assert!(server.visible.contains(ContentKind::ToolCall));
    }

    #[test]
    fn calls_past_the_cap_begin_once_too() {
        let mut decoder = VercelUiMessage::default();
        let ids: Vec<_> = (0..100).map(|id| alloc::format!(r#""toolCallId":"call_{id}","toolName":"f"}}"#)).collect();
        let mut begun = 0;
        for kind in ["tool-input-start", "tool-input-available", "tool-input-available"] {
            for id in &ids {
                begun += read(&mut decoder, &alloc::format!(r#"{{"type":"{kind}",{id}"#)).tool_calls.len();
            }
            assert!(decoder.open_calls.len() <= OPEN_CALLS);
            if kind == "tool-input-start" {
                assert_eq!((begun, decoder.forgotten_calls), (100, 68));
            }
        }
        assert_eq!((begun, decoder.open_calls.len(), decoder.forgotten_calls), (200, 0, 0));
    }

    #[test]
    fn a_step_tried_again_forgets_its_calls() {
        let mut decoder = VercelUiMessage::default();
        read(&mut decoder, r#"{"type":"tool-input-start","toolCallId":"a","toolName":"f"}"#);
        read(&mut decoder, r#"{"type":"reset-step"}"#);
        let again = read(&mut decoder, r#"{"type":"tool-input-available","toolCallId":"a","toolName":"f","input":{}}"#);
        assert_eq!(again.tool_calls.len(), 1);
    }

    #[test]
    fn files_are_media() {
        let kinds = |json: &'static str| first(json).bytes[5..].to_vec();
        assert_eq!(kinds(r#"{"type":"file","url":"data:image/png;base64,AA==","mediaType":"image/png"}"#), [26, 0]);
        assert_eq!(kinds(r#"{"type":"file","url":"data:audio/wav;base64,AA=="}"#), [0, 26]);
        assert_eq!(kinds(r#"{"type":"file","url":"https://a.example/b","mediaType":"image/png"}"#), [19, 0]);
        assert_eq!(kinds(r#"{"type":"file","url":"data:text/csv,a","mediaType":"text/csv"}"#), [15, 0]);
        assert_eq!(kinds(r#"{"type":"file","url":"https://a.example/b","mediaType":"text/csv"}"#), [0, 0]);
        assert_eq!(first(r#"{"type":"reasoning-file","url":"data:,a","mediaType":"image/png"}"#).bytes[1], 7);
    }

    #[test]
    fn the_end_is_a_finish_and_not_a_step_or_an_abort() {
        let mut decoder = VercelUiMessage::default();
        let finish = read(&mut decoder, r#"{"type":"finish","finishReason":"stop"}"#);
        assert_eq!((finish.terminal, finish.choices[0].finish_reason.as_deref()), (Terminal::Yes, Some("stop")));
        assert_eq!(first(r#"{"type":"finish"}"#).terminal, Terminal::Yes);
        let in_metadata = first(r#"{"type":"finish","messageMetadata":{"finishReason":"length"}}"#);
        assert_eq!(in_metadata.choices[0].finish_reason.as_deref(), Some("length"));
        let failed = first(r#"{"type":"finish","finishReason":"error"}"#);
        assert!(failed.error.is_some() && failed.terminal == Terminal::No);
        assert_eq!(decoder.done(), Terminal::Yes);
        let abort = read(&mut decoder, r#"{"type":"abort","reason":"user"}"#);
        assert!(abort.chunk && abort.error.is_none() && abort.terminal == Terminal::No);
        assert_eq!((abort.incomplete_reason.as_deref(), decoder.done()), (Some("abort"), Terminal::No));
    }

    #[test]
    fn metadata_may_name_the_model_and_its_usage() {
        let delta = first(
            r#"{"type":"finish","messageMetadata":{"modelId":"m","usage":{"inputTokens":1},"totalUsage":{"inputTokens":90,"inputTokenDetails":{"noCacheTokens":20,"cacheReadTokens":60,"cacheWriteTokens":10},"outputTokens":8,"outputTokenDetails":{"textTokens":5,"reasoningTokens":3},"totalTokens":98,"cachedInputTokens":60}}}"#,
        );
        assert_eq!(delta.response_model.as_deref(), Some("m"));
        let usage = delta.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(90), Some(8)));
        assert_eq!((usage.cache_read_tokens, usage.cache_write_tokens), (Some(60), Some(10)));
        assert_eq!((usage.reasoning_tokens, usage.raw.unwrap().total), (Some(3), Some(98)));
        let five = first(
            r#"{"type":"message-metadata","messageMetadata":{"usage":{"inputTokens":9,"cachedInputTokens":4,"outputTokens":5,"reasoningTokens":2}}}"#,
        );
        let usage = five.usage.unwrap();
        assert_eq!((usage.cache_read_tokens, usage.reasoning_tokens), (Some(4), Some(2)));
        let total = first(r#"{"type":"finish","messageMetadata":{"totalTokens":12}}"#).usage.unwrap();
        assert_eq!((total.input_tokens, total.raw.unwrap().total), (None, Some(12)));
        let start =
            first(r#"{"type":"start","messageId":"msg_1","messageMetadata":{"createdAt":1,"model":{"id":"m"}}}"#);
        assert_eq!(
            (start.response_id.as_deref(), start.response_model, start.usage.is_none()),
            (Some("msg_1"), None, true)
        );
    }

    #[test]
    fn steps_of_a_full_stream_name_their_response() {
        let step = first(
            r#"{"type":"finish-step","finishReason":"stop","usage":{"inputTokens":1},"response":{"id":"chatcmpl-1","timestamp":"2026-01-01T00:00:00Z","modelId":"gpt-4.1-mini","headers":{"x":"y"}}}"#,
        );
        assert_eq!(step.response_id.as_deref(), Some("chatcmpl-1"));
        assert_eq!(step.response_model.as_deref(), Some("gpt-4.1-mini"));
        assert!(step.usage.is_none() && step.terminal == Terminal::No, "those of all steps come with the end");
    }

    #[test]
    fn errors_are_chunks_or_bodies() {
        let error = |json: &'static str| first(json).error.unwrap();
        assert_eq!(
            error(r#"{"type":"error","errorText":"An error occurred."}"#).message.as_deref(),
            Some("An error occurred.")
        );
        assert_eq!(error(r#"{"error":{"type":"rate_limit","message":"m"}}"#).error_type.as_deref(), Some("rate_limit"));
        assert_eq!(error(r#"{"code":"rate_limit:chat","message":"m"}"#).error_type.as_deref(), Some("rate_limit:chat"));
        assert!(first(r#"{"ok":true}"#).error.is_none());
        assert_eq!(first("{").decode_errors, 1);
    }
}
