//! What the server says about itself: runs, scenarios, its clock.

use core::time::Duration;
use std::io;

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::{
    clock::monotonic_ns,
    request::Request,
    scenario,
    schedule::{RequestLog, Runs},
    wire,
};

/// A request about the server.
#[derive(Debug)]
pub(crate) enum Call {
    /// `GET /health`.
    Health,
    /// `GET /runs/{id}?wait=MS`: waits until all requests of the run are over, no longer than that.
    Run { id: String, wait: Duration },
    /// `DELETE /runs/{id}`.
    RunRemoved { id: String },
    /// `GET /scenarios`.
    Scenarios,
}

impl Call {
    /// `None` when the request belongs to a protocol.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        match (request.method.as_str(), path) {
            ("GET", "/" | "/health") => Some(Self::Health),
            ("GET", "/scenarios") => Some(Self::Scenarios),
            (method, path) => {
                let id = path.strip_prefix("/runs/")?.to_owned();
                match method {
                    "DELETE" => Some(Self::RunRemoved { id }),
                    "GET" => {
                        let wait = query.split('&').find_map(|pair| pair.strip_prefix("wait="));
                        let wait = wait.and_then(|millis| millis.parse().ok()).unwrap_or(0);
                        Some(Self::Run { id, wait: Duration::from_millis(wait) })
                    }
                    _ => None,
                }
            }
        }
    }

    pub(crate) async fn answer(self, stream: &mut TcpStream, runs: &Runs) -> io::Result<()> {
        match self {
            Self::Health => say(stream, 200, &json!({"ok": true, "clock": CLOCK, "now_ns": monotonic_ns()})).await,
            Self::Run { id, wait } => match settled(runs, &id, wait).await {
                Some(requests) => say(stream, 200, &json!({"run": id, "clock": CLOCK, "requests": requests})).await,
                None => say(stream, 404, &json!({"error": format!("there is no run `{id}`")})).await,
            },
            Self::RunRemoved { id } => say(stream, 200, &json!({"removed": runs.remove(&id)})).await,
            Self::Scenarios => {
                let table: Value = serde_json::from_str(scenario::TABLE)?;
                say(stream, 200, &table).await
            }
        }
    }
}

/// The requests of a run once all are over, or as they are after that time.
pub(crate) async fn settled(runs: &Runs, id: &str, wait: Duration) -> Option<Vec<RequestLog>> {
    let deadline = Instant::now() + wait;
    loop {
        let requests = runs.of(id);
        let is_over = requests.as_ref().is_some_and(|requests| requests.iter().all(|request| request.end.is_some()));
        if is_over || Instant::now() >= deadline {
            return requests;
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// Writes a JSON response.
pub(crate) async fn say(stream: &mut TcpStream, status: u16, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        wire::reason(status),
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await
}

/// The clock of all times that are logged.
const CLOCK: &str = if cfg!(unix) { "CLOCK_MONOTONIC" } else { "process" };
