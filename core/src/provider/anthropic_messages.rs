//! `anthropic.messages`: the Messages API, also at Vertex, Azure and compatible gateways.
//!
//! Usage comes in two places and is merged field by field, the last value given winning: `message_start` has a snapshot
//! of the input with a token or so of output, `message_delta` the cumulative output and, when the input changed on the
//! way (server tools read more, a cache was hit), the input again.

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Counted, Tally};
use super::error::{ErrorField, bare_error};
use super::lenient::{Count, List, Maybe, Payload, Str, Text, kinds, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one event has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct AnthropicMessages {
    usage: RawUsage,
    /// Whether the output count in `usage` is one of `message_delta`, not the one that holds its place.
    output_is_real: bool,
}

impl AnthropicMessages {
    /// Reads one event, one whole message or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        let mut event = Event::default();
        match json.fill(&mut event) {
            Some(()) => self.write(delta, &mut event, body),
            None => delta.decode_errors = 1,
        }
        // Neither a message nor an error object: the word of a gateway in front.
        if body
            && !delta.whole
            && let Some(error) = bare_error(json)
        {
            delta.error = Some(error);
            delta.whole = true;
        }
    }

    fn write<'a>(&mut self, delta: &mut Delta<'a>, event: &mut Event<'a>, body: bool) {
        delta.chunk = true;
        if event.error.is_present() {
            delta.error = event.error.take();
            delta.whole = body;
            return;
        }
        if event.kind.is("content_block_delta") {
            delta.add_text(ContentKind::Text, event.delta.text.bytes);
            delta.add_text(ContentKind::Reasoning, event.delta.thinking.bytes);
            delta.add_text(ContentKind::ToolCall, event.delta.partial_json.bytes);
            return;
        }
        match EventKind::of(&event.kind.bytes()) {
            Some(EventKind::Ping) => {
                delta.chunk = false;
                delta.keep_alives = 1;
            }
            Some(EventKind::MessageStart) => {
                let message = event.message.0.get_or_insert_default();
                delta.response_id = message.id.take();
                delta.response_model = message.model.take();
                add_reason(delta, &mut message.stop_reason);
                delta.usage = self.start(&message.usage);
                // A turn that goes on from tools run by code begins with what it has.
                add_blocks(delta, &mut message.content);
            }
            Some(EventKind::BlockStart) => {
                if let Some(block) = &mut event.content_block.0 {
                    block.add_to(delta, event.index.index());
                }
            }
            Some(EventKind::MessageDelta) => {
                add_reason(delta, &mut event.delta.stop_reason);
                delta.usage = event.usage.0.as_ref().and_then(|usage| self.update(usage));
            }
            Some(EventKind::MessageStop) => delta.terminal = Terminal::Yes,
            Some(EventKind::Message) => {
                delta.whole = true;
                delta.terminal = Terminal::Yes;
                delta.response_id = event.id.take();
                delta.response_model = event.model.take();
                add_reason(delta, &mut event.stop_reason);
                delta.usage = event.usage.0.as_ref().and_then(|usage| self.update(usage));
                add_blocks(delta, &mut event.content);
            }
            // `content_block_stop`, and events of later versions.
            None => {}
        }
    }

    /// Takes the snapshot of `message_start`. A repeated one begins a new segment of the same answer: its input
    /// replaces the one before, and its place-holding output does not hide a real count.
    fn start(&mut self, usage: &Usage) -> Option<UsageReport> {
        let (mut counts, rejected) = usage.counts();
        if self.output_is_real {
            counts.output = None;
        }
        self.merge(&counts, rejected)
    }

    fn update(&mut self, usage: &Usage) -> Option<UsageReport> {
        let (counts, rejected) = usage.counts();
        self.output_is_real |= counts.output.is_some();
        self.merge(&counts, rejected)
    }

    fn merge(&mut self, counts: &RawUsage, rejected: u32) -> Option<UsageReport> {
        if counts.is_empty() && rejected == 0 {
            return None;
        }
        self.usage.merge(counts);
        let report = ACCOUNTING.report(self.usage, rejected)?;
        Some(UsageReport { output_is_placeholder: report.output_tokens.is_some() && !self.output_is_real, ..report })
    }
}

/// `input_tokens` counts only what was neither read from the cache nor written to it ("Prompt caching" in Anthropic's
/// documentation: the total input is the sum of the three). Output includes thinking, which newer models also report apart.
pub(super) const ACCOUNTING: Accounting =
    Accounting { cache: Counted::Apart, reasoning: Counted::Included, ..Accounting::PLAIN };

/// Adds why the answer ended. A model that refuses says so here, mostly without a word of content.
fn add_reason<'a>(delta: &mut Delta<'a>, reason: &mut Str<'a>) {
    delta.refused = reason.is("refusal");
    delta.choices.push(ChoiceDelta { index: 0, finish_reason: reason.take() });
}

fn add_blocks<'a>(delta: &mut Delta<'a>, blocks: &mut List<Block<'a>, 0>) {
    for (position, block) in blocks.0.iter_mut().enumerate() {
        block.add_to(delta, u32::try_from(position).ok());
    }
}

kinds! {
    enum EventKind {
        BlockStart = "content_block_start",
        Message = "message",
        MessageDelta = "message_delta",
        MessageStart = "message_start",
        MessageStop = "message_stop",
        Ping = "ping",
    }
}

object! {
    struct Event<'a> {
        "type" => kind: Str<'a>,
        "index" => index: Count,
        "delta" => delta: BlockDelta<'a>,
        "content_block" => content_block: Maybe<Block<'a>>,
        "message" => message: Maybe<Message<'a>>,
        "usage" => usage: Maybe<Usage>,
        "error" => error: ErrorField<'a>,
        // Of a whole message.
        "id" => id: Str<'a>,
        "model" => model: Str<'a>,
        "content" => content: List<Block<'a>, 0>,
        "stop_reason" => stop_reason: Str<'a>,
    }
}

object! {
    struct Message<'a> {
        "id" => id: Str<'a>,
        "model" => model: Str<'a>,
        "content" => content: List<Block<'a>, 0>,
        "stop_reason" => stop_reason: Str<'a>,
        "usage" => usage: Usage,
    }
}

object! {
    /// The delta of a block (the kind of which shows in its one field) or of the message.
    struct BlockDelta<'a> {
        "text" => text: Text,
        "thinking" => thinking: Text,
        "partial_json" => partial_json: Text,
        "stop_reason" => stop_reason: Str<'a>,
    }
}

kinds! {
    enum BlockKind {
        ServerToolUse = "server_tool_use" | "mcp_tool_use",
        Text = "text",
        Thinking = "thinking",
        ToolUse = "tool_use",
    }
}

object! {
    struct Block<'a> {
        "type" => kind: Str<'a>,
        "id" => id: Str<'a>,
        "name" => name: Str<'a>,
        "text" => text: Text,
        "thinking" => thinking: Text,
        "input" => input: Payload,
    }
}

object! {
    struct Usage {
        "input_tokens" => input: Count,
        "output_tokens" => output: Count,
        "cache_read_input_tokens" => cache_read: Count,
        "cache_creation_input_tokens" => cache_creation: Count,
        "output_tokens_details" => output_details: OutputDetails,
    }
}

object! {
    struct OutputDetails { "thinking_tokens" => thinking: Count }
}

impl Usage {
    fn counts(&self) -> (RawUsage, u32) {
        let mut tally = Tally::default();
        let counts = RawUsage {
            input: tally.take(self.input),
            output: tally.take(self.output),
            cache_read: tally.take(self.cache_read),
            cache_write: tally.take(self.cache_creation),
            reasoning: tally.take(self.output_details.thinking),
            ..RawUsage::default()
        };
        (counts, tally.rejected)
    }
}

impl<'a> Block<'a> {
    fn add_to(&mut self, delta: &mut Delta<'a>, index: Option<u32>) {
        match BlockKind::of(&self.kind.bytes()) {
            Some(BlockKind::Text) => delta.add_text(ContentKind::Text, self.text.bytes),
            Some(BlockKind::Thinking) => delta.add_text(ContentKind::Reasoning, self.thinking.bytes),
            Some(BlockKind::ToolUse) => {
                delta.add_visible(ContentKind::ToolCall, self.input.bytes);
                let (id, name) = (self.id.take(), self.name.take());
                delta.tool_calls.push(ToolCallDelta { choice: 0, index, id, name });
            }
            Some(BlockKind::ServerToolUse) => {
                delta.add_visible(ContentKind::ToolCall, self.input.bytes);
                delta.server_tool_calls = delta.server_tool_calls.saturating_add(1);
            }
            // Redacted thinking and the results of server tools.
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode<'a>(decoder: &mut AnthropicMessages, json: &'a [u8], body: bool) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json), body);
        delta
    }

    fn usage(decoder: &mut AnthropicMessages, json: &str) -> UsageReport {
        decode(decoder, json.as_bytes(), false).usage.unwrap()
    }

    #[test]
    fn usage_is_merged_and_its_input_includes_the_cache() {
        let mut decoder = AnthropicMessages::default();
        let start = r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":5,"cache_read_input_tokens":0,"output_tokens":1}}}"#;
        let report = usage(&mut decoder, start);
        assert_eq!((report.input_tokens, report.output_tokens, report.output_is_placeholder), (Some(5), Some(1), true));
        let delta = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"cache_read_input_tokens":40,"output_tokens":9,"output_tokens_details":{"thinking_tokens":3}}}"#;
        let report = usage(&mut decoder, delta);
        assert_eq!((report.input_tokens, report.output_tokens, report.reasoning_tokens), (Some(45), Some(9), Some(3)));
        assert!(!report.output_is_placeholder);
        let report = usage(&mut decoder, start);
        assert_eq!((report.output_tokens, report.output_is_placeholder), (Some(9), false));
    }

    #[test]
    fn tools_of_client_and_server_begin_with_their_block() {
        let mut decoder = AnthropicMessages::default();
        let delta = decode(&mut decoder, br#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#, false);
        assert!(delta.visible.contains(ContentKind::ToolCall));
        assert_eq!((delta.tool_calls[0].index, delta.tool_calls[0].name.as_deref()), (Some(2), Some("f")));
        let delta = decode(
            &mut decoder,
            br#"{"type":"content_block_start","index":3,"content_block":{"type":"server_tool_use","name":"s"}}"#,
            false,
        );
        assert_eq!((delta.server_tool_calls, delta.tool_calls.len()), (1, 0));
        for silent in [
            r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_start","content_block":{"type":"redacted_thinking","data":"x"}}"#,
            r#"{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"x"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
        ] {
            let delta = decode(&mut decoder, silent.as_bytes(), false);
            assert!(delta.chunk && delta.visible.is_empty(), "{silent}");
        }
    }

    #[test]
    fn pings_are_no_chunks_and_errors_have_their_type() {
        let mut decoder = AnthropicMessages::default();
        let delta = decode(&mut decoder, br#"{"type":"ping"}"#, false);
        assert!(!delta.chunk && delta.keep_alives == 1);
        let delta =
            decode(&mut decoder, br#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#, false);
        assert_eq!(delta.error.unwrap().error_type.as_deref(), Some("overloaded_error"));
        assert_eq!(decode(&mut decoder, br#"{"type":"message_stop"}"#, false).terminal, Terminal::Yes);
    }

    #[test]
    fn a_message_may_start_with_content() {
        let json = br#"{"type":"message_start","message":{"id":"m","content":[{"type":"code_execution_tool_result"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"stop_reason":"tool_use"}}"#;
        let delta = decode(&mut AnthropicMessages::default(), json, false);
        assert_eq!((delta.tool_calls.len(), delta.tool_calls[0].index), (1, Some(1)));
        assert!(delta.visible.contains(ContentKind::ToolCall));
    }

    #[test]
    fn a_body_without_an_error_object_is_a_message() {
        let delta = decode(&mut AnthropicMessages::default(), br#"{"message":"no credentials"}"#, true);
        assert_eq!(delta.error.unwrap().message.as_deref(), Some("no credentials"));
        let json = br#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}"#;
        let error = decode(&mut AnthropicMessages::default(), json, true).error.unwrap();
        assert_eq!((error.error_type.as_deref(), error.status_code), (Some("RESOURCE_EXHAUSTED"), Some(429)));
    }

    #[test]
    fn compaction_and_citations_are_not_content() {
        for silent in [
            r#"{"type":"content_block_delta","delta":{"type":"compaction_delta","content":"so far"}}"#,
            r#"{"type":"content_block_delta","delta":{"type":"citations_delta","citation":{"cited_text":"x"}}}"#,
            r#"{"type":"content_block_start","content_block":{"type":"compaction","content":"so far"}}"#,
            r#"{"type":"content_block_start","content_block":{"type":"web_search_tool_result","content":[{"title":"x"}]}}"#,
            r#"{"type":"content_block_start","content_block":{"type":"fallback","to":{"model":"m"}}}"#,
        ] {
            assert!(decode(&mut AnthropicMessages::default(), silent.as_bytes(), false).visible.is_empty(), "{silent}");
        }
    }

    #[test]
    fn a_whole_message_is_read_at_once() {
        let json = br#"{"type":"message","id":"m","model":"c","stop_reason":"tool_use","content":[{"type":"thinking","thinking":"abc"},{"type":"text","text":"hi"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"usage":{"input_tokens":3,"output_tokens":4}}"#;
        let delta = decode(&mut AnthropicMessages::default(), json, true);
        assert!(delta.whole && delta.terminal == Terminal::Yes);
        assert_eq!((delta.bytes[0], delta.bytes[1], delta.tool_calls[0].index), (2, 3, Some(2)));
        assert!(!delta.usage.unwrap().output_is_placeholder);
    }
}
