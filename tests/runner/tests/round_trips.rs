//! Logs, records and calls in flight survive being written and read.

mod common;

use std::sync::Arc;

use llmspan_core::{
    config::Config,
    encode::{events_from_bytes, events_to_bytes},
    engine::{Call, Tracker},
    event::{Event, TimedEvent},
    record::Record,
    time::Timestamp,
};
use proptest::prelude::*;

fn replay(log: &[TimedEvent]) -> Vec<Record> {
    let mut tracker = Tracker::new(Config::default()).unwrap();
    let last = log.iter().map(|event| event.at).max().unwrap_or_default();
    for event in log {
        tracker.handle_event(event);
    }
    tracker.handle_shutdown(last);
    core::iter::from_fn(|| tracker.poll_record()).collect()
}

/// Runs a log through one call. With `resume_at`, the call is written and read again before that event.
fn run(log: &[TimedEvent], resume_at: Option<usize>) -> Option<Record> {
    let config = Arc::new(Config::default());
    let (first, rest) = log.split_first()?;
    let Event::CallStarted(start) = &first.event else { return None };
    let mut call = Call::new(Arc::clone(&config), first.at, (**start).clone());
    let mut last = Timestamp::default();
    for (at, event) in rest.iter().enumerate() {
        if resume_at == Some(at)
            && let Some(snapshot) = call.snapshot()
        {
            call = Call::resume(Arc::clone(&config), &snapshot).unwrap();
        }
        last = event.at;
        call.handle_event(event.at, event.attempt, &event.event);
    }
    call.handle_dropped(last);
    call.poll_record()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_log_replays_to_the_same_records(log in common::log()) {
        let records = replay(&log);
        let lines: Vec<String> = log.iter().map(|event| event.to_json().unwrap()).collect();
        let from_json = llmspan_core::event::read_log(&lines.join("\n")).unwrap();
        prop_assert_eq!(&from_json, &log);
        prop_assert_eq!(&replay(&from_json), &records);
        let from_bytes = events_from_bytes(&events_to_bytes(&log).unwrap()).unwrap();
        prop_assert_eq!(&from_bytes, &log);
        prop_assert_eq!(&replay(&from_bytes), &records);
    }

    #[test]
    fn a_record_survives_both_forms(log in common::log()) {
        for record in replay(&log) {
            prop_assert_eq!(&Record::from_json(&record.to_json()).unwrap(), &record);
            prop_assert_eq!(&Record::from_bytes(&record.to_bytes().unwrap()).unwrap(), &record);
        }
    }

    #[test]
    fn a_call_goes_on_from_its_snapshot(log in common::log(), at in 0_usize..40) {
        prop_assert_eq!(run(&log, Some(at)), run(&log, None));
    }

    #[test]
    fn broken_bytes_are_an_error_and_no_panic(log in common::log(), cut in any::<prop::sample::Index>(), flip in any::<(prop::sample::Index, u8)>()) {
        let mut bytes = events_to_bytes(&log).unwrap();
        let at = flip.0.index(bytes.len());
        bytes[at] ^= flip.1;
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = events_from_bytes(&bytes);
        let _ = Record::from_bytes(&bytes);
        let _ = Call::resume(Arc::new(Config::default()), &bytes);
    }
}

#[test]
fn another_version_is_refused_by_name() {
    let error = Record::from_bytes(&[9, 0, 0]).unwrap_err();
    assert_eq!(error.code(), "unsupported_version");
    assert_eq!(Record::from_bytes(&[]).unwrap_err().code(), "invalid_record");
}
