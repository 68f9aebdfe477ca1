//! Aggregators merge without loss.

use alloc::{format, vec::Vec};

use proptest::prelude::*;

use super::*;
use crate::{
    record::{InterChunk, Outcome},
    time::Nanos,
};

prop_compose! {
    fn records()(
        model in 0..6_u8,
        failed in any::<bool>(),
        duration in prop_oneof![Just(0), 1..100_u64, 1..100_000_000_000_u64, any::<u64>()],
        ttft in proptest::option::of(0..10_000_000_000_u64),
        tokens in proptest::option::of(prop_oneof![0..5_000_u64, any::<u64>()]),
        gaps in proptest::option::of((1..500_u64, 1..1_000_000_u64, 1..50_u64)),
        end in proptest::option::of(0..50_u64),
        span in 0..5_u8,
    ) -> Record {
        let mut record = Record {
            model: Some(format!("m{model}")),
            outcome: if failed { Outcome::Error } else { Outcome::Success },
            stream: true,
            duration_ns: Nanos::from_nanos(duration),
            ttft_ns: ttft.map(Nanos::from_nanos),
            start_unix_ns: end.map(UnixNanos::from_nanos),
            end_unix_ns: end.map(UnixNanos::from_nanos),
            trace_id: Some(format!("{span:032x}")),
            span_id: Some(format!("{span:016x}")),
            ..Record::default()
        };
        if tokens.is_some() {
            record.usage.get_or_insert_default().output_tokens = tokens;
        }
        record.inter_chunk = gaps.map(|(count, min, spread)| InterChunk {
            count,
            min_ns: Nanos::from_nanos(min),
            max_ns: Nanos::from_nanos(min * spread),
            mean_ns: Nanos::from_nanos(min),
            p50_ns: Nanos::from_nanos(min),
            p90_ns: Nanos::from_nanos(min * spread / 2),
            p99_ns: Nanos::from_nanos(min * spread),
            ..InterChunk::default()
        });
        record
    }
}

fn merged(parts: &[&Aggregator]) -> Aggregator {
    let mut all = parts[0].clone();
    for part in &parts[1..] {
        all.merge(part).unwrap();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_division_of_the_records_gives_the_same(
        records in proptest::collection::vec(records(), 0..40),
        cut in 0..40_usize,
    ) {
        let options = Options::default().with_buckets(Buckets::ExplicitAndExponential);
        let whole = aggregator(&records, options);
        let (front, back) = records.split_at(cut.min(records.len()));
        let (front, back) = (aggregator(front, options), aggregator(back, options));
        prop_assert_eq!(dump(&whole), dump(&merged(&[&front, &back])));
        prop_assert_eq!(dump(&whole), dump(&merged(&[&back, &front])));
        let mut reversed = records;
        reversed.reverse();
        prop_assert_eq!(dump(&whole), dump(&aggregator(&reversed, options)));
    }

    #[test]
    fn merging_is_associative_and_commutative_past_the_cap(
        parts in proptest::collection::vec(proptest::collection::vec(records(), 0..12), 3),
        cap in 0..6_usize,
    ) {
        let options = Options::default().with_label_sets(cap).with_buckets(Buckets::ExplicitAndExponential);
        let parts: Vec<_> = parts.iter().map(|records| aggregator(records, options)).collect();
        let (a, b, c) = (&parts[0], &parts[1], &parts[2]);
        let left = merged(&[&merged(&[a, b]), c]);
        prop_assert_eq!(dump(&left), dump(&merged(&[a, &merged(&[b, c])])));
        prop_assert_eq!(dump(&left), dump(&merged(&[c, b, a])));
        prop_assert!(left.label_sets() <= cap);
        let calls: u64 = series(&left, "llmspan.attempts", &[]).iter().map(|series| match series.point() {
            Point::Histogram(point) => point.count(),
            Point::Sum(_) => 0,
        }).sum();
        let expected: u64 = parts.iter().flat_map(|part| series(part, "llmspan.attempts", &[])).map(|series| match series.point() {
            Point::Histogram(point) => point.count(),
            Point::Sum(_) => 0,
        }).sum();
        prop_assert_eq!(calls, expected);
    }
}

#[test]
fn deltas_add_up_to_the_cumulative_series() {
    let options = Options::default().with_buckets(Buckets::ExplicitAndExponential);
    let whole = aggregator(&[retried(), Record::default(), retried()], options);
    let mut running = aggregator(&[retried(), Record::default()], options);
    let first = running.take();
    assert!(running.is_empty());
    running.observe(&retried());
    let second = running.take();
    assert_eq!(dump(&merged(&[&first, &second])), dump(&whole));
    assert_eq!(sum(&second, "llmspan.calls", &[]), "1");
    let delta = Window::delta(UnixNanos::from_nanos(5), UnixNanos::from_nanos(9));
    let window = second.view(delta).series().next().unwrap().window();
    assert_eq!((window.temporality, window.start), (Temporality::Delta, Some(UnixNanos::from_nanos(5))));
    assert_eq!(dump(&whole.snapshot()), dump(&whole));
}

#[test]
fn unlike_aggregators_do_not_merge() {
    let mut one = aggregator(&[retried()], Options::default());
    let before = dump(&one);
    let other_names = Aggregator::new(names("qwen-code"), Options::default());
    assert_eq!(one.merge(&other_names).unwrap_err().code(), "invalid_config");
    let other_options = aggregator(&[retried()], Options::default().with_exemplars(Exemplars::Off));
    assert_eq!(one.merge(&other_options).unwrap_err().code(), "invalid_config");
    assert_eq!(dump(&one), before);
}
