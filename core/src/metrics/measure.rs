//! What is observed of a record, before any name or unit.

use super::gaps;
use crate::{
    record::{Cost, Diagnostics, Dropped, Money, Record, Usage},
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
    pub(super) fn observe(self, record: &Record, mut emit: impl FnMut(Sample)) {
        let is_frozen = record.diagnostics.clock.frozen && self.base() == Base::Time;
        self.read(record, |sample| {
            if !(is_frozen && sample.value == 0) {
                emit(sample);
            }
        });
    }

    fn read(self, record: &Record, mut emit: impl FnMut(Sample)) {
        let mut time = |value: Option<Nanos>| {
            if let Some(value) = value {
                emit(Sample::one("", value.as_nanos()));
            }
        };
        match self {
            Self::CallTtft => time(record.call_ttft_ns.filter(|_| record.stream)),
            Self::Duration => time(Some(record.duration_ns)),
            Self::LongestChunkGap => {
                time(record.inter_chunk.as_ref().filter(|gaps| gaps.count > 0).map(|gaps| gaps.max_ns));
            }
            Self::Sampling => time(record.sampling_ns),
            Self::TimePerOutputToken => {
                time(record.time_per_output_token_ns.filter(|_| record.output_buffered != Some(true)));
            }
            Self::TimeToFirstChunk => time(record.time_to_first_chunk_ns.filter(|_| record.stream)),
            Self::Ttft => time(record.ttft_ns.filter(|_| record.stream)),

            Self::Attempts => emit(Sample::one("", record.attempt_count)),
            Self::Calls => emit(Sample::one("", 1)),
            Self::KeepAlives => count(record.keep_alives.as_ref().map(|pings| pings.count), "", emit),
            Self::Stalls => count(record.inter_chunk.as_ref().map(|gaps| gaps.stalls), "", emit),

            Self::Cost => cost(record, |cost| cost.total, emit),
            Self::WastedCost => cost(record, |cost| cost.wasted, emit),

            Self::Breakdown => breakdown(record, emit),
            Self::ChunkGap => gaps::observe(record, |value, times, sum, occurred| {
                emit(Sample { detail: "", value, times, sum, occurred });
            }),
            Self::Diagnostics => diagnostics(&record.diagnostics, emit),
            Self::Dropped => dropped(&record.diagnostics.dropped, emit),
            Self::Slo => {
                if let Some(verdict) = &record.slo {
                    emit(Sample::one(if verdict.met { "met" } else { "missed" }, 1));
                }
            }
            Self::Tokens => tokens(record.usage.as_ref(), emit),
            Self::Wait => {
                for wait in &record.waits {
                    emit(Sample::one(wait.reason.as_str(), wait.actual_delay_ns.as_nanos()));
                }
            }
            Self::WastedTokens => tokens(record.wasted_usage.as_ref(), emit),
        }
    }
}

fn count(value: Option<u64>, detail: &'static str, mut emit: impl FnMut(Sample)) {
    if let Some(value) = value {
        emit(Sample::one(detail, value));
    }
}

/// A name that says dollars must not carry another currency.
fn cost(record: &Record, part: impl Fn(&Cost) -> Option<Money>, emit: impl FnMut(Sample)) {
    let cost = record.cost.as_ref().filter(|cost| cost.currency == "USD");
    count(cost.and_then(part).map(Money::as_nanos), "", emit);
}

fn breakdown(record: &Record, mut emit: impl FnMut(Sample)) {
    let mut phase = |detail, time: Option<Nanos>| count(time.map(Nanos::as_nanos), detail, &mut emit);
    phase("request_preparation", record.request_setup_ns);
    if record.stream {
        phase("network_latency", record.ttft_ns);
        phase("response_processing", record.sampling_ns);
    } else if let (Some(started), Some(ended)) = (record.marks.started_ns, record.marks.ended_ns) {
        phase("response_processing", Some(ended.saturating_sub(started)));
    }
}

fn tokens(usage: Option<&Usage>, mut emit: impl FnMut(Sample)) {
    let Some(usage) = usage else { return };
    for (detail, tokens) in [
        ("input", usage.input_tokens),
        ("output", usage.output_tokens),
        ("cache_read", usage.cache_read_tokens),
        ("cache_write", usage.cache_write_tokens),
        ("reasoning", usage.reasoning_tokens),
    ] {
        count(tokens, detail, &mut emit);
    }
}

fn diagnostics(diagnostics: &Diagnostics, mut emit: impl FnMut(Sample)) {
    for (detail, number) in [
        ("clock_regressions", diagnostics.clock_regressions),
        ("decode_errors", diagnostics.decode_errors),
        ("duplicate_ends", diagnostics.duplicate_ends),
        ("late_events", diagnostics.late_events),
        ("oversized_frames", diagnostics.oversized_frames),
        ("rejected_usage_values", diagnostics.rejected_usage_values),
        ("unmatched_phases", diagnostics.unmatched_phases),
    ] {
        count((number > 0).then_some(number), detail, &mut emit);
    }
}

fn dropped(dropped: &Dropped, mut emit: impl FnMut(Sample)) {
    for (detail, number) in [
        ("attempts", dropped.attempts),
        ("attributes", dropped.attributes),
        ("events", dropped.events),
        ("finish_reasons", dropped.finish_reasons),
        ("phases", dropped.phases),
        ("tool_calls", dropped.tool_calls),
        ("waits", dropped.waits),
    ] {
        count(number, detail, &mut emit);
    }
}
