//! Spans as JSON, for hosts that write them with a tracer of their own language.

use alloc::{
    boxed::Box,
    string::{String, ToString as _},
};

use super::{
    ids::{SpanId, TraceId},
    layout::{Context, Layout},
    tree::{Event, Link, Role, Span, SpanTree},
};
use crate::{
    fields::{Members, write_list},
    machine::CallStart,
    names::SpanKind,
    record::Record,
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
        let mut out = String::new();
        write_list(&mut out, self.spans.iter(), &mut |out, span| write_span(out, &trace_id, span));
        out
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
        let mut out = String::new();
        let mut members = Members::new(&mut out);
        members.add("name", &call.name);
        members.add("kind", &kind(call.kind));
        members.add("attributes", &call.attributes);
        members.end();
        out
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

fn write_span(out: &mut String, trace_id: &str, span: &Span) {
    let (role, attempt) = match span.role {
        Role::Call => ("call", None),
        Role::Attempt(number) => ("attempt", Some(number)),
        Role::Wait => ("wait", None),
        Role::Phase => ("phase", None),
    };
    let mut members = Members::new(out);
    members.add("role", &role);
    members.add_some("attempt", &attempt);
    members.add("name", &span.name);
    members.add("kind", &kind(span.kind));
    members.add("trace_id", &trace_id);
    members.add("span_id", &span.span_id.to_string());
    members.add_some("parent_span_id", &span.parent_span_id.map(|id| id.to_string()));
    members.add("start_ns", &span.start_ns);
    members.add("end_ns", &span.end_ns);
    members.add_some("start_unix_ns", &span.start_unix_ns);
    members.add_some("end_unix_ns", &span.end_unix_ns);
    members.add("status", &span.status);
    members.add_some("status_message", &span.status_message);
    members.add_some("error_type", &span.error_type);
    members.add("attributes", &span.attributes);
    write_list(members.named("events"), span.events.iter(), &mut write_event);
    if !span.links.is_empty() {
        write_list(members.named("links"), span.links.iter(), &mut write_link);
    }
    members.end();
}

fn write_event(out: &mut String, event: &Event) {
    let mut members = Members::new(out);
    members.add("name", &event.name.as_ref());
    members.add("at_ns", &event.at_ns);
    members.add_some("at_unix_ns", &event.at_unix_ns);
    members.add("attributes", &event.attributes);
    members.end();
}

fn write_link(out: &mut String, link: &Link) {
    let mut members = Members::new(out);
    members.add("trace_id", &link.trace_id.to_string());
    members.add("span_id", &link.span_id.to_string());
    members.add("attributes", &link.attributes);
    members.end();
}

const fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Client => "client",
        SpanKind::Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

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
