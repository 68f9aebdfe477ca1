//! How a summary of gaps becomes observations.

use alloc::{string::ToString, vec::Vec};

use super::*;
use crate::{record::InterChunk, time::Nanos};

const METRIC: &str = "gen_ai.client.operation.time_per_output_chunk";

fn streamed(gaps_ms: &[u64]) -> Record {
    let mut log = String::from(
        r#"{"at_ns": 0, "event": "call_started", "stream": true}
{"at_ns": 0, "event": "attempt_started"}
{"at_ns": 0, "event": "chunk", "content": "text"}
"#,
    );
    let mut at = 0;
    for gap in gaps_ms {
        at += gap * 1_000_000;
        let _ = writeln!(log, r#"{{"at_ns": {at}, "event": "chunk", "content": "text"}}"#);
    }
    let _ = writeln!(log, r#"{{"at_ns": {at}, "event": "call_ended"}}"#);
    record(&log)
}

fn counted(gaps_ms: &[u64]) -> (u64, String, Vec<u64>) {
    let aggregator = aggregator(&[streamed(gaps_ms)], Options::default());
    let point = histogram(&aggregator, METRIC, &[]);
    (point.count(), point.sum().to_string(), point.counts().into())
}

#[test]
fn one_or_two_gaps_are_exact() {
    let (count, sum, counts) = counted(&[100]);
    assert_eq!((count, sum.as_str()), (1, "0.1"));
    assert_eq!(counts, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let (count, sum, counts) = counted(&[700, 15]);
    assert_eq!((count, sum.as_str()), (2, "0.715"));
    assert_eq!(counts, [0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    assert!(series(&aggregator(&[streamed(&[])], Options::default()), METRIC, &[]).is_empty());
}

/// 100 gaps: 60 of 5 ms, 30 of 30 ms, 9 of 100 ms, one of 1 s. Ranks 1 to 50 are at most the median of 5 ms; ranks up to 90
/// at most 30 ms; up to 99 at most 100 ms. So ten gaps of 5 ms are counted as 30 ms, and nothing else is off.
#[test]
fn gaps_between_percentiles_are_counted_at_the_one_above() {
    let gaps: Vec<_> = [(60, 5), (30, 30), (9, 100), (1, 1000)]
        .into_iter()
        .flat_map(|(times, gap)| core::iter::repeat_n(gap, times))
        .collect();
    let (count, sum, counts) = counted(&gaps);
    assert_eq!((count, sum.as_str()), (100, "3.1"));
    assert_eq!(counts, [50, 0, 40, 0, 9, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn buckets_never_show_shorter_gaps() {
    let mut seed = 7_u64;
    for length in 3..60 {
        let gaps: Vec<_> = (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Away from the bounds, where 1 % could change the bucket.
                [3, 15, 30, 60, 120, 250, 500, 1000][usize::try_from(seed >> 61).unwrap()]
            })
            .collect();
        let (count, sum, counts) = counted(&gaps);
        assert_eq!(count, counts.iter().sum::<u64>());
        assert_eq!(sum, Quantity::new(u128::from(gaps.iter().sum::<u64>()), 1000).to_string());
        let mut below = 0;
        for (count, bound) in counts.iter().zip([10, 20, 40, 80, 160, 320, 640, 1280]) {
            below += count;
            assert!(below <= u64::try_from(gaps.iter().filter(|gap| **gap <= bound).count()).unwrap(), "{gaps:?}");
        }
    }
}

#[test]
fn a_summary_that_contradicts_itself_is_still_counted() {
    let mut record = Record { stream: true, ..Record::default() };
    record.inter_chunk = Some(InterChunk {
        count: u64::MAX,
        min_ns: Nanos::from_secs(5),
        max_ns: Nanos::from_secs(1),
        mean_ns: Nanos::from_nanos(u64::MAX),
        ..InterChunk::default()
    });
    let aggregator = aggregator(&[record.clone(), record], Options::default());
    let point = histogram(&aggregator, METRIC, &[]);
    assert_eq!((point.count(), point.min(), point.max()), (u64::MAX, point.min(), point.min()));
    assert_eq!(point.min().to_string(), "5");
    assert!(point.sum().as_f64().is_finite());
}
