//! Values of the engine as those of the OpenTelemetry API.

use core::time::Duration;
use std::time::SystemTime;

use llmspan_core::{
    names::SpanKind,
    record::{AttributeValue, Attributes, OtelStatus},
    spans::Span,
    time::UnixNanos,
};
use opentelemetry::{Array, KeyValue, StringValue, Value, trace};

/// `None` where the platform's wall clock cannot tell the time.
pub(super) fn time(at: UnixNanos) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(at.as_nanos()))
}

pub(super) fn attributes(attributes: Attributes) -> Vec<KeyValue> {
    attributes.into_iter().filter_map(|(key, value)| Some(KeyValue::new(key, self::value(value)?))).collect()
}

pub(super) fn kind(kind: SpanKind) -> trace::SpanKind {
    match kind {
        SpanKind::Client => trace::SpanKind::Client,
        _ => trace::SpanKind::Internal,
    }
}

pub(super) fn status(span: &mut Span) -> trace::Status {
    match span.status {
        OtelStatus::Error => trace::Status::error(span.status_message.take().unwrap_or_default()),
        _ => trace::Status::Unset,
    }
}

/// `None` for a kind of value that the API does not know.
fn value(value: AttributeValue) -> Option<Value> {
    Some(match value {
        AttributeValue::Bool(value) => value.into(),
        AttributeValue::Float(value) => value.into(),
        AttributeValue::Int(value) => value.into(),
        AttributeValue::Str(value) => value.into(),
        AttributeValue::StrList(values) => {
            Value::Array(Array::String(values.into_iter().map(StringValue::from).collect()))
        }
        _ => return None,
    })
}
