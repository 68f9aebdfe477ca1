//! Attempts at a provider, retries and the fallback.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use llmspan::{
    Attempt, AttemptStart, Call, Failure, Nanos, Protocol, Retry, WaitEnd, WaitReason,
    clock::{to_duration, to_nanos},
};
use reqwest::{Client, Response, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    config::Upstream,
    keys::{KeyPool, Lease},
};

/// A provider with its keys.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) upstream: Upstream,
    keys: KeyPool,
}

/// A response whose body may be read.
pub(crate) struct Answer {
    pub(crate) target: Arc<Target>,
    pub(crate) attempt: Attempt,
    pub(crate) response: Response,
    /// To be kept until the body is read.
    pub(crate) lease: Lease,
}

/// What the client gets when nobody answers: what the last one said.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) failure: Failure,
}

impl Target {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { keys: KeyPool::new(&upstream.keys, upstream.requests_per_key), upstream }
    }
}

/// Asks one provider after the other, each more than once if that may help.
pub(crate) async fn send(
    http: &Client,
    call: &Call,
    route: &[Arc<Target>],
    request: &mut Value,
) -> Result<Answer, Refusal> {
    let mut last = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_upstream", "no provider is configured");
    for (at, target) in route.iter().enumerate() {
        if at > 0 {
            wait(call, Retry::after(Nanos::ZERO, WaitReason::Fallback)).await;
        }
        for number in 1..=ATTEMPTS {
            last = match attempt(http, call, target, request).await {
                Ok(answer) => return Ok(answer),
                Err(refusal) => refusal,
            };
            // A request that is wrong is wrong everywhere.
            let Some(retry) = last.retry(number) else { return Err(last) };
            if number == ATTEMPTS || to_duration(retry.delay_ns) > LONGEST_WAIT {
                break;
            }
            wait(call, retry).await;
        }
    }
    Err(last)
}

/// Attempts at one provider.
const ATTEMPTS: u32 = 3;

/// Who asks to wait for longer is given up for the next provider.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

async fn wait(call: &Call, retry: Retry) {
    call.retry_scheduled(retry);
    sleep(to_duration(retry.delay_ns)).await;
    // The attempt does not follow at once: it needs a key first.
    call.retry_wait_ended(WaitEnd::Elapsed);
}

async fn attempt(http: &Client, call: &Call, target: &Arc<Target>, request: &mut Value) -> Result<Answer, Refusal> {
    let Upstream { provider, model, url, .. } = &target.upstream;
    let waiting = call.phase("key_pool.acquire");
    let lease = target.keys.acquire().await;
    waiting.end();

    let serializing = call.phase("request.serialize");
    request["model"] = model.as_str().into();
    let body = request.to_string();
    serializing.end();

    let attempt =
        call.attempt_with(AttemptStart::default().with_provider(provider).with_model(model).with_endpoint(url));
    let sent = http.post(url).bearer_auth(&lease.key).header(CONTENT_TYPE, "application/json").body(body).send().await;
    let response = match sent {
        Ok(response) => response,
        Err(error) => {
            let refusal = Refusal::of_network(&error);
            attempt.failed(refusal.failure.clone());
            return Err(refusal);
        }
    };
    let status = response.status();
    let pairs = response.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers = attempt.response(status.as_u16(), pairs);
    if status.is_success() {
        return Ok(Answer { target: Arc::clone(target), attempt, response, lease });
    }
    let body = response.bytes().await.unwrap_or_default();
    // It says which error it is, in the words of the provider.
    attempt.bytes(Protocol::OpenAiChat, &body);
    let mut failure = Failure::of_status(status.as_u16());
    failure.retry_after_ns = headers.retry_after_ns;
    attempt.failed(failure.clone());
    Err(Refusal { status, body, failure })
}

impl Refusal {
    /// A refusal of the broker's own, worded as a provider words it.
    pub(crate) fn new(status: StatusCode, error_type: &str, message: &str) -> Self {
        let body = json!({"error": {"message": message, "type": error_type, "param": null, "code": null}});
        Self { status, body: body.to_string().into(), failure: Failure::of_type(error_type) }
    }

    pub(crate) fn of_network(error: &reqwest::Error) -> Self {
        let error_type = if error.is_timeout() { "timeout" } else { "network" };
        Self::new(StatusCode::BAD_GATEWAY, error_type, "the provider cannot be reached")
    }

    /// Whether another attempt may help, and when. What the provider asks for goes first.
    fn retry(&self, attempt: u32) -> Option<Retry> {
        let reason = match self.failure.status_code {
            Some(429) => WaitReason::RateLimit,
            Some(500..) => WaitReason::ServerError,
            Some(_) => return None,
            None => WaitReason::Network,
        };
        Some(match self.failure.retry_after_ns {
            Some(delay) => Retry::after(delay, reason).requested_by_server(),
            None => Retry::after(to_nanos(Duration::from_millis(100 << attempt)), reason),
        })
    }
}
