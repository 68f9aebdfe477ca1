//! `openai.responses`: the Responses API of OpenAI and compatible servers.
//!
//! Every event says what it is; the terminal ones carry the whole response again, of which only the facts are read.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::accounting::Tally;
use super::error::{ErrorField, bare_error};
use super::lenient::{Code, Count, List, Payload, Rare, Str, Text, kinds, object};
use super::openai_usage::{ACCOUNTING, Cost, cost_nanos};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one event has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct OpenAiResponses {
    /// The output items whose beginning has been seen, one bit per index. Later ones count as seen.
    begun: u64,
    /// The output items of which content has been seen, likewise.
    told: u64,
}

impl OpenAiResponses {
    /// Reads one event, one whole response or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        let mut event = Event::default();
        match json.fill(&mut event) {
            Some(()) => self.write(delta, &mut event, json, body),
            None => delta.decode_errors = 1,
        }
    }

    fn write<'a>(&mut self, delta: &mut Delta<'a>, event: &mut Event<'a>, json: Input<'a>, body: bool) {
        delta.chunk = true;
        let index = event.output_index.index();
        if event.kind.is("response.output_text.delta") {
            // Nearly every event is one of these.
            if event.delta.bytes > 0 {
                self.tell(index);
                delta.add_visible(ContentKind::Text, event.delta.bytes);
            }
            return;
        }
        let kind = event.kind.bytes();
        match EventKind::of(&kind) {
            // No event: a whole response, or an error body.
            None if kind.is_empty() => whole(delta, json, body),
            Some(EventKind::ItemAdded) => {
                self.begin(index);
                event.item.add_call(delta, index);
            }
            Some(EventKind::ItemDone) => {
                // Some servers leave out the event that adds the item.
                if self.begin(index) {
                    event.item.add_call(delta, index);
                }
                // And some the deltas of its content.
                if self.tell(index) {
                    event.item.add_content(delta);
                }
            }
            Some(EventKind::PartAdded) => {
                if !event.part.is_empty() && self.tell(index) {
                    event.part.add_to(delta, ContentKind::Text);
                }
            }
            Some(EventKind::Error) => {
                delta.error = event
                    .error
                    .take_beside(&mut Str::default(), &mut event.code)
                    .or_else(|| Some(ErrorField::of_parts(&mut Str::default(), &mut event.code, &mut event.message)));
            }
            Some(EventKind::Completed) => event.response.add_end(delta, "completed"),
            Some(EventKind::Incomplete) => event.response.add_end(delta, "incomplete"),
            Some(EventKind::Failed) => event.response.add_end(delta, "failed"),
            Some(EventKind::Cancelled) => event.response.add_end(delta, "cancelled"),
            None => {
                let (content, bytes) = event.content(&kind);
                if bytes > 0 {
                    self.tell(index);
                    delta.add_visible(content, bytes);
                } else if event.response.present {
                    event.response.add_identity(delta);
                } else if body {
                    delta.error = bare_error(json);
                    delta.whole = delta.error.is_some();
                }
            }
        }
    }

    /// Notes that the item has begun; whether that is news.
    fn begin(&mut self, index: Option<u32>) -> bool {
        note(&mut self.begun, index)
    }

    /// Notes that content of the item has come; whether that is news. Content without an index may be of any item.
    fn tell(&mut self, index: Option<u32>) -> bool {
        if index.is_none() {
            self.told = u64::MAX;
        }
        note(&mut self.told, index)
    }
}

/// Sets the bit of an item; whether it was not set. An item without a bit is taken for a known one.
fn note(items: &mut u64, index: Option<u32>) -> bool {
    let bit = index.and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0);
    let news = bit != 0 && *items & bit == 0;
    *items |= bit;
    news
}

/// Reads a whole response: the facts of a terminal event, and the items that a stream would have brought before.
fn whole<'a>(delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
    let (mut response, mut output) = (Response::default(), Output::default());
    if json.fill(&mut response).is_none() || json.fill(&mut output).is_none() {
        (delta.chunk, delta.decode_errors) = (false, 1);
        return;
    }
    if response.status.is_empty() && output.items.0.is_empty() {
        let error = response.error.take_beside(&mut Str::default(), &mut output.code);
        delta.error = error.or_else(|| bare_error(json));
        delta.whole = body;
        return;
    }
    delta.whole = true;
    for (position, item) in output.items.0.iter_mut().enumerate() {
        item.add_content(delta);
        item.add_call(delta, u32::try_from(position).ok());
    }
    if !delta.visible.contains(ContentKind::Text) {
        delta.add_text(ContentKind::Text, output.text.bytes);
    }
    response.add_end(delta, "");
}

kinds! {
    enum EventKind {
        Cancelled = "response.cancelled",
        Completed = "response.completed",
        Error = "error",
        Failed = "response.failed",
        Incomplete = "response.incomplete",
        ItemAdded = "response.output_item.added",
        ItemDone = "response.output_item.done",
        PartAdded = "response.content_part.added" | "response.reasoning_summary_part.added",
    }
}

kinds! {
    /// Events that bring content, by what it is.
    enum ContentEvent {
        Audio = "response.audio.delta"
            | "response.audio.transcript.delta"
            | "response.output_audio.delta"
            | "response.output_audio_transcript.delta",
        Code = "response.code_interpreter_call_code.delta",
        Image = "response.image_generation_call.partial_image",
        Reasoning = "response.reasoning_text.delta" | "response.reasoning_summary_text.delta",
        Refusal = "response.refusal.delta",
        ToolCall = "response.function_call_arguments.delta"
            | "response.custom_tool_call_input.delta"
            | "response.mcp_call_arguments.delta"
            | "response.shell_call_command.delta"
            | "response.apply_patch_call_operation_diff.delta",
    }
}

object! {
    struct Event<'a> {
        "type" => kind: Str<'a>,
        "delta" => delta: Text,
        "output_index" => output_index: Count,
        "item" => item: Item<'a>,
        "part" => part: Part<'a>,
        "partial_image_b64" => partial_image: Text,
        "response" => response: Response<'a>,
        "error" => error: ErrorField<'a>,
        // Of an `error` event without an object.
        "code" => code: Code<'a>,
        "message" => message: Str<'a>,
    }
}

object! {
    struct Response<'a> {
        "id" => id: Str<'a>,
        "model" => model: Str<'a>,
        "status" => status: Str<'a>,
        "usage" => usage: Rare<Usage>,
        "error" => error: ErrorField<'a>,
        "incomplete_details" => incomplete: Incomplete<'a>,
    }
}

object! {
    struct Output<'a> {
        "output" => items: List<Item<'a>, 0>,
        // All the text once more, at SDKs and some servers.
        "output_text" => text: Text,
        // Of an error that is text.
        "code" => code: Code<'a>,
    }
}

kinds! {
    enum ItemKind {
        /// That the client has to make.
        ClientCall = "function_call"
            | "custom_tool_call"
            | "computer_call"
            | "local_shell_call"
            | "shell_call"
            | "apply_patch_call",
        Image = "image_generation_call",
        Program = "program",
        Reasoning = "reasoning",
    }
}

object! {
    struct Item<'a> {
        "type" => kind: Str<'a>,
        "id" => id: Str<'a>,
        "role" => role: Str<'a>,
        "call_id" => call_id: Str<'a>,
        "name" => name: Str<'a>,
        "arguments" | "input" => arguments: Payload,
        "content" => content: List<Part<'a>, 0>,
        "summary" => summary: List<Part<'a>, 0>,
        "result" => result: Text,
        "code" => code: Text,
    }
}

object! {
    struct Part<'a> {
        "type" => kind: Str<'a>,
        "text" => text: Text,
        "refusal" => refusal: Text,
    }
}

object! {
    struct Incomplete<'a> { "reason" => reason: Str<'a> }
}

object! {
    struct Usage {
        "input_tokens" => input: Count,
        "input_tokens_details" => input_details: InputDetails,
        "output_tokens" => output: Count,
        "output_tokens_details" => output_details: OutputDetails,
        "total_tokens" => total: Count,
        "cost" => cost: Cost,
        "cost_in_usd_ticks" => cost_ticks: Count,
    }
}

object! {
    struct InputDetails {
        "cached_tokens" => cached: Count,
        "cache_write_tokens" | "cache_creation_tokens" => cache_write: Count,
    }
}

object! {
    struct OutputDetails { "reasoning_tokens" => reasoning: Count }
}

impl Usage {
    /// Counts as in chat completions, with the same exception.
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

impl<'a> Response<'a> {
    fn add_identity(&mut self, delta: &mut Delta<'a>) {
        delta.response_id = self.id.take();
        delta.response_model = self.model.take();
    }

    /// Adds what a terminal event says; its name stands in for a status that is left out. A response that failed is an
    /// error, not a clean end.
    fn add_end(&mut self, delta: &mut Delta<'a>, named: &'static str) {
        self.add_identity(delta);
        delta.incomplete_reason = self.incomplete.reason.take();
        if let Some(usage) = &self.usage.0 {
            delta.usage = usage.report();
            delta.cost_nanos = cost_nanos(usage.cost, usage.cost_ticks);
        }
        delta.error = self.error.take();
        let status = self.status.take().unwrap_or(Cow::Borrowed(named));
        if status == "failed" {
            delta.error.get_or_insert_with(ErrorDelta::default);
        }
        if delta.error.is_none() {
            delta.terminal = Terminal::Yes;
        }
        delta.choices.push(ChoiceDelta { index: 0, finish_reason: Some(status).filter(|status| !status.is_empty()) });
    }
}

impl Event<'_> {
    /// The content of an event that brings some, and its size.
    fn content(&self, kind: &[u8]) -> (ContentKind, usize) {
        let bytes = self.delta.bytes;
        match ContentEvent::of(kind) {
            Some(ContentEvent::Audio) => (ContentKind::Audio, bytes),
            Some(ContentEvent::Code) => (ContentKind::Code, bytes),
            Some(ContentEvent::Image) => (ContentKind::Image, self.partial_image.bytes),
            Some(ContentEvent::Reasoning) => (ContentKind::Reasoning, bytes),
            Some(ContentEvent::Refusal) => (ContentKind::Refusal, bytes),
            Some(ContentEvent::ToolCall) => (ContentKind::ToolCall, bytes),
            None => (ContentKind::None, 0),
        }
    }
}

impl<'a> Item<'a> {
    /// Adds the beginning of a call, if the item is one.
    fn add_call(&mut self, delta: &mut Delta<'a>, index: Option<u32>) {
        let kind = self.kind.bytes();
        match ItemKind::of(&kind) {
            Some(ItemKind::ClientCall) => {
                delta.add_visible(ContentKind::ToolCall, self.arguments.bytes);
                let id = self.call_id.take().or_else(|| self.id.take());
                delta.tool_calls.push(ToolCallDelta { choice: 0, index, id, name: self.name.take() });
            }
            _ if kind.ends_with(b"_call") => {
                delta.add_visible(ContentKind::ToolCall, self.arguments.bytes);
                delta.server_tool_calls = delta.server_tool_calls.saturating_add(1);
            }
            _ => {}
        }
    }

    /// Adds content that no delta brought. The arguments of a call come with its beginning, or not at all.
    fn add_content(&self, delta: &mut Delta<'a>) {
        let kind = ItemKind::of(&self.kind.bytes());
        match kind {
            Some(ItemKind::Image) => delta.add_text(ContentKind::Image, self.result.bytes),
            // A program of the model's that the provider runs, which may call the client's functions.
            Some(ItemKind::Program) => delta.add_text(ContentKind::Code, self.code.bytes),
            // What the user said, as a compacted conversation gives it back.
            _ if self.role.is("user") => {}
            _ => {
                let text = if kind == Some(ItemKind::Reasoning) { ContentKind::Reasoning } else { ContentKind::Text };
                for part in &self.content.0 {
                    part.add_to(delta, text);
                }
                for part in &self.summary.0 {
                    part.add_to(delta, ContentKind::Reasoning);
                }
            }
        }
    }
}

impl Part<'_> {
    fn is_empty(&self) -> bool {
        self.text.bytes == 0 && self.refusal.bytes == 0
    }

    fn add_to(&self, delta: &mut Delta<'_>, text: ContentKind) {
        let is_reasoning = self.kind.is("reasoning_text") || self.kind.is("summary_text");
        delta.add_text(if is_reasoning { ContentKind::Reasoning } else { text }, self.text.bytes);
        delta.add_text(ContentKind::Refusal, self.refusal.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(decoder: &mut OpenAiResponses, json: &'a [u8], body: bool) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json), body);
        delta
    }

    #[test]
    fn deltas_are_content_and_snapshots_are_not() {
        let mut decoder = OpenAiResponses::default();
        let delta = read(&mut decoder, br#"{"type":"response.output_text.delta","delta":"a\nb"}"#, false);
        assert_eq!(delta.bytes[0], 3);
        let delta = read(&mut decoder, br#"{"type":"response.output_text.done","text":"a\nb"}"#, false);
        assert!(delta.chunk && delta.visible.is_empty());
    }

    #[test]
    fn a_call_begins_once() {
        let mut decoder = OpenAiResponses::default();
        let added = br#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f"}}"#;
        let done = br#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f"}}"#;
        assert_eq!(read(&mut decoder, added, false).tool_calls.len(), 1);
        assert_eq!(read(&mut decoder, done, false).tool_calls.len(), 0);
        let late = br#"{"type":"response.output_item.done","output_index":2,"item":{"type":"web_search_call"}}"#;
        assert_eq!(read(&mut decoder, late, false).server_tool_calls, 1);
    }

    #[test]
    fn items_count_where_no_delta_brought_their_content() {
        let event = |decoder: &mut OpenAiResponses, json: &'static str| {
            let delta = read(decoder, json.as_bytes(), false);
            (delta.bytes, delta.visible.is_empty())
        };
        let mut decoder = OpenAiResponses::default();
        let done = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"abc"}]}}"#;
        assert_eq!(event(&mut decoder, done).0[0], 3);
        assert!(event(&mut decoder, done).1);
        let part =
            r#"{"type":"response.content_part.added","output_index":1,"part":{"type":"reasoning_text","text":"ab"}}"#;
        assert_eq!(event(&mut decoder, part).0[1], 2);
        let delta = r#"{"type":"response.reasoning_summary_text.delta","output_index":2,"delta":"a"}"#;
        assert_eq!(event(&mut decoder, delta).0[1], 1);
        let told = r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"reasoning","summary":[{"type":"summary_text","text":"a"}]}}"#;
        assert!(event(&mut decoder, told).1);
        let image = r#"{"type":"response.output_item.done","output_index":3,"item":{"type":"image_generation_call","result":"QUJD"}}"#;
        assert_eq!(event(&mut decoder, image).0[5], 4);
        let sealed = r#"{"type":"response.output_item.done","output_index":4,"item":{"type":"reasoning","summary":[],"encrypted_content":"xxxx"}}"#;
        assert!(event(&mut decoder, sealed).1);
        // A delta without an index may belong to any item.
        event(&mut decoder, r#"{"type":"response.output_text.delta","delta":"abc"}"#);
        assert!(event(&mut decoder, r#"{"type":"response.output_item.done","output_index":5,"item":{"type":"message","content":[{"text":"abc"}]}}"#).1);
    }

    #[test]
    fn what_a_tool_is_told_to_do_is_content() {
        for json in [
            r#"{"type":"response.shell_call_command.delta","output_index":0,"delta":"ls"}"#,
            r#"{"type":"response.apply_patch_call_operation_diff.delta","output_index":0,"delta":"+a"}"#,
            r#"{"type":"response.mcp_call_arguments.delta","output_index":0,"delta":"{}"}"#,
        ] {
            let delta = read(&mut OpenAiResponses::default(), json.as_bytes(), false);
            assert_eq!(delta.bytes[2], 2, "{json}");
        }
        let result = br#"{"type":"response.shell_call_output_content.delta","output_index":1,"delta":{"stdout":"x"}}"#;
        assert!(read(&mut OpenAiResponses::default(), result, false).visible.is_empty());
    }

    #[test]
    fn errors_are_nested_flat_or_a_body_of_their_own() {
        let error = |json: &'static str| read(&mut OpenAiResponses::default(), json.as_bytes(), true).error.unwrap();
        let nested = error(r#"{"type":"error","error":{"type":"server_error","code":null,"message":"m"}}"#);
        assert_eq!(nested.error_type.as_deref(), Some("server_error"));
        assert_eq!(error(r#"{"type":"error","code":"E","message":"m"}"#).error_type.as_deref(), Some("E"));
        assert_eq!(error(r#"{"code":"no model","error":"m"}"#).error_type.as_deref(), Some("no model"));
        assert_eq!(error(r#"{"detail":"m"}"#).message.as_deref(), Some("m"));
        assert_eq!(error(r#"{"type":"bad_request","message":"m"}"#).error_type.as_deref(), Some("bad_request"));
    }

    #[test]
    fn a_status_left_out_is_that_of_the_event() {
        let json = br#"{"type":"response.completed","response":{"id":"r","output":[]}}"#;
        let delta = read(&mut OpenAiResponses::default(), json, false);
        assert_eq!(delta.choices[0].finish_reason.as_deref(), Some("completed"));
        let json = br#"{"type":"response.failed","response":{"id":"r"}}"#;
        assert!(read(&mut OpenAiResponses::default(), json, false).error.is_some());
    }

    #[test]
    fn a_whole_response_needs_no_status() {
        let json =
            br#"{"output":[{"type":"message","content":[{"type":"output_text","text":"abc"}]}],"output_text":"abc"}"#;
        let delta = read(&mut OpenAiResponses::default(), json, true);
        assert!(delta.whole && delta.terminal == Terminal::Yes && delta.bytes[0] == 3);
    }

    #[test]
    fn a_compacted_conversation_is_an_answer_without_text() {
        let json = br#"{"object":"response.compaction","id":"r","output":[{"type":"message","role":"user","content":[{"type":"input_text","text":"abc"}]},{"type":"compaction","encrypted_content":"xxxx"}],"usage":{"input_tokens":16,"output_tokens":29}}"#;
        let delta = read(&mut OpenAiResponses::default(), json, true);
        assert!(delta.whole && delta.terminal == Terminal::Yes && delta.visible.is_empty());
        assert_eq!(delta.usage.unwrap().input_tokens, Some(16));
    }

    #[test]
    fn a_failed_response_is_an_error() {
        let mut decoder = OpenAiResponses::default();
        let failed = br#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error"}}}"#;
        let delta = read(&mut decoder, failed, false);
        assert_eq!(delta.error.unwrap().error_type.as_deref(), Some("server_error"));
        assert_eq!(delta.terminal, Terminal::No);
        let done = br#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#;
        let delta = read(&mut decoder, done, false);
        assert_eq!(delta.terminal, Terminal::Yes);
        assert_eq!(delta.incomplete_reason.as_deref(), Some("max_output_tokens"));
    }
}
