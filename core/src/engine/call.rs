//! One call from its first event to its record.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    config::Config,
    delta::{ContentKind, Delta, UsageReport},
    event::{DEFAULT_CALL, Event},
    limits::{DECODERS, Limits},
    machine::{AttemptStart, CallStart, Failure, Headers, Machine, Retry, WaitEnd, WhatEnded},
    provider::{Protocol, StreamDecoder, Tape},
    record::{Attributes, Record, TimeoutKind},
    time::Timestamp,
};

/// One call: feed it events in time order, end it, take its record.
///
/// **All progress comes from method calls with a time: the engine reads no clock, starts nothing and calls nobody back.**
///
/// 1. Make the call with [`Call::new`] at the moment the application asked for it.
/// 2. Hand over each event as it happens, with its time: [`Call::handle_event`], or the method of its kind.
/// 3. When [`Call::poll_timeout`] gives a time, call [`Call::handle_timeout`] once that time has come.
/// 4. End the call with [`Call::handle_call_ended`]; a call that is dropped without one loses its record, so hosts end it
///    with [`Call::handle_dropped`] from their destructors.
/// 5. Take the record with [`Call::poll_record`].
///
/// After the end every event is counted as late and changes nothing.
///
/// # Examples
/// ```
/// use llmspan_core::{
///     config::Config,
///     engine::Call,
///     machine::{AttemptStart, CallStart, Failure},
///     provider::Protocol,
///     time::{Nanos, Timestamp},
/// };
///
/// let start = CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed();
/// let mut call = Call::new(Config::default().into(), Timestamp::from_millis(0), start);
/// call.handle_attempt_started(Timestamp::from_millis(0), AttemptStart::default());
/// let frames = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n";
/// call.handle_bytes(Timestamp::from_millis(250), None, Protocol::OpenAiChat, frames);
/// call.handle_call_ended(Timestamp::from_millis(300), Failure::default());
///
/// let record = call.poll_record().expect("the call has ended");
/// assert_eq!(record.ttft_ns, Some(Nanos::from_millis(250)));
/// assert!(call.poll_record().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) state: State,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Open(Box<Open>),
    /// Over; the record is there until somebody takes it.
    Ended(Option<Box<Record>>),
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Open {
    pub(super) machine: Machine,
    /// Decoders by attempt, the latest last.
    decoders: Vec<(u32, Box<StreamDecoder>)>,
}

impl Call {
    /// Opens a call with the id `1`.
    pub fn new(config: Arc<Config>, now: Timestamp, start: CallStart) -> Self {
        Self::with_id(DEFAULT_CALL, config, now, start)
    }

    /// Opens a call with an id of the caller's.
    pub fn with_id(id: &str, config: Arc<Config>, now: Timestamp, start: CallStart) -> Self {
        let machine = Machine::new(id, config, now, start);
        Self { state: State::Open(Box::new(Open { machine, decoders: Vec::new() })) }
    }

    /// Whether the call has not ended yet.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Number of attempts so far; `None` once the call has ended.
    pub fn attempt_count(&self) -> Option<u32> {
        match &self.state {
            State::Open(open) => Some(open.machine.attempt_count()),
            State::Ended(_) => None,
        }
    }

    /// The provider's id of the response to the latest attempt; `None` until it has said one, and once the call has ended.
    pub fn response_id(&self) -> Option<&str> {
        match &self.state {
            State::Open(open) => open.machine.response_id(),
            State::Ended(_) => None,
        }
    }

    /// Applies an event of the log. `attempt` is the number of the attempt it belongs to, the latest when absent.
    pub fn handle_event(&mut self, now: Timestamp, attempt: Option<u32>, event: &Event) {
        if let Event::Chunk(chunk) = event {
            return match chunk.plain_bytes() {
                Some(bytes) => self.handle_content(now, attempt, chunk.content, bytes),
                None => self.handle_delta(now, attempt, &chunk.to_delta()),
            };
        }
        self.handle_other(now, attempt, event);
    }

    fn handle_other(&mut self, now: Timestamp, attempt: Option<u32>, event: &Event) {
        match event {
            Event::CallStarted(_) => self.late(),
            Event::PhaseStarted(name) => self.handle_phase_started(now, name),
            Event::PhaseEnded(name) => self.handle_phase_ended(now, name),
            Event::AttemptStarted(start) => self.handle_attempt_started(now, (**start).clone()),
            Event::RequestSent => self.handle_request_sent(now, attempt),
            Event::HeadersReceived(headers) => self.handle_headers(now, attempt, (**headers).clone()),
            Event::Chunk(chunk) => self.handle_delta(now, attempt, &chunk.to_delta()),
            Event::Payload(protocol, data) => self.handle_payload(now, attempt, *protocol, data.as_bytes()),
            Event::Bytes(protocol, data) => self.handle_bytes(now, attempt, *protocol, data),
            Event::KeepAlive => self.handle_delta(now, attempt, &Delta::keep_alive()),
            Event::Usage(usage) => self.handle_usage(now, attempt, &usage.to_report()),
            Event::Delivered => self.handle_delivered(now, attempt),
            Event::AttemptFailed(failure) => self.handle_attempt_failed(now, attempt, (**failure).clone()),
            Event::RetryScheduled(retry) => self.handle_retry_scheduled(now, *retry),
            Event::RetryWaitEnded(end) => self.handle_retry_wait_ended(now, *end),
            Event::StreamEnded => self.handle_stream_ended(now, attempt),
            Event::Cancelled => self.handle_cancelled(now),
            Event::ConsumerClosed => self.handle_consumer_closed(now, attempt),
            Event::TimedOut(kind) => self.handle_timed_out(now, *kind),
            Event::Tick => self.handle_timeout(now),
            Event::Attributes(attributes) => self.handle_attributes(now, attributes.clone()),
            Event::CallEnded(failure) => self.handle_call_ended(now, (**failure).clone()),
            Event::CallDropped => self.handle_dropped(now),
        }
    }

    /// Begins a phase. See [`Call`] for how calls are driven.
    pub fn handle_phase_started(&mut self, now: Timestamp, name: &str) {
        self.open(|open| open.machine.handle_phase_started(now, name));
    }

    /// Ends a phase and every phase inside it. See [`Call`] for how calls are driven.
    pub fn handle_phase_ended(&mut self, now: Timestamp, name: &str) {
        self.open(|open| open.machine.handle_phase_ended(now, name));
    }

    /// Begins the next attempt. See [`Call`] for how calls are driven.
    pub fn handle_attempt_started(&mut self, now: Timestamp, start: AttemptStart) {
        self.open(|open| open.machine.handle_attempt_started(now, start));
    }

    /// Marks the moment when the request had left. See [`Call`] for how calls are driven.
    pub fn handle_request_sent(&mut self, now: Timestamp, attempt: Option<u32>) {
        self.open(|open| open.machine.handle_request_sent(now, attempt));
    }

    /// Marks the arrival of the response headers. See [`Call`] for how calls are driven.
    pub fn handle_headers(&mut self, now: Timestamp, attempt: Option<u32>, headers: Headers) {
        self.open(|open| open.machine.handle_headers(now, attempt, headers));
    }

    /// Applies an event that is decoded already. Allocates nothing but for what a record keeps once: ids, names, finish
    /// reasons. See [`Call`] for how calls are driven.
    pub fn handle_delta(&mut self, now: Timestamp, attempt: Option<u32>, delta: &Delta<'_>) {
        self.open(|open| open.machine.handle_delta(now, attempt, delta));
    }

    /// Applies a chunk with content of one kind, and nothing else: `bytes` long, or 0 when nobody counted. See [`Call`] for
    /// how calls are driven.
    pub fn handle_content(&mut self, now: Timestamp, attempt: Option<u32>, kind: ContentKind, bytes: u32) {
        self.open(|open| open.machine.handle_content(now, attempt, kind, bytes));
    }

    /// Applies raw response bytes, split anywhere. See [`Call`] for how calls are driven.
    pub fn handle_bytes(&mut self, now: Timestamp, attempt: Option<u32>, protocol: Protocol, bytes: &[u8]) {
        self.open(|open| open.bytes(now, attempt, protocol, bytes));
    }

    /// Applies raw response bytes as [`Call::handle_bytes`] does, for hosts that bring several pieces at once: each has its time,
    /// and the place in `bytes` where it ends and the next one begins. See [`Call`] for how calls are driven.
    pub fn handle_pieces(
        &mut self,
        pieces: impl IntoIterator<Item = (Timestamp, usize)>,
        attempt: Option<u32>,
        protocol: Protocol,
        bytes: &[u8],
    ) {
        let mut start = 0;
        for (now, end) in pieces {
            self.handle_bytes(now, attempt, protocol, bytes.get(start..end).unwrap_or_default());
            start = end;
        }
    }

    /// Applies one provider event, as JSON text. See [`Call`] for how calls are driven.
    pub fn handle_payload(&mut self, now: Timestamp, attempt: Option<u32>, protocol: Protocol, json: &[u8]) {
        self.open(|open| open.payload(now, attempt, protocol, json));
    }

    /// Applies one provider event that the host holds as its own objects, behind a `serde` deserializer; `tape` is scratch
    /// space that the host keeps. See [`Call`] for how calls are driven.
    pub fn handle_value<'de, D: Deserializer<'de>>(
        &mut self,
        now: Timestamp,
        attempt: Option<u32>,
        protocol: Protocol,
        event: D,
        tape: &mut Tape,
    ) {
        if self.is_open() {
            tape.take_down(protocol, event);
        }
        self.handle_tape(now, attempt, protocol, tape);
    }

    /// Applies one provider event that a library holds as its own object, given as JSON text: its names may be spelled in another
    /// way than on the wire, and it may be wrapped. See [`Call`] for how calls are driven.
    pub fn handle_object(&mut self, now: Timestamp, attempt: Option<u32>, protocol: Protocol, json: &[u8]) {
        self.open(|open| open.object(now, attempt, protocol, json));
    }

    /// Applies provider events as [`Call::handle_object`] does, for hosts that bring several at once: each is a line of `lines`,
    /// and has its time in `times`. What has no time is left out. See [`Call`] for how calls are driven.
    pub fn handle_objects(
        &mut self,
        times: impl IntoIterator<Item = Timestamp>,
        attempt: Option<u32>,
        protocol: Protocol,
        lines: &[u8],
    ) {
        let mut left = Some(lines);
        for now in times {
            let Some(text) = left else { return };
            let end = memchr::memchr(b'\n', text);
            let (line, rest) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or_default();
            left = end.and(rest.get(1..));
            self.handle_object(now, attempt, protocol, line);
        }
    }

    /// Applies one provider event that was taken down on a tape: [`Call::handle_value`] in two steps, for hosts that must
    /// not read their objects while they hold the call. See [`Call`] for how calls are driven.
    pub fn handle_tape(&mut self, now: Timestamp, attempt: Option<u32>, protocol: Protocol, tape: &Tape) {
        self.open(|open| open.tape(now, attempt, protocol, tape));
    }

    /// Applies token counts. See [`Call`] for how calls are driven.
    pub fn handle_usage(&mut self, now: Timestamp, attempt: Option<u32>, report: &UsageReport) {
        self.open(|open| open.machine.handle_usage(now, attempt, report));
    }

    /// Marks the delivery of the first visible chunk. See [`Call`] for how calls are driven.
    pub fn handle_delivered(&mut self, now: Timestamp, attempt: Option<u32>) {
        self.open(|open| open.machine.handle_delivered(now, attempt));
    }

    /// Closes an attempt with an error. See [`Call`] for how calls are driven.
    pub fn handle_attempt_failed(&mut self, now: Timestamp, attempt: Option<u32>, failure: Failure) {
        self.open(|open| open.machine.handle_attempt_failed(now, attempt, failure));
    }

    /// Opens a wait before the next attempt. See [`Call`] for how calls are driven.
    pub fn handle_retry_scheduled(&mut self, now: Timestamp, retry: Retry) {
        self.open(|open| open.machine.handle_retry_scheduled(now, retry));
    }

    /// Closes the open wait. See [`Call`] for how calls are driven.
    pub fn handle_retry_wait_ended(&mut self, now: Timestamp, end: WaitEnd) {
        self.open(|open| open.machine.handle_retry_wait_ended(now, end));
    }

    /// Takes note of the end of the stream; an event that it left unterminated is still read. See [`Call`] for how calls
    /// are driven.
    pub fn handle_stream_ended(&mut self, now: Timestamp, attempt: Option<u32>) {
        self.open(|open| {
            let now = open.machine.advance(now);
            open.flush(now, attempt);
            open.machine.handle_stream_ended(now, attempt);
        });
    }

    /// Takes note of the caller's abort. See [`Call`] for how calls are driven.
    pub fn handle_cancelled(&mut self, now: Timestamp) {
        self.open(|open| open.machine.handle_cancelled(now));
    }

    /// Takes note that the consumer stopped reading: one attempt's stream, or all. See [`Call`] for how calls are driven.
    pub fn handle_consumer_closed(&mut self, now: Timestamp, attempt: Option<u32>) {
        self.open(|open| open.machine.handle_consumer_closed(now, attempt));
    }

    /// Takes note of a timeout of the host. See [`Call`] for how calls are driven.
    pub fn handle_timed_out(&mut self, now: Timestamp, kind: TimeoutKind) {
        self.open(|open| open.machine.handle_timed_out(now, kind));
    }

    /// Adds attributes. See [`Call`] for how calls are driven.
    pub fn handle_attributes(&mut self, now: Timestamp, attributes: Attributes) {
        self.open(|open| open.machine.handle_attributes(now, attributes));
    }

    /// Ends the call. The first end decides; later ones are counted. See [`Call`] for how calls are driven.
    pub fn handle_call_ended(&mut self, now: Timestamp, failure: Failure) {
        match &mut self.state {
            State::Open(_) => self.end(now, WhatEnded::Caller(failure)),
            State::Ended(Some(record)) => {
                let ends = &mut record.diagnostics.duplicate_ends;
                *ends = ends.saturating_add(1);
            }
            State::Ended(None) => {}
        }
    }

    /// Ends the call because its owner goes away. After an end it does nothing. See [`Call`] for how calls are driven.
    pub fn handle_dropped(&mut self, now: Timestamp) {
        if self.is_open() {
            self.end(now, WhatEnded::Dropped);
        }
    }

    /// The time at which [`Call::handle_timeout`] has to be called, if there is one.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.state {
            State::Open(open) => open.machine.poll_timeout(),
            State::Ended(_) => None,
        }
    }

    /// The deadline that has passed at `now`, if one has. A time before the last event of the call counts as that of the event.
    pub(super) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.state {
            State::Open(open) => open.machine.due(now).and_then(|_| open.machine.poll_timeout()),
            State::Ended(_) => None,
        }
    }

    /// Ends the call if a deadline of its configuration has passed at `now`; otherwise does nothing. See [`Call`] for how
    /// calls are driven.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if let State::Open(open) = &mut self.state
            && let Some(ended) = open.machine.due(now)
        {
            self.end(now, ended);
        }
    }

    /// The record, once: `None` while the call is open and after the record was taken.
    pub fn poll_record(&mut self) -> Option<Record> {
        match &mut self.state {
            State::Open(_) => None,
            State::Ended(record) => record.take().map(|record| *record),
        }
    }

    /// The open call, for events; after the end they are late.
    fn open(&mut self, apply: impl FnOnce(&mut Open)) {
        match &mut self.state {
            State::Open(open) => apply(open),
            State::Ended(_) => self.late(),
        }
    }

    fn late(&mut self) {
        match &mut self.state {
            State::Open(open) => open.machine.handle_late(),
            State::Ended(Some(record)) => {
                let late = &mut record.diagnostics.late_events;
                *late = late.saturating_add(1);
            }
            State::Ended(None) => {}
        }
    }

    fn end(&mut self, now: Timestamp, ended: WhatEnded) {
        let state = core::mem::replace(&mut self.state, State::Ended(None));
        if let State::Open(mut open) = state {
            let mut now = now;
            if matches!(ended, WhatEnded::Caller(_)) {
                now = open.machine.advance(now);
                // A body that nobody said the end of is over with its call, unless something cut it before.
                let latest = open.machine.attempt_count();
                if open.machine.takes_stream(latest) {
                    open.flush(now, None);
                }
            }
            let mut record = Box::<Record>::default();
            open.machine.finish_into(now, ended, &mut record);
            self.state = State::Ended(Some(record));
        }
    }
}

impl Open {
    fn bytes(&mut self, now: Timestamp, attempt: Option<u32>, protocol: Protocol, bytes: &[u8]) {
        // One event has one time, however much of the response is in it.
        let now = self.machine.advance(now);
        self.machine.handle_activity(now, attempt, protocol.as_str());
        let Self { machine, decoders } = self;
        let Some(decoder) = decoder_of(decoders, machine, attempt, protocol) else { return };
        let mut input = bytes;
        loop {
            let mut delta = Delta::default();
            if !decoder.next_into(&mut input, &mut delta) {
                return;
            }
            machine.handle_delta(now, attempt, &delta);
        }
    }

    fn payload(&mut self, now: Timestamp, attempt: Option<u32>, protocol: Protocol, json: &[u8]) {
        let Some((machine, decoder, now)) = self.of_event(now, attempt, protocol) else { return };
        machine.handle_delta(now, attempt, &decoder.decode_payload(json));
    }

    fn object(&mut self, now: Timestamp, attempt: Option<u32>, protocol: Protocol, json: &[u8]) {
        let Some((machine, decoder, now)) = self.of_event(now, attempt, protocol) else { return };
        machine.handle_delta(now, attempt, &decoder.decode_object(json));
    }

    fn tape(&mut self, now: Timestamp, attempt: Option<u32>, protocol: Protocol, tape: &Tape) {
        let Some((machine, decoder, now)) = self.of_event(now, attempt, protocol) else { return };
        machine.handle_delta(now, attempt, &decoder.decode_tape(tape));
    }

    /// What an event of an attempt goes through, and its time.
    #[inline]
    fn of_event(
        &mut self,
        now: Timestamp,
        attempt: Option<u32>,
        protocol: Protocol,
    ) -> Option<(&mut Machine, &mut StreamDecoder, Timestamp)> {
        let now = self.machine.advance(now);
        self.machine.handle_protocol(now, attempt, protocol.as_str());
        let Self { machine, decoders } = self;
        let decoder = decoder_of(decoders, machine, attempt, protocol)?;
        Some((machine, decoder, now))
    }

    /// Reads what the end of the stream left unterminated.
    fn flush(&mut self, now: Timestamp, attempt: Option<u32>) {
        let number = attempt.unwrap_or(self.machine.attempt_count());
        let Self { machine, decoders } = self;
        let Some((_, decoder)) = decoders.iter_mut().find(|(owner, _)| *owner == number) else { return };
        while let Some(delta) = decoder.finish() {
            machine.handle_delta(now, attempt, &delta);
        }
    }
}

/// The decoder of an attempt, made when its first bytes come. Attempts that do not exist have none.
fn decoder_of<'a>(
    decoders: &'a mut Vec<(u32, Box<StreamDecoder>)>,
    machine: &Machine,
    attempt: Option<u32>,
    protocol: Protocol,
) -> Option<&'a mut StreamDecoder> {
    let number = attempt.unwrap_or(machine.attempt_count());
    if number == 0 || number > machine.attempt_count() {
        return None;
    }
    let known = decoders.iter().position(|(owner, _)| *owner == number);
    let at = known.unwrap_or_else(|| {
        if decoders.len() >= DECODERS {
            decoders.remove(0);
        }
        if decoders.is_empty() {
            decoders.reserve_exact(1);
        }
        let Limits { frame_bytes, body_bytes, .. } = machine.limits();
        decoders.push((number, Box::new(StreamDecoder::new(protocol, *frame_bytes, *body_bytes))));
        decoders.len().saturating_sub(1)
    });
    decoders.get_mut(at).map(|(_, decoder)| &mut **decoder)
}
