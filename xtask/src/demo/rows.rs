//! The rows of the waterfall of a record.

use llmspan_core::{
    explain,
    record::{AttemptRecord, EventKind, Outcome, PhaseRecord, Record, RecordError, WaitRecord},
    time::Nanos,
};

use super::text::Tone;

/// One row: a label, a stretch of the call, and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) depth: usize,
    pub(crate) label: String,
    pub(crate) start: Nanos,
    pub(crate) length: Nanos,
    pub(crate) segments: Vec<Segment>,
    /// Written beside the bar.
    pub(crate) note: String,
    pub(crate) tone: Tone,
}

/// A stretch of a bar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Segment {
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) fill: Fill,
    pub(crate) tone: Tone,
}

/// What fills a stretch: the more comes back, the fuller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fill {
    /// Content comes, or local work is done.
    Full,
    /// The server answers, and nothing is visible yet.
    Half,
    /// Nothing comes back.
    Light,
    /// A pause between requests.
    Pause,
}

/// The rows of a record in the order of their start: phases with those inside them, attempts, waits; below the final
/// attempt the steps of its response.
pub(crate) fn rows(record: &Record) -> Vec<Row> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for phase in &record.phases {
        match groups.last_mut() {
            Some(group) if phase.depth > 0 => group.push(of_phase(phase)),
            _ => groups.push(vec![of_phase(phase)]),
        }
    }
    groups.extend(record.waits.iter().map(|wait| vec![of_wait(wait)]));
    for attempt in &record.attempts {
        let mut group = vec![of_attempt(record, attempt)];
        if Some(attempt.number) == record.final_attempt {
            steps(record, attempt, &mut group);
        }
        groups.push(group);
    }
    groups.sort_by_key(|group| group.first().map(|row| row.start));
    groups.into_iter().flatten().collect()
}

/// An error in a few words.
pub(crate) fn error_name(error: &RecordError) -> String {
    match error.status_code {
        Some(status) if error.error_type == status.to_string() => format!("HTTP {status}"),
        Some(status) => format!("{} {status}", error.error_type),
        None => error.error_type.clone(),
    }
}

fn of_phase(phase: &PhaseRecord) -> Row {
    let note = if phase.left_open { "left open" } else { "" };
    Row {
        depth: usize::try_from(phase.depth).unwrap_or_default(),
        ..bar(&phase.name, phase.start_ns, phase.duration_ns, Fill::Full, Tone::Phase).noted(note)
    }
}

fn of_wait(wait: &WaitRecord) -> Row {
    let mut notes = Vec::new();
    if wait.server_requested {
        notes.push(format!("the server asked for {}", explain::readable(wait.planned_delay_ns)));
    } else if wait.planned_delay_ns > Nanos::ZERO {
        notes.push(format!("{} planned", explain::readable(wait.planned_delay_ns)));
    }
    if wait.aborted {
        notes.push("cut short".into());
    }
    let label = format!("wait {}", wait.reason.as_str());
    bar(&label, wait.start_ns, wait.actual_delay_ns, Fill::Pause, Tone::Wait).noted(&notes.join(", "))
}

/// The bar of an attempt shows how far its response had come: nothing, chunks, visible content.
fn of_attempt(record: &Record, attempt: &AttemptRecord) -> Row {
    let at = |mark: Nanos| attempt.start_ns.saturating_add(mark);
    let end = at(attempt.duration_ns);
    let answers = attempt.marks.headers_ns.or(attempt.marks.first_chunk_ns).map_or(end, at);
    let visible = attempt.marks.first_content_ns.map_or(end, at).max(answers);
    let is_bad = matches!(attempt.outcome, Outcome::Error | Outcome::TimedOut);
    let is_stream_cut = attempt.error.as_ref().is_some_and(|error| error.error_type == "stream_truncated");
    let tone = |good| if is_bad && !is_stream_cut { Tone::Bad } else { good };
    let mut segments = vec![
        segment(attempt.start_ns, answers, Fill::Light, tone(Tone::Request)),
        segment(answers, visible, Fill::Half, tone(Tone::Request)),
        segment(visible, end, Fill::Full, tone(Tone::Good)),
    ];
    for (start, length) in stalls(record, attempt) {
        segments.push(segment(start, start.saturating_add(length), Fill::Light, Tone::Bad));
    }
    let mut notes = Vec::new();
    if attempt.model != record.model || attempt.provider != record.provider {
        notes.extend(attempt.model.clone().or_else(|| attempt.provider.clone()));
    }
    match &attempt.error {
        Some(error) => notes.push(error_name(error)),
        None if attempt.outcome != Outcome::Success => notes.push(attempt.outcome.as_str().into()),
        None => {}
    }
    if attempt.hedged == Some(true) {
        notes.push("hedged".into());
    }
    let note = notes.join(", ");
    Row {
        segments,
        tone: if is_bad { Tone::Bad } else { Tone::Strong },
        ..bar(&format!("attempt {}", attempt.number), attempt.start_ns, attempt.duration_ns, Fill::Full, Tone::Plain)
            .noted(&note)
    }
}

/// The steps of the final attempt's response, below its bar.
fn steps(record: &Record, attempt: &AttemptRecord, rows: &mut Vec<Row>) {
    let marks = &attempt.marks;
    let at = |mark: Nanos| attempt.start_ns.saturating_add(mark);
    let sent = marks.request_sent_ns.or(marks.started_ns);
    let ended = marks.ended_ns;
    let (token, reasoning, answer) = (marks.first_content_ns, marks.first_reasoning_ns, marks.first_answer_ns);
    let rate = record.output_tokens_per_second.map(|rate| format!("{rate} tokens/s")).unwrap_or_default();
    for (depth, label, from, to, fill, tone, note) in [
        (1, "headers", sent, marks.headers_ns, Fill::Light, Tone::Request, ""),
        (1, "first chunk", sent, marks.first_chunk_ns, Fill::Light, Tone::Request, ""),
        (1, "first token", marks.started_ns, token, Fill::Half, Tone::Request, "TTFT"),
        (1, "sampling", token, ended, Fill::Full, Tone::Good, rate.as_str()),
        (2, "reasoning", reasoning, answer.or(ended), Fill::Full, Tone::Good, ""),
        (2, "answer", answer.filter(|_| reasoning.is_some()), ended, Fill::Full, Tone::Good, ""),
    ] {
        if let (Some(from), Some(to)) = (from, to) {
            rows.push(Row { depth, ..bar(label, at(from), to.saturating_sub(from), fill, tone).noted(note) });
        }
    }
    let all = stalls(record, attempt);
    for (at, (start, length)) in all.iter().take(STALLS_SHOWN).enumerate() {
        let more = all.len().saturating_sub(STALLS_SHOWN);
        let note = if at + 1 == STALLS_SHOWN && more > 0 { format!("and {more} more") } else { String::new() };
        rows.push(Row { depth: 2, ..bar("stall", *start, *length, Fill::Light, Tone::Bad).noted(&note) });
    }
}

/// Start and length of the stalls of an attempt, from the start of the call.
fn stalls(record: &Record, attempt: &AttemptRecord) -> Vec<(Nanos, Nanos)> {
    let own = record.events.iter().filter(|event| event.kind == EventKind::Stall);
    own.filter(|event| event.attempt == Some(attempt.number))
        .map(|event| {
            let length = event.duration_ns.unwrap_or_default();
            (event.at_ns.saturating_sub(length), length)
        })
        .collect()
}

fn bar(label: &str, start: Nanos, length: Nanos, fill: Fill, tone: Tone) -> Row {
    Row {
        depth: 0,
        label: label.into(),
        start,
        length,
        segments: vec![segment(start, start.saturating_add(length), fill, tone)],
        note: String::new(),
        tone: Tone::Plain,
    }
}

impl Row {
    fn noted(self, note: &str) -> Self {
        Self { note: note.into(), ..self }
    }
}

fn segment(start: Nanos, end: Nanos, fill: Fill, tone: Tone) -> Segment {
    Segment { start, end, fill, tone }
}

/// Stalls with a row of their own.
const STALLS_SHOWN: usize = 4;
