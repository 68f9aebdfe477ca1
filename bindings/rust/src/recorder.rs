//! What all calls of an application share: configuration, clock and sinks.

use core::{
    fmt,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{
    collections::BTreeMap,
    panic::catch_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use llmspan_core::{
    config::Config,
    error::Error,
    event::{Event, TimedEvent},
    machine::CallStart,
    record::Record,
    time::{Timestamp, UnixNanos},
};

use crate::{
    call::{Call, OpenCall},
    clock::{Clock, SystemClock},
    sinks::{EventLog, Sink},
};

/// Opens calls and hands their records to the sinks. Clones are cheap and share everything.
///
/// # Examples
/// ```
/// use llmspan::{CallStart, Memory, Recorder};
///
/// let records = Memory::default();
/// let recorder = Recorder::new(records.clone());
/// recorder.call(CallStart::new("chat")).end();
/// assert_eq!(records.records().len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
}

/// What a recorder did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct RecorderStats {
    /// Calls that are open.
    pub open_calls: usize,
    /// Records handed to the sinks.
    pub records: u64,
    /// Panics of sinks, and of subscribers to the spans of calls, that were caught.
    pub sink_panics: u64,
}

impl Recorder {
    /// A recorder with the default configuration, the system's clock and one sink.
    pub fn new(sink: impl Sink + 'static) -> Self {
        Self::builder().with_sink(sink).into_recorder()
    }

    /// Begins a recorder with choices of its own.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::default()
    }

    /// Opens a call. The recorder numbers it, and adds the wall-clock time of its start unless `start` has one. With the feature
    /// `opentelemetry`, the span that is current on this thread becomes its parent unless `start` has ids.
    pub fn call(&self, start: CallStart) -> Call {
        let number = self.shared.next_number();
        Call::open(&self.shared, number, &number.to_string(), start)
    }

    /// Opens a call with an id of the caller's, which becomes [`Record::call`] and the `call` of its events. It should
    /// be unique among the calls of one event log.
    pub fn call_with_id(&self, id: &str, start: CallStart) -> Call {
        Call::open(&self.shared, self.shared.next_number(), id, start)
    }

    /// Ends the calls whose deadline, idle timeout or age has passed.
    ///
    /// Only for configurations that set one of them: nothing here runs a timer, so call it from one of the application,
    /// about as often as the shortest of them.
    pub fn tick(&self) {
        for call in self.shared.open_calls() {
            call.tick();
        }
    }

    /// Waits until the sinks and the event log have written what they took. Calls that are open are not touched.
    pub fn flush(&self) {
        for sink in &self.shared.sinks {
            self.shared.guarded(|| sink.flush());
        }
        if let Some(log) = &self.shared.event_log {
            log.flush();
        }
    }

    /// Counts of this recorder and all its clones.
    pub fn stats(&self) -> RecorderStats {
        RecorderStats {
            open_calls: lock(&self.shared.open).len(),
            records: self.shared.records.load(Ordering::Relaxed),
            sink_panics: self.shared.sink_panics.load(Ordering::Relaxed),
        }
    }
}

/// Collects the choices for a [`Recorder`].
#[derive(Default)]
pub struct RecorderBuilder {
    config: Config,
    clock: Option<Arc<dyn Clock>>,
    sinks: Vec<Box<dyn Sink>>,
    event_log: Option<EventLog>,
    tracing: bool,
}

impl RecorderBuilder {
    /// Sets the configuration of the engine. Default: [`Config::default`].
    pub fn with_config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Adds a sink. Without one, records are counted and dropped.
    pub fn with_sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Writes every event to a log, so that calls can be replayed. Default: no log.
    pub fn with_event_log(mut self, log: EventLog) -> Self {
        self.event_log = Some(log);
        self
    }

    /// Opens a span of `tracing` for every call and every attempt: see [`crate::tracing`]. Default: none.
    #[cfg(feature = "tracing")]
    pub fn with_tracing(mut self) -> Self {
        self.tracing = true;
        self
    }

    /// Makes the recorder.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) when [`Config::validate`] refuses the configuration.
    pub fn build(self) -> Result<Recorder, Error> {
        self.config.validate()?;
        Ok(self.into_recorder())
    }

    fn into_recorder(self) -> Recorder {
        let shared = Shared {
            config: Arc::new(self.config),
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            sinks: self.sinks,
            event_log: self.event_log,
            tracing: self.tracing,
            open: Mutex::default(),
            last_number: AtomicU64::new(0),
            records: AtomicU64::new(0),
            sink_panics: AtomicU64::new(0),
        };
        Recorder { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for RecorderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What a recorder and its open calls share.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    clock: Arc<dyn Clock>,
    sinks: Vec<Box<dyn Sink>>,
    event_log: Option<EventLog>,
    tracing: bool,
    /// Open calls by number, for [`Recorder::tick`].
    open: Mutex<BTreeMap<u64, Weak<OpenCall>>>,
    last_number: AtomicU64,
    records: AtomicU64,
    sink_panics: AtomicU64,
}

impl Shared {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Adds the wall-clock anchor that `start` lacks.
    pub(crate) fn anchor(&self, start: &mut CallStart) {
        start.unix_ns = start.unix_ns.or_else(|| self.unix_now());
    }

    pub(crate) fn unix_now(&self) -> Option<UnixNanos> {
        self.clock.unix_now()
    }

    pub(crate) fn add_open(&self, number: u64, call: Weak<OpenCall>) {
        lock(&self.open).insert(number, call);
    }

    pub(crate) fn remove_open(&self, number: u64) {
        lock(&self.open).remove(&number);
    }

    pub(crate) fn has_tracing(&self) -> bool {
        self.tracing
    }

    pub(crate) fn has_event_log(&self) -> bool {
        self.event_log.is_some()
    }

    /// Logs an event, which is made only if there is a log.
    pub(crate) fn log(&self, at: Timestamp, call: &str, attempt: Option<u32>, event: impl FnOnce() -> Event) {
        if let Some(log) = &self.event_log {
            let mut timed = TimedEvent::new(at, event()).of_call(call);
            timed.attempt = attempt;
            log.event(timed);
        }
    }

    /// Hands a record to every sink.
    pub(crate) fn deliver(&self, record: &Record) {
        self.records.fetch_add(1, Ordering::Relaxed);
        for sink in &self.sinks {
            self.guarded(|| sink.record(record));
        }
    }

    fn next_number(&self) -> u64 {
        self.last_number.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    fn open_calls(&self) -> Vec<Arc<OpenCall>> {
        lock(&self.open).values().filter_map(Weak::upgrade).collect()
    }

    /// Runs code of a sink or a subscriber: its panic is counted and goes no further.
    pub(crate) fn guarded<T>(&self, run: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(run)).ok();
        if result.is_none() {
            self.sink_panics.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("clock", &self.clock)
            .field("sinks", &self.sinks.len())
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

/// Locks, also after a panic of another holder: telemetry goes on with what is there.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
