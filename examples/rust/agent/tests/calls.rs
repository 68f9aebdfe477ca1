//! Calls of the agent against the local server: what their records say.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use llmspan::{
    EventLog, Failure, Memory, Nanos, Outcome, Record, Recorder, WaitReason, core::engine::Tracker,
    core::event::read_log,
};
use llmspan_example_agent::{model::Model, scenarios::Scenario};
use llmspan_examples::{
    message::Message,
    server::{Reply, Server},
    wire::{OpenAiChat, short_gap},
};
use serde_json::{Value, json};

const TEXT: &str = "Retries hide in totals, so count them apart.";
const PATH: &str = "/v1/chat/completions";

fn streamed() -> Reply {
    let answer = OpenAiChat { text: TEXT, pause: |word| short_gap(word) / 10, cut_after: None };
    answer.append_to(Reply::stream(Duration::from_millis(5)))
}

async fn ask(model: &Model, question: &str) -> Result<impl Stream<Item = reqwest::Result<Bytes>> + use<>, Failure> {
    model.stream("t-1", &[json!({"role": "user", "content": question})], &Value::Null).await
}

async fn read_text(stream: impl Stream<Item = reqwest::Result<Bytes>>) -> reqwest::Result<String> {
    let read = stream.try_fold(Message::default(), async |mut message, chunk| {
        message.push(&chunk);
        Ok(message)
    });
    Ok(read.await?.text)
}

fn only(records: &Memory) -> Record {
    let records = records.records();
    assert_eq!(records.len(), 1, "a call gives one record");
    records.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_told_apart() {
    let limited = Reply::rate_limited(Duration::from_millis(5));
    let limited = limited.with_header("Retry-After", "1").with_header("retry-after-ms", "40");
    let server = Server::start([limited.with_header("x-request-id", "req_1"), streamed()]).await.unwrap();
    let records = Memory::default();
    let model = Model::new(server.url(PATH), Recorder::new(records.clone()));

    let stream = ask(&model, "Why count retries?").await.unwrap();
    assert!(records.records().is_empty(), "the call lasts as long as its stream");
    assert_eq!(read_text(stream).await.unwrap(), TEXT);

    let record = only(&records);
    assert_eq!(record.outcome, Outcome::Success);
    assert_eq!((record.attempt_count, record.retry_count), (2, 1));
    let [first, second] = record.attempts.as_slice() else { panic!("two attempts") };
    assert_eq!((first.outcome, first.status_code), (Outcome::Error, Some(429)));
    assert_eq!(first.error.as_ref().unwrap().status_code, Some(429));
    assert_eq!(first.request_id.as_deref(), Some("req_1"));
    assert_eq!((second.outcome, second.status_code), (Outcome::Success, Some(200)));

    let [wait] = record.waits.as_slice() else { panic!("one wait") };
    assert_eq!((wait.reason, wait.server_requested, wait.aborted), (WaitReason::RateLimit, true, false));
    assert_eq!(wait.planned_delay_ns, Nanos::from_millis(40));
    assert!(wait.actual_delay_ns >= wait.planned_delay_ns);

    assert!(record.ttft_ns.is_some());
    assert!(record.request_setup_ns >= Some(wait.actual_delay_ns));
    let usage = record.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cache_read_tokens), (Some(1_204), Some(1_024)));
    assert!(usage.output_tokens.is_some());
    assert_eq!(record.phases[0].name, "prompt.build");
    assert_eq!(record.response_model.as_deref(), Some("gpt-4.1-mini-2025-04-14"));
}

#[tokio::test]
async fn a_stream_that_is_dropped_early_is_interrupted() {
    let server = Server::start([streamed()]).await.unwrap();
    let records = Memory::default();
    let model = Model::new(server.url(PATH), Recorder::new(records.clone()));

    let mut stream = Box::pin(ask(&model, "And why not?").await.unwrap());
    for _ in 0..3 {
        stream.next().await.unwrap().unwrap();
    }
    drop(stream);

    let record = only(&records);
    assert_eq!(record.outcome, Outcome::Interrupted);
    assert_eq!(record.error, None);
    assert!(record.ttft_ns.is_some(), "what was measured is kept");
}

#[tokio::test]
async fn an_agent_that_gives_up_while_it_waits_leaves_one_record() {
    let limited = Reply::rate_limited(Duration::ZERO).with_header("retry-after", "3600");
    let server = Server::start([limited]).await.unwrap();
    let records = Memory::default();
    let model = Model::new(server.url(PATH), Recorder::new(records.clone()));

    let asked = tokio::time::timeout(Duration::from_millis(100), ask(&model, "Still there?")).await;
    assert!(asked.is_err());

    let record = only(&records);
    assert_eq!(record.outcome, Outcome::Abandoned);
    assert_eq!((record.attempt_count, record.retry_count), (1, 0));
    assert!(record.waits[0].aborted);
}

#[tokio::test]
async fn the_last_failure_is_that_of_the_call() {
    let server = Server::start([]).await.unwrap();
    let records = Memory::default();
    let model = Model::new(server.url(PATH), Recorder::new(records.clone()));

    let failure = ask(&model, "Is anybody there?").await.err().unwrap();
    assert_eq!(failure.status_code, Some(404));

    let record = only(&records);
    assert_eq!(record.outcome, Outcome::Error);
    assert_eq!(record.error.unwrap().status_code, Some(404));
    assert_eq!(record.attempt_count, 1);
}

#[tokio::test]
async fn a_log_of_the_agent_replays_to_the_same_record() {
    let path = std::env::temp_dir().join(format!("llmspan-agent-{}.jsonl", std::process::id()));
    let server = Server::start([Reply::rate_limited(Duration::ZERO).with_header("retry-after-ms", "5"), streamed()]);
    let server = server.await.unwrap();
    let records = Memory::default();
    let recorder = Recorder::builder().with_sink(records.clone()).with_event_log(EventLog::create(&path).unwrap());
    let recorder = recorder.build().unwrap();
    let model = Model::new(server.url(PATH), recorder.clone());
    read_text(ask(&model, "Once more?").await.unwrap()).await.unwrap();
    recorder.flush();

    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(replay(&log), records.records());
}

#[test]
fn each_committed_capture_is_one_call() {
    let captures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    for scenario in Scenario::ALL {
        let path = captures.join(scenario.name()).with_extension("jsonl");
        let records = replay(&std::fs::read_to_string(path).unwrap());
        let [record] = records.as_slice() else { panic!("{}: one call", scenario.name()) };
        assert_eq!(record.call, scenario.name());
        let (outcome, attempts) = match scenario {
            Scenario::RateLimited => (Outcome::Success, 2),
            Scenario::CutStream => (Outcome::Error, 1),
            _ => (Outcome::Success, 1),
        };
        assert_eq!((record.outcome, record.attempt_count), (outcome, attempts), "{}", scenario.name());
        assert_eq!(record.diagnostics.decode_errors, 0);
        assert!(record.ttft_ns.is_some());
    }
}

fn replay(log: &str) -> Vec<Record> {
    let mut tracker = Tracker::new(llmspan::Config::default()).unwrap();
    for event in read_log(log).unwrap() {
        tracker.handle_event(&event);
    }
    std::iter::from_fn(|| tracker.poll_record()).collect()
}
