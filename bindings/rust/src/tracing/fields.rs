//! Which values a span has, under which names. Names and values are those of one profile.

use llmspan_core::{
    names::{Profile, SpanKind, Value, attempt_attributes, call_attributes},
    record::{AttributeValue, Attributes, OtelStatus, Record},
};

/// What a span of a call has from its start.
pub(super) const CALL_START: &[Value] = &[Value::TaskId, Value::RequestModel, Value::ToolCount, Value::MessageCount];

/// What a span of a call has at its end. Tokens are left to the attempts, because backends add up every span that has them.
pub(super) const CALL_END: &[Value] = &[Value::AttemptIndex, Value::FirstFinishReason, Value::ErrorType];

/// What a span of an attempt has from its start.
pub(super) const ATTEMPT_START: &[Value] =
    &[Value::TaskId, Value::RequestModel, Value::AttemptIndex, Value::ToolCount, Value::MessageCount];

/// What a span of an attempt has at its end.
pub(super) const ATTEMPT_END: &[Value] = &[
    Value::InputTokens,
    Value::OutputTokens,
    Value::CacheReadTokens,
    Value::CacheWriteTokens,
    Value::Duration,
    Value::FirstFinishReason,
    Value::ErrorType,
];

/// Fields that `tracing-opentelemetry` reads and does not pass on.
pub(super) const OTEL_KIND: &str = "otel.kind";
pub(super) const OTEL_STATUS_CODE: &str = "otel.status_code";

/// Fields with their values, absent ones left out.
pub(super) type Values = Vec<(&'static str, AttributeValue)>;

/// What a span is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    Attempt,
    Call,
}

/// The profile that the fields are named after; its convention is a span per attempt.
pub(super) fn profile() -> Option<&'static Profile> {
    Profile::by_name("ares").ok()
}

/// All fields that a span may get.
pub(super) fn names(profile: &'static Profile, subject: Subject) -> Vec<&'static str> {
    let (start, end) = match subject {
        Subject::Attempt => (ATTEMPT_START, ATTEMPT_END),
        Subject::Call => (CALL_START, CALL_END),
    };
    let named = start.iter().chain(end).filter_map(|value| name(profile, subject, *value));
    named.chain([OTEL_KIND, OTEL_STATUS_CODE]).collect()
}

/// Fields of the call's span.
pub(super) fn of_call(profile: &'static Profile, record: &Record, values: &[Value]) -> Values {
    pick(profile, Subject::Call, call_attributes(record, &[profile]), values)
}

/// Fields of the spans of all attempts of the record, in its order.
pub(super) fn of_attempts(profile: &'static Profile, record: &Record, values: &[Value]) -> Vec<Values> {
    let attempts = attempt_attributes(record, &[profile]).into_iter();
    attempts.map(|attributes| pick(profile, Subject::Attempt, attributes, values)).collect()
}

pub(super) fn kind(profile: &'static Profile) -> (&'static str, AttributeValue) {
    let kind = match profile.span_kind() {
        SpanKind::Client => "client",
        _ => "internal",
    };
    (OTEL_KIND, kind.into())
}

pub(super) fn status(status: OtelStatus) -> Option<(&'static str, AttributeValue)> {
    (status == OtelStatus::Error).then(|| (OTEL_STATUS_CODE, "ERROR".into()))
}

fn pick(profile: &'static Profile, subject: Subject, mut attributes: Attributes, values: &[Value]) -> Values {
    let named = values.iter().filter_map(|value| name(profile, subject, *value));
    named.filter_map(|name| attributes.remove(name).map(|value| (name, value))).collect()
}

fn name(profile: &'static Profile, subject: Subject, value: Value) -> Option<&'static str> {
    match subject {
        Subject::Attempt => profile.attempt_name(value),
        Subject::Call => profile.call_name(value),
    }
}
