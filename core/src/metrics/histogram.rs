//! A histogram with explicit bounds, and on request an exponential one of the same values beside it.

use alloc::{boxed::Box, vec};

use super::{exemplar::Exemplar, exponential::Exponential, measure::Sample, names::Metric, options::Options};

/// Values of one series. Everything is an integer, so that merging is exact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Histogram {
    pub(super) count: u64,
    pub(super) sum: u128,
    pub(super) min: u64,
    pub(super) max: u64,
    /// One more than there are bounds.
    pub(super) counts: Box<[u64]>,
    /// One for each of `counts`, or none at all.
    pub(super) exemplars: Box<[Option<Exemplar>]>,
    pub(super) exponential: Option<Exponential>,
}

impl Histogram {
    pub(super) fn new(metric: &Metric, options: &Options) -> Self {
        let buckets = metric.base_bounds().len().saturating_add(1);
        Self {
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
            counts: vec![0; buckets].into(),
            exemplars: vec![None; if options.keeps_exemplars() { buckets } else { 0 }].into(),
            exponential: options.keeps_exponential().then(Exponential::new),
        }
    }

    pub(super) fn record(&mut self, metric: &Metric, sample: Sample, exemplar: Option<Exemplar>) {
        self.count = self.count.saturating_add(sample.times);
        self.sum = self.sum.saturating_add(sample.sum);
        self.min = self.min.min(sample.value);
        self.max = self.max.max(sample.value);
        // Bucket i holds (bound i-1, bound i]: upper bounds belong to their bucket.
        let bucket = metric.base_bounds().partition_point(|bound| *bound < sample.value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(sample.times);
        }
        if let (Some(exemplar), Some(kept)) = (exemplar.filter(|_| sample.occurred), self.exemplars.get_mut(bucket)) {
            *kept = (*kept).max(Some(exemplar.with_value(sample.value)));
        }
        if let Some(exponential) = &mut self.exponential {
            exponential.record(sample.value, metric.scale(), sample.times);
        }
    }

    /// Adds another histogram of the same metric and options.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        for (kept, other) in self.exemplars.iter_mut().zip(&other.exemplars) {
            *kept = (*kept).max(*other);
        }
        if let (Some(exponential), Some(other)) = (&mut self.exponential, &other.exponential) {
            exponential.merge(other);
        }
    }
}
