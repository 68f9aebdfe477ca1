//! Moments worth a mark on the span, in a capped list.

use alloc::vec::Vec;

use super::call::bump;
use crate::{
    limits::{Limits, cut},
    record::{EventKind, SpanEvent},
    time::{Nanos, Timestamp},
};

/// Where moments worth a mark on the span go.
pub(super) struct EventLog<'a> {
    pub(super) events: &'a mut Vec<SpanEvent>,
    pub(super) limits: &'a Limits,
    pub(super) dropped: &'a mut u32,
    pub(super) started: Timestamp,
    pub(super) now: Timestamp,
}

impl EventLog<'_> {
    pub(super) fn push(&mut self, kind: EventKind, attempt: u32, name: Option<&str>, duration: Option<Nanos>) {
        let stalls = || self.events.iter().filter(|event| event.kind == EventKind::Stall).count();
        if self.events.len() >= self.limits.events || (kind == EventKind::Stall && stalls() >= self.limits.stall_events)
        {
            bump(self.dropped);
            return;
        }
        if self.events.is_empty() {
            self.events.reserve_exact(1);
        }
        self.events.push(SpanEvent {
            kind,
            at_ns: self.now.saturating_since(self.started),
            attempt: Some(attempt),
            name: name.map(|name| cut(name, self.limits.name_bytes).into()),
            duration_ns: duration,
        });
    }
}
