//! Where the time of a call went, in one line.

use alloc::{
    collections::BinaryHeap,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::cmp::Reverse;

use super::text::{counted, grouped, readable};
use crate::{
    record::{Outcome, PhaseRecord, Record, WaitReason, WaitRecord},
    sorted::sort_by_key,
    time::Nanos,
};

/// The duration, and its largest parts with their shares.
pub(super) fn where_the_time_went(record: &Record) -> String {
    let total = record.duration_ns.as_nanos();
    if total == 0 {
        return String::from("no time passed between the first event and the last");
    }
    let mut parts = Parts::of(record).measure(total);
    let mut line = format!("{} in all: ", readable(record.duration_ns));
    let shares = shares(&parts, total);
    for (part, share) in parts.iter_mut().zip(shares) {
        part.share = share;
    }
    parts.retain(|part| part.share > 0);
    sort_by_key(&mut parts, |part| Reverse(part.length));
    let small: u64 = parts.iter().skip(SHOWN).map(|part| part.share).sum();
    let mut texts: Vec<String> =
        parts.iter().take(SHOWN).map(|part| format!("{} % {}", part.share, part.label)).collect();
    if small > 0 {
        texts.push(format!("{small} % the rest"));
    }
    line.push_str(&texts.join(", "));
    line
}

/// Parts that are named; what is smaller is added up.
const SHOWN: usize = 5;

/// A part of the duration.
struct Part {
    label: String,
    length: u64,
    share: u64,
}

/// The stretches of a call. Where stretches overlap, the part that comes first has the time.
struct Parts {
    labels: Vec<String>,
    /// Start, end and part of each stretch, from the start of the call.
    stretches: Vec<(u64, u64, usize)>,
}

impl Parts {
    fn of(record: &Record) -> Self {
        let mut parts = Self { labels: Vec::new(), stretches: Vec::new() };
        parts.final_attempt(record);
        parts.other_attempts(record);
        parts.waits(record);
        parts.phases(record);
        parts
    }

    fn final_attempt(&mut self, record: &Record) {
        let marks = &record.marks;
        let (Some(start), Some(end)) = (marks.started_ns, marks.ended_ns) else { return };
        let number = record.final_attempt.unwrap_or_default();
        let Some(first) = marks.first_content_ns.filter(|_| record.ttft_ns.is_some()) else {
            let label = match (record.outcome, record.stream) {
                (Outcome::Success, false) => String::from("waiting for the response"),
                (_, true) => format!("in attempt {number} without a visible chunk"),
                _ => format!("in attempt {number} without a response"),
            };
            self.add(label, [(start, end)]);
            return;
        };
        self.add("to the first token", [(start, first)]);
        let stalled = record.inter_chunk.as_ref().map(|gaps| gaps.stalled_ns).unwrap_or_default();
        let label = if stalled > Nanos::ZERO {
            format!("sampling ({} of it stalled)", readable(stalled))
        } else {
            String::from("sampling")
        };
        self.add(label, [(first, end)]);
    }

    fn other_attempts(&mut self, record: &Record) {
        let others = || record.attempts.iter().filter(|attempt| Some(attempt.number) != record.final_attempt);
        let have_failed = others().all(|attempt| matches!(attempt.outcome, Outcome::Error | Outcome::TimedOut));
        let count = u64::try_from(others().count()).unwrap_or(u64::MAX);
        let label = format!("in {}", counted(count, if have_failed { "failed attempt" } else { "other attempt" }));
        self.add(label, others().map(|attempt| stretch(attempt.start_ns, attempt.duration_ns)));
    }

    fn waits(&mut self, record: &Record) {
        let is_local = |wait: &&WaitRecord| wait.after_attempt == 0;
        let retries: Vec<&WaitRecord> = record.waits.iter().filter(|wait| !is_local(wait)).collect();
        let local: Vec<&WaitRecord> = record.waits.iter().filter(is_local).collect();
        let spans = |waits: &[&WaitRecord]| -> Vec<(Nanos, Nanos)> {
            waits.iter().map(|wait| stretch(wait.start_ns, wait.actual_delay_ns)).collect()
        };
        self.add(format!("waiting for retries ({})", reasons(&retries)), spans(&retries));
        self.add(format!("waiting before the first attempt ({})", reasons(&local)), spans(&local));
    }

    fn phases(&mut self, record: &Record) {
        let mut phases: Vec<&PhaseRecord> = record.phases.iter().filter(|phase| phase.depth == 0).collect();
        sort_by_key(&mut phases, |phase| phase.name.as_str());
        for phases in phases.chunk_by(|one, other| one.name == other.name) {
            let name = phases.first().map_or("", |phase| &phase.name);
            let spans = phases.iter().map(|phase| stretch(phase.start_ns, phase.duration_ns));
            self.add(format!("in {name}"), spans);
        }
    }

    fn add(&mut self, label: impl Into<String>, spans: impl IntoIterator<Item = (Nanos, Nanos)>) {
        let part = self.labels.len();
        self.labels.push(label.into());
        self.stretches.extend(spans.into_iter().map(|(start, end)| (start.as_nanos(), end.as_nanos(), part)));
    }

    /// The parts with their lengths, which add up to the total; what nothing covers comes last.
    fn measure(self, total: u64) -> Vec<Part> {
        let mut edges: Vec<(u64, bool, usize)> = Vec::new();
        for (start, end, part) in self.stretches {
            let (start, end) = (start.min(total), end.min(total));
            if start < end {
                edges.push((start, true, part));
                edges.push((end, false, part));
            }
        }
        sort_by_key(&mut edges, |edge| *edge);
        let mut parts: Vec<Part> = self.labels.into_iter().map(|label| Part { label, length: 0, share: 0 }).collect();
        // How often each part is open, and those that are or were; the first of them that is open has the time.
        let mut open: Vec<u64> = parts.iter().map(|_| 0).collect();
        let mut begun: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
        let (mut before, mut covered) = (0_u64, 0_u64);
        for (at, opens, part) in edges {
            while begun.peek().is_some_and(|Reverse(first)| open.get(*first) == Some(&0)) {
                begun.pop();
            }
            if let Some(first) = begun.peek().and_then(|Reverse(first)| parts.get_mut(*first)) {
                let length = at.saturating_sub(before);
                first.length = first.length.saturating_add(length);
                covered = covered.saturating_add(length);
            }
            before = at;
            if let Some(open) = open.get_mut(part) {
                *open = if opens { open.saturating_add(1) } else { open.saturating_sub(1) };
            }
            if opens {
                begun.push(Reverse(part));
            }
        }
        let length = total.saturating_sub(covered);
        parts.push(Part { label: String::from("unattributed"), length, share: 0 });
        parts
    }
}

fn stretch(start: Nanos, length: Nanos) -> (Nanos, Nanos) {
    (start, start.saturating_add(length))
}

/// How many waits of which reason, and what the server asked for: `1 of rate_limit, the server asked for 2 s`.
fn reasons(waits: &[&WaitRecord]) -> String {
    let mut reasons: Vec<WaitReason> = waits.iter().map(|wait| wait.reason).collect();
    sort_by_key(&mut reasons, |reason| *reason);
    let same = reasons.chunk_by(|one, other| one == other);
    let mut texts: Vec<String> = same
        .filter_map(|same| Some(format!("{} of {}", grouped(u64::try_from(same.len()).ok()?), same.first()?.as_str())))
        .collect();
    let asked = || waits.iter().filter(|wait| wait.server_requested);
    if asked().next().is_some() {
        let sum = asked().fold(Nanos::ZERO, |sum, wait| sum.saturating_add(wait.planned_delay_ns));
        texts.push(format!("the server asked for {}", readable(sum)));
    }
    if waits.iter().any(|wait| wait.aborted) {
        texts.push("cut short".to_string());
    }
    texts.join(", ")
}

/// Whole per cents that add up to 100: the largest remainders are rounded up.
fn shares(parts: &[Part], total: u64) -> Vec<u64> {
    let whole = u128::from(total).max(1);
    let scaled = |part: &Part| u128::from(part.length).saturating_mul(100);
    let mut shares: Vec<u64> =
        parts.iter().map(|part| u64::try_from(scaled(part) / whole).unwrap_or_default()).collect();
    let missing = 100_u64.saturating_sub(shares.iter().sum());
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    let size = |at: &usize| parts.get(*at).map(|part| (scaled(part) % whole, part.length));
    sort_by_key(&mut by_remainder, |at| Reverse(size(at)));
    for at in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or_default()) {
        if let Some(share) = shares.get_mut(at) {
            *share = share.saturating_add(1);
        }
    }
    shares
}
