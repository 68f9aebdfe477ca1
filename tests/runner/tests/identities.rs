//! What holds for the record of every log, however odd.

mod common;

use llmspan_core::{
    config::Config,
    engine::Tracker,
    event::TimedEvent,
    record::{Outcome, Record},
    time::Nanos,
};
use proptest::prelude::*;

fn replay(log: Vec<TimedEvent>) -> Vec<Record> {
    let mut tracker = Tracker::new(Config::default()).unwrap();
    let last = log.iter().map(|event| event.at).max().unwrap_or_default();
    for event in log {
        tracker.handle_event(&event);
    }
    tracker.handle_shutdown(last);
    core::iter::from_fn(|| tracker.poll_record()).collect()
}

fn nanos(value: Option<Nanos>) -> u64 {
    value.map_or(0, Nanos::as_nanos)
}

fn check(record: &Record) {
    let duration = record.duration_ns.as_nanos();
    if let Some(ttft) = record.ttft_ns {
        let parts =
            nanos(record.request_setup_ns) + ttft.as_nanos() + nanos(record.sampling_ns) + nanos(record.tail_ns);
        assert_eq!(duration, parts, "duration = setup + ttft + sampling + tail");
        assert_eq!(
            nanos(record.call_ttft_ns),
            nanos(record.request_setup_ns) + ttft.as_nanos(),
            "what the user felt is setup + ttft"
        );
    }
    assert!(record.unattributed_ns <= record.duration_ns);
    assert_eq!(record.retry_count, record.attempt_count.saturating_sub(1));
    assert_eq!(record.attempt_count == 0, record.request_setup_ns.is_none());
    assert_eq!(record.error.is_some(), matches!(record.outcome, Outcome::Error | Outcome::TimedOut));
    assert_eq!(record.timeout_kind.is_some(), record.outcome == Outcome::TimedOut);
    if !record.stream {
        assert_eq!(record.ttft_ns, None);
        assert_eq!(record.marks.first_chunk_ns, None);
        assert_eq!(record.output_buffered, None);
    }
    for attempt in &record.attempts {
        assert!(attempt.start_ns.as_nanos() + attempt.duration_ns.as_nanos() <= duration, "attempts end with the call");
        if let (Some(first), Some(content)) = (attempt.marks.first_chunk_ns, attempt.marks.first_content_ns) {
            assert!(first <= content, "no content before the first chunk");
        }
        if let Some(gaps) = &attempt.inter_chunk {
            assert!(gaps.min_ns <= gaps.p50_ns && gaps.p50_ns <= gaps.p90_ns);
            assert!(gaps.p90_ns <= gaps.p99_ns && gaps.p99_ns <= gaps.max_ns);
            assert!(gaps.min_ns <= gaps.mean_ns && gaps.mean_ns <= gaps.max_ns);
        }
        for rate in [attempt.output_tokens_per_second, attempt.decode_tokens_per_second].into_iter().flatten() {
            assert!(rate.is_finite() && rate >= 0.0);
        }
    }
    if record.attempts.iter().all(|attempt| attempt.hedged.is_none()) {
        for pair in record.attempts.windows(2) {
            assert!(
                pair[0].start_ns.as_nanos() + pair[0].duration_ns.as_nanos() <= pair[1].start_ns.as_nanos(),
                "attempts do not overlap"
            );
        }
    }
    let sum = |value: fn(&Record) -> Option<u64>, attempts: Option<u64>| assert_eq!(value(record), attempts);
    let total = |count: fn(&llmspan_core::record::Usage) -> Option<u64>| {
        record
            .attempts
            .iter()
            .filter_map(|attempt| attempt.usage.as_ref().and_then(count))
            .reduce(|a, b| (a + b).min(llmspan_core::time::MAX_SAFE_INTEGER))
    };
    if record.diagnostics.dropped.attempts.is_none() {
        sum(
            |record| record.total_usage.as_ref().and_then(|usage| usage.input_tokens),
            total(|usage| usage.input_tokens),
        );
        sum(
            |record| record.total_usage.as_ref().and_then(|usage| usage.output_tokens),
            total(|usage| usage.output_tokens),
        );
    }
    let waited: u64 = record
        .waits
        .iter()
        .filter(|wait| wait.after_attempt > 0 && !wait.aborted)
        .map(|wait| wait.actual_delay_ns.as_nanos())
        .sum();
    assert_eq!(record.retry_actual_delay_ns.as_nanos(), waited);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn every_record_satisfies_the_identities(log in common::log()) {
        let records = replay(log);
        prop_assert!(!records.is_empty());
        for record in &records {
            check(record);
        }
    }
}
