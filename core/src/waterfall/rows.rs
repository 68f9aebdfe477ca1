//! From a record to the rows of its waterfall.

use alloc::{format, vec, vec::Vec};

use super::{
    fold::{Group, fold},
    model::{Row, RowKind, Segment, SegmentKind},
    words::clean,
};
use crate::{
    explain::{error_label, grouped_rate, readable},
    limits::{WATERFALL_DEPTH, WATERFALL_STALL_ROWS, WATERFALL_STALLS},
    record::{AttemptRecord, EventKind, Outcome, PhaseRecord, Record, WaitRecord},
    sorted::sort_by_key,
    time::Nanos,
};

/// The rows of a record in the order of their start: phases with those inside them, attempts, waits; below the final
/// attempt the steps of its response.
pub(super) fn rows(record: &Record) -> Vec<Row> {
    let stalls = Stalls::of(record);
    let mut groups: Vec<Group> = Vec::new();
    for phase in &record.phases {
        match groups.last_mut() {
            Some(group) if phase.depth > 0 => group.rows.push(of_phase(phase)),
            _ => groups.push(Group::of(of_phase(phase))),
        }
    }
    groups.extend(record.waits.iter().map(|wait| Group::of(of_wait(wait))));
    for attempt in &record.attempts {
        let mut group = Group::of(of_attempt(record, attempt, &stalls));
        if Some(attempt.number) == record.final_attempt {
            group.is_final = true;
            steps(record, attempt, &stalls, &mut group.rows);
        }
        groups.push(group);
    }
    sort_by_key(&mut groups, Group::start);
    fold(groups, record)
}

fn of_phase(phase: &PhaseRecord) -> Row {
    let note = if phase.left_open { "left open" } else { "" };
    let row = bar(RowKind::Phase, &phase.name, phase.start_ns, phase.duration_ns, SegmentKind::Local);
    Row { depth: phase.depth.min(WATERFALL_DEPTH), ..row.noted(note) }
}

fn of_wait(wait: &WaitRecord) -> Row {
    let mut notes = Vec::new();
    if wait.server_requested {
        notes.push(format!("the server asked for {}", readable(wait.planned_delay_ns)));
    } else if wait.planned_delay_ns > Nanos::ZERO {
        notes.push(format!("{} planned", readable(wait.planned_delay_ns)));
    }
    if wait.aborted {
        notes.push("cut short".into());
    }
    let label = format!("wait {}", wait.reason.as_str());
    bar(RowKind::Wait, &label, wait.start_ns, wait.actual_delay_ns, SegmentKind::Pause).noted(&notes.join(", "))
}

/// The bar of an attempt shows how far its response had come: nothing, chunks, visible content.
fn of_attempt(record: &Record, attempt: &AttemptRecord, stalls: &Stalls) -> Row {
    let at = |mark: Nanos| attempt.start_ns.saturating_add(mark);
    let end = at(attempt.duration_ns);
    let answers = attempt.marks.headers_ns.or(attempt.marks.first_chunk_ns).map_or(end, at).min(end);
    let visible = attempt.marks.first_content_ns.map_or(end, at).clamp(answers, end);
    let failed = matches!(attempt.outcome, Outcome::Error | Outcome::TimedOut);
    // What came of a stream before it was cut is there.
    let is_stream_cut = attempt.error.as_ref().is_some_and(|error| error.error_type == "stream_truncated");
    let mut segments = vec![
        Segment::between(SegmentKind::Waiting, attempt.start_ns, answers),
        Segment::between(SegmentKind::Pending, answers, visible),
        Segment::between(SegmentKind::Content, visible, end),
    ];
    segments.extend(stalls.of_attempt(attempt.number).map(Stall::segment));
    for segment in &mut segments {
        segment.failed = failed && !is_stream_cut;
    }
    // An attempt that took no time has the first of them, as an instant.
    let has_length = |segment: &Segment| segment.duration_ns > Nanos::ZERO;
    if segments.iter().any(has_length) {
        segments.retain(has_length);
    } else {
        segments.truncate(1);
    }
    let mut notes = Vec::new();
    if attempt.model != record.model || attempt.provider != record.provider {
        notes.extend(attempt.model.clone().or_else(|| attempt.provider.clone()));
    }
    match &attempt.error {
        Some(error) => notes.push(error_label(error)),
        None if attempt.outcome != Outcome::Success => notes.push(attempt.outcome.as_str().into()),
        None => {}
    }
    if attempt.hedged == Some(true) {
        notes.push("hedged".into());
    }
    let label = format!("attempt {}", attempt.number);
    let row = bar(RowKind::Attempt, &label, attempt.start_ns, attempt.duration_ns, SegmentKind::Content);
    Row { segments, failed, attempt: Some(attempt.number), ..row.noted(&notes.join(", ")) }
}

/// The steps of the final attempt's response, below its bar.
fn steps(record: &Record, attempt: &AttemptRecord, stalls: &Stalls, rows: &mut Vec<Row>) {
    let marks = &attempt.marks;
    let at = |mark: Nanos| attempt.start_ns.saturating_add(mark);
    let sent = marks.request_sent_ns.or(marks.started_ns);
    let ended = marks.ended_ns;
    let (token, reasoning, answer) = (marks.first_content_ns, marks.first_reasoning_ns, marks.first_answer_ns);
    let rate = record.output_tokens_per_second.and_then(grouped_rate).map(|rate| format!("{rate} tokens/s"));
    let rate = rate.unwrap_or_default();
    let content = SegmentKind::Content;
    for (depth, kind, from, to, segment, note) in [
        (1, RowKind::Headers, sent, marks.headers_ns, SegmentKind::Waiting, ""),
        (1, RowKind::FirstChunk, sent, marks.first_chunk_ns, SegmentKind::Waiting, ""),
        (1, RowKind::FirstToken, marks.started_ns, token, SegmentKind::Pending, "TTFT"),
        (1, RowKind::Sampling, token, ended, content, rate.as_str()),
        (2, RowKind::Reasoning, reasoning, answer.or(ended), content, ""),
        (2, RowKind::Answer, answer.filter(|_| reasoning.is_some()), ended, content, ""),
    ] {
        if let (Some(from), Some(to)) = (from, to) {
            let row = bar(kind, kind.words(), at(from), to.saturating_sub(from), segment);
            rows.push(Row { depth, attempt: Some(attempt.number), ..row.noted(note) });
        }
    }
    let more = stalls.count(attempt.number).saturating_sub(WATERFALL_STALL_ROWS);
    let shown = stalls.of_attempt(attempt.number).take(WATERFALL_STALL_ROWS);
    rows.extend(shown.map(|stall| {
        let row = bar(RowKind::Stall, RowKind::Stall.words(), stall.start, stall.length, SegmentKind::Stalled);
        Row { depth: 2, attempt: Some(attempt.number), ..row }
    }));
    if let Some(last) = rows.last_mut().filter(|_| more > 0) {
        last.note = Some(format!("and {more} more"));
    }
}

/// The stalls of each attempt: its number, how many, and the first of them.
struct Stalls(Vec<(u32, usize, Vec<Stall>)>);

#[derive(Clone, Copy)]
struct Stall {
    start: Nanos,
    length: Nanos,
}

impl Stalls {
    fn of(record: &Record) -> Self {
        let mut all: Vec<(u32, usize, Vec<Stall>)> = Vec::new();
        for event in record.events.iter().filter(|event| event.kind == EventKind::Stall) {
            let Some(attempt) = event.attempt else { continue };
            let at = all.binary_search_by_key(&attempt, |(number, ..)| *number).unwrap_or_else(|at| {
                all.insert(at, (attempt, 0, Vec::new()));
                at
            });
            let Some((_, count, stalls)) = all.get_mut(at) else { continue };
            *count = count.saturating_add(1);
            if stalls.len() < WATERFALL_STALLS {
                let length = event.duration_ns.unwrap_or_default();
                stalls.push(Stall { start: event.at_ns.saturating_sub(length), length });
            }
        }
        Self(all)
    }

    fn of_attempt(&self, number: u32) -> impl Iterator<Item = Stall> {
        self.get(number).into_iter().flat_map(|(.., stalls)| stalls).copied()
    }

    fn count(&self, number: u32) -> usize {
        self.get(number).map_or(0, |(_, count, _)| *count)
    }

    fn get(&self, number: u32) -> Option<&(u32, usize, Vec<Stall>)> {
        self.0.get(self.0.binary_search_by_key(&number, |(number, ..)| *number).ok()?)
    }
}

impl Stall {
    fn segment(self) -> Segment {
        Segment::between(SegmentKind::Stalled, self.start, self.start.saturating_add(self.length))
    }
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
    fn noted(self, note: &str) -> Self {
        Self { note: Some(clean(note)).filter(|note| !note.is_empty()), ..self }
    }

    /// A row in place of others.
    pub(super) fn folded(label: &str, note: &str, depth: u32, start: Nanos, end: Nanos) -> Self {
        let length = end.saturating_sub(start);
        Self { depth, ..bar(RowKind::Folded, label, start, length, SegmentKind::Folded).noted(note) }
    }
}
