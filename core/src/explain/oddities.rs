//! What was odd about the events themselves.

use alloc::string::String;

use super::{
    explanation::{Lines, Topic},
    say::{
        Value::{Count, Counted, Share, Text, Time},
        also,
    },
};
use crate::record::{Diagnostics, Record, Usage, UsageWarning};

pub(super) fn explain(record: &Record, lines: &mut Lines) {
    let diagnostics = &record.diagnostics;
    time(record, lines);
    if let Some(usage) = &record.usage {
        contradictions(usage, lines);
    }
    let counts = [
        diagnostics.clock_regressions,
        diagnostics.late_events,
        diagnostics.duplicate_ends,
        diagnostics.decode_errors,
        diagnostics.oversized_frames,
        diagnostics.rejected_usage_values,
        diagnostics.unmatched_phases,
    ];
    for ((topic, noun, template), count) in COUNTED.iter().zip(counts) {
        if count > 0 {
            lines.say(*topic, template, &[Counted(count, noun)]);
        }
    }
    let flags = [diagnostics.compressed_body, diagnostics.stream_inferred, diagnostics.server_timing_contradicts];
    for ((topic, text), _) in FLAGGED.iter().zip(flags).filter(|(_, is_set)| *is_set) {
        lines.say(*topic, text, &[]);
    }
    dropped(diagnostics, lines);
}

const COUNTED: [(Topic, &str, &str); 7] = [
    (Topic::ClockRegressions, "timestamp", "{} ran backwards and took the time before"),
    (Topic::LateEvents, "event", "{} came for something that was over and changed nothing"),
    (Topic::DuplicateEnds, "end", "{} came after the first one and changed nothing"),
    (Topic::DecodeErrors, "payload", "{} could not be read and count for nothing"),
    (Topic::OversizedFrames, "frame", "{} exceeded the frame cap, contents unread"),
    (Topic::RejectedUsageValues, "token count", "{} rejected: negative, fractional or no number"),
    (Topic::UnmatchedPhases, "phase end", "{} came for a phase that was not open"),
];

const FLAGGED: [(Topic, &str); 3] = [
    (
        Topic::CompressedBody,
        "the response is compressed and nobody decompressed it: hand over the bytes behind the content encoding",
    ),
    (Topic::StreamInferred, "taken for a streamed call because chunks came: nobody gave `stream`"),
    (
        Topic::ServerTimingContradicts,
        "the server reports more queue and prompt time than the whole time to first token that was measured",
    ),
];

fn time(record: &Record, lines: &mut Lines) {
    if record.diagnostics.clock.frozen {
        let text = "clock did not advance while chunks came: the times say nothing and there are no rates";
        lines.say(Topic::Frozen, text, &[]);
    }
    let (mut names, mut open) = (String::new(), 0_u64);
    for phase in record.phases.iter().filter(|phase| phase.left_open) {
        names.push_str(if open > 0 { ", " } else { "" });
        names.push_str(&phase.name);
        open = open.saturating_add(1);
    }
    if open > 0 {
        let plural = Text(if open == 1 { "" } else { "s" });
        lines.say(Topic::Phases, "phase{} left open and closed with the call: {}", &[plural, Text(&names)]);
    }
    let (uncovered, whole) = (record.unattributed_ns, record.duration_ns);
    let bound = u128::from(whole.as_nanos()).saturating_mul(5);
    // With neither attempts nor phases, everything is uncovered, and the first line says so already.
    let is_known = record.final_attempt.is_some() || !record.phases.is_empty();
    if is_known && u128::from(uncovered.as_nanos()).saturating_mul(100) > bound {
        let values = [Time(uncovered), Share(uncovered.as_nanos(), whole.as_nanos())];
        lines.say(Topic::UnattributedNs, "no phase, attempt or wait covers {} ({} %)", &values);
    }
}

fn contradictions(usage: &Usage, lines: &mut Lines) {
    let shown = |count: Option<u64>| Count(count.unwrap_or_default());
    let (input, output) = (shown(usage.input_tokens), shown(usage.output_tokens));
    for warning in &usage.warnings {
        let mut say = |template, values: &[_]| lines.say(Topic::UsageWarnings, template, values);
        match warning {
            UsageWarning::CacheExceedsInput => {
                let cached = usage.cache_read_tokens.unwrap_or(0).saturating_add(usage.cache_write_tokens.unwrap_or(0));
                say("{} cached tokens are reported of {} input tokens", &[Count(cached), input]);
            }
            UsageWarning::ReasoningExceedsOutput => {
                say("{} reasoning tokens are reported of {} output tokens", &[shown(usage.reasoning_tokens), output]);
            }
            UsageWarning::TotalIsNotTheSum => say(
                "the reported total of {} tokens is not the sum of {} input and {} output tokens",
                &[shown(usage.raw.total), input, output],
            ),
        }
    }
}

fn dropped(diagnostics: &Diagnostics, lines: &mut Lines) {
    let dropped = &diagnostics.dropped;
    let mut parts = String::new();
    for (count, noun) in [
        (dropped.attempts, "attempt"),
        (dropped.waits, "wait"),
        (dropped.phases, "phase"),
        (dropped.events, "event"),
        (dropped.tool_calls, "tool call"),
        (dropped.finish_reasons, "finish reason"),
        (dropped.attributes, "attribute"),
    ] {
        if let Some(count) = count {
            also(&mut parts, "{}", &[Counted(count, noun)]);
        }
    }
    if !parts.is_empty() {
        lines.say(Topic::Dropped, "past the caps, counted without detail: {}", &[Text(&parts)]);
    }
}
