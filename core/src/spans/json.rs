//! Spans as JSON, for hosts that write them with a tracer of their own language.

use alloc::{
    boxed::Box,
    string::{String, ToString as _},
    vec::Vec,
};

use serde::Serialize;

use super::{
    ids::{SpanId, TraceId},
    layout::{Context, Layout},
    tree::{Event, Link, Role, Span, SpanTree},
};
use crate::{
    machine::CallStart,
    names::SpanKind,
    record::{Attributes, OtelStatus, Record},
    time::{Nanos, UnixNanos},
};

impl SpanTree {
    /// Writes the spans as a JSON array: the call's first, a parent before its children. What is absent has no key.
    ///
    /// | key | what it is |
    /// |---|---|
    /// | `role`, `attempt` | `call`, `attempt` (with its number), `wait` or `phase` |
    /// | `name`, `kind` | the name; `client` or `internal` |
    /// | `trace_id`, `span_id`, `parent_span_id` | hex digits |
    /// | `start_ns`, `end_ns` | from the start of the call |
    /// | `start_unix_ns`, `end_unix_ns` | wall-clock time, as decimal text |
    /// | `status`, `status_message`, `error_type` | `ERROR` or `UNSET`, and why |
    /// | `attributes` | by name |
    /// | `events` | `name`, `at_ns`, `at_unix_ns` and `attributes` of each |
    /// | `links` | `trace_id`, `span_id` and `attributes` of each; absent without links |
    pub fn to_json(&self) -> String {
        let trace_id = self.trace_id.to_string();
        let spans: Vec<_> = self.spans.iter().map(|span| SpanData::new(&trace_id, span)).collect();
        // Nothing in a span can fail to serialize: keys are strings, and floats are finite.
        serde_json::to_string(&spans).unwrap_or_default()
    }

    /// Writes what is known of the call's span when the call begins, for tracers that start it there: an object with `name`,
    /// `kind` and those `attributes` that follow from what the caller says.
    pub fn opening_json(start: &CallStart, layout: &Layout<'_>) -> String {
        // A call has an operation also where nobody says which.
        let nothing = Self::alone(&Record { operation: Some(String::from("-")), ..Record::default() }, layout);
        let Some(mut call) = Self::alone(&begun(start), layout) else { return String::new() };
        // What a call without a start has too would be said of its end.
        if let Some(nothing) = nothing {
            call.attributes.retain(|name, value| nothing.attributes.get(name) != Some(value));
        }
        let opening = OpeningData { name: &call.name, kind: kind(call.kind), attributes: &call.attributes };
        serde_json::to_string(&opening).unwrap_or_default()
    }

    /// The span of a call, with ids that mean nothing.
    fn alone(record: &Record, layout: &Layout<'_>) -> Option<Span> {
        let ids = TraceId::from_bytes([1; 16])?;
        let context = Context::default().with_ids(ids, SpanId::from_bytes([1; 8])?, None);
        Self::new(record, layout, &context)?.spans.into_iter().next()
    }
}

/// The record of a call of which only the start is known.
fn begun(start: &CallStart) -> Record {
    let text = |text: &Option<Box<str>>| text.as_deref().map(String::from);
    Record {
        operation: text(&start.operation),
        provider: text(&start.provider),
        model: text(&start.model),
        stream: start.stream.unwrap_or_default(),
        request: start.request.as_deref().cloned().unwrap_or_default(),
        attributes: start.attributes.clone(),
        ..Record::default()
    }
}

#[derive(Serialize)]
struct OpeningData<'a> {
    name: &'a str,
    kind: &'static str,
    attributes: &'a Attributes,
}

#[derive(Serialize)]
struct SpanData<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    name: &'a str,
    kind: &'static str,
    trace_id: &'a str,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    start_ns: Nanos,
    end_ns: Nanos,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_unix_ns: Option<UnixNanos>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_unix_ns: Option<UnixNanos>,
    status: OtelStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'a str>,
    attributes: &'a Attributes,
    events: Vec<EventData<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<LinkData<'a>>,
}

impl<'a> SpanData<'a> {
    fn new(trace_id: &'a str, span: &'a Span) -> Self {
        let (role, attempt) = match span.role {
            Role::Call => ("call", None),
            Role::Attempt(number) => ("attempt", Some(number)),
            Role::Wait => ("wait", None),
            Role::Phase => ("phase", None),
        };
        Self {
            role,
            attempt,
            name: &span.name,
            kind: kind(span.kind),
            trace_id,
            span_id: span.span_id.to_string(),
            parent_span_id: span.parent_span_id.map(|id| id.to_string()),
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            start_unix_ns: span.start_unix_ns,
            end_unix_ns: span.end_unix_ns,
            status: span.status,
            status_message: span.status_message.as_deref(),
            error_type: span.error_type.as_deref(),
            attributes: &span.attributes,
            events: span.events.iter().map(EventData::new).collect(),
            links: span.links.iter().map(LinkData::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct EventData<'a> {
    name: &'a str,
    at_ns: Nanos,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_unix_ns: Option<UnixNanos>,
    attributes: &'a Attributes,
}

impl<'a> EventData<'a> {
    fn new(event: &'a Event) -> Self {
        let Event { name, at_ns, at_unix_ns, attributes } = event;
        Self { name, at_ns: *at_ns, at_unix_ns: *at_unix_ns, attributes }
    }
}

#[derive(Serialize)]
struct LinkData<'a> {
    trace_id: String,
    span_id: String,
    attributes: &'a Attributes,
}

impl<'a> LinkData<'a> {
    fn new(link: &'a Link) -> Self {
        let Link { trace_id, span_id, attributes } = link;
        Self { trace_id: trace_id.to_string(), span_id: span_id.to_string(), attributes }
    }
}

const fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Client => "client",
        SpanKind::Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::names::Profile;

    fn layout<'a>(profiles: &'a [&'a Profile]) -> Layout<'a> {
        Layout::new(crate::spans::Shape::Call, profiles)
    }

    #[test]
    fn a_tree_as_json() {
        let record = r#"{"operation": "chat", "model": "m", "duration_ns": 1250000000, "start_unix_ns": "1700000000000000001",
            "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
            "outcome": "error", "otel_status": "ERROR", "error": {"type": "rate_limit", "status_code": 429},
            "attempts": [{"number": 1, "start_ns": 50000000, "duration_ns": 1200000000}]}"#;
        let record = Record::from_json(record).unwrap();
        let profiles = [Profile::by_name("otel-1.41").unwrap()];
        let tree = SpanTree::new(&record, &layout(&profiles), &Context::default()).unwrap();
        let spans: Value = serde_json::from_str(&tree.to_json()).unwrap();
        assert_eq!(spans.as_array().map(Vec::len), Some(2));
        let (call, attempt) = (&spans[0], &spans[1]);
        assert_eq!(call["role"], "call");
        assert_eq!(call["name"], "chat m");
        assert_eq!(call["kind"], "client");
        assert_eq!(call["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(call["start_unix_ns"], "1700000000000000001");
        assert_eq!(call["end_unix_ns"], "1700000001250000001");
        assert_eq!(call["status"], "ERROR");
        assert_eq!(call["error_type"], "rate_limit");
        assert_eq!(call["attributes"]["gen_ai.request.model"], "m");
        assert_eq!(call.get("parent_span_id"), None);
        assert_eq!(attempt["role"], "attempt");
        assert_eq!(attempt["attempt"], 1);
        assert_eq!(attempt["parent_span_id"], "b7ad6b7169203331");
        assert_eq!(attempt["start_ns"], 50_000_000);
        assert_eq!(attempt["start_unix_ns"], "1700000000050000001");
    }

    #[test]
    fn what_is_known_at_the_start() {
        let start =
            CallStart::new("chat").with_provider("openai").with_model("m").streamed().with_attribute("task", "7");
        for (profile, name, expected) in [
            (
                "otel-1.41",
                "chat m",
                json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m",
                    "gen_ai.request.stream": true, "task": "7"}),
            ),
            ("otel-1.41", "chat", json!({"gen_ai.operation.name": "chat"})),
        ] {
            let start = if name == "chat" { CallStart::new("chat") } else { start.clone() };
            let profiles = [Profile::by_name(profile).unwrap()];
            let opening: Value = serde_json::from_str(&SpanTree::opening_json(&start, &layout(&profiles))).unwrap();
            assert_eq!(opening["name"], name);
            assert_eq!(opening["kind"], "client");
            assert_eq!(opening["attributes"], expected);
        }
    }
}
