//! What one record becomes.

use alloc::{string::ToString, vec, vec::Vec};

use super::*;
use crate::{
    record::{Cost, Money, Outcome, RecordError},
    time::Nanos,
};

#[test]
fn a_retried_call_is_one_observation_of_each_value() {
    let aggregator = aggregator(&[retried()], Options::default());
    let labels = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4.1-mini"),
        ("llmspan.outcome", "success"),
    ];
    for (metric, detail, value) in [
        ("gen_ai.client.operation.duration", None, "3.25"),
        ("gen_ai.client.operation.time_to_first_chunk", None, "0.2"),
        ("gen_ai.client.token.usage", Some(("gen_ai.token.type", "input")), "10"),
        ("gen_ai.client.token.usage", Some(("gen_ai.token.type", "output")), "501"),
        ("llmspan.token.detail", Some(("gen_ai.token.type", "cache_read")), "4"),
        ("llmspan.time_to_first_token", None, "0.2"),
        ("llmspan.call.time_to_first_token", None, "2.25"),
        ("llmspan.time_per_output_token", None, "0.002"),
        ("llmspan.chunk_gap.longest", None, "0.6"),
        ("llmspan.breakdown", Some(("llmspan.phase", "request_preparation")), "2.05"),
        ("llmspan.breakdown", Some(("llmspan.phase", "network_latency")), "0.2"),
        ("llmspan.breakdown", Some(("llmspan.phase", "response_processing")), "1"),
        ("llmspan.attempts", None, "2"),
        ("llmspan.wait", Some(("llmspan.wait.reason", "rate_limit")), "2"),
    ] {
        let wanted: Vec<_> = labels.into_iter().chain(detail).collect();
        let point = histogram(&aggregator, metric, &wanted);
        assert_eq!(point.count(), 1, "{metric}");
        assert_eq!(point.sum().to_string(), value, "{metric} {detail:?}");
        assert_eq!((point.min(), point.max()), (point.sum(), point.sum()), "{metric}");
        // No other label than these: no error type, no response model.
        let [one] = series(&aggregator, metric, &wanted)[..] else { panic!("{metric}") };
        assert_eq!(one.labels().collect::<Vec<_>>(), wanted);
    }
    assert_eq!(sum(&aggregator, "llmspan.calls", &labels), "1");
    assert_eq!(sum(&aggregator, "llmspan.stalls", &labels), "0");
    assert!(series(&aggregator, "llmspan.cost", &[]).is_empty());
    assert!(series(&aggregator, "llmspan.dropped", &[]).is_empty());
}

#[test]
fn a_clock_that_stands_still_measures_nothing() {
    let mut record = Record { stream: true, ttft_ns: Some(Nanos::ZERO), ..Record::default() };
    record.diagnostics.clock.frozen = true;
    let aggregator = aggregator(&[record], Options::default());
    for metric in ["gen_ai.client.operation.duration", "llmspan.time_to_first_token"] {
        assert!(series(&aggregator, metric, &[]).is_empty(), "{metric}");
    }
    assert_eq!(sum(&aggregator, "llmspan.calls", &[]), "1");
}

#[test]
fn a_value_at_a_bound_belongs_to_the_bucket_below() {
    let mut record = Record { duration_ns: Nanos::from_millis(2560), ..Record::default() };
    let mut aggregator = aggregator(&[record.clone()], Options::default());
    record.duration_ns = Nanos::from_nanos(2_560_000_001);
    aggregator.observe(&record);
    record.duration_ns = Nanos::from_nanos(81_920_000_001);
    aggregator.observe(&record);
    let point = histogram(&aggregator, "gen_ai.client.operation.duration", &[]);
    assert_eq!(point.counts(), [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1]);
    let bounds: Vec<_> = point.buckets().map(|bucket| bucket.upper_bound.map(Quantity::as_f64)).collect();
    let expected = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    assert_eq!(bounds, expected.into_iter().map(Some).chain([None]).collect::<Vec<_>>());
    assert_eq!(point.sum().to_string(), "87.040000002");
}

#[test]
fn every_outcome_counts_once_under_its_own_name() {
    let outcomes = [
        Outcome::Success,
        Outcome::Error,
        Outcome::Cancelled,
        Outcome::Interrupted,
        Outcome::TimedOut,
        Outcome::Abandoned,
    ];
    let records = outcomes.map(|outcome| Record { outcome, ..Record::default() });
    let aggregator = aggregator(&records, Options::default());
    for outcome in outcomes {
        let labels = [("llmspan.outcome", outcome.as_str())];
        assert_eq!(histogram(&aggregator, "gen_ai.client.operation.duration", &labels).count(), 1);
        assert_eq!(sum(&aggregator, "llmspan.calls", &labels), "1");
    }
    assert_eq!(aggregator.label_sets(), 6);
}

#[test]
fn an_empty_record_gives_no_invented_values() {
    let aggregator = aggregator(&[Record::default()], Options::default());
    let view = aggregator.view(window());
    let metrics: Vec<_> = view.families().map(|family| family.metric().name()).collect();
    assert_eq!(metrics, ["gen_ai.client.operation.duration", "llmspan.calls", "llmspan.attempts"]);
    let labels: Vec<_> = view.series().next().unwrap().labels().collect();
    assert_eq!(labels, [("gen_ai.operation.name", "chat"), ("llmspan.outcome", "success")]);
    assert_eq!(histogram(&aggregator, "llmspan.attempts", &[]).sum().as_count(), Some(0));
}

#[test]
fn a_call_that_is_not_streamed_has_preparation_and_processing() {
    let whole = record(
        r#"
{"at_ns": 0, "event": "call_started", "provider": "openai", "stream": false}
{"at_ns": 100000000, "event": "attempt_started"}
{"at_ns": 900000000, "event": "usage", "usage": {"input_tokens": 10, "output_tokens": 20}}
{"at_ns": 1100000000, "event": "call_ended"}
"#,
    );
    let aggregator = aggregator(&[whole], Options::default());
    let phase = |phase| series(&aggregator, "llmspan.breakdown", &[("llmspan.phase", phase)]).len();
    assert_eq!((phase("request_preparation"), phase("network_latency"), phase("response_processing")), (1, 0, 1));
    let sum_of = |phase| histogram(&aggregator, "llmspan.breakdown", &[("llmspan.phase", phase)]).sum().to_string();
    assert_eq!(sum_of("request_preparation"), "0.1");
    assert_eq!(sum_of("response_processing"), "1");
    assert!(series(&aggregator, "llmspan.time_to_first_token", &[]).is_empty());
}

#[test]
fn a_cancelled_call_keeps_what_it_reached() {
    let cancelled = record(
        r#"
{"at_ns": 0, "event": "call_started", "provider": "anthropic", "stream": true}
{"at_ns": 0, "event": "attempt_started"}
{"at_ns": 400000000, "event": "chunk", "content": "text"}
{"at_ns": 500000000, "event": "cancelled"}
{"at_ns": 500000000, "event": "call_ended"}
"#,
    );
    let aggregator = aggregator(&[cancelled], Options::default());
    let labels = [("llmspan.outcome", "cancelled")];
    assert_eq!(histogram(&aggregator, "llmspan.time_to_first_token", &labels).sum().to_string(), "0.4");
    assert_eq!(histogram(&aggregator, "gen_ai.client.operation.duration", &labels).sum().to_string(), "0.5");
    assert!(series(&aggregator, "gen_ai.client.token.usage", &[]).is_empty());
    let with_error = series(&aggregator, "llmspan.calls", &[]);
    assert!(with_error.iter().all(|series| series.labels().all(|(name, _)| name != "error.type")));
}

#[test]
fn errors_are_told_apart_by_type() {
    let failed = |kind: &str| Record {
        outcome: Outcome::Error,
        error: Some(RecordError { error_type: kind.into(), ..RecordError::default() }),
        ..Record::default()
    };
    let aggregator = aggregator(&[failed("429"), failed("429"), failed("timeout")], Options::default());
    assert_eq!(sum(&aggregator, "llmspan.calls", &[("error.type", "429")]), "2");
    assert_eq!(sum(&aggregator, "llmspan.calls", &[("error.type", "timeout")]), "1");
}

#[test]
fn money_is_counted_in_dollars_only() {
    let paid = |currency: &str| Record {
        cost: Some(Cost {
            currency: currency.into(),
            total: Some(Money::from_nanos(480_000)),
            wasted: Some(Money::from_nanos(20_000)),
            ..Cost::default()
        }),
        ..Record::default()
    };
    let aggregator = aggregator(&[paid("USD"), paid("EUR"), paid("USD")], Options::default());
    let point = histogram(&aggregator, "llmspan.cost", &[]);
    assert_eq!((point.count(), point.sum().to_string().as_str()), (2, "0.00096"));
    assert_eq!(point.counts(), [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(sum(&aggregator, "llmspan.cost.wasted", &[]), "0.00004");
}

#[test]
fn counts_of_tokens_above_two_to_the_53_stay_exact() {
    let mut record = Record::default();
    let usage = record.usage.get_or_insert_default();
    usage.input_tokens = Some((1 << 53) + 1);
    usage.output_tokens = Some(u64::MAX);
    let aggregator = aggregator(&[record.clone(), record], Options::default());
    let sum_of = |kind| histogram(&aggregator, "gen_ai.client.token.usage", &[("gen_ai.token.type", kind)]).sum();
    assert_eq!(sum_of("input").to_string(), "18014398509481986");
    assert_eq!(sum_of("output").to_string(), "36893488147419103230");
    assert_eq!((sum_of("input").as_count(), sum_of("output").as_count()), (Some(18_014_398_509_481_986), None));
}

#[test]
fn labels_are_cut_cleaned_and_renamed() {
    let long = "é".repeat(300);
    let records: Vec<_> = ["a\u{0}b\n", "", long.as_str(), "x_ai"]
        .map(|provider| Record { provider: Some(provider.into()), ..Record::default() })
        .into();
    let mut aggregator = Aggregator::new(names("otel-1.36"), Options::default());
    for record in &records {
        aggregator.observe(record);
    }
    let systems: Vec<_> = series(&aggregator, "llmspan.calls", &[])
        .iter()
        .map(|series| series.labels().find(|(name, _)| *name == "gen_ai.system").map(|(_, value)| value))
        .collect();
    let cut = "é".repeat(128);
    assert_eq!(systems, [None, Some("a_b_"), Some("xai"), Some(cut.as_str())]);
}

#[test]
fn the_response_model_is_a_label_on_request() {
    let record = Record { response_model: Some("gpt-4.1-2025".into()), ..Record::default() };
    let has = |options| {
        let aggregator = aggregator(core::slice::from_ref(&record), options);
        !series(&aggregator, "llmspan.calls", &[("gen_ai.response.model", "gpt-4.1-2025")]).is_empty()
    };
    assert!(!has(Options::default()));
    assert!(has(Options::default().with_labels(Labels::WithResponseModel)));
}

#[test]
fn what_went_wrong_is_counted_by_kind() {
    let mut record = Record::default();
    record.diagnostics.late_events = 3;
    record.diagnostics.dropped.waits = Some(2);
    record.keep_alives.get_or_insert_default().count = 7;
    record.slo = Some(crate::record::SloVerdict { met: false, failed: vec!["ttft".into()] });
    let aggregator = aggregator(&[record.clone(), record], Options::default());
    assert_eq!(sum(&aggregator, "llmspan.diagnostics", &[("llmspan.diagnostic", "late_events")]), "6");
    assert_eq!(sum(&aggregator, "llmspan.dropped", &[("llmspan.list", "waits")]), "4");
    assert_eq!(sum(&aggregator, "llmspan.keep_alives", &[]), "14");
    assert_eq!(sum(&aggregator, "llmspan.slo", &[("llmspan.slo.result", "missed")]), "2");
    assert_eq!(series(&aggregator, "llmspan.diagnostics", &[]).len(), 1);
}

#[test]
fn other_profiles_have_their_own_names_and_units() {
    let mut qwen = Aggregator::new(names("qwen-code"), Options::default());
    qwen.observe(&retried());
    assert_eq!(histogram(&qwen, "qwen-code.api.request.latency", &[]).sum().to_string(), "3250");
    let ttft =
        histogram(&qwen, "qwen-code.api.request.breakdown", &[("model", "gpt-4.1-mini"), ("phase", "network_latency")]);
    assert_eq!(ttft.sum().to_string(), "200");
    assert_eq!(sum(&qwen, "qwen-code.token.usage", &[("type", "cache")]), "4");

    let mut main = Aggregator::new(names("otel-main"), Options::default());
    main.observe(&retried());
    let labels = [("gen_ai.token.modality", "unknown")];
    assert_eq!(sum(&main, "gen_ai.client.inference.usage.output_tokens", &labels), "501");
    assert_eq!(histogram(&main, "gen_ai.client.inference.operation.output_tokens", &[]).sum().to_string(), "501");
}
