//! What one provider event means, in the engine's own words.
//!
//! A decoder reduces every event of a stream, or a whole response body, to one [`Delta`]. The machine applies it
//! without knowing which provider it came from. A delta borrows from the frame it was read from and keeps no content:
//! of text and media there are only byte counts.

use alloc::{borrow::Cow, boxed::Box};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{fields::words, time::Nanos};

/// What a chunk carries. Every kind but [`ContentKind::None`] is visible to the user.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentKind {
    /// Answer text.
    Text,
    /// Reasoning or thinking text, summaries of it included.
    Reasoning,
    /// A tool or function call, also one that the provider runs itself.
    ToolCall,
    /// Text of a refusal.
    Refusal,
    /// Executable code or its result.
    Code,
    /// Image bytes.
    Image,
    /// Audio bytes or the transcript of them.
    Audio,
    /// Nothing that a user could see.
    #[default]
    None,
}

impl ContentKind {
    /// The visible kinds, in the order of [`Delta::bytes`].
    pub const VISIBLE: [Self; 7] =
        [Self::Text, Self::Reasoning, Self::ToolCall, Self::Refusal, Self::Code, Self::Image, Self::Audio];

    const fn slot(self) -> Option<usize> {
        match self {
            Self::Text => Some(0),
            Self::Reasoning => Some(1),
            Self::ToolCall => Some(2),
            Self::Refusal => Some(3),
            Self::Code => Some(4),
            Self::Image => Some(5),
            Self::Audio => Some(6),
            Self::None => None,
        }
    }
}

/// A set of visible content kinds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KindSet(u8);

impl KindSet {
    /// Adds a kind; [`ContentKind::None`] adds nothing.
    pub const fn insert(&mut self, kind: ContentKind) {
        if let Some(slot) = kind.slot() {
            self.0 |= 1 << slot;
        }
    }

    /// Whether the kind is in the set.
    pub const fn contains(self, kind: ContentKind) -> bool {
        match kind.slot() {
            Some(slot) => self.0 & (1 << slot) != 0,
            None => false,
        }
    }

    /// Whether there is one kind in the set, and not a refusal, which has a flag.
    #[inline]
    pub(crate) const fn is_plain(self) -> bool {
        self.0.is_power_of_two() && self.0 != REFUSAL_BIT
    }

    /// Whether nothing visible is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Place of the first kind in [`Delta::bytes`]; past the end when there is none.
    pub(crate) fn first_slot(self) -> usize {
        usize::try_from(self.0.trailing_zeros()).unwrap_or(usize::MAX)
    }

    /// Places of the kinds in [`Delta::bytes`].
    pub(crate) fn slots(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let slot = rest.trailing_zeros();
            // Clears the lowest bit that is set.
            rest &= rest.wrapping_sub(1);
            usize::try_from(slot).ok().filter(|_| slot < u8::BITS)
        })
    }

    /// Whether a kind other than reasoning is in the set: the answer has begun.
    pub const fn has_answer(self) -> bool {
        self.0 & !REASONING_BIT != 0
    }
}

const REASONING_BIT: u8 = 1 << 1;
const REFUSAL_BIT: u8 = 1 << 3;

/// Everything that one provider event, or one whole response body, says.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about one event")]
#[non_exhaustive]
pub struct Delta<'a> {
    /// Whether this is an event of the response at all. Pings, comments and end markers such as `[DONE]` are not:
    /// they set no chunk mark.
    pub chunk: bool,
    /// Keep-alives in this event: comment lines and pings.
    pub keep_alives: u32,
    /// The kinds of visible content in this event, in any choice.
    pub visible: KindSet,
    /// Bytes of new content per kind, in the order of [`ContentKind::VISIBLE`]: UTF-8 text bytes, or encoded bytes of
    /// media.
    pub bytes: [u32; 7],
    /// The choices (candidates) that this event mentions, with the finish reason of those that ended.
    pub choices: SmallVec<[ChoiceDelta<'a>; 1]>,
    /// Tool calls, whole or in fragments, that the client has to run.
    pub tool_calls: SmallVec<[ToolCallDelta<'a>; 1]>,
    /// Starts of tool calls that the provider runs itself.
    pub server_tool_calls: u32,
    /// Token counts, where the event reports any.
    pub usage: Option<UsageReport>,
    /// The provider's response id. A decoder may leave it out once it has given it.
    pub response_id: Option<Cow<'a, str>>,
    /// The model that answered, as the provider names it. A decoder may leave it out once it has given it.
    pub response_model: Option<Cow<'a, str>>,
    /// An error inside the stream, or the error of an error body.
    pub error: Option<ErrorDelta<'a>>,
    /// Whether this event ends the response.
    pub terminal: Terminal,
    /// Timing that the server reports about itself.
    pub server: Option<ServerTiming>,
    /// Cost that the provider states, in nano-units (1e-9) of US dollars.
    pub cost_nanos: Option<u64>,
    /// Whether the model refused, where the provider says so apart from any text of a refusal. It comes with a finish reason.
    pub refused: bool,
    /// Why the provider blocked the prompt, where it says so.
    pub block_reason: Option<Cow<'a, str>>,
    /// Why the response is incomplete, where the provider says so apart from the finish reason.
    pub incomplete_reason: Option<Cow<'a, str>>,
    /// Payloads that could not be read.
    pub decode_errors: u32,
    /// Frames longer than their cap, skipped.
    pub oversized_frames: u32,
    /// Whether the response is compressed and nobody decompressed it.
    pub compressed: bool,
    /// Whether this is a whole response body, not an event of a stream.
    pub whole: bool,
}

impl Delta<'_> {
    /// A delta of an event that counts as a chunk, with nothing in it yet.
    pub fn chunk() -> Self {
        Self { chunk: true, ..Self::default() }
    }

    /// Whether this is a chunk with content of one kind, and nothing else that anybody has to look at.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        let counts = self.decode_errors | self.oversized_frames | self.keep_alives | self.server_tool_calls;
        self.chunk
            && self.visible.is_plain()
            && counts == 0
            && self.terminal == Terminal::No
            && self.usage.is_none()
            && self.error.is_none()
            && self.choices.is_empty()
            && self.tool_calls.is_empty()
            && self.response_id.is_none()
            && self.response_model.is_none()
            && self.server.is_none()
            && self.cost_nanos.is_none()
            && self.block_reason.is_none()
            && self.incomplete_reason.is_none()
    }

    /// Bytes of the first visible kind.
    #[inline]
    pub(crate) fn first_bytes(&self) -> u32 {
        self.bytes.get(self.visible.first_slot()).copied().unwrap_or(0)
    }

    /// A delta for one keep-alive: a comment line or a ping.
    pub fn keep_alive() -> Self {
        Self { keep_alives: 1, ..Self::default() }
    }

    /// A delta for one payload that could not be read.
    pub fn undecodable() -> Self {
        Self { decode_errors: 1, ..Self::default() }
    }

    /// A delta for one frame that was longer than its cap.
    pub fn oversized() -> Self {
        Self { oversized_frames: 1, ..Self::default() }
    }

    /// Adds text: visible only when it is not empty.
    pub fn add_text(&mut self, kind: ContentKind, bytes: usize) {
        if bytes > 0 {
            self.add_visible(kind, bytes);
        }
    }

    /// Adds content that is visible whatever its length, as the start of a tool call is.
    pub fn add_visible(&mut self, kind: ContentKind, bytes: usize) {
        self.visible.insert(kind);
        if let Some(slot) = kind.slot().and_then(|slot| self.bytes.get_mut(slot)) {
            *slot = slot.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        }
    }
}

/// One choice of a response, as far as one event mentions it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "decoders build it field by field")]
pub struct ChoiceDelta<'a> {
    /// Index of the choice, from 0.
    pub index: u32,
    /// The provider's finish reason, unchanged, once the choice has ended.
    pub finish_reason: Option<Cow<'a, str>>,
}

/// A tool call or a fragment of one.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "decoders build it field by field")]
pub struct ToolCallDelta<'a> {
    /// Index of the choice that asks for the call.
    pub choice: u32,
    /// Index of the call within its choice, where the protocol numbers them.
    pub index: Option<u32>,
    /// The provider's id of the call; empty or absent on later fragments.
    pub id: Option<Cow<'a, str>>,
    /// Name of the tool; absent on later fragments.
    pub name: Option<Cow<'a, str>>,
}

/// An error that the provider reports in its response.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "decoders build it field by field")]
pub struct ErrorDelta<'a> {
    /// The provider's own class of the error: its type, else its code.
    pub error_type: Option<Cow<'a, str>>,
    /// HTTP status code, where the error names one as a number.
    pub status_code: Option<u16>,
    /// Text for people. Kept only when the configuration asks for error messages.
    pub message: Option<Cow<'a, str>>,
    /// How long the server asks to wait before a retry.
    pub retry_after_ns: Option<Nanos>,
}

/// Whether an event ends the response.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Terminal {
    /// More may follow.
    #[default]
    No,
    /// The protocol's end marker.
    Yes,
    /// Servers of this protocol are known to leave the end marker out, or none exists: the response has ended once
    /// every choice seen has a finish reason.
    WhenEveryChoiceFinished,
}

/// How a usage report relates to the ones before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UsageMode {
    /// Each count given replaces the one before.
    #[default]
    Cumulative,
    /// Each count given is added to what is there.
    Delta,
}

/// Where a token count comes from.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Provenance {
    /// The provider reported it.
    #[default]
    Reported,
    /// The provider reported it, and the stream was cut after that: more may have been generated.
    Partial,
    /// The provider sent it ahead of the real count, as the output of Anthropic's `message_start` is.
    Placeholder,
    /// The caller estimated it.
    Estimated,
}

/// Token counts of one report: normalized, and as the provider gave them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct UsageReport {
    /// Input tokens, cache reads and writes included.
    pub input_tokens: Option<u64>,
    /// Output tokens, reasoning included.
    pub output_tokens: Option<u64>,
    /// Input tokens read from the provider's cache.
    pub cache_read_tokens: Option<u64>,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: Option<u64>,
    /// The provider's own numbers; absent in reports that a caller makes.
    pub raw: Option<RawUsage>,
    /// Whether the counts replace or add.
    pub mode: UsageMode,
    /// Where the counts come from.
    pub source: Provenance,
    /// Whether the output count only holds the place of the real one.
    pub output_is_placeholder: bool,
    /// Counts in this report that were negative, fractional, above 2^53 or no number.
    pub rejected: u32,
}

/// Token counts as a provider reports them, before any arithmetic.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "decoders build it field by field")]
pub struct RawUsage {
    /// Input as reported: with or without cached tokens, as the provider counts.
    pub input: Option<u64>,
    /// Output as reported: with or without reasoning, as the provider counts.
    pub output: Option<u64>,
    /// Cached input tokens.
    pub cache_read: Option<u64>,
    /// Input tokens written to the cache.
    pub cache_write: Option<u64>,
    /// Reasoning tokens.
    pub reasoning: Option<u64>,
    /// The provider's total.
    pub total: Option<u64>,
    /// Input that tools of the provider added (Gemini).
    pub tool_use_prompt: Option<u64>,
    /// Billed input (Cohere).
    pub billed_input: Option<u64>,
    /// Billed output (Cohere).
    pub billed_output: Option<u64>,
}

impl RawUsage {
    /// Takes over every count that `later` gives: the last non-null value of each field wins.
    pub fn merge(&mut self, later: &Self) {
        fn take(slot: &mut Option<u64>, later: Option<u64>) {
            if later.is_some() {
                *slot = later;
            }
        }
        take(&mut self.input, later.input);
        take(&mut self.output, later.output);
        take(&mut self.cache_read, later.cache_read);
        take(&mut self.cache_write, later.cache_write);
        take(&mut self.reasoning, later.reasoning);
        take(&mut self.total, later.total);
        take(&mut self.tool_use_prompt, later.tool_use_prompt);
        take(&mut self.billed_input, later.billed_input);
        take(&mut self.billed_output, later.billed_output);
    }

    /// Whether no count is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a server reports about its own timing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "decoders build it field by field")]
pub struct ServerTiming {
    /// Time in the server's queue.
    pub queue_ns: Option<Nanos>,
    /// Time to read the prompt (prefill).
    pub prompt_ns: Option<Nanos>,
    /// Time to generate the output (decode).
    pub generation_ns: Option<Nanos>,
    /// The server's total for the request.
    pub total_ns: Option<Nanos>,
    /// The server's own time to its first byte.
    pub first_byte_ns: Option<Nanos>,
}

impl ServerTiming {
    /// Takes over every value that `later` gives.
    pub fn merge(&mut self, later: &Self) {
        self.queue_ns = later.queue_ns.or(self.queue_ns);
        self.prompt_ns = later.prompt_ns.or(self.prompt_ns);
        self.generation_ns = later.generation_ns.or(self.generation_ns);
        self.total_ns = later.total_ns.or(self.total_ns);
        self.first_byte_ns = later.first_byte_ns.or(self.first_byte_ns);
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What the response headers say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Headers {
    /// HTTP status code.
    pub status_code: Option<u16>,
    /// The server's request id.
    pub request_id: Option<Box<str>>,
    /// The server's own timing. What the body says of it wins.
    pub server: ServerTiming,
    /// How long the server asks to wait before a retry.
    pub retry_after_ns: Option<Nanos>,
    /// Class of the error. It names the error of a response with an error status when neither the body nor the caller does.
    pub error_type: Option<Box<str>>,
    /// Token counts, as AWS Bedrock counts: cached input is no part of the input. What the body says of a count wins.
    pub usage: Option<Box<RawUsage>>,
}

impl Headers {
    /// Headers with a status code.
    pub fn of_status(status_code: u16) -> Self {
        Self { status_code: Some(status_code), ..Self::default() }
    }
}

words!(ContentKind {
    Text = "text",
    Reasoning = "reasoning",
    ToolCall = "tool_call",
    Refusal = "refusal",
    Code = "code",
    Image = "image",
    Audio = "audio",
    None = "none",
});
words!(UsageMode { Cumulative = "cumulative", Delta = "delta" });
words!(Provenance {
    Reported = "reported",
    Partial = "partial",
    Placeholder = "placeholder",
    Estimated = "estimated",
});
