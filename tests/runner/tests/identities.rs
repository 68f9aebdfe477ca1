//! What holds for the record of every log, however odd.

mod common;

use llmspan_core::{config::Config, engine::Tracker, event::TimedEvent, record::Record};
use llmspan_runner::identities;
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn every_record_satisfies_the_identities(log in common::log()) {
        let records = replay(log);
        prop_assert!(!records.is_empty());
        for record in &records {
            prop_assert_eq!(identities::broken(record), Vec::<String>::new());
        }
    }
}
