//! A server on the local machine that answers from a script.

use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::State, http::StatusCode, response::Response};
use futures_util::stream;
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

/// One answer: status and headers, then the parts of the body in their time.
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    until_headers: Duration,
    parts: Vec<(Duration, String)>,
}

impl Reply {
    /// An event stream whose headers come after `until_headers`.
    pub fn stream(until_headers: Duration) -> Self {
        Self::new(StatusCode::OK, "text/event-stream", until_headers)
    }

    /// A `429 Too Many Requests` as `OpenAI` words it.
    pub fn rate_limited(until_headers: Duration) -> Self {
        let body = r#"{"error":{"message":"Rate limit reached for gpt-4.1-mini on requests per min (RPM).","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#;
        Self::new(StatusCode::TOO_MANY_REQUESTS, "application/json", until_headers).then(Duration::ZERO, body)
    }

    fn new(status: StatusCode, content_type: &str, until_headers: Duration) -> Self {
        Self { status, headers: vec![("content-type", content_type.into())], until_headers, parts: Vec::new() }
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends `part` of the body after a pause.
    pub fn then(mut self, pause: Duration, part: impl Into<String>) -> Self {
        self.push(pause, part);
        self
    }

    /// Sends `part` of the body after a pause, as [`Reply::then`] does.
    pub fn push(&mut self, pause: Duration, part: impl Into<String>) {
        self.parts.push((pause, part.into()));
    }

    async fn into_response(self) -> Response {
        sleep(self.until_headers).await;
        let body = stream::unfold(self.parts.into_iter(), |mut parts| async {
            let (pause, part) = parts.next()?;
            sleep(pause).await;
            Some((Ok::<_, io::Error>(part), parts))
        });
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from_stream(body)).unwrap_or_else(|error| Response::new(Body::from(error.to_string())))
    }
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers requests of any path on a free port of the local machine: one reply each, in their order, then 404.
    ///
    /// # Errors
    /// Those of opening the port.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> io::Result<Self> {
        let script: Script = Arc::new(Mutex::new(replies.into_iter().collect()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(answer).with_state(script);
        let task = tokio::spawn(async {
            // It only ends with the task.
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { address, task })
    }

    /// The URL of `path` at this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Script = Arc<Mutex<VecDeque<Reply>>>;

async fn answer(State(script): State<Script>) -> Response {
    let reply = script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    match reply {
        Some(reply) => reply.into_response().await,
        None => Reply::new(StatusCode::NOT_FOUND, "text/plain", Duration::ZERO).into_response().await,
    }
}
