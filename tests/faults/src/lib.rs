//! A server that speaks the protocols of LLM providers, and misbehaves on request.
//!
//! Real client SDKs work against it with nothing changed but their base URL. What it shall do is part of that URL
//! (`/s/run=a&plan=429,ok/v1`) or of the header `x-faults`; what it did, and when, is at `GET /runs/{id}`. The README has
//! all parameters, and a table of scenarios with the records that have to come out.
//!
//! # Examples
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = llmspan_faults::Server::start("127.0.0.1:0").await?;
//! let base_url = server.base_url("run=a&plan=429,ok&retry-after-ms=60");
//! // Hand `base_url` to a client, let it ask, then look what the server saw:
//! let requests = server.requests("a", std::time::Duration::from_secs(1)).await;
//! assert_eq!(requests[0].status, Some(429));
//! # Ok(())
//! # }
//! ```

#[expect(clippy::needless_pass_by_value, reason = "JSON is made where it is handed over")]
mod bodies;
mod clock;
mod connection;
mod exchange;
mod fault;
mod framing;
mod params;
mod protocol;
mod request;
mod retry_after;
mod scenario;
mod schedule;
mod script;
mod server;
mod service;
mod target;
mod wire;

pub use crate::{
    clock::monotonic_ns,
    scenario::{Client, OnSilence, Post, Request, Scenario, Table},
    schedule::{End, Mark, RequestLog, Write},
    server::Server,
};
