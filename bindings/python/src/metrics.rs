//! Records as metrics, for a scraper.

use std::sync::Mutex;

use llmspan_core::metrics::{Aggregator, Buckets, Exemplars, Exposition, Labels, MetricNames, Options, Window};
use pyo3::prelude::*;

use crate::{error::raise, record::Record, recorder::lock};

/// Counts records, and writes what it has counted for Prometheus and others that scrape.
#[pyclass(frozen, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct Metrics {
    aggregator: Mutex<Aggregator>,
}

#[pymethods]
impl Metrics {
    #[new]
    #[pyo3(signature = (profile="otel-1.41", *, label_sets=None, exponential=false, exemplars=true, response_model=false))]
    fn new(
        py: Python<'_>,
        profile: &str,
        label_sets: Option<usize>,
        exponential: bool,
        exemplars: bool,
        response_model: bool,
    ) -> PyResult<Self> {
        let names = MetricNames::by_profile(profile).map_err(|error| raise(py, error))?;
        let mut options = Options::default()
            .with_buckets(if exponential { Buckets::ExplicitAndExponential } else { Buckets::Explicit })
            .with_exemplars(if exemplars { Exemplars::Latest } else { Exemplars::Off })
            .with_labels(if response_model { Labels::WithResponseModel } else { Labels::Default });
        if let Some(cap) = label_sets {
            options = options.with_label_sets(cap);
        }
        Ok(Self { aggregator: Mutex::new(Aggregator::new(names, options)) })
    }

    /// Counts a record.
    fn observe(&self, record: &Record) {
        lock(&self.aggregator).observe(&record.inner);
    }

    /// Adds what others have counted under the same names and options.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        let other = lock(&other.aggregator).snapshot();
        lock(&self.aggregator).merge(&other).map_err(|error| raise(py, error))
    }

    /// The answer to a scrape: its content type and its text, as the `Accept` header of the request asks for.
    #[pyo3(signature = (accept=None))]
    fn scrape(&self, accept: Option<&str>) -> (&'static str, String) {
        let is_open = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
        let format = if is_open { Exposition::open_metrics() } else { Exposition::prometheus() };
        // A copy, so that no call waits for the text.
        let counted = lock(&self.aggregator).snapshot();
        (format.content_type(), format.render(&counted.view(Window::default())))
    }

    /// How many label sets have series of their own.
    #[getter]
    fn label_sets(&self) -> usize {
        lock(&self.aggregator).label_sets()
    }

    /// Whether calls were counted in the overflow series.
    #[getter]
    fn has_overflow(&self) -> bool {
        lock(&self.aggregator).has_overflow()
    }
}
