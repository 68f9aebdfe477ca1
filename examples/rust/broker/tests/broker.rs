//! Requests through the broker: what clients get, and what the records say.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

mod support;

use std::time::Duration;

use futures_util::StreamExt as _;
use llmspan::{Nanos, Outcome, WaitReason};
use llmspan_examples::{
    demo::{ANSWER, ARGUMENTS, FOUND, TOOL},
    server::{Reply, Server},
    wire::{OpenAiChat, completion, short_gap, streamed_tool_call, tool_call},
};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use support::{Bench, MODEL, attempts, openai, phase, phases, question, upstream, wait_until};
use tokio::time::{Instant, sleep};

const SOON: Duration = Duration::from_millis(10);
const NEVER: Duration = Duration::from_secs(3_600);

fn answer() -> Reply {
    Reply::json(SOON, completion(ANSWER))
}

fn streamed(text: &str) -> Reply {
    OpenAiChat { text, pause: |word| short_gap(word) / 10, cut_after: None }.append_to(Reply::stream(SOON))
}

/// A stream that stands still after its first words.
fn endless() -> Reply {
    let pause = |word| if word == 3 { NEVER } else { Duration::ZERO };
    OpenAiChat { text: ANSWER, pause, cut_after: None }.append_to(Reply::stream(SOON))
}

#[tokio::test]
async fn an_answer_names_its_phases() {
    let server = Server::start([answer()]).await.unwrap();
    let broker = Bench::start(vec![openai(&server)]).await;
    let (status, body) = broker.ask(&question(false)).await;

    assert_eq!(status, StatusCode::OK);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["choices"][0]["message"]["content"], &body["provider"]), (&json!(ANSWER), &json!("openai")));

    let [record] = broker.records().await;
    assert_eq!((record.outcome, record.stream), (Outcome::Success, false));
    assert_eq!(phases(&record), ["route", "key_pool.acquire", "request.serialize", "response.serialize"]);
    let [(began, ended)] = attempts(&record);
    assert!(phase(&record, "request.serialize").1 <= began && ended <= phase(&record, "response.serialize").0);
    assert!(ended.saturating_sub(began) >= Nanos::from_millis(10));
    assert_eq!(record.usage.unwrap().input_tokens, Some(1_204));
}

#[tokio::test]
async fn a_stream_passes_unchanged() {
    // With a tool of the broker's in the request, the first chunks are held back until there is text.
    for (text, tools) in [(ANSWER, None), (ANSWER, Some(json!([]))), ("", None)] {
        let reply = streamed(text);
        let server = Server::start([reply.clone()]).await.unwrap();
        let broker = Bench::start(vec![openai(&server)]).await;
        let mut request = question(true);
        if let Some(tools) = tools {
            request["tools"] = tools;
        }
        let response = broker.post(&request).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.bytes().await.unwrap(), reply.body());

        let [record] = broker.records().await;
        assert_eq!((record.outcome, record.stream), (Outcome::Success, true));
        assert_eq!(phases(&record), ["route", "key_pool.acquire", "request.serialize"]);
        assert_eq!(record.ttft_ns.is_some(), !text.is_empty());
    }
}

#[tokio::test]
async fn a_full_key_pool_is_waited_for() {
    let server = Server::start([endless(), answer()]).await.unwrap();
    let mut one_at_a_time = openai(&server);
    one_at_a_time.requests_per_key = 1;
    let broker = Bench::start(vec![one_at_a_time]).await;

    // The first client has the only key as long as it has its stream. What came is there, though the stream goes on.
    let mut first = broker.post(&question(true)).await.bytes_stream();
    assert!(first.next().await.unwrap().is_ok());
    let request = question(false);
    let second = broker.ask(&request);
    let leave = async {
        wait_until("the second call", || broker.recorder.stats().open_calls == 2).await;
        let began = Instant::now();
        sleep(Duration::from_millis(400)).await;
        drop(first);
        began.elapsed()
    };
    let ((status, _), waited) = tokio::join!(second, leave);

    assert_eq!(status, StatusCode::OK);
    let [first, second] = broker.records().await;
    assert_eq!(first.outcome, Outcome::Interrupted);
    assert_eq!(first.phases[1].name, "key_pool.acquire");
    assert!(first.phases[1].duration_ns < Nanos::from_millis(300), "the pool was free");
    let (from, to) = phase(&second, "key_pool.acquire");
    // The phase may begin a moment after the call.
    let waited = Nanos::from_millis(u64::try_from(waited.as_millis()).unwrap() - 50);
    assert!(to.saturating_sub(from) >= waited, "{:?}", second.phases);
    let [(began, ended)] = attempts(&second);
    assert!(to <= began && ended.saturating_sub(began) < to.saturating_sub(from), "the wait is not in the attempt");
}

#[tokio::test]
async fn a_rate_limit_is_retried_when_the_provider_says() {
    let limited = Reply::rate_limited(SOON).with_header("retry-after", "1").with_header("retry-after-ms", "300");
    let server = Server::start([limited, streamed(ANSWER)]).await.unwrap();
    let broker = Bench::start(vec![openai(&server)]).await;
    let (status, _) = broker.ask(&question(true)).await;

    assert_eq!(status, StatusCode::OK);
    let [record] = broker.records().await;
    assert_eq!((record.outcome, record.attempt_count), (Outcome::Success, 2));
    let [wait] = record.waits.as_slice() else { panic!("one wait: {:?}", record.waits) };
    assert_eq!((wait.reason, wait.server_requested), (WaitReason::RateLimit, true));
    assert_eq!(wait.planned_delay_ns, Nanos::from_millis(300));
    assert!(wait.actual_delay_ns >= Nanos::from_millis(300));
    let [(_, refused), (began, ended)] = attempts(&record);
    assert!(began.saturating_sub(refused) >= Nanos::from_millis(300), "the wait is between the attempts");
    assert!(ended.saturating_sub(began) <= record.duration_ns.saturating_sub(Nanos::from_millis(300)));
    let each = ["key_pool.acquire", "request.serialize"];
    assert_eq!(phases(&record), [&["route"], &each[..], &each].concat());
    assert!(record.phases[3].start_ns >= wait.start_ns.saturating_add(wait.actual_delay_ns), "the wait ends first");
    assert_eq!(record.attempts[0].status_code, Some(429));
}

#[tokio::test]
async fn tools_run_between_the_attempts() {
    let server = Server::start([Reply::json(SOON, tool_call(TOOL, ARGUMENTS)), Reply::json(SOON, completion(FOUND))]);
    let server = server.await.unwrap();
    let broker = Bench::start(vec![openai(&server)]).await;
    let (_, body) = broker.ask(&question(false)).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], FOUND);

    let [_, second] = server.requests().try_into().unwrap();
    let [_, asked, result] = second["messages"].as_array().unwrap().as_slice() else { panic!("{second}") };
    assert_eq!(asked["tool_calls"][0]["function"], json!({"name": TOOL, "arguments": ARGUMENTS}));
    assert_eq!(result["tool_call_id"], asked["tool_calls"][0]["id"]);
    assert_eq!(result["content"], r#"{"order":"4711","place":"Hamburg"}"#);

    let [record] = broker.records().await;
    let each = ["key_pool.acquire", "request.serialize"];
    let expected = [&["route"], &each[..], &["tool.execute"], &each, &["response.serialize"]].concat();
    assert_eq!(phases(&record), expected);
    let [(_, asked), (answering, _)] = attempts(&record);
    let (from, to) = phase(&record, "tool.execute");
    assert!(asked <= from && to <= answering && to.saturating_sub(from) >= Nanos::from_millis(40));
    assert_eq!((record.outcome, record.waits.len()), (Outcome::Success, 0));
    assert_eq!(record.attempts[0].tool_call_count, 1);
    assert_eq!(record.total_usage.unwrap().input_tokens, Some(2 * 1_204), "both rounds are paid for");
}

#[tokio::test]
async fn a_streamed_tool_call_is_for_the_broker_alone() {
    let reply = streamed(FOUND);
    let server =
        Server::start([streamed_tool_call(Reply::stream(SOON), TOOL, ARGUMENTS), reply.clone()]).await.unwrap();
    let broker = Bench::start(vec![openai(&server)]).await;
    let (_, body) = broker.ask(&question(true)).await;
    assert_eq!(body, reply.body());
    assert_eq!(server.requests()[1]["messages"][2]["content"], r#"{"order":"4711","place":"Hamburg"}"#);
    let [record] = broker.records().await;
    assert_eq!((record.outcome, record.attempt_count), (Outcome::Success, 2));
    assert!(phases(&record).contains(&"tool.execute"));
}

#[tokio::test]
async fn tools_of_the_client_are_the_clients() {
    let reply = streamed_tool_call(Reply::stream(SOON), TOOL, ARGUMENTS);
    let server = Server::start([reply.clone()]).await.unwrap();
    let broker = Bench::start(vec![openai(&server)]).await;
    let mut request = question(true);
    request["tools"] = json!([{"type": "function", "function": {"name": TOOL}}]);
    let (_, body) = broker.ask(&request).await;
    assert_eq!(body, reply.body());
}

#[tokio::test]
async fn another_provider_answers_in_place_of_one_that_is_busy() {
    let busy = Server::start([Reply::rate_limited(SOON).with_header("retry-after", "60")]).await.unwrap();
    let other = Server::start([answer()]).await.unwrap();
    let upstreams = vec![openai(&busy), upstream("groq", "llama-4", &other)];
    let broker = Bench::start(upstreams).await;
    let (status, body) = broker.ask(&question(false)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["provider"], "groq");
    assert_eq!((&busy.requests()[0]["model"], &other.requests()[0]["model"]), (&json!(MODEL), &json!("llama-4")));

    let [record] = broker.records().await;
    assert_eq!((record.outcome, record.model.as_deref()), (Outcome::Success, Some(MODEL)));
    let [first, second] = record.attempts.as_slice() else { panic!("two attempts") };
    assert_eq!((first.status_code, first.provider.as_deref()), (Some(429), Some("openai")));
    assert_eq!((second.provider.as_deref(), second.model.as_deref()), (Some("groq"), Some("llama-4")));
    assert_eq!(record.waits[0].reason, WaitReason::Fallback);
    assert!(record.duration_ns < Nanos::from_millis(60_000));
}

#[tokio::test]
async fn a_request_that_is_wrong_is_not_sent_twice() {
    let server = Server::start([]).await.unwrap();
    let broker = Bench::start(vec![openai(&server), openai(&server)]).await;
    assert_eq!(broker.ask(&question(true)).await.0, StatusCode::NOT_FOUND);
    let [record] = broker.records().await;
    assert_eq!((record.outcome, record.attempt_count), (Outcome::Error, 1));
    assert_eq!(record.error.unwrap().status_code, Some(404));
}

#[tokio::test]
async fn bodies_that_are_none_of_ours_do_no_harm() {
    let server = Server::start([Reply::json(SOON, "[1]"), Reply::json(SOON, "<html>")]).await.unwrap();
    let broker = Bench::start(vec![openai(&server)]).await;
    for expected in ["[1]", "<html>"] {
        let (status, body) = broker.ask(&question(false)).await;
        assert_eq!((status, &body[..]), (StatusCode::OK, expected.as_bytes()));
    }
    assert_eq!(broker.ask(&json!([])).await.0, StatusCode::BAD_REQUEST);
    let [_, _] = broker.records().await;
}

#[tokio::test]
async fn a_client_that_leaves_interrupts_its_call() {
    let waiting = Reply::stream(NEVER);
    let server = Server::start([endless(), waiting]).await.unwrap();
    let broker = Bench::start(vec![openai(&server)]).await;

    let mut stream = broker.post(&question(true)).await.bytes_stream();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    let [in_the_middle] = broker.records().await;
    assert_eq!((in_the_middle.outcome, in_the_middle.error), (Outcome::Interrupted, None));
    assert!(in_the_middle.ttft_ns.is_some(), "what was measured is kept");

    // Another one leaves before the first byte.
    let request = question(true);
    tokio::select! {
        _ = broker.ask(&request) => panic!("nothing is answered"),
        () = wait_until("the second request", || server.requests().len() == 2) => {}
    }
    let [_, before] = broker.records().await;
    assert_eq!((before.outcome, before.ttft_ns), (Outcome::Interrupted, None));
    assert_eq!(before.attempt_count, 1);
}

#[tokio::test]
async fn metrics_have_the_calls() {
    let server = Server::start([answer(), streamed(ANSWER)]).await.unwrap();
    let broker = Bench::start(vec![openai(&server)]).await;
    broker.ask(&question(false)).await;
    broker.ask(&question(true)).await;
    let [_, _] = broker.records().await;

    let scrape = async |accept: &'static str| {
        let get = broker.client.get(broker.url("/metrics")).header(header::ACCEPT, accept);
        let response = get.send().await.unwrap();
        let content_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        (content_type, String::from_utf8(response.bytes().await.unwrap().into()).unwrap())
    };
    let (content_type, text) = scrape("application/openmetrics-text;version=1.0.0").await;
    assert!(content_type.starts_with("application/openmetrics-text"));
    assert!(text.ends_with("# EOF\n"));
    let calls = text.lines().filter(|line| line.starts_with("llmspan_calls_total{"));
    let calls: f64 = calls.map(|line| line.split(' ').nth(1).unwrap().parse::<f64>().unwrap()).sum();
    assert!((calls - 2.0).abs() < 1e-9, "{text}");
    let (content_type, _) = scrape("text/plain").await;
    assert!(content_type.starts_with("text/plain"));
}
