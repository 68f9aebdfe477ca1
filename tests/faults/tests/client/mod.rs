//! A client of the kind that applications write: `reqwest`, a retry loop, and llmspan beside it.

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use llmspan::{
    Attempt, Call, CallStart, Clock, Config, Failure, Memory, Nanos, Protocol, Record, Recorder, Retry, TimeoutKind,
    Timestamp, UnixNanos, WaitReason, clock::to_duration,
};
use llmspan_faults::{Client, OnSilence, Post, Scenario, Table, monotonic_ns};
use tokio::time::{sleep, timeout};

/// A record, and when its call began on the clock of the server.
pub(crate) struct Measured {
    pub(crate) record: Record,
    pub(crate) started_at_ns: u64,
}

/// Plays a scenario against the server at `base_url`.
pub(crate) async fn play(
    table: &Table,
    scenario: &Scenario,
    base_url: &str,
    http: &reqwest::Client,
) -> Result<Measured, String> {
    let request = table.requests.get(&scenario.request).ok_or("the table has no such request")?;
    let post = if scenario.stream { request.stream.as_ref() } else { request.whole.as_ref() };
    let post = post.ok_or("the table has no such form of the request")?;
    let protocol = Protocol::parse(&request.protocol);
    let protocol = protocol.ok_or_else(|| format!("llmspan has no protocol `{}`", request.protocol))?;
    let config: Config = match &scenario.config {
        Some(config) => serde_json::from_value(config.clone()).map_err(|error| error.to_string())?,
        None => Config::default(),
    };
    let records = Memory::default();
    let clock = Monotonic::default();
    let recorder = Recorder::builder().with_clock(clock.clone()).with_sink(records.clone()).with_config(config);
    let recorder = recorder.build().map_err(|error| error.to_string())?;

    let mut start = CallStart::new("chat").with_model("m-1");
    if scenario.stream {
        start = start.streamed();
    }
    clock.first.store(0, Ordering::SeqCst);
    let call = recorder.call(start);
    let started_at_ns = clock.first.load(Ordering::SeqCst);
    let sender = Sender { http, url: format!("{base_url}{}", post.path), post, protocol, client: &scenario.client };
    sender.ask(call).await;
    let record = records.records().pop().ok_or("no record came out")?;
    Ok(Measured { record, started_at_ns })
}

/// The clock of the server, with its first reading since that was set to 0: the start of a call.
#[derive(Clone, Debug, Default)]
struct Monotonic {
    first: Arc<AtomicU64>,
}

impl Clock for Monotonic {
    fn now(&self) -> Timestamp {
        let now = monotonic_ns();
        // It has been read before: then the first reading stays.
        let _unchanged = self.first.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst);
        Timestamp::from_nanos(now)
    }

    fn unix_now(&self) -> Option<UnixNanos> {
        None
    }
}

struct Sender<'a> {
    http: &'a reqwest::Client,
    url: String,
    post: &'a Post,
    protocol: Protocol,
    client: &'a Client,
}

impl Sender<'_> {
    /// Asks until an attempt gives an answer, or the attempts are used up.
    async fn ask(&self, call: Call) {
        for number in 1.. {
            let attempt = call.attempt();
            let failure = match self.send(&attempt, &call).await {
                Ok(unread) => {
                    // The end goes before the drop of the stream, which would say that the consumer closed it.
                    call.end();
                    drop(unread);
                    return;
                }
                Err(failure) => failure,
            };
            attempt.failed(failure.clone());
            let Some(retry) = retry(&failure).filter(|_| number < self.client.attempts) else {
                return call.fail(failure);
            };
            call.retry_scheduled(retry);
            sleep(to_duration(retry.delay_ns)).await;
        }
    }

    /// One request: the stream that was left unread, if any, or what went wrong before there was an answer.
    async fn send(
        &self,
        attempt: &Attempt,
        call: &Call,
    ) -> Result<Option<impl Stream<Item = reqwest::Result<Bytes>> + use<>>, Failure> {
        let mut request = self.http.post(&self.url).header("content-type", "application/json");
        for (name, value) in &self.post.headers {
            request = request.header(name, value);
        }
        let Some(response) = self.unless_silent(request.body(self.post.body.to_string()).send(), call).await else {
            return Ok(None);
        };
        let response = response.map_err(|_| Failure::of_type("network"))?;
        let status = response.status().as_u16();
        let pairs = response.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let headers = attempt.response(status, pairs);
        if status >= 400 {
            if let Ok(body) = response.bytes().await {
                attempt.bytes(self.protocol, &body);
            }
            let failure = Failure::of_status(status);
            return Err(match headers.retry_after_ns {
                Some(delay) => failure.with_retry_after(delay),
                None => failure,
            });
        }
        let mut body = attempt.observe(response.bytes_stream(), self.protocol);
        // An error of the stream is told by the adaptor; the application does not ask again in the middle of an answer.
        while let Some(Some(Ok(_))) = self.unless_silent(body.next(), call).await {}
        Ok(if self.client.on_silence == Some(OnSilence::Close) { None } else { Some(body) })
    }

    /// Waits for something, unless there is a silence: then the call is told what the client does.
    async fn unless_silent<T>(&self, what: impl Future<Output = T>, call: &Call) -> Option<T> {
        let Some(act) = self.client.on_silence else { return Some(what.await) };
        let waited = timeout(Duration::from_millis(self.client.silence_ms), what).await;
        if waited.is_err() {
            match act {
                OnSilence::Cancel => call.cancelled(),
                // Dropping the stream says it.
                OnSilence::Close => {}
                OnSilence::TimeOut => call.timed_out(TimeoutKind::Idle),
                other => panic!("the table asks for {other:?}"),
            }
        }
        waited.ok()
    }
}

/// Whether and when a failure is worth another try. The server's wish goes first; else 10 ms.
fn retry(failure: &Failure) -> Option<Retry> {
    let reason = match failure.status_code {
        Some(429) => WaitReason::RateLimit,
        Some(500..) => WaitReason::ServerError,
        Some(_) => return None,
        None => WaitReason::Network,
    };
    Some(match failure.retry_after_ns {
        Some(delay) => Retry::after(delay, reason).requested_by_server(),
        None => Retry::after(Nanos::from_millis(10), reason),
    })
}
