//! Counts and summaries inside a record.

use alloc::{string::String, vec::Vec};

use super::shape::record_struct;
use crate::time::Nanos;

record_struct! {
    /// The gaps between consecutive visible chunks of one attempt.
    ///
    /// `min`, `max`, `mean` and the stall figures are exact; the percentiles are nearest-rank over a log-linear sketch.
    pub struct InterChunk {
        /// Number of gaps: visible chunks less one.
        pub count: u64,
        /// Shortest gap.
        pub min_ns: Nanos,
        /// Longest gap.
        pub max_ns: Nanos,
        /// Mean gap, rounded down.
        pub mean_ns: Nanos,
        /// Median gap.
        pub p50_ns: Nanos,
        /// 90th percentile.
        pub p90_ns: Nanos,
        /// 99th percentile.
        pub p99_ns: Nanos,
        /// Gaps longer than the configured bound (`stall_after_ns`).
        pub stalls: u64,
        /// Sum of the whole gaps that are stalls.
        pub stalled_ns: Nanos,
    }
}

record_struct! {
    /// Signs of life that are not content: comment lines and pings.
    pub struct KeepAlives {
        /// How many came.
        pub count: u64,
        /// Time of the last one, from the start of the attempt (on an attempt) or of the call (on the record).
        pub last_ns: Option<Nanos>,
    }
}

record_struct! {
    /// Sizes of what was streamed. The content itself is never kept.
    pub struct Content {
        /// Events of the response, pings and comments excluded.
        pub chunks: u64,
        /// Events with visible content.
        pub visible_chunks: u64,
        /// UTF-8 bytes of answer text.
        pub text_bytes: u64,
        /// UTF-8 bytes of visible reasoning.
        pub reasoning_bytes: u64,
        /// UTF-8 bytes of tool-call names and arguments.
        pub tool_call_bytes: u64,
        /// UTF-8 bytes of refusal text.
        pub refusal_bytes: u64,
        /// UTF-8 bytes of executable code and its results.
        pub code_bytes: u64,
        /// Encoded bytes of images.
        pub image_bytes: u64,
        /// Encoded bytes of audio, and UTF-8 bytes of its transcript.
        pub audio_bytes: u64,
    }
}

record_struct! {
    /// Timing that the server reported about itself.
    pub struct Server {
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
}

record_struct! {
    /// Whether the call met the service-level objectives of its configuration.
    pub struct SloVerdict {
        /// Whether every objective that applies was met and the call succeeded.
        pub met: bool,
        /// The objectives that were not met: `outcome`, `ttft`, `inter_chunk_p99`, `time_per_output_token`, `duration`,
        /// `stalls`.
        pub failed: Vec<String>,
    }
}

record_struct! {
    /// What was odd about the events of this call. All zero and false on a clean one.
    pub struct Diagnostics {
        /// Timestamps older than the one before them, clamped to it.
        pub clock_regressions: u64,
        /// Events for an attempt that was over, did not exist, or for a call that was over.
        pub late_events: u64,
        /// Token counts that were negative, fractional, above 2^53 or no number: one per field and report.
        pub rejected_usage_values: u64,
        /// Ends after the first one.
        pub duplicate_ends: u64,
        /// Payloads that were no valid JSON or UTF-8, messages with a wrong checksum, and bodies that were nothing that the
        /// protocol sends, or were cut within a message.
        pub decode_errors: u64,
        /// Whether a response came compressed and nobody decompressed it, so that nothing of it could be read. Found by its
        /// first bytes: gzip, zlib and zstd; Brotli has no mark and is one of the `decode_errors`.
        pub compressed_body: bool,
        /// Frames longer than their cap, skipped.
        pub oversized_frames: u64,
        /// Ends of phases that were not open.
        pub unmatched_phases: u64,
        /// Whether `stream` was not given and was taken from the first chunk with content.
        pub stream_inferred: bool,
        /// Whether the server's own times exceed the measured time to first token, so that `network_ns` was clamped.
        pub server_timing_contradicts: bool,
        /// What the caller's clock looked like.
        pub clock: ClockQuality,
        /// Detail that was dropped past a cap.
        pub dropped: Dropped,
    }
}

record_struct! {
    /// What the caller's clock looked like through this call's timestamps.
    pub struct ClockQuality {
        /// Whether chunks came on a stream but every mark of it carries the same time.
        pub frozen: bool,
        /// Smallest step between two timestamps of this call that differ; absent when none do.
        pub resolution_ns: Option<Nanos>,
    }
}

record_struct! {
    /// How many entries of each capped list were dropped. A list that is complete has no key.
    pub struct Dropped {
        /// Attempts without detail.
        pub attempts: Option<u64>,
        /// Waits without detail.
        pub waits: Option<u64>,
        /// Phases without detail.
        pub phases: Option<u64>,
        /// Span events.
        pub events: Option<u64>,
        /// Tool calls that could not be told apart by index any more.
        pub tool_calls: Option<u64>,
        /// Finish reasons.
        pub finish_reasons: Option<u64>,
        /// Attributes.
        pub attributes: Option<u64>,
    }
}
