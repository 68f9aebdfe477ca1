//! What a caller decides about a tree of spans.

use super::{
    ids::{SpanId, TraceId},
    tree::Link,
};
use crate::{names::Profile, time::UnixNanos};

/// Which span of a call is the one that backends count as an LLM call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Shape {
    /// One GenAI span for the call, as OpenTelemetry asks for. The spans of the attempts have timing, status and
    /// `http.request.resend_count`, and neither token counts nor cost nor model.
    #[default]
    Call,
    /// A GenAI span for every attempt, as ares and qwen-code write them, each with its own model, tokens, cost and
    /// timing. The call's span is INTERNAL and has none of these.
    Attempt,
}

/// How the spans of a call are named and arranged.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Layout<'a> {
    /// Which span is the GenAI span.
    pub shape: Shape,
    /// The profiles that give names. The first one names the spans and gives their kind; attributes are those of all of
    /// them, the first one wins where two use one name. Without a profile spans are named as in [`Profile::DEFAULT`] and
    /// have no attributes of a profile.
    pub profiles: &'a [&'a Profile],
}

impl<'a> Layout<'a> {
    /// Makes a layout.
    pub fn new(shape: Shape, profiles: &'a [&'a Profile]) -> Self {
        Self { shape, profiles }
    }
}

/// What the record of a call may lack, and what it never says.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Context<'a> {
    /// Trace of the call, if the record names none.
    pub trace_id: Option<TraceId>,
    /// Span of the call, if the record names none.
    pub span_id: Option<SpanId>,
    /// Parent of the call's span, if the record names no trace of its own.
    pub parent_span_id: Option<SpanId>,
    /// Wall-clock start of the call, if the record has no anchor.
    pub start_unix_ns: Option<UnixNanos>,
    /// Trace flags of W3C Trace Context, bit 0 is "sampled". `None` for unknown.
    pub trace_flags: Option<u8>,
    /// `tracestate` of W3C Trace Context; empty for none. More than 512 bytes are not written: a cut list would be
    /// another list.
    pub trace_state: &'a str,
    /// Links of the call's span.
    pub links: &'a [Link],
}

impl<'a> Context<'a> {
    /// Sets the ids for a record that names none.
    pub fn with_ids(mut self, trace_id: TraceId, span_id: SpanId, parent_span_id: Option<SpanId>) -> Self {
        self.trace_id = Some(trace_id);
        self.span_id = Some(span_id);
        self.parent_span_id = parent_span_id;
        self
    }

    /// Sets a trace of its own for a record that names none: its id is the first 16 of these bytes, that of the span the 8
    /// after them. An id for which there are not enough bytes, or only zeros, stays unset.
    ///
    /// ```
    /// use llmspan_core::spans::{Context, SpanId, TraceId};
    ///
    /// let bytes: Vec<u8> = (1..=24).collect();
    /// let context = Context::default().with_random_ids(&bytes);
    /// assert_eq!(context.trace_id, TraceId::from_hex("0102030405060708090a0b0c0d0e0f10"));
    /// assert_eq!(context.span_id, SpanId::from_hex("1112131415161718"));
    /// assert_eq!(Context::default().with_random_ids(&bytes[..20]).span_id, None);
    /// ```
    pub fn with_random_ids(mut self, bytes: &[u8]) -> Self {
        self.trace_id = bytes.first_chunk().copied().and_then(TraceId::from_bytes);
        self.span_id = bytes.get(16..).and_then(<[u8]>::first_chunk).copied().and_then(SpanId::from_bytes);
        self
    }

    /// Sets the wall-clock start for a record without an anchor.
    pub fn with_start(mut self, at: UnixNanos) -> Self {
        self.start_unix_ns = Some(at);
        self
    }

    /// Sets the flags and the `tracestate` of the trace.
    pub fn with_trace(mut self, flags: u8, state: &'a str) -> Self {
        self.trace_flags = Some(flags);
        self.trace_state = state;
        self
    }

    /// Sets the links of the call's span.
    pub fn with_links(mut self, links: &'a [Link]) -> Self {
        self.links = links;
        self
    }
}
