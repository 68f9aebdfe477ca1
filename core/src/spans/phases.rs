//! Which phase is around which.

use alloc::vec::Vec;

use super::ids::SpanId;
use crate::{record::PhaseRecord, time::Nanos};

/// The phases around the latest one, outermost first.
pub(super) struct Nesting {
    call: SpanId,
    open: Vec<Open>,
}

struct Open {
    depth: u32,
    end: Nanos,
    span_id: SpanId,
}

impl Nesting {
    pub(super) fn new(call: SpanId) -> Self {
        Self { call, open: Vec::new() }
    }

    /// The span that a phase is inside of. Phases come in the order of their start; one whose own surrounding phase was
    /// dropped past a cap goes to the next one out that was still running.
    pub(super) fn parent_of(&mut self, phase: &PhaseRecord, span_id: SpanId) -> SpanId {
        while self.open.last().is_some_and(|open| open.depth >= phase.depth || open.end < phase.start_ns) {
            self.open.pop();
        }
        let parent = self.open.last().map_or(self.call, |open| open.span_id);
        let end = phase.start_ns.saturating_add(phase.duration_ns);
        self.open.push(Open { depth: phase.depth, end, span_id });
        parent
    }
}
