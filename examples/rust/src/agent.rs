//! The part of an agent that asks a model: a retry loop around a streaming request, watched by llmspan.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use llmspan::{Attempt, Call, CallStart, Failure, Nanos, Protocol, Recorder, Retry, WaitReason, clock::to_duration};
use reqwest::{Client, header::CONTENT_TYPE};
use serde_json::{Value, json};

/// The model that the agent asks for.
pub const MODEL: &str = "gpt-4.1-mini";

/// An agent: its HTTP client, its endpoint, and one recorder for all of its calls.
#[derive(Clone, Debug)]
pub struct Agent {
    http: Client,
    url: String,
    recorder: Recorder,
}

impl Agent {
    /// An agent that sends its requests to `url`.
    pub fn new(url: String, recorder: Recorder) -> Self {
        Self { http: Client::new(), url, recorder }
    }

    /// Asks a question, and gives the answer as it streams.
    ///
    /// The call is open until the stream ends or is dropped: then its record goes to the sinks.
    ///
    /// # Errors
    /// The last failure, when every attempt failed before the stream began.
    pub async fn ask(&self, question: &str) -> Result<impl Stream<Item = reqwest::Result<Bytes>> + use<>, Failure> {
        let start = CallStart::new("chat").with_provider("openai").with_model(MODEL).streamed();
        let call = self.recorder.call(start.with_attribute("prompt.version", "support-7"));
        let body = {
            let _building = call.phase("prompt.build");
            json!({
                "model": MODEL,
                "stream": true,
                // Without it the server sends no token counts on a stream.
                "stream_options": {"include_usage": true},
                "messages": [{"role": "user", "content": question}],
            })
        };
        send_with_retries(&self.http, &self.url, &body, Protocol::OpenAiChat, call).await
    }
}

/// Sends a request until an attempt gives a stream, and lets the call end with that stream.
///
/// # Errors
/// The last failure, when every attempt failed before the stream began. The call has ended with it.
pub async fn send_with_retries(
    http: &Client,
    url: &str,
    body: &Value,
    protocol: Protocol,
    call: Call,
) -> Result<impl Stream<Item = reqwest::Result<Bytes>> + use<>, Failure> {
    loop {
        let attempt = call.attempt();
        let failure = match send(http, url, body, protocol, &attempt).await {
            Ok(response) => {
                let stream = attempt.observe(response.bytes_stream(), protocol);
                return Ok(stream.classify_errors(classify).ending(call));
            }
            Err(failure) => failure,
        };
        attempt.failed(failure.clone());
        let retry = retry_after(&failure, attempt.number()).filter(|_| attempt.number() < MAX_ATTEMPTS);
        let Some(retry) = retry else {
            call.fail(failure.clone());
            return Err(failure);
        };
        call.retry_scheduled(retry);
        // A caller that gives up here drops this future, and with it the call: its record says that it was waiting.
        tokio::time::sleep(to_duration(retry.delay_ns)).await;
    }
}

const MAX_ATTEMPTS: u32 = 4;

/// One request: a response whose body may be read, or what went wrong.
async fn send(
    http: &Client,
    url: &str,
    body: &Value,
    protocol: Protocol,
    attempt: &Attempt,
) -> Result<reqwest::Response, Failure> {
    let request = http.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string());
    let response = request.send().await.map_err(|error| classify(&error))?;
    let status = response.status();
    let pairs = response.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers = attempt.response(status.as_u16(), pairs);
    if status.is_success() {
        return Ok(response);
    }
    // The body of an error says which error it is: the decoder reads it as the server meant it.
    if let Ok(body) = response.bytes().await {
        attempt.bytes(protocol, &body);
    }
    let failure = Failure::of_status(status.as_u16());
    Err(match headers.retry_after_ns {
        Some(delay) => failure.with_retry_after(delay),
        None => failure,
    })
}

fn classify(error: &reqwest::Error) -> Failure {
    Failure::of_type(if error.is_timeout() { "timeout" } else { "network" })
}

/// Whether the failure is worth a retry, and when. What the server asks for goes first.
fn retry_after(failure: &Failure, attempt: u32) -> Option<Retry> {
    let reason = match failure.status_code {
        Some(429) => WaitReason::RateLimit,
        Some(500..) => WaitReason::ServerError,
        Some(_) => return None,
        None if failure.error_type.as_deref() == Some("timeout") => WaitReason::Timeout,
        None => WaitReason::Network,
    };
    Some(match failure.retry_after_ns {
        Some(delay) => Retry::after(delay, reason).requested_by_server(),
        None => Retry::after(Nanos::from_millis(250 << attempt.min(5)), reason),
    })
}

/// Reads a stream of `openai.chat` to its end, and gives the text of the answer.
///
/// # Errors
/// The error that broke the stream.
pub async fn read_text(stream: impl Stream<Item = reqwest::Result<Bytes>>) -> reqwest::Result<String> {
    let mut stream = std::pin::pin!(stream);
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    let lines = String::from_utf8_lossy(&bytes);
    let payloads = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    Ok(payloads.filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(String::from)).collect())
}
