//! From records to series.

use alloc::{boxed::Box, vec::Vec};

use super::{
    exemplar::Exemplar,
    histogram::Histogram,
    labels::LabelSet,
    measure::Sample,
    names::{Metric, MetricKind, MetricNames},
    observations::Observations,
    options::Options,
    view::{View, Window},
};
use crate::{
    error::{Error, ErrorKind},
    record::Record,
};

/// Folds finalized records into counters and histograms.
///
/// Every record counts once, whatever its outcome. Aggregators with the same names and options merge into what one of them
/// would have got from all records, in any order and grouping, as long as no cap of label sets is reached: past it, see
/// [`Aggregator::merge`].
#[derive(Clone, Debug)]
pub struct Aggregator {
    names: &'static MetricNames,
    options: Options,
    /// Sorted by labels.
    sets: Vec<(LabelSet, Slots)>,
    overflow: Option<Slots>,
}

impl Aggregator {
    /// Makes an empty aggregator that writes the given names.
    pub fn new(names: &'static MetricNames, options: Options) -> Self {
        Self { names, options, sets: Vec::new(), overflow: None }
    }

    /// Counts a call. Nothing is allocated for labels that are known, once each of their histograms has had a value.
    ///
    /// When as many label sets as [`Options`] allow are known, a call with other labels counts in the overflow series.
    pub fn observe(&mut self, record: &Record) {
        let observations = Observations::new(record, self.names, &self.options);
        let values = observations.label_values();
        let slots = match self.sets.binary_search_by(|(set, _)| values.compare(set)) {
            Ok(at) => self.sets.get_mut(at).map(|(_, slots)| slots),
            Err(at) if self.sets.len() < self.options.label_sets() => {
                self.sets.insert(at, (values.to_set(), Slots::new(self.names)));
                self.sets.get_mut(at).map(|(_, slots)| slots)
            }
            Err(_) => Some(self.overflow.get_or_insert_with(|| Slots::new(self.names))),
        };
        if let Some(slots) = slots {
            slots.observe(&self.options, &observations);
        }
    }

    /// Adds what another aggregator has counted.
    ///
    /// When both together have more label sets than the cap, those first in the order of their values keep their series, and
    /// the others count in the overflow series, also ones that had a series in either aggregator. So nothing is lost, and the
    /// result does not depend on the order of merging. Past the cap a counter may thus move into the overflow series: keep the
    /// cap above what workers can have together, or merge their aggregators anew for each export.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`] when the names or the options differ; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if self.names.profile != other.names.profile || self.options != other.options {
            return Err(Error::new(ErrorKind::InvalidConfig, "aggregators of different names or options"));
        }
        for (set, slots) in &other.sets {
            match self.sets.binary_search_by(|(known, _)| known.cmp(set)) {
                Ok(at) => {
                    if let Some((_, known)) = self.sets.get_mut(at) {
                        known.merge(slots);
                    }
                }
                Err(at) if at < self.options.label_sets() => {
                    self.sets.insert(at, (set.clone(), slots.clone()));
                    while self.sets.len() > self.options.label_sets() {
                        if let Some((_, slots)) = self.sets.pop() {
                            self.overflow(&slots);
                        }
                    }
                }
                Err(_) => self.overflow(slots),
            }
        }
        if let Some(slots) = &other.overflow {
            self.overflow(slots);
        }
        Ok(())
    }

    /// Takes what was counted since the last time, for delta temporality; the aggregator goes on empty.
    pub fn take(&mut self) -> Self {
        core::mem::replace(self, Self::new(self.names, self.options))
    }

    /// A copy of what is counted so far, for cumulative temporality; the aggregator goes on.
    pub fn snapshot(&self) -> Self {
        self.clone()
    }

    /// Reads the series, for the stretch of time that the caller says they cover.
    pub fn view(&self, window: Window) -> View<'_> {
        View::new(self, window)
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.overflow.is_none()
    }

    /// How many label sets have series of their own.
    pub fn label_sets(&self) -> usize {
        self.sets.len()
    }

    /// Whether calls were counted in the overflow series.
    pub fn has_overflow(&self) -> bool {
        self.overflow.is_some()
    }

    /// The names that it writes.
    pub fn names(&self) -> &'static MetricNames {
        self.names
    }

    /// The slots by label set, the overflow last, without labels.
    pub(super) fn slots(&self) -> impl Iterator<Item = (Option<&LabelSet>, &Slots)> {
        let sets = self.sets.iter().map(|(set, slots)| (Some(set), slots));
        sets.chain(self.overflow.iter().map(|slots| (None, slots)))
    }

    fn overflow(&mut self, slots: &Slots) {
        self.overflow.get_or_insert_with(|| Slots::new(self.names)).merge(slots);
    }
}

/// The series of one label set: for each metric as many as it has slots.
#[derive(Clone, Debug)]
pub(super) struct Slots(Box<[Slot]>);

/// One series.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// Nothing was observed.
    Empty,
    Histogram(Box<Histogram>),
    Sum(u128),
}

impl Slots {
    fn new(names: &MetricNames) -> Self {
        let slots = names.metrics.iter().map(Metric::slots).sum();
        Self(core::iter::repeat_n(Slot::Empty, slots).collect())
    }

    pub(super) fn get(&self, at: usize) -> Option<&Slot> {
        self.0.get(at)
    }

    fn observe(&mut self, options: &Options, observations: &Observations<'_>) {
        let exemplar = Exemplar::of(observations.record()).filter(|_| options.keeps_exemplars());
        observations.for_each(|observation| {
            if let Some(slot) = self.0.get_mut(observation.series()) {
                slot.observe(observation.metric(), options, observation.sample(), exemplar);
            }
        });
    }

    fn merge(&mut self, other: &Self) {
        for (slot, other) in self.0.iter_mut().zip(&other.0) {
            slot.merge(other);
        }
    }
}

impl Slot {
    fn observe(&mut self, metric: &Metric, options: &Options, sample: Sample, exemplar: Option<Exemplar>) {
        if matches!(self, Self::Empty) {
            *self = match metric.kind {
                MetricKind::Counter => Self::Sum(0),
                MetricKind::Histogram => Self::Histogram(Box::new(Histogram::new(metric, options))),
            };
        }
        match self {
            Self::Empty => {}
            Self::Histogram(histogram) => histogram.record(metric, sample, exemplar),
            Self::Sum(sum) => *sum = sum.saturating_add(sample.sum),
        }
    }

    fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Histogram(ours), Self::Histogram(theirs)) => ours.merge(theirs),
            (Self::Sum(ours), Self::Sum(theirs)) => *ours = ours.saturating_add(*theirs),
            (Self::Empty, theirs) => *self = theirs.clone(),
            // Slots of one metric are of one kind.
            _ => {}
        }
    }
}
