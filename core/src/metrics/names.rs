//! What the tables of `profiles.toml` say of metrics.

use alloc::format;

use super::{generated::TABLES, labels::LabelRow, measure::Measure, quantity::Quantity};
use crate::{
    error::{Error, ErrorKind},
    names::Profile,
};

/// The metrics of one profile: their names, units, bounds and labels.
#[derive(Debug)]
pub struct MetricNames {
    pub(super) profile: &'static str,
    pub(super) overflow: &'static str,
    pub(super) labels: &'static [LabelRow],
    pub(super) metrics: &'static [Metric],
}

impl MetricNames {
    /// Finds the metrics of a profile by its name, such as `otel-1.41` or `qwen-code`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownProfile`] when no profile has the name, or when the profile is one of attributes only.
    pub fn by_profile(name: &str) -> Result<&'static Self, Error> {
        TABLES.iter().find(|table| table.profile == name).ok_or_else(|| {
            let of_attributes = Profile::by_name(name).is_ok();
            let detail = if of_attributes { format!("{name} names no metrics") } else { name.into() };
            Error::new(ErrorKind::UnknownProfile, detail)
        })
    }

    /// The metrics of every profile that has some, the default profile first.
    pub fn all() -> &'static [Self] {
        TABLES
    }

    /// The name of the profile.
    pub fn profile(&self) -> &'static str {
        self.profile
    }

    /// The label, `true` there, of the series that stands for all label sets past the cap.
    pub fn overflow_label(&self) -> &'static str {
        self.overflow
    }

    /// The metrics in the order in which they are written.
    pub fn metrics(&self) -> &'static [Metric] {
        self.metrics
    }
}

/// One metric: its name, unit and description, and what is observed.
#[derive(Debug)]
pub struct Metric {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) unit: &'static str,
    pub(super) scale: u64,
    pub(super) measure: Measure,
    pub(super) kind: MetricKind,
    pub(super) bounds: &'static [u64],
    pub(super) detail: Option<&'static str>,
    pub(super) details: &'static [(&'static str, &'static str)],
    pub(super) constants: &'static [(&'static str, &'static str)],
}

impl Metric {
    /// The name, such as `gen_ai.client.operation.duration`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What is measured, in a sentence for people.
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// The unit, in the notation of UCUM that OpenTelemetry uses: `s`, `ms`, `{token}`.
    pub fn unit(&self) -> &'static str {
        self.unit
    }

    /// What is observed of each call.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// What becomes of the observations.
    pub fn kind(&self) -> MetricKind {
        self.kind
    }

    /// The upper bounds of the explicit buckets but the last one, rising; none for a counter.
    pub fn bounds(&self) -> impl ExactSizeIterator<Item = Quantity> + use<> {
        let scale = self.scale;
        self.bounds.iter().map(move |bound| Quantity::new((*bound).into(), scale))
    }

    /// Whether all values are whole numbers: of tokens, calls and other things that are counted.
    pub fn is_integer(&self) -> bool {
        self.scale == 1
    }

    pub(super) const fn base_bounds(&self) -> &'static [u64] {
        self.bounds
    }

    /// How many base units of the measure make one unit of the metric.
    pub(super) const fn scale(&self) -> u64 {
        self.scale
    }

    /// How many series one label set has.
    pub(super) fn slots(&self) -> usize {
        self.details.len().max(1)
    }

    /// Which of them a detail of the measure belongs to; `None` for details that the metric leaves out.
    pub(super) fn slot_of(&self, detail: &str) -> Option<usize> {
        if self.details.is_empty() { Some(0) } else { self.details.iter().position(|(known, _)| *known == detail) }
    }

    /// The labels of a slot beside those of its label set.
    pub(super) fn labels_of_slot<'a>(&self, slot: usize) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let detail = self.detail.zip(self.details.get(slot)).map(|(name, (_, word))| (name, *word));
        detail.into_iter().chain(self.constants.iter().copied())
    }
}

/// What becomes of the observations of a metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MetricKind {
    /// They are added up: a monotonic sum.
    Counter,
    /// They are counted by size.
    Histogram,
}
