//! Records as metrics, for a scraper.

use std::sync::Mutex;

use llmspan_core::metrics::{
    Aggregator, Buckets, Exemplars, Exposition, Labels, Metric, MetricKind, MetricNames, Observation, Observations,
    Options, Quantity, Window,
};
use pyo3::{prelude::*, types::PyDict};

use crate::{error::raise, record::Record, recorder::lock, view};

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

    /// The series as dicts, metric by metric.
    fn series<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let counted = lock(&self.aggregator).snapshot();
        view::series(py, &counted.view(Window::default()))
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

/// Name, unit, description, kind, whether values are integers, and bounds of buckets.
type Instrument = (&'static str, &'static str, &'static str, &'static str, bool, Vec<f64>);

/// Place of the instrument, value, how often it was observed, and labels.
type Measurement<'py> = (usize, Bound<'py, PyAny>, u64, Bound<'py, PyDict>);

/// The metrics of a profile, for instruments of another library: name, unit, description, `counter` or `histogram`, whether
/// its values are integers, and the upper bounds of its buckets.
#[pyfunction]
pub(crate) fn instruments(py: Python<'_>, profile: &str) -> PyResult<Vec<Instrument>> {
    let names = MetricNames::by_profile(profile).map_err(|error| raise(py, error))?;
    let instrument = |metric: &'static Metric| {
        let kind = if metric.kind() == MetricKind::Counter { "counter" } else { "histogram" };
        let bounds = metric.bounds().map(Quantity::as_f64).collect();
        (metric.name(), metric.unit(), metric.description(), kind, metric.is_integer(), bounds)
    };
    Ok(names.metrics().iter().map(instrument).collect())
}

/// What a record adds to the metrics of a profile: the place of the metric among [`instruments`], the value, how often it was
/// observed, and its labels. Of gaps between chunks no more than about `gaps` are given.
#[pyfunction]
#[pyo3(signature = (record, profile="otel-1.41", *, response_model=false, gaps=1024))]
pub(crate) fn measurements<'py>(
    py: Python<'py>,
    record: &Record,
    profile: &str,
    response_model: bool,
    gaps: u64,
) -> PyResult<Vec<Measurement<'py>>> {
    let names = MetricNames::by_profile(profile).map_err(|error| raise(py, error))?;
    let labels = if response_model { Labels::WithResponseModel } else { Labels::Default };
    let observations = Observations::new(&record.inner, names, &Options::default().with_labels(labels));
    let shared = PyDict::new(py);
    for (name, value) in observations.labels() {
        shared.set_item(name, value)?;
    }
    let measurement = |observation: &Observation| {
        let mut labels = shared.clone();
        for (position, (name, value)) in observation.labels().enumerate() {
            if position == 0 {
                labels = shared.copy()?;
            }
            labels.set_item(name, value)?;
        }
        let value = match observation.value().as_count() {
            Some(count) => count.into_pyobject(py)?.into_any(),
            None => observation.value().as_f64().into_pyobject(py)?.into_any(),
        };
        Ok((observation.place(), value, observations.times_within(observation, gaps), labels))
    };
    let mut all = Vec::new();
    observations.for_each(|observation| all.push(measurement(&observation)));
    all.into_iter().collect()
}
