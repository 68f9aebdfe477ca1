//! A broker in front of providers on this machine, a client, and what the tests say about records.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::time::Duration;

use bytes::Bytes;
use llmspan::{Memory, Metrics, Nanos, Record, Recorder, core::metrics::MetricNames};
use llmspan_example_broker::{app::Broker, config::Upstream};
use llmspan_examples::server::Server;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

pub(crate) const MODEL: &str = "gpt-4.1-mini";

/// A running broker. It stops when it is dropped.
pub(crate) struct Bench {
    pub(crate) client: Client,
    pub(crate) recorder: Recorder,
    records: Memory,
    url: String,
    task: JoinHandle<()>,
}

impl Bench {
    pub(crate) async fn start(upstreams: Vec<Upstream>) -> Self {
        let records = Memory::default();
        let metrics = Metrics::new(MetricNames::by_profile("otel-1.41").unwrap());
        let builder = Recorder::builder().with_sink(records.clone()).with_sink(metrics.clone());
        let recorder = builder.build().unwrap();
        let broker = Broker::new(upstreams, recorder.clone(), metrics);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            broker.serve(listener, std::future::pending(), Duration::ZERO).await.unwrap();
        });
        Self { client: Client::new(), recorder, records, url, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) async fn post(&self, request: &Value) -> Response {
        let post = self.client.post(self.url("/v1/chat/completions")).body(request.to_string());
        post.send().await.unwrap()
    }

    /// Posts, and reads the whole answer.
    pub(crate) async fn ask(&self, request: &Value) -> (StatusCode, Bytes) {
        let response = self.post(request).await;
        (response.status(), response.bytes().await.unwrap())
    }

    /// The records of that many calls: the last one may come a moment after its client has everything.
    pub(crate) async fn records<const N: usize>(&self) -> [Record; N] {
        wait_until("the records", || self.records.records().len() >= N).await;
        self.records.records().try_into().unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A provider with one key for ten requests.
pub(crate) fn upstream(provider: &str, model: &str, server: &Server) -> Upstream {
    Upstream {
        provider: provider.into(),
        model: model.into(),
        url: server.url("/v1/chat/completions"),
        keys: vec!["sk-1".into()],
        requests_per_key: 10,
    }
}

pub(crate) fn openai(server: &Server) -> Upstream {
    upstream("openai", MODEL, server)
}

pub(crate) fn question(streamed: bool) -> Value {
    json!({"model": MODEL, "stream": streamed, "messages": [{"role": "user", "content": "Where is order 4711?"}]})
}

pub(crate) async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}: not within ten seconds");
}

/// The names of the phases, which follow each other without an overlap.
pub(crate) fn phases(record: &Record) -> Vec<&str> {
    for pair in record.phases.windows(2) {
        assert!(pair[0].start_ns.saturating_add(pair[0].duration_ns) <= pair[1].start_ns, "{:?}", record.phases);
    }
    assert!(record.phases.iter().all(|phase| phase.depth == 0 && !phase.left_open));
    record.phases.iter().map(|phase| phase.name.as_str()).collect()
}

/// Start and end of a phase, from the start of the call.
pub(crate) fn phase(record: &Record, name: &str) -> (Nanos, Nanos) {
    let phase = record.phases.iter().find(|phase| phase.name == name).unwrap();
    (phase.start_ns, phase.start_ns.saturating_add(phase.duration_ns))
}

/// Start and end of each attempt, from the start of the call.
pub(crate) fn attempts<const N: usize>(record: &Record) -> [(Nanos, Nanos); N] {
    let spans = record.attempts.iter().map(|it| (it.start_ns, it.start_ns.saturating_add(it.duration_ns)));
    spans.collect::<Vec<_>>().try_into().unwrap()
}
