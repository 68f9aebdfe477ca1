//! Calls without end, on a clock of their own, and the metrics of them over HTTP.

use std::{error::Error, time::Duration};

use axum::{
    Router,
    http::{HeaderMap, header},
    response::IntoResponse,
    routing::get,
};
use llmspan::{
    CallStart, Chunk, ContentKind, Failure, ManualClock, Metrics, Nanos, Recorder, ReportedUsage, Retry, UnixNanos,
    WaitReason, core::metrics::MetricNames,
};
use tokio::net::TcpListener;

/// One model and how it answers: every call of a round takes one time to its first token.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Model {
    /// Its name.
    pub name: &'static str,
    /// Times to the first token of one round, in milliseconds, from the first to the last, evenly.
    pub ttft_ms: (u64, u64),
    /// Calls of one round.
    pub calls: u64,
}

/// What is called in every round.
pub const MODELS: [Model; 2] = [
    Model { name: "fast-1", ttft_ms: (100, 199), calls: 100 },
    Model { name: "slow-1", ttft_ms: (700, 2_185), calls: 100 },
];

/// Makes rounds of calls. The time in them is told, not spent: a round is done at once.
#[derive(Clone, Debug)]
pub struct Load {
    recorder: Recorder,
    clock: ManualClock,
}

impl Load {
    /// Calls that are counted by `metrics`.
    ///
    /// # Errors
    /// Those of the configuration.
    pub fn new(metrics: Metrics) -> Result<Self, llmspan::Error> {
        let clock = ManualClock::anchored(UnixNanos::from_nanos(1_760_000_000_000_000_000));
        let recorder = Recorder::builder().with_clock(clock.clone()).with_sink(metrics).build()?;
        Ok(Self { recorder, clock })
    }

    /// One round: every model's calls. One of ten comes after a rate limit, one of twenty-five stalls, one of fifty has no
    /// answer.
    pub fn round(&self) {
        for model in MODELS {
            let (first, last) = model.ttft_ms;
            for at in 0..model.calls {
                let ttft = first + (last - first) * at / (model.calls - 1);
                self.call(&model, ttft, at);
            }
        }
    }

    fn call(&self, model: &Model, ttft_ms: u64, at: u64) {
        let pass = |millis| self.clock.advance(Nanos::from_millis(millis));
        let call = self.recorder.call(CallStart::new("chat").with_provider("openai").with_model(model.name).streamed());
        if at % 10 == 9 {
            let attempt = call.attempt();
            pass(30);
            attempt.failed(Failure::of_status(429));
            call.retry_scheduled(Retry::after(Nanos::from_millis(500), WaitReason::RateLimit));
            pass(500);
        }
        let attempt = call.attempt();
        pass(ttft_ms);
        if at % 50 == 49 {
            attempt.failed(Failure::of_status(503));
            return call.fail(Failure::default());
        }
        for chunk in 0..20 {
            attempt.chunk(&Chunk::of(ContentKind::Text));
            pass(if at % 25 == 24 && chunk == 10 { 1_500 } else { 25 });
        }
        attempt.usage(ReportedUsage::of(400, 60));
        attempt.stream_ended();
        call.end();
    }
}

/// Serves `/metrics`, and makes a round of calls every `pause`, until it is dropped.
///
/// # Errors
/// Those of the configuration and of the listener.
pub async fn serve(listener: TcpListener, pause: Duration) -> Result<(), Box<dyn Error>> {
    let metrics = Metrics::new(MetricNames::by_profile("otel-1.41")?);
    let load = Load::new(metrics.clone())?;
    let handler = move |headers: HeaderMap| async move {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        let scrape = metrics.scrape(accept);
        ([(header::CONTENT_TYPE, scrape.content_type)], scrape.text).into_response()
    };
    let server = axum::serve(listener, Router::new().route("/metrics", get(handler)));
    let rounds = async {
        loop {
            load.round();
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        ended = server => Ok(ended?),
        () = rounds => Ok(()),
    }
}
