//! What was odd about the events themselves.

use alloc::{format, string::String, vec::Vec};

use super::{
    explanation::{Lines, Topic},
    text::{counted, grouped, percent, readable},
};
use crate::record::{Diagnostics, Record, Usage, UsageWarning};

pub(super) fn explain(record: &Record, lines: &mut Lines) {
    let diagnostics = &record.diagnostics;
    time(record, lines);
    if let Some(usage) = &record.usage {
        contradictions(usage, lines);
    }
    for (topic, count, noun, what) in [
        (Topic::ClockRegressions, diagnostics.clock_regressions, "timestamp", "ran backwards and took the time before"),
        (Topic::LateEvents, diagnostics.late_events, "event", "came for something that was over and changed nothing"),
        (Topic::DuplicateEnds, diagnostics.duplicate_ends, "end", "came after the first one and changed nothing"),
        (Topic::DecodeErrors, diagnostics.decode_errors, "payload", "could not be read and count for nothing"),
        (Topic::OversizedFrames, diagnostics.oversized_frames, "frame", "exceeded the frame cap, contents unread"),
        (
            Topic::RejectedUsageValues,
            diagnostics.rejected_usage_values,
            "token count",
            "rejected: negative, fractional or no number",
        ),
        (Topic::UnmatchedPhases, diagnostics.unmatched_phases, "phase end", "came for a phase that was not open"),
    ] {
        if count > 0 {
            lines.push(topic, format!("{} {what}", counted(count, noun)));
        }
    }
    if diagnostics.compressed_body {
        lines.push(
            Topic::CompressedBody,
            "the response is compressed and nobody decompressed it: hand over the bytes behind the content encoding",
        );
    }
    if diagnostics.stream_inferred {
        lines.push(Topic::StreamInferred, "taken for a streamed call because chunks came: nobody gave `stream`");
    }
    if diagnostics.server_timing_contradicts {
        lines.push(
            Topic::ServerTimingContradicts,
            "the server reports more queue and prompt time than the whole time to first token that was measured",
        );
    }
    dropped(diagnostics, lines);
}

fn time(record: &Record, lines: &mut Lines) {
    if record.diagnostics.clock.frozen {
        lines.push(
            Topic::Frozen,
            "clock did not advance while chunks came: the times say nothing and there are no rates",
        );
    }
    let open: Vec<&str> =
        record.phases.iter().filter(|phase| phase.left_open).map(|phase| phase.name.as_str()).collect();
    if !open.is_empty() {
        let noun = if open.len() == 1 { "phase" } else { "phases" };
        lines.push(Topic::Phases, format!("{noun} left open and closed with the call: {}", open.join(", ")));
    }
    let (uncovered, whole) = (record.unattributed_ns, record.duration_ns);
    let bound = u128::from(whole.as_nanos()).saturating_mul(5);
    // With neither attempts nor phases, everything is uncovered, and the first line says so already.
    let is_known = record.final_attempt.is_some() || !record.phases.is_empty();
    if is_known && u128::from(uncovered.as_nanos()).saturating_mul(100) > bound {
        let share = percent(uncovered.as_nanos(), whole.as_nanos());
        let text = format!("no phase, attempt or wait covers {} ({share} %)", readable(uncovered));
        lines.push(Topic::UnattributedNs, text);
    }
}

fn contradictions(usage: &Usage, lines: &mut Lines) {
    let shown = |count: Option<u64>| grouped(count.unwrap_or_default());
    for warning in &usage.warnings {
        let text = match warning {
            UsageWarning::CacheExceedsInput => {
                let cached = usage.cache_read_tokens.unwrap_or(0).saturating_add(usage.cache_write_tokens.unwrap_or(0));
                format!("{} cached tokens are reported of {} input tokens", grouped(cached), shown(usage.input_tokens))
            }
            UsageWarning::ReasoningExceedsOutput => format!(
                "{} reasoning tokens are reported of {} output tokens",
                shown(usage.reasoning_tokens),
                shown(usage.output_tokens)
            ),
            UsageWarning::TotalIsNotTheSum => format!(
                "the reported total of {} tokens is not the sum of {} input and {} output tokens",
                shown(usage.raw.total),
                shown(usage.input_tokens),
                shown(usage.output_tokens)
            ),
        };
        lines.push(Topic::UsageWarnings, text);
    }
}

fn dropped(diagnostics: &Diagnostics, lines: &mut Lines) {
    let dropped = &diagnostics.dropped;
    let parts: Vec<String> = [
        (dropped.attempts, "attempt"),
        (dropped.waits, "wait"),
        (dropped.phases, "phase"),
        (dropped.events, "event"),
        (dropped.tool_calls, "tool call"),
        (dropped.finish_reasons, "finish reason"),
        (dropped.attributes, "attribute"),
    ]
    .into_iter()
    .filter_map(|(count, noun)| count.map(|count| counted(count, noun)))
    .collect();
    if !parts.is_empty() {
        lines.push(Topic::Dropped, format!("past the caps, counted without detail: {}", parts.join(", ")));
    }
}
