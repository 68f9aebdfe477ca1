//! From a record to its tree of spans.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{
    attributes::{insert_count, insert_flag, of_wait, without_usage},
    caps::{capped_attributes, capped_links, capped_name, capped_value},
    events::{Moments, unix},
    generated as names,
    ids::{ChildSpan, OwnIds, SpanId, TraceId, child_span_id},
    layout::{Context, Layout, Shape},
    phases::Nesting,
    tree::{Role, Span, SpanTree},
};
use crate::{
    limits::{EXPORT_SPANS, TRACE_STATE_BYTES},
    names::{Profile, Renderer, SpanKind, inner_attributes},
    record::{AttemptRecord, Attributes, OtelStatus, PhaseRecord, Record, RecordError, WaitRecord},
    search::replace,
    time::{Nanos, UnixNanos},
};

impl SpanTree {
    /// Builds the tree of a call; `None` when neither the record nor the context has a trace id, or a span id.
    ///
    /// Ids and the anchor of the record win over those of the context; ids that are no hex digits of the right length, or
    /// all zero, count as absent.
    pub fn new(record: &Record, layout: &Layout<'_>, context: &Context<'_>) -> Option<Self> {
        let own = OwnIds::of(record);
        let trace_id = own.trace.or(context.trace_id)?;
        let span_id = own.span.or(context.span_id)?;
        let parent_span_id = if own.trace.is_some() { own.parent } else { context.parent_span_id };
        let start_unix_ns = record.start_unix_ns.or(context.start_unix_ns);
        let builder = Builder { record, layout, trace_id, span_id, start_unix_ns };
        let (spans, dropped_spans) = builder.spans(context, parent_span_id);
        let trace_state = if context.trace_state.len() > TRACE_STATE_BYTES { "" } else { context.trace_state };
        Some(Self {
            trace_id,
            trace_flags: context.trace_flags,
            trace_state: trace_state.to_owned(),
            start_unix_ns,
            shape: layout.shape,
            spans,
            dropped_spans,
        })
    }
}

struct Builder<'a> {
    record: &'a Record,
    layout: &'a Layout<'a>,
    trace_id: TraceId,
    span_id: SpanId,
    start_unix_ns: Option<UnixNanos>,
}

impl Builder<'_> {
    fn spans(&self, context: &Context<'_>, parent_span_id: Option<SpanId>) -> (Vec<Span>, u64) {
        let Record { attempts, waits, phases, .. } = self.record;
        let wanted = [attempts.len(), waits.len(), phases.len()].into_iter().fold(1, usize::saturating_add);
        let dropped = self.dropped_spans(wanted);
        let mut moments = Moments::new(self.record, self.start_unix_ns);
        let mut spans = Vec::with_capacity(wanted.min(EXPORT_SPANS));
        // The call comes first in the tree, but takes the events that its attempts leave.
        let mut children = Vec::with_capacity(wanted.min(CHILDREN));
        self.push_attempts(&mut moments, &mut children);
        for (place, wait) in (0..).zip(waits).take(CHILDREN) {
            children.push(self.wait(place, wait));
        }
        let mut nesting = Nesting::new(self.span_id);
        for (place, phase) in (0..).zip(phases).take(CHILDREN) {
            let span = self.phase(place, phase, &mut nesting);
            children.push(span);
        }
        children.truncate(CHILDREN);
        spans.push(self.call(context, parent_span_id, &mut moments, dropped));
        spans.append(&mut children);
        (spans, dropped)
    }

    fn dropped_spans(&self, wanted: usize) -> u64 {
        let in_record = &self.record.diagnostics.dropped;
        let here = u64::try_from(wanted.saturating_sub(EXPORT_SPANS)).unwrap_or(u64::MAX);
        [in_record.attempts, in_record.waits, in_record.phases].into_iter().flatten().fold(here, u64::saturating_add)
    }

    fn call(
        &self,
        context: &Context<'_>,
        parent_span_id: Option<SpanId>,
        moments: &mut Moments<'_>,
        dropped_spans: u64,
    ) -> Span {
        let record = self.record;
        let profiles = self.layout.profiles;
        let (name, kind, attributes) = match self.layout.shape {
            Shape::Call => {
                let name = self.naming().map(|profile| profile.call_span_name(record));
                (or_default(name), self.kind(), self.renderer().call())
            }
            Shape::Attempt => {
                let attributes = without_usage(self.renderer().around(), &record.attributes, profiles);
                (names::CALL.to_owned(), SpanKind::Internal, attributes)
            }
        };
        let mut span = self.span(Role::Call, &name, kind, self.span_id, Nanos::ZERO, record.duration_ns);
        span.parent_span_id = parent_span_id;
        span.set_error(record.outcome.otel_status(), record.error.as_ref());
        let (attributes, dropped) = capped_attributes(attributes, &record.attributes);
        span.attributes = attributes;
        span.dropped_attributes = dropped.saturating_add(record.diagnostics.dropped.attributes.unwrap_or(0));
        if dropped_spans > 0 {
            insert_count(&mut span.attributes, names::DROPPED_SPANS, dropped_spans);
        }
        moments.move_to(&mut span, None);
        span.dropped_events = moments.dropped().saturating_add(record.diagnostics.dropped.events.unwrap_or(0));
        (span.links, span.dropped_links) = capped_links(context.links);
        span
    }

    fn push_attempts(&self, moments: &mut Moments<'_>, spans: &mut Vec<Span>) {
        let record = self.record;
        let rendered = match self.layout.shape {
            Shape::Call => self.renderer().attempts(),
            Shape::Attempt => self.renderer().lone_attempts(),
        };
        let mut last_number = 0;
        for ((place, attempt), attributes) in (0..).zip(&record.attempts).zip(rendered).take(CHILDREN) {
            let child = if attempt.number > last_number {
                ChildSpan::Attempt(attempt.number)
            } else {
                ChildSpan::UnnumberedAttempt(place)
            };
            last_number = last_number.max(attempt.number);
            let span_id = child_span_id(self.trace_id, self.span_id, child);
            let mut span = self.attempt(attempt, attributes, span_id);
            if self.layout.shape == Shape::Attempt {
                moments.move_to(&mut span, Some(attempt.number));
            }
            spans.push(span);
        }
    }

    fn attempt(&self, attempt: &AttemptRecord, attributes: Attributes, span_id: SpanId) -> Span {
        let record = self.record;
        let (name, mut attributes, of_caller) = match self.layout.shape {
            Shape::Call => {
                let attributes = without_usage(attributes, &attempt.attributes, self.layout.profiles);
                let name = self.naming().map_or(names::ATTEMPT, Profile::attempt_span_name);
                (name.to_owned(), attributes, &attempt.attributes)
            }
            Shape::Attempt => {
                let name = self.naming().map(|profile| profile.lone_attempt_span_name(record, attempt));
                (or_default(name), attributes, &record.attributes)
            }
        };
        insert_flag(&mut attributes, names::HEDGED, attempt.hedged == Some(true));
        let role = Role::Attempt(attempt.number);
        let mut span = self.span(role, &name, self.kind(), span_id, attempt.start_ns, attempt.duration_ns);
        span.set_error(attempt.outcome.otel_status(), attempt.error.as_ref());
        (span.attributes, span.dropped_attributes) = capped_attributes(attributes, of_caller);
        span
    }

    fn wait(&self, place: u32, wait: &WaitRecord) -> Span {
        let name = replace(names::WAIT, "{reason}", wait.reason.as_str());
        let span_id = child_span_id(self.trace_id, self.span_id, ChildSpan::Wait(place));
        let mut span = self.span(Role::Wait, &name, SpanKind::Internal, span_id, wait.start_ns, wait.actual_delay_ns);
        span.attributes = inner_attributes(self.layout.profiles);
        span.attributes.extend(of_wait(wait));
        span
    }

    fn phase(&self, place: u32, phase: &PhaseRecord, nesting: &mut Nesting) -> Span {
        let name = if phase.name.is_empty() { names::PHASE } else { &phase.name };
        let span_id = child_span_id(self.trace_id, self.span_id, ChildSpan::Phase(place));
        let mut span = self.span(Role::Phase, name, SpanKind::Internal, span_id, phase.start_ns, phase.duration_ns);
        span.parent_span_id = Some(nesting.parent_of(phase, span_id));
        span.attributes = inner_attributes(self.layout.profiles);
        insert_flag(&mut span.attributes, names::LEFT_OPEN, phase.left_open);
        span
    }

    fn span(&self, role: Role, name: &str, kind: SpanKind, span_id: SpanId, start: Nanos, length: Nanos) -> Span {
        let end = start.saturating_add(length);
        Span {
            role,
            name: capped_name(name),
            kind,
            span_id,
            parent_span_id: Some(self.span_id),
            start_ns: start,
            end_ns: end,
            start_unix_ns: unix(self.start_unix_ns, start),
            end_unix_ns: unix(self.start_unix_ns, end),
            status: OtelStatus::Unset,
            status_message: None,
            error_type: None,
            attributes: Attributes::new(),
            dropped_attributes: 0,
            events: Vec::new(),
            dropped_events: 0,
            links: Vec::new(),
            dropped_links: 0,
        }
    }

    fn renderer(&self) -> Renderer<'_> {
        Renderer::new(self.record, self.layout.profiles).begun(self.start_unix_ns)
    }

    fn naming(&self) -> Option<&Profile> {
        self.layout.profiles.first().copied().or_else(|| Profile::by_name(Profile::DEFAULT).ok())
    }

    fn kind(&self) -> SpanKind {
        self.naming().map_or(SpanKind::Client, Profile::span_kind)
    }
}

impl Span {
    fn set_error(&mut self, status: OtelStatus, error: Option<&RecordError>) {
        self.status = status;
        if status == OtelStatus::Error {
            self.status_message = error.and_then(|error| error.message.as_deref()).map(capped_value);
            self.error_type = error.map(|error| capped_name(&error.error_type));
        }
    }
}

/// Spans beside that of the call.
const CHILDREN: usize = EXPORT_SPANS - 1;

/// A span always has a name.
fn or_default(name: Option<String>) -> String {
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| names::CALL.to_owned())
}
