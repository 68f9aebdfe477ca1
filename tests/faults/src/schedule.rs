//! The truth: what the server did, and when.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::clock::monotonic_ns;

/// What the server knows about one request. Times are nanoseconds on [`monotonic_ns`].
///
/// No content is kept: of the request there are method, path, sizes and the headers that clients send about retries.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RequestLog {
    /// Number of the request within its run, from 1.
    pub request: usize,
    /// Number of the connection that brought it, from 1 since the server started.
    pub connection: u64,
    /// HTTP method.
    pub method: String,
    /// Path and query, without the prefix that asks for faults.
    pub path: String,
    /// Protocol that was spoken; absent when the path belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The word of the plan that this request met: `ok`, `429`, `cut`, ….
    pub fault: String,
    /// Headers of the request that tell about retries and idempotency, in lower case, and the user agent.
    pub headers: BTreeMap<String, String>,
    /// Bytes of the request body.
    pub request_bytes: usize,
    /// When the first byte of the request was there.
    pub accepted_at_ns: u64,
    /// When the request had been read to its end.
    pub read_at_ns: u64,
    /// When the response head was written; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers_at_ns: Option<u64>,
    /// HTTP status of the response; absent when none was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Writes of the body, in order.
    pub writes: Vec<Write>,
    /// Writes without a mark that were left out of `writes`, past the first 4,096.
    pub writes_left_out: usize,
    /// Bytes of the body that were written, before the transfer coding of HTTP.
    pub body_bytes: u64,
    /// When the first visible content was complete; absent when there was none, or no stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_visible_at_ns: Option<u64>,
    /// When the last visible content was complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_visible_at_ns: Option<u64>,
    /// Writes that completed visible content.
    pub visible_writes: usize,
    /// When the response was over; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at_ns: Option<u64>,
    /// How it ended; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// One write of body bytes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Write {
    /// Just before the bytes were handed to the system.
    pub at_ns: u64,
    /// Offset of the first byte in the body, after content coding and before transfer coding.
    pub from: u64,
    /// Offset behind the last byte.
    pub to: u64,
    /// What the bytes complete: an event in several writes is named at the last of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Mark>,
}

/// What an event of a body holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mark {
    /// Visible answer: text, a refusal or part of a tool call.
    Answer,
    /// A whole body that is no stream.
    Body,
    /// An end marker of the protocol.
    End,
    /// An error inside the stream.
    Error,
    /// Bytes that mean nothing.
    Filler,
    /// A finish reason.
    Finish,
    /// The first visible content, beside `answer` or `reasoning`.
    FirstVisible,
    /// A comment or a ping.
    KeepAlive,
    /// The last visible content, beside `answer` or `reasoning`.
    LastVisible,
    /// Visible reasoning.
    Reasoning,
    /// Metadata, starts and ends of blocks.
    Structure,
    /// Token counts.
    Usage,
}

impl Mark {
    /// Whether a user would see what the event brings.
    pub const fn is_visible(self) -> bool {
        matches!(self, Self::Answer | Self::Reasoning)
    }
}

/// How a response ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum End {
    /// The client closed the connection first.
    ClientClosed,
    /// Everything was sent.
    Complete,
    /// The stream was cut short, and the HTTP body ended properly.
    Cut,
    /// The connection was closed inside the HTTP body (FIN).
    Dropped,
    /// The connection was reset (RST).
    Reset,
}

/// The requests of all runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    runs: BTreeMap<String, Vec<RequestLog>>,
    order: VecDeque<String>,
}

impl Runs {
    /// Adds a request to its run.
    pub(crate) fn open(&self, run: &str, mut log: RequestLog) -> OpenLog {
        let request = self.with(|inner| {
            if !inner.runs.contains_key(run) {
                inner.order.push_back(run.into());
                if inner.order.len() > MOST_RUNS
                    && let Some(oldest) = inner.order.pop_front()
                {
                    inner.runs.remove(&oldest);
                }
            }
            let requests = inner.runs.entry(run.into()).or_default();
            log.request = requests.len() + 1;
            requests.push(log);
            requests.len()
        });
        OpenLog { runs: self.clone(), run: run.into(), request }
    }

    /// The requests of a run, in the order of their arrival.
    pub(crate) fn of(&self, run: &str) -> Option<Vec<RequestLog>> {
        self.with(|inner| inner.runs.get(run).cloned())
    }

    /// Forgets a run.
    pub(crate) fn remove(&self, run: &str) -> bool {
        self.with(|inner| {
            inner.order.retain(|known| known != run);
            inner.runs.remove(run).is_some()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The log of a request that is being answered.
#[derive(Debug)]
pub(crate) struct OpenLog {
    runs: Runs,
    run: String,
    request: usize,
}

impl OpenLog {
    /// Number of the request within its run, from 1.
    pub(crate) const fn request(&self) -> usize {
        self.request
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut RequestLog)) {
        self.runs.with(|inner| {
            if let Some(log) = inner.runs.get_mut(&self.run).and_then(|requests| requests.get_mut(self.request - 1)) {
                change(log);
            }
        });
    }

    pub(crate) fn head(&self, status: u16) {
        self.change(|log| (log.status, log.headers_at_ns) = (Some(status), Some(monotonic_ns())));
    }

    /// Notes a write that is about to be made.
    pub(crate) fn write(&self, length: u64, holds: &[Mark]) {
        self.change(|log| {
            let (at_ns, from) = (monotonic_ns(), log.body_bytes);
            let to = from + length;
            log.body_bytes = to;
            if holds.iter().any(|mark| mark.is_visible()) {
                log.first_visible_at_ns = log.first_visible_at_ns.or(Some(at_ns));
                log.last_visible_at_ns = Some(at_ns);
                log.visible_writes += 1;
            }
            if log.writes.len() < MOST_WRITES || !holds.is_empty() {
                log.writes.push(Write { at_ns, from, to, holds: holds.to_vec() });
            } else {
                log.writes_left_out += 1;
            }
        });
    }

    pub(crate) fn end(&self, end: End) {
        self.change(|log| {
            if log.end.is_none() {
                (log.end, log.ended_at_ns) = (Some(end), Some(monotonic_ns()));
            }
        });
    }
}

const MOST_RUNS: usize = 4096;
const MOST_WRITES: usize = 4096;
