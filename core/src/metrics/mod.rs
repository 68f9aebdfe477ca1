//! Counters and histograms over many calls.
//!
//! An [`Aggregator`] folds finalized records into series: one for each metric and set of labels (operation, provider, model,
//! outcome, error type). The metrics, their names, units, bucket bounds and labels come from `profiles.toml` and are printed
//! in `docs/metrics.md`; an aggregator writes those of one profile. What it has counted is read through a [`View`], or
//! written as text with [`Exposition`].
//!
//! ```
//! use llmspan_core::metrics::{Aggregator, Exposition, MetricNames, Options, Window};
//! use llmspan_core::record::Record;
//! use llmspan_core::time::Nanos;
//!
//! let mut record = Record::default();
//! record.provider = Some("openai".into());
//! record.duration_ns = Nanos::from_millis(2250);
//!
//! let mut aggregator = Aggregator::new(MetricNames::by_profile("otel-1.41")?, Options::default());
//! aggregator.observe(&record);
//! aggregator.observe(&record);
//!
//! let text = Exposition::open_metrics().render(&aggregator.view(Window::default()));
//! let labels = r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",llmspan_outcome="success""#;
//! let line = |name: &str, value: &str| format!("\n{name}{{{labels}}} {value}\n");
//! assert!(text.contains(&line("gen_ai_client_operation_duration_seconds_sum", "4.5")));
//! assert!(text.contains(&line("llmspan_calls_total", "2")));
//! # Ok::<(), llmspan_core::error::Error>(())
//! ```
//!
//! # What the numbers are
//! - Every record counts once, whatever its outcome. A value that is absent is not observed; there are no invented zeros,
//!   and none of a clock that stood still (`diagnostics.clock.frozen`).
//! - All values are integers in base units (nanoseconds, tokens, nano-dollars) until they are written. So sums are exact, and
//!   aggregators merge without loss, in any order.
//! - A record has a summary of the gaps between chunks, not the gaps. How they are counted is told at [`Measure::ChunkGap`].
//! - Exponential histograms, kept beside the explicit ones on request, are those of the OpenTelemetry data model: scale 20 at
//!   most, 160 buckets, coarser as values spread.
//!
//! # Temporality
//! An aggregator that goes on counting gives cumulative series. One that is [taken](Aggregator::take) at each export gives
//! deltas. The times are the caller's, in the [`Window`].
//!
//! # Memory
//! Each label set has a slot of 32 bytes for each series it may have (49 in `otel-1.41`). Histograms are made with their first
//! value: one with 14 bounds takes 0.2 KiB, 0.7 KiB more where buckets remember a call each, and 1.3 KiB more with exponential
//! buckets. In `otel-1.41` a label set that has seen everything, all ten reasons to wait among it, has 27 histograms in
//! 27 KiB; 8 KiB without exemplars; 61 KiB with exponential buckets. The default cap of 512 label sets
//! ([`LABEL_SETS`](crate::limits::LABEL_SETS)) and the overflow thus bound an aggregator to 13.5 MiB, 4 MiB or 30.5 MiB.

mod aggregator;
mod exemplar;
mod exponential;
mod gaps;
mod generated;
mod histogram;
mod json;
mod labels;
mod measure;
mod names;
mod observations;
mod options;
mod quantity;
mod text;
mod view;

pub use aggregator::Aggregator;
pub use exemplar::Exemplar;
pub use exponential::Exponential;
pub use measure::{Base, Measure};
pub use names::{Metric, MetricKind, MetricNames};
pub use observations::{Observation, Observations};
pub use options::{Buckets, Exemplars, Labels, Options};
pub use quantity::Quantity;
pub use text::Exposition;
pub use view::{Bucket, Family, HistogramPoint, Point, Series, Temporality, View, Window};

#[cfg(test)]
mod tests;
