//! From a record to the rows of its waterfall.

use alloc::{string::String, vec, vec::Vec};

use super::{
    fold::{Group, fold},
    model::{Row, RowKind, Segment, SegmentKind},
    words::clean,
};
use crate::{
    explain::{
        Value::{Label, Number, Text, Time},
        grouped_rate, said, say,
    },
    limits::{WATERFALL_DEPTH, WATERFALL_STALL_ROWS, WATERFALL_STALLS},
    record::{AttemptRecord, EventKind, Outcome, PhaseRecord, Record, WaitRecord},
    sorted::sort_by_key,
    time::Nanos,
};

/// The rows of a record in the order of their start: phases with those inside them, attempts, waits; below the final
/// attempt the steps of its response.
pub(super) fn rows(record: &Record) -> Vec<Row> {
    let stalls = stalls(record);
    let mut groups: Vec<Group> = Vec::new();
    for phase in &record.phases {
        let row = of_phase(phase);
        match groups.last_mut() {
            Some(group) if phase.depth > 0 => group.rows.push(row),
            _ => groups.push(Group::of(row)),
        }
    }
    for wait in &record.waits {
        groups.push(Group::of(of_wait(wait)));
    }
    for attempt in &record.attempts {
        let found = stalls.binary_search_by_key(&attempt.number, |stalls| stalls.attempt);
        let stalls = found.ok().and_then(|at| stalls.get(at));
        let mut group = Group::of(of_attempt(record, attempt, stalls));
        if Some(attempt.number) == record.final_attempt {
            group.is_final = true;
            steps(record, attempt, stalls, &mut group.rows);
        }
        groups.push(group);
    }
    sort_by_key(&mut groups, Group::start);
    fold(groups, record)
}

fn of_phase(phase: &PhaseRecord) -> Row {
    let mut row = bar(RowKind::Phase, &phase.name, phase.start_ns, phase.duration_ns, SegmentKind::Local);
    row.depth = phase.depth.min(WATERFALL_DEPTH);
    row.set_note(if phase.left_open { "left open" } else { "" });
    row
}

fn of_wait(wait: &WaitRecord) -> Row {
    let planned = Time(wait.planned_delay_ns);
    let mut notes = String::new();
    if wait.server_requested {
        say(&mut notes, "the server asked for {}, ", &[planned]);
    } else if wait.planned_delay_ns > Nanos::ZERO {
        say(&mut notes, "{} planned, ", &[planned]);
    }
    if wait.aborted {
        notes.push_str("cut short, ");
    }
    let label = said("wait {}", &[Text(wait.reason.as_str())]);
    let mut row = bar(RowKind::Wait, &label, wait.start_ns, wait.actual_delay_ns, SegmentKind::Pause);
    row.set_note(&notes);
    row
}

/// The bar of an attempt shows how far its response had come: nothing, chunks, visible content.
fn of_attempt(record: &Record, attempt: &AttemptRecord, stalls: Option<&Stalls>) -> Row {
    let at = |mark: Nanos| attempt.start_ns.saturating_add(mark);
    let end = at(attempt.duration_ns);
    let answers = attempt.marks.headers_ns.or(attempt.marks.first_chunk_ns).map_or(end, at).min(end);
    let visible = attempt.marks.first_content_ns.map_or(end, at).clamp(answers, end);
    let label = said("attempt {}", &[Number(attempt.number.into())]);
    let mut row = bar(RowKind::Attempt, &label, attempt.start_ns, attempt.duration_ns, SegmentKind::Waiting);
    row.attempt = Some(attempt.number);
    row.failed = matches!(attempt.outcome, Outcome::Error | Outcome::TimedOut);
    // What came of a stream before it was cut is there.
    let is_stream_cut = attempt.error.as_ref().is_some_and(|error| error.error_type == "stream_truncated");
    let pieces = [
        Segment::between(SegmentKind::Waiting, attempt.start_ns, answers),
        Segment::between(SegmentKind::Pending, answers, visible),
        Segment::between(SegmentKind::Content, visible, end),
    ];
    row.segments.clear();
    let stalls = stalls.map(|stalls| stalls.first.as_slice()).unwrap_or_default();
    for piece in pieces.iter().chain(stalls) {
        if piece.duration_ns > Nanos::ZERO {
            row.segments.push(*piece);
        }
    }
    // An attempt that took no time has the first of them, as an instant.
    if row.segments.is_empty() {
        row.segments.extend(pieces.first());
    }
    for segment in &mut row.segments {
        segment.failed = row.failed && !is_stream_cut;
    }
    let mut notes = String::new();
    if (attempt.model != record.model || attempt.provider != record.provider)
        && let Some(other) = attempt.model.as_deref().or(attempt.provider.as_deref())
    {
        say(&mut notes, "{}, ", &[Text(other)]);
    }
    if let Some(error) = &attempt.error {
        say(&mut notes, "{}, ", &[Label(error)]);
    } else if attempt.outcome != Outcome::Success {
        say(&mut notes, "{}, ", &[Text(attempt.outcome.as_str())]);
    }
    if attempt.hedged == Some(true) {
        notes.push_str("hedged, ");
    }
    row.set_note(&notes);
    row
}

/// The steps of the final attempt's response, below its bar.
fn steps(record: &Record, attempt: &AttemptRecord, stalls: Option<&Stalls>, rows: &mut Vec<Row>) {
    let marks = &attempt.marks;
    let sent = marks.request_sent_ns.or(marks.started_ns);
    let ended = marks.ended_ns;
    let (token, reasoning, answer) = (marks.first_content_ns, marks.first_reasoning_ns, marks.first_answer_ns);
    let rate = record.output_tokens_per_second.and_then(grouped_rate);
    let rate = rate.map(|rate| said("{} tokens/s", &[Text(&rate)])).unwrap_or_default();
    let mut step = |depth, kind: RowKind, from: Option<Nanos>, to: Option<Nanos>, segment, note: &str| {
        if let (Some(from), Some(to)) = (from, to) {
            let start = attempt.start_ns.saturating_add(from);
            let mut row = bar(kind, kind.words(), start, to.saturating_sub(from), segment);
            row.depth = depth;
            row.attempt = Some(attempt.number);
            row.set_note(note);
            rows.push(row);
        }
    };
    step(1, RowKind::Headers, sent, marks.headers_ns, SegmentKind::Waiting, "");
    step(1, RowKind::FirstChunk, sent, marks.first_chunk_ns, SegmentKind::Waiting, "");
    step(1, RowKind::FirstToken, marks.started_ns, token, SegmentKind::Pending, "TTFT");
    step(1, RowKind::Sampling, token, ended, SegmentKind::Content, &rate);
    step(2, RowKind::Reasoning, reasoning, answer.or(ended), SegmentKind::Content, "");
    step(2, RowKind::Answer, answer.filter(|_| reasoning.is_some()), ended, SegmentKind::Content, "");
    let Some(stalls) = stalls else { return };
    for stall in stalls.first.iter().take(WATERFALL_STALL_ROWS) {
        let mut row =
            bar(RowKind::Stall, RowKind::Stall.words(), stall.start_ns, stall.duration_ns, SegmentKind::Stalled);
        row.depth = 2;
        row.attempt = Some(attempt.number);
        rows.push(row);
    }
    let more = stalls.count.saturating_sub(u64::try_from(WATERFALL_STALL_ROWS).unwrap_or(u64::MAX));
    if let Some(last) = rows.last_mut().filter(|_| more > 0) {
        last.note = Some(said("and {} more", &[Number(more)]));
    }
}

/// The stalls of one attempt.
struct Stalls {
    attempt: u32,
    count: u64,
    /// The first of them.
    first: Vec<Segment>,
}

/// The stalls of all attempts, in the order of their numbers.
fn stalls(record: &Record) -> Vec<Stalls> {
    let mut all: Vec<Stalls> = Vec::new();
    for event in record.events.iter().filter(|event| event.kind == EventKind::Stall) {
        let Some(attempt) = event.attempt else { continue };
        let at = all.binary_search_by_key(&attempt, |stalls| stalls.attempt).unwrap_or_else(|at| {
            all.insert(at, Stalls { attempt, count: 0, first: Vec::new() });
            at
        });
        let Some(stalls) = all.get_mut(at) else { continue };
        stalls.count = stalls.count.saturating_add(1);
        if stalls.first.len() < WATERFALL_STALLS {
            let start = event.at_ns.saturating_sub(event.duration_ns.unwrap_or_default());
            let end = start.saturating_add(event.duration_ns.unwrap_or_default());
            stalls.first.push(Segment::between(SegmentKind::Stalled, start, end));
        }
    }
    all
}

fn bar(kind: RowKind, label: &str, start: Nanos, length: Nanos, segment: SegmentKind) -> Row {
    Row {
        kind,
        label: clean(label),
        depth: 0,
        attempt: None,
        start_ns: start,
        duration_ns: length,
        note: None,
        failed: false,
        segments: vec![Segment::between(segment, start, start.saturating_add(length))],
    }
}

impl Row {
    /// Sets the note; a comma behind the last of several is not part of it.
    fn set_note(&mut self, notes: &str) {
        let note = clean(notes.strip_suffix(", ").unwrap_or(notes));
        self.note = Some(note).filter(|note| !note.is_empty());
    }

    /// A row in place of others.
    pub(super) fn folded(label: &str, note: &str, depth: u32, start: Nanos, end: Nanos) -> Self {
        let mut row = bar(RowKind::Folded, label, start, end.saturating_sub(start), SegmentKind::Folded);
        row.depth = depth;
        row.set_note(note);
        row
    }
}
