//! Who made a call: the OpenTelemetry context in which it began.

use llmspan_core::{machine::CallStart, record::Record, spans};
use opentelemetry::{
    Context, ContextGuard,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};

/// The context that was current when a call began, without hold on its span: a span may end when its last context goes, and
/// an open call must not keep it from that.
#[derive(Debug, Default)]
pub(crate) struct Caller {
    context: Context,
}

impl Caller {
    /// Takes note of the current context.
    pub(crate) fn current() -> Self {
        Self { context: Context::map_current(without_hold) }
    }

    /// Makes the current span the parent of a call, unless the call comes with ids of its own.
    pub(crate) fn adopt(&self, start: &mut CallStart) {
        let span = self.context.span();
        let span = span.span_context();
        let has_ids = start.trace_id.is_some() || start.span_id.is_some() || start.parent_span_id.is_some();
        if span.is_valid() && !has_ids {
            start.trace_id = Some(span.trace_id().to_string().into());
            start.parent_span_id = Some(span.span_id().to_string().into());
        }
    }

    /// Makes the context current on this thread, for the sinks, until the guard is dropped.
    pub(crate) fn enter(&self) -> ContextGuard {
        self.context.clone().attach()
    }
}

/// The context to begin the span of a call in, given the context that is current.
///
/// A record tells ids, not whether the trace is sampled. The current context does, where it is of the same trace; else the
/// trace of a caller who asks for it by its ids counts as sampled.
pub(super) fn parent_of(record: &Record, current: &Context) -> Context {
    let Some((trace_id, span_id)) = ids_of_parent(record) else {
        return root(current);
    };
    let active = current.span();
    let active = active.span_context();
    if active.trace_id() == trace_id && active.span_id() == span_id {
        return current.clone();
    }
    let (flags, state) = if active.is_valid() && active.trace_id() == trace_id {
        (active.trace_flags(), active.trace_state().clone())
    } else {
        (TraceFlags::SAMPLED, TraceState::NONE)
    };
    current.with_remote_span_context(SpanContext::new(trace_id, span_id, flags, false, state))
}

/// The span that a call is made in, else the span that the call says it is: the API gives no span an id of the caller's
/// choice, so below that span is as near as it gets.
fn ids_of_parent(record: &Record) -> Option<(TraceId, SpanId)> {
    let trace_id = spans::TraceId::from_hex(record.trace_id.as_deref()?)?;
    let of_span = |digits: &Option<String>| digits.as_deref().and_then(spans::SpanId::from_hex);
    let span_id = of_span(&record.parent_span_id).or_else(|| of_span(&record.span_id))?;
    Some((TraceId::from_bytes(*trace_id.as_bytes()), SpanId::from_bytes(*span_id.as_bytes())))
}

/// The context without its span. Samplers take a span without valid ids for a parent that is not sampled.
fn root(context: &Context) -> Context {
    match (context.has_active_span(), context.is_telemetry_suppressed()) {
        (false, _) => context.clone(),
        (true, false) => Context::new(),
        (true, true) => Context::new().with_telemetry_suppressed(),
    }
}

fn without_hold(context: &Context) -> Context {
    let span = context.span().span_context().clone();
    if span.is_valid() { context.with_remote_span_context(span) } else { root(context) }
}
