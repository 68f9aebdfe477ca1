//! Records as spans of a tracer.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{collections::BTreeMap, sync::Arc};

use llmspan_core::{
    names::Profile,
    record::Record,
    spans::{self, Layout, Shape, SpanTree},
};
use opentelemetry::{
    Context,
    global::{self, BoxedTracer},
    trace::{
        Event, Link, Span as _, SpanBuilder, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId,
        TraceState, Tracer, TracerProvider,
    },
};

use super::{caller, scope, values};
use crate::sinks::Sink;

/// Writes the spans of every finished call to a tracer, with the times, parents and attributes that they had.
///
/// The spans are those of [`SpanTree`]: the call, and below it its attempts, waits and phases. Clones share the tracer and
/// the counts. See the [module](super) for ids, sampling and what a call costs.
pub struct Spans<T = BoxedTracer> {
    tracer: Arc<T>,
    shape: Shape,
    profiles: Vec<&'static Profile>,
    counts: Arc<Counts>,
}

/// What became of the records that a [`Spans`] took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SpansStats {
    /// Records whose call is a span that the tracer records. Exporting it is up to the SDK.
    pub exported: u64,
    /// Records whose call the tracer did not record: it is not sampled, telemetry is suppressed where the call began, the
    /// provider is shut down, or there is none.
    pub not_recorded: u64,
    /// Records without an absolute time, and so without spans: the clock of the recorder has no wall-clock time.
    pub without_clock: u64,
}

impl Spans {
    /// Writes to the tracer of the global provider. Set that one first: what comes later is not seen.
    pub fn global() -> Self {
        Self::new(global::tracer_with_scope(scope()))
    }
}

impl<T: Tracer> Spans<T> {
    /// Writes to a tracer: one span tree for each call, under the names of [`Profile::DEFAULT`].
    pub fn new(tracer: T) -> Self {
        let profiles = Profile::by_name(Profile::DEFAULT).into_iter().collect();
        Self { tracer: Arc::new(tracer), shape: Shape::Call, profiles, counts: Arc::default() }
    }

    /// Writes to a tracer of that provider.
    pub fn of_provider(provider: &impl TracerProvider<Tracer = T>) -> Self {
        Self::new(provider.tracer_with_scope(scope()))
    }
}

impl<T> Spans<T> {
    /// Sets which spans are those that backends count as LLM calls. Default: [`Shape::Call`].
    pub fn with_shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Sets the names that are written, of all given profiles at once. The first one names the spans and gives their kind,
    /// and wins where two use one name.
    pub fn with_profiles(mut self, profiles: &[&'static Profile]) -> Self {
        self.profiles = profiles.to_vec();
        self
    }

    /// What became of the records so far.
    pub fn stats(&self) -> SpansStats {
        SpansStats {
            exported: self.counts.exported.load(Ordering::Relaxed),
            not_recorded: self.counts.not_recorded.load(Ordering::Relaxed),
            without_clock: self.counts.without_clock.load(Ordering::Relaxed),
        }
    }
}

impl<T> Spans<T> {
    /// The tree of a record. Its ids only tell which span is below which: those that are exported are the SDK's.
    fn tree(&self, record: &Record) -> Option<SpanTree> {
        let trace_id = spans::TraceId::from_bytes([1; 16])?;
        let span_id = spans::SpanId::from_bytes([1; 8])?;
        let context = spans::Context::default().with_ids(trace_id, span_id, None);
        SpanTree::new(record, &Layout::new(self.shape, &self.profiles), &context)
    }
}

impl<T: Tracer> Spans<T> {
    /// Writes a tree, below whatever span the context has; tells whether the tracer records the call.
    fn write(&self, tree: SpanTree, context: &Context) -> bool {
        let mut contexts: BTreeMap<spans::SpanId, Context> = BTreeMap::new();
        let mut open = Vec::with_capacity(tree.spans.len());
        for mut span in tree.spans {
            let Some((start, end)) =
                span.start_unix_ns.and_then(values::time).zip(span.end_unix_ns.and_then(values::time))
            else {
                continue;
            };
            let parent = span.parent_span_id.and_then(|id| contexts.get(&id)).unwrap_or(context);
            let status = values::status(&mut span);
            let id = span.span_id;
            let mut started = self.tracer.build_with_context(builder(span).with_start_time(start), parent);
            contexts.insert(id, context.with_remote_span_context(started.span_context().clone()));
            started.set_status(status);
            open.push((started, end));
        }
        let is_recorded = open.first().is_some_and(|(call, _)| call.is_recording());
        // A span ends before the one around it.
        for (mut span, end) in open.into_iter().rev() {
            span.end_with_timestamp(end);
        }
        is_recorded
    }
}

impl<T: Tracer + Send + Sync> Sink for Spans<T> {
    fn record(&self, record: &Record) {
        if record.start_unix_ns.is_none() {
            self.counts.without_clock.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Some(tree) = self.tree(record) else { return };
        let is_recorded = self.write(tree, &caller::parent_of(record, &Context::current()));
        let count = if is_recorded { &self.counts.exported } else { &self.counts.not_recorded };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl<T> Clone for Spans<T> {
    fn clone(&self) -> Self {
        let Self { tracer, shape, profiles, counts } = self;
        Self { tracer: Arc::clone(tracer), shape: *shape, profiles: profiles.clone(), counts: Arc::clone(counts) }
    }
}

impl<T> fmt::Debug for Spans<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans")
            .field("shape", &self.shape)
            .field("profiles", &self.profiles.iter().map(|profile| profile.name()).collect::<Vec<_>>())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Counts {
    exported: AtomicU64,
    not_recorded: AtomicU64,
    without_clock: AtomicU64,
}

fn builder(span: spans::Span) -> SpanBuilder {
    let events = span.events.into_iter().filter_map(|event| {
        let at = event.at_unix_ns.and_then(values::time)?;
        Some(Event::new(event.name, at, values::attributes(event.attributes), 0))
    });
    let links = span.links.into_iter().map(|link| {
        let trace_id = TraceId::from_bytes(*link.trace_id.as_bytes());
        let span_id = SpanId::from_bytes(*link.span_id.as_bytes());
        let context = SpanContext::new(trace_id, span_id, TraceFlags::default(), false, TraceState::NONE);
        Link::new(context, values::attributes(link.attributes), 0)
    });
    SpanBuilder::from_name(span.name)
        .with_kind(values::kind(span.kind))
        .with_attributes(values::attributes(span.attributes))
        .with_events(events.collect())
        .with_links(links.collect())
}
