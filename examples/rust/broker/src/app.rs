//! The routes, and how they stop.

use std::{future::Future, io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use llmspan::{Metrics, Recorder};
use reqwest::Client;
use serde_json::Value;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{config::Upstream, exchange::Exchange, upstream::Target};

/// What all requests share.
#[derive(Clone, Debug)]
pub struct Broker {
    pub(crate) http: Client,
    pub(crate) recorder: Recorder,
    /// Cancelled when what is still open has to end.
    pub(crate) cut: CancellationToken,
    targets: Arc<[Arc<Target>]>,
    metrics: Metrics,
}

impl Broker {
    /// A broker between clients and those providers.
    pub fn new(upstreams: Vec<Upstream>, recorder: Recorder, metrics: Metrics) -> Self {
        let targets = upstreams.into_iter().map(|upstream| Arc::new(Target::new(upstream))).collect();
        Self { http: Client::new(), recorder, cut: CancellationToken::new(), targets, metrics }
    }

    /// Who is asked, in that order: providers of the model that the client names, then the others.
    pub(crate) fn route(&self, model: &str) -> Vec<Arc<Target>> {
        let mut route = self.targets.to_vec();
        route.sort_by_key(|target| target.upstream.model != model);
        route
    }

    /// Serves until `stop`, then lets open requests go on for `grace`, and ends what is left.
    ///
    /// # Errors
    /// Those of the listener.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
        grace: Duration,
    ) -> io::Result<()> {
        let (cut, stopping) = (self.cut.clone(), CancellationToken::new());
        let router = Router::new()
            .route("/v1/chat/completions", post(chat_completions))
            .route("/metrics", get(metrics))
            .layer(DefaultBodyLimit::max(LONGEST_REQUEST))
            .with_state(self);
        let signal = stopping.clone();
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            stop.await;
            signal.cancel();
        });
        let mut server = std::pin::pin!(server.into_future());
        tokio::select! {
            ended = &mut server => return ended,
            () = async {
                stopping.cancelled().await;
                tokio::time::sleep(grace).await;
            } => {}
        }
        cut.cancel();
        // Connections that are slow to close hold nobody up.
        timeout(LAST_WORDS, server).await.unwrap_or(Ok(()))
    }
}

/// In bytes: prompts may have images in them.
const LONGEST_REQUEST: usize = 32 << 20;

const LAST_WORDS: Duration = Duration::from_secs(2);

async fn chat_completions(State(broker): State<Broker>, body: Bytes) -> Response {
    match serde_json::from_slice::<Value>(&body) {
        Ok(request) if request.is_object() => Exchange::open(broker, request).answer().await,
        _ => (StatusCode::BAD_REQUEST, "the body has to be a JSON object").into_response(),
    }
}

async fn metrics(State(broker): State<Broker>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let scrape = broker.metrics.scrape(accept);
    ([(header::CONTENT_TYPE, scrape.content_type)], scrape.text).into_response()
}
