//! Calls: what happens to them becomes events of the engine.
//!
//! Fields of events are read by the core, under the names of the event log. A method that may end the call gives its record.

use std::sync::Arc;

use llmspan_core::{
    delta::ContentKind,
    engine,
    event::{Event, TimedEvent},
    machine::{AttemptStart, CallStart},
    provider::{self, headers},
    time::Timestamp,
};
use napi_derive::napi;

use crate::{
    at,
    error::{Result, raise},
    millis, pairs,
    record::Record,
    unix, whole,
    wire::ModelRequest,
};

/// Settings of calls.
#[napi]
pub struct Config(pub(crate) Arc<llmspan_core::config::Config>);

#[napi]
impl Config {
    /// Reads settings from JSON.
    #[napi(constructor, catch_unwind)]
    pub fn new(json: String) -> Result<Self> {
        llmspan_core::config::Config::from_json(&json).map(|config| Self(Arc::new(config))).map_err(raise)
    }

    /// Whether a deadline, an idle timeout or an age is configured, so that `tick` has something to do.
    #[napi(getter, catch_unwind)]
    pub fn has_deadlines(&self) -> bool {
        self.0.has_deadlines()
    }
}

/// One call: events in time order, then its record. Attempts go by number, 0 for the latest.
#[napi]
pub struct Call {
    pub(crate) engine: engine::Call,
}

#[napi]
impl Call {
    /// Opens a call with its event `call_started`.
    #[napi(constructor, catch_unwind)]
    pub fn new(config: &Config, id: String, json: String) -> Result<Self> {
        let start = TimedEvent::from_json(&json).map_err(raise)?;
        let fields = match start.event {
            Event::CallStarted(fields) => *fields,
            _ => CallStart::default(),
        };
        let engine = engine::Call::with_id(&id, Arc::clone(&config.0), start.at, fields);
        Ok(Self { engine })
    }

    /// Opens a call that begins with a request, inside of a span if there is one.
    #[napi(factory, catch_unwind)]
    pub fn of_request(
        config: &Config,
        id: String,
        at_ms: f64,
        unix_ms: Option<f64>,
        request: &ModelRequest,
        trace_id: Option<String>,
        parent_span_id: Option<String>,
    ) -> Self {
        let mut start = CallStart::from(&request.0);
        start.unix_ns = unix_ms.map(unix);
        start.trace_id = trace_id.map(Into::into);
        start.parent_span_id = parent_span_id.map(Into::into);
        let engine = engine::Call::with_id(&id, Arc::clone(&config.0), at(at_ms), start);
        Self { engine }
    }

    /// Applies one event of the log.
    #[napi(catch_unwind)]
    pub fn event(&mut self, json: String) -> Result<Option<Record>> {
        let TimedEvent { at, attempt, event, .. } = TimedEvent::from_json(&json).map_err(raise)?;
        self.engine.handle_event(at, attempt, &event);
        Ok(self.record())
    }

    /// Applies an event without fields, by its place in the list of those.
    #[napi(catch_unwind)]
    pub fn bare(&mut self, at_ms: f64, attempt: u32, place: u32) -> Option<Record> {
        let event = usize::try_from(place).ok().and_then(Event::bare)?;
        self.engine.handle_event(at(at_ms), of(attempt), &event);
        self.record()
    }

    /// Begins the attempt that is a request. Gives its number.
    #[napi(catch_unwind)]
    pub fn attempt_of(&mut self, at_ms: f64, request: &ModelRequest) -> u32 {
        self.engine.handle_attempt_started(at(at_ms), AttemptStart::from(&request.0));
        self.attempt_count()
    }

    /// Applies the head of a response: its status code and its headers, a line for each name and each value. Gives the delay
    /// before a retry that the server asks for, in milliseconds.
    #[napi(catch_unwind)]
    pub fn head(
        &mut self,
        at_ms: f64,
        attempt: u32,
        status_code: u16,
        unix_ms: Option<f64>,
        lines: String,
    ) -> Option<f64> {
        let headers = headers::read_at(status_code, pairs(&lines), unix_ms.map(unix));
        let delay = headers.retry_after_ns;
        self.engine.handle_headers(at(at_ms), of(attempt), headers);
        delay.map(|delay| millis(delay.as_nanos()))
    }

    /// Applies the event `headers_received`. Gives the delay before a retry that the server asks for, in milliseconds.
    #[napi(catch_unwind)]
    pub fn headers(&mut self, json: String) -> Result<Option<f64>> {
        let TimedEvent { at, attempt, event, .. } = TimedEvent::from_json(&json).map_err(raise)?;
        self.engine.handle_event(at, attempt, &event);
        Ok(match event {
            Event::HeadersReceived(headers) => headers.retry_after_ns.map(|delay| millis(delay.as_nanos())),
            _ => None,
        })
    }

    /// Applies raw response bytes: pieces, of each of which the marks have its time and the place where it ends.
    #[napi(catch_unwind)]
    pub fn pieces(&mut self, marks: &[f64], attempt: u32, protocol: u32, data: &[u8]) {
        if let Some(protocol) = protocol_at(protocol) {
            self.engine.handle_pieces(pieces_of(marks), of(attempt), protocol, data);
        }
    }

    /// Applies provider events as JSON: one a line, each at its time.
    #[napi(catch_unwind)]
    pub fn payloads(&mut self, times_ms: &[f64], attempt: u32, protocol: u32, lines: &[u8]) {
        if let Some(protocol) = protocol_at(protocol) {
            let times = times_ms.iter().map(|at_ms| at(*at_ms));
            self.engine.handle_objects(times, of(attempt), protocol, lines);
        }
    }

    /// Applies a chunk with content of one kind, `bytes` long, or 0 when nobody counted; `false` for a kind that there is not.
    #[napi(catch_unwind)]
    pub fn content(&mut self, at_ms: f64, attempt: u32, kind: String, bytes: u32) -> bool {
        let Some(kind) = ContentKind::of_word(&kind) else { return false };
        self.engine.handle_content(at(at_ms), of(attempt), kind, bytes);
        true
    }

    /// Ends the call if a deadline of its configuration has passed.
    #[napi(catch_unwind)]
    pub fn tick(&mut self, at_ms: f64) -> Option<Record> {
        self.engine.handle_timeout(at(at_ms));
        self.record()
    }

    /// Ends the call because its owner goes away.
    #[napi(catch_unwind)]
    pub fn dropped(&mut self, at_ms: f64) -> Option<Record> {
        self.engine.handle_dropped(at(at_ms));
        self.record()
    }

    /// Number of attempts so far; 0 once the call has ended.
    #[napi(getter, catch_unwind)]
    pub fn attempt_count(&self) -> u32 {
        self.engine.attempt_count().unwrap_or(0)
    }
}

impl Call {
    fn record(&mut self) -> Option<Record> {
        self.engine.poll_record().map(Record)
    }
}

/// Replays an event log, as JSON lines, to the records of its calls; calls that it leaves open end as `abandoned`.
#[napi(catch_unwind)]
pub fn replay(log: String, config: &Config) -> Result<Vec<Record>> {
    let records = engine::replay(&log, (*config.0).clone()).map_err(raise)?;
    Ok(records.into_iter().map(Record).collect())
}

pub(crate) fn protocol_at(index: u32) -> Option<provider::Protocol> {
    provider::Protocol::ALL.get(usize::try_from(index).ok()?).copied()
}

/// The times and ends of pieces, in turn.
fn pieces_of(marks: &[f64]) -> impl Iterator<Item = (Timestamp, usize)> {
    let (pieces, _) = marks.as_chunks();
    pieces.iter().map(|[at_ms, end]| (at(*at_ms), usize::try_from(whole(*end)).unwrap_or(usize::MAX)))
}

fn of(attempt: u32) -> Option<u32> {
    (attempt > 0).then_some(attempt)
}
