//! A broker that is told to stop loses nothing: every span is at the receiver, once.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

#[path = "support/receiver.rs"]
mod receiver;
mod support;

use std::{
    collections::BTreeSet,
    net::TcpListener,
    thread::{self, JoinHandle},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use llmspan::RecorderStats;
use llmspan_example_broker::{
    config::{Config, Upstream},
    run::run,
};
use llmspan_examples::{
    demo::ANSWER,
    server::{Reply, Server},
    wire::{OpenAiChat, completion},
};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use receiver::{Received, text};
use reqwest::{Client, Response};
use support::{openai, question};
use tokio::sync::oneshot;

/// A broker as its binary runs it, on a thread of its own.
struct Running {
    url: String,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    thread: JoinHandle<RecorderStats>,
}

impl Running {
    fn start(upstream: Upstream, otlp: String, grace: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let url = format!("http://{address}/v1/chat/completions");
        let config = Config { address, upstreams: vec![upstream], otlp: Some(otlp), trace: None, grace };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || run(config, listener, async { stopped.await.unwrap_or_default() }).unwrap());
        Self { url, client: Client::new(), stop: Some(stop), thread }
    }

    async fn post(&self, streamed: bool) -> Response {
        self.client.post(&self.url).body(question(streamed).to_string()).send().await.unwrap()
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the end, without holding the runtime up.
    async fn end(self) -> RecorderStats {
        tokio::task::spawn_blocking(|| self.thread.join().unwrap()).await.unwrap()
    }
}

fn stream_of(pause: fn(usize) -> Duration) -> Reply {
    OpenAiChat { text: ANSWER, pause, cut_after: None }.append_to(Reply::stream(Duration::ZERO))
}

fn calls(spans: &[Span]) -> Vec<&Span> {
    spans.iter().filter(|span| span.parent_span_id.is_empty()).collect()
}

fn assert_each_is_there_once(spans: &[Span]) {
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    assert_eq!(ids.len(), spans.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_and_a_full_queue_get_through() {
    const CALLS: usize = 200;
    let (received, otlp) = Received::start().await;
    let server = Server::answering(|request| {
        let is_streamed = request["stream"] == true;
        let whole = || Reply::json(Duration::ZERO, completion(ANSWER));
        if is_streamed { stream_of(|_| Duration::from_millis(50)) } else { whole() }
    });
    let server = server.await.unwrap();
    let mut running = Running::start(openai(&server), otlp, Duration::from_secs(30));

    stream::iter(0..CALLS)
        .for_each_concurrent(8, |_| async { drop(running.post(false).await.bytes().await.unwrap()) })
        .await;
    let mut open = running.post(true).await.bytes_stream();
    let first = open.next().await.unwrap().unwrap();
    running.stop();
    let rest: Vec<_> = open.map(Result::unwrap).collect().await;
    assert!([&[first], &rest[..]].concat().concat().ends_with(b"data: [DONE]\n\n"), "the stream was not cut");
    assert_eq!(running.end().await.records, 201);

    let spans = received.spans();
    assert_each_is_there_once(&spans);
    let count = |name: &str| spans.iter().filter(|span| span.name == name).count();
    // Only bodies that come whole are serialized again.
    for (name, expected) in [
        ("chat gpt-4.1-mini", CALLS + 1),
        ("attempt", CALLS + 1),
        ("route", CALLS + 1),
        ("key_pool.acquire", CALLS + 1),
        ("request.serialize", CALLS + 1),
        ("response.serialize", CALLS),
    ] {
        assert_eq!(count(name), expected, "{name}");
    }
    assert_eq!(spans.len(), 6 * CALLS + 5);
    let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace_id).collect();
    assert_eq!(traces.len(), CALLS + 1);
    let calls = calls(&spans);
    assert_eq!(calls.len(), CALLS + 1);
    assert!(calls.iter().all(|call| text(call, "error.type").is_none()));
    assert!(received.metrics().iter().any(|name| name == "gen_ai.client.operation.duration"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_does_not_end_is_cut_after_the_grace() {
    let (received, otlp) = Received::start().await;
    let server =
        Server::start([stream_of(|word| Duration::from_secs(if word == 2 { 3_600 } else { 0 }))]).await.unwrap();
    let mut running = Running::start(openai(&server), otlp, Duration::from_millis(200));
    let mut open = running.post(true).await.bytes_stream();
    assert!(open.next().await.unwrap().is_ok());
    running.stop();
    // The client sees that it has not got everything.
    let ends: Vec<_> = open.collect().await;
    assert!(ends.last().unwrap().is_err());
    let stats = running.end().await;
    assert_eq!((stats.records, stats.open_calls), (1, 0));

    let spans = received.spans();
    assert_each_is_there_once(&spans);
    let [call] = calls(&spans)[..] else { panic!("one call: {spans:?}") };
    assert_eq!(text(call, "error.type"), Some("shutdown"));
    assert_eq!(call.status.as_ref().unwrap().code(), StatusCode::Error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_holds_nobody_up() {
    let (received, otlp) = Received::start().await;
    // More than the buffers on the way hold.
    let comment = format!(": {}\n\n", "x".repeat(64 << 20));
    let server = Server::start([stream_of(|_| Duration::ZERO).then(Duration::ZERO, comment)]).await.unwrap();
    // Time enough to fill them.
    let mut running = Running::start(openai(&server), otlp, Duration::from_millis(500));
    let unread = running.post(true).await;
    running.stop();
    let stats = running.end().await;
    assert_eq!((stats.records, stats.open_calls), (1, 0));
    assert_eq!(calls(&received.spans()).len(), 1);
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_changes_nothing_for_clients() {
    let server = Server::start([Reply::json(Duration::ZERO, completion(ANSWER))]).await.unwrap();
    // Nobody listens on the discard port.
    let mut running = Running::start(openai(&server), "http://127.0.0.1:9".into(), Duration::ZERO);
    assert!(running.post(false).await.status().is_success());
    running.stop();
    assert_eq!(running.end().await.records, 1);
}
