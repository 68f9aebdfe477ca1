//! The state of one call, and how events change it.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::mem;

use serde::{Deserialize, Serialize};

use super::{
    attempt::{Attempt, Eof},
    events::EventLog,
    input::{AttemptStart, CallStart, Failure, Retry, WaitEnd},
    limit::{limit_failure, limit_request, shorten},
    mark::Mark,
    phases::{Match, Phases},
    tokens::{Cut, add_usage},
    waits::Waits,
};
use crate::{
    config::Config,
    delta::{Headers, UsageReport},
    limits::{Limits, cut},
    provider,
    record::{Attributes, EventKind, Flags, Outcome, Request, SpanEvent, TimeoutKind, Usage},
    stats::Coverage,
    time::{Timestamp, UnixNanos},
};

/// An open call.
///
/// Every `handle_` method takes the time of the event. A time older than the one before is taken as that one and counted.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Machine {
    #[serde(skip)]
    pub(super) config: Arc<Config>,
    pub(super) id: Box<str>,
    pub(super) operation: Option<Box<str>>,
    pub(super) provider: Option<Box<str>>,
    pub(super) model: Option<Box<str>>,
    pub(super) trace: Option<Box<TraceIds>>,
    pub(super) stream: Streaming,
    pub(super) unix: Option<UnixNanos>,
    pub(super) started: Timestamp,
    pub(super) now: Timestamp,
    pub(super) request: Option<Box<Request>>,
    pub(super) flags: Option<Box<Flags>>,
    pub(super) attributes: Attributes,
    pub(super) phases: Phases,
    pub(super) waits: Waits,
    pub(super) events: Vec<SpanEvent>,
    /// Attempts in their order, the latest last. Past the cap the one before the latest is folded away.
    pub(super) attempts: Vec<Attempt>,
    pub(super) attempt_count: u32,
    /// Token counts of attempts that were folded away.
    pub(super) folded: Option<Box<Folded>>,
    pub(super) coverage: Coverage,
    pub(super) signals: Signals,
    pub(super) counts: Counts,
}

/// Trace context, as the caller gave it.
#[expect(clippy::struct_field_names, reason = "the names of the fields in events and records")]
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct TraceIds {
    pub(super) trace_id: Option<Box<str>>,
    pub(super) span_id: Option<Box<str>>,
    pub(super) parent_span_id: Option<Box<str>>,
}

/// Whether the response is streamed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub(super) enum Streaming {
    /// The caller said so.
    Given(bool),
    /// Nobody said, and a chunk with content came.
    Inferred,
    /// Nobody said, and no chunk with content came.
    Unknown,
}

impl Streaming {
    pub(super) fn is_on(self) -> bool {
        matches!(self, Self::Given(true) | Self::Inferred)
    }
}

/// What the caller's side did to the call since its latest attempt began, whether or not that was still open.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Signals {
    pub(super) cancelled: bool,
    pub(super) closed: bool,
    pub(super) timed_out: Option<TimeoutKind>,
}

/// Oddities, counted.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Counts {
    pub(super) clock_regressions: u32,
    pub(super) late_events: u32,
    pub(super) rejected_usage: u32,
    pub(super) decode_errors: u32,
    pub(super) oversized_frames: u32,
    pub(super) compressed: bool,
    pub(super) unmatched_phases: u32,
    pub(super) dropped_events: u32,
    pub(super) dropped_attributes: u32,
    pub(super) dropped_attempts: u32,
    /// Smallest step of the clock so far; `u64::MAX` while there was none.
    pub(super) resolution: u64,
}

/// What finalizes a call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WhatEnded {
    /// The caller ended it, with a last failure of its own or without.
    Caller(Failure),
    /// A deadline of the configuration passed at this time.
    Deadline(TimeoutKind, Timestamp),
    /// It was dropped without an end.
    Dropped,
    /// It was open for longer than the configuration allows, at this time.
    Expired(Timestamp),
}

impl Machine {
    /// Opens a call at `now`.
    pub fn new(id: &str, config: Arc<Config>, now: Timestamp, mut start: CallStart) -> Self {
        let now = now.min(Mark::LATEST);
        let limits = &config.limits;
        for name in [
            &mut start.operation,
            &mut start.provider,
            &mut start.model,
            &mut start.trace_id,
            &mut start.span_id,
            &mut start.parent_span_id,
        ] {
            shorten(name, limits.name_bytes);
        }
        if let Some(request) = &mut start.request {
            limit_request(request, limits);
        }
        let has_trace = start.trace_id.is_some() || start.span_id.is_some() || start.parent_span_id.is_some();
        let trace = TraceIds { trace_id: start.trace_id, span_id: start.span_id, parent_span_id: start.parent_span_id };
        let mut machine = Self {
            id: cut(id, limits.name_bytes).into(),
            operation: start.operation,
            provider: start.provider,
            model: start.model,
            trace: has_trace.then(|| Box::new(trace)),
            stream: start.stream.map_or(Streaming::Unknown, Streaming::Given),
            unix: start.unix_ns,
            started: now,
            now,
            request: start.request,
            flags: None,
            attributes: Attributes::new(),
            phases: Phases::default(),
            waits: Waits::default(),
            events: Vec::new(),
            attempts: Vec::new(),
            attempt_count: 0,
            folded: None,
            coverage: Coverage::default(),
            signals: Signals::default(),
            counts: Counts { resolution: u64::MAX, ..Counts::default() },
            config,
        };
        machine.merge_attributes(start.attributes);
        machine
    }

    /// Puts a configuration into a machine that was read from a snapshot.
    #[cfg(feature = "compact")]
    pub(crate) fn set_config(&mut self, config: Arc<Config>) {
        self.config = config;
    }

    /// The caps of the call.
    pub fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// Id of the call.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Start of the call.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Number of the latest attempt; 0 before the first.
    pub fn attempt_count(&self) -> u32 {
        self.attempt_count
    }

    /// The provider's id of the response to the latest attempt, once it has said one.
    pub fn response_id(&self) -> Option<&str> {
        self.attempts.last()?.response_id.as_deref()
    }

    /// Whether the latest attempt has begun and nothing has ended it yet.
    pub fn attempt_is_open(&self) -> bool {
        self.attempts.last().is_some_and(Attempt::is_open)
    }

    /// Whether the latest attempt still takes what comes from its stream: nothing failed, cut or abandoned it.
    pub(crate) fn takes_stream(&self, attempt: u32) -> bool {
        self.attempts
            .iter()
            .rev()
            .find(|candidate| candidate.number == attempt)
            .is_some_and(|attempt| !attempt.is_sealed() && !attempt.evidence.ended.is_set())
    }

    /// Begins a phase.
    pub fn handle_phase_started(&mut self, now: Timestamp, name: &str) {
        let now = self.advance(now);
        self.phases.start(now, name, &self.config.limits);
    }

    /// Ends a phase, and every phase inside it.
    pub fn handle_phase_ended(&mut self, now: Timestamp, name: &str) {
        let now = self.advance(now);
        if self.phases.end(now, name, &self.config.limits, &mut self.coverage) == Match::OutOfOrder {
            bump(&mut self.counts.unmatched_phases);
        }
    }

    /// Begins the next attempt; its number is [`Machine::attempt_count`] after the call.
    ///
    /// It closes the open wait, and the attempt before it unless this one is hedged.
    pub fn handle_attempt_started(&mut self, now: Timestamp, mut start: AttemptStart) {
        let now = self.advance(now);
        let config = Arc::clone(&self.config);
        self.waits.close(now, WaitEnd::Elapsed, &config.limits, &mut self.coverage);
        let race = self.attempts.last().filter(|_| start.hedged).map(|attempt| attempt.race);
        let cancelled_before =
            self.signals.cancelled || self.attempts.last().is_some_and(|attempt| attempt.evidence.cancelled_before);
        if !start.hedged {
            for attempt in &mut self.attempts {
                attempt.evidence.superseded |= attempt.is_open();
                attempt.evidence.past = true;
                attempt.evidence.ended.set_first(now);
            }
        }
        self.signals = Signals::default();
        self.fold_past_cap(now);

        let attributes = mem::take(&mut start.attributes);
        for (key, value) in attributes {
            let kept = start.attributes.len();
            if let Some((key, value)) = self.limit_attribute(key, value, kept) {
                start.attributes.insert(key, value);
            }
        }
        self.attempt_count = self.attempt_count.saturating_add(1);
        if self.attempts.is_empty() {
            // Most calls have one attempt; the usual growth would reserve room for four.
            self.attempts.reserve_exact(1);
        }
        let mut attempt = Attempt::new(self.attempt_count, now, start, &config.limits);
        attempt.evidence.cancelled_before = cancelled_before;
        attempt.race = race.unwrap_or(self.attempt_count);
        self.attempts.push(attempt);
    }

    /// Marks the moment when the request had left.
    pub fn handle_request_sent(&mut self, now: Timestamp, attempt: Option<u32>) {
        let now = self.advance(now);
        if let Some(attempt) = self.open_attempt(now, attempt) {
            attempt.moments.request_sent.set_first(now);
        }
    }

    /// Marks the arrival of the response headers and takes what they say.
    pub fn handle_headers(&mut self, now: Timestamp, attempt: Option<u32>, headers: Headers) {
        let now = self.advance(now);
        let config = Arc::clone(&self.config);
        let Some(attempt) = self.open_attempt(now, attempt) else { return };
        attempt.moments.headers.set_first(now);
        attempt.last_activity = now;
        attempt.status_code = headers.status_code.or(attempt.status_code);
        if !headers.server.is_empty() {
            let mut server = headers.server;
            if let Some(known) = attempt.server.as_deref() {
                server.merge(known);
            }
            attempt.server = Some(Box::new(server));
        }
        if let Some(report) = headers.usage.as_deref().and_then(provider::headers::report) {
            attempt.tokens.apply_headers(&report);
        }
        if headers.request_id.is_some() || headers.retry_after_ns.is_some() || headers.error_type.is_some() {
            let labels = attempt.labels_mut();
            name_first(&mut labels.request_id, headers.request_id, &config.limits);
            name_first(&mut labels.error_type, headers.error_type, &config.limits);
            labels.retry_after = headers.retry_after_ns.or(labels.retry_after);
        }
    }

    /// Takes note that bytes came, whatever they mean: the headers have come, and the server is alive.
    pub fn handle_activity(&mut self, now: Timestamp, attempt: Option<u32>, protocol: &str) {
        let now = self.advance(now);
        let Some(attempt) = self.attempt_slot(now, attempt) else { return };
        attempt.last_activity = now;
        if attempt.is_sealed() {
            return;
        }
        attempt.moments.headers.set_first(now);
        if attempt.protocol.is_none() {
            attempt.protocol = Some(protocol.into());
        }
    }

    /// Counts an event that comes out of its order.
    pub fn handle_late(&mut self) {
        bump(&mut self.counts.late_events);
    }

    /// Takes note of the protocol of an attempt whose events come framed. The first one starts an attempt.
    pub fn handle_protocol(&mut self, now: Timestamp, attempt: Option<u32>, protocol: &str) {
        let now = self.advance(now);
        if let Some(attempt) = self.attempt_slot(now, attempt)
            && !attempt.is_sealed()
            && attempt.protocol.is_none()
        {
            attempt.protocol = Some(protocol.into());
        }
    }

    /// Applies token counts that came apart from any chunk.
    pub fn handle_usage(&mut self, now: Timestamp, attempt: Option<u32>, report: &UsageReport) {
        let now = self.advance(now);
        self.counts.rejected_usage = self.counts.rejected_usage.saturating_add(report.rejected);
        let number = attempt;
        let count = self.attempt_count;
        let Some(attempt) = self.attempt_slot(now, attempt) else { return };
        attempt.tokens.apply(report);
        if number.is_some_and(|number| number != count) && attempt.evidence.ended.is_set() {
            bump(&mut self.counts.late_events);
        }
    }

    /// Marks the moment when the consumer really got the first visible chunk.
    pub fn handle_delivered(&mut self, now: Timestamp, attempt: Option<u32>) {
        let now = self.advance(now);
        if let Some(attempt) = self.attempt_slot(now, attempt) {
            attempt.moments.delivered.set_first(now);
        }
    }

    /// Closes an attempt with an error. After the end of a complete response it changes nothing.
    pub fn handle_attempt_failed(&mut self, now: Timestamp, attempt: Option<u32>, mut failure: Failure) {
        let now = self.advance(now);
        let config = Arc::clone(&self.config);
        let Some(slot) = self.attempt_slot(now, attempt) else { return };
        if slot.evidence.superseded {
            bump(&mut self.counts.late_events);
        } else if !slot.is_complete() {
            limit_failure(&mut failure, &config);
            if failure.status_code.is_some() {
                slot.status_code = slot.status_code.or(failure.status_code);
            }
            if failure.retry_after_ns.is_some() {
                slot.labels_mut().retry_after = failure.retry_after_ns;
            }
            slot.fail(now, failure);
        }
    }

    /// Opens a wait. An attempt that is still open ends here.
    pub fn handle_retry_scheduled(&mut self, now: Timestamp, retry: Retry) {
        let now = self.advance(now);
        let config = Arc::clone(&self.config);
        self.waits.close(now, WaitEnd::Elapsed, &config.limits, &mut self.coverage);
        for attempt in &mut self.attempts {
            if attempt.is_open() {
                attempt.evidence.retried = Some(retry.reason);
            }
            attempt.evidence.past = true;
            attempt.evidence.ended.set_first(now);
        }
        self.waits.start(now, retry, self.attempt_count);
        if self.attempt_count > 0 {
            let mut log = EventLog {
                events: &mut self.events,
                limits: &config.limits,
                dropped: &mut self.counts.dropped_events,
                started: self.started,
                now,
            };
            log.push(EventKind::Retry, self.attempt_count, Some(retry.reason.as_str()), Some(retry.delay_ns));
        }
    }

    /// Closes the open wait.
    pub fn handle_retry_wait_ended(&mut self, now: Timestamp, end: WaitEnd) {
        let now = self.advance(now);
        if self.waits.is_open() {
            let config = Arc::clone(&self.config);
            self.waits.close(now, end, &config.limits, &mut self.coverage);
        } else {
            bump(&mut self.counts.late_events);
        }
    }

    /// Takes note of the end of the stream.
    pub fn handle_stream_ended(&mut self, now: Timestamp, attempt: Option<u32>) {
        let now = self.advance(now);
        let Some(attempt) = find_attempt(&mut self.attempts, attempt, self.attempt_count) else {
            bump(&mut self.counts.late_events);
            return;
        };
        if !attempt.is_sealed() {
            let order = if attempt.evidence.ended.is_set() { Eof::After } else { Eof::First };
            attempt.evidence.eof = Some(order);
            attempt.evidence.ended.set_first(now);
        }
    }

    /// Takes note of the caller's abort.
    pub fn handle_cancelled(&mut self, now: Timestamp) {
        let now = self.advance(now);
        let config = Arc::clone(&self.config);
        self.signals.cancelled = true;
        self.waits.close(now, WaitEnd::Aborted, &config.limits, &mut self.coverage);
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.is_explained_by_the_caller()) {
            attempt.evidence.cancelled = true;
            attempt.evidence.ended.set_first(now);
        }
    }

    /// Takes note that the consumer stopped reading: the stream of one attempt, or all of the call.
    pub fn handle_consumer_closed(&mut self, now: Timestamp, number: Option<u32>) {
        let now = self.advance(now);
        if number.is_some() && find_attempt(&mut self.attempts, number, self.attempt_count).is_none() {
            bump(&mut self.counts.late_events);
            return;
        }
        self.signals.closed |= number.is_none_or(|number| number == self.attempt_count);
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.is_explained_by_the_caller()) {
            if number.is_none_or(|number| number == attempt.number) {
                attempt.evidence.closed.set_first(now);
                attempt.evidence.ended.set_first(now);
            }
        }
    }

    /// Takes note of a timeout of the host.
    pub fn handle_timed_out(&mut self, now: Timestamp, kind: TimeoutKind) {
        let now = self.advance(now);
        self.mark_timed_out(now, kind);
    }

    /// Adds attributes to the call; a key that is there is replaced.
    ///
    /// The booleans `refusal`, `json_valid` and `cache_hit` have fields of their own.
    pub fn handle_attributes(&mut self, now: Timestamp, attributes: Attributes) {
        self.advance(now);
        self.merge_attributes(attributes);
    }

    pub(super) fn mark_timed_out(&mut self, now: Timestamp, kind: TimeoutKind) {
        self.signals.timed_out.get_or_insert(kind);
        for attempt in self.attempts.iter_mut().filter(|attempt| !attempt.is_sealed() && !attempt.is_complete()) {
            attempt.evidence.timed_out.get_or_insert(kind);
            attempt.evidence.ended.set_first(now);
        }
    }

    /// Takes a time: never backwards, and every step tells about the clock.
    #[inline]
    pub(crate) fn advance(&mut self, at: Timestamp) -> Timestamp {
        let at = at.min(Mark::LATEST);
        if at > self.now {
            let step = at.saturating_since(self.now).as_nanos();
            self.counts.resolution = self.counts.resolution.min(step);
            self.now = at;
        } else if at < self.now {
            bump(&mut self.counts.clock_regressions);
        }
        self.now
    }

    /// Whether the stream of an attempt with that outcome was cut behind what it had reported: a whole body never is.
    pub(super) fn cut_of(&self, attempt: &Attempt, outcome: Outcome) -> Cut {
        let is_cut = self.stream.is_on() && !attempt.is_complete() && outcome != Outcome::Success;
        if is_cut { Cut::Yes } else { Cut::No }
    }

    /// Begins an attempt that nobody began.
    pub(super) fn start_implicit_attempt(&mut self, now: Timestamp) {
        self.handle_attempt_started(now, AttemptStart::default());
    }

    /// The attempt that an event belongs to, started if there is none yet. Events of attempts that do not exist are late.
    fn attempt_slot(&mut self, now: Timestamp, number: Option<u32>) -> Option<&mut Attempt> {
        if self.attempts.is_empty() && number.is_none_or(|number| number == 1) && self.attempt_count == 0 {
            self.start_implicit_attempt(now);
        }
        let slot = find_attempt(&mut self.attempts, number, self.attempt_count);
        if slot.is_none() {
            bump(&mut self.counts.late_events);
        }
        slot
    }

    /// As `attempt_slot`, for events that an attempt takes only while it runs.
    fn open_attempt(&mut self, now: Timestamp, number: Option<u32>) -> Option<&mut Attempt> {
        let is_over = self.attempt_slot(now, number)?.is_sealed();
        if is_over {
            bump(&mut self.counts.late_events);
            return None;
        }
        find_attempt(&mut self.attempts, number, self.attempt_count)
    }

    /// Makes room for one more attempt: past the cap the latest one that is over keeps only its part in the sums.
    fn fold_past_cap(&mut self, now: Timestamp) {
        let cap = self.config.limits.attempts.max(1);
        if self.attempts.len() < cap {
            return;
        }
        let over = self.attempts.iter().rposition(|attempt| attempt.evidence.past);
        let at = over.or(self.attempts.len().checked_sub(1));
        if let Some(attempt) = at.map(|at| self.attempts.remove(at)) {
            self.coverage.add(attempt.started, attempt.end(now));
            bump(&mut self.counts.dropped_attempts);
            let outcome = self.attempt_ending(&attempt, &WhatEnded::Dropped).outcome();
            if let Some(usage) = attempt.tokens.to_usage(self.cut_of(&attempt, outcome)) {
                let folded = self.folded.get_or_insert_default();
                add_usage(&mut folded.total, &usage);
                if outcome != Outcome::Success {
                    add_usage(&mut folded.wasted, &usage);
                }
            }
        }
    }
}

/// Token counts of attempts that are not kept one by one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Folded {
    pub(super) total: Usage,
    /// Of those that failed.
    pub(super) wasted: Usage,
}

pub(super) fn find_attempt(attempts: &mut [Attempt], number: Option<u32>, latest: u32) -> Option<&mut Attempt> {
    let number = number.unwrap_or(latest);
    attempts.iter_mut().rev().find(|attempt| attempt.number == number)
}

/// Sets a name unless it is set.
fn name_first(known: &mut Option<Box<str>>, mut name: Option<Box<str>>, limits: &Limits) {
    if known.is_none() {
        shorten(&mut name, limits.name_bytes);
        *known = name;
    }
}

pub(super) fn bump(count: &mut u32) {
    *count = count.saturating_add(1);
}
