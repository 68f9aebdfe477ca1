//! Processes that export with OTLP as the environment says, and a server that takes what they send.
#![allow(dead_code, reason = "each test file uses its part of it")]

use core::net::{Ipv4Addr, SocketAddr};
use std::{
    env,
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use llmspan::{
    Recorder,
    opentelemetry::{Instruments, MetricNames, Spans},
};
use opentelemetry::global;
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value},
};
use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
use prost::Message as _;
use tokio::net::TcpListener;

/// What an application sets up: providers whose exporters read the environment, and a recorder that writes to them.
pub(crate) struct Application {
    pub(crate) tracers: SdkTracerProvider,
    pub(crate) meters: SdkMeterProvider,
    pub(crate) spans: Spans,
    pub(crate) instruments: Instruments,
    pub(crate) recorder: Recorder,
}

impl Application {
    pub(crate) fn new() -> Self {
        let exporter = SpanExporter::builder().with_http().build().unwrap();
        let tracers = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
        let exporter = MetricExporter::builder().with_http().build().unwrap();
        let meters = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
        global::set_tracer_provider(tracers.clone());
        global::set_meter_provider(meters.clone());

        let spans = Spans::global();
        let instruments = Instruments::global(MetricNames::by_profile("otel-1.41").unwrap());
        let builder = Recorder::builder().with_sink(spans.clone()).with_sink(instruments.clone());
        Self { tracers, meters, spans, instruments, recorder: builder.build().unwrap() }
    }
}

/// Whether this process is one that [`run`] started.
pub(crate) fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Runs one test of this file in a process of its own, which has the variables in its environment, and expects it to pass.
/// Variables of a running process cannot be set safely.
pub(crate) fn run(test: &str, variables: &[(&str, &str)]) {
    let inherited: Vec<_> = env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("OTEL_")).collect();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env_clear()
        .envs(inherited)
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{output:?}");
}

const CHILD: &str = "LLMSPAN_TEST_CHILD";

/// A server that takes OTLP over HTTP. Clones share what it has got.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    got: Arc<Mutex<Got>>,
}

#[derive(Clone, Default)]
pub(crate) struct Got {
    pub(crate) traces: Vec<ExportTraceServiceRequest>,
    pub(crate) metrics: Vec<ExportMetricsServiceRequest>,
}

impl Collector {
    /// Serves on a free port, as long as the runtime runs.
    pub(crate) async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/traces", post(traces)).route("/v1/metrics", post(metrics));
        let router = router.with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    pub(crate) fn got(&self) -> Got {
        self.got.lock().unwrap().clone()
    }
}

async fn traces(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    collector.got.lock().unwrap().traces.push(ExportTraceServiceRequest::decode(body).unwrap());
}

async fn metrics(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    collector.got.lock().unwrap().metrics.push(ExportMetricsServiceRequest::decode(body).unwrap());
}

/// The text of an attribute.
pub(crate) fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?;
    match value.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
