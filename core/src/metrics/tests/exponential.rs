//! Exponential histograms against values computed elsewhere.

use alloc::{vec, vec::Vec};

use super::*;
use crate::time::Nanos;

fn options() -> Options {
    Options::default().with_buckets(Buckets::ExplicitAndExponential)
}

fn of_durations(nanos: &[u64]) -> Exponential {
    let record = |nanos: &u64| Record { duration_ns: Nanos::from_nanos(*nanos), ..Record::default() };
    let records: Vec<_> = nanos.iter().map(record).collect();
    let aggregator = aggregator(&records, options());
    histogram(&aggregator, "gen_ai.client.operation.duration", &[]).exponential().unwrap().clone()
}

fn of_tokens(tokens: &[u64]) -> Exponential {
    let record = |tokens: &u64| {
        let mut record = Record::default();
        record.usage.get_or_insert_default().input_tokens = Some(*tokens);
        record
    };
    let records: Vec<_> = tokens.iter().map(record).collect();
    let aggregator = aggregator(&records, options());
    histogram(&aggregator, "gen_ai.client.token.usage", &[]).exponential().unwrap().clone()
}

/// Scale, zeros, offset, and the places and counts of buckets that are not empty.
fn shape(exponential: &Exponential) -> (i32, u64, i32, Vec<(usize, u64)>) {
    let counts = exponential.counts().iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
    (exponential.scale(), exponential.zero_count(), exponential.offset(), counts)
}

/// Indexes at scale 20 from logarithms with 60 decimal digits.
#[test]
fn single_values_have_the_index_of_their_logarithm() {
    for (tokens, index) in [
        (1, -1),
        (2, 1_048_575),
        (3, 1_661_953),
        (1 << 53, 55_574_527),
        ((1 << 53) - 1, 55_574_527),
        ((1 << 53) + 1, 55_574_528),
        (u64::MAX, 67_108_863),
    ] {
        assert_eq!(shape(&of_tokens(&[tokens])), (20, 0, index, vec![(0, 1)]), "{tokens}");
    }
    for (nanos, index) in
        [(1, -31_349_647), (10_000_000, -6_966_589), (250_000_000, -2_097_153), (u64::MAX, 35_759_217)]
    {
        assert_eq!(shape(&of_durations(&[nanos])), (20, 0, index, vec![(0, 1)]), "{nanos} ns");
    }
}

/// The same values through the exponential histogram of the OpenTelemetry SDK for Python 1.45.
#[test]
fn several_values_are_spread_as_by_the_sdk() {
    let durations = [200_000_000, 250_000_000, 1_000_000_000, 2_250_000_000, 3_250_000_000, 0];
    let expected = vec![(0, 1), (10, 1), (74, 1), (112, 1), (129, 1)];
    assert_eq!(shape(&of_durations(&durations)), (5, 1, -75, expected));
    let near = [1_000_000_000, 1_000_001_000, 1_000_010_000];
    assert_eq!(shape(&of_durations(&near)), (20, 0, -1, vec![(0, 1), (2, 1), (16, 1)]));
    let tokens = [10, 500, 1000, 4096, 128_000];
    assert_eq!(shape(&of_tokens(&tokens)), (3, 0, 26, vec![(0, 1), (45, 1), (53, 1), (69, 1), (109, 1)]));
    let wide = [1, 1_000_000_000, u64::MAX];
    assert_eq!(shape(&of_durations(&wide)), (1, 0, -60, vec![(0, 1), (59, 1), (128, 1)]));
}

#[test]
fn buckets_number_at_most_160_and_lose_nothing() {
    let mut values = Vec::new();
    let mut value = 1_u64;
    while let Some(next) = value.checked_mul(3) {
        values.extend([value, value + 1, 0]);
        value = next;
        let exponential = of_tokens(&values);
        assert!(exponential.counts().len() <= 160);
        let counted = exponential.counts().iter().sum::<u64>() + exponential.zero_count();
        assert_eq!(counted, u64::try_from(values.len()).unwrap());
        // Neither end is empty, and one scale finer it would not fit.
        assert!(exponential.counts().first() != Some(&0) && exponential.counts().last() != Some(&0));
        assert!(exponential.scale() == 20 || exponential.counts().len() > 79, "{}", exponential.scale());
    }
}

#[test]
fn zeros_alone_have_no_buckets() {
    let exponential = of_tokens(&[0, 0]);
    assert_eq!(shape(&exponential), (20, 2, 0, vec![]));
}

#[test]
fn exponential_buckets_are_kept_on_request_only() {
    let aggregator = aggregator(&[retried()], Options::default());
    assert!(histogram(&aggregator, "gen_ai.client.operation.duration", &[]).exponential().is_none());
}
