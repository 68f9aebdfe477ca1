//! `openai.responses`: the Responses API of OpenAI and compatible servers.
//!
//! Every event says what it is; the terminal ones carry the whole response again, of which only the facts are read.

use serde::{Deserialize, Serialize};

use super::error::ErrorField;
use super::lenient::{Code, Count, List, Payload, Rare, Str, Text, object};
use super::openai_usage::{Cost, cost_nanos, report};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one event has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct OpenAiResponses {
    /// The output items whose beginning has been seen, one bit per index. Later ones count as seen.
    begun: u64,
}

impl OpenAiResponses {
    pub(super) fn decode<'a>(&mut self, json: Input<'a>, body: bool) -> Delta<'a> {
        let mut event = Event::default();
        match json.fill(&mut event) {
            Some(()) => self.delta(&mut event, json, body),
            None => Delta::undecodable(),
        }
    }

    fn delta<'a>(&mut self, event: &mut Event<'a>, json: Input<'a>, body: bool) -> Delta<'a> {
        let mut delta = Delta::chunk();
        let bytes = event.delta.bytes;
        match event.kind.text().as_ref() {
            "response.output_text.delta" => delta.add_text(ContentKind::Text, bytes),
            "response.refusal.delta" => delta.add_text(ContentKind::Refusal, bytes),
            "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" => {
                delta.add_text(ContentKind::Reasoning, bytes);
            }
            "response.function_call_arguments.delta"
            | "response.custom_tool_call_input.delta"
            | "response.mcp_call_arguments.delta" => delta.add_text(ContentKind::ToolCall, bytes),
            "response.code_interpreter_call_code.delta" => delta.add_text(ContentKind::Code, bytes),
            "response.audio.delta"
            | "response.audio.transcript.delta"
            | "response.output_audio.delta"
            | "response.output_audio_transcript.delta" => delta.add_text(ContentKind::Audio, bytes),
            "response.image_generation_call.partial_image" => {
                delta.add_text(ContentKind::Image, event.partial_image.bytes);
            }
            "response.output_item.added" => {
                self.begin(event.output_index.index());
                event.item.add_call(&mut delta, event.output_index.index());
            }
            // Some servers leave out the event that adds the item.
            "response.output_item.done" => {
                if self.begin(event.output_index.index()) {
                    event.item.add_call(&mut delta, event.output_index.index());
                }
            }
            "error" => {
                let mut no_type = Str::default();
                let error = event.error.take();
                delta.error =
                    error.or_else(|| Some(ErrorField::of_parts(&mut no_type, &mut event.code, &mut event.message)));
            }
            // No event: a whole response, or an error body.
            "" => return whole(json, body),
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                event.response.add_end(&mut delta);
            }
            _ => event.response.add_identity(&mut delta),
        }
        delta
    }

    /// Notes that the item has begun; whether that is news.
    fn begin(&mut self, index: Option<u32>) -> bool {
        let bit = index.and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0);
        let news = bit != 0 && self.begun & bit == 0;
        self.begun |= bit;
        news
    }
}

/// Reads a whole response: the facts of a terminal event, and the items that a stream would have brought before.
fn whole(json: Input<'_>, body: bool) -> Delta<'_> {
    let (mut response, mut output) = (Response::default(), Output::default());
    if json.fill(&mut response).is_none() || json.fill(&mut output).is_none() {
        return Delta::undecodable();
    }
    let mut delta = Delta::chunk();
    if response.status.is_empty() {
        delta.error = response.error.take();
        delta.whole = body;
        return delta;
    }
    delta.whole = true;
    for (position, item) in output.items.0.iter_mut().enumerate() {
        item.add_text(&mut delta);
        item.add_call(&mut delta, u32::try_from(position).ok());
    }
    response.add_end(&mut delta);
    delta
}

object! {
    struct Event<'a> {
        "type" => kind: Str<'a>,
        "delta" => delta: Text,
        "output_index" => output_index: Count,
        "item" => item: Item<'a>,
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
    struct Output<'a> { "output" => items: List<Item<'a>, 0> }
}

object! {
    struct Item<'a> {
        "type" => kind: Str<'a>,
        "id" => id: Str<'a>,
        "call_id" => call_id: Str<'a>,
        "name" => name: Str<'a>,
        "arguments" | "input" => arguments: Payload,
        "content" => content: List<Part, 0>,
        "summary" => summary: List<Part, 0>,
        "result" => result: Text,
    }
}

object! {
    struct Part {
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
        "cache_write_tokens" => cache_write: Count,
    }
}

object! {
    struct OutputDetails { "reasoning_tokens" => reasoning: Count }
}

impl Usage {
    /// Input includes cached tokens and output includes reasoning, as in chat completions.
    fn report(&self) -> Option<UsageReport> {
        let mut rejected = 0;
        let mut take = |count: Count| count.tally(&mut rejected);
        let raw = RawUsage {
            input: take(self.input),
            output: take(self.output),
            cache_read: take(self.input_details.cached),
            cache_write: take(self.input_details.cache_write),
            reasoning: take(self.output_details.reasoning),
            total: take(self.total),
            ..RawUsage::default()
        };
        report(raw, rejected)
    }
}

impl<'a> Response<'a> {
    fn add_identity(&mut self, delta: &mut Delta<'a>) {
        delta.response_id = self.id.take();
        delta.response_model = self.model.take();
    }

    /// Adds what a terminal event says. A response that failed is an error, not a clean end.
    fn add_end(&mut self, delta: &mut Delta<'a>) {
        self.add_identity(delta);
        delta.incomplete_reason = self.incomplete.reason.take();
        if let Some(usage) = &self.usage.0 {
            delta.usage = usage.report();
            delta.cost_nanos = cost_nanos(usage.cost, usage.cost_ticks);
        }
        delta.error = self.error.take();
        if self.status.is("failed") {
            delta.error.get_or_insert_with(ErrorDelta::default);
        }
        if delta.error.is_none() {
            delta.terminal = Terminal::Yes;
        }
        delta.choices.push(ChoiceDelta { index: 0, finish_reason: self.status.take() });
    }
}

impl<'a> Item<'a> {
    /// Adds the beginning of a call, if the item is one.
    fn add_call(&mut self, delta: &mut Delta<'a>, index: Option<u32>) {
        match self.kind.text().as_ref() {
            "function_call" | "custom_tool_call" | "computer_call" | "local_shell_call" | "shell_call"
            | "apply_patch_call" => {
                delta.add_visible(ContentKind::ToolCall, self.arguments.bytes);
                let id = self.call_id.take().or_else(|| self.id.take());
                delta.tool_calls.push(ToolCallDelta { choice: 0, index, id, name: self.name.take() });
            }
            kind if kind.ends_with("_call") => {
                delta.add_visible(ContentKind::ToolCall, self.arguments.bytes);
                delta.server_tool_calls = delta.server_tool_calls.saturating_add(1);
            }
            _ => {}
        }
    }

    fn add_text(&self, delta: &mut Delta<'a>) {
        let text = if self.kind.is("reasoning") { ContentKind::Reasoning } else { ContentKind::Text };
        for part in &self.content.0 {
            delta.add_text(text, part.text.bytes);
            delta.add_text(ContentKind::Refusal, part.refusal.bytes);
        }
        for part in &self.summary.0 {
            delta.add_text(ContentKind::Reasoning, part.text.bytes);
        }
        if self.kind.is("image_generation_call") {
            delta.add_text(ContentKind::Image, self.result.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_are_content_and_snapshots_are_not() {
        let mut decoder = OpenAiResponses::default();
        let delta = decoder.decode(Input::Json(br#"{"type":"response.output_text.delta","delta":"a\nb"}"#), false);
        assert_eq!(delta.bytes[0], 3);
        let delta = decoder.decode(Input::Json(br#"{"type":"response.output_text.done","text":"a\nb"}"#), false);
        assert!(delta.chunk && delta.visible.is_empty());
    }

    #[test]
    fn a_call_begins_once() {
        let mut decoder = OpenAiResponses::default();
        let added = br#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f"}}"#;
        let done = br#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f"}}"#;
        assert_eq!(decoder.decode(Input::Json(added), false).tool_calls.len(), 1);
        assert_eq!(decoder.decode(Input::Json(done), false).tool_calls.len(), 0);
        let late = br#"{"type":"response.output_item.done","output_index":2,"item":{"type":"web_search_call"}}"#;
        assert_eq!(decoder.decode(Input::Json(late), false).server_tool_calls, 1);
    }

    #[test]
    fn a_failed_response_is_an_error() {
        let mut decoder = OpenAiResponses::default();
        let failed = br#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error"}}}"#;
        let delta = decoder.decode(Input::Json(failed), false);
        assert_eq!(delta.error.unwrap().error_type.as_deref(), Some("server_error"));
        assert_eq!(delta.terminal, Terminal::No);
        let done = br#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#;
        let delta = decoder.decode(Input::Json(done), false);
        assert_eq!(delta.terminal, Terminal::Yes);
        assert_eq!(delta.incomplete_reason.as_deref(), Some("max_output_tokens"));
    }
}
