//! Label sets past the cap.

use alloc::{format, vec::Vec};

use super::*;

fn of_model(model: &str) -> Record {
    Record { model: Some(model.into()), ..Record::default() }
}

fn models(aggregator: &Aggregator) -> Vec<String> {
    let calls = series(aggregator, "llmspan.calls", &[]);
    let name = |series: &Series<'_>| match series.labels().find(|(name, _)| *name == "gen_ai.request.model") {
        Some((_, model)) => format!("{model}={}", total(series)),
        None => format!("overflow={}", total(series)),
    };
    calls.iter().map(name).collect()
}

fn total(series: &Series<'_>) -> String {
    match series.point() {
        Point::Sum(sum) => format!("{sum}"),
        Point::Histogram(_) => panic!("a counter"),
    }
}

#[test]
fn new_label_sets_share_one_series() {
    let records = ["b", "a", "c", "a", "d"].map(of_model);
    let aggregator = aggregator(&records, Options::default().with_label_sets(2));
    assert_eq!(models(&aggregator), ["a=2", "b=1", "overflow=2"]);
    assert!(aggregator.has_overflow());
    let overflow = series(&aggregator, "gen_ai.client.operation.duration", &[("otel.metric.overflow", "true")]);
    assert_eq!(overflow.len(), 1);
    assert_eq!(overflow[0].labels().collect::<Vec<_>>(), [("otel.metric.overflow", "true")]);
    assert!(overflow[0].is_overflow());
}

#[test]
fn details_are_told_apart_in_the_overflow_too() {
    let aggregator = aggregator(&[retried()], Options::default().with_label_sets(0));
    let labels = [("otel.metric.overflow", "true"), ("gen_ai.token.type", "input")];
    assert_eq!(histogram(&aggregator, "gen_ai.client.token.usage", &labels).count(), 1);
    assert_eq!(aggregator.label_sets(), 0);
}

#[test]
fn merging_past_the_cap_keeps_the_first_label_sets() {
    let options = Options::default().with_label_sets(2);
    let one = aggregator(&["c", "b"].map(of_model), options);
    let two = aggregator(&["a", "c", "c", "x"].map(of_model), options);
    let mut both = one.clone();
    both.merge(&two).unwrap();
    assert_eq!(models(&both), ["a=1", "b=1", "overflow=4"]);
    let mut reversed = two;
    reversed.merge(&one).unwrap();
    assert_eq!(dump(&both), dump(&reversed));
}

#[test]
fn a_flood_of_labels_stays_at_the_cap() {
    let mut aggregator = Aggregator::new(names("otel-1.41"), Options::default().with_label_sets(8));
    for number in 0..1000 {
        aggregator.observe(&of_model(&format!("model-{number}")));
    }
    assert_eq!(aggregator.label_sets(), 8);
    assert_eq!(series(&aggregator, "llmspan.calls", &[]).len(), 9);
    assert_eq!(sum(&aggregator, "llmspan.calls", &[("otel.metric.overflow", "true")]), "992");
}
