//! The text formats, read back by the strict parser.

use alloc::{format, vec::Vec};

use proptest::prelude::*;

use super::{
    parser::{Family, Format, Sample, parse},
    *,
};
use crate::{
    record::{InterChunk, RecordError},
    time::Nanos,
};

fn read(aggregator: &Aggregator, exposition: Exposition, format: Format) -> Vec<Family> {
    let text = exposition.render(&aggregator.view(window()));
    parse(&text, format).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn sample<'a>(families: &'a [Family], name: &str, labels: &[(&str, &str)]) -> &'a Sample {
    let samples = families.iter().flat_map(|family| &family.samples);
    let found: Vec<_> = samples
        .filter(|sample| sample.name == name)
        .filter(|sample| labels.iter().all(|(name, value)| sample.label(name) == Some(value)))
        .collect();
    match found[..] {
        [one] => one,
        _ => panic!("{} samples {name} {labels:?}", found.len()),
    }
}

#[test]
fn every_profile_is_readable_in_every_format() {
    for names in MetricNames::all() {
        let mut aggregator = Aggregator::new(names, Options::default().with_label_sets(1));
        let open_metrics = Exposition::open_metrics();
        assert_eq!(open_metrics.render(&aggregator.view(window())), "# EOF\n");
        assert_eq!(Exposition::prometheus().render(&aggregator.view(window())), "");
        aggregator.observe(&retried());
        aggregator.observe(&Record::default());
        let families = read(&aggregator, open_metrics, Format::OpenMetrics);
        assert!(families.len() >= 4);
        for (exposition, format) in [
            (open_metrics.with_created(), Format::OpenMetrics),
            (open_metrics.with_utf8_names().with_created(), Format::OpenMetrics),
            (Exposition::prometheus(), Format::Prometheus),
            (Exposition::prometheus().with_utf8_names().with_created(), Format::Prometheus),
        ] {
            assert_eq!(read(&aggregator, exposition, format).len(), families.len());
        }
    }
}

#[test]
fn numbers_are_those_of_the_calls() {
    let slower = Record {
        operation: Some("chat".into()),
        provider: Some("openai".into()),
        model: Some("gpt-4.1-mini".into()),
        duration_ns: Nanos::from_millis(6_100),
        ..Record::default()
    };
    let aggregator = aggregator(&[retried(), slower], Options::default());
    let families = read(&aggregator, Exposition::open_metrics().with_created(), Format::OpenMetrics);

    let family = families.iter().find(|family| family.name == "gen_ai_client_operation_duration_seconds").unwrap();
    assert_eq!((family.kind.as_str(), family.unit.as_deref()), ("histogram", Some("seconds")));
    assert_eq!(family.help.as_deref(), Some("GenAI operation duration."));
    let labels = [
        ("gen_ai_operation_name", "chat"),
        ("gen_ai_provider_name", "openai"),
        ("gen_ai_request_model", "gpt-4.1-mini"),
        ("llmspan_outcome", "success"),
    ];
    let own = |name: &str| sample(&families, &format!("gen_ai_client_operation_duration_seconds_{name}"), &labels);
    assert_eq!((own("sum").value.as_str(), own("count").value.as_str()), ("9.35", "2"));
    assert_eq!(own("created").value, "1700000000.5");
    let buckets: Vec<_> = family
        .samples
        .iter()
        .filter_map(|sample| sample.label("le").map(|bound| (bound, sample.value.as_str())))
        .collect();
    let expected = [
        ("0.01", "0"),
        ("0.02", "0"),
        ("0.04", "0"),
        ("0.08", "0"),
        ("0.16", "0"),
        ("0.32", "0"),
        ("0.64", "0"),
        ("1.28", "0"),
        ("2.56", "0"),
        ("5.12", "1"),
        ("10.24", "2"),
        ("20.48", "2"),
        ("40.96", "2"),
        ("81.92", "2"),
        ("+Inf", "2"),
    ];
    assert_eq!(buckets, expected);

    let bucket = [("le", "5.12")];
    let exemplar =
        sample(&families, "gen_ai_client_operation_duration_seconds_bucket", &bucket).exemplar.clone().unwrap();
    assert_eq!((exemplar.value.as_str(), exemplar.timestamp.as_deref()), ("3.25", Some("1700000003.25")));
    let ids = [("trace_id", "0af7651916cd43dd8448eb211c80319c"), ("span_id", "b7ad6b7169203331")];
    assert_eq!(exemplar.labels, ids.map(|(name, value)| (name.into(), value.into())));

    assert_eq!(sample(&families, "llmspan_calls_total", &labels).value, "2");
    let large = [("gen_ai_token_type", "output"), ("le", "1.048576e+06")];
    assert_eq!(sample(&families, "gen_ai_client_token_usage_bucket", &large).value, "1");
    let unitless = families.iter().find(|family| family.name == "gen_ai_client_token_usage").unwrap();
    assert_eq!(unitless.unit, None);
}

#[test]
fn the_older_format_has_no_exemplars_units_or_end() {
    let aggregator = aggregator(&[retried()], Options::default());
    let families = read(&aggregator, Exposition::prometheus().with_created(), Format::Prometheus);
    let calls = families.iter().find(|family| family.name == "llmspan_calls_total").unwrap();
    assert_eq!(calls.kind, "counter");
    let text = Exposition::prometheus().render(&aggregator.view(window()));
    assert!(
        !text.contains("# EOF") && !text.contains(" # {") && !text.contains("# UNIT") && !text.contains("_created")
    );
}

#[test]
fn dots_are_kept_in_quotes_where_they_are_understood() {
    let mut aggregator = Aggregator::new(names("qwen-code"), Options::default());
    aggregator.observe(&retried());
    let families = read(&aggregator, Exposition::open_metrics().with_utf8_names(), Format::OpenMetrics);
    let names: Vec<_> = families.iter().map(|family| family.name.as_str()).collect();
    let expected = [
        "qwen-code.api.request.count",
        "qwen-code.api.request.latency_milliseconds",
        "qwen-code.token.usage",
        "qwen-code.api.request.breakdown_milliseconds",
    ];
    assert_eq!(names, expected);
    assert_eq!(sample(&families, "qwen-code.api.request.count_total", &[("model", "gpt-4.1-mini")]).value, "1");
}

#[test]
fn label_values_come_back_as_they_were() {
    let model = "vLLM \"quoted\" back\\slash, {x=\"y\"} 模型 🦀 le=\"1\"";
    let hostile = Record { model: Some(model.into()), ..Record::default() };
    let aggregator = aggregator(&[hostile], Options::default());
    for (exposition, format) in
        [(Exposition::open_metrics(), Format::OpenMetrics), (Exposition::prometheus(), Format::Prometheus)]
    {
        let families = read(&aggregator, exposition, format);
        let calls = sample(&families, "llmspan_calls_total", &[]);
        assert_eq!(calls.label("gen_ai_request_model"), Some(model));
    }
}

#[test]
fn labels_that_differ_only_in_control_characters_are_one_series() {
    let of = |provider: &str| Record { provider: Some(provider.into()), ..Record::default() };
    let aggregator = aggregator(&[of("a\u{1}"), of("a\n"), of("a_"), of("a\u{85}")], Options::default());
    let families = read(&aggregator, Exposition::open_metrics(), Format::OpenMetrics);
    assert_eq!(sample(&families, "llmspan_calls_total", &[]).value, "4");
}

#[test]
fn the_largest_values_are_finite_numbers() {
    let largest = Record { duration_ns: Nanos::from_nanos(u64::MAX), attempt_count: u64::MAX, ..Record::default() };
    let aggregator = aggregator(&[largest.clone(), largest], Options::default());
    let families = read(&aggregator, Exposition::open_metrics(), Format::OpenMetrics);
    assert_eq!(
        sample(&families, "gen_ai_client_operation_duration_seconds_sum", &[]).value,
        "36893488147.419103230".trim_end_matches('0')
    );
    assert_eq!(sample(&families, "llmspan_attempts_sum", &[]).value, "36893488147419103230");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_records_hold_is_readable(
        texts in proptest::collection::vec(("\\PC*|[a\n\"\\\\{}=,\u{0}\r\u{2028}]{0,4}", any::<Option<String>>(), any::<String>()), 1..8),
        numbers in any::<[u64; 8]>(),
        cap in 0..6_usize,
    ) {
        let mut aggregator = Aggregator::new(names("otel-1.41"), Options::default().with_label_sets(cap));
        for (operation, provider, error) in texts {
            let mut record = Record { operation: Some(operation), provider, stream: true, ..Record::default() };
            record.error = Some(RecordError { error_type: error, ..RecordError::default() });
            record.duration_ns = Nanos::from_nanos(numbers[0]);
            record.inter_chunk = Some(InterChunk {
                count: numbers[1],
                min_ns: Nanos::from_nanos(numbers[2]),
                max_ns: Nanos::from_nanos(numbers[3]),
                mean_ns: Nanos::from_nanos(numbers[4]),
                p50_ns: Nanos::from_nanos(numbers[5]),
                p90_ns: Nanos::from_nanos(numbers[6]),
                stalls: numbers[7],
                ..InterChunk::default()
            });
            aggregator.observe(&record);
        }
        for (exposition, format) in [
            (Exposition::open_metrics(), Format::OpenMetrics),
            (Exposition::open_metrics().with_utf8_names(), Format::OpenMetrics),
            (Exposition::prometheus(), Format::Prometheus),
        ] {
            let families = parse(&exposition.render(&aggregator.view(window())), format);
            prop_assert!(families.is_ok(), "{:?}", families);
        }
    }
}

#[test]
fn equal_aggregators_give_equal_text() {
    let mut other = retried();
    other.model = Some("another".into());
    let one = aggregator(&[retried(), other.clone()], Options::default());
    let two = aggregator(&[other, retried()], Options::default());
    let text = |aggregator: &Aggregator| Exposition::open_metrics().render(&aggregator.view(window()));
    assert_eq!(text(&one), text(&two));
}

#[test]
fn media_types_name_the_version() {
    let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(Exposition::open_metrics().content_type(), expected);
    assert_eq!(Exposition::prometheus().content_type(), "text/plain; version=0.0.4; charset=utf-8");
    assert!(Exposition::open_metrics().with_utf8_names().content_type().ends_with("escaping=allow-utf-8"));
}
