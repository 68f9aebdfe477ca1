//! What one record adds to the metrics of a profile.

use super::{
    labels::Values,
    measure::Sample,
    names::{Metric, MetricNames},
    options::Options,
    quantity::Quantity,
};
use crate::record::Record;

/// What a record adds to the metrics of a profile: the labels of its call, and a value for each metric that has one.
///
/// An [`Aggregator`](super::Aggregator) is made of this, and so is whatever hands the same numbers to the instruments of
/// another library. Only the cap of label sets is not in here.
///
/// # Examples
/// ```
/// use llmspan_core::metrics::{MetricNames, Observations, Options};
/// use llmspan_core::record::Record;
/// use llmspan_core::time::Nanos;
///
/// let mut record = Record::default();
/// record.duration_ns = Nanos::from_millis(2250);
///
/// let observations = Observations::new(&record, MetricNames::by_profile("otel-1.41")?, &Options::default());
/// let labels: Vec<_> = observations.labels().collect();
/// assert_eq!(labels, [("gen_ai.operation.name", "chat"), ("llmspan.outcome", "success")]);
///
/// let mut values = Vec::new();
/// observations.for_each(|observation| values.push((observation.metric().name(), observation.value().to_string())));
/// assert_eq!(values[0], ("gen_ai.client.operation.duration", "2.25".into()));
/// # Ok::<(), llmspan_core::error::Error>(())
/// ```
#[derive(Debug)]
pub struct Observations<'a> {
    record: &'a Record,
    names: &'static MetricNames,
    labels: Values<'a>,
}

impl<'a> Observations<'a> {
    /// Reads the labels of a record. Of the options only [`Options::with_labels`] matters.
    pub fn new(record: &'a Record, names: &'static MetricNames, options: &Options) -> Self {
        Self { record, names, labels: Values::of(record, names, options) }
    }

    /// Names and values of the labels that all observations have, in the order of the profile; a value that is unknown has
    /// no label.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.names.labels.iter().zip(self.labels.iter()).filter_map(|(row, value)| Some((row.name, value?)))
    }

    /// Gives every observation, in the order of the profile's metrics. A value that is absent gives none.
    pub fn for_each(&self, mut observe: impl FnMut(Observation)) {
        let mut first: usize = 0;
        for (place, metric) in self.names.metrics.iter().enumerate() {
            metric.measure.observe(self.record, &mut |sample| {
                if let Some(slot) = metric.slot_of(sample.detail) {
                    observe(Observation { metric, place, slot, series: first.saturating_add(slot), sample });
                }
            });
            first = first.saturating_add(metric.slots());
        }
    }

    /// How many of the equal values of an observation to hand on where a call may give no more than about `most` gaps between
    /// chunks: all, or a share so that the shape of the distribution stays, with at least one of each value.
    pub fn times_within(&self, observation: &Observation, most: u64) -> u64 {
        let times = observation.times();
        let gaps = self.record.inter_chunk.as_ref().map_or(0, |gaps| gaps.count);
        if times <= 1 || gaps <= most {
            return times;
        }
        let share = u128::from(times).saturating_mul(most.into()).checked_div(gaps.into());
        share.and_then(|share| u64::try_from(share).ok()).unwrap_or(most).max(1)
    }

    pub(super) fn record(&self) -> &'a Record {
        self.record
    }

    pub(super) fn label_values(&self) -> &Values<'a> {
        &self.labels
    }
}

/// Equal observations of one metric, nearly always one.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    metric: &'static Metric,
    place: usize,
    slot: usize,
    series: usize,
    sample: Sample,
}

impl Observation {
    /// Name, unit, kind and bounds.
    pub fn metric(&self) -> &'static Metric {
        self.metric
    }

    /// Place of the metric among [`MetricNames::metrics`], from 0.
    pub fn place(&self) -> usize {
        self.place
    }

    /// The labels that the observation has beside those of the call, such as the type of tokens.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        self.metric.labels_of_slot(self.slot)
    }

    /// The value, in the unit of the metric.
    pub fn value(&self) -> Quantity {
        Quantity::new(self.sample.value.into(), self.metric.scale())
    }

    /// How often the value was observed, at least once. It is more than once for the gaps between chunks alone: see
    /// [`Measure::ChunkGap`](super::Measure::ChunkGap).
    pub fn times(&self) -> u64 {
        self.sample.times
    }

    /// Place of the series among those of all metrics of a label set.
    pub(super) fn series(&self) -> usize {
        self.series
    }

    pub(super) fn sample(&self) -> Sample {
        self.sample
    }
}
