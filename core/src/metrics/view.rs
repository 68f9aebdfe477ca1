//! Reading what an aggregator has counted.

use core::iter;

use super::{
    aggregator::{Aggregator, Slot},
    exemplar::Exemplar,
    exponential::Exponential,
    histogram::Histogram,
    labels::LabelSet,
    names::{Metric, MetricNames},
    quantity::Quantity,
};
use crate::time::UnixNanos;

/// The stretch of time that series cover, as the caller says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Window {
    /// When counting began; absent when the caller does not know.
    pub start: Option<UnixNanos>,
    /// When the series were read; absent when the caller does not know.
    pub end: Option<UnixNanos>,
    /// What the start means.
    pub temporality: Temporality,
}

impl Window {
    /// Everything since counting began.
    pub fn cumulative(start: UnixNanos, end: UnixNanos) -> Self {
        Self { start: Some(start), end: Some(end), temporality: Temporality::Cumulative }
    }

    /// What came since the last export, of an aggregator that was [taken](Aggregator::take).
    pub fn delta(start: UnixNanos, end: UnixNanos) -> Self {
        Self { start: Some(start), end: Some(end), temporality: Temporality::Delta }
    }
}

/// What a series adds up.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Temporality {
    /// Everything since a fixed start.
    #[default]
    Cumulative,
    /// What came since the last export.
    Delta,
}

/// The series of an aggregator at one moment.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    aggregator: &'a Aggregator,
    window: Window,
}

impl<'a> View<'a> {
    pub(super) fn new(aggregator: &'a Aggregator, window: Window) -> Self {
        Self { aggregator, window }
    }

    /// The names that the series have.
    pub fn names(&self) -> &'static MetricNames {
        self.aggregator.names()
    }

    /// The stretch of time that the series cover.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The metrics that have series, in the order of the profile.
    pub fn families(&self) -> impl Iterator<Item = Family<'a>> + use<'a> {
        let (aggregator, window) = (self.aggregator, self.window);
        let mut first: usize = 0;
        let families = aggregator.names().metrics.iter().map(move |metric| {
            let family = Family { aggregator, window, metric, first };
            first = first.saturating_add(metric.slots());
            family
        });
        families.filter(|family| family.series().next().is_some())
    }

    /// All series, metric by metric.
    pub fn series(&self) -> impl Iterator<Item = Series<'a>> + use<'a> {
        self.families().flat_map(|family| family.series())
    }
}

/// One metric and its series.
#[derive(Clone, Copy, Debug)]
pub struct Family<'a> {
    aggregator: &'a Aggregator,
    window: Window,
    metric: &'static Metric,
    first: usize,
}

impl<'a> Family<'a> {
    /// Name, unit and description.
    pub fn metric(&self) -> &'static Metric {
        self.metric
    }

    /// The series in the order of their labels, the overflow series last. Series without a value are left out.
    pub fn series(&self) -> impl Iterator<Item = Series<'a>> + use<'a> {
        let Self { aggregator, window, metric, first } = *self;
        aggregator.slots().flat_map(move |(labels, slots)| {
            (0..metric.slots()).filter_map(move |slot| {
                let point = match slots.get(first.saturating_add(slot))? {
                    Slot::Empty => return None,
                    Slot::Histogram(histogram) => Point::Histogram(HistogramPoint { histogram, metric }),
                    Slot::Sum(sum) => Point::Sum(Quantity::new(*sum, metric.scale())),
                };
                Some(Series { aggregator, window, metric, labels, slot, point })
            })
        })
    }
}

/// One series: a metric with labels, and its value.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    aggregator: &'a Aggregator,
    window: Window,
    metric: &'static Metric,
    labels: Option<&'a LabelSet>,
    slot: usize,
    point: Point<'a>,
}

impl<'a> Series<'a> {
    /// Name, unit and description.
    pub fn metric(&self) -> &'static Metric {
        self.metric
    }

    /// The stretch of time that the series covers.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Names and values of the labels, in the order of the profile; a value that is unknown has no label.
    ///
    /// The overflow series has the profile's overflow label, `true`, in place of those of calls.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let names = self.aggregator.names();
        let of_calls = self.labels.into_iter().flat_map(move |set| {
            names.labels.iter().zip(set.values()).filter_map(|(row, value)| Some((row.name, value?)))
        });
        let overflow = self.is_overflow().then_some((names.overflow, "true"));
        of_calls.chain(overflow).chain(self.metric.labels_of_slot(self.slot))
    }

    /// Whether this is the series of all label sets past the cap. Its overflow label is a boolean in OpenTelemetry.
    pub fn is_overflow(&self) -> bool {
        self.labels.is_none()
    }

    /// The value.
    pub fn point(&self) -> Point<'a> {
        self.point
    }
}

/// The value of a series.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Point<'a> {
    /// Of a histogram.
    Histogram(HistogramPoint<'a>),
    /// Of a counter: a monotonic sum.
    Sum(Quantity),
}

/// The value of a histogram series. It has at least one observation.
#[derive(Clone, Copy, Debug)]
pub struct HistogramPoint<'a> {
    histogram: &'a Histogram,
    metric: &'static Metric,
}

impl<'a> HistogramPoint<'a> {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.histogram.count
    }

    /// The sum of all values, exactly.
    pub fn sum(&self) -> Quantity {
        Quantity::new(self.histogram.sum, self.metric.scale())
    }

    /// The smallest value.
    pub fn min(&self) -> Quantity {
        Quantity::new(self.histogram.min.into(), self.metric.scale())
    }

    /// The largest value.
    pub fn max(&self) -> Quantity {
        Quantity::new(self.histogram.max.into(), self.metric.scale())
    }

    /// The counts of the explicit buckets: one more than the metric has [bounds](Metric::bounds). Bucket `i` holds values
    /// above bound `i - 1` and up to bound `i`, inclusive.
    pub fn counts(&self) -> &'a [u64] {
        &self.histogram.counts
    }

    /// Each explicit bucket with its upper bound (none for the last), its count and its exemplar.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + use<'a> {
        let bounds = self.metric.bounds().map(Some).chain(iter::once(None));
        let exemplars = self.histogram.exemplars.iter().copied().chain(iter::repeat(None));
        let scale = self.metric.scale();
        bounds.zip(&self.histogram.counts).zip(exemplars).map(move |((upper_bound, count), exemplar)| Bucket {
            upper_bound,
            count: *count,
            exemplar: exemplar.map(|exemplar| (exemplar, Quantity::new(exemplar.base_value().into(), scale))),
        })
    }

    /// The exemplars with their values, at most one for each explicit bucket, in the order of the buckets.
    pub fn exemplars(&self) -> impl Iterator<Item = (Exemplar, Quantity)> + use<'a> {
        self.buckets().filter_map(|bucket| bucket.exemplar)
    }

    /// The same values in exponential buckets; absent unless the options ask for them.
    pub fn exponential(&self) -> Option<&'a Exponential> {
        self.histogram.exponential.as_ref()
    }
}

/// An explicit bucket of a histogram.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bucket {
    /// The largest value that belongs to the bucket; absent for the last one.
    pub upper_bound: Option<Quantity>,
    /// How many values it holds, those of lower buckets excluded.
    pub count: u64,
    /// One of its calls, with the value observed of it.
    pub exemplar: Option<(Exemplar, Quantity)>,
}
