//! The spans of a call: which there are, what is on them, and what is not.

#[path = "common/exported.rs"]
mod exported;

use exported::{ATTEMPT_1, ATTEMPT_2, PARENT, SPAN, START, TRACE, WAIT_0, retried};
use llmspan_core::{
    limits::{EXPORT_ATTRIBUTES, EXPORT_EVENTS, EXPORT_NAME_BYTES, EXPORT_SPANS, EXPORT_VALUE_BYTES},
    names::{Profile, SpanKind},
    record::{AttemptRecord, AttributeValue, OtelStatus, PhaseRecord, Record, SpanEvent},
    spans::{ChildSpan, Context, Layout, Link, Role, Shape, Span, SpanId, SpanTree, TraceId, child_span_id},
    time::{Nanos, UnixNanos},
};

/// Ids of the phases, computed as those of [`exported`].
const PHASES: [&str; 3] = ["afe9d8308b89a96f", "60977a4e64dd28d1", "ebee2f3b799bf93b"];

fn profile(name: &str) -> &'static Profile {
    Profile::by_name(name).unwrap()
}

fn tree(record: &Record, shape: Shape, profiles: &[&str]) -> SpanTree {
    let profiles: Vec<_> = profiles.iter().map(|name| profile(name)).collect();
    SpanTree::new(record, &Layout::new(shape, &profiles), &context()).unwrap()
}

fn context() -> Context<'static> {
    Context::default().with_ids(TraceId::from_hex(TRACE).unwrap(), SpanId::from_hex(SPAN).unwrap(), None)
}

fn json(attributes: &llmspan_core::record::Attributes) -> serde_json::Value {
    serde_json::to_value(attributes).unwrap()
}

fn id(digits: &str) -> SpanId {
    SpanId::from_hex(digits).unwrap()
}

fn events(span: &Span) -> Vec<(String, u64, serde_json::Value)> {
    span.events.iter().map(|event| (event.name.to_string(), event.at_ns.as_nanos(), json(&event.attributes))).collect()
}

#[test]
fn a_call_has_one_gen_ai_span_with_all_else_below_it() {
    let tree = tree(&retried(), Shape::Call, &["otel-1.41"]);
    let expected: [(_, _, _, _, u64, u64); 7] = [
        ("chat gpt-4.1-mini", SpanKind::Client, SPAN, PARENT, 0, 3_250_000_000),
        ("attempt", SpanKind::Client, ATTEMPT_1, SPAN, 0, 50_000_000),
        ("attempt", SpanKind::Client, ATTEMPT_2, SPAN, 2_050_000_000, 3_250_000_000),
        ("wait rate_limit", SpanKind::Internal, WAIT_0, SPAN, 50_000_000, 2_050_000_000),
        ("prompt.build", SpanKind::Internal, PHASES[0], SPAN, 0, 40),
        ("attach.history", SpanKind::Internal, PHASES[1], PHASES[0], 10, 30),
        ("response.parse", SpanKind::Internal, PHASES[2], SPAN, 3_250_000_000, 3_250_000_000),
    ];
    assert_eq!(tree.trace_id.to_string(), TRACE);
    assert_eq!(tree.spans.len(), expected.len());
    for (span, (name, kind, span_id, parent, start, end)) in tree.spans.iter().zip(expected) {
        assert_eq!(span.name, name);
        assert_eq!((span.kind, span.span_id, span.parent_span_id), (kind, id(span_id), Some(id(parent))), "{name}");
        assert_eq!((span.start_ns.as_nanos(), span.end_ns.as_nanos()), (start, end), "{name}");
        let unix = |at| Some(UnixNanos::from_nanos(START + at));
        assert_eq!((span.start_unix_ns, span.end_unix_ns), (unix(start), unix(end)), "{name}");
    }
    let attributes: Vec<_> = tree.spans.iter().map(|span| json(&span.attributes)).collect();
    assert_eq!(
        attributes[0],
        serde_json::json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1-mini", "gen_ai.request.stream": true,
            "gen_ai.response.model": "gpt-4.1-mini-2025", "gen_ai.response.finish_reasons": ["tool_calls"],
            "gen_ai.response.time_to_first_chunk": 0.15, "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 500, "task_id": "t-1", "tenant": "acme"})
    );
    assert_eq!(attributes[1], serde_json::json!({"http.response.status_code": 429, "error.type": "rate_limit"}));
    assert_eq!(
        attributes[2],
        serde_json::json!({"http.response.status_code": 200, "http.request.resend_count": 1,
            "gen_ai.response.time_to_first_chunk": 0.15})
    );
    assert_eq!(
        attributes[3],
        serde_json::json!({"llmspan.wait.reason": "rate_limit", "llmspan.wait.planned_delay_ns": 2_000_000_000_u64,
            "llmspan.wait.after_attempt": 1, "llmspan.wait.server_requested": true})
    );
    assert_eq!(attributes[4], serde_json::json!({}));
    assert_eq!(attributes[6], serde_json::json!({"llmspan.phase.left_open": true}));
}

#[test]
fn only_errors_and_timeouts_have_a_status() {
    let mut record = retried();
    let statuses = |record: &Record| {
        let spans = tree(record, Shape::Call, &["otel-1.41"]).spans;
        spans.iter().map(|span| (span.status, span.status_message.clone(), span.error_type.clone())).collect::<Vec<_>>()
    };
    let unset = (OtelStatus::Unset, None, None);
    let error = (OtelStatus::Error, Some("slow down".to_owned()), Some("rate_limit".to_owned()));
    assert_eq!(statuses(&record)[..3], [unset.clone(), error, unset.clone()], "a retried error is not the call's");

    for outcome in ["cancelled", "interrupted", "abandoned", "success"] {
        record = Record::from_json(&format!(r#"{{"outcome": "{outcome}"}}"#)).unwrap();
        assert_eq!(statuses(&record), core::slice::from_ref(&unset), "{outcome}");
    }
    for outcome in ["error", "timed_out"] {
        record = Record::from_json(&format!(r#"{{"outcome": "{outcome}", "error": {{"type": "timeout"}}}}"#)).unwrap();
        assert_eq!(statuses(&record), [(OtelStatus::Error, None, Some("timeout".to_owned()))], "{outcome}");
    }
}

#[test]
fn events_are_on_the_gen_ai_span_and_retries_on_the_call() {
    let retry = (
        "llmspan.retry".to_owned(),
        50_000_000,
        serde_json::json!({"llmspan.attempt": 1, "llmspan.wait.reason": "rate_limit",
            "llmspan.wait.planned_delay_ns": 2_000_000_000_u64}),
    );
    let of_attempt = [
        ("llmspan.first_token".to_owned(), 2_250_000_000, serde_json::json!({"llmspan.attempt": 2})),
        (
            "llmspan.stall".to_owned(),
            3_200_000_000,
            serde_json::json!({"llmspan.attempt": 2, "llmspan.stalled_ns": 950_000_000}),
        ),
        (
            "llmspan.tool_call".to_owned(),
            3_210_000_000,
            serde_json::json!({"llmspan.attempt": 2, "gen_ai.tool.name": "search"}),
        ),
        ("llmspan.refusal".to_owned(), 3_220_000_000, serde_json::json!({"llmspan.attempt": 2})),
        (
            "llmspan.finish".to_owned(),
            3_250_000_000,
            serde_json::json!({"llmspan.attempt": 2, "llmspan.finish_reason": "tool_calls"}),
        ),
    ];
    let all: Vec<_> = [retry.clone()].into_iter().chain(of_attempt.clone()).collect();

    let one = tree(&retried(), Shape::Call, &["otel-1.41"]);
    assert_eq!(events(&one.spans[0]), all);
    assert_eq!(one.spans[0].events[0].at_unix_ns, Some(UnixNanos::from_nanos(START + 50_000_000)));
    assert!(one.spans[1..].iter().all(|span| span.events.is_empty()));

    let many = tree(&retried(), Shape::Attempt, &["otel-1.41"]);
    assert_eq!(events(&many.spans[0]), [retry]);
    assert_eq!(events(&many.spans[1]), []);
    assert_eq!(events(&many.spans[2]), of_attempt);
}

#[test]
fn every_attempt_may_be_a_gen_ai_span_of_its_own() {
    let mut record = retried();
    record.attempts[0].model = Some("gpt-4.1".into());
    record.attempts[0].usage = Record::from_json(r#"{"usage": {"input_tokens": 7}}"#).unwrap().usage;
    record.attempts[0].attributes.insert("key_label".into(), "a".into());
    let tree = tree(&record, Shape::Attempt, &["otel-1.41"]);
    let [call, first, second, ..] = &tree.spans[..] else { panic!("three spans") };

    assert_eq!((call.name.as_str(), call.kind), ("llmspan.call", SpanKind::Internal));
    assert_eq!(json(&call.attributes), serde_json::json!({"task_id": "t-1", "tenant": "acme"}));
    assert_eq!((first.name.as_str(), first.kind), ("chat gpt-4.1", SpanKind::Client));
    assert_eq!(
        json(&first.attributes),
        serde_json::json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1", "gen_ai.request.stream": true, "gen_ai.usage.input_tokens": 7,
            "http.response.status_code": 429, "error.type": "rate_limit", "task_id": "t-1", "tenant": "acme",
            "key_label": "a"})
    );
    assert_eq!(second.name, "chat gpt-4.1-mini");
    assert_eq!(
        json(&second.attributes),
        serde_json::json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1-mini", "gen_ai.request.stream": true,
            "gen_ai.response.model": "gpt-4.1-mini-2025", "gen_ai.response.finish_reasons": ["tool_calls"],
            "gen_ai.response.time_to_first_chunk": 0.15, "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 500, "http.response.status_code": 200, "http.request.resend_count": 1,
            "task_id": "t-1", "tenant": "acme"})
    );
    assert_eq!(tree.gen_ai_spans().count(), 2);
}

#[test]
fn applications_with_a_span_per_attempt_get_their_own_names() {
    let ares = tree(&retried(), Shape::Attempt, &["ares"]);
    assert_eq!(ares.spans[2].name, "llm.call");
    assert_eq!(
        json(&ares.spans[2].attributes),
        serde_json::json!({"llm.model": "gpt-4.1-mini", "llm.attempt": 1, "llm.input_tokens": 10,
            "llm.output_tokens": 500, "llm.duration_ms": 1200, "llm.stop_reason": "tool_calls", "task.id": "t-1",
            "tenant": "acme"})
    );
    let qwen = tree(&retried(), Shape::Attempt, &["qwen-code"]);
    assert_eq!((qwen.spans[2].name.as_str(), qwen.spans[2].kind), ("qwen-code.llm_request", SpanKind::Internal));
    let attributes = json(&qwen.spans[2].attributes);
    for (key, value) in [
        ("duration_ms", 1200),
        ("ttft_ms", 200),
        ("request_setup_ms", 2050),
        ("sampling_ms", 1000),
        ("attempt", 2),
        ("retry_total_delay_ms", 2000),
        ("input_tokens", 10),
    ] {
        assert_eq!(attributes[key], value, "{key}");
    }
    let first = json(&qwen.spans[1].attributes);
    assert_eq!((&first["retry_total_delay_ms"], &first["request_setup_ms"]), (&0.into(), &0.into()));
    let call = json(&qwen.spans[0].attributes);
    assert_eq!((&call["duration_ms"], &call["success"]), (&3250.into(), &true.into()));
    assert_eq!((call.get("attempt"), call.get("request_setup_ms")), (None, None));
}

/// Tokens, cost and model of a call are on one level of its tree only, under every profile.
#[test]
fn nothing_is_counted_twice() {
    let mut record = retried();
    let priced = Record::from_json(
        r#"{"usage": {"input_tokens": 9, "output_tokens": 9, "cache_read_tokens": 9, "cache_write_tokens": 9,
        "reasoning_tokens": 9}, "cost": {"currency": "USD", "input": "1", "output": "2", "total": "3"}}"#,
    )
    .unwrap();
    (record.usage, record.cost) = (priced.usage, priced.cost);
    record.attributes.insert("gen_ai.usage.input_tokens".into(), 1_i64.into());
    record.attempts[1].usage = record.usage.clone();
    record.attempts[1].cost = record.cost.clone();
    record.attempts[1].attributes.insert("gen_ai.request.model".into(), "sneaky".into());
    let counted = |span: &Span| {
        let counts = |key: &String| {
            ["tokens", "token_count", "usage", "cost", "model", "chunk_count"].iter().any(|word| key.contains(word))
                && !key.contains("per_second")
        };
        span.attributes.keys().filter(|key| counts(key)).cloned().collect::<Vec<_>>()
    };
    for profile in Profile::all() {
        let one = tree(&record, Shape::Call, &[profile.name()]);
        assert!(counted(&one.spans[0]).len() > 2, "{}: {:?}", profile.name(), counted(&one.spans[0]));
        for span in &one.spans[1..] {
            assert_eq!(counted(span), [""; 0], "{} of {}", span.name, profile.name());
        }
        let many = tree(&record, Shape::Attempt, &[profile.name()]);
        assert_eq!(counted(&many.spans[0]), [""; 0], "{}", profile.name());
        assert!(counted(&many.spans[2]).len() > 2, "{}", profile.name());
    }
}

#[test]
fn a_gen_ai_kind_marks_gen_ai_spans_only() {
    let kinds = |shape, profile, key: &str| {
        let tree = tree(&retried(), shape, &[profile]);
        let kinds = tree.spans[..3].iter().map(|span| json(&span.attributes)[key].as_str().map(String::from));
        kinds.collect::<Vec<_>>()
    };
    let words = |words: [&str; 3]| words.map(|word| (!word.is_empty()).then(|| word.to_owned()));
    let key = "openinference.span.kind";
    assert_eq!(kinds(Shape::Call, "openinference", key), words(["LLM", "CHAIN", "CHAIN"]));
    assert_eq!(kinds(Shape::Attempt, "openinference", key), words(["CHAIN", "LLM", "LLM"]));
    let inner = tree(&retried(), Shape::Call, &["openinference"]).spans.into_iter().skip(3);
    let inner: Vec<_> = inner.map(|span| json(&span.attributes)[key].as_str().map(String::from)).collect();
    assert!(!inner.is_empty() && inner.iter().all(|kind| kind.as_deref() == Some("CHAIN")), "{inner:?}");
    let key = "langfuse.observation.type";
    assert_eq!(kinds(Shape::Call, "langfuse", key), words(["generation", "span", "span"]));
    assert_eq!(kinds(Shape::Attempt, "langfuse", key), words(["span", "generation", "generation"]));
    let key = "gen_ai.operation.name";
    assert_eq!(kinds(Shape::Attempt, "otel-1.41", key), words(["", "chat", "chat"]));
}

#[test]
fn of_several_profiles_the_first_one_wins() {
    let mut record = retried();
    record.provider = Some("azure.ai.openai".into());
    let value = |profiles: &[&str]| json(&tree(&record, Shape::Call, profiles).spans[0].attributes);
    assert_eq!(value(&["otel-1.41", "openllmetry"])["gen_ai.provider.name"], "azure.ai.openai");
    assert_eq!(value(&["openllmetry", "otel-1.41"])["gen_ai.provider.name"], "az.ai.openai");
    let both = tree(&record, Shape::Call, &["qwen-code", "otel-1.41"]);
    assert_eq!((both.spans[0].name.as_str(), both.spans[0].kind), ("qwen-code.llm_request", SpanKind::Internal));
    assert_eq!(json(&both.spans[0].attributes)["ttft_ms"], 200);
    let none = tree(&record, Shape::Call, &[]);
    assert_eq!(none.spans[0].name, "chat gpt-4.1-mini");
    assert_eq!(json(&none.spans[0].attributes), serde_json::json!({}));
}

#[test]
fn ids_and_the_anchor_come_from_the_record_then_from_the_context() {
    let layout = Layout::default();
    let mut record = retried();
    let other = Context::default()
        .with_ids(TraceId::from_bytes([7; 16]).unwrap(), SpanId::from_bytes([8; 8]).unwrap(), Some(id(SPAN)))
        .with_start(UnixNanos::from_nanos(5));
    let tree = SpanTree::new(&record, &layout, &other).unwrap();
    assert_eq!((tree.trace_id.to_string().as_str(), tree.spans[0].span_id), (TRACE, id(SPAN)));
    assert_eq!(tree.start_unix_ns, Some(UnixNanos::from_nanos(START)));
    assert_eq!(tree.spans[0].parent_span_id, Some(id(PARENT)));

    for invalid in [None, Some("0".repeat(32)), Some(TRACE[1..].to_owned()), Some("g".repeat(32))] {
        record.trace_id = invalid;
        record.start_unix_ns = None;
        let tree = SpanTree::new(&record, &layout, &other).unwrap();
        assert_eq!(tree.trace_id.as_bytes(), &[7; 16]);
        assert_eq!(tree.spans[0].span_id, id(SPAN), "the span id is still the record's");
        assert_eq!(tree.spans[0].parent_span_id, Some(id(SPAN)), "a parent belongs to its trace");
        assert_eq!(tree.spans[0].end_unix_ns, Some(UnixNanos::from_nanos(3_250_000_005)));
        assert!(SpanTree::new(&record, &layout, &Context::default()).is_none());
    }
    record.trace_id = Some(TRACE.to_uppercase());
    record.span_id = None;
    assert!(SpanTree::new(&record, &layout, &Context::default()).is_none(), "no span id");
    let tree = SpanTree::new(&record, &layout, &context()).unwrap();
    assert_eq!(tree.trace_id.to_string(), TRACE, "digits of either case");
    assert_eq!((tree.start_unix_ns, tree.spans[0].start_unix_ns, tree.spans[2].end_unix_ns), (None, None, None));
    assert_eq!(tree.spans[2].end_ns, Nanos::from_millis(3250));
    assert_eq!(tree.spans[0].events[0].at_unix_ns, None);
}

#[test]
fn an_anchor_of_the_context_reaches_attributes_with_a_time() {
    let mut record = retried();
    record.start_unix_ns = None;
    record.marks.first_content_ns = Some(Nanos::from_millis(2250));
    record.attempts[1].marks.first_content_ns = Some(Nanos::from_millis(200));
    let profiles = [profile("langfuse")];
    for shape in [Shape::Call, Shape::Attempt] {
        let context = context().with_start(UnixNanos::from_nanos(0));
        let tree = SpanTree::new(&record, &Layout::new(shape, &profiles), &context).unwrap();
        let time = tree.gen_ai_spans().last().unwrap().attributes["langfuse.observation.completion_start_time"].clone();
        assert_eq!(time, "1970-01-01T00:00:02.250Z".into());
    }
}

#[test]
fn a_host_can_know_the_id_of_an_attempt_before_it_starts() {
    let trace = TraceId::from_hex(TRACE).unwrap();
    assert_eq!(child_span_id(trace, id(SPAN), ChildSpan::Attempt(1)), id(ATTEMPT_1));
    assert_eq!(child_span_id(trace, id(SPAN), ChildSpan::Attempt(3)), id("aca3142040330942"));
    assert_eq!(child_span_id(trace, id(SPAN), ChildSpan::UnnumberedAttempt(1)), id("ef3b39c1459b7cec"));
    let other = child_span_id(TraceId::from_bytes([1; 16]).unwrap(), id(SPAN), ChildSpan::Attempt(1));
    assert_ne!(other, id(ATTEMPT_1));
    let mut record = retried();
    record.attempts[1].number = 1;
    let tree = tree(&record, Shape::Call, &[]);
    assert_eq!(tree.spans[1].span_id, id(ATTEMPT_1));
    assert_eq!(tree.spans[2].span_id, id("ef3b39c1459b7cec"), "ids stay apart where numbers do not");
}

#[test]
fn attempts_that_raced_say_so() {
    let mut record = retried();
    record.attempts[1].hedged = Some(true);
    for shape in [Shape::Call, Shape::Attempt] {
        let spans = tree(&record, shape, &["otel-1.41"]).spans;
        let flags = spans.iter().map(|span| span.attributes.get("llmspan.attempt.hedged").cloned());
        assert_eq!(flags.take(3).collect::<Vec<_>>(), [None, None, Some(true.into())]);
    }
}

#[test]
fn a_phase_whose_own_parent_was_dropped_goes_to_the_next_one_out() {
    let phase = |name: &str, depth, start, length| {
        let mut phase = PhaseRecord::default();
        (phase.name, phase.depth) = (name.into(), depth);
        (phase.start_ns, phase.duration_ns) = (Nanos::from_nanos(start), Nanos::from_nanos(length));
        phase
    };
    let mut record = Record::default();
    record.phases = vec![
        phase("a", 0, 0, 10),
        phase("b", 1, 2, 3),
        phase("c", 2, 3, 1),
        phase("d", 3, 8, 1),  // what was around it at depths 1 and 2 is not in the list
        phase("e", 1, 12, 1), // what was around it at depth 0 is not in the list
        phase("", 0, 20, 1),
    ];
    let tree = tree(&record, Shape::Call, &[]);
    let name_of = |span_id| tree.spans.iter().find(|span| Some(span.span_id) == span_id).map(|span| span.name.as_str());
    let parents: Vec<_> =
        tree.spans[1..].iter().map(|span| (span.name.as_str(), name_of(span.parent_span_id).unwrap())).collect();
    assert_eq!(parents, [("a", "chat"), ("b", "a"), ("c", "b"), ("d", "a"), ("e", "chat"), ("phase", "chat")]);
}

#[test]
fn a_call_that_was_cancelled_before_it_began_is_one_span() {
    let record = Record::from_json(r#"{"outcome": "cancelled", "duration_ns": 3}"#).unwrap();
    for (shape, name) in [(Shape::Call, "chat"), (Shape::Attempt, "llmspan.call")] {
        let tree = tree(&record, shape, &["otel-1.41"]);
        assert_eq!(tree.spans.len(), 1);
        let span = &tree.spans[0];
        assert_eq!((span.name.as_str(), span.role, span.end_ns.as_nanos()), (name, Role::Call, 3));
        assert_eq!((span.dropped_attributes, span.dropped_events, tree.dropped_spans), (0, 0, 0));
    }
    let tree = tree(&Record::default(), Shape::Call, &["qwen-code"]);
    assert_eq!((tree.spans.len(), tree.spans[0].end_ns), (1, Nanos::ZERO));
}

#[test]
fn what_the_caller_says_of_the_trace_is_passed_on() {
    let link = Link::new(TraceId::from_bytes([1; 16]).unwrap(), SpanId::from_bytes([2; 8]).unwrap());
    let links = vec![link; 130];
    let context = context().with_trace(0, "vendor=1").with_links(&links);
    let tree = SpanTree::new(&retried(), &Layout::default(), &context).unwrap();
    assert_eq!((tree.trace_flags, tree.trace_state.as_str()), (Some(0), "vendor=1"), "unsampled calls have trees too");
    assert_eq!((tree.spans[0].links.len(), tree.spans[0].dropped_links), (128, 2));
    assert!(tree.spans[1].links.is_empty());
    let long = "a".repeat(513);
    let context = context.with_trace(1, &long);
    assert_eq!(SpanTree::new(&retried(), &Layout::default(), &context).unwrap().trace_state, "");
}

#[test]
fn whatever_is_in_a_record_stays_below_the_caps() {
    let mut record = retried();
    record.model = Some("é".repeat(10_000));
    record.attributes = (0..2 * EXPORT_ATTRIBUTES).map(|index| (format!("a{index:04}"), 1_i64.into())).collect();
    record.attributes.insert("a-text".into(), "é".repeat(100_000).into());
    record.attributes.insert("a-list".into(), vec!["é".repeat(5_000); 9].into());
    record.attributes.insert("a-nan".into(), f64::NAN.into());
    record.attributes.insert(String::new(), true.into());
    record.attributes.insert("k".repeat(EXPORT_NAME_BYTES + 1), true.into());
    record.events = vec![SpanEvent::default(); EXPORT_EVENTS + 3];
    record.attempts = vec![AttemptRecord::default(); EXPORT_SPANS + 10];
    record.diagnostics.dropped.attempts = Some(5);
    record.diagnostics.dropped.attributes = Some(7);
    record.diagnostics.dropped.events = Some(11);
    let tree = tree(&record, Shape::Call, &["otel-1.41"]);

    // 1 call, 1,034 attempts, 1 wait, 3 phases; 5 more attempts that the record dropped.
    assert_eq!((tree.spans.len(), tree.dropped_spans), (EXPORT_SPANS, 15 + 5));
    let call = &tree.spans[0];
    assert_eq!(call.name.len(), 255, "cut on a character boundary: 5 bytes of `chat ` and 125 of two bytes");
    assert_eq!(call.attributes["llmspan.dropped_spans"], 20_i64.into());
    assert_eq!((call.events.len(), call.dropped_events), (EXPORT_EVENTS, 3 + 11));
    // 9 of the profile stay, of the caller's 512 - 9. Of 1,029 the one that is no number was never an attribute.
    assert_eq!(call.attributes.len(), EXPORT_ATTRIBUTES + 1);
    assert_eq!(call.dropped_attributes, (1_028 - (512 - 9)) + 7);
    assert_eq!(call.attributes["gen_ai.usage.output_tokens"], 500_i64.into());
    let AttributeValue::Str(text) = &call.attributes["a-text"] else { panic!("a text") };
    assert_eq!(text.len(), EXPORT_VALUE_BYTES);
    let AttributeValue::StrList(texts) = &call.attributes["a-list"] else { panic!("a list") };
    assert_eq!(texts.iter().map(String::len).collect::<Vec<_>>(), [10_000, 6_384]);
    assert!(!call.attributes.contains_key("a-nan"));
    let late = SpanEvent::default();
    record.events = vec![late; 3];
    record.events[1].attempt = Some(u32::try_from(EXPORT_SPANS).unwrap());
    for (number, attempt) in (1..).zip(&mut record.attempts) {
        attempt.number = number;
    }
    let attempts = self::tree(&record, Shape::Attempt, &[]);
    assert_eq!(attempts.spans[0].events.len(), 3, "those of an attempt without a span stay with the call");
    let mut ids: Vec<_> = tree.spans.iter().map(|span| span.span_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), tree.spans.len());
}

#[test]
fn points_in_time_stand_on_the_anchor_of_the_context_where_the_record_has_none() {
    let profiles = [profile("langfuse")];
    let times = |record: &Record, shape, context: &Context<'_>| -> Vec<Option<String>> {
        let tree = SpanTree::new(record, &Layout::new(shape, &profiles), context).unwrap();
        let time = |span: &Span| match span.attributes.get("langfuse.observation.completion_start_time")? {
            AttributeValue::Str(text) => Some(text.clone()),
            other => panic!("{other:?}"),
        };
        tree.spans.iter().map(time).collect()
    };
    let mut record = retried();
    record.start_unix_ns = None;
    record.marks.first_content_ns = Some(Nanos::from_millis(2_250));
    record.attempts[1].marks.first_content_ns = Some(Nanos::from_millis(200));
    // 2026-11-01T00:00:00Z
    let begun = context().with_start(UnixNanos::from_nanos(1_793_491_200_000_000_000));
    let first = Some("2026-11-01T00:00:02.250Z".to_owned());
    assert_eq!(times(&record, Shape::Call, &begun)[0], first);
    assert_eq!(times(&record, Shape::Attempt, &begun)[2], first);
    assert!(times(&record, Shape::Call, &context()).iter().all(Option::is_none), "nobody knows when it began");
}
