//! What calls share: configuration, clocks, and where their records go.

use core::sync::atomic::{AtomicU64, Ordering};
use std::{
    collections::BTreeMap,
    ffi::CString,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use llmspan_core::{
    config::Config,
    error::without_values,
    event::TimedEvent,
    record,
    time::{Timestamp, UnixNanos},
};
use pyo3::{
    exceptions::PyRuntimeWarning,
    intern,
    prelude::*,
    types::{PyDict, PyString},
};

use crate::{call::OpenCall, error::raise, record::Record, value};

/// Opens calls and hands their records to a callable.
#[pyclass(frozen, subclass, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) shared: Arc<Shared>,
}

#[pymethods]
impl Recorder {
    #[new]
    #[pyo3(signature = (deliver, clock, wall_clock=None, config=None))]
    fn new(
        py: Python<'_>,
        deliver: Py<PyAny>,
        clock: Py<PyAny>,
        wall_clock: Option<Py<PyAny>>,
        config: Option<&str>,
    ) -> PyResult<Self> {
        let config = config.map_or_else(|| Ok(Config::default()), Config::from_json);
        let config = config.map_err(|error| raise(py, error))?;
        let shared = Shared {
            config: Arc::new(config),
            deliver,
            clock,
            wall_clock,
            open: Mutex::default(),
            last_number: AtomicU64::new(0),
            records: AtomicU64::new(0),
            invalid_events: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Ends the calls whose deadline, idle timeout or age has passed.
    #[pyo3(signature = (*, at_ns=None))]
    fn tick(&self, py: Python<'_>, at_ns: Option<u64>) {
        for call in self.shared.open_calls() {
            call.apply(py, at_ns, llmspan_core::engine::Call::handle_timeout);
        }
    }

    /// Ends all open calls as they are: what never ended is `abandoned`.
    #[pyo3(signature = (*, at_ns=None))]
    fn abandon_open_calls(&self, py: Python<'_>, at_ns: Option<u64>) {
        for call in self.shared.open_calls() {
            call.abandon(py, at_ns);
        }
    }

    /// Lets the open calls end without a record: in the child of a fork they are the parent's.
    fn forget_open_calls(&self) {
        for call in self.shared.open_calls() {
            call.forget();
        }
        lock(&self.shared.open).clear();
    }

    /// Whether a deadline, an idle timeout or an age is configured, so that `tick` has something to do.
    #[getter]
    fn has_deadlines(&self) -> bool {
        self.shared.config.has_deadlines()
    }

    /// Calls that are open.
    #[getter]
    fn open_calls(&self) -> usize {
        lock(&self.shared.open).len()
    }

    /// Records handed over.
    #[getter]
    fn records(&self) -> u64 {
        self.shared.records.load(Ordering::Relaxed)
    }

    /// Events left out because their fields could not be read.
    #[getter]
    fn invalid_events(&self) -> u64 {
        self.shared.invalid_events.load(Ordering::Relaxed)
    }
}

/// What a recorder and its open calls share.
///
/// The garbage collector is not told of what is held here: a reference that many objects share cannot be told to it as the
/// reference of each.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    deliver: Py<PyAny>,
    clock: Py<PyAny>,
    wall_clock: Option<Py<PyAny>>,
    /// Open calls by number.
    open: Mutex<BTreeMap<u64, Weak<OpenCall>>>,
    last_number: AtomicU64,
    records: AtomicU64,
    invalid_events: AtomicU64,
}

impl Shared {
    /// The time of an event: the one given, else the clock's. Of a clock that fails it is 0, which the engine clamps.
    pub(crate) fn now(&self, py: Python<'_>, at_ns: Option<u64>) -> Timestamp {
        let now = at_ns.or_else(|| self.clock.call0(py).ok()?.extract(py).ok());
        Timestamp::from_nanos(now.unwrap_or_default())
    }

    /// The wall-clock time.
    pub(crate) fn unix_now(&self, py: Python<'_>) -> Option<UnixNanos> {
        let now = self.wall_clock.as_ref()?.call0(py).ok()?.extract(py).ok()?;
        Some(UnixNanos::from_nanos(now))
    }

    /// The wall-clock time that the clock's `at` had.
    pub(crate) fn unix_at(&self, py: Python<'_>, at: Timestamp) -> Option<UnixNanos> {
        let unix = self.unix_now(py)?;
        let passed = self.now(py, None).saturating_since(at);
        Some(UnixNanos::from_nanos(unix.as_nanos().saturating_sub(passed.as_nanos())))
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.last_number.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    pub(crate) fn add_open(&self, number: u64, call: Weak<OpenCall>) {
        lock(&self.open).insert(number, call);
    }

    fn open_calls(&self) -> Vec<Arc<OpenCall>> {
        lock(&self.open).values().filter_map(Weak::upgrade).collect()
    }

    /// Reads an event by its name and fields, at the time among them or else at the clock's. What cannot be read is refused.
    pub(crate) fn read(
        &self,
        py: Python<'_>,
        name: &'static str,
        attempt: Option<u32>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> Option<TimedEvent> {
        let at_ns = intern!(py, "at_ns");
        let has_time = fields.is_some_and(|fields| matches!(fields.get_item(at_ns), Ok(Some(at)) if !at.is_none()));
        let now = if has_time { 0 } else { self.now(py, None).as_nanos() };
        let given = [
            (intern!(py, "event"), PyString::new(py, name).into_any()),
            (at_ns, now.into_pyobject(py).ok()?.into_any()),
            (intern!(py, "attempt"), attempt.into_pyobject(py).ok()?),
        ];
        value::read_event(given, fields).map_err(|error| self.refuse(py, &error.to_string())).ok()
    }

    /// Hands the record of a call over, with what was to be kept beside the call, and whether the call was abandoned, perhaps by
    /// a destructor. What the receiver raises is shown as Python shows what destructors raise.
    pub(crate) fn deliver(
        &self,
        py: Python<'_>,
        number: u64,
        record: record::Record,
        context: Option<Py<PyAny>>,
        abandoned: bool,
    ) {
        lock(&self.open).remove(&number);
        self.records.fetch_add(1, Ordering::Relaxed);
        let delivered =
            Record::wrap(py, record).and_then(|record| self.deliver.call1(py, (record, context, abandoned)));
        if let Err(error) = delivered {
            error.write_unraisable(py, Some(self.deliver.bind(py)));
        }
    }

    /// Counts an event that could not be read, and warns of the first one.
    pub(crate) fn refuse(&self, py: Python<'_>, why: &str) {
        if self.invalid_events.fetch_add(1, Ordering::Relaxed) == 0 {
            let text = format!("llmspan leaves out an event, and every one like it: {}", without_values(why));
            let text = CString::new(text.replace('\0', "")).unwrap_or_default();
            // A warning that a filter turns into an error is not for the application to see.
            if let Err(error) = PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &text, 1) {
                error.write_unraisable(py, None);
            }
        }
    }
}

/// Locks, also after a panic of another holder: telemetry goes on with what is there.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
