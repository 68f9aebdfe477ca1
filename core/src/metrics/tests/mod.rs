//! Tests of metrics through their public face.

mod exemplars;
mod exponential;
mod gaps;
mod merging;
mod names;
mod observations;
mod observing;
mod overflow;
mod parser;
mod text;

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;

use super::*;
use crate::{config::Config, engine::Tracker, event::read_log, record::Record, time::UnixNanos};

/// The record of a log with one call.
fn record(log: &str) -> Record {
    let mut tracker = Tracker::new(Config::default()).unwrap();
    for event in read_log(log).unwrap() {
        tracker.handle_event(&event);
    }
    tracker.poll_record().expect("the call ends")
}

/// A streamed call that succeeds at its second attempt: setup 2.05 s, first token after 0.2 s, gaps of 0.1 s and 0.6 s,
/// sampling 1 s.
fn retried() -> Record {
    record(
        r#"
{"at_ns": 0, "event": "call_started", "operation": "chat", "provider": "openai", "model": "gpt-4.1-mini", "stream": true, "unix_ns": "1700000000000000000", "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
{"at_ns": 0, "event": "attempt_started"}
{"at_ns": 50000000, "event": "attempt_failed", "status_code": 429}
{"at_ns": 50000000, "event": "retry_scheduled", "delay_ns": 2000000000, "reason": "rate_limit", "server_requested": true}
{"at_ns": 2050000000, "event": "attempt_started"}
{"at_ns": 2250000000, "event": "chunk", "content": "text"}
{"at_ns": 2350000000, "event": "chunk", "content": "text"}
{"at_ns": 2950000000, "event": "chunk", "content": "text"}
{"at_ns": 3250000000, "event": "chunk", "finish_reasons": ["stop"], "usage": {"input_tokens": 10, "output_tokens": 501, "cache_read_tokens": 4}, "terminal": true}
{"at_ns": 3250000000, "event": "call_ended"}
"#,
    )
}

fn names(profile: &str) -> &'static MetricNames {
    MetricNames::by_profile(profile).unwrap()
}

fn aggregator(records: &[Record], options: Options) -> Aggregator {
    let mut aggregator = Aggregator::new(names("otel-1.41"), options);
    for record in records {
        aggregator.observe(record);
    }
    aggregator
}

fn window() -> Window {
    Window::cumulative(
        UnixNanos::from_nanos(1_700_000_000_500_000_000),
        UnixNanos::from_nanos(1_700_000_100_000_000_000),
    )
}

/// The series of a metric, those that have all of the labels given.
fn series<'a>(aggregator: &'a Aggregator, metric: &str, labels: &[(&str, &str)]) -> Vec<Series<'a>> {
    let all = aggregator.view(window()).series().collect::<Vec<_>>();
    all.into_iter()
        .filter(|series| series.metric().name() == metric)
        .filter(|series| labels.iter().all(|wanted| series.labels().any(|label| label == *wanted)))
        .collect()
}

fn histogram<'a>(aggregator: &'a Aggregator, metric: &str, labels: &[(&str, &str)]) -> HistogramPoint<'a> {
    match series(aggregator, metric, labels).as_slice() {
        [one] => match one.point() {
            Point::Histogram(point) => point,
            Point::Sum(_) => panic!("{metric} is a counter"),
        },
        other => panic!("{} series of {metric} {labels:?}", other.len()),
    }
}

fn sum(aggregator: &Aggregator, metric: &str, labels: &[(&str, &str)]) -> String {
    match series(aggregator, metric, labels).as_slice() {
        [one] => match one.point() {
            Point::Sum(sum) => format!("{sum}"),
            Point::Histogram(_) => panic!("{metric} is a histogram"),
        },
        other => panic!("{} series of {metric} {labels:?}", other.len()),
    }
}

/// Everything that can be read of an aggregator.
fn dump(aggregator: &Aggregator) -> String {
    let mut out = String::new();
    for series in aggregator.view(window()).series() {
        let labels: Vec<_> = series.labels().collect();
        let _ = write!(out, "{} {labels:?} ", series.metric().name());
        let _ = match series.point() {
            Point::Sum(sum) => writeln!(out, "{sum}"),
            Point::Histogram(point) => {
                let exemplars: Vec<_> = point.exemplars().collect();
                let (count, sum, min, max) = (point.count(), point.sum(), point.min(), point.max());
                let counts = point.counts();
                writeln!(out, "{count} {sum} {min} {max} {counts:?} {exemplars:?} {:?}", point.exponential())
            }
        };
    }
    out
}
