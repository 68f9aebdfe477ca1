//! What an HTTP request asks of a model.

mod body;
mod provider;
#[cfg(test)]
mod tests;

use alloc::{boxed::Box, string::String};

use self::{body::Body, provider::provider};
use super::{
    Protocol,
    detect::{Address, Stated, stated},
    source::Input,
};
use crate::{
    limits::{REQUEST_BYTES, cut},
    record::Request,
    time::Nanos,
};

/// A request to a model, by what its URL, headers and body say.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelRequest {
    /// The protocol that the response will be in.
    pub protocol: Protocol,
    /// `chat`, `text_completion` or `generate_content`. Maps to `gen_ai.operation.name`.
    pub operation: &'static str,
    /// Provider by its OpenTelemetry name, where it has one: by the host, else the one whose protocol it is. Absent for protocols
    /// that are nobody's. Maps to `gen_ai.provider.name`.
    pub provider: Option<&'static str>,
    /// Model that is asked for; absent when neither path nor body name one.
    pub model: Option<String>,
    /// Whether a stream is asked for; absent when only the body would tell and it could not be read.
    pub stream: Option<bool>,
    /// Request parameters; each absent when the request does not name it.
    pub parameters: Request,
    /// Messages of the conversation, the prompt included; absent when the body has none that could be counted.
    pub message_count: Option<u64>,
    /// Tools that the model may call; absent when the body names none.
    pub tool_count: Option<u64>,
    /// Host of the URL. Maps to `server.address`.
    pub server_address: Option<Box<str>>,
    /// Port that the URL names; absent when it names none. Maps to `server.port`.
    pub server_port: Option<u16>,
    /// How many times the client has sent this request before, by its own count (`x-stainless-retry-count`, `amz-sdk-request`);
    /// absent when it does not say.
    pub resends: Option<u32>,
    /// How long the client waits for the head of the response at least, where it says so: `x-stainless-timeout`, in whole seconds
    /// rounded down, and `x-server-timeout` of Google's, rounded up. A request that is aborted later than that timed out.
    pub timeout: Option<Nanos>,
    /// How long the client waits for the whole response at least, where it says so: `x-server-timeout` again. A stream that is
    /// aborted later than that timed out.
    pub deadline: Option<Nanos>,
    /// What the client names the request by in all its attempts (`idempotency-key`, `amz-sdk-invocation-id`).
    pub idempotency_key: Option<Box<str>>,
    /// A hash of address and body, equal for a request that is sent once more. It is no secret and no proof: collisions can be
    /// made.
    pub fingerprint: u64,
}

/// Whether a request asks a model, by its method in any case and its URL: if so, how many bytes its body may have at most to be
/// read. Hooks around clients ask this of whatever is sent, before they touch a body.
///
/// Those that ask are posts: what is got from the same addresses are stored answers and lists of them.
///
/// # Examples
/// ```
/// use llmspan_core::provider::request;
///
/// let url = "https://api.openai.com/v1/chat/completions";
/// assert_eq!(request::body_limit("POST", url), Some(32 << 20));
/// assert_eq!(request::body_limit("GET", url), None);
/// assert_eq!(request::body_limit("POST", "https://storage.example/upload"), None);
/// ```
pub fn body_limit(method: &str, url: &str) -> Option<usize> {
    (method.eq_ignore_ascii_case("post") && stated(&Address::parse(url)).is_some()).then_some(REQUEST_BYTES)
}

/// Reads a request, by its URL, absolute or from its path on, by its headers in any case, and by its body, uncompressed, of
/// which nothing but request parameters and counts is kept. A body that is not at hand is given empty.
///
/// `None` means that the request goes to no model of which the answer could be read: embeddings, lists of models, files, and
/// addresses that no rule of [`Protocol::detect`] knows.
///
/// Bodies larger than [`body_limit`] are not read, and of those that are none is an error: what cannot be read is absent.
///
/// # Examples
/// ```
/// use llmspan_core::provider::{Protocol, request};
///
/// let body = br#"{"model": "gpt-4.1-mini", "stream": true, "max_completion_tokens": 64, "messages": [{"role": "user"}]}"#;
/// let headers = [("x-stainless-retry-count", "1")];
/// let request = request::read("https://api.openai.com/v1/chat/completions", headers, body).expect("it goes to a model");
/// assert_eq!((request.protocol, request.provider), (Protocol::OpenAiChat, Some("openai")));
/// assert_eq!((request.model.as_deref(), request.stream), (Some("gpt-4.1-mini"), Some(true)));
/// assert_eq!((request.parameters.max_tokens, request.message_count, request.resends), (Some(64), Some(1), Some(1)));
///
/// assert!(request::read("https://api.openai.com/v1/embeddings", [], b"{}").is_none());
/// ```
pub fn read<'a>(url: &str, headers: impl IntoIterator<Item = (&'a str, &'a str)>, body: &[u8]) -> Option<ModelRequest> {
    let address = Address::parse(url);
    let Stated { protocol, stream: stream_of_path } = stated(&address)?;
    let mut asks = Asks::default();
    for (name, value) in headers {
        asks.take(name, value.trim());
    }
    let mut read = Body::of(protocol);
    let is_read = body.len() <= REQUEST_BYTES && !body.is_empty() && Input::Json(body).fill(&mut read).is_some();
    if !is_read {
        read = Body::of(protocol);
    }
    let stream = stream_of_path.or(asks.stream).or_else(|| is_read.then(|| read.stream.unwrap_or(streams(protocol))));
    Some(ModelRequest {
        protocol,
        operation: operation(protocol),
        provider: provider(&address, protocol),
        model: read.model.or_else(|| model_of_path(&address)),
        stream,
        parameters: read.parameters,
        message_count: read.messages,
        tool_count: read.tools,
        server_address: Some(address.host()).filter(|host| !host.is_empty()).map(|host| cut(host, NAME_BYTES).into()),
        server_port: address.port(),
        resends: asks.resends,
        timeout: asks.timeout,
        deadline: asks.deadline,
        idempotency_key: asks.key,
        fingerprint: fingerprint(&address, body),
    })
}

/// What the headers of a request say.
#[derive(Debug, Default)]
struct Asks {
    resends: Option<u32>,
    timeout: Option<Nanos>,
    deadline: Option<Nanos>,
    key: Option<Box<str>>,
    stream: Option<bool>,
}

impl Asks {
    fn take(&mut self, name: &str, value: &str) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("x-stainless-retry-count") {
            self.resends = value.parse().ok();
        } else if is("x-stainless-timeout") {
            self.timeout = value.parse::<u32>().ok().map(|seconds| Nanos::from_secs(seconds.into()));
        } else if is("x-server-timeout") {
            let least = value.parse::<u32>().ok().and_then(|seconds| seconds.checked_sub(1));
            self.deadline = least.map(|seconds| Nanos::from_secs(seconds.into()));
            self.timeout = self.deadline;
        } else if is("amz-sdk-request") {
            // `attempt=2; max=3`, counted from 1.
            let attempt = value.split(';').find_map(|part| part.trim().strip_prefix("attempt=")?.parse::<u32>().ok());
            self.resends = attempt.and_then(|attempt| attempt.checked_sub(1));
        } else if is("idempotency-key") || is("x-idempotency-key") || is("amz-sdk-invocation-id") {
            self.key = Some(value).filter(|value| !value.is_empty()).map(|value| cut(value, NAME_BYTES).into());
        } else if is("x-dashscope-sse") {
            self.stream = Some(value.eq_ignore_ascii_case("enable"));
        }
    }
}

/// The operation by its OpenTelemetry name.
fn operation(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::OpenAiCompletions | Protocol::AnthropicComplete | Protocol::HuggingFaceTextGen => "text_completion",
        Protocol::GeminiGenerateContent => "generate_content",
        _ => "chat",
    }
}

/// Whether an API streams when a request does not say.
fn streams(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::OllamaChat | Protocol::VercelUiMessage)
}

/// The model that a path names: Google's `models/{model}:{method}`, Bedrock's `model/{model}/{operation}`, Azure's
/// `deployments/{deployment}/…`, Hugging Face's `models/{owner}/{model}`.
fn model_of_path(address: &Address<'_>) -> Option<String> {
    let mut segments = address.path().split('/').filter(|segment| !segment.is_empty());
    let marker = segments.find(|segment| ["models", "model", "deployments"].contains(segment))?;
    let first = segments.next()?;
    let name = match segments.next() {
        // An ARN may have a slash that the client did not encode, and models at Hugging Face have an owner.
        Some(second) if marker == "model" && segments.next().is_some() => alloc::format!("{first}/{second}"),
        Some(second) if marker == "models" && address.method().is_none() => alloc::format!("{first}/{second}"),
        _ => first.into(),
    };
    let name = match address.method() {
        Some(method) => {
            let before = name.strip_suffix(method).unwrap_or(&name);
            [":", "%3A", "%3a"].iter().find_map(|colon| before.strip_suffix(colon)).unwrap_or(before)
        }
        None => &name,
    };
    Some(cut(&decoded(name), NAME_BYTES).into()).filter(|name: &String| !name.is_empty())
}

/// The text with its percent signs resolved, where they stand for visible ASCII.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (code, part.get(2..)) {
            (Some(code), Some(rest)) if code.is_ascii_graphic() => {
                decoded.push(char::from(code));
                decoded.push_str(rest);
            }
            _ => {
                decoded.push('%');
                decoded.push_str(part);
            }
        }
    }
    decoded
}

/// A hash of host, path and body, word by word. Of long bodies it takes length, beginning and end: images in the middle are not
/// worth the time.
fn fingerprint(address: &Address<'_>, body: &[u8]) -> u64 {
    let (start, rest) = body.split_at_checked(FINGERPRINT_BYTES).unwrap_or((body, &[]));
    let end = rest.len().checked_sub(FINGERPRINT_BYTES).and_then(|at| rest.get(at..)).unwrap_or(rest);
    let length = body.len().to_le_bytes();
    [address.host().as_bytes(), address.path().as_bytes(), &length, start, end].into_iter().fold(0, hashed)
}

/// Adds bytes to a hash. Each step can be undone, so that inputs of one length which differ in one word never have the same hash.
fn hashed(hash: u64, bytes: &[u8]) -> u64 {
    /// The fractional part of the golden ratio, made odd.
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let add = |hash: u64, word: u64| (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(hash, |hash, word| add(hash, u64::from_le_bytes(*word)));
    add(rest.iter().fold(hash, |hash, byte| add(hash, u64::from(*byte))), u64::MAX)
}

/// Bytes at the beginning and at the end of a body that tell it from others.
const FINGERPRINT_BYTES: usize = 16 << 10;

/// Bytes kept of hosts, models and keys.
const NAME_BYTES: usize = 256;
