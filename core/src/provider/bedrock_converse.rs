//! `bedrock.converse`: `Converse` and `ConverseStream` of AWS Bedrock.
//!
//! On the wire a header names the event; the SDKs put it into a member of that name. The answer names neither its model nor an id. Counts come after the stop reason.

use super::accounting::{Accounting, Counted, Tally};
use super::aws_error::{AwsErrorBody, exception};
use super::lenient::{Count, Decimal, Fill, List, Payload, Rare, Str, Text, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, ServerTiming, Terminal, ToolCallDelta, UsageReport};

/// Reads the payload of a message, the event type of which is in its header.
pub(super) fn decode_message<'a>(event_type: &str, json: Input<'a>) -> Delta<'a> {
    fn read<'a, T: Fill<'a>>(json: Input<'a>, part: &mut T) -> Option<()> {
        json.fill(part)
    }
    let mut event = Event::default();
    let filled = match event_type {
        "messageStart" => read(json, &mut event.message_start),
        "contentBlockStart" => read(json, &mut event.block_start),
        "contentBlockDelta" => read(json, &mut event.block_delta),
        "messageStop" => read(json, &mut event.message_stop),
        "metadata" => read(json, &mut event.metadata),
        // The end of a block, and events of later versions.
        _ => Some(()),
    };
    match filled {
        Some(()) => event.delta(),
        None => Delta::undecodable(),
    }
}

/// Reads one event in the form of the SDKs, or one whole answer.
pub(super) fn decode(json: Input<'_>) -> Delta<'_> {
    let mut event = Event::default();
    match json.fill(&mut event) {
        Some(()) => event.delta(),
        None => Delta::undecodable(),
    }
}

object! {
    struct Event<'a> {
        "messageStart" => message_start: Start,
        "contentBlockStart" => block_start: BlockStart<'a>,
        "contentBlockDelta" => block_delta: BlockDelta,
        "messageStop" => message_stop: MessageStop<'a>,
        "metadata" => metadata: Metadata,
        "internalServerException" => internal_server: Rare<AwsErrorBody<'a>>,
        "modelStreamErrorException" => model_stream: Rare<AwsErrorBody<'a>>,
        "serviceUnavailableException" => service_unavailable: Rare<AwsErrorBody<'a>>,
        "throttlingException" => throttling: Rare<AwsErrorBody<'a>>,
        "validationException" => validation: Rare<AwsErrorBody<'a>>,
        // Of a whole answer.
        "output" => output: Rare<Output<'a>>,
        "stopReason" => stop_reason: Str<'a>,
        "usage" => usage: Usage,
        "metrics" => metrics: Metrics,
        // Of an error body.
        "message" | "Message" => message: Str<'a>,
        "__type" => error_type: Str<'a>,
    }
}

object! {
    struct Start { "role" => role: Text }
}

object! {
    struct BlockStart<'a> {
        "contentBlockIndex" => index: Count,
        "start" => start: Block<'a>,
    }
}

object! {
    struct BlockDelta { "delta" => delta: Piece }
}

object! {
    struct Piece {
        "text" => text: Text,
        "reasoningContent" => reasoning: Reasoning,
        "toolUse" => tool_use: ToolInput,
        "image" => image: Image,
    }
}

object! {
    struct ToolInput { "input" => input: Payload }
}

object! {
    struct Image { "source" => source: ImageSource }
}

object! {
    struct ImageSource { "bytes" => bytes: Text }
}

object! {
    struct Reasoning {
        "text" => text: Text,
        "reasoningText" => inner: ReasoningText,
    }
}

object! {
    struct ReasoningText { "text" => text: Text }
}

object! {
    struct Block<'a> {
        "text" => text: Text,
        "reasoningContent" => reasoning: Reasoning,
        "toolUse" => tool_use: ToolUse<'a>,
    }
}

object! {
    struct ToolUse<'a> {
        // `server_tool_use` for a tool that Bedrock runs, such as Nova's code interpreter.
        "type" => kind: Str<'a>,
        "toolUseId" => id: Str<'a>,
        "name" => name: Str<'a>,
        "input" => input: Payload,
    }
}

object! {
    struct MessageStop<'a> { "stopReason" => stop_reason: Str<'a> }
}

object! {
    struct Metadata {
        "usage" => usage: Usage,
        "metrics" => metrics: Metrics,
    }
}

object! {
    struct Metrics { "latencyMs" => latency: Decimal }
}

object! {
    struct Output<'a> { "message" => message: Message<'a> }
}

object! {
    struct Message<'a> { "content" => content: List<Block<'a>, 1> }
}

object! {
    struct Usage {
        "inputTokens" => input: Count,
        "outputTokens" => output: Count,
        "totalTokens" => total: Count,
        // The second names are Nova's through `InvokeModel`.
        "cacheReadInputTokens" | "cacheReadInputTokenCount" => cache_read: Count,
        "cacheWriteInputTokens" | "cacheWriteInputTokenCount" => cache_write: Count,
    }
}

impl<'a> Event<'a> {
    fn delta(&mut self) -> Delta<'a> {
        let mut delta = Delta::chunk();
        if self.message_start.present {
            delta.choices.push(ChoiceDelta::default());
        }
        let index = self.block_start.index.index();
        self.block_start.start.add_to(&mut delta, index);
        let piece = &self.block_delta.delta;
        delta.add_text(ContentKind::Text, piece.text.bytes);
        delta.add_text(ContentKind::Reasoning, piece.reasoning.bytes());
        if piece.tool_use.input.filled {
            delta.add_visible(ContentKind::ToolCall, piece.tool_use.input.bytes);
        }
        if piece.image.present {
            delta.add_visible(ContentKind::Image, piece.image.source.bytes.bytes);
        }
        if self.message_stop.present {
            // Metadata follows, but nothing of the answer.
            delta.terminal = Terminal::Yes;
            delta.choices.push(ChoiceDelta { index: 0, finish_reason: self.message_stop.stop_reason.take() });
        }
        delta.usage = self.metadata.usage.report();
        delta.server = self.metadata.metrics.server_timing();
        if let Some(output) = &mut self.output.0 {
            delta.whole = true;
            delta.terminal = Terminal::Yes;
            for (position, block) in output.message.content.0.iter_mut().enumerate() {
                block.add_to(&mut delta, u32::try_from(position).ok());
            }
            delta.choices.push(ChoiceDelta { index: 0, finish_reason: self.stop_reason.take() });
            delta.usage = self.usage.report();
            delta.server = self.metrics.server_timing();
        } else {
            let (kind, message) = (core::mem::take(&mut self.error_type), core::mem::take(&mut self.message));
            delta.error = AwsErrorBody { kind, message, ..AwsErrorBody::default() }.take();
            delta.whole = delta.error.is_some();
        }
        for (name, body) in [
            ("internalServerException", &mut self.internal_server),
            ("modelStreamErrorException", &mut self.model_stream),
            ("serviceUnavailableException", &mut self.service_unavailable),
            ("throttlingException", &mut self.throttling),
            ("validationException", &mut self.validation),
        ] {
            if let Some(body) = &mut body.0 {
                delta.error = Some(exception(name, body));
            }
        }
        delta
    }
}

impl<'a> Block<'a> {
    fn add_to(&mut self, delta: &mut Delta<'a>, index: Option<u32>) {
        delta.add_text(ContentKind::Text, self.text.bytes);
        delta.add_text(ContentKind::Reasoning, self.reasoning.bytes());
        if self.tool_use.present {
            delta.add_visible(ContentKind::ToolCall, self.tool_use.input.bytes);
            if self.tool_use.kind.is("server_tool_use") {
                delta.server_tool_calls = delta.server_tool_calls.saturating_add(1);
                return;
            }
            let (id, name) = (self.tool_use.id.take(), self.tool_use.name.take());
            delta.tool_calls.push(ToolCallDelta { choice: 0, index, id, name });
        }
    }
}

impl Reasoning {
    fn bytes(&self) -> usize {
        self.text.bytes + self.inner.text.bytes
    }
}

impl Metrics {
    fn server_timing(&self) -> Option<ServerTiming> {
        let total_ns = Some(self.latency.millis()?);
        Some(ServerTiming { total_ns, ..ServerTiming::default() })
    }
}

impl Usage {
    fn report(&self) -> Option<UsageReport> {
        report(self.input, self.output, self.total, self.cache_read, self.cache_write)
    }
}

/// Normalizes counts of Bedrock.
pub(super) fn report(
    input: Count,
    output: Count,
    total: Count,
    cache_read: Count,
    cache_write: Count,
) -> Option<UsageReport> {
    let mut tally = Tally::default();
    let raw = RawUsage {
        input: tally.take(input),
        output: tally.take(output),
        cache_read: tally.take(cache_read),
        cache_write: tally.take(cache_write),
        total: tally.take(total),
        ..RawUsage::default()
    };
    ACCOUNTING.report(raw, tally.rejected)
}

/// `inputTokens` leaves out the cache: total = input + output + read + written holds in every recording that has cached
/// tokens, and `TokenUsage` in the API reference counts them apart. Reasoning is a part of the output that is not told.
pub(super) const ACCOUNTING: Accounting = Accounting { cache: Counted::Apart, ..Accounting::PLAIN };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_includes_the_cache() {
        let json = br#"{"metadata":{"usage":{"inputTokens":5,"outputTokens":2,"cacheReadInputTokens":10,"cacheWriteInputTokens":1},"metrics":{"latencyMs":170}}}"#;
        let delta = decode(Input::Json(json));
        assert_eq!(delta.usage.unwrap().input_tokens, Some(16));
        assert_eq!(delta.server.unwrap().total_ns.unwrap().as_millis(), 170);
    }

    #[test]
    fn an_exception_is_an_error_of_its_name() {
        let error = decode(Input::Json(br#"{"throttlingException":{"message":"slow down"}}"#)).error.unwrap();
        assert_eq!(error.error_type.as_deref(), Some("throttlingException"));
    }
}
