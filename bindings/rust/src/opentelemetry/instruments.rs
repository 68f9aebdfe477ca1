//! Records as measurements of a meter.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};
use std::sync::Arc;

use llmspan_core::{
    metrics::{Labels, Metric, MetricKind, MetricNames, Observation, Observations, Options, Quantity},
    record::Record,
};
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram, Meter, MeterProvider},
};

use super::scope;
use crate::sinks::Sink;

/// Records the metrics of every finished call with a meter, once.
///
/// The metrics are those of a [`MetricNames`]: the names, labels, units and values that [`Metrics`](crate::Metrics) gives to
/// scrapers, with the bucket bounds as advice to the SDK. Readers, temporality, views and the cap of label
/// sets (2,000 for each instrument by default) are the SDK's. Clones share the instruments.
///
/// A histogram of the gaps between chunks takes one measurement for each gap, at most 1,024 for each call so that the end of
/// a call takes no longer the longer its stream was. The API takes values only, and of gaps a record has percentiles: their
/// number and buckets are right, their sum is too large by up to the distance between percentiles. The sum in `Metrics` is
/// exact.
#[derive(Clone)]
pub struct Instruments {
    shared: Arc<Shared>,
    options: Options,
}

/// What became of the records that an [`Instruments`] took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct InstrumentsStats {
    /// Records that were measured.
    pub records: u64,
    /// Gaps between chunks that were left out, past 1,024 of a call.
    pub left_out: u64,
}

impl Instruments {
    /// Makes the instruments of a meter.
    pub fn new(meter: &Meter, names: &'static MetricNames) -> Self {
        let instruments = names.metrics().iter().map(|metric| Instrument::new(meter, metric)).collect();
        let shared = Shared { names, instruments, records: AtomicU64::new(0), left_out: AtomicU64::new(0) };
        Self { shared: Arc::new(shared), options: Options::default() }
    }

    /// Makes the instruments of the global provider. Set that one first: what comes later is not seen.
    pub fn global(names: &'static MetricNames) -> Self {
        Self::new(&global::meter_with_scope(scope()), names)
    }

    /// Makes the instruments of a provider.
    pub fn of_provider(provider: &impl MeterProvider, names: &'static MetricNames) -> Self {
        Self::new(&provider.meter_with_scope(scope()), names)
    }

    /// Sets which labels tell series apart. Default: [`Labels::Default`].
    pub fn with_labels(mut self, labels: Labels) -> Self {
        self.options = self.options.with_labels(labels);
        self
    }

    /// What became of the records so far.
    pub fn stats(&self) -> InstrumentsStats {
        InstrumentsStats {
            records: self.shared.records.load(Ordering::Relaxed),
            left_out: self.shared.left_out.load(Ordering::Relaxed),
        }
    }
}

impl Sink for Instruments {
    fn record(&self, record: &Record) {
        let Shared { names, instruments, records, left_out } = &*self.shared;
        records.fetch_add(1, Ordering::Relaxed);
        let observations = Observations::new(record, names, &self.options);
        let mut labels: Vec<_> =
            observations.labels().map(|(name, value)| KeyValue::new(name, value.to_owned())).collect();
        let of_call = labels.len();
        observations.for_each(|observation| {
            labels.truncate(of_call);
            labels.extend(observation.labels().map(|(name, word)| KeyValue::new(name, word)));
            if let Some(instrument) = instruments.get(observation.place()) {
                let times = observations.times_within(&observation, GAPS);
                instrument.record(&observation, times, &labels);
                left_out.fetch_add(observation.times().saturating_sub(times), Ordering::Relaxed);
            }
        });
    }
}

impl fmt::Debug for Instruments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instruments")
            .field("profile", &self.shared.names.profile())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

struct Shared {
    names: &'static MetricNames,
    /// In the order of the metrics.
    instruments: Vec<Instrument>,
    records: AtomicU64,
    left_out: AtomicU64,
}

/// Measurements of the gaps of one call. One costs about 100 ns with the SDK, all of them 0.1 ms.
const GAPS: u64 = 1024;

enum Instrument {
    Counts(Counter<u64>),
    Amounts(Counter<f64>),
    CountHistogram(Histogram<u64>),
    AmountHistogram(Histogram<f64>),
}

impl Instrument {
    fn new(meter: &Meter, metric: &'static Metric) -> Self {
        let (name, description, unit) = (metric.name(), metric.description(), metric.unit());
        let bounds = || metric.bounds().map(Quantity::as_f64).collect();
        match (metric.kind(), metric.is_integer()) {
            (MetricKind::Counter, true) => {
                Self::Counts(meter.u64_counter(name).with_description(description).with_unit(unit).build())
            }
            (MetricKind::Counter, false) => {
                Self::Amounts(meter.f64_counter(name).with_description(description).with_unit(unit).build())
            }
            (_, true) => {
                let builder = meter.u64_histogram(name).with_description(description).with_unit(unit);
                Self::CountHistogram(builder.with_boundaries(bounds()).build())
            }
            (_, false) => {
                let builder = meter.f64_histogram(name).with_description(description).with_unit(unit);
                Self::AmountHistogram(builder.with_boundaries(bounds()).build())
            }
        }
    }

    fn record(&self, observation: &Observation, times: u64, labels: &[KeyValue]) {
        let value = observation.value();
        for _ in 0..times {
            match self {
                Self::Counts(counter) => counter.add(whole(value), labels),
                Self::Amounts(counter) => counter.add(value.as_f64(), labels),
                Self::CountHistogram(histogram) => histogram.record(whole(value), labels),
                Self::AmountHistogram(histogram) => histogram.record(value.as_f64(), labels),
            }
        }
    }
}

/// Counts above `i64::MAX`, which OTLP cannot carry, are measured as `i64::MAX`.
fn whole(value: Quantity) -> u64 {
    value.as_count().and_then(|count| u64::try_from(count).ok()).unwrap_or(i64::MAX.unsigned_abs())
}
