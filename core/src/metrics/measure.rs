//! What is observed of a record, before any name or unit.

use super::gaps;
use crate::{
    record::{Cost, Money, Record, Usage},
    time::Nanos,
};

macro_rules! measures {
    ($($variant:ident = $key:literal, $base:ident, [$($detail:literal),*], $meaning:literal;)*) => {
        /// One thing that is measured of every call, as the metric tables of `profiles.toml` refer to it.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Measure {
            $(#[doc = $meaning] $variant,)*
        }

        impl Measure {
            /// Every measure, in the order of the enum.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The key of the measure in `profiles.toml`, in snake case.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)*
                }
            }

            /// In what the measure is counted.
            pub const fn base(self) -> Base {
                match self {
                    $(Self::$variant => Base::$base,)*
                }
            }

            /// The words that tell its values apart, such as types of tokens; none for a measure with one value per call.
            pub const fn details(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($detail),*],)*
                }
            }

            /// What is measured, and when there is nothing to observe.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }
        }
    };
}

measures! {
    Attempts = "attempts", Count, [],
        "Attempts of the call, also 0.";
    Breakdown = "breakdown", Time, ["request_preparation", "network_latency", "response_processing"],
        "Where the time went: setup, time to first token and sampling of a streamed call; setup and the final attempt of one that is not. What a call did not reach is not observed.";
    CallTtft = "call_ttft", Time, [],
        "First visible chunk less start of the call; streamed calls that got one.";
    Calls = "calls", Count, [],
        "Calls: 1 for each.";
    ChunkGap = "chunk_gap", Time, [],
        "Gaps between consecutive visible chunks. Count, sum, smallest and largest are exact; a gap in between is counted at the next of the record's percentiles above it, so that buckets never show gaps shorter than they were (within the 1 % of those percentiles).";
    Cost = "cost", Money, [],
        "Cost of the final attempt, where it is known and in USD.";
    Diagnostics = "diagnostics", Count,
        ["clock_regressions", "decode_errors", "duplicate_ends", "late_events", "oversized_frames", "rejected_usage_values", "unmatched_phases"],
        "What was odd about the events of calls.";
    Dropped = "dropped", Count,
        ["attempts", "attributes", "events", "finish_reasons", "phases", "tool_calls", "waits"],
        "Entries that records left out past a cap, by list.";
    Duration = "duration", Time, [],
        "End less start of the call, all attempts and waits included.";
    KeepAlives = "keep_alives", Count, [],
        "Comment lines and pings of the final attempt.";
    LongestChunkGap = "longest_chunk_gap", Time, [],
        "The longest gap between visible chunks of each call that has one.";
    Sampling = "sampling", Time, [],
        "End of the final attempt less its first visible chunk.";
    Slo = "slo", Count, ["met", "missed"],
        "Calls by the verdict on the configured objectives.";
    Stalls = "stalls", Count, [],
        "Gaps between visible chunks above the configured bound.";
    TimePerOutputToken = "time_per_output_token", Time, [],
        "Sampling divided by output tokens less one: one value per call. Not of a stream that something held back.";
    TimeToFirstChunk = "time_to_first_chunk", Time, [],
        "First chunk of any kind, from the request of the final attempt; streamed calls that got one.";
    Tokens = "tokens", Count, ["input", "output", "cache_read", "cache_write", "reasoning"],
        "Token counts of the final attempt, as on its span. Cache reads and writes are part of input, reasoning is part of output. A count that nobody reported is not observed.";
    Ttft = "ttft", Time, [],
        "First visible chunk less start of the final attempt; streamed calls that got one.";
    Wait = "wait", Time,
        ["content", "continuation", "fallback", "key_pool", "network", "other", "rate_limit", "server_error", "timeout", "truncation"],
        "Actual length of each wait that the record lists, by reason, aborted ones included.";
    WastedCost = "wasted_cost", Money, [],
        "Cost of the attempts before the final one that failed, where it is known and in USD.";
    WastedTokens = "wasted_tokens", Count, ["input", "output", "cache_read", "cache_write", "reasoning"],
        "Token counts of the attempts before the final one that failed.";
}

/// In what a [`Measure`] is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Base {
    /// Things.
    Count,
    /// Nano-units of US dollars.
    Money,
    /// Nanoseconds.
    Time,
}

/// Equal observations of one measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Sample {
    /// One of the measure's details; empty without.
    pub(super) detail: &'static str,
    /// The value in base units.
    pub(super) value: u64,
    /// How many there are, at least 1.
    pub(super) times: u64,
    /// What they add to the sum: not always `value` times `times`, see [`gaps`].
    pub(super) sum: u128,
    /// Whether the value is one that really occurred, fit for an exemplar.
    pub(super) occurred: bool,
}

impl Sample {
    fn one(detail: &'static str, value: u64) -> Self {
        Self { detail, value, times: 1, sum: value.into(), occurred: true }
    }
}

impl Measure {
    /// Reads the observations out of a record. A value that is absent gives none, nor does what a clock measured that stood still.
    pub(super) fn observe(self, record: &Record, emit: &mut dyn FnMut(Sample)) {
        let is_time = self.base() == Base::Time;
        self.read(record, &mut |sample| {
            if !is_time || record.is_measured(Nanos::from_nanos(sample.value)) {
                emit(sample);
            }
        });
    }

    fn read(self, record: &Record, emit: &mut dyn FnMut(Sample)) {
        let details = self.details();
        // A value for each detail of the measure, in their order.
        let mut each = |values: &[Option<u64>]| {
            for (at, value) in values.iter().enumerate() {
                if let Some(value) = value {
                    emit(Sample::one(details.get(at).copied().unwrap_or_default(), *value));
                }
            }
        };
        let time = |value: Option<Nanos>| value.map(Nanos::as_nanos);
        let of_stream = |value: Option<Nanos>| time(value.filter(|_| record.stream));
        let gaps = record.inter_chunk.as_ref();
        each(&[match self {
            Self::Attempts => Some(record.attempt_count),
            Self::CallTtft => of_stream(record.call_ttft_ns),
            Self::Calls => Some(1),
            Self::Cost => cost(record).and_then(|cost| cost.total).map(Money::as_nanos),
            Self::Duration => time(Some(record.duration_ns)),
            Self::KeepAlives => record.keep_alives.as_ref().map(|pings| pings.count),
            Self::LongestChunkGap => time(gaps.filter(|gaps| gaps.count > 0).map(|gaps| gaps.max_ns)),
            Self::Sampling => time(record.sampling_ns),
            Self::Stalls => gaps.map(|gaps| gaps.stalls),
            Self::TimePerOutputToken => {
                time(record.time_per_output_token_ns.filter(|_| record.output_buffered != Some(true)))
            }
            Self::TimeToFirstChunk => of_stream(record.time_to_first_chunk_ns),
            Self::Ttft => of_stream(record.ttft_ns),
            Self::WastedCost => cost(record).and_then(|cost| cost.wasted).map(Money::as_nanos),

            Self::Breakdown => return each(&breakdown(record).map(time)),
            Self::ChunkGap => {
                return gaps::observe(record, &mut |value, times, sum, occurred| {
                    emit(Sample { detail: "", value, times, sum, occurred });
                });
            }
            Self::Diagnostics => {
                let odd = &record.diagnostics;
                let counts = [
                    odd.clock_regressions,
                    odd.decode_errors,
                    odd.duplicate_ends,
                    odd.late_events,
                    odd.oversized_frames,
                    odd.rejected_usage_values,
                    odd.unmatched_phases,
                ];
                return each(&counts.map(|count| Some(count).filter(|count| *count > 0)));
            }
            Self::Dropped => {
                let dropped = &record.diagnostics.dropped;
                return each(&[
                    dropped.attempts,
                    dropped.attributes,
                    dropped.events,
                    dropped.finish_reasons,
                    dropped.phases,
                    dropped.tool_calls,
                    dropped.waits,
                ]);
            }
            Self::Slo => {
                let met = record.slo.as_ref().map(|verdict| verdict.met);
                return each(&[true, false].map(|is_met| (met == Some(is_met)).then_some(1)));
            }
            Self::Tokens => return each(&tokens(record.usage.as_ref())),
            Self::Wait => {
                for wait in &record.waits {
                    emit(Sample::one(wait.reason.as_str(), wait.actual_delay_ns.as_nanos()));
                }
                return;
            }
            Self::WastedTokens => return each(&tokens(record.wasted_usage.as_ref())),
        }]);
    }
}

/// A name that says dollars must not carry another currency.
fn cost(record: &Record) -> Option<&Cost> {
    record.cost.as_ref().filter(|cost| cost.currency == "USD")
}

fn breakdown(record: &Record) -> [Option<Nanos>; 3] {
    if record.stream {
        return [record.request_setup_ns, record.ttft_ns, record.sampling_ns];
    }
    let attempt = record.marks.started_ns.zip(record.marks.ended_ns);
    [record.request_setup_ns, None, attempt.map(|(started, ended)| ended.saturating_sub(started))]
}

fn tokens(usage: Option<&Usage>) -> [Option<u64>; 5] {
    let Some(usage) = usage else { return [None; 5] };
    [usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens]
}
