//! OTLP bodies, against the types that are generated from the protocol's own definition.

mod common;
#[path = "common/exported.rs"]
mod exported;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "common/protocol.rs"]
mod protocol;

use exported::{ATTEMPT_1, ATTEMPT_2, PARENT, SPAN, START, TRACE, WAIT_0, retried};
use llmspan_core::{
    config::Config,
    engine::Tracker,
    event::TimedEvent,
    names::Profile,
    otlp::{LogEvents, Resource, logs_to_json, logs_to_protobuf, traces_to_json, traces_to_protobuf},
    record::{AttributeValue, Attributes, Record},
    spans::{Context, Layout, Link, Shape, SpanId, SpanTree, TraceId},
    time::UnixNanos,
};
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber},
    resource::v1::Resource as ProtoResource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Event, SpanKind},
        status::StatusCode,
    },
};
use proptest::prelude::*;
use prost::Message as _;
use protocol::{assert_same_json, attribute, scope, text};

fn otel(shape: Shape, record: &Record, context: &Context<'_>) -> SpanTree {
    let profiles = [Profile::by_name("otel-1.41").unwrap()];
    SpanTree::new(record, &Layout::new(shape, &profiles), context).unwrap()
}

fn protobuf(trees: &[SpanTree], resource: &Resource) -> (usize, Vec<u8>) {
    let mut body = Vec::new();
    (traces_to_protobuf(trees, resource, &mut body), body)
}

fn json(trees: &[SpanTree], resource: &Resource) -> String {
    let mut body = Vec::new();
    traces_to_json(trees, resource, &mut body);
    String::from_utf8(body).unwrap()
}

fn hex(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn int(key: &str, number: i64) -> KeyValue {
    attribute(key, Value::IntValue(number))
}

fn list(key: &str, texts: &[&str]) -> KeyValue {
    attribute(key, oracle::list(texts.iter().map(|text| (*text).to_owned())))
}

/// The request for [`retried`], written down field by field from the protocol and the names of OpenTelemetry 1.41.
fn expected() -> ExportTraceServiceRequest {
    let span = |id: &str, parent: &str, name: &str, kind: SpanKind, start: u64, end: u64| Span {
        trace_id: hex(TRACE),
        span_id: hex(id),
        parent_span_id: hex(parent),
        name: name.into(),
        kind: kind.into(),
        start_time_unix_nano: START + start,
        end_time_unix_nano: START + end,
        flags: 1,
        ..Span::default()
    };
    let event = |at: u64, name: &str, attributes: Vec<KeyValue>| Event {
        time_unix_nano: START + at,
        name: name.into(),
        attributes,
        ..Event::default()
    };
    let mut call = span(SPAN, PARENT, "chat gpt-4.1-mini", SpanKind::Client, 0, 3_250_000_000);
    call.attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4.1-mini"),
        attribute("gen_ai.request.stream", Value::BoolValue(true)),
        list("gen_ai.response.finish_reasons", &["tool_calls"]),
        text("gen_ai.response.model", "gpt-4.1-mini-2025"),
        attribute("gen_ai.response.time_to_first_chunk", Value::DoubleValue(0.15)),
        int("gen_ai.usage.input_tokens", 10),
        int("gen_ai.usage.output_tokens", 500),
        text("task_id", "t-1"),
        text("tenant", "acme"),
    ];
    call.events = vec![
        event(
            50_000_000,
            "llmspan.retry",
            vec![
                int("llmspan.attempt", 1),
                int("llmspan.wait.planned_delay_ns", 2_000_000_000),
                text("llmspan.wait.reason", "rate_limit"),
            ],
        ),
        event(2_250_000_000, "llmspan.first_token", vec![int("llmspan.attempt", 2)]),
    ];
    let mut first = span(ATTEMPT_1, SPAN, "attempt", SpanKind::Client, 0, 50_000_000);
    first.attributes = vec![text("error.type", "rate_limit"), int("http.response.status_code", 429)];
    first.status = Some(Status { message: "slow down".into(), code: StatusCode::Error.into() });
    let mut second = span(ATTEMPT_2, SPAN, "attempt", SpanKind::Client, 2_050_000_000, 3_250_000_000);
    second.attributes = vec![
        attribute("gen_ai.response.time_to_first_chunk", Value::DoubleValue(0.15)),
        int("http.request.resend_count", 1),
        int("http.response.status_code", 200),
    ];
    let mut wait = span(WAIT_0, SPAN, "wait rate_limit", SpanKind::Internal, 50_000_000, 2_050_000_000);
    wait.attributes = vec![
        int("llmspan.wait.after_attempt", 1),
        int("llmspan.wait.planned_delay_ns", 2_000_000_000),
        text("llmspan.wait.reason", "rate_limit"),
        attribute("llmspan.wait.server_requested", Value::BoolValue(true)),
    ];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(ProtoResource {
                attributes: vec![text("service.name", "assistant")],
                ..ProtoResource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans: vec![call, first, second, wait],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

#[test]
fn a_retried_call_is_the_request_that_the_protocol_describes() {
    let mut record = retried();
    record.phases.clear();
    record.events.truncate(2);
    let tree = otel(Shape::Call, &record, &Context::default().with_trace(1, ""));
    let resource = Resource::of_service("assistant");
    let (spans, body) = protobuf(core::slice::from_ref(&tree), &resource);
    assert_eq!(spans, 4);
    assert_eq!(ExportTraceServiceRequest::decode(&body[..]).unwrap(), expected());
    assert_eq!(body, expected().encode_to_vec(), "and in the order and with the lengths of other writers");
    let body = json(&[tree], &resource);
    assert_eq!(serde_json::from_str::<ExportTraceServiceRequest>(&body).unwrap(), expected());
}

#[test]
fn numbers_beyond_2_to_the_53_and_odd_texts_survive() {
    let mut record = retried();
    let odd = "\u{0}\u{1f}\"\\/\u{7f}\u{2028}naïve \u{1f600}\r\n";
    record.attributes = Attributes::from([
        ("max".to_owned(), i64::MAX.into()),
        ("min".to_owned(), i64::MIN.into()),
        ("odd".to_owned(), odd.into()),
        (odd.to_owned(), 1_i64.into()),
        ("tiny".to_owned(), f64::MIN_POSITIVE.into()),
        ("huge".to_owned(), f64::MAX.into()),
        ("third".to_owned(), (1.0 / 3.0).into()),
        ("minus zero".to_owned(), (-0.0).into()),
        ("empty".to_owned(), "".into()),
        ("zero".to_owned(), 0_i64.into()),
        ("false".to_owned(), false.into()),
        ("none".to_owned(), Vec::new().into()),
        ("empties".to_owned(), vec![String::new()].into()),
    ]);
    let tree = otel(Shape::Call, &record, &Context::default());
    let body = json(core::slice::from_ref(&tree), &Resource::default());
    assert!(body.contains(r#"{"key":"max","value":{"intValue":"9223372036854775807"}}"#));
    assert!(body.contains(r#"{"key":"zero","value":{"intValue":"0"}}"#));
    for (key, double) in [("tiny", f64::MIN_POSITIVE), ("huge", f64::MAX), ("third", 1.0 / 3.0), ("minus zero", -0.0)] {
        let (_, rest) = body.split_once(&format!(r#""{key}","value":{{"doubleValue":"#)).unwrap();
        let digits = rest.split_once('}').unwrap().0;
        assert_eq!(digits.parse::<f64>().unwrap().to_bits(), double.to_bits(), "{key}: {digits}");
    }
    assert!(body.contains(r#"{"key":"false","value":{"boolValue":false}}"#));
    assert!(body.contains(r#"{"key":"none","value":{"arrayValue":{"values":[]}}}"#));
    assert!(body.contains(r#""startTimeUnixNano":"1763713224000000000","#));
    assert!(body.contains("\"\\u0000\\u001f\\\"\\\\/\u{7f}\u{2028}naïve \u{1f600}\\r\\n\""));
    let request: ExportTraceServiceRequest = serde_json::from_str(&body).unwrap();
    let attributes = &request.resource_spans[0].scope_spans[0].spans[0].attributes;
    let value = |key: &str| {
        let found = attributes.iter().find(|attribute| attribute.key == key).unwrap();
        found.value.clone().unwrap().value.unwrap()
    };
    assert_eq!(value("max"), Value::IntValue(i64::MAX));
    assert_eq!(value("min"), Value::IntValue(i64::MIN));
    assert_eq!(value("odd"), Value::StringValue(odd.into()));
    assert_eq!(value(odd), Value::IntValue(1));
    assert_eq!(value("empty"), Value::StringValue(String::new()));
    assert_eq!(value("empties"), oracle::list([String::new()]));
    let (_, bytes) = protobuf(&[tree], &Resource::default());
    assert_same_json(&body, &ExportTraceServiceRequest::decode(&bytes[..]).unwrap());
}

#[test]
fn a_batch_is_one_request_and_calls_without_a_time_are_left_out() {
    let mut unanchored = retried();
    unanchored.start_unix_ns = None;
    let records = [retried(), unanchored, retried()];
    let layout = Layout::default();
    let trees = || records.iter().filter_map(|record| SpanTree::new(record, &layout, &Context::default()));
    let resource = Resource::default();
    let mut body = vec![b'x'];
    assert_eq!(traces_to_protobuf(trees(), &resource, &mut body), 2 * 7);
    let request = ExportTraceServiceRequest::decode(&body[1..]).unwrap();
    assert_eq!(body[0], b'x', "appended");
    assert_eq!((request.resource_spans.len(), request.resource_spans[0].scope_spans.len()), (1, 1));
    assert_eq!(request.resource_spans[0].scope_spans[0].spans.len(), 14);

    let mut body = Vec::new();
    assert_eq!(traces_to_protobuf(trees().skip(1).take(1), &resource, &mut body), 0);
    assert!(body.is_empty());
    assert_eq!(traces_to_json(trees().skip(1).take(1), &resource, &mut body), 0);
    assert_eq!(body, br#"{"resourceSpans":[]}"#);
    body.clear();
    assert_eq!(logs_to_json(trees(), LogEvents::Exceptions, &resource, &mut body), 0, "the calls succeeded");
    assert_eq!(body, br#"{"resourceLogs":[]}"#);
}

#[test]
fn what_no_wire_can_hold_is_left_out_whoever_put_it_there() {
    let mut tree = otel(Shape::Call, &retried(), &Context::default());
    tree.spans.truncate(1);
    tree.spans[0].attributes = Attributes::from([("nan".to_owned(), f64::NAN.into())]);
    let resource = Resource::new(Attributes::from([("inf".to_owned(), f64::INFINITY.into())]));
    let body = json(core::slice::from_ref(&tree), &resource);
    assert!(!body.contains("\"nan\"") && !body.contains("\"inf\""), "{body}");
    assert!(body.contains(r#""resource":{"droppedAttributesCount":1}"#), "{body}");
    let (_, bytes) = protobuf(&[tree], &resource);
    let request = ExportTraceServiceRequest::decode(&bytes[..]).unwrap();
    assert_eq!(request, serde_json::from_str(&body).unwrap());
}

/// A failed call, with the events that the conventions ask for.
#[test]
fn log_events_are_those_of_the_conventions() {
    let mut record = retried();
    record.attributes.clear();
    record.outcome = llmspan_core::record::Outcome::Error;
    record.error = record.attempts[0].error.clone();
    let at = START + 3_250_000_000;
    let common = LogRecord {
        time_unix_nano: at,
        observed_time_unix_nano: at,
        trace_id: hex(TRACE),
        span_id: hex(SPAN),
        flags: 1,
        ..LogRecord::default()
    };
    let exception = LogRecord {
        severity_number: SeverityNumber::Warn.into(),
        severity_text: "WARN".into(),
        event_name: "gen_ai.client.operation.exception".into(),
        attributes: vec![text("exception.type", "rate_limit"), text("exception.message", "slow down")],
        ..common.clone()
    };
    let mut tree = otel(Shape::Call, &record, &Context::default().with_trace(1, ""));
    tree.spans[0].dropped_attributes = 3;
    let details = LogRecord {
        dropped_attributes_count: 3,
        severity_number: SeverityNumber::Debug.into(),
        severity_text: "DEBUG".into(),
        event_name: "gen_ai.client.inference.operation.details".into(),
        attributes: oracle::attributes(&tree.spans[0].attributes),
        ..common
    };
    for (events, log_records) in [
        (LogEvents::Exceptions, vec![exception.clone()]),
        (LogEvents::ExceptionsAndDetails, vec![details, exception.clone()]),
    ] {
        let expected = ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: Some(ProtoResource::default()),
                scope_logs: vec![ScopeLogs { scope: Some(scope()), log_records, ..ScopeLogs::default() }],
                ..ResourceLogs::default()
            }],
        };
        let mut body = Vec::new();
        let count = logs_to_protobuf([&tree], events, &Resource::default(), &mut body);
        assert_eq!(count, expected.resource_logs[0].scope_logs[0].log_records.len());
        assert_eq!(ExportLogsServiceRequest::decode(&body[..]).unwrap(), expected);
        assert_eq!(body, expected.encode_to_vec());
        body.clear();
        logs_to_json([&tree], events, &Resource::default(), &mut body);
        assert_eq!(serde_json::from_slice::<ExportLogsServiceRequest>(&body).unwrap(), expected);
        let text = str::from_utf8(&body).unwrap();
        assert!(text.contains(r#""eventName":"gen_ai.client.operation.exception""#));
    }
    let tree = otel(Shape::Attempt, &retried(), &Context::default().with_trace(1, ""));
    let mut body = Vec::new();
    assert_eq!(logs_to_protobuf([&tree], LogEvents::Exceptions, &Resource::default(), &mut body), 1);
    let request = ExportLogsServiceRequest::decode(&body[..]).unwrap();
    let record = &request.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!((record.span_id.clone(), record.time_unix_nano), (hex(ATTEMPT_1), START + 50_000_000));
}

fn replay(log: Vec<TimedEvent>) -> Vec<Record> {
    let mut tracker = Tracker::new(Config::default()).unwrap();
    let last = log.iter().map(|event| event.at).max().unwrap_or_default();
    for event in log {
        tracker.handle_event(&event);
    }
    tracker.handle_shutdown(last);
    core::iter::from_fn(|| tracker.poll_record()).collect()
}

fn random_attributes() -> impl Strategy<Value = Attributes> {
    let value = prop_oneof![
        any::<bool>().prop_map(AttributeValue::Bool),
        any::<i64>().prop_map(AttributeValue::Int),
        any::<f64>().prop_map(AttributeValue::Float),
        Just(AttributeValue::Float(f64::NAN)),
        any::<String>().prop_map(AttributeValue::Str),
        prop::collection::vec(any::<String>(), 0..4).prop_map(AttributeValue::StrList),
    ];
    prop::collection::btree_map(any::<String>(), value, 0..8).prop_map(|entries| entries.into_iter().collect())
}

proptest! {
    #[test]
    fn every_tree_is_written_as_the_protocol_says(
        log in common::log(),
        attributes in random_attributes(),
        profile in 0..Profile::all().len(),
        per_attempt in any::<bool>(),
        flags in prop_oneof![Just(Some(0)), any::<Option<u8>>()],
        dropped in any::<[u16; 3]>(),
        start in 1..u64::MAX,
    ) {
        let profiles = [&Profile::all()[profile]];
        let shape = if per_attempt { Shape::Attempt } else { Shape::Call };
        let layout = Layout::new(shape, &profiles);
        let (trace_id, span_id) = (TraceId::from_bytes([3; 16]).unwrap(), SpanId::from_bytes([4; 8]).unwrap());
        let mut link = Link::new(trace_id, span_id);
        link.attributes.clone_from(&attributes);
        let links = [link];
        let context = Context::default()
            .with_ids(trace_id, span_id, None)
            .with_start(UnixNanos::from_nanos(start))
            .with_trace(0, "a=b")
            .with_links(&links);
        let trees: Vec<SpanTree> = replay(log)
            .into_iter()
            .map(|mut record| {
                record.attributes.extend(attributes.clone());
                let mut tree = SpanTree::new(&record, &layout, &context).unwrap();
                tree.trace_flags = flags;
                let [attributes, events, links] = dropped.map(u64::from);
                let call = &mut tree.spans[0];
                (call.dropped_attributes, call.dropped_events, call.dropped_links) = (attributes, events, links);
                tree
            })
            .collect();
        let resource = Resource::new(attributes);
        let expected = oracle::traces(&trees, &resource, &scope());
        let spans = trees.iter().map(|tree| tree.spans.len()).sum::<usize>();

        let (count, body) = protobuf(&trees, &resource);
        prop_assert_eq!(count, spans);
        let decoded = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        prop_assert_eq!(&decoded, &expected);
        prop_assert_eq!(&body, &expected.encode_to_vec());

        assert_same_json(&json(&trees, &resource), &expected);

        let mut bytes = Vec::new();
        logs_to_protobuf(&trees, LogEvents::ExceptionsAndDetails, &resource, &mut bytes);
        let logs = ExportLogsServiceRequest::decode(&bytes[..]).unwrap();
        prop_assert_eq!(&bytes, &logs.encode_to_vec());
        let mut text = Vec::new();
        logs_to_json(&trees, LogEvents::ExceptionsAndDetails, &resource, &mut text);
        assert_same_json(str::from_utf8(&text).unwrap(), &logs);
    }

    #[test]
    fn every_tree_is_a_tree(log in common::log(), per_attempt in any::<bool>()) {
        let shape = if per_attempt { Shape::Attempt } else { Shape::Call };
        let ids = (TraceId::from_bytes([3; 16]).unwrap(), SpanId::from_bytes([4; 8]).unwrap());
        for record in replay(log) {
            let tree = otel(shape, &record, &Context::default().with_ids(ids.0, ids.1, None));
            prop_assert_eq!(tree.spans.len(), 1 + record.attempts.len() + record.waits.len() + record.phases.len());
            let mut seen = vec![tree.spans[0].span_id];
            prop_assert_eq!(tree.spans[0].parent_span_id, None);
            for span in &tree.spans[1..] {
                let parent = tree.spans.iter().find(|other| Some(other.span_id) == span.parent_span_id).unwrap();
                prop_assert!(parent.start_ns <= span.start_ns && span.end_ns <= parent.end_ns);
                prop_assert!(seen.contains(&parent.span_id), "parents first");
                prop_assert!(!seen.contains(&span.span_id), "ids are unique");
                seen.push(span.span_id);
            }
            let events: usize = tree.spans.iter().map(|span| span.events.len()).sum();
            prop_assert_eq!(events, record.events.len());
        }
    }
}
