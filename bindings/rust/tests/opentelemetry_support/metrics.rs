//! What the instruments of a test have measured.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::collections::BTreeMap;

use llmspan::opentelemetry::{Instruments, MetricNames};
use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData, ResourceMetrics},
};

pub(crate) struct Meters {
    pub(crate) provider: SdkMeterProvider,
    pub(crate) sink: Instruments,
    exporter: InMemoryMetricExporter,
}

pub(crate) fn meters(names: &'static MetricNames) -> Meters {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let sink = Instruments::of_provider(&provider, names);
    Meters { provider, sink, exporter }
}

/// Name of the metric and its labels, sorted.
pub(crate) type SeriesKey = (String, Vec<(String, String)>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) unit: String,
    pub(crate) description: String,
    pub(crate) sum: f64,
    /// Absent for a counter.
    pub(crate) buckets: Option<Buckets>,
    /// Whether the values are integers.
    pub(crate) is_integer: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Buckets {
    pub(crate) count: u64,
    pub(crate) bounds: Vec<f64>,
    pub(crate) counts: Vec<u64>,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Meters {
    /// All series, as exported now.
    pub(crate) fn series(&self) -> BTreeMap<SeriesKey, Series> {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let exported = self.exporter.get_finished_metrics().unwrap();
        let mut series = BTreeMap::new();
        for scope in exported.iter().flat_map(ResourceMetrics::scope_metrics) {
            assert_eq!(scope.scope().name(), "llmspan");
            for metric in scope.metrics() {
                for (labels, sum, buckets) in points(metric.data()) {
                    let (unit, description) = (metric.unit().into(), metric.description().into());
                    let is_integer = matches!(metric.data(), AggregatedMetrics::U64(_));
                    let new = Series { unit, description, sum, buckets, is_integer };
                    let known = series.insert((metric.name().to_string(), labels), new);
                    assert_eq!(known, None, "a series is there once");
                }
            }
        }
        series
    }

    /// The one series with that name among whose labels are these; panics unless there is exactly one.
    pub(crate) fn only(&self, name: &str, with: &[(&str, &str)]) -> Series {
        let has = |labels: &[(String, String)], (key, value): &(&str, &str)| {
            labels.iter().any(|(known, word)| known == key && word == value)
        };
        let series = self.series();
        let found: Vec<_> = series
            .iter()
            .filter(|((known, labels), _)| known == name && with.iter().all(|label| has(labels, label)))
            .collect();
        let [(_, series)] = found[..] else { panic!("{} series of {name} {with:?}", found.len()) };
        series.clone()
    }
}

type Point = (Vec<(String, String)>, f64, Option<Buckets>);

fn points(data: &AggregatedMetrics) -> Vec<Point> {
    match data {
        AggregatedMetrics::F64(data) => points_of(data, |value| value),
        AggregatedMetrics::U64(data) => points_of(data, float),
        AggregatedMetrics::I64(_) => panic!("no instrument is of this type"),
    }
}

fn points_of<T: Copy>(data: &MetricData<T>, float: impl Fn(T) -> f64) -> Vec<Point> {
    match data {
        MetricData::Sum(sum) => {
            assert!(sum.is_monotonic());
            let points = sum.data_points();
            points.map(|point| (labels(point.attributes()), float(point.value()), None)).collect()
        }
        MetricData::Histogram(histogram) => {
            let points = histogram.data_points().map(|point| {
                let (min, max) = (float(point.min().unwrap()), float(point.max().unwrap()));
                let (bounds, counts) = (point.bounds().collect(), point.bucket_counts().collect());
                let buckets = Buckets { count: point.count(), bounds, counts, min, max };
                (labels(point.attributes()), float(point.sum()), Some(buckets))
            });
            points.collect()
        }
        _ => panic!("no instrument is of this kind"),
    }
}

fn labels<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Vec<(String, String)> {
    let mut labels: Vec<_> =
        attributes.map(|label| (label.key.to_string(), label.value.as_str().into_owned())).collect();
    labels.sort();
    labels
}

#[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
fn float(value: u64) -> f64 {
    value as f64
}
