//! Traces, log events and metrics in the OpenTelemetry protocol, as JSON and as protobuf.
//!
//! [`traces_to_protobuf`] and [`traces_to_json`] write an `ExportTraceServiceRequest`, [`logs_to_protobuf`] and
//! [`logs_to_json`] an `ExportLogsServiceRequest`, [`metrics_to_protobuf`] and [`metrics_to_json`] an
//! `ExportMetricsServiceRequest`: the body of a `POST` to `/v1/traces`, `/v1/logs` or `/v1/metrics` with the content type
//! `application/x-protobuf` or `application/json`. Sending it is the business of a host. What is written where is
//! described in `docs/otlp.md` of this crate.
//!
//! Trees are taken from an iterator, so that a batch of any size needs the memory of one tree:
//!
//! ```
//! use llmspan_core::names::Profile;
//! use llmspan_core::otlp::{Resource, traces_to_json};
//! use llmspan_core::record::Record;
//! use llmspan_core::spans::{Context, Layout, Shape, SpanTree};
//!
//! let json = r#"{"operation": "chat", "model": "m", "duration_ns": 1000000000, "start_unix_ns": "1763713224000000000",
//!     "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}"#;
//! let records = [Record::from_json(json)?];
//! let profiles = [Profile::by_name("otel-1.41")?];
//! let layout = Layout::new(Shape::Call, &profiles);
//!
//! let trees = records.iter().filter_map(|record| SpanTree::new(record, &layout, &Context::default()));
//! let mut body = Vec::new();
//! let spans = traces_to_json(trees, &Resource::of_service("assistant"), &mut body);
//! assert_eq!(spans, 1);
//! assert!(body.starts_with(br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","#));
//! # Ok::<(), llmspan_core::error::Error>(())
//! ```
//!
//! Metrics are taken from a [`View`](crate::metrics::View) of an aggregator, for the stretch of time that the caller says:
//!
//! ```
//! use llmspan_core::metrics::{Aggregator, MetricNames, Options, Window};
//! use llmspan_core::otlp::{Resource, metrics_to_json};
//! use llmspan_core::record::Record;
//! use llmspan_core::time::UnixNanos;
//!
//! let mut aggregator = Aggregator::new(MetricNames::by_profile("qwen-code")?, Options::default());
//! let started = UnixNanos::from_nanos(1_763_713_200_000_000_000);
//! aggregator.observe(&Record::default());
//!
//! let read = UnixNanos::from_nanos(1_763_713_260_000_000_000);
//! let mut body = Vec::new();
//! let view = aggregator.view(Window::cumulative(started, read));
//! // Calls, and how long they took.
//! assert_eq!(metrics_to_json(&view, &Resource::of_service("assistant"), &mut body), 2);
//! assert!(str::from_utf8(&body).unwrap().contains(r#""name":"qwen-code.api.request.count""#));
//! # Ok::<(), llmspan_core::error::Error>(())
//! ```
//!
//! Rules of the protocol that are easy to miss and are kept here: keys in lowerCamelCase; enums as numbers; 64-bit integers
//! as decimal strings in JSON; trace and span ids in hex in JSON, not in base64; a value that has its default is not
//! written, except inside an attribute, where an empty text or a 0 is a value.
#![warn(clippy::as_conversions, clippy::arithmetic_side_effects)]

mod common;
mod json;
#[cfg(feature = "logs")]
mod logs;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "protobuf")]
mod protobuf;
mod traces;
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "only metrics have lists of numbers"))]
mod writer;

pub use common::Resource;
#[cfg(all(feature = "logs", feature = "protobuf"))]
pub use logs::logs_to_protobuf;
#[cfg(feature = "logs")]
pub use logs::{LogEvents, logs_to_json};
#[cfg(feature = "metrics")]
pub use metrics::metrics_to_json;
#[cfg(all(feature = "metrics", feature = "protobuf"))]
pub use metrics::metrics_to_protobuf;
pub use traces::traces_to_json;
#[cfg(feature = "protobuf")]
pub use traces::traces_to_protobuf;
