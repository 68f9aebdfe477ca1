//! Requests with metrics that are written down by hand, and the calls that they count.

use llmspan_core::{
    metrics::{Aggregator, MetricNames, Options, View, Window},
    otlp::{Resource, metrics_to_json, metrics_to_protobuf},
    record::Record,
    time::{Nanos, UnixNanos},
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::KeyValue,
    metrics::v1::{
        AggregationTemporality, Exemplar, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, exemplar,
        metric::Data, number_data_point,
    },
    resource::v1::Resource as ProtoResource,
};
use prost::Message as _;

use crate::protocol::{assert_same_json, scope, text};

pub(crate) const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
pub(crate) const SPAN_A: u64 = 0xb7ad_6b71_6920_3331;
pub(crate) const START: u64 = 1_763_713_224_000_000_000;
pub(crate) const END: u64 = 1_763_713_284_000_000_000;
pub(crate) const DURATION: [&str; 3] = ["gen_ai.client.operation.duration", "s", "GenAI operation duration."];
pub(crate) const USAGE: [&str; 3] = ["gen_ai.client.token.usage", "{token}", "Number of input and output tokens used."];
pub(crate) const CALLS: [&str; 3] = ["llmspan.calls", "{call}", "Calls that ended."];
pub(crate) const ATTEMPTS: [&str; 3] = ["llmspan.attempts", "{attempt}", "Attempts of a call."];

/// Both forms are the request; gives the JSON.
pub(crate) fn assert_written(view: &View<'_>, points: usize, metrics: Vec<Metric>) -> String {
    let expected = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(ProtoResource {
                attributes: vec![text("service.name", "assistant")],
                ..ProtoResource::default()
            }),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope()), metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    };
    let (written, protobuf, json) = bodies(view);
    let decoded = ExportMetricsServiceRequest::decode(&protobuf[..]).unwrap();
    let metrics = |request: &ExportMetricsServiceRequest| request.resource_metrics[0].scope_metrics[0].metrics.clone();
    for (ours, theirs) in metrics(&decoded).iter().zip(&metrics(&expected)) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(decoded, expected);
    assert_eq!(protobuf, expected.encode_to_vec(), "and in the order and with the lengths of other writers");
    assert_same_json(&json, &expected);
    assert_eq!(written, points);
    json
}

pub(crate) fn bodies(view: &View<'_>) -> (usize, Vec<u8>, String) {
    let resource = Resource::of_service("assistant");
    let (mut protobuf, mut json) = (Vec::new(), Vec::new());
    let points = metrics_to_protobuf(view, &resource, &mut protobuf);
    assert_eq!(metrics_to_json(view, &resource, &mut json), points);
    (points, protobuf, String::from_utf8(json).unwrap())
}

pub(crate) fn aggregator(profile: &str, options: Options, records: &[Record]) -> Aggregator {
    let mut aggregator = Aggregator::new(MetricNames::by_profile(profile).unwrap(), options);
    for record in records {
        aggregator.observe(record);
    }
    aggregator
}

pub(crate) fn cumulative() -> Window {
    Window::cumulative(UnixNanos::from_nanos(START), UnixNanos::from_nanos(END))
}

/// A metric of a name, a unit and a description.
pub(crate) fn metric([name, unit, description]: [&str; 3], data: Data) -> Metric {
    Metric {
        name: name.into(),
        unit: unit.into(),
        description: description.into(),
        data: Some(data),
        ..Metric::default()
    }
}

pub(crate) fn sum(temporality: AggregationTemporality, points: Vec<(Vec<KeyValue>, number_data_point::Value)>) -> Data {
    let point = |(attributes, value)| NumberDataPoint {
        attributes,
        start_time_unix_nano: START,
        time_unix_nano: END,
        value: Some(value),
        ..NumberDataPoint::default()
    };
    Data::Sum(Sum {
        data_points: points.into_iter().map(point).collect(),
        aggregation_temporality: temporality.into(),
        is_monotonic: true,
    })
}

pub(crate) fn exemplar(time_unix_nano: u64, span: u64, value: exemplar::Value) -> Exemplar {
    Exemplar {
        time_unix_nano,
        span_id: span.to_be_bytes().into(),
        trace_id: TRACE.to_be_bytes().into(),
        value: Some(value),
        ..Exemplar::default()
    }
}

/// The counts of `buckets` buckets, of which few are not 0.
pub(crate) fn counts(buckets: usize, some: &[(usize, u64)]) -> Vec<u64> {
    let mut counts = vec![0; buckets];
    for (at, count) in some {
        counts[*at] = *count;
    }
    counts
}

pub(crate) fn call(duration_ns: u64) -> Record {
    let mut record = Record::default();
    record.model = Some("m".into());
    record.duration_ns = Nanos::from_nanos(duration_ns);
    record
}

pub(crate) fn traced(mut record: Record, span: u64) -> Record {
    record.trace_id = Some(format!("{TRACE:032x}"));
    record.span_id = Some(format!("{span:016x}"));
    record
}

pub(crate) fn with_tokens(mut record: Record, input: u64, output: u64) -> Record {
    let usage = record.usage.get_or_insert_default();
    (usage.input_tokens, usage.output_tokens) = (Some(input), Some(output));
    record
}

/// Attributes of a series: the labels of a call with the model `m`, then others.
pub(crate) fn of_m(others: &[(&str, &str)]) -> Vec<KeyValue> {
    [("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "m"), ("llmspan.outcome", "success")]
        .iter()
        .chain(others)
        .map(|(key, value)| text(key, value))
        .collect()
}
