//! The part of an agent that asks a model: a retry loop around a request, watched by llmspan.

use bytes::Bytes;
use futures_util::Stream;
use llmspan::{Attempt, Call, CallStart, Failure, Nanos, Protocol, Recorder, Retry, WaitReason, clock::to_duration};
use llmspan_examples::message::Message;
use reqwest::{Client, Response, header::CONTENT_TYPE};
use serde_json::{Value, json};

/// The model that is asked for.
pub const MODEL: &str = "gpt-4.1-mini";

/// A model: an HTTP client, an endpoint, and one recorder for all calls.
#[derive(Clone, Debug)]
pub struct Model {
    http: Client,
    url: String,
    recorder: Recorder,
}

impl Model {
    /// A model that is asked at `url`, the URL of chat completions.
    pub fn new(url: String, recorder: Recorder) -> Self {
        Self { http: Client::new(), url, recorder }
    }

    /// Asks, and gives the answer as it streams: the span `llm.chat_stream`.
    ///
    /// The call is open until the stream ends or is dropped: then its record goes to the sinks.
    ///
    /// # Errors
    /// The last failure, when every attempt failed before the stream began.
    pub async fn stream(
        &self,
        task: &str,
        messages: &[Value],
        tools: &Value,
    ) -> Result<impl Stream<Item = reqwest::Result<Bytes>> + use<>, Failure> {
        let call = self.recorder.call(start(task, messages, tools).streamed());
        let body = {
            let _building = call.phase("prompt.build");
            json!({
                "model": MODEL,
                "stream": true,
                // Without it the server sends no token counts on a stream.
                "stream_options": {"include_usage": true},
                "messages": messages,
                "tools": tools,
            })
        };
        stream_with_retries(&self.http, &self.url, &body, Protocol::OpenAiChat, call).await
    }

    /// Asks, and gives the answer when it is whole: the span `llm.chat`.
    ///
    /// # Errors
    /// The last failure, when every attempt failed.
    pub async fn complete(&self, task: &str, messages: &[Value]) -> Result<Message, Failure> {
        let call = self.recorder.call(start(task, messages, &Value::Null).not_streamed());
        let body = json!({"model": MODEL, "messages": messages});
        let sent = send_with_retries(&self.http, &self.url, &body, Protocol::OpenAiChat, &call).await;
        let read = match sent {
            Ok((attempt, response)) => read_whole(&attempt, response).await,
            Err(failure) => Err(failure),
        };
        match read {
            Ok(body) => {
                call.end();
                Ok(Message::of_completion(&serde_json::from_slice(&body).unwrap_or_default()))
            }
            Err(failure) => {
                call.fail(failure.clone());
                Err(failure)
            }
        }
    }
}

async fn read_whole(attempt: &Attempt, response: Response) -> Result<Bytes, Failure> {
    let body = response.bytes().await.map_err(|error| classify(&error))?;
    attempt.bytes(Protocol::OpenAiChat, &body);
    Ok(body)
}

/// What the spans of the call say at their start.
fn start(task: &str, messages: &[Value], tools: &Value) -> CallStart {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    CallStart::new("chat")
        .with_provider("openai")
        .with_model(MODEL)
        .with_attribute("task_id", task)
        .with_attribute("message_count", count(messages.len()))
        .with_attribute("tool_count", count(tools.as_array().map_or(0, Vec::len)))
}

/// Sends a request until an attempt gives a stream, and lets the call end with that stream.
///
/// # Errors
/// The last failure, when every attempt failed before the stream began. The call has ended with it.
pub async fn stream_with_retries(
    http: &Client,
    url: &str,
    body: &Value,
    protocol: Protocol,
    call: Call,
) -> Result<impl Stream<Item = reqwest::Result<Bytes>> + use<>, Failure> {
    match send_with_retries(http, url, body, protocol, &call).await {
        Ok((attempt, response)) => {
            let stream = attempt.observe(response.bytes_stream(), protocol);
            Ok(stream.classify_errors(classify).ending(call))
        }
        Err(failure) => {
            call.fail(failure.clone());
            Err(failure)
        }
    }
}

/// Sends a request until an attempt gives a body to read.
async fn send_with_retries(
    http: &Client,
    url: &str,
    body: &Value,
    protocol: Protocol,
    call: &Call,
) -> Result<(Attempt, Response), Failure> {
    loop {
        let attempt = call.attempt();
        let failure = match send(http, url, body, protocol, &attempt).await {
            Ok(response) => return Ok((attempt, response)),
            Err(failure) => failure,
        };
        attempt.failed(failure.clone());
        let retry = retry_after(&failure, attempt.number()).filter(|_| attempt.number() < MAX_ATTEMPTS);
        let Some(retry) = retry else { return Err(failure) };
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
) -> Result<Response, Failure> {
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

/// What an error of the HTTP client means.
pub fn classify(error: &reqwest::Error) -> Failure {
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
