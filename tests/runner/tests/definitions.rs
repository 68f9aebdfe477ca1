//! What holds for the definitions of every record, however odd.

mod common;

use llmspan_core::{
    config::Config,
    definitions::{Measure, Metric, Tool},
    engine::Tracker,
    record::{Outcome, Record},
};
use proptest::prelude::*;

fn check(record: &Record) {
    let definitions = record.definitions();
    for one in &definitions {
        assert_eq!(one.value.is_some(), one.why_absent.is_none(), "{one:?}");
        assert!(one.value.is_none() || one.between.is_none(), "{one:?}");
        if let Some(Measure::PerSecond(rate)) = one.value {
            assert!(rate.is_finite() && rate >= 0.0, "{one:?}");
        }
        if let Some([shortest, longest]) = one.between {
            assert!(shortest <= longest, "{one:?}");
        }
        if matches!(one.value, Some(Measure::Time(time)) if time > record.duration_ns) {
            panic!("longer than the call: {one:?}");
        }
    }
    let first = |tool: Tool| {
        let mut all = definitions.iter();
        all.find(|one| (one.tool, one.metric) == (tool, Metric::TimeToFirstToken)).and_then(|one| one.value)
    };
    assert_eq!(first(Tool::Llmspan), record.ttft_ns.filter(|_| record.stream).map(Measure::Time));
    if record.outcome == Outcome::Success {
        // What counts text and reasoning alone is never earlier than what counts everything, except for the 0 of none.
        if let (Some(Measure::Time(sglang)), Some(Measure::Time(own))) = (first(Tool::Sglang), first(Tool::Llmspan)) {
            assert!(sglang >= own || sglang.as_nanos() == 0);
        }
    } else {
        assert!(first(Tool::Vllm).is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_figure_is_a_value_or_has_a_reason(log in common::log()) {
        let mut tracker = Tracker::new(Config::default()).unwrap();
        let last = log.iter().map(|event| event.at).max().unwrap_or_default();
        for event in log {
            tracker.handle_event(&event);
        }
        tracker.handle_shutdown(last);
        while let Some(record) = tracker.poll_record() {
            check(&record);
        }
    }
}
