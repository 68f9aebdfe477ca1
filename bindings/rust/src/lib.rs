//! Why was this LLM call slow, dear or broken? One finalized span record per call, for Rust hosts.
//!
//! The engine, [`llmspan_core`], reads no clock and does no I/O. This crate adds what an application has around it: a
//! clock, guards that end what they began, an adaptor for response streams, and sinks for the records.
//!
//! 1. Configure one [`Recorder`] and clone it wherever calls are made.
//! 2. Open a [`Call`] when the application asks for something, retries included. Dropping it ends it.
//! 3. Open an [`Attempt`] for every physical request, and tell it what happens: headers, bytes, failures.
//! 4. Hand the response stream through [`Attempt::observe`]: it passes every item on unchanged, and with
//!    [`Observed::ending`] the call ends with the stream, also when the consumer drops it early.
//! 5. The finished [`Record`] goes to every [`Sink`], exactly once.
//!
//! Nothing here fails because of what a server sends, blocks on a file, or lets a panic of a sink reach the caller.
//!
//! # Features
//! Both are off by default.
//! - `opentelemetry`: module `opentelemetry`, with sinks that hand finished calls to the OpenTelemetry SDK.
//! - `tracing`: module `tracing`, with live spans of calls for a subscriber.
//!
//! # Examples
//! A call that is rate limited once. The clock is a manual one, so that the numbers are known.
//! ```
//! use llmspan::{
//!     CallStart, Failure, ManualClock, Memory, Nanos, Outcome, Protocol, Recorder, Retry, WaitReason,
//! };
//!
//! let clock = ManualClock::default();
//! let records = Memory::default();
//! let recorder = Recorder::builder().with_clock(clock.clone()).with_sink(records.clone()).build()?;
//!
//! let call = recorder.call(CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed());
//! let prompt = call.phase("prompt.build");
//! clock.advance(Nanos::from_millis(20));
//! drop(prompt);
//!
//! let first = call.attempt();
//! let headers = first.response(429, [("retry-after", "2"), ("x-request-id", "req_1")]);
//! let delay = headers.retry_after_ns.expect("the server asks for a delay");
//! first.failed(Failure::of_status(429).with_retry_after(delay));
//! call.retry_scheduled(Retry::after(delay, WaitReason::RateLimit).requested_by_server());
//! clock.advance(delay);
//!
//! let second = call.attempt();
//! clock.advance(Nanos::from_millis(300));
//! second.bytes(Protocol::OpenAiChat, b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n");
//! clock.advance(Nanos::from_millis(50));
//! second.bytes(Protocol::OpenAiChat, b"data: [DONE]\n\n");
//! call.end();
//!
//! let record = &records.records()[0];
//! assert_eq!(record.outcome, Outcome::Success);
//! assert_eq!((record.attempt_count, record.retry_count), (2, 1));
//! assert_eq!(record.request_setup_ns, Some(Nanos::from_millis(2_020)));
//! assert_eq!(record.ttft_ns, Some(Nanos::from_millis(300)));
//! # Ok::<(), llmspan::Error>(())
//! ```

pub mod clock;
#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
pub mod sinks;
#[cfg(feature = "tracing")]
pub mod tracing;

mod background;
mod call;
mod chrome;
mod live;
mod metrics;
mod otlp_json;
mod recorder;
mod stream;

pub use llmspan_core as core;
pub use llmspan_core::{
    config::Config,
    delta::{ContentKind, UsageMode},
    error::{Error, ErrorKind},
    event::{Chunk, Event, ReportedUsage, TimedEvent},
    machine::{AttemptStart, CallStart, Failure, Headers, Retry, WaitEnd},
    names::Profile,
    provider::{Protocol, headers},
    record::{AttributeValue, Attributes, Outcome, Record, Request, TimeoutKind, WaitReason},
    time::{Nanos, Timestamp, UnixNanos},
};

pub use crate::{
    call::{Attempt, Call, Phase},
    chrome::ChromeTraceFile,
    clock::{Clock, ManualClock, SystemClock},
    metrics::{Metrics, Scrape},
    otlp_json::OtlpJsonLines,
    recorder::{Recorder, RecorderBuilder, RecorderStats},
    sinks::{Callback, EventLog, JsonLines, Memory, Sink, WriterStats},
    stream::Observed,
};
