//! Finished calls for the OpenTelemetry SDK, with the feature `opentelemetry`.
//!
//! [`Spans`] writes every finished call to a tracer, [`Instruments`] measures it with a meter. Both are sinks: add them to a
//! [`Recorder`](crate::Recorder), and the SDK does the rest: exporters, batches, sampling, resources, its environment
//! variables, and a shutdown that loses nothing.
//!
//! ```
//! use llmspan::{
//!     CallStart, Recorder,
//!     opentelemetry::{Instruments, MetricNames, Spans},
//! };
//! use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
//! use opentelemetry_sdk::{
//!     metrics::{InMemoryMetricExporter, SdkMeterProvider},
//!     trace::{InMemorySpanExporter, SdkTracerProvider},
//! };
//!
//! // An application takes the exporters of the crate `opentelemetry-otlp`, which read `OTEL_EXPORTER_OTLP_ENDPOINT`.
//! let (spans, metrics) = (InMemorySpanExporter::default(), InMemoryMetricExporter::default());
//! let tracers = SdkTracerProvider::builder().with_batch_exporter(spans.clone()).build();
//! let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
//! let recorder = Recorder::builder()
//!     .with_sink(Spans::of_provider(&tracers))
//!     .with_sink(Instruments::of_provider(&meters, MetricNames::by_profile("otel-1.41")?))
//!     .build()?;
//!
//! // A call that begins while a span is current is a child of it.
//! let turn = opentelemetry::Context::new().with_span(tracers.tracer("agent").start("turn"));
//! let current = turn.clone().attach();
//! let call = recorder.call(CallStart::new("chat").with_model("gpt-4.1-mini"));
//! drop(current);
//! call.end();
//!
//! // Before the process ends.
//! tracers.force_flush()?;
//! meters.force_flush()?;
//! let exported = spans.get_finished_spans()?;
//! assert_eq!(exported[0].name, "chat gpt-4.1-mini");
//! assert_eq!(exported[0].parent_span_id, turn.span().span_context().span_id());
//! assert_eq!(metrics.get_finished_metrics()?.len(), 1);
//! tracers.shutdown()?;
//! meters.shutdown()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Parents
//! The span that is current in OpenTelemetry's [`Context`] **when a call begins** is its parent, wherever the call goes on and
//! ends: [`Record::trace_id`](crate::Record::trace_id) and [`Record::parent_span_id`](crate::Record::parent_span_id) are
//! its ids, with any sink. The call holds on to ids, flags, `tracestate` and baggage, not to the span. A call that comes with
//! [ids of its own](crate::CallStart::with_trace) keeps those and is a child of the span that they name as parent, else of the
//! one that they name as the call's. It counts as sampled, unless a context of the same trace was current and says otherwise.
//!
//! The context of the caller is also the current one while the sinks run.
//!
//! # Ids
//! Ids of exported spans are those that the SDK generates: its API takes none. Do not send ids that the engine
//! [computes](crate::core::spans::child_span_id) to a server as `traceparent`; they are those of the engine's own exporters.
//!
//! # Sampling
//! The SDK decides, with the name, kind and attributes of every span at hand. A call whose parent is not sampled has no spans
//! under the default sampler. [`SpansStats`] counts what was not recorded. Metrics are of all calls.
//!
//! # Time
//! Spans are written when the call ends, with the times that they had: the wall-clock time of the start of the call, plus
//! monotonic time. [`SystemClock`](crate::SystemClock) gives that anchor to every call (but for one whose wall clock is before
//! 1970). A call of another clock may have none; then it has no spans and is counted in [`SpansStats::without_clock`].
//!
//! # What it costs
//! A call that begins copies the current context. The thread that ends a call builds its spans and hands them over. With a
//! batching processor the SDK exports from a thread of its own, so that an endpoint that is slow, or gone, costs the calls
//! nothing; past its queue (`OTEL_BSP_MAX_QUEUE_SIZE`, 2,048 spans) it drops spans. A simple processor exports on the thread
//! that ends the call. [`Recorder::flush`](crate::Recorder::flush) does not reach the SDK: that is `force_flush` and `shutdown` of
//! its providers. A panic in the SDK is counted in [`RecorderStats`](crate::RecorderStats) and goes no further. The
//! SDK keeps 128 attributes and 128 events of a span by default.
//!
//! # Beside `tracing`
//! `tracing-opentelemetry` makes the current span of its subscriber the current one of OpenTelemetry, too: a call inside of
//! it is a child, as above. That needs the layer's context activation, which is on by default. With the spans of
//! `RecorderBuilder::with_tracing` and [`Spans`] a call would be exported twice: take [`Spans`], finished and with all values,
//! or the others, live and named as in the profile `ares`. [`Instruments`] goes with both.
//!
//! [`Context`]: ::opentelemetry::Context

mod caller;
mod instruments;
mod spans;
mod values;

use opentelemetry::InstrumentationScope;

pub(crate) use caller::Caller;
pub use instruments::{Instruments, InstrumentsStats};
pub use llmspan_core::{
    metrics::{Labels, MetricNames},
    spans::Shape,
};
pub use spans::{Spans, SpansStats};

/// The instrumentation scope of all that this crate hands over: `llmspan`, with the version of the crate.
pub fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("llmspan").with_version(env!("CARGO_PKG_VERSION")).build()
}
