//! For hooks around HTTP clients: what a request asks, and which requests are attempts of one call.

use std::sync::Mutex;

use llmspan_core::{
    engine::{self, Fate, Over, Resumed},
    machine::Failure,
    provider::{self, Protocol, Tape, request},
    time::{Nanos, Timestamp},
};
use pyo3::{prelude::*, types::PyDict};

use crate::{export::header_pairs, recorder::lock, value::Object};

/// A request to a model, by what its URL, headers and body say.
#[pyclass(frozen, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct ModelRequest {
    pub(crate) inner: request::ModelRequest,
}

#[pymethods]
impl ModelRequest {
    /// The protocol that the response will be in.
    #[getter]
    fn protocol(&self) -> &'static str {
        self.inner.protocol.as_str()
    }

    /// Model that is asked for.
    #[getter]
    fn model(&self) -> Option<&str> {
        self.inner.model.as_deref()
    }

    /// Provider by its OpenTelemetry name.
    #[getter]
    fn provider(&self) -> Option<&'static str> {
        self.inner.provider
    }

    /// Host of the URL.
    #[getter]
    fn server_address(&self) -> Option<&str> {
        self.inner.server_address.as_deref()
    }

    /// Whether a stream is asked for.
    #[getter]
    fn stream(&self) -> Option<bool> {
        self.inner.stream
    }
}

/// Whether a request asks a model, by its method and URL: how many bytes its body may have at most to be read.
#[pyfunction]
pub(crate) fn request_body_limit(method: &str, url: &str) -> Option<usize> {
    request::body_limit(method, url)
}

/// Reads a request by its URL, headers and body; `None` when it goes to no model whose answer could be read.
#[pyfunction]
#[pyo3(signature = (url, headers=None, body=None))]
pub(crate) fn read_request(url: &str, headers: Option<&Bound<'_, PyAny>>, body: Option<&[u8]>) -> Option<ModelRequest> {
    let headers = headers.map(header_pairs).unwrap_or_default();
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    request::read(url, pairs, body.unwrap_or_default()).map(|inner| ModelRequest { inner })
}

/// Finds the protocol of an event that an SDK hands out, by its shape; `None` when it has none that is known.
#[pyfunction]
pub(crate) fn detect_event(event: &Bound<'_, PyAny>) -> Option<&'static str> {
    let mut tape = Tape::default();
    // No name that tells protocols apart is spelled in another way by any of them.
    tape.take_down(Protocol::OpenAiChat, Object(event));
    tape.detect().map(Protocol::as_str)
}

/// Whether data is the JSON of one event, and not the bytes of a response.
#[pyfunction]
pub(crate) fn is_event(data: &[u8]) -> bool {
    provider::is_event(data)
}

/// Finds the attempts of one call among the requests of a client.
#[pyclass(frozen, module = "llmspan._llmspan")]
#[derive(Debug, Default)]
pub(crate) struct Correlator {
    inner: Mutex<engine::Correlator>,
}

#[pymethods]
impl Correlator {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// The call that a request is the next attempt of, when its last attempt failed, and the fields of the retry in between;
    /// `None` for a request that begins a call.
    fn request<'py>(
        &self,
        py: Python<'py>,
        request: &ModelRequest,
        flow: Option<u64>,
        at_ns: u64,
    ) -> PyResult<Option<(u64, u64, Bound<'py, PyDict>)>> {
        let resumed = lock(&self.inner).handle_request(Timestamp::from_nanos(at_ns), flow, &request.inner);
        let Some(Resumed { call, failed_at, retry, .. }) = resumed else { return Ok(None) };
        let fields = PyDict::new(py);
        fields.set_item("delay_ns", retry.delay_ns.as_nanos())?;
        fields.set_item("reason", retry.reason.as_str())?;
        fields.set_item("server_requested", retry.server_requested)?;
        Ok(Some((call, failed_at.as_nanos(), fields)))
    }

    /// Takes note that the request of a call failed; whether another attempt may come.
    #[pyo3(signature = (call, request, flow, at_ns, *, status_code=None, error_type=None, abort_like=false, retry_after_ns=None))]
    #[expect(clippy::too_many_arguments, reason = "the fields of a failure")]
    fn failed(
        &self,
        call: u64,
        request: &ModelRequest,
        flow: Option<u64>,
        at_ns: u64,
        status_code: Option<u16>,
        error_type: Option<&str>,
        abort_like: bool,
        retry_after_ns: Option<u64>,
    ) -> bool {
        let mut failure = error_type.map_or_else(Failure::default, Failure::of_type);
        failure.status_code = status_code;
        failure.abort_like = abort_like;
        failure.retry_after_ns = retry_after_ns.map(Nanos::from_nanos);
        let now = Timestamp::from_nanos(at_ns);
        lock(&self.inner).handle_failure(now, call, flow, &request.inner, &failure) == Fate::MayRetry
    }

    /// Takes note that a flow of control does something else.
    fn moved_on(&self, flow: u64) {
        lock(&self.inner).handle_flow_moved_on(flow);
    }

    /// Ends all waiting.
    fn shutdown(&self) {
        lock(&self.inner).handle_shutdown();
    }

    /// The calls whose retries stopped coming, each with the time at which its last attempt failed.
    fn over(&self, at_ns: u64) -> Vec<(u64, u64)> {
        let mut inner = lock(&self.inner);
        inner.handle_timeout(Timestamp::from_nanos(at_ns));
        core::iter::from_fn(|| inner.poll_over())
            .map(|Over { call, failed_at, .. }| (call, failed_at.as_nanos()))
            .collect()
    }

    /// The time at which `over` has something to say, unless a retry comes before.
    #[getter]
    fn timeout_ns(&self) -> Option<u64> {
        lock(&self.inner).poll_timeout().map(Timestamp::as_nanos)
    }
}
