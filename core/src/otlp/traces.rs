//! The messages of `opentelemetry/proto/trace/v1` and `collector/trace/v1`.

use alloc::vec::Vec;
use core::borrow::Borrow;

#[cfg(feature = "protobuf")]
use super::protobuf::Protobuf;
use super::{
    common::{Resource, write_attributes, write_resource, write_scope},
    json::Json,
    writer::{Field, Writer},
};
use crate::{
    names::SpanKind,
    record::OtelStatus,
    spans::{Event, Link, Span, SpanTree},
};

/// Appends an `ExportTraceServiceRequest` in protobuf, and gives the number of spans in it.
///
/// Trees without a wall-clock start are left out: the protocol has no place for a span without a time. A request without
/// spans has no bytes, which is a valid message.
#[cfg(feature = "protobuf")]
pub fn traces_to_protobuf<I>(trees: I, resource: &Resource, out: &mut Vec<u8>) -> usize
where
    I: IntoIterator<Item: Borrow<SpanTree>>,
{
    let mut spans = 0;
    Protobuf::root(out, |w| spans = write_request(w, trees.into_iter(), resource));
    spans
}

/// Appends an `ExportTraceServiceRequest` in JSON, as [`traces_to_protobuf`] does in protobuf. A request without spans is
/// `{"resourceSpans":[]}`.
pub fn traces_to_json<I>(trees: I, resource: &Resource, out: &mut Vec<u8>) -> usize
where
    I: IntoIterator<Item: Borrow<SpanTree>>,
{
    let mut spans = 0;
    Json::root(out, |w| spans = write_request(w, trees.into_iter(), resource));
    spans
}

fn write_request<W: Writer>(w: &mut W, trees: impl Iterator<Item: Borrow<SpanTree>>, resource: &Resource) -> usize {
    const RESOURCE_SPANS: Field = Field::new(1, "resourceSpans");
    const SCOPE_SPANS: Field = Field::new(2, "scopeSpans");
    let mut written = 0_usize;
    let mut trees = trees.filter(|tree| tree.borrow().start_unix_ns.is_some()).peekable();
    w.list(RESOURCE_SPANS, |w| {
        if trees.peek().is_none() {
            return;
        }
        w.item(RESOURCE_SPANS, |w| {
            write_resource(w, Field::new(1, "resource"), resource);
            w.list(SCOPE_SPANS, |w| w.item(SCOPE_SPANS, |w| written = write_scope_spans(w, trees)));
        });
    });
    written
}

fn write_scope_spans<W: Writer>(w: &mut W, trees: impl Iterator<Item: Borrow<SpanTree>>) -> usize {
    const SPANS: Field = Field::new(2, "spans");
    let mut written = 0_usize;
    write_scope(w, Field::new(1, "scope"));
    w.list(SPANS, |w| {
        for tree in trees {
            let tree = tree.borrow();
            for span in &tree.spans {
                w.item(SPANS, |w| write_span(w, tree, span));
            }
            written = written.saturating_add(tree.spans.len());
        }
    });
    written
}

fn write_span<W: Writer>(w: &mut W, tree: &SpanTree, span: &Span) {
    w.id(Field::new(1, "traceId"), tree.trace_id.as_bytes());
    w.id(Field::new(2, "spanId"), span.span_id.as_bytes());
    w.some_text(Field::new(3, "traceState"), &tree.trace_state);
    if let Some(parent) = &span.parent_span_id {
        w.id(Field::new(4, "parentSpanId"), parent.as_bytes());
    }
    w.some_text(Field::new(5, "name"), &span.name);
    w.uint32(
        Field::new(6, "kind"),
        match span.kind {
            SpanKind::Internal => 1,
            SpanKind::Client => 3,
        },
    );
    w.time(Field::new(7, "startTimeUnixNano"), span.start_unix_ns);
    w.time(Field::new(8, "endTimeUnixNano"), span.end_unix_ns);
    write_attributes(w, Field::new(9, "attributes"), &span.attributes);
    w.count(Field::new(10, "droppedAttributesCount"), span.dropped_attributes);
    write_list(w, Field::new(11, "events"), &span.events, write_event);
    w.count(Field::new(12, "droppedEventsCount"), span.dropped_events);
    write_list(w, Field::new(13, "links"), &span.links, write_link);
    w.count(Field::new(14, "droppedLinksCount"), span.dropped_links);
    if span.status == OtelStatus::Error {
        w.message(Field::new(15, "status"), |w| {
            w.some_text(Field::new(2, "message"), span.status_message.as_deref().unwrap_or_default());
            w.uint32(Field::new(3, "code"), STATUS_CODE_ERROR);
        });
    }
    w.flags(Field::new(16, "flags"), tree.trace_flags);
}

fn write_list<W: Writer, T>(w: &mut W, field: Field, items: &[T], write: impl Fn(&mut W, &T)) {
    if !items.is_empty() {
        w.list(field, |w| items.iter().for_each(|item| w.item(field, |w| write(w, item))));
    }
}

fn write_event<W: Writer>(w: &mut W, event: &Event) {
    w.time(Field::new(1, "timeUnixNano"), event.at_unix_ns);
    w.some_text(Field::new(2, "name"), &event.name);
    write_attributes(w, Field::new(3, "attributes"), &event.attributes);
}

fn write_link<W: Writer>(w: &mut W, link: &Link) {
    w.id(Field::new(1, "traceId"), link.trace_id.as_bytes());
    w.id(Field::new(2, "spanId"), link.span_id.as_bytes());
    write_attributes(w, Field::new(4, "attributes"), &link.attributes);
}

const STATUS_CODE_ERROR: u32 = 2;
