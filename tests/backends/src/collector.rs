//! A receiver of OTLP, behind a collector.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest,
};
use prost::Message;
use tokio::{net::TcpListener, task::JoinHandle};
use tower_http::decompression::RequestDecompressionLayer;

use crate::Result;

/// Takes what a collector forwards over OTLP/HTTP in protobuf, compressed or not.
#[derive(Debug)]
pub struct Receiver {
    /// Where it listens, such as `http://127.0.0.1:4318`.
    pub url: String,
    received: Arc<Received>,
    server: JoinHandle<std::io::Result<()>>,
}

#[derive(Debug, Default)]
struct Received {
    logs: Mutex<Vec<ExportLogsServiceRequest>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    traces: Mutex<Vec<ExportTraceServiceRequest>>,
}

impl Receiver {
    /// Listens on a free port until it is dropped.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let received = Arc::new(Received::default());
        let routes = Router::new()
            .route(
                "/v1/logs",
                post(|State(all): State<Arc<Received>>, body: Bytes| async move { keep(&all.logs, body) }),
            )
            .route(
                "/v1/metrics",
                post(|State(all): State<Arc<Received>>, body: Bytes| async move { keep(&all.metrics, body) }),
            )
            .route(
                "/v1/traces",
                post(|State(all): State<Arc<Received>>, body: Bytes| async move { keep(&all.traces, body) }),
            )
            .layer(RequestDecompressionLayer::new())
            .with_state(Arc::clone(&received));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, received, server })
    }

    /// Takes the traces that came since the last time.
    pub fn traces(&self) -> Vec<ExportTraceServiceRequest> {
        take(&self.received.traces)
    }

    /// Takes the logs that came since the last time.
    pub fn logs(&self) -> Vec<ExportLogsServiceRequest> {
        take(&self.received.logs)
    }

    /// Takes the metrics that came since the last time.
    pub fn metrics(&self) -> Vec<ExportMetricsServiceRequest> {
        take(&self.received.metrics)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn keep<M: Default + Message>(kept: &Mutex<Vec<M>>, body: Bytes) -> (StatusCode, String) {
    match M::decode(body) {
        Ok(message) => {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            (StatusCode::OK, String::new())
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    }
}

fn take<M>(kept: &Mutex<Vec<M>>) -> Vec<M> {
    core::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
}
