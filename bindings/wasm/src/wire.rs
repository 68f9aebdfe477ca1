//! For hooks around HTTP clients: what a request asks, and which requests are attempts of one call.

#[cfg(feature = "full")]
use alloc::{string::String, vec::Vec};

use llmspan_core::provider::{self, Protocol};
#[cfg(feature = "full")]
use llmspan_core::{
    engine::{self, Fate, Over, Resumed},
    machine::Failure,
    provider::request,
};
use wasm_bindgen::prelude::*;

use crate::pairs;
#[cfg(feature = "full")]
use crate::{at, call::Call, millis, nanos};

/// Finds the protocol of a response by what HTTP tells: its place in the list of protocols. Of the headers, each name and each
/// value is a line.
#[wasm_bindgen]
pub fn detect(url: &str, headers: &str, first_bytes: &[u8]) -> Option<u32> {
    Protocol::detect(url, pairs(headers), first_bytes).and_then(|detected| index_of(detected.protocol))
}

/// Finds the protocol of an event that an SDK hands out, by its shape.
#[wasm_bindgen(js_name = detectEvent)]
pub fn detect_event(json: &str) -> Option<u32> {
    Protocol::detect_event(json).and_then(index_of)
}

/// Whether data is the JSON of one event, and not the bytes of a response.
#[wasm_bindgen(js_name = isEvent)]
pub fn is_event(data: &[u8]) -> bool {
    provider::is_event(data)
}

fn index_of(protocol: Protocol) -> Option<u32> {
    Protocol::ALL.iter().position(|known| *known == protocol).and_then(|index| index.try_into().ok())
}

/// Whether a request asks a model: how many bytes of a body are read at most.
#[cfg(feature = "full")]
#[wasm_bindgen(js_name = requestBodyLimit)]
pub fn request_body_limit(method: &str, url: &str) -> Option<usize> {
    request::body_limit(method, url)
}

/// Reads a request; nothing when it goes to no model whose answer could be read. Of the headers, each name and each value is
/// a line.
#[cfg(feature = "full")]
#[wasm_bindgen(js_name = readRequest)]
pub fn read_request(url: &str, headers: &str, body: &[u8]) -> Option<ModelRequest> {
    request::read(url, pairs(headers), body).map(ModelRequest)
}

/// A request to a model, by what its URL, headers and body say.
#[cfg(feature = "full")]
#[wasm_bindgen]
pub struct ModelRequest(pub(crate) request::ModelRequest);

#[cfg(feature = "full")]
#[wasm_bindgen]
impl ModelRequest {
    /// The protocol that the response will be in.
    #[wasm_bindgen(getter)]
    pub fn protocol(&self) -> Option<u32> {
        index_of(self.0.protocol)
    }

    /// Provider by its OpenTelemetry name.
    #[wasm_bindgen(getter)]
    pub fn provider(&self) -> Option<String> {
        self.0.provider.map(Into::into)
    }

    /// Model that is asked for.
    #[wasm_bindgen(getter)]
    pub fn model(&self) -> Option<String> {
        self.0.model.as_deref().map(Into::into)
    }

    /// How many times the client has sent this request before, by its own count.
    #[wasm_bindgen(getter)]
    pub fn resends(&self) -> Option<u32> {
        self.0.resends
    }

    /// How long the client waits for the head of the response at least, in milliseconds.
    #[wasm_bindgen(getter, js_name = timeoutMs)]
    pub fn timeout_ms(&self) -> Option<f64> {
        self.0.timeout.map(|timeout| millis(timeout.as_nanos()))
    }

    /// How long the client waits for the whole response at least, in milliseconds.
    #[wasm_bindgen(getter, js_name = deadlineMs)]
    pub fn deadline_ms(&self) -> Option<f64> {
        self.0.deadline.map(|deadline| millis(deadline.as_nanos()))
    }

    /// Host of the URL.
    #[wasm_bindgen(getter, js_name = serverAddress)]
    pub fn server_address(&self) -> Option<String> {
        self.0.server_address.as_deref().map(Into::into)
    }
}

/// A call that goes on with a request.
#[cfg(feature = "full")]
#[wasm_bindgen(getter_with_clone)]
pub struct ResumedCall {
    #[wasm_bindgen(readonly)]
    pub call: f64,
    #[wasm_bindgen(readonly, js_name = failedAtMs)]
    pub failed_at_ms: f64,
    #[wasm_bindgen(readonly, js_name = delayMs)]
    pub delay_ms: f64,
    #[wasm_bindgen(readonly)]
    pub reason: String,
    #[wasm_bindgen(readonly, js_name = serverRequested)]
    pub server_requested: bool,
}

/// Finds the attempts of one call among the requests of a client. Numbers of calls and flows are safe integers.
#[cfg(feature = "full")]
#[wasm_bindgen]
pub struct Correlator(engine::Correlator);

#[cfg(feature = "full")]
#[wasm_bindgen]
impl Correlator {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self(engine::Correlator::default())
    }

    /// The call that a request is the next attempt of.
    pub fn request(&mut self, at_ms: f64, flow: Option<f64>, request: &ModelRequest) -> Option<ResumedCall> {
        let Resumed { call, failed_at, retry, .. } =
            self.0.handle_request(at(at_ms), flow.map(to_number), &request.0)?;
        Some(ResumedCall {
            call: from_number(call),
            failed_at_ms: millis(failed_at.as_nanos()),
            delay_ms: millis(retry.delay_ns.as_nanos()),
            reason: retry.reason.as_str().into(),
            server_requested: retry.server_requested,
        })
    }

    /// Takes note that the request of a call failed; whether another attempt may come.
    pub fn failed(
        &mut self,
        at_ms: f64,
        call: f64,
        flow: Option<f64>,
        request: &ModelRequest,
        status_code: Option<u16>,
        error_type: Option<String>,
        abort_like: bool,
        retry_after_ms: Option<f64>,
    ) -> bool {
        let mut failure = error_type.map_or_else(Failure::default, |error_type| Failure::of_type(&error_type));
        failure.status_code = status_code;
        failure.abort_like = abort_like;
        failure.retry_after_ns = retry_after_ms.map(nanos);
        let flow = flow.map(to_number);
        self.0.handle_failure(at(at_ms), to_number(call), flow, &request.0, &failure) == Fate::MayRetry
    }

    /// Takes note of the id that the response of a call has; whether it has said one.
    pub fn response(&mut self, call: &Call) -> bool {
        let id = call.engine.response_id();
        id.inspect(|id| self.0.handle_response(id)).is_some()
    }

    /// Whether the response of a call is one that was taken note of.
    #[wasm_bindgen(js_name = hasSeen)]
    pub fn has_seen(&self, call: &Call) -> bool {
        call.engine.response_id().is_some_and(|id| self.0.has_seen(id))
    }

    /// Takes note that a flow of control does something else.
    #[wasm_bindgen(js_name = movedOn)]
    pub fn moved_on(&mut self, flow: f64) {
        self.0.handle_flow_moved_on(to_number(flow));
    }

    /// Ends all waiting.
    pub fn shutdown(&mut self) {
        self.0.handle_shutdown();
    }

    /// The calls whose retries stopped coming: the number of each, and when it failed, in milliseconds, in turn.
    pub fn over(&mut self, at_ms: f64) -> Vec<f64> {
        self.0.handle_timeout(at(at_ms));
        let over = core::iter::from_fn(|| self.0.poll_over());
        over.flat_map(|Over { call, failed_at, .. }| [from_number(call), millis(failed_at.as_nanos())]).collect()
    }

    /// The time at which `over` has something to say, unless a retry comes before.
    #[wasm_bindgen(getter, js_name = timeoutMs)]
    pub fn timeout_ms(&self) -> Option<f64> {
        self.0.poll_timeout().map(|at| millis(at.as_nanos()))
    }
}

#[cfg(feature = "full")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the package hands over safe integers")]
fn to_number(number: f64) -> u64 {
    number as u64
}

#[cfg(feature = "full")]
#[expect(clippy::cast_precision_loss, reason = "it came from a safe integer")]
fn from_number(number: u64) -> f64 {
    number as f64
}
