//! Metrics in OTLP, against requests that are written down by hand from the protocol and from the records.

#[path = "common/metrics.rs"]
mod metrics;
#[path = "common/protocol.rs"]
mod protocol;

use llmspan_core::{
    metrics::{Options, Temporality, Window},
    otlp::{Resource, metrics_to_json, metrics_to_protobuf},
    record::{Cost, Money, Outcome, Record, RecordError, WaitReason, WaitRecord},
    time::{Nanos, UnixNanos},
};
use metrics::{
    ATTEMPTS, CALLS, DURATION, END, SPAN_A, START, USAGE, aggregator, assert_written, bodies, call, counts, cumulative,
    exemplar, metric, of_m, sum, traced, with_tokens,
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{
        AggregationTemporality, Exemplar, Histogram, HistogramDataPoint, Metric, exemplar::Value as Example,
        metric::Data, number_data_point::Value as Number,
    },
};
use prost::Message as _;
use protocol::{assert_same_json, attribute, text};

const SPAN_B: u64 = 0x00f0_67aa_0ba9_02b7;
const END_A: u64 = START + 200_000_000;
const END_B: u64 = START + 300_000_000;

fn delta() -> Window {
    Window::delta(UnixNanos::from_nanos(START), UnixNanos::from_nanos(END))
}

const SECONDS: [f64; 14] = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const STEPS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
const DOLLARS: [f64; 11] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Three calls with the same labels and one with others:
///
/// - 0.2 s, 4 and 17 tokens, one attempt;
/// - 0.32 s, the bound of a bucket, 5 and 0 tokens, one attempt; it ended last of those with ids;
/// - 100 s, above all bounds, two attempts with a wait of 2 s, 0.0025 USD and 0.001 USD wasted with 7 tokens,
///   no events and 30 tool calls left out; no ids;
/// - an error of `openai` after 0 s, whose model has letters, quotes and a control character.
fn calls() -> Vec<Record> {
    let mut first = traced(with_tokens(call(200_000_000), 4, 17), SPAN_A);
    first.attempt_count = 1;
    first.end_unix_ns = Some(UnixNanos::from_nanos(END_A));
    let mut second = traced(with_tokens(call(320_000_000), 5, 0), SPAN_B);
    second.attempt_count = 1;
    second.end_unix_ns = Some(UnixNanos::from_nanos(END_B));
    let mut third = call(100_000_000_000);
    third.attempt_count = 2;
    let mut wait = WaitRecord::default();
    wait.reason = WaitReason::RateLimit;
    wait.actual_delay_ns = Nanos::from_secs(2);
    third.waits.push(wait);
    third.wasted_usage.get_or_insert_default().input_tokens = Some(7);
    let mut cost = Cost::default();
    cost.currency = "USD".into();
    cost.total = Some(Money::from_nanos(2_500_000));
    cost.wasted = Some(Money::from_nanos(1_000_000));
    third.cost = Some(cost);
    third.diagnostics.dropped.events = Some(0);
    third.diagnostics.dropped.tool_calls = Some(30);
    let mut failed = call(0);
    failed.provider = Some("openai".into());
    failed.model = Some("na\u{ef}ve\u{7} \u{1f600}\"\\\u{2028}".into());
    failed.outcome = Outcome::Error;
    let mut error = RecordError::default();
    error.error_type = "rate_limit".into();
    failed.error = Some(error);
    vec![first, second, third, failed]
}

/// Attributes of a series: the labels of the call that failed, then others.
fn of_failed(others: &[(&str, &str)]) -> Vec<KeyValue> {
    [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "na\u{ef}ve_ \u{1f600}\"\\\u{2028}"),
        ("llmspan.outcome", "error"),
        ("error.type", "rate_limit"),
    ]
    .iter()
    .chain(others)
    .map(|(key, value)| text(key, value))
    .collect()
}

/// A point with the buckets that are not empty.
fn point(
    attributes: Vec<KeyValue>,
    bounds: &[f64],
    [sum, min, max]: [f64; 3],
    some: &[(usize, u64)],
    exemplars: Vec<Exemplar>,
) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes,
        start_time_unix_nano: START,
        time_unix_nano: END,
        count: some.iter().map(|(_, count)| count).sum(),
        sum: Some(sum),
        min: Some(min),
        max: Some(max),
        bucket_counts: counts(bounds.len() + 1, some),
        explicit_bounds: bounds.to_vec(),
        exemplars,
        flags: 0,
    }
}

fn histogram(temporality: AggregationTemporality, data_points: Vec<HistogramDataPoint>) -> Data {
    Data::Histogram(Histogram { data_points, aggregation_temporality: temporality.into() })
}

/// What [`calls`] are, as deltas.
fn expected() -> Vec<Metric> {
    let histogram = |about, points| metric(about, histogram(AggregationTemporality::Delta, points));
    let counter = |about, points| metric(about, sum(AggregationTemporality::Delta, points));
    let token_type = |word| of_m(&[("gen_ai.token.type", word)]);
    let first = |value| exemplar(END_A, SPAN_A, value);
    let second = |value| exemplar(END_B, SPAN_B, value);
    vec![
        histogram(
            DURATION,
            vec![
                point(
                    of_m(&[]),
                    &SECONDS,
                    [100.52, 0.2, 100.0],
                    &[(5, 2), (14, 1)],
                    vec![second(Example::AsDouble(0.32))],
                ),
                point(of_failed(&[]), &SECONDS, [0.0; 3], &[(0, 1)], vec![]),
            ],
        ),
        histogram(
            USAGE,
            vec![
                point(
                    token_type("input"),
                    &TOKENS,
                    [9.0, 4.0, 5.0],
                    &[(1, 1), (2, 1)],
                    vec![first(Example::AsInt(4)), second(Example::AsInt(5))],
                ),
                point(
                    token_type("output"),
                    &TOKENS,
                    [17.0, 0.0, 17.0],
                    &[(0, 1), (3, 1)],
                    vec![second(Example::AsInt(0)), first(Example::AsInt(17))],
                ),
            ],
        ),
        counter(
            ["llmspan.token.wasted", "{token}", "Tokens of attempts that failed."],
            vec![(token_type("input"), Number::AsInt(7))],
        ),
        counter(CALLS, vec![(of_m(&[]), Number::AsInt(3)), (of_failed(&[]), Number::AsInt(1))]),
        histogram(
            ATTEMPTS,
            vec![
                point(of_m(&[]), &STEPS, [4.0, 1.0, 2.0], &[(0, 2), (1, 1)], vec![second(Example::AsInt(1))]),
                point(of_failed(&[]), &STEPS, [0.0; 3], &[(0, 1)], vec![]),
            ],
        ),
        histogram(
            ["llmspan.wait", "s", "Time spent in a wait before or between attempts."],
            vec![point(of_m(&[("llmspan.wait.reason", "rate_limit")]), &SECONDS, [2.0; 3], &[(8, 1)], vec![])],
        ),
        histogram(
            ["llmspan.cost", "USD", "Cost of the final attempt of a call."],
            vec![point(of_m(&[]), &DOLLARS, [0.0025; 3], &[(3, 1)], vec![])],
        ),
        counter(
            ["llmspan.cost.wasted", "USD", "Cost of attempts that failed."],
            vec![(of_m(&[]), Number::AsDouble(0.001))],
        ),
        counter(
            ["llmspan.dropped", "{entry}", "Entries that records left out past a cap."],
            vec![
                (of_m(&[("llmspan.list", "events")]), Number::AsInt(0)),
                (of_m(&[("llmspan.list", "tool_calls")]), Number::AsInt(30)),
            ],
        ),
    ]
}

#[test]
fn sums_and_explicit_histograms_are_what_the_protocol_describes() {
    let aggregator = aggregator("otel-1.41", Options::default(), &calls());
    let json = assert_written(&aggregator.view(delta()), 14, expected());
    for part in [
        r#""aggregationTemporality":1,"isMonotonic":true}"#,
        r#""count":"3","sum":100.52,"bucketCounts":["0","0","0","0","0","2","0","#,
        r#""explicitBounds":[0.01,0.02,0.04,"#,
        r#""min":0.0,"max":0.0}"#,
        r#""asInt":"0","#,
        r#"{"timeUnixNano":"1763713224300000000","asDouble":0.32,"spanId":"00f067aa0ba902b7","#,
        r#""traceId":"0af7651916cd43dd8448eb211c80319c"}"#,
        "\"na\u{ef}ve_ \u{1f600}\\\"\\\\\u{2028}\"",
    ] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
}

/// One label set has series of its own; details are told apart in the overflow, too.
#[test]
fn the_overflow_series_have_a_boolean_attribute() {
    use AggregationTemporality::Cumulative;
    use Number::AsInt;

    let of_model = |model: &str| {
        let mut record = with_tokens(Record::default(), 3, 4);
        record.model = Some(model.into());
        record
    };
    let records = ["true", "b", "c"].map(of_model);
    let aggregator = aggregator("qwen-code", Options::default().with_label_sets(1), &records);
    let own = |others: &[(&str, &str)]| -> Vec<KeyValue> {
        [("model", "true"), ("outcome", "success")].iter().chain(others).map(|(key, value)| text(key, value)).collect()
    };
    let overflow = |others: &[(&str, &str)]| -> Vec<KeyValue> {
        let label = attribute("otel.metric.overflow", Value::BoolValue(true));
        [label].into_iter().chain(others.iter().map(|(key, value)| text(key, value))).collect()
    };
    // Durations are 0 ms; the bounds are those of seconds.
    let bounds = SECONDS.map(|bound| (bound * 1e3).round());
    let latency = |attributes, calls| point(attributes, &bounds, [0.0; 3], &[(0, calls)], vec![]);
    let expected = vec![
        metric(
            ["qwen-code.api.request.count", "{request}", "Counts API requests."],
            sum(Cumulative, vec![(own(&[]), AsInt(1)), (overflow(&[]), AsInt(2))]),
        ),
        metric(
            ["qwen-code.api.request.latency", "ms", "API request latency in milliseconds."],
            histogram(Cumulative, vec![latency(own(&[]), 1), latency(overflow(&[]), 2)]),
        ),
        metric(
            ["qwen-code.token.usage", "{token}", "Counts the tokens used."],
            sum(
                Cumulative,
                vec![
                    (own(&[("type", "input")]), AsInt(3)),
                    (own(&[("type", "output")]), AsInt(4)),
                    (overflow(&[("type", "input")]), AsInt(6)),
                    (overflow(&[("type", "output")]), AsInt(8)),
                ],
            ),
        ),
    ];
    let json = assert_written(&aggregator.view(cumulative()), 8, expected);
    assert!(json.contains(r#"{"key":"otel.metric.overflow","value":{"boolValue":true}}"#), "{json}");
    assert!(json.contains(r#"{"key":"model","value":{"stringValue":"true"}}"#), "{json}");
}

/// A call with 12 cached of 20 input tokens under the names of several profiles.
#[test]
fn names_and_units_are_those_of_the_profile() {
    use Number::{AsDouble, AsInt};

    let mut record = with_tokens(call(1_500_000_000), 20, 5);
    record.usage.get_or_insert_default().cache_read_tokens = Some(12);
    for (profile, name, unit, expected, attribute) in [
        ("otel-1.41", "gen_ai.client.operation.duration", "s", AsDouble(1.5), ("gen_ai.request.model", "m")),
        ("otel-1.36", "gen_ai.client.token.usage", "{token}", AsDouble(20.0), ("gen_ai.token.type", "input")),
        ("otel-main", "gen_ai.client.inference.duration", "s", AsDouble(1.5), ("gen_ai.operation.name", "chat")),
        (
            "otel-main",
            "gen_ai.client.inference.usage.cache_read.input_tokens",
            "{token}",
            AsInt(12),
            ("gen_ai.token.modality", "unknown"),
        ),
        ("openllmetry", "gen_ai.client.token.usage", "token", AsDouble(20.0), ("gen_ai.token.type", "input")),
        ("vercel", "gen_ai.client.inference.duration", "s", AsDouble(1.5), ("llmspan.outcome", "success")),
        ("qwen-code", "qwen-code.api.request.latency", "ms", AsDouble(1500.0), ("model", "m")),
    ] {
        let aggregator = aggregator(profile, Options::default(), core::slice::from_ref(&record));
        let (_, protobuf, _) = bodies(&aggregator.view(delta()));
        let request = ExportMetricsServiceRequest::decode(&protobuf[..]).unwrap();
        let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
        let metric = metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{profile}: {name}"));
        let (value, attributes) = match metric.data.as_ref().unwrap() {
            Data::Histogram(histogram) => {
                (AsDouble(histogram.data_points[0].sum.unwrap()), &histogram.data_points[0].attributes)
            }
            Data::Sum(sum) => (sum.data_points[0].value.unwrap(), &sum.data_points[0].attributes),
            other => panic!("{other:?}"),
        };
        assert_eq!((metric.unit.as_str(), value), (unit, expected), "{profile}: {name}");
        assert!(attributes.contains(&text(attribute.0, attribute.1)), "{attributes:?}");
    }
}

#[test]
fn an_empty_aggregator_is_an_empty_request() {
    let aggregator = aggregator("otel-1.41", Options::default(), &[]);
    let (points, protobuf, json) = bodies(&aggregator.view(cumulative()));
    assert_eq!((points, protobuf.len(), json.as_str()), (0, 0, r#"{"resourceMetrics":[]}"#));
    assert_same_json(&json, &ExportMetricsServiceRequest::default());
}

#[test]
fn bodies_are_appended() {
    let aggregator = aggregator("qwen-code", Options::default(), &[call(0)]);
    let (_, protobuf, json) = bodies(&aggregator.view(delta()));
    let resource = Resource::of_service("assistant");
    let mut body = vec![b'x'];
    metrics_to_protobuf(&aggregator.view(delta()), &resource, &mut body);
    assert_eq!(body, [b"x", &protobuf[..]].concat());
    body.truncate(1);
    metrics_to_json(&aggregator.view(delta()), &resource, &mut body);
    assert_eq!(body, [b"x", json.as_bytes()].concat());
}

#[test]
fn times_that_the_caller_does_not_know_are_absent() {
    let aggregator = aggregator("qwen-code", Options::default(), &[call(5)]);
    let times = |window: Window| {
        let (_, protobuf, json) = bodies(&aggregator.view(window));
        let request = ExportMetricsServiceRequest::decode(&protobuf[..]).unwrap();
        assert_same_json(&json, &request);
        let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
        let Some(Data::Sum(sum)) = &metric.data else { panic!("a counter") };
        let point = &sum.data_points[0];
        let keys = ["\"startTimeUnixNano\":\"", "\"timeUnixNano\":\""].map(|key| json.contains(key));
        (point.start_time_unix_nano, point.time_unix_nano, sum.aggregation_temporality, keys)
    };
    assert_eq!(times(Window::default()), (0, 0, 2, [false, false]));
    let mut window = Window::default();
    window.end = Some(UnixNanos::from_nanos(END));
    assert_eq!(times(window), (0, END, 2, [false, true]));
    window.temporality = Temporality::Delta;
    assert_eq!(times(window), (0, END, 1, [false, true]));
    assert_eq!(times(delta()), (START, END, 1, [true, true]));
}

#[test]
fn counts_are_integers_as_far_as_these_go() {
    let value = |tokens: u64| {
        let mut record = Record::default();
        record.usage.get_or_insert_default().input_tokens = Some(tokens);
        let aggregator = aggregator("qwen-code", Options::default(), &[record]);
        let (_, protobuf, json) = bodies(&aggregator.view(delta()));
        let request = ExportMetricsServiceRequest::decode(&protobuf[..]).unwrap();
        assert_same_json(&json, &request);
        let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
        let Some(Data::Sum(sum)) = &metrics.iter().find(|metric| metric.name == "qwen-code.token.usage").unwrap().data
        else {
            panic!("a counter")
        };
        (sum.data_points[0].value.unwrap(), json)
    };
    let (number, json) = value(i64::MAX.unsigned_abs());
    assert_eq!(number, Number::AsInt(i64::MAX));
    assert!(json.contains(r#""asInt":"9223372036854775807""#));
    let (number, json) = value(u64::MAX);
    assert_eq!(number, Number::AsDouble(18_446_744_073_709_551_615.0));
    assert!(json.contains(r#""asDouble":1.8446744073709552e+19"#), "{json}");
}
