//! `bedrock.converse`: `Converse` and `ConverseStream` of AWS Bedrock.
//!
//! On the wire a header names the event; the SDKs put it into a member of that name. The answer names neither its model nor an id. Counts come after the stop reason.

use super::accounting::{Accounting, Tally};
use super::aws_error::{AwsErrorBody, exception};
use super::lenient::{Count, Decimal, Fill, List, Payload, Rare, Str, Text, kinds, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, ServerTiming, Terminal, ToolCallDelta, UsageReport};

/// Reads the payload of a message, the event type of which is in its header.
pub(super) fn decode_message<'a>(delta: &mut Delta<'a>, event_type: &[u8], json: Input<'a>) {
    let read = match EventType::of(event_type) {
        Some(EventType::BlockDelta) => read::<BlockDelta>(delta, json),
        Some(EventType::BlockStart) => read::<BlockStart<'a>>(delta, json),
        Some(EventType::MessageStart) => read::<Start>(delta, json),
        Some(EventType::MessageStop) => read::<MessageStop<'a>>(delta, json),
        Some(EventType::Metadata) => read::<Metadata>(delta, json),
        // The end of a block, and events of later versions.
        None => Some(()),
    };
    delta.chunk = read.is_some();
    delta.decode_errors = u32::from(read.is_none());
}

kinds! {
    enum EventType {
        BlockDelta = "contentBlockDelta",
        BlockStart = "contentBlockStart",
        MessageStart = "messageStart",
        MessageStop = "messageStop",
        Metadata = "metadata",
    }
}

fn read<'a, T: Part<'a>>(delta: &mut Delta<'a>, json: Input<'a>) -> Option<()> {
    let mut part = T::default();
    json.fill(&mut part)?;
    part.write(delta);
    Some(())
}

/// What one kind of event says; nothing when the event is another one.
trait Part<'a>: Fill<'a> {
    fn write(&mut self, delta: &mut Delta<'a>);
}

/// Reads one event in the form of the SDKs, or one whole answer.
pub(super) fn decode<'a>(delta: &mut Delta<'a>, json: Input<'a>) {
    let mut event = Event::default();
    match json.fill(&mut event) {
        Some(()) => event.write(delta),
        None => delta.decode_errors = 1,
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
    fn write(&mut self, delta: &mut Delta<'a>) {
        delta.chunk = true;
        self.message_start.write(delta);
        self.block_start.write(delta);
        self.block_delta.write(delta);
        self.message_stop.write(delta);
        self.metadata.write(delta);
        if let Some(output) = &mut self.output.0 {
            delta.whole = true;
            delta.terminal = Terminal::Yes;
            for (index, block) in (0..).zip(&mut output.message.content.0) {
                block.add_to(delta, Some(index));
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
    }
}

impl<'a> Part<'a> for Start {
    fn write(&mut self, delta: &mut Delta<'a>) {
        if self.present {
            delta.choices.push(ChoiceDelta::default());
        }
    }
}

impl<'a> Part<'a> for BlockStart<'a> {
    fn write(&mut self, delta: &mut Delta<'a>) {
        self.start.add_to(delta, self.index.index());
    }
}

impl<'a> Part<'a> for BlockDelta {
    fn write(&mut self, delta: &mut Delta<'a>) {
        let piece = &self.delta;
        delta.add_text(ContentKind::Text, piece.text.bytes);
        delta.add_text(ContentKind::Reasoning, piece.reasoning.bytes());
        if piece.tool_use.input.filled {
            delta.add_visible(ContentKind::ToolCall, piece.tool_use.input.bytes);
        }
        if piece.image.present {
            delta.add_visible(ContentKind::Image, piece.image.source.bytes.bytes);
        }
    }
}

impl<'a> Part<'a> for MessageStop<'a> {
    fn write(&mut self, delta: &mut Delta<'a>) {
        if self.present {
            // Metadata follows, but nothing of the answer.
            delta.terminal = Terminal::Yes;
            delta.choices.push(ChoiceDelta { index: 0, finish_reason: self.stop_reason.take() });
        }
    }
}

impl<'a> Part<'a> for Metadata {
    fn write(&mut self, delta: &mut Delta<'a>) {
        delta.usage = self.usage.report();
        delta.server = self.metrics.server_timing();
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
pub(super) const ACCOUNTING: Accounting = Accounting::BEDROCK;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_includes_the_cache() {
        let json = br#"{"metadata":{"usage":{"inputTokens":5,"outputTokens":2,"cacheReadInputTokens":10,"cacheWriteInputTokens":1},"metrics":{"latencyMs":170}}}"#;
        let mut delta = Delta::default();
        decode(&mut delta, Input::Json(json));
        assert_eq!(delta.usage.unwrap().input_tokens, Some(16));
        assert_eq!(delta.server.unwrap().total_ns.unwrap().as_millis(), 170);
    }

    #[test]
    fn an_exception_is_an_error_of_its_name() {
        let mut delta = Delta::default();
        decode(&mut delta, Input::Json(br#"{"throttlingException":{"message":"slow down"}}"#));
        let error = delta.error.unwrap();
        assert_eq!(error.error_type.as_deref(), Some("throttlingException"));
    }
}
