//! What counting calls costs: no allocation for labels that are known, and a bounded amount of memory for each label set.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use allocation_counter::measure;
use llmspan_core::{
    metrics::{Aggregator, Buckets, Exemplars, MetricNames, Options},
    record::Record,
};

/// A streamed call with a value for every metric of the default profile, one for each label too.
fn full(model: usize) -> Record {
    const REASONS: [&str; 10] = [
        "content",
        "continuation",
        "fallback",
        "key_pool",
        "network",
        "other",
        "rate_limit",
        "server_error",
        "timeout",
        "truncation",
    ];
    let waits: Vec<_> =
        REASONS.iter().map(|reason| format!(r#"{{"reason": "{reason}", "actual_delay_ns": 5000}}"#)).collect();
    let usage = r#"{"input_tokens": 9, "output_tokens": 9, "cache_read_tokens": 4, "cache_write_tokens": 4, "reasoning_tokens": 4}"#;
    let text = format!(
        r#"{{
            "operation": "chat", "provider": "openai", "model": "model-{model:05}", "stream": true, "outcome": "success",
            "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331", "end_unix_ns": "1700000003250000000",
            "duration_ns": 9000, "request_setup_ns": 1000, "ttft_ns": 2000, "call_ttft_ns": 3000, "sampling_ns": 5000,
            "time_to_first_chunk_ns": 1500, "time_per_output_token_ns": 70, "attempt_count": 2,
            "inter_chunk": {{"count": 9, "min_ns": 1, "max_ns": 900, "mean_ns": 100, "p50_ns": 90, "p90_ns": 300, "p99_ns": 900}},
            "waits": [{}], "usage": {usage}, "wasted_usage": {usage}, "keep_alives": {{"count": 2}},
            "cost": {{"currency": "USD", "total": "0.5", "wasted": "0.1"}}, "slo": {{"met": true}},
            "diagnostics": {{"late_events": 2, "dropped": {{"waits": 1}}}}
        }}"#,
        waits.join(",")
    );
    Record::from_json(&text).unwrap()
}

fn aggregator(options: Options) -> Aggregator {
    Aggregator::new(MetricNames::by_profile("otel-1.41").unwrap(), options)
}

#[test]
fn a_call_with_known_labels_allocates_nothing() {
    for buckets in [Buckets::Explicit, Buckets::ExplicitAndExponential] {
        let mut aggregator = aggregator(Options::default().with_buckets(buckets).with_label_sets(1));
        let (known, past_the_cap) = (full(1), full(2));
        for record in [&known, &past_the_cap] {
            let first = measure(|| aggregator.observe(record));
            assert!(first.count_total > 0);
            let next = measure(|| aggregator.observe(record));
            assert_eq!(next.count_total, 0);
        }
    }
}

/// The figures of the module's documentation, in bytes for each label set that has seen everything.
#[test]
fn a_label_set_takes_no_more_than_the_documented_memory() {
    const LABEL_SETS: usize = 64;
    let exponential = Options::default().with_buckets(Buckets::ExplicitAndExponential);
    for (options, most) in [
        (Options::default(), 27 << 10),
        (Options::default().with_exemplars(Exemplars::Off), 8 << 10),
        (exponential, 61 << 10),
    ] {
        let records: Vec<_> = (0..LABEL_SETS * 2).map(full).collect();
        let mut aggregator = aggregator(options.with_label_sets(LABEL_SETS));
        let info = measure(|| records.iter().for_each(|record| aggregator.observe(record)));
        let each = usize::try_from(info.bytes_current).unwrap() / (LABEL_SETS + 1);
        assert!(each <= most && each > most * 4 / 5, "{each} bytes, {most} documented");
        assert_eq!((aggregator.label_sets(), aggregator.has_overflow()), (LABEL_SETS, true));
    }
}
