//! Calls and attempts: what happens to them becomes events of the engine.
//!
//! Fields of events are read by the core, under the names of the event log; a field that an event does not have, or of another
//! type than it has, makes the event one that is left out and counted. So no method raises because of what it is told.

use core::{
    cell::Cell,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    panic::catch_unwind,
    sync::{Arc, Mutex},
};

use llmspan_core::{
    engine,
    event::{Chunk, Event, TimedEvent},
    machine::{AttemptStart, CallStart},
    provider::{Protocol, Tape},
    time::Timestamp,
};
use pyo3::{
    exceptions::PyRuntimeError,
    intern,
    prelude::*,
    types::{PyByteArray, PyBytes, PyDict, PyString},
};

use crate::{
    export::header_pairs,
    recorder::{Recorder, Shared, lock},
    value::{self, Object},
    wire::ModelRequest,
};

/// One request and its response: what a call, which means its latest attempt, and an attempt have in common.
#[pyclass(frozen, subclass, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct Exchange {
    open: Arc<OpenCall>,
    /// Number of the attempt; `None` for the latest one.
    attempt: Option<u32>,
}

#[pymethods]
impl Exchange {
    /// Marks the moment when the request had left.
    #[pyo3(signature = (*, at_ns=None))]
    fn request_sent(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.event(py, at_ns, &Event::RequestSent);
    }

    /// Takes the response headers: a mapping or pairs of names and values, and what the application read itself. Gives back
    /// how many nanoseconds the server asks to wait before a retry.
    #[pyo3(signature = (status_code=None, headers=None, **fields))]
    fn headers(
        &self,
        py: Python<'_>,
        status_code: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Option<u64>> {
        let all = fields.map_or_else(|| Ok(PyDict::new(py)), PyDictMethods::copy)?;
        all.set_item(intern!(py, "status_code"), status_code)?;
        all.set_item(intern!(py, "headers"), headers.map(header_pairs))?;
        if !all.contains(intern!(py, "unix_ns"))? {
            let arrival = self.open.shared.unix_now(py).map(llmspan_core::time::UnixNanos::as_nanos);
            all.set_item(intern!(py, "unix_ns"), arrival)?;
        }
        let retry_after = self.open.told(py, "headers_received", self.attempt, Some(&all), |_, event| match event {
            Event::HeadersReceived(headers) => headers.retry_after_ns,
            _ => None,
        });
        Ok(retry_after.flatten().map(llmspan_core::time::Nanos::as_nanos))
    }

    /// Takes raw response bytes, split anywhere: of a stream, or of a whole body.
    #[pyo3(signature = (protocol, data, *, at_ns=None))]
    fn bytes(&self, py: Python<'_>, protocol: &str, data: &Bound<'_, PyAny>, at_ns: Option<u64>) {
        let Some(protocol) = self.protocol(py, protocol) else { return };
        let take = |data: &[u8]| {
            self.open.apply(py, at_ns, |engine, now| engine.handle_bytes(now, self.attempt, protocol, data));
        };
        if let Ok(data) = data.cast::<PyBytes>() {
            return take(data.as_bytes());
        }
        if let Ok(data) = data.cast::<PyByteArray>() {
            return take(&data.to_vec());
        }
        // A view of memory, or an array. The stable ABI reads no buffers before CPython 3.11.
        match data.call_method0(intern!(py, "tobytes")) {
            Ok(copy) => take(copy.cast::<PyBytes>().map_or(&[], |copy| copy.as_bytes())),
            Err(error) => self.open.shared.refuse(py, &error.to_string()),
        }
    }

    /// Takes one provider event: an object of an SDK, a dict, or JSON as text or bytes.
    #[pyo3(signature = (protocol, event, *, at_ns=None))]
    fn payload(&self, py: Python<'_>, protocol: &str, event: &Bound<'_, PyAny>, at_ns: Option<u64>) {
        let Some(protocol) = self.protocol(py, protocol) else { return };
        let take = |json: &[u8]| {
            self.open.apply(py, at_ns, |engine, now| engine.handle_payload(now, self.attempt, protocol, json));
        };
        if let Ok(json) = event.cast::<PyString>() {
            return take(json.to_str().unwrap_or_default().as_bytes());
        }
        if let Ok(json) = event.cast::<PyBytes>() {
            return take(json.as_bytes());
        }
        // Taken out while it is written: reading an event may run code that takes down another.
        let mut scratch = TAPE.take();
        scratch.take_down(protocol, Object(event));
        self.open.apply(py, at_ns, |engine, now| engine.handle_tape(now, self.attempt, protocol, &scratch));
        TAPE.set(scratch);
    }

    /// Takes a chunk that the application has classified itself.
    #[pyo3(signature = (content="none", *, bytes=None, at_ns=None, **fields))]
    fn chunk(
        &self,
        py: Python<'_>,
        content: &str,
        bytes: Option<u64>,
        at_ns: Option<u64>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        if fields.is_none()
            && let Ok(kind) = value::word(content)
        {
            let mut chunk = Chunk::of(kind);
            chunk.bytes = bytes;
            self.event(py, at_ns, &Event::Chunk(Box::new(chunk)));
            return Ok(());
        }
        let all = fields.map_or_else(|| Ok(PyDict::new(py)), PyDictMethods::copy)?;
        all.set_item(intern!(py, "content"), content)?;
        all.set_item(intern!(py, "bytes"), bytes)?;
        all.set_item(intern!(py, "at_ns"), at_ns)?;
        self.open.told(py, "chunk", self.attempt, Some(&all), |_, _| ());
        Ok(())
    }

    /// Takes note of a comment or a ping.
    #[pyo3(signature = (*, at_ns=None))]
    fn keep_alive(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.event(py, at_ns, &Event::KeepAlive);
    }

    /// Takes token counts that came apart from the response.
    #[pyo3(signature = (*, at_ns=None, **counts))]
    fn usage(&self, py: Python<'_>, at_ns: Option<u64>, counts: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let (all, said) = (PyDict::new(py), PyDict::new(py));
        for (name, count) in counts.into_iter().flatten().filter(|(_, count)| !count.is_none()) {
            said.set_item(name, count)?;
        }
        all.set_item(intern!(py, "usage"), said)?;
        all.set_item(intern!(py, "at_ns"), at_ns)?;
        self.open.told(py, "usage", self.attempt, Some(&all), |_, _| ());
        Ok(())
    }

    /// Marks the moment when the consumer really got the first visible chunk, where something holds chunks back.
    #[pyo3(signature = (*, at_ns=None))]
    fn delivered(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.event(py, at_ns, &Event::Delivered);
    }

    /// Closes the attempt with an error.
    #[pyo3(signature = (**fields))]
    fn failed(&self, py: Python<'_>, fields: Option<&Bound<'_, PyDict>>) {
        self.open.told(py, "attempt_failed", self.attempt, fields, |_, _| ());
    }

    /// Takes note of the end of the response stream.
    #[pyo3(signature = (*, at_ns=None))]
    fn stream_ended(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.event(py, at_ns, &Event::StreamEnded);
    }

    /// Takes note that nobody reads the response any more.
    #[pyo3(signature = (*, at_ns=None))]
    fn consumer_closed(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.event(py, at_ns, &Event::ConsumerClosed);
    }

    /// Whether the call has not ended.
    #[getter]
    fn is_open(&self) -> bool {
        lock(&self.open.engine).is_open()
    }

    /// Id of the call.
    #[getter]
    fn id(&self) -> &str {
        &self.open.id
    }
}

impl Exchange {
    fn event(&self, py: Python<'_>, at_ns: Option<u64>, event: &Event) {
        self.open.apply(py, at_ns, |engine, now| engine.handle_event(now, self.attempt, event));
    }

    fn protocol(&self, py: Python<'_>, name: &str) -> Option<Protocol> {
        let protocol = Protocol::parse(name);
        if protocol.is_none() {
            // The name is not quoted: it is content where somebody takes one argument for the other.
            self.open.shared.refuse(py, "there is no such protocol: `llmspan.PROTOCOLS` has them all");
        }
        protocol
    }
}

thread_local! {
    static TAPE: Cell<Tape> = Cell::default();
}

/// One call, as the application sees it.
#[pyclass(frozen, subclass, extends = Exchange, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct Call {
    open: Arc<OpenCall>,
}

#[pymethods]
impl Call {
    #[new]
    #[pyo3(signature = (recorder, id=None, context=None, sent=None, **fields))]
    fn new(
        py: Python<'_>,
        recorder: &Recorder,
        id: Option<&str>,
        context: Option<Py<PyAny>>,
        sent: Option<&ModelRequest>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        let shared = Arc::clone(&recorder.shared);
        let (now, start) = match shared.read(py, "call_started", None, fields) {
            Some(TimedEvent { at, event: Event::CallStarted(start), .. }) => (at, *start),
            _ => (shared.now(py, None), CallStart::default()),
        };
        let start = sent.into_iter().fold(start, |start, sent| start.or(CallStart::from(&sent.inner)));
        let open = OpenCall::start(py, shared, id, context, now, start);
        PyClassInitializer::from(Exchange { open: Arc::clone(&open), attempt: None }).add_subclass(Self { open })
    }

    /// Begins a phase.
    #[pyo3(signature = (name, *, at_ns=None))]
    fn phase_started(&self, py: Python<'_>, name: &str, at_ns: Option<u64>) {
        self.open.apply(py, at_ns, |engine, now| engine.handle_phase_started(now, name));
    }

    /// Ends a phase, and every phase inside it.
    #[pyo3(signature = (name, *, at_ns=None))]
    fn phase_ended(&self, py: Python<'_>, name: &str, at_ns: Option<u64>) {
        self.open.apply(py, at_ns, |engine, now| engine.handle_phase_ended(now, name));
    }

    /// Opens a wait, which the next attempt closes.
    #[pyo3(signature = (**fields))]
    fn retry(&self, py: Python<'_>, fields: Option<&Bound<'_, PyDict>>) {
        self.open.told(py, "retry_scheduled", None, fields, |_, _| ());
    }

    /// Closes the wait that is open, where the next attempt does not follow at once.
    #[pyo3(signature = (**fields))]
    fn retry_wait_ended(&self, py: Python<'_>, fields: Option<&Bound<'_, PyDict>>) {
        self.open.told(py, "retry_wait_ended", None, fields, |_, _| ());
    }

    /// Takes note that the application aborts the call.
    #[pyo3(signature = (*, at_ns=None))]
    fn cancelled(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.open.apply(py, at_ns, engine::Call::handle_cancelled);
    }

    /// Takes note that the application gives up waiting.
    #[pyo3(signature = (kind="idle", *, at_ns=None))]
    fn timed_out(&self, py: Python<'_>, kind: &str, at_ns: Option<u64>) {
        match value::word(kind) {
            Ok(kind) => drop(self.open.apply(py, at_ns, |engine, now| engine.handle_timed_out(now, kind))),
            Err(error) => self.open.shared.refuse(py, &error.to_string()),
        }
    }

    /// Sets attributes.
    #[pyo3(signature = (attributes, *, at_ns=None))]
    fn attributes(&self, py: Python<'_>, attributes: &Bound<'_, PyAny>, at_ns: Option<u64>) {
        match value::read(attributes) {
            Ok(attributes) => {
                self.open.apply(py, at_ns, |engine, now| engine.handle_attributes(now, attributes));
            }
            Err(error) => self.open.shared.refuse(py, &error.to_string()),
        }
    }

    /// Ends the call if a deadline of its configuration has passed.
    #[pyo3(signature = (*, at_ns=None))]
    fn tick(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.open.apply(py, at_ns, engine::Call::handle_timeout);
    }

    /// Ends the call.
    #[pyo3(signature = (**fields))]
    fn end(&self, py: Python<'_>, fields: Option<&Bound<'_, PyDict>>) {
        let ended = self.open.told(py, "call_ended", None, fields, |_, _| ());
        if ended.is_none() {
            // An end that cannot be read is an end.
            self.open.apply(py, None, |engine, now| engine.handle_event(now, None, &Event::CallEnded(Box::default())));
        }
    }

    /// Ends the call as a destructor does: what never ended is `abandoned`.
    #[pyo3(signature = (*, at_ns=None))]
    fn dropped(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.open.abandon(py, at_ns);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if lock(&self.open.engine).is_open() {
            // Without an interpreter there is nobody to take the record.
            Python::try_attach(|py| {
                // An exception may be on its way: it is why the call is dropped, and Python code is about to run.
                let pending = PyErr::take(py);
                self.dropped(py, None);
                if let Some(pending) = pending {
                    pending.restore(py);
                }
            });
        }
    }
}

/// One physical request of a call.
#[pyclass(frozen, subclass, extends = Exchange, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct Attempt {
    number: u32,
}

#[pymethods]
impl Attempt {
    #[new]
    #[pyo3(signature = (call, **fields))]
    fn new(py: Python<'_>, call: &Call, fields: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        let open = Arc::clone(&call.open);
        let event = open.shared.read(py, "attempt_started", None, fields);
        let (at, event) = event.map_or_else(
            || (None, Event::AttemptStarted(Box::<AttemptStart>::default())),
            |timed| (Some(timed.at.as_nanos()), timed.event),
        );
        let number = open.apply(py, at, |engine, now| {
            engine.handle_event(now, None, &event);
            engine.attempt_count()
        });
        // After the end of the call there is no attempt: what is told to this one is ignored.
        let number = number.flatten().unwrap_or(0);
        PyClassInitializer::from(Exchange { open, attempt: Some(number) }).add_subclass(Self { number })
    }

    /// Number of the attempt, from 1; 0 if the call had ended before it began.
    #[getter]
    fn number(&self) -> u32 {
        self.number
    }
}

/// A call of the engine behind its lock.
#[derive(Debug)]
pub(crate) struct OpenCall {
    shared: Arc<Shared>,
    number: u64,
    id: Box<str>,
    /// Kept for the receiver of the record.
    context: Mutex<Option<Py<PyAny>>>,
    is_abandoned: AtomicBool,
    engine: Mutex<engine::Call>,
}

impl OpenCall {
    fn start(
        py: Python<'_>,
        shared: Arc<Shared>,
        id: Option<&str>,
        context: Option<Py<PyAny>>,
        now: Timestamp,
        mut start: CallStart,
    ) -> Arc<Self> {
        let number = shared.next_number();
        let id: Box<str> = id.map_or_else(|| number.to_string().into(), Into::into);
        start.unix_ns = start.unix_ns.or_else(|| shared.unix_at(py, now));
        let engine = Mutex::new(engine::Call::with_id(&id, Arc::clone(&shared.config), now, start));
        let context = Mutex::new(context);
        let open = Arc::new(Self { shared, number, id, context, is_abandoned: AtomicBool::new(false), engine });
        open.shared.add_open(number, Arc::downgrade(&open));
        open
    }

    /// Ends the call as what is known to have happened to it.
    pub(crate) fn abandon(&self, py: Python<'_>, at_ns: Option<u64>) {
        self.is_abandoned.store(true, Ordering::Relaxed);
        self.apply(py, at_ns, engine::Call::handle_dropped);
    }

    /// Ends the call without a record.
    pub(crate) fn forget(&self) {
        // A thread that the child of a fork does not have may hold the lock for ever.
        if let Ok(mut engine) = self.engine.try_lock() {
            engine.handle_dropped(Timestamp::default());
            engine.poll_record();
        }
    }

    /// Applies an event by its name and fields; `None` when they cannot be read.
    fn told<T>(
        &self,
        py: Python<'_>,
        name: &'static str,
        attempt: Option<u32>,
        fields: Option<&Bound<'_, PyDict>>,
        result: impl FnOnce(&engine::Call, &Event) -> T,
    ) -> Option<T> {
        let TimedEvent { at, attempt, event, .. } = self.shared.read(py, name, attempt, fields)?;
        self.apply(py, Some(at.as_nanos()), |engine, now| {
            engine.handle_event(now, attempt, &event);
            result(engine, &event)
        })
    }

    /// Applies something to the engine, and delivers the record if that ended the call. `None` after a panic.
    ///
    /// The clock is read before the lock is taken: it may be one of the application, in Python.
    pub(crate) fn apply<T>(
        &self,
        py: Python<'_>,
        at_ns: Option<u64>,
        change: impl FnOnce(&mut engine::Call, Timestamp) -> T,
    ) -> Option<T> {
        let now = self.shared.now(py, at_ns);
        let mut engine = lock(&self.engine);
        let changed = catch_unwind(AssertUnwindSafe(|| {
            let result = change(&mut engine, now);
            (result, engine.poll_record())
        }));
        drop(engine);
        if let Ok((result, record)) = changed {
            if let Some(record) = record {
                let context = lock(&self.context).take();
                let abandoned = self.is_abandoned.load(Ordering::Relaxed);
                self.shared.deliver(py, self.number, record, context, abandoned);
            }
            Some(result)
        } else {
            PyRuntimeError::new_err("the engine of llmspan panicked").write_unraisable(py, None);
            None
        }
    }
}
