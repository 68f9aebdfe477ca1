//! Which call a bucket remembers.

use alloc::{format, string::ToString, vec::Vec};

use super::*;
use crate::{record::InterChunk, time::Nanos};

fn traced(duration_ms: u64, end: Option<u64>, span: u8) -> Record {
    Record {
        duration_ns: Nanos::from_millis(duration_ms),
        end_unix_ns: end.map(UnixNanos::from_nanos),
        trace_id: Some("0af7651916cd43dd8448eb211c80319c".into()),
        span_id: Some(format!("{span:016x}")),
        ..Record::default()
    }
}

fn spans(aggregator: &Aggregator) -> Vec<(u8, String)> {
    let point = histogram(aggregator, "gen_ai.client.operation.duration", &[]);
    point.exemplars().map(|(exemplar, value)| (exemplar.span_id()[7], value.to_string())).collect()
}

#[test]
fn a_bucket_remembers_the_call_that_ended_last() {
    let records =
        [traced(200, Some(30), 1), traced(210, Some(10), 2), traced(220, Some(20), 3), traced(900, Some(5), 4)];
    let aggregator = aggregator(&records, Options::default());
    assert_eq!(spans(&aggregator), [(1, "0.2".into()), (4, "0.9".into())]);
}

#[test]
fn without_a_wall_clock_the_slower_call_is_kept() {
    let untimed = aggregator(&[traced(200, None, 1), traced(300, None, 2), traced(250, None, 3)], Options::default());
    assert_eq!(spans(&untimed), [(2, "0.3".into())]);
    let mixed = aggregator(&[traced(300, None, 2), traced(170, Some(0), 1)], Options::default());
    assert_eq!(spans(&mixed), [(1, "0.17".into())]);
}

#[test]
fn calls_without_valid_ids_are_no_examples() {
    let mut records = Vec::new();
    for (trace, span) in [
        (None, Some("b7ad6b7169203331")),
        (Some("0af7651916cd43dd8448eb211c80319c"), None),
        (Some("00000000000000000000000000000000"), Some("b7ad6b7169203331")),
        (Some("0af7651916cd43dd8448eb211c80319c"), Some("b7ad6b716920333\"")),
        (Some("0af7651916cd43dd8448eb211c80319"), Some("b7ad6b7169203331")),
        (Some("0af7651916cd43dd8448eb211c80319c0"), Some("b7ad6b7169203331")),
    ] {
        records.push(Record { trace_id: trace.map(Into::into), span_id: span.map(Into::into), ..Record::default() });
    }
    assert!(spans(&aggregator(&records, Options::default())).is_empty());
    let off = aggregator(&[traced(200, None, 1)], Options::default().with_exemplars(Exemplars::Off));
    assert!(spans(&off).is_empty());
}

#[test]
fn only_values_that_occurred_are_examples() {
    let aggregator = aggregator(&[retried()], Options::default());
    let point = histogram(&aggregator, "gen_ai.client.operation.time_per_output_chunk", &[]);
    let values: Vec<_> = point.exemplars().map(|(_, value)| value.to_string()).collect();
    assert_eq!(values, ["0.1", "0.6"]);
    let (exemplar, _) = point.exemplars().next().unwrap();
    assert_eq!(exemplar.at(), Some(UnixNanos::from_nanos(1_700_000_003_250_000_000)));
    assert_eq!(exemplar.trace_id()[..2], [0x0a, 0xf7]);
}

/// The median stands for gaps that no record tells apart: its bucket has counts, and no example.
#[test]
fn a_percentile_is_no_example() {
    let mut record = retried();
    record.inter_chunk = Some(InterChunk {
        count: 5,
        min_ns: Nanos::from_millis(15),
        p50_ns: Nanos::from_millis(100),
        p90_ns: Nanos::from_millis(600),
        p99_ns: Nanos::from_millis(600),
        max_ns: Nanos::from_millis(600),
        ..InterChunk::default()
    });
    let aggregator = aggregator(&[record], Options::default());
    let point = histogram(&aggregator, "gen_ai.client.operation.time_per_output_chunk", &[]);
    assert_eq!(point.counts(), [0, 1, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    let values: Vec<_> = point.exemplars().map(|(_, value)| value.to_string()).collect();
    assert_eq!(values, ["0.015", "0.6"]);
}
