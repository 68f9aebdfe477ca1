//! `openai.chat`: chat completions of OpenAI and of every server that speaks like it.
//!
//! Fields that only some servers have are read at all of them; they never mean two things. What counts as content, by
//! server: reasoning in `reasoning_content` (DeepSeek, Qwen, xAI, vLLM), `reasoning` (Groq, OpenRouter, Cerebras),
//! `thinking_blocks` (LiteLLM), `reasoning_details` (Snowflake) or in parts of `content` (Mistral, Databricks).
//!
//! `openai.completions`, text completions, are read here too: their choices have `text` in place of a message, and all the
//! rest is the same.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::error::ErrorField;
use super::json::Malformed;
use super::lenient::{Code, Count, Few, Fill, List, Maybe, Payload, Rare, Str, Text, object};
use super::openai_usage::{TimeInfo, Timings, Usage};
use super::source::{Input, Source};
use crate::delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, ServerTiming, Terminal, ToolCallDelta};

/// What one chunk has to know of the ones before it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct OpenAiChat {
    /// Whether a chunk with a `delta` has been seen.
    streams: bool,
    /// Whether a chunk has told the id of the response, which every chunk repeats.
    has_id: bool,
    /// The same of the model.
    has_model: bool,
}

impl OpenAiChat {
    /// Reads one chunk, one whole body or one error body.
    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        let mut chunk = Chunk::default();
        match json.fill(&mut chunk) {
            Some(()) => {
                chunk.write(delta, body, self.streams);
                self.streams |= chunk.choices.iter().any(|choice| choice.delta.present);
                // The first ones hold.
                if !self.has_id {
                    delta.response_id = chunk.id.take();
                    self.has_id = delta.response_id.is_some();
                }
                if !self.has_model {
                    delta.response_model = chunk.model.take();
                    self.has_model = delta.response_model.is_some();
                }
            }
            None => delta.decode_errors = 1,
        }
    }
}

object! {
    struct Chunk<'a> {
        "id" => id: Str<'a>,
        "object" => object: Str<'a>,
        "model" => model: Str<'a>,
        "choices" => choices: Few<Choice<'a>>,
        "usage" => usage: Maybe<Usage>,
        "x_groq" => groq: Rare<Groq<'a>>,
        "time_info" => time_info: Rare<TimeInfo>,
        "timings" => timings: Rare<Timings>,
        "error" => error: ErrorField<'a>,
        // Of errors that are not wrapped in `error`: Mistral and vLLM with `"object": "error"`, gateways without.
        // Databricks and Snowflake have `error_code`, Azure's front door `statusCode`, text generation of Hugging Face
        // `error_type`.
        "message" | "detail" => error_message: Str<'a>,
        "type" | "error_type" => error_type: Str<'a>,
        "code" | "error_code" | "statusCode" => error_code: Code<'a>,
        "base_resp" => base_resp: Rare<BaseResp<'a>>,
    }
}

object! {
    /// How `MiniMax` reports what went wrong, with HTTP status 200; its own code is 0 when all is well.
    struct BaseResp<'a> {
        "status_code" => code: Count,
        "status_msg" => message: Str<'a>,
    }
}

object! {
    struct Choice<'a> {
        "index" => index: Count,
        "delta" => delta: Message<'a>,
        "message" => message: Maybe<Message<'a>>,
        "finish_reason" => finish_reason: Str<'a>,
        // Of a text completion.
        "text" => text: Text,
        "reasoning_content" => reasoning_content: Text,
        "reasoning" => reasoning: Text,
        // Moonshot reports usage here.
        "usage" => usage: Rare<Usage>,
        // OpenRouter reports an error of one choice here.
        "error" => error: ErrorField<'a>,
    }
}

object! {
    struct Message<'a> {
        "content" => content: Content,
        "refusal" => refusal: Text,
        "reasoning_content" => reasoning_content: Text,
        "reasoning" => reasoning: Text,
        "reasoning_text" => reasoning_text: Text,
        "thinking" => thinking: Text,
        "thinking_blocks" => thinking_blocks: List<ThinkingBlock, 0>,
        "reasoning_details" => reasoning_details: List<ReasoningDetail, 1>,
        "tool_calls" => tool_calls: List<ToolCall<'a>, 1>,
        "function_call" => function_call: Maybe<Function<'a>>,
        "audio" => audio: Audio,
        "images" => images: List<Image, 0>,
    }
}

object! {
    struct ThinkingBlock { "thinking" => thinking: Text }
}

object! {
    struct ReasoningDetail {
        "text" => text: Text,
        "summary" => summary: Text,
    }
}

object! {
    struct ToolCall<'a> {
        "index" => index: Count,
        "id" => id: Str<'a>,
        "function" => function: Function<'a>,
        "custom" => custom: Function<'a>,
    }
}

object! {
    struct Function<'a> {
        "name" => name: Str<'a>,
        "arguments" | "input" => arguments: Payload,
    }
}

object! {
    struct Audio {
        "data" => data: Text,
        "transcript" => transcript: Text,
    }
}

object! {
    struct Image { "image_url" => url: ImageUrl }
}

object! {
    struct ImageUrl { "url" => url: Text }
}

object! {
    struct Groq<'a> {
        "usage" => usage: Usage,
        "error" => error: ErrorField<'a>,
    }
}

impl<'a> Chunk<'a> {
    fn write(&mut self, delta: &mut Delta<'a>, body: bool, streams: bool) {
        delta.chunk = true;
        // Writer and Perplexity repeat the answer so far as `message` beside `delta`; an answer that does not stream
        // has `message` alone. Behind deltas that is a repetition too: MiniMax closes its streams with the whole
        // answer, Perplexity with a `chat.completion.done`.
        let whole = (body || self.choices.iter().any(|choice| choice.message.0.is_some() && !choice.delta.present))
            && !streams
            && !self.object.is("chat.completion.chunk")
            && !self.object.is("chat.completion.done");
        delta.whole = whole;
        let mut server = ServerTiming::default();
        if let Some(timings) = &self.timings.0 {
            server.merge(&timings.server_timing());
            delta.usage = timings.report();
        }
        if let Some(time_info) = &self.time_info.0 {
            server.merge(&time_info.server_timing());
        }
        if let Some(usage) = &self.usage.0 {
            delta.usage = usage.report().or(delta.usage);
            delta.cost_nanos = usage.cost_nanos();
            server.merge(&usage.server_timing());
        }
        let bare_error = self.object.is("error") || (self.choices.is_empty() && !self.error_message.is_empty());
        let mut error = self.error.take_beside(&mut self.error_type, &mut self.error_code);
        for (position, choice) in self.choices.iter_mut().enumerate() {
            let index = choice.index.index().or_else(|| u32::try_from(position).ok()).unwrap_or(u32::MAX);
            if let Some(usage) = &choice.usage.0
                && delta.usage.is_none()
            {
                delta.usage = usage.report();
                delta.cost_nanos = delta.cost_nanos.or_else(|| usage.cost_nanos());
            }
            let choice_error = choice.error.take();
            let message = choice.message.0.as_mut().filter(|_| whole && !choice.delta.present);
            let message = message.unwrap_or(&mut choice.delta);
            // Together repeats the text of a choice as its `delta`.
            if !message.add_to(delta, index, whole) {
                delta.add_text(ContentKind::Text, choice.text.bytes);
                // Servers that have both fields repeat the text.
                let reasoning = choice.reasoning_content.bytes.max(choice.reasoning.bytes);
                delta.add_text(ContentKind::Reasoning, reasoning);
            }
            let failed = choice.finish_reason.is("error");
            let finish_reason = choice.finish_reason.take();
            error = error.or(choice_error).or_else(|| failed.then(ErrorDelta::default));
            delta.choices.push(ChoiceDelta { index, finish_reason });
        }
        if let Some(groq) = &mut self.groq.0 {
            // The counts are here, with newer models also at the top level.
            if delta.usage.is_none() {
                delta.usage = groq.usage.report();
            }
            server.merge(&groq.usage.server_timing());
            error = error.or_else(|| groq.error.take());
        }
        if error.is_none() && bare_error {
            error = Some(ErrorField::of_parts(&mut self.error_type, &mut self.error_code, &mut self.error_message));
        }
        if let Some(base_resp) = &mut self.base_resp.0 {
            error = error.or_else(|| base_resp.take_error());
        }
        if !server.is_empty() {
            delta.server = Some(server);
        }
        delta.terminal = match (&error, whole) {
            (Some(_), _) => Terminal::No,
            (None, true) => Terminal::Yes,
            // The end marker `[DONE]` is never sent by Writer, Perplexity, Cerebras and Moonshot, and left out by half
            // of the servers at Hugging Face.
            (None, false) => Terminal::WhenEveryChoiceFinished,
        };
        delta.error = error;
    }
}

impl<'a> BaseResp<'a> {
    fn take_error(&mut self) -> Option<ErrorDelta<'a>> {
        let failed = self.code.value().is_some_and(|code| code != 0);
        failed.then(|| ErrorDelta { message: self.message.take(), ..ErrorDelta::default() })
    }
}

impl<'a> Message<'a> {
    /// Adds what the message has of content; whether that is text or reasoning.
    fn add_to(&mut self, delta: &mut Delta<'a>, choice: u32, whole: bool) -> bool {
        delta.add_text(ContentKind::Text, self.content.text);
        // The names of the reasoning field are alternatives; servers that have two repeat the text.
        let details = || self.reasoning_details.0.iter().map(|detail| detail.text.bytes + detail.summary.bytes).sum();
        let blocks = || self.thinking_blocks.0.iter().map(|block| block.thinking.bytes).sum();
        let reasoning = [self.reasoning_content, self.reasoning, self.reasoning_text, self.thinking]
            .into_iter()
            .map(|text| text.bytes)
            .find(|&bytes| bytes > 0)
            .or_else(|| Some(blocks()).filter(|&bytes| bytes > 0))
            .unwrap_or_else(details)
            .max(self.content.reasoning);
        delta.add_text(ContentKind::Reasoning, reasoning);
        delta.add_text(ContentKind::Refusal, self.refusal.bytes + self.content.refusal);
        delta.add_text(ContentKind::Audio, self.audio.data.bytes + self.audio.transcript.bytes);
        delta.add_text(ContentKind::Image, self.content.image);
        for image in &self.images.0 {
            if image.present {
                delta.add_visible(ContentKind::Image, image.url.url.bytes);
            }
        }
        for (position, call) in self.tool_calls.0.iter_mut().enumerate() {
            let function = if call.function.present { &mut call.function } else { &mut call.custom };
            // A whole answer has its calls in order and without an index.
            let place = || if whole { u32::try_from(position).ok() } else { None };
            function.add_to(delta, choice, call.index.index().or_else(place), call.id.take());
        }
        if let Some(call) = &mut self.function_call.0 {
            call.add_to(delta, choice, Some(0), None);
        }
        self.content.text + reasoning > 0
    }
}

impl<'a> Function<'a> {
    /// Adds the call, unless there is nothing in it: Snowflake sends empty ones.
    fn add_to(&mut self, delta: &mut Delta<'a>, choice: u32, index: Option<u32>, id: Option<Cow<'a, str>>) {
        let name = self.name.take();
        if name.is_some() || self.arguments.filled {
            delta.add_visible(ContentKind::ToolCall, self.arguments.bytes);
        } else if id.is_none() {
            return;
        }
        delta.tool_calls.push(ToolCallDelta { choice, index, id, name });
    }
}

/// The `content` of a message: a string, or a list of typed parts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Content {
    text: usize,
    reasoning: usize,
    refusal: usize,
    image: usize,
}

object! {
    struct Part {
        "text" => text: Text,
        "refusal" => refusal: Text,
        "thinking" => thinking: PartText,
        "reasoning" => reasoning: PartText,
        "summary" => summary: PartText,
        "image_url" => image: ImageUrl,
    }
}

object! {
    struct InnerPart { "text" => text: Text }
}

impl<'de> Fill<'de> for Content {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        *self = Self::default();
        if reader.begins(b'[') {
            return self.add_parts(reader);
        }
        self.text = reader.text()?.len();
        Ok(())
    }
}

impl Content {
    fn add_parts<'de, S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        reader.elements(|reader| {
            let mut part = Part::default();
            part.fill(reader)?;
            self.text += part.text.bytes;
            self.reasoning += part.thinking.0 + part.reasoning.0 + part.summary.0;
            self.refusal += part.refusal.bytes;
            self.image += part.image.url.bytes;
            Ok(())
        })
    }
}

/// The thinking in a part: a string, or a list of parts with text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PartText(usize);

impl<'de> Fill<'de> for PartText {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = 0;
        if !reader.begins(b'[') {
            self.0 = reader.text()?.len();
            return Ok(());
        }
        reader.elements(|reader| {
            let mut part = InnerPart::default();
            part.fill(reader)?;
            self.0 += part.text.bytes;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
