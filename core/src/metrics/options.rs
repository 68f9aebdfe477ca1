//! What an aggregator keeps.

use crate::limits::LABEL_SETS;

/// What an [`Aggregator`](super::Aggregator) keeps. The default: 512 label sets, explicit buckets, exemplars, no response
/// model among the labels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    label_sets: usize,
    buckets: Buckets,
    exemplars: Exemplars,
    labels: Labels,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            label_sets: LABEL_SETS,
            buckets: Buckets::Explicit,
            exemplars: Exemplars::Latest,
            labels: Labels::Default,
        }
    }
}

impl Options {
    /// Sets how many label sets have series of their own; with 0 every call is counted in the overflow series.
    pub fn with_label_sets(mut self, cap: usize) -> Self {
        self.label_sets = cap;
        self
    }

    /// Sets which histograms are kept.
    pub fn with_buckets(mut self, buckets: Buckets) -> Self {
        self.buckets = buckets;
        self
    }

    /// Sets whether exemplars are kept.
    pub fn with_exemplars(mut self, exemplars: Exemplars) -> Self {
        self.exemplars = exemplars;
        self
    }

    /// Sets which labels tell series apart.
    pub fn with_labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    pub(super) const fn label_sets(&self) -> usize {
        self.label_sets
    }

    pub(super) fn keeps_exponential(&self) -> bool {
        self.buckets == Buckets::ExplicitAndExponential
    }

    pub(super) fn keeps_exemplars(&self) -> bool {
        self.exemplars == Exemplars::Latest
    }

    pub(super) fn keeps_response_model(&self) -> bool {
        self.labels == Labels::WithResponseModel
    }
}

/// Which histograms an aggregator keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Buckets {
    /// Those with the bounds of the metric.
    Explicit,
    /// Those, and beside each an exponential one of the same values.
    ExplicitAndExponential,
}

/// Whether buckets remember a call each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Exemplars {
    /// The call that ended last, of those with a trace id and a span id.
    Latest,
    /// None.
    Off,
}

/// Which labels tell series apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Labels {
    /// Those of the profile without the response model.
    Default,
    /// The model that answered, too, where the profile has a name for it: more series for each model asked for.
    WithResponseModel,
}
