//! `bedrock.invoke`: `InvokeModel` and `InvokeModelWithResponseStream` of AWS Bedrock.
//!
//! Bedrock passes on the JSON of the model's own API: in a stream as base64 in the `bytes` of each `chunk` message, else as
//! the body. Which API it is shows in the shape of the first event. To the last event Bedrock adds its own measurements as
//! `amazon-bedrock-invocationMetrics`; the model's own counts go before those.

mod family;
mod metrics;
mod text;

use alloc::vec::Vec;
use core::fmt;

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use self::family::Family;
use super::aws_error::{AwsErrorBody, exception};
use super::lenient::{Rare, Str, object};
use super::source::Input;
use crate::delta::{Delta, ErrorDelta, Terminal};

/// What one event has to know of the ones before it.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct BedrockInvoke {
    /// The model's own API, once an event has shown it.
    family: Option<Family>,
    /// Whether the model has reported counts of its own.
    has_usage: bool,
    /// The bytes of the current chunk.
    #[serde(skip)]
    chunk: Vec<u8>,
}

/// Without the bytes of the chunk, which are content: hosts write what they hold to their logs.
impl fmt::Debug for BedrockInvoke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, has_usage, .. } = self;
        f.debug_struct("BedrockInvoke").field("family", family).field("has_usage", has_usage).finish_non_exhaustive()
    }
}

impl BedrockInvoke {
    /// Reads one event, one whole answer or one error body.
    pub(super) fn decode<'a>(&'a mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        if body {
            return self.native(delta, json, true);
        }
        let mut event = Event::default();
        if json.fill(&mut event).is_none() {
            delta.decode_errors = 1;
            return;
        }
        let bytes = if event.bytes.is_empty() { event.chunk.bytes } else { event.bytes };
        if bytes.is_empty() {
            match event.exception() {
                Some(error) => {
                    delta.chunk = true;
                    delta.error = Some(error);
                }
                // A host may have taken the event out of its chunk.
                None => self.native(delta, json, false),
            }
            return;
        }
        let Self { family, has_usage, chunk } = self;
        let text = bytes.bytes();
        chunk.clear();
        if text.starts_with(b"{") {
            // The SDK for Python decodes the base64 by itself.
            chunk.extend_from_slice(&text);
        } else {
            chunk.resize(text.len() / 4 * 3 + 3, 0);
            let Ok(length) = STANDARD.decode_slice(text.as_ref(), chunk) else {
                delta.chunk = true;
                delta.decode_errors = 1;
                return;
            };
            chunk.truncate(length);
        }
        native(family, has_usage, delta, Input::Json(chunk), false);
    }

    fn native<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        native(&mut self.family, &mut self.has_usage, delta, json, body);
    }
}

/// Reads the model's own event.
fn native<'a>(family: &mut Option<Family>, has_usage: &mut bool, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
    if family.is_none() {
        *family = Family::of(json);
    }
    match family {
        Some(family) => family.decode(delta, json, body),
        None => unknown(delta, json, body),
    }
    *has_usage |= delta.usage.is_some();
    if let Some(metrics) = metrics::read(json) {
        if !*has_usage {
            delta.usage = metrics.report();
        }
        if let Some(timing) = metrics.server_timing() {
            delta.server.get_or_insert_default().merge(&timing);
        }
        if delta.error.is_none() {
            delta.terminal = Terminal::Yes;
        }
    }
}

/// Reads an event or a body of no model that is known: maybe an error.
fn unknown<'a>(delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
    let mut error = AwsErrorBody::default();
    if json.fill(&mut error).is_none() {
        delta.decode_errors = 1;
        return;
    }
    delta.chunk = true;
    delta.whole = body;
    delta.error = error.take();
    if body && delta.error.is_none() {
        // An answer of a model of which nothing is known is complete all the same.
        delta.terminal = Terminal::Yes;
    }
}

object! {
    /// An event: as it is on the wire, or in the form of the SDKs, where one member names it.
    struct Event<'a> {
        "bytes" => bytes: Str<'a>,
        "chunk" => chunk: Chunk<'a>,
        "internalServerException" => internal_server: Rare<AwsErrorBody<'a>>,
        "modelStreamErrorException" => model_stream: Rare<AwsErrorBody<'a>>,
        "modelTimeoutException" => model_timeout: Rare<AwsErrorBody<'a>>,
        "serviceUnavailableException" => service_unavailable: Rare<AwsErrorBody<'a>>,
        "throttlingException" => throttling: Rare<AwsErrorBody<'a>>,
        "validationException" => validation: Rare<AwsErrorBody<'a>>,
    }
}

object! {
    struct Chunk<'a> { "bytes" => bytes: Str<'a> }
}

impl<'a> Event<'a> {
    fn exception(&mut self) -> Option<ErrorDelta<'a>> {
        [
            ("internalServerException", &mut self.internal_server),
            ("modelStreamErrorException", &mut self.model_stream),
            ("modelTimeoutException", &mut self.model_timeout),
            ("serviceUnavailableException", &mut self.service_unavailable),
            ("throttlingException", &mut self.throttling),
            ("validationException", &mut self.validation),
        ]
        .into_iter()
        .find_map(|(name, body)| Some(exception(name, body.0.as_deref_mut()?)))
    }
}
