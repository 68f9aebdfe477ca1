//! One attempt of a call: a physical request.

use alloc::string::String;
use alloc::vec::Vec;

use super::{
    Attributes, Content, Cost, InterChunk, KeepAlives, Outcome, RecordError, Server, TimeoutKind, Usage,
    shape::record_struct,
};
use crate::time::Nanos;

record_struct! {
    /// The moments of an attempt, each absent when it did not happen.
    ///
    /// On an attempt they count from the start of the attempt; on the record they are those of the final attempt, from
    /// the start of the call.
    pub struct Marks {
        /// The attempt started.
        pub started_ns: Option<Nanos>,
        /// The request had left.
        pub request_sent_ns: Option<Nanos>,
        /// The first byte or the response headers had come.
        pub headers_ns: Option<Nanos>,
        /// The first decoded event of any kind, pings and comments excluded.
        pub first_chunk_ns: Option<Nanos>,
        /// The first visible reasoning.
        pub first_reasoning_ns: Option<Nanos>,
        /// The first visible chunk.
        pub first_content_ns: Option<Nanos>,
        /// The first visible chunk that is not reasoning.
        pub first_answer_ns: Option<Nanos>,
        /// The last visible chunk.
        pub last_content_ns: Option<Nanos>,
        /// The last decoded event of any kind.
        pub last_chunk_ns: Option<Nanos>,
        /// The consumer really got the first visible chunk.
        pub delivered_ns: Option<Nanos>,
        /// The attempt ended.
        pub ended_ns: Option<Nanos>,
    }
}

record_struct! {
    /// One physical request of a call.
    pub struct AttemptRecord {
        /// Number of the attempt, from 1, never reused. `http.request.resend_count` is this less one.
        pub number: u32,
        /// How the attempt ended.
        pub outcome: Outcome,
        /// Which timeout ended it; only with the outcome `timed_out`.
        pub timeout_kind: Option<TimeoutKind>,
        /// Why it failed; only with the outcomes `error` and `timed_out`.
        pub error: Option<RecordError>,
        /// Provider that was asked; the call's, unless the attempt names its own.
        pub provider: Option<String>,
        /// Model that was asked for; the call's, unless the attempt names its own.
        pub model: Option<String>,
        /// Endpoint, region or deployment that was asked, as the caller labels it.
        pub endpoint: Option<String>,
        /// Protocol of the response, where raw events were decoded.
        pub protocol: Option<String>,
        /// Whether the attempt was started while another was still open, on purpose.
        pub hedged: Option<bool>,
        /// HTTP status code of the response.
        pub status_code: Option<u16>,
        /// The server's request id, from its headers.
        pub request_id: Option<String>,
        /// The provider's response id.
        pub response_id: Option<String>,
        /// The model that answered.
        pub response_model: Option<String>,
        /// Raw finish reasons in the order of the choices; a choice that never finished has none.
        pub finish_reasons: Vec<String>,
        /// How long the server asked to wait before the next attempt.
        pub retry_after_ns: Option<Nanos>,
        /// Start of the attempt, from the start of the call.
        pub start_ns: Nanos,
        /// End less start of the attempt.
        pub duration_ns: Nanos,
        /// First visible chunk less start of the attempt. Absent when not streaming or without a visible chunk.
        pub ttft_ns: Option<Nanos>,
        /// Headers less `request_sent`, else less the start of the attempt.
        pub time_to_headers_ns: Option<Nanos>,
        /// First chunk of any kind, measured as `time_to_headers_ns`.
        pub time_to_first_chunk_ns: Option<Nanos>,
        /// First visible reasoning, measured as `time_to_headers_ns`.
        pub time_to_first_reasoning_ns: Option<Nanos>,
        /// First visible chunk that is not reasoning, measured as `time_to_headers_ns`.
        pub time_to_first_answer_ns: Option<Nanos>,
        /// End of the attempt less first visible chunk. Absent as `ttft_ns` is.
        pub sampling_ns: Option<Nanos>,
        /// Output tokens per second of sampling, to two decimals.
        pub output_tokens_per_second: Option<f64>,
        /// The same without reasoning tokens that were generated unseen.
        pub decode_tokens_per_second: Option<f64>,
        /// Sampling divided by output tokens less one, rounded down.
        pub time_per_output_token_ns: Option<Nanos>,
        /// Gaps between visible chunks.
        pub inter_chunk: Option<InterChunk>,
        /// Whether something held the stream back and let it go at once. Absent when not streaming.
        pub output_buffered: Option<bool>,
        /// Token counts of this attempt.
        pub usage: Option<Usage>,
        /// Cost of this attempt.
        pub cost: Option<Cost>,
        /// Sizes of what was streamed.
        pub content: Option<Content>,
        /// Tool calls that the client was asked to run.
        pub tool_call_count: u64,
        /// Tool calls that the provider ran itself.
        pub server_tool_call_count: u64,
        /// Comment lines and pings.
        pub keep_alives: Option<KeepAlives>,
        /// Timing that the server reported about itself.
        pub server: Option<Server>,
        /// Time to first token less the server's queue and prompt time. Absent unless both are known.
        pub network_ns: Option<Nanos>,
        /// The moments of the attempt, from its start.
        pub marks: Marks,
        /// Attributes that the caller set on this attempt.
        pub attributes: Attributes,
    }
}
