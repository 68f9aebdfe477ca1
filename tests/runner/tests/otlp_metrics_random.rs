//! Metrics of any calls in OTLP: both forms are the message that the generated types make of the same view.

mod common;
#[path = "common/protocol.rs"]
mod protocol;

use std::collections::BTreeSet;

use llmspan_core::{
    config::Config,
    engine::Tracker,
    event::TimedEvent,
    metrics::{
        Aggregator, Buckets, Exemplars, Family, HistogramPoint, Labels, MetricKind, MetricNames, Options, Point,
        Quantity, Series, Temporality, View, Window,
    },
    otlp::{Resource, metrics_to_json, metrics_to_protobuf},
    record::Record,
    time::{Nanos, UnixNanos},
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{
        Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Histogram, HistogramDataPoint, Metric,
        NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, exemplar,
        exponential_histogram_data_point::Buckets as ProtoBuckets, metric::Data, number_data_point,
    },
    resource::v1::Resource as ProtoResource,
};
use proptest::prelude::*;
use prost::Message as _;
use protocol::{assert_same_json, attribute, scope, text};

/// The request, by the types that are generated from the protocol.
fn request(view: &View<'_>) -> ExportMetricsServiceRequest {
    let metrics: Vec<Metric> = view.families().map(|family| metric(view.window(), &family)).collect();
    let mut request = ExportMetricsServiceRequest::default();
    if !metrics.is_empty() {
        request.resource_metrics.push(ResourceMetrics {
            resource: Some(ProtoResource {
                attributes: vec![text("service.name", "assistant")],
                ..ProtoResource::default()
            }),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope()), metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        });
    }
    request
}

fn metric(window: Window, family: &Family<'_>) -> Metric {
    let aggregation_temporality = match window.temporality {
        Temporality::Delta => 1,
        _ => 2,
    };
    let (mut sums, mut explicit, mut exponential) = (Vec::new(), Vec::new(), Vec::new());
    for series in family.series() {
        match series.point() {
            Point::Sum(sum) => sums.push(number_point(&series, sum)),
            Point::Histogram(point) if point.exponential().is_some() => {
                exponential.push(exponential_point(&series, &point));
            }
            Point::Histogram(point) => explicit.push(explicit_point(&series, &point)),
            _ => unreachable!("a new kind of point"),
        }
    }
    let data = match (family.metric().kind(), explicit.is_empty()) {
        (MetricKind::Counter, _) => Data::Sum(Sum { data_points: sums, aggregation_temporality, is_monotonic: true }),
        (_, false) => Data::Histogram(Histogram { data_points: explicit, aggregation_temporality }),
        (_, true) => {
            Data::ExponentialHistogram(ExponentialHistogram { data_points: exponential, aggregation_temporality })
        }
    };
    Metric {
        name: family.metric().name().into(),
        description: family.metric().description().into(),
        unit: family.metric().unit().into(),
        data: Some(data),
        ..Metric::default()
    }
}

fn number_point(series: &Series<'_>, sum: Quantity) -> NumberDataPoint {
    let [start_time_unix_nano, time_unix_nano] = times(series);
    NumberDataPoint {
        attributes: labels(series),
        start_time_unix_nano,
        time_unix_nano,
        value: Some(match sum.as_count() {
            Some(count) => number_data_point::Value::AsInt(count),
            None => number_data_point::Value::AsDouble(sum.as_f64()),
        }),
        ..NumberDataPoint::default()
    }
}

fn explicit_point(series: &Series<'_>, point: &HistogramPoint<'_>) -> HistogramDataPoint {
    let [start_time_unix_nano, time_unix_nano] = times(series);
    HistogramDataPoint {
        attributes: labels(series),
        start_time_unix_nano,
        time_unix_nano,
        count: point.count(),
        sum: Some(point.sum().as_f64()),
        bucket_counts: point.counts().to_vec(),
        explicit_bounds: series.metric().bounds().map(Quantity::as_f64).collect(),
        exemplars: exemplars(point),
        flags: 0,
        min: Some(point.min().as_f64()),
        max: Some(point.max().as_f64()),
    }
}

fn exponential_point(series: &Series<'_>, point: &HistogramPoint<'_>) -> ExponentialHistogramDataPoint {
    let [start_time_unix_nano, time_unix_nano] = times(series);
    let buckets = point.exponential().unwrap();
    ExponentialHistogramDataPoint {
        attributes: labels(series),
        start_time_unix_nano,
        time_unix_nano,
        count: point.count(),
        sum: Some(point.sum().as_f64()),
        scale: buckets.scale(),
        zero_count: buckets.zero_count(),
        positive: (!buckets.counts().is_empty())
            .then(|| ProtoBuckets { offset: buckets.offset(), bucket_counts: buckets.counts().to_vec() }),
        exemplars: exemplars(point),
        min: Some(point.min().as_f64()),
        max: Some(point.max().as_f64()),
        ..ExponentialHistogramDataPoint::default()
    }
}

fn times(series: &Series<'_>) -> [u64; 2] {
    let window = series.window();
    [window.start, window.end].map(|time| time.map_or(0, UnixNanos::as_nanos))
}

fn labels(series: &Series<'_>) -> Vec<KeyValue> {
    let mut labels: Vec<_> = series.labels().map(|(key, value)| text(key, value)).collect();
    if series.is_overflow() {
        labels[0] = attribute("otel.metric.overflow", Value::BoolValue(true));
    }
    labels
}

fn exemplars(point: &HistogramPoint<'_>) -> Vec<Exemplar> {
    let exemplar = |(exemplar, value): (llmspan_core::metrics::Exemplar, Quantity)| Exemplar {
        time_unix_nano: exemplar.at().map_or(0, UnixNanos::as_nanos),
        span_id: exemplar.span_id().to_vec(),
        trace_id: exemplar.trace_id().to_vec(),
        value: Some(match value.as_count() {
            Some(count) => exemplar::Value::AsInt(count),
            None => exemplar::Value::AsDouble(value.as_f64()),
        }),
        ..Exemplar::default()
    };
    point.exemplars().map(exemplar).collect()
}

/// What receivers rely on.
fn assert_consistent(request: &ExportMetricsServiceRequest) {
    let mut names = BTreeSet::new();
    for metric in request.resource_metrics.iter().flat_map(|metrics| &metrics.scope_metrics[0].metrics) {
        assert!(names.insert(&metric.name), "{} is there twice", metric.name);
        let attributes: Vec<_> = match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => sum.data_points.iter().map(|point| &point.attributes).collect(),
            Data::Histogram(histogram) => {
                for point in &histogram.data_points {
                    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                    assert!(point.explicit_bounds.is_sorted_by(|below, above| below < above));
                    let counted = point.bucket_counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
                    assert_eq!(counted, point.count);
                }
                histogram.data_points.iter().map(|point| &point.attributes).collect()
            }
            Data::ExponentialHistogram(histogram) => {
                for point in &histogram.data_points {
                    let positive = point.positive.iter().flat_map(|buckets| &buckets.bucket_counts);
                    let counted = positive.fold(point.zero_count, |sum, count| sum.saturating_add(*count));
                    assert_eq!(counted, point.count);
                }
                histogram.data_points.iter().map(|point| &point.attributes).collect()
            }
            other => panic!("{other:?}"),
        };
        for (at, one) in attributes.iter().enumerate() {
            let keys: BTreeSet<_> = one.iter().map(|attribute| &attribute.key).collect();
            assert_eq!(keys.len(), one.len(), "a key twice: {one:?}");
            assert!(!attributes[..at].contains(one), "a series twice: {one:?}");
        }
    }
}

fn replay(log: Vec<TimedEvent>) -> Vec<Record> {
    let mut tracker = Tracker::new(Config::default()).unwrap();
    let last = log.iter().map(|event| event.at).max().unwrap_or_default();
    for event in log {
        tracker.handle_event(&event);
    }
    tracker.handle_shutdown(last);
    core::iter::from_fn(|| tracker.poll_record()).collect()
}

prop_compose! {
    /// The record of any log, with odd labels, and numbers from end to end of their range.
    fn records()(
        log in common::log(),
        model in prop::option::of(prop_oneof!["[ab]", any::<String>()]),
        duration in prop::option::of(prop_oneof![Just(0), 1..100_u64, any::<u64>()]),
        tokens in prop::option::of(prop_oneof![0..5_000_u64, any::<u64>()]),
        end in any::<Option<u64>>(),
        ids in prop::option::of((1..u128::MAX, 1..u64::MAX)),
    ) -> Vec<Record> {
        let mut records = replay(log);
        for record in &mut records {
            record.model.clone_from(&model);
            record.response_model.clone_from(&model);
            record.duration_ns = duration.map_or(record.duration_ns, Nanos::from_nanos);
            record.end_unix_ns = end.map(UnixNanos::from_nanos);
            if tokens.is_some() {
                record.usage.get_or_insert_default().output_tokens = tokens;
                record.wasted_usage.get_or_insert_default().input_tokens = tokens;
            }
            if let Some((trace, span)) = ids {
                record.trace_id = Some(format!("{trace:032x}"));
                record.span_id = Some(format!("{span:016x}"));
            }
        }
        records
    }
}

fn options() -> impl Strategy<Value = Options> {
    let label_sets = prop_oneof![Just(512_usize), 0..3_usize];
    (label_sets, any::<[bool; 3]>()).prop_map(|(label_sets, [exponential, exemplars, response_model])| {
        Options::default()
            .with_label_sets(label_sets)
            .with_buckets(if exponential { Buckets::ExplicitAndExponential } else { Buckets::Explicit })
            .with_exemplars(if exemplars { Exemplars::Latest } else { Exemplars::Off })
            .with_labels(if response_model { Labels::WithResponseModel } else { Labels::Default })
    })
}

proptest! {
    #[test]
    fn every_aggregator_is_written_as_the_protocol_says(
        calls in prop::collection::vec(records(), 0..6),
        options in options(),
        profile in 0..MetricNames::all().len(),
        times in any::<[Option<u64>; 2]>(),
        is_delta in any::<bool>(),
    ) {
        let mut aggregator = Aggregator::new(&MetricNames::all()[profile], options);
        calls.iter().flatten().for_each(|record| aggregator.observe(record));
        let mut window = Window::default();
        [window.start, window.end] = times.map(|time| time.map(UnixNanos::from_nanos));
        window.temporality = if is_delta { Temporality::Delta } else { Temporality::Cumulative };
        let view = aggregator.view(window);
        let expected = request(&view);
        let resource = Resource::of_service("assistant");

        let mut body = Vec::new();
        prop_assert_eq!(metrics_to_protobuf(&view, &resource, &mut body), view.series().count());
        let decoded = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
        prop_assert_eq!(&decoded, &expected);
        prop_assert_eq!(&body, &expected.encode_to_vec());
        assert_consistent(&decoded);

        body.clear();
        prop_assert_eq!(metrics_to_json(&view, &resource, &mut body), view.series().count());
        assert_same_json(str::from_utf8(&body).unwrap(), &expected);
    }
}
