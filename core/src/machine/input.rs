//! What a caller tells the machine. Every field is optional unless its type says otherwise.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::{
    provider::request::ModelRequest,
    record::{AttributeValue, Attributes, Request, WaitReason},
    time::{Nanos, UnixNanos},
};

/// How a call begins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CallStart {
    /// What is asked for: `chat`, `text_completion`, `generate_content`, `embeddings`, …
    pub operation: Option<Box<str>>,
    /// Provider by its OpenTelemetry name: `openai`, `anthropic`, `gcp.gemini`, `aws.bedrock`, …
    pub provider: Option<Box<str>>,
    /// Model that is asked for.
    pub model: Option<Box<str>>,
    /// Whether the response is to be streamed. When it is not said, the first chunk with content decides.
    pub stream: Option<bool>,
    /// Wall-clock time of the start: the one anchor of all absolute times.
    pub unix_ns: Option<UnixNanos>,
    /// Trace id, 32 hex digits.
    pub trace_id: Option<Box<str>>,
    /// Span id of this call, 16 hex digits.
    pub span_id: Option<Box<str>>,
    /// Span id of the parent, 16 hex digits.
    pub parent_span_id: Option<Box<str>>,
    /// Request parameters.
    pub request: Option<Box<Request>>,
    /// Attributes of the call.
    pub attributes: Attributes,
}

impl CallStart {
    /// A call of the given operation, such as `chat`.
    pub fn new(operation: &str) -> Self {
        Self { operation: Some(operation.into()), ..Self::default() }
    }

    /// Sets the provider.
    pub fn with_provider(mut self, provider: &str) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets the model that is asked for.
    pub fn with_model(mut self, model: &str) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Says that the response is to be streamed.
    pub fn streamed(mut self) -> Self {
        self.stream = Some(true);
        self
    }

    /// Says that the response comes as one body.
    pub fn not_streamed(mut self) -> Self {
        self.stream = Some(false);
        self
    }

    /// Sets the wall-clock time of the start.
    pub fn with_unix(mut self, at: UnixNanos) -> Self {
        self.unix_ns = Some(at);
        self
    }

    /// Sets the trace, span and parent ids, in hex digits.
    pub fn with_trace(mut self, trace_id: &str, span_id: &str, parent_span_id: Option<&str>) -> Self {
        self.trace_id = Some(trace_id.into());
        self.span_id = Some(span_id.into());
        self.parent_span_id = parent_span_id.map(Into::into);
        self
    }

    /// Sets the request parameters.
    pub fn with_request(mut self, request: Request) -> Self {
        self.request = Some(Box::new(request));
        self
    }

    /// Sets an attribute.
    pub fn with_attribute(mut self, key: &str, value: impl Into<AttributeValue>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    /// Takes from another start what this one does not say; of attributes each for itself.
    pub fn or(self, other: Self) -> Self {
        let mut attributes = other.attributes;
        attributes.extend(self.attributes);
        Self {
            operation: self.operation.or(other.operation),
            provider: self.provider.or(other.provider),
            model: self.model.or(other.model),
            stream: self.stream.or(other.stream),
            unix_ns: self.unix_ns.or(other.unix_ns),
            trace_id: self.trace_id.or(other.trace_id),
            span_id: self.span_id.or(other.span_id),
            parent_span_id: self.parent_span_id.or(other.parent_span_id),
            request: self.request.or(other.request),
            attributes,
        }
    }
}

/// How an attempt begins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AttemptStart {
    /// Provider of this attempt; the call's when absent.
    pub provider: Option<Box<str>>,
    /// Model of this attempt; the call's when absent.
    pub model: Option<Box<str>>,
    /// Endpoint, region or deployment.
    pub endpoint: Option<Box<str>>,
    /// Whether the attempt runs beside one that is still open, on purpose. Otherwise that one is closed as abandoned.
    pub hedged: bool,
    /// Attributes of the attempt.
    pub attributes: Attributes,
}

impl From<&ModelRequest> for CallStart {
    fn from(request: &ModelRequest) -> Self {
        let mut attributes = Attributes::new();
        let counts = [
            ("message_count", request.message_count),
            ("tool_count", request.tool_count),
            ("server_port", request.server_port.map(u64::from)),
        ];
        for (key, count) in counts {
            if let Some(count) = count.and_then(|count| i64::try_from(count).ok()) {
                attributes.insert(key.into(), AttributeValue::Int(count));
            }
        }
        if let Some(host) = &request.server_address {
            attributes.insert("server_address".into(), AttributeValue::Str(host.as_ref().into()));
        }
        Self {
            operation: Some(request.operation.into()),
            provider: request.provider.map(Into::into),
            model: request.model.as_deref().map(Into::into),
            stream: request.stream,
            request: Some(Box::new(request.parameters.clone())),
            attributes,
            ..Self::default()
        }
    }
}

impl From<&ModelRequest> for AttemptStart {
    fn from(request: &ModelRequest) -> Self {
        Self {
            provider: request.provider.map(Into::into),
            model: request.model.as_deref().map(Into::into),
            endpoint: request.server_address.clone(),
            ..Self::default()
        }
    }
}

impl AttemptStart {
    /// Sets the provider of this attempt.
    pub fn with_provider(mut self, provider: &str) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets the model of this attempt.
    pub fn with_model(mut self, model: &str) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets the endpoint.
    pub fn with_endpoint(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Says that the attempt runs beside the one that is open.
    pub fn hedged(mut self) -> Self {
        self.hedged = true;
        self
    }
}

/// Why an attempt, or the call, failed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// Low-cardinality class of the error. With nothing but a status code, the code is the type.
    pub error_type: Option<Box<str>>,
    /// HTTP status code.
    pub status_code: Option<u16>,
    /// Text for people; dropped unless the configuration keeps messages.
    pub message: Option<Box<str>>,
    /// Whether the error is how an abort shows in the host's language (`AbortError`, `CancelledError`).
    pub abort_like: bool,
    /// How long the server asks to wait before a retry.
    pub retry_after_ns: Option<Nanos>,
}

impl Failure {
    /// A failure of the given class.
    pub fn of_type(error_type: &str) -> Self {
        Self { error_type: Some(error_type.into()), ..Self::default() }
    }

    /// A failure with an HTTP status code.
    pub fn of_status(status_code: u16) -> Self {
        Self { status_code: Some(status_code), ..Self::default() }
    }

    /// Sets the HTTP status code.
    pub fn with_status(mut self, status_code: u16) -> Self {
        self.status_code = Some(status_code);
        self
    }

    /// Sets the text for people.
    pub fn with_message(mut self, message: &str) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets how long the server asks to wait.
    pub fn with_retry_after(mut self, delay: Nanos) -> Self {
        self.retry_after_ns = Some(delay);
        self
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.error_type.is_none() && self.status_code.is_none() && self.message.is_none()
    }
}

/// A retry that is to come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Retry {
    /// The planned delay.
    pub delay_ns: Nanos,
    /// Why.
    pub reason: WaitReason,
    /// Whether the server asked for the delay.
    pub server_requested: bool,
}

impl Retry {
    /// A retry after the given delay.
    pub fn after(delay: Nanos, reason: WaitReason) -> Self {
        Self { delay_ns: delay, reason, server_requested: false }
    }

    /// Says that the server asked for the delay.
    pub fn requested_by_server(mut self) -> Self {
        self.server_requested = true;
        self
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitEnd {
    /// Its time was over.
    #[default]
    Elapsed,
    /// It was cut short, and no retry follows.
    Aborted,
}
