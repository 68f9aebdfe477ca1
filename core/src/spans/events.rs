//! Moments on spans.

use alloc::{borrow::Cow, vec::Vec};

use super::{
    attributes::{insert_count, insert_text},
    generated as names,
    tree::{Event, Span},
};
use crate::{
    limits::EXPORT_EVENTS,
    record::{Attributes, EventKind, Record, SpanEvent},
    time::{Nanos, UnixNanos},
};

/// The moments of a record that no span has yet.
pub(super) struct Moments<'a> {
    record: &'a Record,
    start_unix_ns: Option<UnixNanos>,
    left: Vec<&'a SpanEvent>,
}

impl<'a> Moments<'a> {
    /// The moments of a call that began then.
    pub(super) fn new(record: &'a Record, start_unix_ns: Option<UnixNanos>) -> Self {
        Self { record, start_unix_ns, left: record.events.iter().take(EXPORT_EVENTS).collect() }
    }

    /// How many moments are past the cap.
    pub(super) fn dropped(&self) -> u64 {
        u64::try_from(self.record.events.len().saturating_sub(EXPORT_EVENTS)).unwrap_or(u64::MAX)
    }

    /// Moves moments to a span: those of an attempt, or all that are left.
    ///
    /// A retry is scheduled by the call, after its attempt is over, so it stays with the call.
    pub(super) fn move_to(&mut self, span: &mut Span, attempt: Option<u32>) {
        let start_unix_ns = self.start_unix_ns;
        self.left.retain(|moment| {
            let stays = attempt.is_some() && (moment.attempt != attempt || moment.kind == EventKind::Retry);
            if !stays {
                span.events.push(event(start_unix_ns, moment));
            }
            stays
        });
    }
}

/// The wall-clock time of a moment; `None` without that of the start.
pub(super) fn unix(start_unix_ns: Option<UnixNanos>, at: Nanos) -> Option<UnixNanos> {
    start_unix_ns.map(|start| start.saturating_add(at))
}

fn event(start_unix_ns: Option<UnixNanos>, moment: &SpanEvent) -> Event {
    let (name, key_of_name, key_of_duration) = match moment.kind {
        EventKind::FirstToken => (names::EVENT_FIRST_TOKEN, "", ""),
        EventKind::Finish => (names::EVENT_FINISH, names::FINISH_REASON, ""),
        EventKind::Refusal => (names::EVENT_REFUSAL, "", ""),
        EventKind::Retry => (names::EVENT_RETRY, names::WAIT_REASON, names::WAIT_PLANNED_DELAY),
        EventKind::Stall => (names::EVENT_STALL, "", names::STALLED),
        EventKind::ToolCall => (names::EVENT_TOOL_CALL, names::TOOL_NAME, ""),
    };
    let mut attributes = Attributes::new();
    if let Some(attempt) = moment.attempt {
        insert_count(&mut attributes, names::ATTEMPT, u64::from(attempt));
    }
    if let Some(text) = moment.name.as_deref().filter(|_| !key_of_name.is_empty()) {
        insert_text(&mut attributes, key_of_name, text);
    }
    if let Some(duration) = moment.duration_ns.filter(|_| !key_of_duration.is_empty()) {
        insert_count(&mut attributes, key_of_duration, duration.as_nanos());
    }
    Event { name: Cow::Borrowed(name), at_ns: moment.at_ns, at_unix_ns: unix(start_unix_ns, moment.at_ns), attributes }
}
