//! Span trees as the types that are generated from OTLP's own definition.

use llmspan_core::{
    names::SpanKind,
    otlp::Resource,
    record::{AttributeValue, Attributes, OtelStatus},
    spans::SpanTree,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource as ProtoResource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span},
};

pub(crate) fn traces(
    trees: &[SpanTree],
    resource: &Resource,
    scope: &InstrumentationScope,
) -> ExportTraceServiceRequest {
    let mut request = ExportTraceServiceRequest::default();
    let spans: Vec<Span> = trees.iter().flat_map(spans).collect();
    if !spans.is_empty() {
        let kept: Attributes =
            resource.attributes.iter().filter(|(key, value)| can_be_sent(key, value)).map(owned).collect();
        request.resource_spans.push(ResourceSpans {
            resource: Some(ProtoResource {
                dropped_attributes_count: u32::try_from(resource.attributes.len() - kept.len()).unwrap(),
                attributes: attributes(&kept),
                ..ProtoResource::default()
            }),
            scope_spans: vec![ScopeSpans { scope: Some(scope.clone()), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        });
    }
    request
}

pub(crate) fn attributes(attributes: &Attributes) -> Vec<KeyValue> {
    attributes
        .iter()
        .map(|(key, value)| KeyValue {
            key: key.clone(),
            value: Some(AnyValue {
                value: Some(match value {
                    AttributeValue::Bool(flag) => Value::BoolValue(*flag),
                    AttributeValue::Int(number) => Value::IntValue(*number),
                    AttributeValue::Float(number) => Value::DoubleValue(*number),
                    AttributeValue::Str(text) => Value::StringValue(text.clone()),
                    AttributeValue::StrList(texts) => list(texts.iter().cloned()),
                    _ => unreachable!("a new kind of value"),
                }),
            }),
            ..KeyValue::default()
        })
        .collect()
}

pub(crate) fn list(texts: impl IntoIterator<Item = String>) -> Value {
    let values = texts.into_iter().map(|text| AnyValue { value: Some(Value::StringValue(text)) }).collect();
    Value::ArrayValue(ArrayValue { values })
}

fn spans(tree: &SpanTree) -> Vec<Span> {
    let one = |span: &llmspan_core::spans::Span| Span {
        trace_id: tree.trace_id.as_bytes().to_vec(),
        span_id: span.span_id.as_bytes().to_vec(),
        trace_state: tree.trace_state.clone(),
        parent_span_id: span.parent_span_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        flags: tree.trace_flags.map(u32::from).unwrap_or_default(),
        name: span.name.clone(),
        kind: match span.kind {
            SpanKind::Client => span::SpanKind::Client,
            _ => span::SpanKind::Internal,
        }
        .into(),
        start_time_unix_nano: span.start_unix_ns.unwrap().as_nanos(),
        end_time_unix_nano: span.end_unix_ns.unwrap().as_nanos(),
        attributes: attributes(&span.attributes),
        dropped_attributes_count: u32::try_from(span.dropped_attributes).unwrap(),
        events: span
            .events
            .iter()
            .map(|event| span::Event {
                time_unix_nano: event.at_unix_ns.unwrap().as_nanos(),
                name: event.name.to_string(),
                attributes: attributes(&event.attributes),
                dropped_attributes_count: 0,
            })
            .collect(),
        dropped_events_count: u32::try_from(span.dropped_events).unwrap(),
        links: span
            .links
            .iter()
            .map(|link| span::Link {
                trace_id: link.trace_id.as_bytes().to_vec(),
                span_id: link.span_id.as_bytes().to_vec(),
                attributes: attributes(&link.attributes),
                ..span::Link::default()
            })
            .collect(),
        dropped_links_count: u32::try_from(span.dropped_links).unwrap(),
        status: (span.status == OtelStatus::Error)
            .then(|| Status { message: span.status_message.clone().unwrap_or_default(), code: 2 }),
    };
    tree.spans.iter().map(one).collect()
}

fn can_be_sent(key: &str, value: &AttributeValue) -> bool {
    !key.is_empty() && key.len() <= 256 && !matches!(value, AttributeValue::Float(number) if !number.is_finite())
}

fn owned((key, value): (&String, &AttributeValue)) -> (String, AttributeValue) {
    (key.clone(), value.clone())
}
