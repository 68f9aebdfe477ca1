//! The record of a call.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    AttemptRecord, Attributes, Content, Cost, Diagnostics, Flags, InterChunk, KeepAlives, Marks, Request, Server,
    SloVerdict, Usage,
    shape::{Shape, Value, record_struct, scalars},
};
use crate::{
    fields::words,
    time::{Nanos, UnixNanos},
};

record_struct! {
    /// One call, finalized: what was asked, where the time went, what came back and what it cost.
    ///
    /// Values of "the final attempt" are also those of the entry of [`Record::attempts`] with the number
    /// [`Record::final_attempt`].
    pub struct Record {
        /// Id of the call in its event log; `1` unless the caller names it.
        pub call: String,
        /// What was asked for, such as `chat`. Maps to `gen_ai.operation.name`.
        pub operation: Option<String>,
        /// Provider that was asked first: the call's, else its first attempt's. Maps to `gen_ai.provider.name`.
        pub provider: Option<String>,
        /// Model that was asked for first: the call's, else its first attempt's. Maps to `gen_ai.request.model`.
        pub model: Option<String>,
        /// Whether the response was streamed. Maps to `gen_ai.request.stream`, written only as true.
        pub stream: bool,
        /// Trace that the call belongs to: 32 hex digits.
        pub trace_id: Option<String>,
        /// Span of the call: 16 hex digits.
        pub span_id: Option<String>,
        /// Span that was current when the call started: 16 hex digits.
        pub parent_span_id: Option<String>,
        /// How the call ended.
        pub outcome: Outcome,
        /// Which timeout ended it; only with the outcome `timed_out`.
        pub timeout_kind: Option<TimeoutKind>,
        /// Status of the OpenTelemetry span.
        pub otel_status: OtelStatus,
        /// Why the call failed; only with the outcomes `error` and `timed_out`. Maps to `error.type`.
        pub error: Option<RecordError>,
        /// Wall-clock start; absent without an anchor.
        pub start_unix_ns: Option<UnixNanos>,
        /// Wall-clock end: start plus duration; absent without an anchor.
        pub end_unix_ns: Option<UnixNanos>,
        /// End less start of the call.
        pub duration_ns: Nanos,
        /// Start of the final attempt less start of the call: earlier attempts, waits and local phases. Absent without an
        /// attempt.
        pub request_setup_ns: Option<Nanos>,
        /// First visible chunk less start of the final attempt. Absent when not streaming or without a visible chunk.
        pub ttft_ns: Option<Nanos>,
        /// First visible chunk of the final attempt less start of the call: what the user felt.
        pub call_ttft_ns: Option<Nanos>,
        /// Headers of the final attempt less its `request_sent`, else less its start.
        pub time_to_headers_ns: Option<Nanos>,
        /// First chunk of any kind, measured as `time_to_headers_ns`. Maps to `gen_ai.response.time_to_first_chunk`.
        pub time_to_first_chunk_ns: Option<Nanos>,
        /// First visible reasoning, measured as `time_to_headers_ns`.
        pub time_to_first_reasoning_ns: Option<Nanos>,
        /// First visible chunk that is not reasoning, measured as `time_to_headers_ns`.
        pub time_to_first_answer_ns: Option<Nanos>,
        /// End of the final attempt less its first visible chunk. Absent as `ttft_ns` is.
        pub sampling_ns: Option<Nanos>,
        /// End of the call less end of the final attempt: tools, parsing, forgotten ends. Absent without an attempt.
        pub tail_ns: Option<Nanos>,
        /// Output tokens per second of sampling, to two decimals.
        pub output_tokens_per_second: Option<f64>,
        /// The same without reasoning tokens that were generated unseen.
        pub decode_tokens_per_second: Option<f64>,
        /// Sampling divided by output tokens less one, rounded down.
        pub time_per_output_token_ns: Option<Nanos>,
        /// Gaps between visible chunks of the final attempt.
        pub inter_chunk: Option<InterChunk>,
        /// Whether something held the stream back and let it go at once. Absent when not streaming.
        pub output_buffered: Option<bool>,
        /// Duration that no top-level phase, attempt or wait covers.
        pub unattributed_ns: Nanos,
        /// The moments of the final attempt, from the start of the call.
        pub marks: Marks,
        /// Number of attempts, also past the cap of the list.
        pub attempt_count: u64,
        /// Number of the attempt that the call's own values come from; absent without an attempt.
        pub final_attempt: Option<u32>,
        /// Attempts less one.
        pub retry_count: u64,
        /// Sum of the planned delays of waits that a retry followed.
        pub retry_planned_delay_ns: Nanos,
        /// Sum of the delays that really passed in those waits.
        pub retry_actual_delay_ns: Nanos,
        /// The attempts in their order.
        pub attempts: Vec<AttemptRecord>,
        /// The waits in their order, also those before the first attempt.
        pub waits: Vec<WaitRecord>,
        /// The phases in the order of their start.
        pub phases: Vec<PhaseRecord>,
        /// Moments worth a mark on the span, in time order.
        pub events: Vec<SpanEvent>,
        /// Token counts of the final attempt.
        pub usage: Option<Usage>,
        /// Token counts of all attempts together: what is paid for.
        pub total_usage: Option<Usage>,
        /// Token counts of the attempts before the final one that failed. Those of a round of tools did not.
        pub wasted_usage: Option<Usage>,
        /// What the call cost. Absent without a price and without a cost from the provider.
        pub cost: Option<Cost>,
        /// Sizes of what the final attempt streamed.
        pub content: Option<Content>,
        /// Tool calls that the client was asked to run.
        pub tool_call_count: u64,
        /// Tool calls that the provider ran itself.
        pub server_tool_call_count: u64,
        /// The provider's response id. Maps to `gen_ai.response.id`.
        pub response_id: Option<String>,
        /// The model that answered. Maps to `gen_ai.response.model`.
        pub response_model: Option<String>,
        /// Raw finish reasons in the order of the choices. Maps to `gen_ai.response.finish_reasons`.
        pub finish_reasons: Vec<String>,
        /// The server's request id, from its headers.
        pub request_id: Option<String>,
        /// HTTP status code of the final attempt.
        pub status_code: Option<u16>,
        /// Protocol of the response, where raw events were decoded.
        pub protocol: Option<String>,
        /// Comment lines and pings of the final attempt.
        pub keep_alives: Option<KeepAlives>,
        /// Timing that the server reported about itself.
        pub server: Option<Server>,
        /// Time to first token less the server's queue and prompt time. Absent unless both are known.
        pub network_ns: Option<Nanos>,
        /// Request parameters, as the caller gave them.
        pub request: Request,
        /// Facts about the response that are neither time nor tokens.
        pub flags: Flags,
        /// Attributes that the caller set on the call.
        pub attributes: Attributes,
        /// Verdict on the configured service-level objectives; absent without any.
        pub slo: Option<SloVerdict>,
        /// What was odd about the events of this call.
        pub diagnostics: Diagnostics,
    }
}

record_struct! {
    /// Why a call or an attempt failed.
    pub struct RecordError {
        /// Low-cardinality class: the caller's or provider's type or code, a status code, or one of `timeout`, `network`,
        /// `rate_limit`, `stream_truncated`, `content_filter`, `_OTHER`. Maps to `error.type`.
        pub error_type as "type": String,
        /// HTTP status code, where one is known.
        pub status_code: Option<u16>,
        /// Text for people, cut and cleaned of credentials; absent unless the configuration asks for messages.
        pub message: Option<String>,
    }
}

record_struct! {
    /// A pause between attempts, or before the first one.
    pub struct WaitRecord {
        /// Why the call waited.
        pub reason: WaitReason,
        /// The delay that was planned.
        pub planned_delay_ns: Nanos,
        /// The delay that really passed.
        pub actual_delay_ns: Nanos,
        /// Whether the server asked for it (`Retry-After`).
        pub server_requested: bool,
        /// Whether the wait was cut short and no retry followed.
        pub aborted: bool,
        /// Start of the wait, from the start of the call.
        pub start_ns: Nanos,
        /// Number of the attempt before the wait; 0 before the first attempt.
        pub after_attempt: u32,
    }
}

record_struct! {
    /// A named stretch of local work.
    pub struct PhaseRecord {
        /// Name of the phase, such as `prompt.build`.
        pub name: String,
        /// Phases open around it: 0 is top level.
        pub depth: u32,
        /// Start of the phase, from the start of the call.
        pub start_ns: Nanos,
        /// Length of the phase.
        pub duration_ns: Nanos,
        /// Whether it was never ended and was closed with the call.
        pub left_open: bool,
    }
}

record_struct! {
    /// A moment worth a mark on the span.
    pub struct SpanEvent {
        /// What happened.
        pub kind: EventKind,
        /// When, from the start of the call.
        pub at_ns: Nanos,
        /// Number of the attempt it belongs to; absent for none.
        pub attempt: Option<u32>,
        /// Name of the tool, reason of the wait, or finish reason.
        pub name: Option<String>,
        /// Length of the stall, or planned delay of the retry.
        pub duration_ns: Option<Nanos>,
    }
}

/// The kinds of [`SpanEvent`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// The first visible chunk of an attempt.
    #[default]
    FirstToken,
    /// A choice finished.
    Finish,
    /// The model refused: the first text of a refusal, or its word for it.
    Refusal,
    /// A retry was scheduled.
    Retry,
    /// A gap between visible chunks was longer than the configured bound.
    Stall,
    /// The model asked for a tool call.
    ToolCall,
}

/// How a call or an attempt ended.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The response was complete.
    #[default]
    Success,
    /// The provider or the transport failed.
    Error,
    /// The caller aborted it.
    Cancelled,
    /// The consumer stopped reading early.
    Interrupted,
    /// A deadline passed.
    TimedOut,
    /// It was dropped without an end, or superseded by another attempt.
    Abandoned,
}

impl Outcome {
    /// Status of the OpenTelemetry span: `ERROR` only for errors and timeouts.
    pub const fn otel_status(self) -> OtelStatus {
        match self {
            Self::Error | Self::TimedOut => OtelStatus::Error,
            _ => OtelStatus::Unset,
        }
    }
}

/// Status of an OpenTelemetry span. `OK` is for applications to set, so it never appears.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum OtelStatus {
    /// The operation failed.
    Error,
    /// Nothing to say.
    #[default]
    Unset,
}

/// Which deadline passed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeoutKind {
    /// The whole call took too long.
    Deadline,
    /// Nothing came for too long.
    #[default]
    Idle,
}

/// Why a call waited.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitReason {
    /// The answer was not acceptable.
    Content,
    /// A cut answer is continued.
    Continuation,
    /// Another model or provider is tried.
    Fallback,
    /// A local pool of keys or a local limiter.
    KeyPool,
    /// The connection failed.
    Network,
    /// Anything else.
    #[default]
    Other,
    /// The server limits the rate.
    RateLimit,
    /// The server failed.
    ServerError,
    /// A deadline passed.
    Timeout,
    /// The stream was cut.
    Truncation,
}

scalars!(EventKind, OtelStatus, Outcome, TimeoutKind, WaitReason);

impl Record {
    /// The names of the fields of a record in JSON, in their order.
    ///
    /// ```
    /// use llmspan_core::record::Record;
    ///
    /// assert_eq!(Record::field_names().next(), Some("call"));
    /// ```
    pub fn field_names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.split_terminator('\n')
    }

    /// Whether that time was measured: a clock that stood still gives zeros, see [`ClockQuality::frozen`](super::ClockQuality).
    pub(crate) fn is_measured(&self, time: Nanos) -> bool {
        !(self.diagnostics.clock.frozen && time == Nanos::ZERO)
    }
}

words!(EventKind {
    FirstToken = "first_token",
    Finish = "finish",
    Refusal = "refusal",
    Retry = "retry",
    Stall = "stall",
    ToolCall = "tool_call",
});
words!(Outcome {
    Success = "success",
    Error = "error",
    Cancelled = "cancelled",
    Interrupted = "interrupted",
    TimedOut = "timed_out",
    Abandoned = "abandoned",
});
words!(OtelStatus { Error = "ERROR", Unset = "UNSET" });
words!(TimeoutKind { Deadline = "deadline", Idle = "idle" });
words!(WaitReason {
    Content = "content",
    Continuation = "continuation",
    Fallback = "fallback",
    KeyPool = "key_pool",
    Network = "network",
    Other = "other",
    RateLimit = "rate_limit",
    ServerError = "server_error",
    Timeout = "timeout",
    Truncation = "truncation",
});
