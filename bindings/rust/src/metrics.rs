//! Records as metrics, for a scraper.

use std::sync::{Arc, Mutex};

use llmspan_core::{
    metrics::{Aggregator, Exposition, MetricNames, Options, Window},
    record::Record,
};

use crate::{recorder::lock, sinks::Sink};

/// Counts records, and writes what it has counted for Prometheus and others that scrape.
///
/// Clones share the counts. Every record counts once; label sets past the cap of the [`Options`] count in one overflow series,
/// so that its memory is bounded.
///
/// # Examples
/// ```
/// use llmspan::{CallStart, Metrics, Recorder, core::metrics::MetricNames};
///
/// let metrics = Metrics::new(MetricNames::by_profile("otel-1.41")?);
/// let recorder = Recorder::new(metrics.clone());
/// recorder.call(CallStart::new("chat").with_model("gpt-4.1-mini")).end();
///
/// // In the handler of `GET /metrics`, with the `Accept` header of the request:
/// let scrape = metrics.scrape(Some("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"));
/// assert!(scrape.content_type.starts_with("application/openmetrics-text"));
/// assert!(scrape.text.contains("llmspan_calls_total"));
/// # Ok::<(), llmspan::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Metrics {
    aggregator: Arc<Mutex<Aggregator>>,
}

/// The answer to a scrape.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scrape {
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The body.
    pub text: String,
}

impl Metrics {
    /// Counts under the names of a profile.
    pub fn new(names: &'static MetricNames) -> Self {
        Self::with_options(names, Options::default())
    }

    /// Counts under the names of a profile, with options for labels, buckets and caps.
    pub fn with_options(names: &'static MetricNames, options: Options) -> Self {
        Self { aggregator: Arc::new(Mutex::new(Aggregator::new(names, options))) }
    }

    /// Writes all series: as OpenMetrics, with exemplars, where the scraper accepts that, else as Prometheus text.
    pub fn scrape(&self, accept: Option<&str>) -> Scrape {
        let is_open = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
        let format = if is_open { Exposition::open_metrics() } else { Exposition::prometheus() };
        // A copy, so that no call waits for the text.
        let counted = self.snapshot();
        Scrape { content_type: format.content_type(), text: format.render(&counted.view(Window::default())) }
    }

    /// A copy of what is counted so far; counting goes on.
    ///
    /// Its view is what [`metrics_to_protobuf`](crate::core::otlp::metrics_to_protobuf) writes for an OpenTelemetry collector.
    ///
    /// # Examples
    /// ```
    /// use llmspan::core::metrics::{MetricNames, Window};
    /// use llmspan::core::otlp::{Resource, metrics_to_protobuf};
    /// use llmspan::core::time::UnixNanos;
    /// use llmspan::{CallStart, Metrics, Recorder};
    ///
    /// let metrics = Metrics::new(MetricNames::by_profile("otel-1.41")?);
    /// // The wall clock when counting began, and when it is read.
    /// let (started, read) = (UnixNanos::from_nanos(1_763_713_200_000_000_000), UnixNanos::from_nanos(1_763_713_260_000_000_000));
    /// Recorder::new(metrics.clone()).call(CallStart::new("chat")).end();
    ///
    /// let mut body = Vec::new();
    /// let counted = metrics.snapshot();
    /// metrics_to_protobuf(&counted.view(Window::cumulative(started, read)), &Resource::of_service("assistant"), &mut body);
    /// assert!(!body.is_empty(), "to be sent to /v1/metrics as application/x-protobuf");
    /// # Ok::<(), llmspan::Error>(())
    /// ```
    pub fn snapshot(&self) -> Aggregator {
        lock(&self.aggregator).snapshot()
    }

    /// Takes what was counted since the last time; counting goes on from zero. Not beside scrapes, which are cumulative.
    pub fn take(&self) -> Aggregator {
        lock(&self.aggregator).take()
    }
}

impl Sink for Metrics {
    fn record(&self, record: &Record) {
        lock(&self.aggregator).observe(record);
    }
}
