//! Event logs replay to right records, and survive being written and read.

use std::sync::Arc;

use llmspan_core::{
    config::Config,
    encode::{events_from_bytes, events_to_bytes},
    engine::{Call, Tracker},
    event::TimedEvent,
    record::Record,
};

use crate::responses::check_record;

/// Reads each line as an event; lines that are none are left out.
pub(crate) fn check_lines(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let log: Vec<TimedEvent> = text.lines().filter_map(|line| TimedEvent::from_json(line).ok()).collect();
    for event in &log {
        let line = event.to_json().expect("an event that was read");
        assert_eq!(&TimedEvent::from_json(&line).expect("an event's JSON"), event, "{line}");
    }
    let bytes = events_to_bytes(&log).expect("events that were read");
    assert_eq!(events_from_bytes(&bytes).expect("a log's bytes"), log);
    check_records(&log);
}

/// Reads a log, a record or a snapshot from bytes that may be none.
pub(crate) fn check_compact(data: &[u8]) {
    if let Ok(log) = events_from_bytes(data) {
        let bytes = events_to_bytes(&log).expect("events that were read");
        // Floats that are no number are never equal: their bytes are.
        assert_eq!(events_to_bytes(&events_from_bytes(&bytes).expect("a log's bytes")).ok(), Some(bytes));
        check_records(&log);
    }
    let _ = Record::from_bytes(data);
    let _ = Call::resume(Arc::new(Config::default()), data);
}

fn check_records(log: &[TimedEvent]) {
    let mut tracker = Tracker::new(Config::default()).expect("the default configuration");
    for event in log {
        tracker.handle_event(event);
        let due = tracker.poll_timeout();
        tracker.handle_timeout(event.at);
        assert!(due.is_none_or(|due| due > event.at) || tracker.poll_timeout().is_none_or(|due| due > event.at));
    }
    tracker.handle_shutdown(log.iter().map(|event| event.at).max().unwrap_or_default());
    assert_eq!(tracker.open_calls(), 0);
    while let Some(record) = tracker.poll_record() {
        check_record(&record);
    }
}
