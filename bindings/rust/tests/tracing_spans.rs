//! Spans open and close with what they stand for, and say what the record says.
#![cfg(feature = "tracing")]

mod tracing_support;

use core::time::Duration;
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use futures_util::StreamExt as _;
use llmspan::{
    AttemptStart, CallStart, Config, Failure, Memory, Nanos, Outcome, Profile, Protocol, Recorder, Retry, WaitReason,
    core::{
        names::{Value, attempt_attributes, call_attributes},
        record::AttributeValue,
    },
};
use tokio::time::sleep;
use tracing::info_span;
use tracing_core::{
    Subscriber,
    span::{Id, Record},
};
use tracing_subscriber::{Layer, filter, layer::Context, prelude::*};
use tracing_support::{Closed, Witness, body, recorder, start, turn};

#[tokio::test]
async fn a_turn_opens_and_closes_spans_in_order() {
    let (witness, (recorder, records)) = (Witness::default(), recorder());
    let _scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(witness.clone()));
    turn(&recorder).await;

    let log = witness.log();
    let about_the_call: Vec<_> = log.iter().filter(|line| line.contains("llm.")).collect();
    let expected = [
        "+llm.chat_stream<agent.turn",
        "+llm.call<llm.chat_stream",
        "-llm.call",
        r#"!llm.retry<llm.chat_stream {"delay_ms": "400", "message": "\"retry scheduled\"", "reason": "\"rate_limit\""}"#,
        "+llm.call<llm.chat_stream",
        "-llm.call",
        "-llm.chat_stream",
    ];
    assert_eq!(about_the_call, expected);
    // The other task's spans are its own, though they open while the call is open on the same thread.
    assert_eq!(log.iter().filter(|line| line.starts_with("+other.work")).count(), 8);
    assert!(log.iter().filter(|line| line.starts_with("+other.work")).all(|line| line == "+other.work<other.turn"));

    let call = &witness.closed("llm.chat_stream")[0];
    assert_eq!(
        call.at_start,
        texts([
            ("llm.message_count", "9"),
            ("llm.model", "\"claude-sonnet-4-5\""),
            ("llm.tool_count", "4"),
            ("otel.kind", "\"client\""),
            ("task.id", "\"t-17\""),
        ])
    );
    assert_eq!(call.later, texts([("llm.attempt", "1"), ("llm.stop_reason", "\"end_turn\"")]));

    let attempts = witness.closed("llm.call");
    for (attempt, index) in attempts.iter().zip(["0", "1"]) {
        let mut expected = call.at_start.clone();
        expected.insert("llm.attempt", index.into());
        assert_eq!(attempt.at_start, expected);
    }
    let refused = &attempts[0].later;
    assert_eq!((&*refused["llm.error"], &*refused["otel.status_code"]), ("\"429\"", "\"ERROR\""));
    assert_eq!(refused.keys().collect::<Vec<_>>(), [&"llm.duration_ms", &"llm.error", &"otel.status_code"]);
    let mut answered = attempts[1].later.clone();
    answered.remove("llm.duration_ms").unwrap();
    assert_eq!(
        answered,
        texts([
            ("llm.cache_creation_tokens", "20"),
            ("llm.cache_read_tokens", "3"),
            ("llm.input_tokens", "123"),
            ("llm.output_tokens", "42"),
            ("llm.stop_reason", "\"end_turn\""),
        ])
    );
    assert_eq!(records.records()[0].outcome, Outcome::Success);
}

#[tokio::test]
async fn every_value_is_that_of_the_final_record_and_its_profile() {
    let (witness, (recorder, records)) = (Witness::default(), recorder());
    let _scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(witness.clone()));
    turn(&recorder).await;

    let ares = Profile::by_name("ares").unwrap();
    let record = &records.records()[0];
    let attempts = witness.closed("llm.call");
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|span| span.name == ares.call_span_name(record)));
    for (span, rendered) in attempts.iter().zip(attempt_attributes(record, &[ares])) {
        assert_eq!(fields(span), rendered.iter().map(|(name, value)| (name.as_str(), text(value))).collect());
    }
    let rendered = call_attributes(record, &[ares]);
    let call = &witness.closed("llm.chat_stream")[0];
    assert!(fields(call).iter().all(|(name, value)| text(&rendered[*name]) == *value));

    // All names of the profile are fields, whether or not this call has a value for them.
    let known = Value::ALL.iter().filter_map(|value| ares.attempt_name(*value));
    let seen: Vec<_> = attempts.iter().flat_map(fields).map(|(name, _)| name).collect();
    assert!(known.clone().count() == 12 && known.clone().all(|name| seen.contains(&name)));
}

#[tokio::test]
async fn a_stream_that_is_dropped_closes_its_spans() {
    let (witness, (recorder, records)) = (Witness::default(), recorder());
    let _scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(witness.clone()));
    let call = recorder.call(start());
    let mut stream = Box::pin(call.attempt().observe(body(), Protocol::AnthropicMessages).ending(call));
    for _ in 0..3 {
        stream.next().await.unwrap().unwrap();
    }
    assert_eq!(witness.log(), ["+llm.chat_stream<", "+llm.call<llm.chat_stream"]);
    drop(stream);

    assert_eq!(witness.log()[2..], ["-llm.call", "-llm.chat_stream"]);
    assert_eq!(records.records()[0].outcome, Outcome::Interrupted);
    let attempt = &witness.closed("llm.call")[0];
    assert_eq!(attempt.later["llm.input_tokens"], "123");
    assert!(!attempt.later.contains_key("llm.error"));
}

#[test]
fn a_call_may_end_on_another_thread() {
    let (witness, (recorder, records)) = (Witness::default(), recorder());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(witness.clone()), || {
        let turn = info_span!("agent.turn").entered();
        let call = recorder.call(start());
        drop(turn);
        // That thread has no subscriber of its own.
        let worker = thread::spawn(move || {
            call.attempt().failed(Failure::of_type("network"));
            call.attempt().failed(Failure::of_status(503));
            call.fail(Failure::default());
        });
        worker.join().unwrap();
    });
    assert_eq!(records.records()[0].outcome, Outcome::Error);
    let (call, attempts) = (&witness.closed("llm.chat_stream")[0], witness.closed("llm.call"));
    assert_eq!((call.parent, &*call.later["llm.error"]), (Some("agent.turn"), "\"503\""));
    assert_eq!(call.later["otel.status_code"], "\"ERROR\"");
    assert_eq!(attempts[0].later["llm.error"], "\"network\"");
    assert_eq!(attempts[1].later["llm.error"], "\"503\"");
}

#[test]
fn attempts_of_many_threads_open_and_close_once_each() {
    let (witness, (recorder, _)) = (Witness::default(), recorder());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(witness.clone()), || {
        let call = recorder.call(CallStart::new("chat"));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..4 {
                        let mut hedged = AttemptStart::default();
                        hedged.hedged = true;
                        call.attempt_with(hedged).failed(Failure::of_status(500));
                    }
                });
            }
        });
        call.end();
    });
    let attempts = witness.closed("llm.call");
    let numbers: BTreeSet<_> = attempts.iter().map(|attempt| &*attempt.at_start["llm.attempt"]).collect();
    assert_eq!((attempts.len(), numbers.len()), (16, 16));
    assert!(attempts.iter().all(|attempt| attempt.later["llm.error"] == "\"500\""));
    assert_eq!(witness.log().last().unwrap(), "-llm.chat");
}

#[tokio::test]
async fn a_call_cut_in_its_wait_closes_at_once() {
    let (witness, (recorder, records)) = (Witness::default(), recorder());
    let _scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(witness.clone()));
    let running = async {
        let call = recorder.call(start());
        call.attempt().failed(Failure::of_status(429));
        call.retry_scheduled(Retry::after(Nanos::from_secs(60), WaitReason::RateLimit));
        sleep(Duration::from_secs(60)).await;
        call.end();
    };
    assert!(tokio::time::timeout(Duration::from_millis(20), running).await.is_err());
    assert_eq!(witness.log().last().unwrap(), "-llm.chat_stream");
    assert_eq!(records.records().len(), 1);
}

#[test]
fn an_attempt_ends_with_what_ended_it() {
    let (witness, (recorder, _)) = (Witness::default(), recorder());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(witness.clone()), || {
        let call = recorder.call(CallStart::new("chat"));
        let open = || {
            witness
                .log()
                .iter()
                .map(|line| i32::from(line.starts_with("+llm.call")) - i32::from(line == "-llm.call"))
                .sum::<i32>()
        };
        let first = call.attempt();
        assert_eq!(open(), 1);
        first.stream_ended();
        assert_eq!(open(), 0);
        let second = call.attempt();
        call.attempt();
        assert_eq!(open(), 1, "the second is abandoned when the third begins");
        second.failed(Failure::of_status(500));
        let mut hedged = AttemptStart::default();
        hedged.hedged = true;
        let fourth = call.attempt_with(hedged);
        assert_eq!(open(), 2, "hedged attempts run side by side");
        fourth.failed(Failure::of_status(500));
        assert_eq!(open(), 1);
        call.retry_scheduled(Retry::after(Nanos::from_millis(1), WaitReason::Content));
        assert_eq!(open(), 0);

        // A whole body, then a tool: the phase is not part of the attempt.
        let fifth = call.attempt();
        fifth.bytes(
            Protocol::OpenAiChat,
            br#"{"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}]}"#,
        );
        let building = call.phase("response.parse");
        assert_eq!(open(), 0);
        building.end();
        call.cancelled();
        drop(call);
        assert_eq!(witness.closed("llm.chat").len(), 1);
    });
}

#[test]
fn attempts_past_the_cap_close_too() {
    let witness = Witness::default();
    let mut config = Config::default();
    config.limits.attempts = 2;
    let recorder = Recorder::builder().with_config(config).with_tracing().build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(witness.clone()), || {
        let call = recorder.call(CallStart::new("embeddings"));
        for _ in 0..5 {
            call.attempt();
        }
        call.end();
    });
    assert_eq!(witness.closed("llm.call").len(), 5);
    assert_eq!(witness.closed("llm.embeddings").len(), 1);
}

#[test]
fn names_of_operations_are_bounded() {
    let (witness, (recorder, _)) = (Witness::default(), recorder());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(witness.clone()), || {
        for number in 0..200 {
            recorder.call(CallStart::new(&format!("operation-{number}"))).end();
        }
        recorder.call(start()).end();
    });
    let names: BTreeSet<_> = witness.log().into_iter().filter(|line| line.starts_with('+')).collect();
    assert!(names.len() <= 66, "{}", names.len());
    assert!(!witness.closed("llm.other").is_empty());
}

#[test]
fn a_subscriber_gets_what_it_wants() {
    // Spans of attempts only, by a filter that looks every time.
    let (witness, (recorder, _)) = (Witness::default(), recorder());
    let only =
        filter::dynamic_filter_fn(|metadata, _| metadata.name() == "llm.call" || metadata.name() == "agent.turn");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(witness.clone().with_filter(only)), || {
        let _turn = info_span!("agent.turn").entered();
        let call = recorder.call(start());
        call.attempt();
        call.end();
    });
    assert_eq!(witness.log(), ["+agent.turn<", ">agent.turn", "+llm.call<agent.turn", "-llm.call", "-agent.turn"]);

    // Two layers that want different things, and a span of the application after it.
    let (attempts, others) = (Witness::default(), Witness::default());
    let layers = tracing_subscriber::registry()
        .with(attempts.clone().with_filter(filter::dynamic_filter_fn(|metadata, _| metadata.name() == "llm.call")))
        .with(others.clone().with_filter(filter::dynamic_filter_fn(|metadata, _| metadata.name() != "llm.call")));
    tracing::subscriber::with_default(layers, || {
        let call = recorder.call(start());
        call.attempt().failed(Failure::of_status(429));
        call.retry_scheduled(Retry::after(Nanos::from_millis(1), WaitReason::RateLimit));
        drop(info_span!("other.work"));
        call.end();
    });
    assert_eq!(attempts.log(), ["+llm.call<", "-llm.call"]);
    let log = others.log();
    let starts: Vec<_> = log.iter().map(|line| line.split(['<', ' ']).next().unwrap()).collect();
    assert_eq!(starts, ["+llm.chat_stream", "!llm.retry", "+other.work", "-other.work", "-llm.chat_stream"]);

    // Nothing below a warning.
    let witness = Witness::default();
    let warnings = tracing_subscriber::registry().with(filter::LevelFilter::WARN).with(witness.clone());
    tracing::subscriber::with_default(warnings, || {
        let call = recorder.call(start());
        call.attempt();
        call.end();
    });
    assert!(witness.log().is_empty());
}

#[test]
fn a_subscriber_that_panics_takes_no_record_away() {
    struct Panicking;
    impl<S: Subscriber> Layer<S> for Panicking {
        fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
            panic!("a layer of the application");
        }

        fn on_close(&self, _: Id, _: Context<'_, S>) {
            panic!("again");
        }
    }

    let (recorder, records) = recorder();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(Panicking), || {
        let call = recorder.call(start());
        call.attempt();
        call.end();
    });
    assert_eq!(records.records().len(), 1);
    assert!(recorder.stats().sink_panics > 0);
}

#[test]
fn nothing_is_opened_unless_it_was_asked_for() {
    let (witness, records) = (Witness::default(), Memory::default());
    let recorder = Recorder::new(records.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(witness.clone()), || {
        let call = recorder.call(start());
        call.attempt();
        call.end();
    });
    assert!(witness.log().is_empty());
    assert_eq!(records.records().len(), 1);
}

fn texts<const N: usize>(fields: [(&'static str, &str); N]) -> BTreeMap<&'static str, String> {
    fields.map(|(name, value)| (name, value.into())).into()
}

/// All fields of a span but those for `tracing-opentelemetry`.
fn fields(span: &Closed) -> BTreeMap<&'static str, String> {
    let all = span.at_start.iter().chain(&span.later);
    all.filter(|(name, _)| !name.starts_with("otel.")).map(|(name, value)| (*name, value.clone())).collect()
}

fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Int(value) => value.to_string(),
        AttributeValue::Str(value) => format!("{value:?}"),
        other => panic!("{other:?} is no value of this profile"),
    }
}
