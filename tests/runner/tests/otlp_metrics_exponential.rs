//! Exponential histograms in OTLP, against a request that is written down by hand.

#[path = "common/metrics.rs"]
mod metrics;
#[path = "common/protocol.rs"]
mod protocol;

use llmspan_core::{
    metrics::{Buckets, Options},
    record::Record,
};
use metrics::{
    ATTEMPTS, CALLS, DURATION, END, SPAN_A, START, USAGE, aggregator, assert_written, call, counts, cumulative,
    exemplar, metric, of_m, sum, traced, with_tokens,
};
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{
        AggregationTemporality::Cumulative,
        ExponentialHistogram, ExponentialHistogramDataPoint,
        exemplar::Value::{AsDouble, AsInt},
        exponential_histogram_data_point::Buckets as ProtoBuckets,
        metric::Data,
        number_data_point::Value as Number,
    },
};
use protocol::text;

fn with_model(mut record: Record, model: &str) -> Record {
    record.model = Some(model.into());
    record
}

/// Attributes of a series: the labels of a call with a model, then others.
fn attributes(model: &str, others: &[(&str, &str)]) -> Vec<KeyValue> {
    let mut attributes = of_m(others);
    attributes[1] = text("gen_ai.request.model", model);
    attributes
}

/// A point without buckets.
fn point(attributes: Vec<KeyValue>, count: u64, [sum, min, max]: [f64; 3]) -> ExponentialHistogramDataPoint {
    ExponentialHistogramDataPoint {
        attributes,
        start_time_unix_nano: START,
        time_unix_nano: END,
        count,
        sum: Some(sum),
        min: Some(min),
        max: Some(max),
        scale: 20,
        ..ExponentialHistogramDataPoint::default()
    }
}

/// At scale `s` the value 2^k is the upper bound of bucket `k * 2^s - 1`. 1 s, 2 s and 4 s thus span `2 * 2^s + 1` buckets:
/// 129 at scale 6, too many at scale 7.
#[test]
fn exponential_histograms_are_what_the_protocol_describes() {
    let records = [
        with_tokens(call(1_000_000_000), 1, 0),
        traced(call(2_000_000_000), SPAN_A),
        call(4_000_000_000),
        call(0),
        // Just above 1 s: the first bucket above 1.
        with_model(call(1_000_000_001), "near one"),
        // log2(1e-9) * 2^20 = -31349646.7
        with_model(call(1), "small"),
    ];
    let positive = |offset, bucket_counts| Some(ProtoBuckets { offset, bucket_counts });
    let histogram = |about, data_points| {
        let data = ExponentialHistogram { data_points, aggregation_temporality: Cumulative.into() };
        metric(about, Data::ExponentialHistogram(data))
    };
    let models = ["m", "near one", "small"];

    let expected = vec![
        histogram(
            DURATION,
            vec![
                ExponentialHistogramDataPoint {
                    scale: 6,
                    zero_count: 1,
                    positive: positive(-1, counts(129, &[(0, 1), (64, 1), (128, 1)])),
                    exemplars: vec![exemplar(0, SPAN_A, AsDouble(2.0))],
                    ..point(attributes("m", &[]), 4, [7.0, 0.0, 4.0])
                },
                ExponentialHistogramDataPoint {
                    positive: positive(0, vec![1]),
                    ..point(attributes("near one", &[]), 1, [1.000_000_001; 3])
                },
                ExponentialHistogramDataPoint {
                    positive: positive(-31_349_647, vec![1]),
                    ..point(attributes("small", &[]), 1, [1e-9; 3])
                },
            ],
        ),
        histogram(
            USAGE,
            vec![
                ExponentialHistogramDataPoint {
                    positive: positive(-1, vec![1]),
                    ..point(attributes("m", &[("gen_ai.token.type", "input")]), 1, [1.0; 3])
                },
                ExponentialHistogramDataPoint {
                    zero_count: 1,
                    ..point(attributes("m", &[("gen_ai.token.type", "output")]), 1, [0.0; 3])
                },
            ],
        ),
        metric(
            CALLS,
            sum(
                Cumulative,
                models
                    .iter()
                    .zip([4, 1, 1])
                    .map(|(model, calls)| (attributes(model, &[]), Number::AsInt(calls)))
                    .collect(),
            ),
        ),
        histogram(
            ATTEMPTS,
            models
                .iter()
                .zip([4, 1, 1])
                .map(|(model, calls)| ExponentialHistogramDataPoint {
                    zero_count: calls,
                    exemplars: if calls == 4 { vec![exemplar(0, SPAN_A, AsInt(0))] } else { vec![] },
                    ..point(attributes(model, &[]), calls, [0.0; 3])
                })
                .collect(),
        ),
    ];
    let options = Options::default().with_buckets(Buckets::ExplicitAndExponential);
    let aggregator = aggregator("otel-1.41", options, &records);
    let json = assert_written(&aggregator.view(cumulative()), 3 + 2 + 3 + 3, expected);
    for part in [
        r#""exponentialHistogram":{"dataPoints":["#,
        r#""count":"4","sum":7.0,"scale":6,"zeroCount":"1","positive":{"offset":-1,"bucketCounts":["1","0","#,
        r#""positive":{"bucketCounts":["1"]}"#,
        r#""exemplars":[{"asDouble":2.0,"spanId":"#,
        r#""aggregationTemporality":2}"#,
    ] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
}
