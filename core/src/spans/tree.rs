//! A tree of spans as plain data.

use alloc::{borrow::Cow, string::String, vec::Vec};

use super::{
    ids::{SpanId, TraceId},
    layout::Shape,
};
use crate::{
    names::SpanKind,
    record::{Attributes, OtelStatus},
    time::{Nanos, UnixNanos},
};

/// The spans of one call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpanTree {
    /// The trace that all spans belong to.
    pub trace_id: TraceId,
    /// Trace flags of W3C Trace Context; `None` for unknown.
    pub trace_flags: Option<u8>,
    /// `tracestate` of W3C Trace Context; empty for none.
    pub trace_state: String,
    /// Wall-clock start of the call; `None` without an anchor.
    pub start_unix_ns: Option<UnixNanos>,
    /// Which spans are the GenAI spans.
    pub shape: Shape,
    /// The spans: the call's first, then attempts, waits and phases; a parent before its children.
    pub spans: Vec<Span>,
    /// Attempts, waits and phases without a span, because the record or the tree was at its cap.
    pub dropped_spans: u64,
}

/// One span.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Span {
    /// What the span stands for.
    pub role: Role,
    /// Name of the span.
    pub name: String,
    /// Kind of the span.
    pub kind: SpanKind,
    /// Id of the span.
    pub span_id: SpanId,
    /// The span above; of the call's span the one that the call was made in, or `None` for a root.
    pub parent_span_id: Option<SpanId>,
    /// Start, from the start of the call.
    pub start_ns: Nanos,
    /// End, from the start of the call; never before the start.
    pub end_ns: Nanos,
    /// Wall-clock start; `None` without an anchor.
    pub start_unix_ns: Option<UnixNanos>,
    /// Wall-clock end; `None` without an anchor.
    pub end_unix_ns: Option<UnixNanos>,
    /// ERROR for errors and timeouts, else UNSET.
    pub status: OtelStatus,
    /// Text of the error; `None` unless the configuration of the call asked for messages.
    pub status_message: Option<String>,
    /// Low-cardinality class of the error, whatever name the profiles have for it; `None` without an error.
    pub error_type: Option<String>,
    /// Attributes in the order of their keys.
    pub attributes: Attributes,
    /// Attributes left out past a cap.
    pub dropped_attributes: u64,
    /// Moments on the span, in time order.
    pub events: Vec<Event>,
    /// Moments left out past a cap.
    pub dropped_events: u64,
    /// Spans of other traces, or other spans of this one, that have to do with this one.
    pub links: Vec<Link>,
    /// Links left out past a cap.
    pub dropped_links: u64,
}

/// What a [`Span`] stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// The call.
    Call,
    /// The attempt with this number.
    Attempt(u32),
    /// A wait.
    Wait,
    /// A phase.
    Phase,
}

/// A moment on a [`Span`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub name: Cow<'static, str>,
    /// When, from the start of the call.
    pub at_ns: Nanos,
    /// Wall-clock time; `None` without an anchor.
    pub at_unix_ns: Option<UnixNanos>,
    /// Attributes in the order of their keys.
    pub attributes: Attributes,
}

/// A span that has to do with another one without being above it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Link {
    /// Trace of the linked span.
    pub trace_id: TraceId,
    /// Id of the linked span.
    pub span_id: SpanId,
    /// Attributes of the link.
    pub attributes: Attributes,
}

impl Link {
    /// Makes a link without attributes.
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self { trace_id, span_id, attributes: Attributes::new() }
    }
}

impl SpanTree {
    /// The spans that backends count as LLM calls: the call's, or those of the attempts.
    pub fn gen_ai_spans(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(|span| match self.shape {
            Shape::Call => span.role == Role::Call,
            Shape::Attempt => matches!(span.role, Role::Attempt(_)),
        })
    }
}
