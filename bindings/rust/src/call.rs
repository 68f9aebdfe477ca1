//! Guards for a call and what happens inside it. The time of every event is read here.

use std::sync::{Arc, Mutex};

use futures_core::Stream;
use llmspan_core::{
    engine,
    event::{Chunk, Event, ReportedUsage},
    machine::{AttemptStart, CallStart, Failure, Headers, Retry, WaitEnd},
    provider::{Protocol, headers},
    record::{AttributeValue, Attributes, TimeoutKind},
    time::Timestamp,
};

use crate::{
    live::{Caller, Live},
    recorder::{Shared, lock},
    stream::Observed,
};

/// One call, as the application sees it: retries, waits and local work included.
///
/// It ends with [`Call::end`], [`Call::fail`], or the stream that it is given to ([`Observed::ending`]). A call that is
/// dropped without an end is finalized too: as what is known to have happened to it, else as `abandoned`. Its record goes
/// to the sinks at that moment, once; events that come later are ignored.
///
/// Methods take `&self` and may be called from any thread.
#[derive(Debug)]
#[must_use = "a call ends when it is dropped"]
pub struct Call {
    open: Arc<OpenCall>,
}

impl Call {
    pub(crate) fn open(shared: &Arc<Shared>, number: u64, id: &str, mut start: CallStart) -> Self {
        shared.anchor(&mut start);
        let caller = shared.guarded(Caller::current).unwrap_or_default();
        caller.adopt(&mut start);
        let now = shared.now();
        shared.log(now, id, None, || Event::CallStarted(Box::new(start.clone())));
        let engine = engine::Call::with_id(id, Arc::clone(&shared.config), now, start);
        let live = shared.guarded(|| Live::open(shared.has_tracing(), &engine)).unwrap_or_default();
        let shared = Arc::clone(shared);
        let open = Arc::new(OpenCall { shared, number, id: id.into(), caller, engine: Mutex::new(engine), live });
        open.shared.add_open(number, Arc::downgrade(&open));
        Self { open }
    }

    /// Id of the call: [`Record::call`](crate::Record::call).
    pub fn id(&self) -> &str {
        &self.open.id
    }

    /// Begins a phase, such as `prompt.build` or `key_pool.acquire`, which lasts as long as the guard.
    pub fn phase(&self, name: &str) -> Phase {
        self.open.event(None, Event::PhaseStarted(name.into()));
        Phase { open: Arc::clone(&self.open), name: name.into() }
    }

    /// Begins the next attempt. It closes the wait that is open, and the attempt before it.
    pub fn attempt(&self) -> Attempt {
        self.attempt_with(AttemptStart::default())
    }

    /// Begins the next attempt, with a provider, model or endpoint of its own, or beside the one before it (hedged).
    pub fn attempt_with(&self, start: AttemptStart) -> Attempt {
        let event = Event::AttemptStarted(Box::new(start));
        let number = self.open.apply(|engine, log| {
            log.event(None, || event.clone());
            engine.handle_event(log.now, None, &event);
            engine.attempt_count()
        });
        self.open.follow(&event);
        // After the end of the call there is no attempt: what is told to this one is ignored.
        Attempt { open: Arc::clone(&self.open), number: number.unwrap_or(0) }
    }

    /// Opens a wait, which the next attempt closes: before a retry, or before the first attempt (a pool of keys).
    pub fn retry_scheduled(&self, retry: Retry) {
        self.open.event(None, Event::RetryScheduled(retry));
    }

    /// Closes the wait that is open, where the next attempt does not follow at once.
    pub fn retry_wait_ended(&self, end: WaitEnd) {
        self.open.event(None, Event::RetryWaitEnded(end));
    }

    /// Takes note that the application aborts the call. The call still has to end, or to be dropped.
    pub fn cancelled(&self) {
        self.open.event(None, Event::Cancelled);
    }

    /// Takes note that nobody reads the response any more. The call still has to end, or to be dropped.
    pub fn consumer_closed(&self) {
        self.open.event(None, Event::ConsumerClosed);
    }

    /// Takes note that the application gives up waiting. The call still has to end, or to be dropped.
    pub fn timed_out(&self, kind: TimeoutKind) {
        self.open.event(None, Event::TimedOut(kind));
    }

    /// Sets an attribute. The booleans `refusal`, `json_valid` and `cache_hit` have fields of their own in the record.
    pub fn attribute(&self, key: &str, value: impl Into<AttributeValue>) {
        self.attributes([(key.into(), value.into())].into());
    }

    /// Sets attributes.
    pub fn attributes(&self, attributes: Attributes) {
        self.open.event(None, Event::Attributes(attributes));
    }

    /// Ends the call: a success, unless something that happened to its last attempt says otherwise.
    pub fn end(self) {
        self.fail(Failure::default());
    }

    /// Ends the call with a failure of its own, such as the last one after all retries.
    pub fn fail(self, failure: Failure) {
        self.open.event(None, Event::CallEnded(Box::new(failure)));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.open.event(None, Event::CallDropped);
    }
}

/// One physical request of a [`Call`].
///
/// Clones stand for the same attempt. It is no guard: an attempt ends with its response, its failure, the next attempt or
/// its call.
#[derive(Clone, Debug)]
pub struct Attempt {
    open: Arc<OpenCall>,
    number: u32,
}

impl Attempt {
    /// Number of the attempt, from 1; 0 if the call had ended before it began.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Marks the moment when the request had left.
    pub fn request_sent(&self) {
        self.event(Event::RequestSent);
    }

    /// Marks the arrival of the response headers, as [`headers::read`](crate::headers::read) or the application read them.
    pub fn headers(&self, headers: Headers) {
        self.event(Event::HeadersReceived(Box::new(headers)));
    }

    /// Marks the arrival of the response headers and reads them. Gives back what they say, for the retry to come.
    pub fn response<'a>(&self, status_code: u16, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Headers {
        let headers = headers::read_at(status_code, headers, self.open.shared.unix_now());
        self.headers(headers.clone());
        headers
    }

    /// Takes raw response bytes, split anywhere: of a stream, or of a whole body.
    pub fn bytes(&self, protocol: Protocol, bytes: &[u8]) {
        self.open.apply(|engine, log| {
            log.event(Some(self.number), || Event::Bytes(protocol, bytes.to_vec()));
            engine.handle_bytes(log.now, Some(self.number), protocol, bytes);
        });
    }

    /// Takes one provider event as JSON text, where an SDK has done the framing.
    pub fn payload(&self, protocol: Protocol, json: &str) {
        self.open.apply(|engine, log| {
            log.event(Some(self.number), || Event::Payload(protocol, json.into()));
            engine.handle_payload(log.now, Some(self.number), protocol, json.as_bytes());
        });
    }

    /// Takes a chunk that the application has classified itself.
    pub fn chunk(&self, chunk: &Chunk) {
        self.open.apply(|engine, log| {
            log.event(Some(self.number), || Event::Chunk(Box::new(chunk.clone())));
            engine.handle_delta(log.now, Some(self.number), &chunk.to_delta());
        });
    }

    /// Takes token counts that came apart from the response.
    pub fn usage(&self, usage: ReportedUsage) {
        self.event(Event::Usage(Box::new(usage)));
    }

    /// Marks the moment when the consumer really got the first visible chunk, where something holds chunks back.
    pub fn delivered(&self) {
        self.event(Event::Delivered);
    }

    /// Closes the attempt with an error.
    pub fn failed(&self, failure: Failure) {
        self.event(Event::AttemptFailed(Box::new(failure)));
    }

    /// Takes note of the end of the response stream.
    pub fn stream_ended(&self) {
        self.event(Event::StreamEnded);
    }

    /// Watches a response stream, such as the `bytes_stream()` of a reqwest response: every item passes on unchanged.
    ///
    /// The call stays open after the stream, for a loop that may have to retry. Give it to [`Observed::ending`] when it is
    /// over with this stream.
    pub fn observe<S, B, E>(&self, stream: S, protocol: Protocol) -> Observed<S, fn(&E) -> Failure>
    where
        S: Stream<Item = Result<B, E>>,
        B: AsRef<[u8]>,
    {
        Observed::new(stream, self.clone(), protocol)
    }

    pub(crate) fn consumer_closed(&self) {
        self.event(Event::ConsumerClosed);
    }

    fn event(&self, event: Event) {
        self.open.event(Some(self.number), event);
    }
}

/// A stretch of local work inside a [`Call`]. It ends when it is dropped.
#[derive(Debug)]
#[must_use = "a phase ends when it is dropped"]
pub struct Phase {
    open: Arc<OpenCall>,
    name: Box<str>,
}

impl Phase {
    /// Ends the phase.
    pub fn end(self) {}
}

impl Drop for Phase {
    fn drop(&mut self) {
        self.open.event(None, Event::PhaseEnded(self.name.clone()));
    }
}

/// A call of the engine behind its lock.
#[derive(Debug)]
pub(crate) struct OpenCall {
    shared: Arc<Shared>,
    number: u64,
    id: Box<str>,
    caller: Caller,
    engine: Mutex<engine::Call>,
    live: Live,
}

impl OpenCall {
    /// Ends the call if one of its deadlines has passed.
    pub(crate) fn tick(&self) {
        self.apply(|engine, log| {
            if engine.poll_timeout().is_some_and(|due| due <= log.now) {
                log.event(None, || Event::Tick);
                engine.handle_timeout(log.now);
            }
        });
    }

    #[expect(clippy::needless_pass_by_value, reason = "events are made where they are told")]
    fn event(&self, attempt: Option<u32>, event: Event) {
        self.apply(|engine, log| {
            log.event(attempt, || event.clone());
            engine.handle_event(log.now, attempt, &event);
        });
        self.follow(&event);
    }

    /// Shows the call to what follows it, if the event may mean something there.
    fn follow(&self, event: &Event) {
        if self.live.follows(event) {
            let engine = lock(&self.engine).clone();
            self.shared.guarded(|| self.live.follow(engine));
        }
    }

    /// Applies something to the engine, and delivers the record if that ended the call.
    ///
    /// The clock is read and the event logged under the lock, so that both have the order of the events. The sinks run
    /// outside of it.
    fn apply<T>(&self, change: impl FnOnce(&mut engine::Call, &Logging<'_>) -> T) -> T {
        let mut engine = lock(&self.engine);
        let log =
            Logging { call: self, now: self.shared.now(), is_on: self.shared.has_event_log() && engine.is_open() };
        let result = change(&mut engine, &log);
        let record = engine.poll_record();
        drop(engine);
        if let Some(record) = record {
            self.shared.guarded(|| self.live.end(&record));
            self.shared.remove_open(self.number);
            // Sinks that ask who made the call find the caller, and not who happens to end it here.
            let _scope = self.shared.guarded(|| self.caller.enter());
            self.shared.deliver(&record);
        }
        result
    }
}

/// The time of one event, and where it is logged.
struct Logging<'a> {
    call: &'a OpenCall,
    now: Timestamp,
    /// Whether there is a log, and the call has not ended: what comes later changes nothing.
    is_on: bool,
}

impl Logging<'_> {
    fn event(&self, attempt: Option<u32>, event: impl FnOnce() -> Event) {
        if self.is_on {
            self.call.shared.log(self.now, &self.call.id, attempt, event);
        }
    }
}
