//! Functions: detection, response headers, and records written for others.

use std::sync::Mutex;

use llmspan_core::{
    chrome,
    config::Config,
    engine,
    event::{Event, TimedEvent},
    names::SpanKind,
    otlp::{self, Resource},
    provider::{Protocol, headers},
    record::{Attributes, OtelStatus},
    spans::{Context, Layout, Role, Shape, Span, SpanId, SpanTree, TraceId},
    time::{Timestamp, UnixNanos},
};
use pyo3::{
    exceptions::PyValueError,
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyString},
};

use crate::{
    error::raise,
    record::{Record, attributes_to_dict, loads, profiles_of},
    recorder::lock,
    value,
};

/// Finds the protocol of a response by what HTTP tells; `None` when it is no answer of a model in a known protocol.
#[pyfunction]
#[pyo3(signature = (url, headers=None, first_bytes=None))]
pub(crate) fn detect(
    url: &str,
    headers: Option<&Bound<'_, PyAny>>,
    first_bytes: Option<&[u8]>,
) -> Option<&'static str> {
    let headers = headers.map(header_pairs).unwrap_or_default();
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Protocol::detect(url, pairs, first_bytes.unwrap_or_default()).map(|detected| detected.protocol.as_str())
}

/// Replays an event log, as JSON lines, to the records of its calls; calls that it leaves open end as `abandoned`.
#[pyfunction]
#[pyo3(signature = (log, *, config=None))]
pub(crate) fn replay(py: Python<'_>, log: &str, config: Option<&str>) -> PyResult<Vec<Py<Record>>> {
    let config = config.map_or_else(|| Ok(Config::default()), Config::from_json);
    let records = config.and_then(|config| engine::replay(log, config)).map_err(|error| raise(py, error))?;
    records.into_iter().map(|record| Record::wrap(py, record)).collect()
}

/// Reads response headers: request id, retry delay and the server's own timing, under the names of the event log.
#[pyfunction]
#[pyo3(signature = (status_code, headers, *, unix_ns=None))]
pub(crate) fn read_headers<'py>(
    py: Python<'py>,
    status_code: u16,
    headers: &Bound<'py, PyAny>,
    unix_ns: Option<u64>,
) -> PyResult<Bound<'py, PyAny>> {
    let headers = header_pairs(headers);
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let read = headers::read_at(status_code, pairs, unix_ns.map(UnixNanos::from_nanos));
    let event = TimedEvent::new(Timestamp::default(), Event::HeadersReceived(Box::new(read)));
    let fields = loads(py, &event.to_json().unwrap_or_default())?;
    for envelope in ["at_ns", "event"] {
        fields.del_item(envelope)?;
    }
    Ok(fields)
}

/// Names and values of headers, of a mapping or of pairs, as text or bytes. What is neither is left out.
pub(crate) fn header_pairs(headers: &Bound<'_, PyAny>) -> Vec<(String, String)> {
    let py = headers.py();
    let pairs = match headers.call_method0(intern!(py, "items")) {
        Ok(pairs) => pairs,
        Err(_) => headers.clone(),
    };
    let Ok(pairs) = pairs.try_iter() else { return Vec::new() };
    let text = |value: Bound<'_, PyAny>| match value.cast::<PyBytes>() {
        // Bytes of headers that are no text are those of ISO 8859-1 (RFC 9110, 5.5).
        Ok(bytes) => Some(bytes.as_bytes().iter().copied().map(char::from).collect()),
        Err(_) => value.cast::<PyString>().ok()?.to_str().ok().map(String::from),
    };
    let pair = |pair: Bound<'_, PyAny>| Some((text(pair.get_item(0).ok()?)?, text(pair.get_item(1).ok()?)?));
    pairs.map_while(Result::ok).filter_map(pair).collect()
}

/// The spans of a call as dicts: the call's first, a parent before its children. `None` without ids.
#[pyfunction]
#[pyo3(signature = (record, *, profiles=None, shape="call", trace_id=None, span_id=None, parent_span_id=None))]
pub(crate) fn spans<'py>(
    py: Python<'py>,
    record: &Record,
    profiles: Option<Vec<String>>,
    shape: &str,
    trace_id: Option<&str>,
    span_id: Option<&str>,
    parent_span_id: Option<&str>,
) -> PyResult<Option<Vec<Bound<'py, PyDict>>>> {
    let profiles = profiles_of(py, profiles.unwrap_or_default())?;
    let layout = Layout::new(shape_of(shape)?, &profiles);
    let mut context = Context::default();
    context.trace_id = trace_id.and_then(TraceId::from_hex);
    context.span_id = span_id.and_then(SpanId::from_hex);
    context.parent_span_id = parent_span_id.and_then(SpanId::from_hex);
    let tree = SpanTree::new(&record.inner, &layout, &context);
    tree.map(|tree| tree.spans.iter().map(|span| span_to_dict(py, &tree, span)).collect()).transpose()
}

fn span_to_dict<'py>(py: Python<'py>, tree: &SpanTree, span: &Span) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let (role, attempt) = match span.role {
        Role::Attempt(number) => ("attempt", Some(number)),
        Role::Phase => ("phase", None),
        Role::Wait => ("wait", None),
        _ => ("call", None),
    };
    dict.set_item("role", role)?;
    dict.set_item("attempt", attempt)?;
    dict.set_item("name", &span.name)?;
    dict.set_item("kind", if span.kind == SpanKind::Client { "client" } else { "internal" })?;
    dict.set_item("trace_id", tree.trace_id.to_string())?;
    dict.set_item("span_id", span.span_id.to_string())?;
    dict.set_item("parent_span_id", span.parent_span_id.map(|id| id.to_string()))?;
    dict.set_item("start_ns", span.start_ns.as_nanos())?;
    dict.set_item("end_ns", span.end_ns.as_nanos())?;
    dict.set_item("start_unix_ns", span.start_unix_ns.map(UnixNanos::as_nanos))?;
    dict.set_item("end_unix_ns", span.end_unix_ns.map(UnixNanos::as_nanos))?;
    dict.set_item("status", if span.status == OtelStatus::Error { "ERROR" } else { "UNSET" })?;
    dict.set_item("status_message", &span.status_message)?;
    dict.set_item("error_type", &span.error_type)?;
    dict.set_item("attributes", attributes_to_dict(py, &span.attributes)?)?;
    let events: PyResult<Vec<_>> = span
        .events
        .iter()
        .map(|event| {
            let dict = PyDict::new(py);
            dict.set_item("name", &*event.name)?;
            dict.set_item("at_ns", event.at_ns.as_nanos())?;
            dict.set_item("at_unix_ns", event.at_unix_ns.map(UnixNanos::as_nanos))?;
            dict.set_item("attributes", attributes_to_dict(py, &event.attributes)?)?;
            Ok(dict)
        })
        .collect();
    dict.set_item("events", events?)?;
    Ok(dict)
}

fn shape_of(name: &str) -> PyResult<Shape> {
    match name {
        "call" => Ok(Shape::Call),
        "attempt" => Ok(Shape::Attempt),
        _ => Err(PyValueError::new_err("shape is `call` or `attempt`")),
    }
}

/// Records as an `ExportTraceServiceRequest` of OTLP. Records without ids get random ones; records without a wall-clock anchor
/// are left out.
#[pyfunction]
#[pyo3(signature = (records, *, format="protobuf", profiles=None, shape="call", resource=None))]
pub(crate) fn otlp_traces<'py>(
    py: Python<'py>,
    records: Vec<PyRef<'py, Record>>,
    format: &str,
    profiles: Option<Vec<String>>,
    shape: &str,
    resource: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let profiles = profiles_of(py, profiles.unwrap_or_default())?;
    let layout = Layout::new(shape_of(shape)?, &profiles);
    let attributes = resource.map_or_else(|| Ok(Attributes::new()), value::read);
    let resource = Resource::new(attributes.map_err(|error| PyValueError::new_err(format!("resource: {error}")))?);
    let mut trees = Vec::with_capacity(records.len());
    for record in records {
        let mut context = Context::default();
        let random: [u8; 24] = py.import("os")?.call_method1("urandom", (24,))?.extract()?;
        let (trace, span) = random.split_at(16);
        context.trace_id = trace.try_into().ok().and_then(TraceId::from_bytes);
        context.span_id = span.try_into().ok().and_then(SpanId::from_bytes);
        trees.extend(SpanTree::new(&record.inner, &layout, &context));
    }
    let mut out = Vec::new();
    match format {
        "protobuf" => otlp::traces_to_protobuf(trees, &resource, &mut out),
        "json" => otlp::traces_to_json(trees, &resource, &mut out),
        _ => return Err(PyValueError::new_err("format is `protobuf` or `json`")),
    };
    Ok(PyBytes::new(py, &out))
}

/// Records as a trace for Perfetto and `chrome://tracing`: the JSON of one file.
#[pyfunction]
pub(crate) fn chrome_trace(records: Vec<PyRef<'_, Record>>) -> String {
    let mut trace = chrome::ChromeTrace::new();
    for record in records {
        trace.add(&record.inner);
    }
    trace.finish()
}

/// A trace that grows call by call, for a file that is open while the program runs.
#[pyclass(frozen, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct ChromeTraceLog {
    log: Mutex<Option<chrome::ChromeTraceLog>>,
}

#[pymethods]
impl ChromeTraceLog {
    #[new]
    #[pyo3(signature = (*, origin_unix_ns=None))]
    fn new(origin_unix_ns: Option<u64>) -> Self {
        let mut log = chrome::ChromeTraceLog::new();
        if let Some(origin) = origin_unix_ns {
            log = log.with_origin(UnixNanos::from_nanos(origin));
        }
        Self { log: Mutex::new(Some(log)) }
    }

    /// What to append to the file for a record; empty for one that cannot be drawn, and after the end.
    fn append(&self, record: &Record) -> String {
        lock(&self.log).as_mut().map_or_else(String::new, |log| log.append(&record.inner))
    }

    /// What to append at the end of the file; empty when it was asked for before.
    fn close(&self) -> &'static str {
        lock(&self.log).take().map_or("", chrome::ChromeTraceLog::close)
    }
}
