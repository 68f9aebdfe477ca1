//! A server on the local machine that answers from a script.

use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::StatusCode,
    response::Response,
};
use futures_util::stream;
use serde_json::Value;
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

    /// A body of JSON that comes whole, with its headers.
    pub fn json(until_headers: Duration, body: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, "application/json", until_headers).then(Duration::ZERO, body)
    }

    /// A `503 Service Unavailable`.
    pub fn unavailable(until_headers: Duration) -> Self {
        let body =
            r#"{"error":{"message":"The engine is overloaded.","type":"server_error","param":null,"code":null}}"#;
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "application/json", until_headers).then(Duration::ZERO, body)
    }

    fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "text/plain", Duration::ZERO)
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

    /// The whole body.
    pub fn body(&self) -> String {
        self.parts.iter().map(|(_, part)| part.as_str()).collect()
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
    requests: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers requests of any path on a free port of the local machine: one reply each, in their order, then 404.
    ///
    /// # Errors
    /// Those of opening the port.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> io::Result<Self> {
        let mut replies: VecDeque<_> = replies.into_iter().collect();
        Self::answering(move |_| replies.pop_front().unwrap_or_else(Reply::not_found)).await
    }

    /// Answers requests of any path on a free port of the local machine: each body, as JSON, gets the reply that `answer`
    /// makes for it.
    ///
    /// # Errors
    /// Those of opening the port.
    pub async fn answering(answer: impl FnMut(&Value) -> Reply + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let requests = Arc::<Mutex<Vec<Value>>>::default();
        let state = Script { answer: Arc::new(Mutex::new(answer)), requests: Arc::clone(&requests) };
        let router = Router::new().fallback(reply).with_state(state);
        let task = tokio::spawn(async {
            // It only ends with the task.
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { address, requests, task })
    }

    /// The URL of `path` at this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The bodies of the first 1,000 requests, as JSON; null for one that is none.
    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Answer = dyn FnMut(&Value) -> Reply + Send;

#[derive(Clone)]
struct Script {
    answer: Arc<Mutex<Answer>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Script {
    fn keep(&self, request: Value) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() < 1_000 {
            requests.push(request);
        }
    }
}

async fn reply(State(script): State<Script>, body: Bytes) -> Response {
    let request = serde_json::from_slice(&body).unwrap_or_default();
    let reply = script.answer.lock().unwrap_or_else(PoisonError::into_inner)(&request);
    script.keep(request);
    reply.into_response().await
}
