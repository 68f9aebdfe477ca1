//! Where the time of a call went, in one line.

use alloc::{collections::BinaryHeap, string::String, vec, vec::Vec};
use core::cmp::Reverse;

use super::say::{
    Value::{self, Count, Counted, Number, Text, Time},
    also, said,
};
use crate::{
    record::{Outcome, Record},
    sorted::{in_order, places},
    time::Nanos,
};

/// The duration, and its largest parts with their shares.
pub(super) fn where_the_time_went(record: &Record) -> String {
    let total = record.duration_ns.as_nanos();
    if total == 0 {
        return String::from("no time passed between the first event and the last");
    }
    let mut parts = Parts::of(record).measure();
    share(&mut parts, total);
    let (mut list, mut small) = (String::new(), 0_u64);
    let largest = in_order(&parts, |part| Reverse(part.length)).filter(|part| part.share > 0);
    for (at, part) in largest.enumerate() {
        if at < SHOWN {
            also(&mut list, "{} % {}", &[Number(part.share), Text(&part.label)]);
        } else {
            small = small.saturating_add(part.share);
        }
    }
    if small > 0 {
        also(&mut list, "{} % the rest", &[Number(small)]);
    }
    said("{} in all: {}", &[Time(record.duration_ns), Text(&list)])
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
    total: u64,
    all: Vec<Part>,
    /// Where a stretch begins or ends, which of both, and its part.
    edges: Vec<(u64, bool, usize)>,
}

impl Parts {
    fn of(record: &Record) -> Self {
        let mut parts = Self { total: record.duration_ns.as_nanos(), all: Vec::new(), edges: Vec::new() };
        parts.final_attempt(record);
        parts.other_attempts(record);
        parts.waits(record, "waiting for retries ({})", |after_attempt| after_attempt > 0);
        parts.waits(record, "waiting before the first attempt ({})", |after_attempt| after_attempt == 0);
        parts.phases(record);
        parts
    }

    fn final_attempt(&mut self, record: &Record) {
        let marks = &record.marks;
        let (Some(start), Some(end)) = (marks.started_ns, marks.ended_ns) else { return };
        let Some(first) = marks.first_content_ns.filter(|_| record.ttft_ns.is_some()) else {
            let template = match (record.outcome, record.stream) {
                (Outcome::Success, false) => "waiting for the response",
                (_, true) => "in attempt {} without a visible chunk",
                _ => "in attempt {} without a response",
            };
            self.begin(template, Number(record.final_attempt.unwrap_or_default().into()));
            return self.add(start, end);
        };
        self.begin("to the first token", Text(""));
        self.add(start, first);
        let stalled = record.inter_chunk.as_ref().map(|gaps| gaps.stalled_ns).unwrap_or_default();
        let template = if stalled > Nanos::ZERO { "sampling ({} of it stalled)" } else { "sampling" };
        self.begin(template, Time(stalled));
        self.add(first, end);
    }

    fn other_attempts(&mut self, record: &Record) {
        let others = || record.attempts.iter().filter(|attempt| Some(attempt.number) != record.final_attempt);
        let have_failed = others().all(|attempt| matches!(attempt.outcome, Outcome::Error | Outcome::TimedOut));
        let count = u64::try_from(others().count()).unwrap_or(u64::MAX);
        self.begin("in {}", Counted(count, if have_failed { "failed attempt" } else { "other attempt" }));
        for attempt in others() {
            self.add(attempt.start_ns, attempt.start_ns.saturating_add(attempt.duration_ns));
        }
    }

    fn waits(&mut self, record: &Record, template: &str, is_meant: fn(u32) -> bool) {
        let waits = || record.waits.iter().filter(|wait| is_meant(wait.after_attempt));
        // How many waits of which reason, and what the server asked for: `1 of rate_limit, the server asked for 2 s`.
        let (mut list, mut before) = (String::new(), None);
        while let Some(next) = waits().map(|wait| wait.reason).filter(|reason| Some(*reason) > before).min() {
            let count = waits().filter(|wait| wait.reason == next).count();
            let count = Count(u64::try_from(count).unwrap_or(u64::MAX));
            also(&mut list, "{} of {}", &[count, Text(next.as_str())]);
            before = Some(next);
        }
        let (mut asked, mut is_asked, mut is_cut) = (Nanos::ZERO, false, false);
        for wait in waits() {
            is_cut |= wait.aborted;
            if wait.server_requested {
                is_asked = true;
                asked = asked.saturating_add(wait.planned_delay_ns);
            }
        }
        if is_asked {
            also(&mut list, "the server asked for {}", &[Time(asked)]);
        }
        if is_cut {
            also(&mut list, "cut short", &[]);
        }
        self.begin(template, Text(&list));
        for wait in waits() {
            self.add(wait.start_ns, wait.start_ns.saturating_add(wait.actual_delay_ns));
        }
    }

    fn phases(&mut self, record: &Record) {
        let mut before = None;
        for phase in in_order(&record.phases, |phase| &*phase.name).filter(|phase| phase.depth == 0) {
            if before != Some(&phase.name) {
                before = Some(&phase.name);
                self.begin("in {}", Text(&phase.name));
            }
            self.add(phase.start_ns, phase.start_ns.saturating_add(phase.duration_ns));
        }
    }

    /// Begins a part, which has the stretches that are added next.
    fn begin(&mut self, template: &str, value: Value<'_>) {
        self.all.push(Part { label: said(template, &[value]), length: 0, share: 0 });
    }

    fn add(&mut self, start: Nanos, end: Nanos) {
        let (start, end) = (start.as_nanos().min(self.total), end.as_nanos().min(self.total));
        let part = self.all.len().saturating_sub(1);
        if start < end {
            self.edges.push((start, true, part));
            self.edges.push((end, false, part));
        }
    }

    /// The parts with their lengths, which add up to the total; what nothing covers comes last.
    fn measure(mut self) -> Vec<Part> {
        // How often each part is open, and those that are or were; the first of them that is open has the time.
        let mut open: Vec<u64> = vec![0; self.all.len()];
        let mut begun: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
        let (mut before, mut covered) = (0_u64, 0_u64);
        for &(at, opens, part) in in_order(&self.edges, |edge| *edge) {
            while begun.peek().is_some_and(|Reverse(first)| open.get(*first) == Some(&0)) {
                begun.pop();
            }
            if let Some(first) = begun.peek().and_then(|Reverse(first)| self.all.get_mut(*first)) {
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
        let length = self.total.saturating_sub(covered);
        self.all.push(Part { label: String::from("unattributed"), length, share: 0 });
        self.all
    }
}

/// Gives each part its share: whole per cents that add up to 100, for which the largest remainders are rounded up.
fn share(parts: &mut [Part], total: u64) {
    let whole = u128::from(total).max(1);
    let scaled = |part: &Part| u128::from(part.length).saturating_mul(100);
    let mut missing = 100_u64;
    for part in &mut *parts {
        part.share = u64::try_from(scaled(part) / whole).unwrap_or_default();
        missing = missing.saturating_sub(part.share);
    }
    let by_remainder = places(parts, |part| Reverse((scaled(part) % whole, part.length)));
    for (at, _) in by_remainder.into_iter().zip(0..missing) {
        if let Some(part) = parts.get_mut(at) {
            part.share = part.share.saturating_add(1);
        }
    }
}
