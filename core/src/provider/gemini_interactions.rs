//! `gemini.interactions`: the Interactions API of Gemini.
//!
//! An interaction is a list of steps; a stream has events of the interaction and of its steps. Its first version called
//! steps `content` in events and `outputs` in whole answers. Names are those of the `google-genai` libraries.

use serde::{Deserialize, Serialize};

use super::accounting::{Accounting, Counted, Tally};
use super::error::ErrorField;
use super::json::Malformed;
use super::lenient::{Count, Fill, List, Rare, Str, Text, kinds, object};
use super::source::{Input, Source};
use crate::delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, RawUsage, Terminal, ToolCallDelta, UsageReport};

/// What one event has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct GeminiInteractions {
    /// The calls whose beginning has been seen, one bit per step. Later ones count as seen.
    begun: u64,
}

impl GeminiInteractions {
    /// Reads one event, one whole interaction or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        let mut event = Event::default();
        match json.fill(&mut event) {
            Some(()) => self.write(delta, &mut event, json, body),
            None => delta.decode_errors = 1,
        }
    }

    fn write<'a>(&mut self, delta: &mut Delta<'a>, event: &mut Event<'a>, json: Input<'a>, body: bool) {
        delta.chunk = true;
        let index = event.index.index();
        // Nearly every event is one of these.
        let kind =
            if event.kind.is("step.delta") { Some(EventKind::Delta) } else { EventKind::of(&event.kind.bytes()) };
        match kind {
            Some(EventKind::Delta) => {
                let is_news = event.delta.is_call() && self.begin(index);
                event.delta.add_to(delta, index, is_news);
            }
            Some(EventKind::Start) => {
                self.begin(index);
                event.step.add_to(delta, index, true);
            }
            Some(EventKind::End) => event.interaction.add_end(delta),
            // No event: a whole interaction, or an error body.
            None if event.kind.is_empty() => return whole(delta, json, body),
            // `error` alone ends a stream; other events name the interaction.
            None => {
                delta.error = event.error.take();
                delta.response_id = event.interaction.id.take().or_else(|| event.interaction_id.take());
                delta.response_model = event.interaction.model.take();
            }
        }
        // Agents report the usage up to then, with a step or beside any event.
        if delta.usage.is_none() {
            let beside = event.metadata.0.as_ref().map(|metadata| &metadata.usage);
            delta.usage = event.usage.0.as_deref().or(beside).and_then(Usage::report);
        }
    }

    /// Notes that the call of that step has begun; whether that is news.
    fn begin(&mut self, index: Option<u32>) -> bool {
        let bit = index.and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0);
        let is_news = bit != 0 && self.begun & bit == 0;
        self.begun |= bit;
        is_news
    }
}

/// Reads a whole interaction: the facts of the event that ends a stream, and the steps that come before it there.
fn whole<'a>(delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
    let (mut interaction, mut steps) = (Interaction::default(), Steps::default());
    if json.fill(&mut interaction).is_none() || json.fill(&mut steps).is_none() {
        delta.decode_errors = 1;
        return;
    }
    if interaction.status.is_empty() {
        delta.whole = body;
        delta.error = interaction.error.take();
        return;
    }
    delta.whole = true;
    for (position, step) in steps.steps.0.iter_mut().enumerate() {
        // A stored interaction may begin with what the user said.
        if !step.kind.is("user_input") {
            step.add_to(delta, u32::try_from(position).ok(), true);
        }
    }
    interaction.add_end(delta);
}

kinds! {
    enum EventKind {
        Delta = "step.delta" | "content.delta",
        End = "interaction.completed"
            | "interaction.complete"
            | "interaction.requires_action"
            | "interaction.incomplete"
            | "interaction.failed"
            | "interaction.cancelled",
        Start = "step.start" | "content.start",
    }
}

object! {
    struct Event<'a> {
        "event_type" => kind: Str<'a>,
        "index" => index: Count,
        "delta" => delta: Step<'a>,
        "step" | "content" => step: Step<'a>,
        "interaction" => interaction: Interaction<'a>,
        "interaction_id" => interaction_id: Str<'a>,
        "usage" => usage: Rare<Usage>,
        "metadata" => metadata: Rare<Metadata>,
        "error" => error: ErrorField<'a>,
    }
}

object! {
    struct Metadata { "total_usage" | "usage" => usage: Usage }
}

object! {
    struct Interaction<'a> {
        "id" => id: Str<'a>,
        "model" => model: Str<'a>,
        "status" => status: Str<'a>,
        "usage" => usage: Rare<Usage>,
        "error" => error: ErrorField<'a>,
    }
}

object! {
    struct Steps<'a> { "steps" | "outputs" => steps: List<Step<'a>, 0> }
}

object! {
    /// A step, or what an event adds to one.
    struct Step<'a> {
        "type" => kind: Str<'a>,
        "text" => text: Text,
        // Of `model_output`, and of a summary that is added to a thought.
        "content" => content: List<Part<'a>, 1>,
        "summary" => summary: List<Part<'a>, 1>,
        "data" => data: Text,
        "uri" => uri: Text,
        "id" => id: Str<'a>,
        "name" => name: Str<'a>,
        "arguments" | "partial_arguments" => arguments: Arguments,
        "result" => result: Text,
    }
}

object! {
    struct Part<'a> {
        "type" => kind: Str<'a>,
        "text" => text: Text,
        "data" => data: Text,
        "uri" => uri: Text,
    }
}

impl<'a> Interaction<'a> {
    /// Adds what ends an interaction. One that failed is an error, not a clean end.
    fn add_end(&mut self, delta: &mut Delta<'a>) {
        delta.response_id = self.id.take();
        delta.response_model = self.model.take();
        delta.usage = self.usage.0.as_deref().and_then(Usage::report);
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

kinds! {
    enum StepKind {
        Arguments = "arguments_delta" | "arguments",
        CodeCall = "code_execution_call",
        CodeResult = "code_execution_result",
        FunctionCall = "function_call",
        Thought = "thought_summary" | "thought",
    }
}

impl<'a> Step<'a> {
    /// Whether it is a call, be it the client's or the provider's own.
    fn is_call(&self) -> bool {
        self.kind.bytes().ends_with(b"_call")
    }

    /// Adds the content. Results of tools are none, but for that of executed code; neither are signatures and citations.
    fn add_to(&mut self, delta: &mut Delta<'a>, index: Option<u32>, begins: bool) {
        let name = self.kind.bytes();
        // Nearly every step brings text.
        let kind = if self.kind.is("text") { None } else { StepKind::of(&name) };
        match kind {
            Some(StepKind::Thought) => {
                let parts = self.content.0.iter().chain(&self.summary.0);
                let text: usize = parts.map(|part| part.text.bytes).sum();
                delta.add_text(ContentKind::Reasoning, text + self.text.bytes);
            }
            Some(StepKind::FunctionCall) => {
                let (id, name) = (self.id.take(), self.name.take());
                if name.is_some() {
                    delta.add_visible(ContentKind::ToolCall, self.arguments.bytes);
                    delta.tool_calls.push(ToolCallDelta { choice: 0, index, id, name });
                } else if self.arguments.is_filled {
                    delta.add_visible(ContentKind::ToolCall, self.arguments.bytes);
                }
            }
            Some(StepKind::Arguments) => delta.add_text(ContentKind::ToolCall, self.arguments.bytes),
            Some(StepKind::CodeResult) => delta.add_text(ContentKind::Code, self.result.bytes),
            _ if name.ends_with(b"_call") => {
                let content = if kind == Some(StepKind::CodeCall) { ContentKind::Code } else { ContentKind::ToolCall };
                if begins || self.arguments.is_filled {
                    delta.add_visible(content, self.arguments.bytes);
                }
                delta.server_tool_calls = delta.server_tool_calls.saturating_add(u32::from(begins));
            }
            _ if name.ends_with(b"_result") => {}
            _ => {
                add_media(delta, &name, self.data, self.uri);
                delta.add_text(ContentKind::Text, self.text.bytes);
                for part in &self.content.0 {
                    add_media(delta, &part.kind.bytes(), part.data, part.uri);
                    delta.add_text(ContentKind::Text, part.text.bytes);
                }
            }
        }
    }
}

/// Adds encoded media, or the address of a file with them.
fn add_media(delta: &mut Delta<'_>, kind: &[u8], data: Text, uri: Text) {
    let bytes = if data.bytes > 0 { data.bytes } else { uri.bytes };
    delta.add_text(if kind == b"audio" { ContentKind::Audio } else { ContentKind::Image }, bytes);
}

/// Arguments of a call: an object, or a piece of its JSON text. Of code that is executed the code is measured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arguments {
    bytes: usize,
    is_filled: bool,
}

impl<'de> Fill<'de> for Arguments {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        *self = Self::default();
        if !reader.begins(b'{') {
            self.bytes = reader.text()?.len();
            self.is_filled = self.bytes > 0;
            return Ok(());
        }
        reader.members(|reader, name| {
            self.is_filled = true;
            if name == b"code" {
                self.bytes = reader.text()?.len();
                return Ok(());
            }
            reader.skip_value()
        })
    }
}

object! {
    struct Usage {
        "total_input_tokens" => input: Count,
        "total_cached_tokens" => cached: Count,
        "total_output_tokens" => output: Count,
        "total_thought_tokens" => thoughts: Count,
        "total_tool_use_tokens" => tool_use: Count,
        "total_tokens" => total: Count,
    }
}

impl Usage {
    fn report(&self) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let raw = RawUsage {
            input: tally.take(self.input),
            output: tally.take(self.output),
            cache_read: tally.take(self.cached),
            reasoning: tally.take(self.thoughts),
            total: tally.take(self.total),
            tool_use_prompt: tally.take(self.tool_use),
            ..RawUsage::default()
        };
        ACCOUNTING.report(raw, tally.rejected)
    }
}

/// Cached tokens are part of the input; what tools of the provider put in is counted beside it. Thoughts are counted
/// beside the output where total = input + tool use + output + thoughts, which holds in every recording of a model; the
/// total of an agent counts more than it reports.
pub(super) const ACCOUNTING: Accounting = Accounting {
    cache: Counted::Included,
    reasoning: Counted::ByTotal,
    tool_input: Counted::Apart,
    ..Accounting::PLAIN
};

#[cfg(test)]
mod tests {
    use super::*;

    fn decode<'a>(decoder: &mut GeminiInteractions, json: &'a str) -> Delta<'a> {
        let mut delta = Delta::default();
        decoder.decode(&mut delta, Input::Json(json.as_bytes()), false);
        delta
    }

    fn bytes_of(delta: &str) -> [u32; 7] {
        let json = alloc::format!(r#"{{"event_type":"step.delta","index":0,"delta":{delta}}}"#);
        decode(&mut GeminiInteractions::default(), &json).bytes
    }

    #[test]
    fn pieces_of_steps_are_content_by_their_type() {
        assert_eq!(bytes_of(r#"{"type":"text","text":"ab"}"#), [2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes_of(r#"{"text":"ab"}"#), [2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes_of(r#"{"type":"thought_summary","content":{"text":"ab"}}"#), [0, 2, 0, 0, 0, 0, 0]);
        assert_eq!(bytes_of(r#"{"type":"arguments_delta","arguments":"{\"a\""}"#), [0, 0, 4, 0, 0, 0, 0]);
        assert_eq!(bytes_of(r#"{"type":"arguments_delta","partial_arguments":"{"}"#), [0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(bytes_of(r#"{"type":"code_execution_call","arguments":{"code":"1+1"}}"#), [0, 0, 0, 0, 3, 0, 0]);
        assert_eq!(bytes_of(r#"{"type":"code_execution_result","result":"2"}"#), [0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(bytes_of(r#"{"type":"image","data":"iVBO"}"#), [0, 0, 0, 0, 0, 4, 0]);
        assert_eq!(bytes_of(r#"{"type":"audio","uri":"gs://x"}"#), [0, 0, 0, 0, 0, 0, 6]);
        for other in ["thought_signature", "text_annotation_delta", "google_search_result", "mcp_server_tool_result"] {
            let delta = alloc::format!(r#"{{"type":"{other}","signature":"ab","result":"ab"}}"#);
            assert_eq!(bytes_of(&delta), [0; 7], "{other}");
        }
    }

    #[test]
    fn steps_may_begin_with_content() {
        let mut decoder = GeminiInteractions::default();
        let json = r#"{"event_type":"step.start","index":0,"step":{"type":"thought","summary":[{"text":"ab"}]}}"#;
        assert_eq!(decode(&mut decoder, json).bytes[1], 2);
        let json = r#"{"event_type":"step.start","index":1,"step":{"type":"model_output","content":[{"text":"abc"}]}}"#;
        assert_eq!(decode(&mut decoder, json).bytes[0], 3);
        let json = r#"{"event_type":"content.start","index":2,"content":{"type":"text"}}"#;
        assert!(decode(&mut decoder, json).visible.is_empty());
    }

    #[test]
    fn calls_of_the_provider_begin_once() {
        let start = r#"{"event_type":"step.start","index":3,"step":{"type":"google_search_call","id":"s"}}"#;
        let added = r#"{"event_type":"step.delta","index":3,"delta":{"type":"google_search_call","arguments":{"queries":["q"]}}}"#;
        let mut decoder = GeminiInteractions::default();
        let deltas = [start, added, added].map(|json| decode(&mut decoder, json));
        assert_eq!(deltas.each_ref().map(|delta| delta.server_tool_calls), [1, 0, 0]);
        assert!(deltas.iter().all(|delta| delta.visible.contains(ContentKind::ToolCall)));
        // Without an event that begins the step.
        assert_eq!(decode(&mut GeminiInteractions::default(), added).server_tool_calls, 1);
    }

    #[test]
    fn calls_of_the_client_come_whole_or_in_pieces() {
        let whole = r#"{"event_type":"content.delta","index":0,"delta":{"type":"function_call","id":"c","name":"f","arguments":{"a":1}}}"#;
        let delta = decode(&mut GeminiInteractions::default(), whole);
        assert_eq!((delta.tool_calls.len(), delta.server_tool_calls), (1, 0));
        let start = r#"{"event_type":"step.start","index":0,"step":{"type":"function_call","id":"c","name":"f","arguments":{}}}"#;
        let delta = decode(&mut GeminiInteractions::default(), start);
        assert_eq!((delta.tool_calls[0].index, delta.tool_calls[0].name.as_deref()), (Some(0), Some("f")));
    }

    #[test]
    fn a_failed_interaction_is_an_error() {
        let json = r#"{"event_type":"interaction.completed","interaction":{"id":"v","status":"failed"}}"#;
        let delta = decode(&mut GeminiInteractions::default(), json);
        assert!(delta.error.is_some() && delta.terminal == Terminal::No);
        let json = r#"{"event_type":"error","error":{"code":"gateway_timeout","message":"late"}}"#;
        let error = decode(&mut GeminiInteractions::default(), json).error.unwrap();
        assert_eq!(error.error_type.as_deref(), Some("gateway_timeout"));
    }

    #[test]
    fn thoughts_are_beside_the_output_where_the_total_says_so() {
        let output = |total: &str| {
            let json = alloc::format!(
                r#"{{"event_type":"step.stop","usage":{{"total_input_tokens":10,"total_tool_use_tokens":5,"total_output_tokens":3,"total_thought_tokens":2{total}}}}}"#
            );
            let usage = decode(&mut GeminiInteractions::default(), &json).usage.unwrap();
            (usage.input_tokens, usage.output_tokens)
        };
        assert_eq!(output(r#","total_tokens":20"#), (Some(15), Some(5)));
        assert_eq!(output(""), (Some(15), Some(3)));
        assert_eq!(output(r#","total_tokens":18"#), (Some(15), Some(3)));
    }
}
