//! Calls: what happens to them becomes events of the engine.
//!
//! Fields of events are read by the core, under the names of the event log. A method that may end the call gives its record.

use alloc::sync::Arc;
#[cfg(feature = "full")]
use alloc::{string::String, vec::Vec};

#[cfg(feature = "full")]
use llmspan_core::machine::AttemptStart;
use llmspan_core::{
    delta::ContentKind,
    engine,
    event::{Event, TimedEvent},
    machine::CallStart,
    provider::{self, headers},
    time::Timestamp,
};
use wasm_bindgen::prelude::*;

#[cfg(feature = "full")]
use crate::wire::ModelRequest;
use crate::{
    at,
    error::{Result, raise},
    millis, pairs,
    record::Record,
    scratch::Scratch,
    unix, whole,
};

/// Settings of calls.
#[wasm_bindgen]
pub struct Config(pub(crate) Arc<llmspan_core::config::Config>);

#[wasm_bindgen]
impl Config {
    /// Reads settings from JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(json: &str) -> Result<Config> {
        llmspan_core::config::Config::from_json(json).map(|config| Self(Arc::new(config))).map_err(raise)
    }

    /// Whether a deadline, an idle timeout or an age is configured, so that `tick` has something to do.
    #[wasm_bindgen(getter, js_name = hasDeadlines)]
    pub fn has_deadlines(&self) -> bool {
        self.0.has_deadlines()
    }
}

/// One call: events in time order, then its record. Attempts go by number, 0 for the latest.
#[wasm_bindgen]
pub struct Call {
    pub(crate) engine: engine::Call,
}

#[wasm_bindgen]
impl Call {
    /// Opens a call with its event `call_started`.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &Config, id: &str, json: &str) -> Result<Call> {
        let start = TimedEvent::from_json(json).map_err(raise)?;
        let fields = match start.event {
            Event::CallStarted(fields) => *fields,
            _ => CallStart::default(),
        };
        let engine = engine::Call::with_id(id, Arc::clone(&config.0), start.at, fields);
        Ok(Self { engine })
    }

    /// Opens a call that begins with a request, inside of a span if there is one.
    #[cfg(feature = "full")]
    #[wasm_bindgen(js_name = ofRequest)]
    pub fn of_request(
        config: &Config,
        id: &str,
        at_ms: f64,
        unix_ms: Option<f64>,
        request: &ModelRequest,
        trace_id: Option<String>,
        parent_span_id: Option<String>,
    ) -> Call {
        let mut start = CallStart::from(&request.0);
        start.unix_ns = unix_ms.map(unix);
        start.trace_id = trace_id.map(Into::into);
        start.parent_span_id = parent_span_id.map(Into::into);
        let engine = engine::Call::with_id(id, Arc::clone(&config.0), at(at_ms), start);
        Self { engine }
    }

    /// Applies one event of the log.
    pub fn event(&mut self, json: &str) -> Result<Option<Record>> {
        let TimedEvent { at, attempt, event, .. } = TimedEvent::from_json(json).map_err(raise)?;
        self.engine.handle_event(at, attempt, &event);
        Ok(self.record())
    }

    /// Applies an event without fields, by its place in the list of those.
    pub fn bare(&mut self, at_ms: f64, attempt: u32, place: u32) -> Option<Record> {
        let event = usize::try_from(place).ok().and_then(Event::bare)?;
        self.engine.handle_event(at(at_ms), of(attempt), &event);
        self.record()
    }

    /// Begins the attempt that is a request. Gives its number.
    #[cfg(feature = "full")]
    #[wasm_bindgen(js_name = attemptOf)]
    pub fn attempt_of(&mut self, at_ms: f64, request: &ModelRequest) -> u32 {
        self.engine.handle_attempt_started(at(at_ms), AttemptStart::from(&request.0));
        self.attempt_count()
    }

    /// Applies the head of a response: its status code and its headers, a line for each name and each value. Gives the delay
    /// before a retry that the server asks for, in milliseconds.
    pub fn head(
        &mut self,
        at_ms: f64,
        attempt: u32,
        status_code: u16,
        unix_ms: Option<f64>,
        lines: &str,
    ) -> Option<f64> {
        let headers = headers::read_at(status_code, pairs(lines), unix_ms.map(unix));
        let delay = headers.retry_after_ns;
        self.engine.handle_headers(at(at_ms), of(attempt), headers);
        delay.map(|delay| millis(delay.as_nanos()))
    }

    /// Applies the event `headers_received`. Gives the delay before a retry that the server asks for, in milliseconds.
    pub fn headers(&mut self, json: &str) -> Result<Option<f64>> {
        let TimedEvent { at, attempt, event, .. } = TimedEvent::from_json(json).map_err(raise)?;
        self.engine.handle_event(at, attempt, &event);
        Ok(match event {
            Event::HeadersReceived(headers) => headers.retry_after_ns.map(|delay| millis(delay.as_nanos())),
            _ => None,
        })
    }

    /// Applies raw response bytes, so many of those in the scratch memory: pieces, of each of which the marks have its time and the
    /// place where it ends.
    pub fn pieces(&mut self, marks: &[f64], attempt: u32, protocol: u32, scratch: &Scratch, length: u32) {
        if let Some(protocol) = protocol_at(protocol) {
            self.engine.handle_pieces(pieces_of(marks), of(attempt), protocol, scratch.first(length));
        }
    }

    /// Applies provider events as JSON: one a line, each at its time. The lines are so many bytes of the scratch memory.
    pub fn payloads(&mut self, times_ms: &[f64], attempt: u32, protocol: u32, scratch: &Scratch, length: u32) {
        if let Some(protocol) = protocol_at(protocol) {
            let times = times_ms.iter().map(|at_ms| at(*at_ms));
            self.engine.handle_objects(times, of(attempt), protocol, scratch.first(length));
        }
    }

    /// Applies a chunk with content of one kind, `bytes` long, or 0 when nobody counted; `false` for a kind that there is not.
    pub fn content(&mut self, at_ms: f64, attempt: u32, kind: &str, bytes: u32) -> bool {
        let Some(kind) = ContentKind::of_word(kind) else { return false };
        self.engine.handle_content(at(at_ms), of(attempt), kind, bytes);
        true
    }

    /// Ends the call if a deadline of its configuration has passed.
    pub fn tick(&mut self, at_ms: f64) -> Option<Record> {
        self.engine.handle_timeout(at(at_ms));
        self.record()
    }

    /// Ends the call because its owner goes away.
    pub fn dropped(&mut self, at_ms: f64) -> Option<Record> {
        self.engine.handle_dropped(at(at_ms));
        self.record()
    }

    /// Number of attempts so far; 0 once the call has ended.
    #[wasm_bindgen(getter, js_name = attemptCount)]
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
#[cfg(feature = "full")]
#[wasm_bindgen]
pub fn replay(log: &str, config: &Config) -> Result<Vec<String>> {
    let records = engine::replay(log, (*config.0).clone()).map_err(raise)?;
    Ok(records.iter().map(llmspan_core::record::Record::to_json).collect())
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
