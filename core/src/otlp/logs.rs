//! The GenAI events, as messages of `opentelemetry/proto/logs/v1` and `collector/logs/v1`.

use alloc::vec::Vec;
use core::borrow::Borrow;

#[cfg(feature = "protobuf")]
use super::protobuf::Protobuf;
use super::{
    common::{Resource, write_attribute, write_attributes, write_resource, write_scope},
    json::Json,
    writer::{Field, Writer},
};
use crate::{
    record::AttributeValue,
    spans::{
        Span, SpanTree,
        generated::{EXCEPTION_MESSAGE, EXCEPTION_TYPE, LOG_DETAILS, LOG_EXCEPTION},
    },
};

/// Which GenAI events are written for the GenAI spans of a call.
///
/// An event has the time of the end of its span, and its ids. `gen_ai.evaluation.result` is not among them: judging an
/// answer needs the answer, and the engine keeps none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum LogEvents {
    /// `gen_ai.client.operation.exception` (WARN) for each GenAI span that ended in an error, with `exception.type` and,
    /// where messages are kept, `exception.message`.
    #[default]
    Exceptions,
    /// Also `gen_ai.client.inference.operation.details` (DEBUG, opt-in) for each GenAI span, with its attributes.
    ExceptionsAndDetails,
}

/// Appends an `ExportLogsServiceRequest` in protobuf, and gives the number of log records in it.
///
/// Trees without a wall-clock start are left out. A request without log records has no bytes, which is a valid message.
#[cfg(feature = "protobuf")]
pub fn logs_to_protobuf<I>(trees: I, events: LogEvents, resource: &Resource, out: &mut Vec<u8>) -> usize
where
    I: IntoIterator<Item: Borrow<SpanTree>>,
{
    let mut records = 0;
    Protobuf::root(out, |w| records = write_request(w, trees.into_iter(), events, resource));
    records
}

/// Appends an `ExportLogsServiceRequest` in JSON, as [`logs_to_protobuf`] does in protobuf. A request without log records
/// is `{"resourceLogs":[]}`.
pub fn logs_to_json<I>(trees: I, events: LogEvents, resource: &Resource, out: &mut Vec<u8>) -> usize
where
    I: IntoIterator<Item: Borrow<SpanTree>>,
{
    let mut records = 0;
    Json::root(out, |w| records = write_request(w, trees.into_iter(), events, resource));
    records
}

fn write_request<W: Writer>(
    w: &mut W,
    trees: impl Iterator<Item: Borrow<SpanTree>>,
    events: LogEvents,
    resource: &Resource,
) -> usize {
    const RESOURCE_LOGS: Field = Field::new(1, "resourceLogs");
    const SCOPE_LOGS: Field = Field::new(2, "scopeLogs");
    const LOG_RECORDS: Field = Field::new(2, "logRecords");
    let mut written = 0_usize;
    let mut trees = trees.filter(|tree| has_events(tree.borrow(), events)).peekable();
    w.list(RESOURCE_LOGS, |w| {
        if trees.peek().is_none() {
            return;
        }
        w.item(RESOURCE_LOGS, |w| {
            write_resource(w, Field::new(1, "resource"), resource);
            w.list(SCOPE_LOGS, |w| {
                w.item(SCOPE_LOGS, |w| {
                    write_scope(w, Field::new(1, "scope"));
                    w.list(LOG_RECORDS, |w| {
                        for tree in trees {
                            let tree = tree.borrow();
                            for (span, event) in events_of(tree, events) {
                                w.item(LOG_RECORDS, |w| write_log_record(w, tree, span, event));
                                written = written.saturating_add(1);
                            }
                        }
                    });
                });
            });
        });
    });
    written
}

fn has_events(tree: &SpanTree, events: LogEvents) -> bool {
    tree.start_unix_ns.is_some() && events_of(tree, events).next().is_some()
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LogEvent {
    Details,
    Exception,
}

/// The events of a tree in the order of its spans.
fn events_of(tree: &SpanTree, events: LogEvents) -> impl Iterator<Item = (&Span, LogEvent)> {
    let details = (events == LogEvents::ExceptionsAndDetails).then_some(LogEvent::Details);
    tree.gen_ai_spans().flat_map(move |span| {
        let exception = span.error_type.is_some().then_some(LogEvent::Exception);
        [details, exception].into_iter().flatten().map(move |event| (span, event))
    })
}

fn write_log_record<W: Writer>(w: &mut W, tree: &SpanTree, span: &Span, event: LogEvent) {
    const ATTRIBUTES: Field = Field::new(6, "attributes");
    let (name, severity, severity_text) = match event {
        LogEvent::Details => (LOG_DETAILS, 5, "DEBUG"),
        LogEvent::Exception => (LOG_EXCEPTION, 13, "WARN"),
    };
    w.time(Field::new(1, "timeUnixNano"), span.end_unix_ns);
    w.uint32(Field::new(2, "severityNumber"), severity);
    w.text(Field::new(3, "severityText"), severity_text);
    match event {
        LogEvent::Details => {
            write_attributes(w, ATTRIBUTES, &span.attributes);
            w.count(Field::new(7, "droppedAttributesCount"), span.dropped_attributes);
        }
        LogEvent::Exception => w.list(ATTRIBUTES, |w| {
            for (key, text) in [(EXCEPTION_TYPE, &span.error_type), (EXCEPTION_MESSAGE, &span.status_message)] {
                if let Some(text) = text {
                    write_attribute(w, ATTRIBUTES, key, &AttributeValue::Str(text.clone()));
                }
            }
        }),
    }
    w.flags(Field::new(8, "flags"), tree.trace_flags);
    w.id(Field::new(9, "traceId"), tree.trace_id.as_bytes());
    w.id(Field::new(10, "spanId"), span.span_id.as_bytes());
    // Nobody observes the event later than it is made: there is no clock here.
    w.time(Field::new(11, "observedTimeUnixNano"), span.end_unix_ns);
    w.text(Field::new(12, "eventName"), name);
}
