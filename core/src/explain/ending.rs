//! Why a call did not succeed.

use alloc::{
    format,
    string::{String, ToString as _},
};

use super::{
    explanation::{Lines, Topic},
    text::{counted, error_name, readable},
};
use crate::{
    provider::hints,
    record::{Outcome, Record, TimeoutKind},
    time::Nanos,
};

pub(super) fn explain(record: &Record, lines: &mut Lines) {
    let text = match record.outcome {
        Outcome::Success => return,
        Outcome::Error if is_cut(record) => cut(record),
        Outcome::Error => failed(record),
        Outcome::Cancelled => format!("cancelled by the caller {}", moment(record)),
        Outcome::Interrupted => format!("the consumer stopped reading {}", moment(record)),
        Outcome::TimedOut => timed_out(record),
        Outcome::Abandoned => {
            format!("abandoned {}: nobody ended the call", moment(record))
        }
    };
    lines.push(Topic::Outcome, text);
}

fn is_cut(record: &Record) -> bool {
    record.error.as_ref().is_some_and(|error| error.error_type == "stream_truncated")
}

fn cut(record: &Record) -> String {
    let marker = hints::end_marker(record.protocol.as_deref());
    let came = record.content.as_ref().map_or_else(
        || String::from("before any chunk"),
        |content| format!("after {} ({} visible)", counted(content.chunks, "chunk"), content.visible_chunks),
    );
    format!("the stream was cut {came}: it ended without {}", marker.unwrap_or("its end marker"))
}

fn failed(record: &Record) -> String {
    let error = record.error.as_ref();
    let place = match (record.final_attempt, record.attempt_count) {
        (Some(number), count) if count > 1 => format!("in attempt {number} of {count}, {}", moment(record)),
        _ => moment(record),
    };
    let mut text = format!("failed with {} {place}", error_name(error));
    if let Some(message) = error.and_then(|error| error.message.as_deref()) {
        text.push_str(": ");
        text.push_str(message);
    }
    text
}

fn timed_out(record: &Record) -> String {
    let whole = readable(record.duration_ns);
    if record.timeout_kind != Some(TimeoutKind::Idle) {
        return format!("timed out: the deadline of the call passed after {whole}, {}", moment(record));
    }
    let marks = &record.marks;
    let heard = [marks.last_chunk_ns, marks.headers_ns, marks.request_sent_ns, marks.started_ns];
    let alive = record.keep_alives.as_ref().and_then(|alive| alive.last_ns);
    let last = heard.into_iter().flatten().chain(alive).max().unwrap_or_default();
    let silent = marks.ended_ns.unwrap_or(record.duration_ns).saturating_sub(last);
    format!("timed out: nothing came for {}, {}", readable(silent), moment(record))
}

/// Where in its course the call was when it ended.
fn moment(record: &Record) -> String {
    let is_waiting = record.waits.last().is_some_and(|wait| wait.aborted);
    let end = record.marks.ended_ns.unwrap_or(record.duration_ns);
    match record.marks.first_content_ns {
        _ if is_waiting => "during a wait".to_string(),
        Some(first) if record.ttft_ns.is_some() => {
            format!("{} after the first token", readable(end.saturating_sub(first)))
        }
        _ if record.final_attempt.is_none() => "before any attempt".to_string(),
        _ => {
            let waited = end.saturating_sub(record.marks.started_ns.unwrap_or(Nanos::ZERO));
            let lacking = if record.stream { "a visible chunk" } else { "a response" };
            format!("after {} without {lacking}", readable(waited))
        }
    }
}
