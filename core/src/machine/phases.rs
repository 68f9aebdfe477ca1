//! Named stretches of local work, nested.

use alloc::{boxed::Box, vec::Vec};
use core::mem;

use serde::{Deserialize, Serialize};

use crate::{
    limits::{Limits, cut},
    record::PhaseRecord,
    stats::Coverage,
    time::Timestamp,
};

/// The phases of a call.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Phases {
    kept: Vec<Phase>,
    open: Vec<Open>,
    dropped: u32,
    /// Phases opened past the depth cap and not yet ended.
    too_deep: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Phase {
    name: Box<str>,
    depth: u32,
    start: Timestamp,
    /// Absent while the phase is open.
    end: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Open {
    name: Box<str>,
    start: Timestamp,
    /// Place in `kept`; absent when the detail was dropped.
    kept: Option<usize>,
}

/// Whether an end matched the innermost open phase.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Match {
    Exact,
    OutOfOrder,
}

impl Phases {
    pub(crate) fn start(&mut self, now: Timestamp, name: &str, limits: &Limits) {
        if self.open.len() >= limits.phase_depth {
            self.too_deep = self.too_deep.saturating_add(1);
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let name: Box<str> = cut(name, limits.name_bytes).into();
        let depth = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        let kept = (self.kept.len() < limits.phases).then(|| {
            self.kept.push(Phase { name: name.clone(), depth, start: now, end: None });
            self.kept.len().saturating_sub(1)
        });
        if kept.is_none() {
            self.dropped = self.dropped.saturating_add(1);
        }
        self.open.push(Open { name, start: now, kept });
    }

    /// Ends the innermost open phase of that name, and every phase inside it.
    pub(crate) fn end(&mut self, now: Timestamp, name: &str, limits: &Limits, coverage: &mut Coverage) -> Match {
        let name = cut(name, limits.name_bytes);
        if self.too_deep > 0 {
            self.too_deep = self.too_deep.saturating_sub(1);
            return Match::Exact;
        }
        let Some(at) = self.open.iter().rposition(|open| *open.name == *name) else { return Match::OutOfOrder };
        let innermost = at.saturating_add(1) == self.open.len();
        self.close_down_to(at, now, coverage);
        if innermost { Match::Exact } else { Match::OutOfOrder }
    }

    fn close_down_to(&mut self, at: usize, now: Timestamp, coverage: &mut Coverage) {
        while self.open.len() > at
            && let Some(open) = self.open.pop()
        {
            if let Some(phase) = open.kept.and_then(|kept| self.kept.get_mut(kept)) {
                phase.end = Some(now);
            }
            if self.open.is_empty() {
                coverage.add(open.start, now);
            }
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        u64::from(self.dropped)
    }

    /// Finishes: what is still open ends with the call and says so.
    pub(crate) fn finish(
        &mut self,
        call_start: Timestamp,
        call_end: Timestamp,
        coverage: &mut Coverage,
    ) -> Vec<PhaseRecord> {
        if let Some(outermost) = self.open.first() {
            coverage.add(outermost.start, call_end);
        }
        let mut phases = Vec::with_capacity(self.kept.len());
        for phase in &mut self.kept {
            phases.push(PhaseRecord {
                name: mem::take(&mut phase.name).into(),
                depth: phase.depth,
                start_ns: phase.start.saturating_since(call_start),
                duration_ns: phase.end.unwrap_or(call_end).saturating_since(phase.start),
                left_open: phase.end.is_none(),
            });
        }
        phases
    }
}
