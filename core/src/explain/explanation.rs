//! Explanations, what they are about, and the order in which they come.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{Serialize, Serializer};

use super::{
    absent, ending, facts, oddities,
    say::{Value, said},
    summary,
};
use crate::{
    fields::{Write, write_string, written},
    record::Record,
};

/// One line about a record: what it is about, and a sentence for people.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What the line is about.
    pub topic: Topic,
    /// The line: plain words with units, without a line break.
    pub text: String,
}

written! { Explanation, skips None { topic, text } }

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

macro_rules! topics {
    ($($(#[$meta:meta])* $variant:ident = $code:literal,)*) => {
        /// What an [`Explanation`] is about. Topics about a value of the record are named after it.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Topic {
            $($(#[$meta])* $variant,)*
        }

        impl Topic {
            /// Every topic.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code, in snake case.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }
        }

        impl Write for Topic {
            fn write(&self, out: &mut String) {
                write_string(out, self.code());
            }
        }
    };
}

topics! {
    /// Attempts that failed before the final one, or that no attempt was made.
    Attempts = "attempts",
    /// Why the provider blocked the prompt.
    BlockReason = "block_reason",
    /// How much of the input a cache served.
    CacheReadTokens = "cache_read_tokens",
    /// Timestamps that ran backwards.
    ClockRegressions = "clock_regressions",
    /// The response came compressed.
    CompressedBody = "compressed_body",
    /// Why there is no cost, or only a part of it.
    Cost = "cost",
    /// Payloads that could not be read.
    DecodeErrors = "decode_errors",
    /// The consumer got the first token late.
    Delivered = "delivered",
    /// Detail that was dropped past a cap.
    Dropped = "dropped",
    /// Ends after the first one.
    DuplicateEnds = "duplicate_ends",
    /// Where the time went.
    DurationNs = "duration_ns",
    /// Another provider or model answered than the one that was asked.
    Fallback = "fallback",
    /// The answer was cut at the token limit.
    FinishReasons = "finish_reasons",
    /// The clock stood still while chunks came.
    Frozen = "frozen",
    /// Why the response is incomplete.
    IncompleteReason = "incomplete_reason",
    /// The answer is not the JSON that was asked for.
    JsonValid = "json_valid",
    /// The server was silent and alive.
    KeepAlives = "keep_alives",
    /// Events that came too late.
    LateEvents = "late_events",
    /// Server and network inside the time to first token.
    NetworkNs = "network_ns",
    /// How the call ended, when it did not succeed.
    Outcome = "outcome",
    /// Something held the stream back.
    OutputBuffered = "output_buffered",
    /// What the output count is worth.
    OutputTokens = "output_tokens",
    /// Why there is no rate.
    OutputTokensPerSecond = "output_tokens_per_second",
    /// Frames longer than their cap.
    OversizedFrames = "oversized_frames",
    /// Phases that nobody ended.
    Phases = "phases",
    /// How much of the output was reasoning.
    ReasoningTokens = "reasoning_tokens",
    /// The model refused.
    Refusal = "refusal",
    /// Token counts that were no counts.
    RejectedUsageValues = "rejected_usage_values",
    /// Waits that took longer than planned.
    RetryActualDelayNs = "retry_actual_delay_ns",
    /// The server's own total.
    Server = "server",
    /// The server's own times contradict the measured ones.
    ServerTimingContradicts = "server_timing_contradicts",
    /// Objectives that were not met.
    Slo = "slo",
    /// Long gaps between visible chunks.
    Stalls = "stalls",
    /// Nobody said whether the call streams.
    StreamInferred = "stream_inferred",
    /// A long way from the first chunk to the first visible one.
    TimeToFirstChunkNs = "time_to_first_chunk_ns",
    /// Why there is no time to first token.
    TtftNs = "ttft_ns",
    /// Time that nothing covers.
    UnattributedNs = "unattributed_ns",
    /// Ends of phases that were not open.
    UnmatchedPhases = "unmatched_phases",
    /// Why there are no token counts, or where they come from.
    Usage = "usage",
    /// Where token counts contradict each other.
    UsageWarnings = "usage_warnings",
    /// Tokens and money of attempts that failed.
    WastedUsage = "wasted_usage",
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl Record {
    /// Explains the record in lines for people: first where the time went, then why the call ended badly, then why
    /// values are absent, then what was out of the ordinary. A clean call gives the first line alone.
    ///
    /// # Examples
    /// ```
    /// use llmspan_core::{explain::Topic, record::Record, time::Nanos};
    ///
    /// let mut record = Record::default();
    /// record.duration_ns = Nanos::from_millis(80);
    /// let lines = record.explain();
    /// assert_eq!(lines[0].topic, Topic::DurationNs);
    /// assert_eq!(lines[0].to_string(), "80 ms in all: 100 % unattributed");
    /// assert_eq!(lines[1].to_string(), "no attempt was started: no request, no tokens, no cost");
    /// ```
    pub fn explain(&self) -> Vec<Explanation> {
        let mut lines = Lines(Vec::new());
        lines.say(Topic::DurationNs, "{}", &[Value::Text(&summary::where_the_time_went(self))]);
        ending::explain(self, &mut lines);
        absent::explain(self, &mut lines);
        facts::explain(self, &mut lines);
        oddities::explain(self, &mut lines);
        lines.0
    }
}

/// The lines so far.
pub(super) struct Lines(Vec<Explanation>);

impl Lines {
    /// Adds a line. Names and messages inside it may hold anything, so control characters become spaces.
    pub(super) fn say(&mut self, topic: Topic, template: &str, values: &[Value<'_>]) {
        let text = said(template, values);
        let text = text.chars().map(|found| if found.is_control() { ' ' } else { found }).collect();
        self.0.push(Explanation { topic, text });
    }
}
