//! A tracker keeps many calls apart, and its memory within bounds.

use llmspan_core::{
    config::Config,
    engine::Tracker,
    event::{Event, TimedEvent},
    limits::Limits,
    machine::CallStart,
    record::{Outcome, Record},
    time::{Nanos, Timestamp},
};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn end(call: &str, millis: u64) -> TimedEvent {
    TimedEvent::new(at(millis), Event::CallEnded(Box::default())).of_call(call)
}

fn records(tracker: &mut Tracker) -> Vec<Record> {
    core::iter::from_fn(|| tracker.poll_record()).collect()
}

fn tracker(limits: Limits) -> Tracker {
    Tracker::new(Config::default().with_limits(limits)).unwrap()
}

#[test]
fn the_oldest_call_gives_way_as_abandoned() {
    let mut tracker = tracker(Limits { open_calls: 2, ..Limits::default() });
    for (millis, call) in [(0, "z"), (1, "a"), (2, "m")] {
        tracker.start_call(call, at(millis), CallStart::new("chat"));
    }
    assert_eq!(tracker.open_calls(), 2);
    assert_eq!(tracker.stats().evicted_calls, 1);
    let records = records(&mut tracker);
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].call.as_str(), records[0].outcome), ("z", Outcome::Abandoned));
    assert_eq!(records[0].duration_ns, Nanos::from_millis(2));
}

#[test]
fn records_that_nobody_takes_are_dropped_and_counted() {
    let mut tracker = tracker(Limits { pending_records: 2, ..Limits::default() });
    for number in 0..5 {
        let call = number.to_string();
        tracker.start_call(&call, at(number), CallStart::new("chat"));
        tracker.handle_event(&end(&call, number));
    }
    assert_eq!(tracker.stats().dropped_records, 3);
    let calls: Vec<String> = records(&mut tracker).into_iter().map(|record| record.call).collect();
    assert_eq!(calls, ["3", "4"]);
}

#[test]
fn stragglers_of_a_call_that_is_gone_open_no_call() {
    let mut tracker = tracker(Limits::default());
    tracker.start_call("a", at(0), CallStart::new("chat"));
    tracker.handle_event(&end("a", 1));
    assert_eq!(records(&mut tracker).len(), 1);
    tracker.handle_event(&TimedEvent::new(at(2), Event::KeepAlive).of_call("a"));
    tracker.handle_event(&end("a", 3));
    assert_eq!(tracker.open_calls(), 0);
    assert_eq!((tracker.stats().late_events, tracker.stats().duplicate_ends), (1, 1));
    assert!(records(&mut tracker).is_empty());
}

#[test]
fn deadlines_end_calls_in_their_order() {
    let config = Config::default().with_deadline(Nanos::from_millis(100));
    let mut tracker = Tracker::new(config).unwrap();
    tracker.start_call("late", at(50), CallStart::new("chat"));
    tracker.start_call("early", at(0), CallStart::new("chat"));
    assert_eq!(tracker.poll_timeout(), Some(at(100)));
    tracker.handle_timeout(at(99));
    assert!(tracker.poll_record().is_none());
    tracker.handle_event(&TimedEvent::new(at(500), Event::Tick));
    let records = records(&mut tracker);
    let ends: Vec<_> = records.iter().map(|record| (record.call.as_str(), record.outcome)).collect();
    assert_eq!(ends, [("early", Outcome::TimedOut), ("late", Outcome::TimedOut)]);
    assert!(records.iter().all(|record| record.duration_ns == Nanos::from_millis(100)));
    assert_eq!(tracker.poll_timeout(), None);
}

#[test]
fn a_shutdown_loses_no_call() {
    let mut tracker = tracker(Limits::default());
    for call in ["b", "a"] {
        tracker.start_call(call, at(0), CallStart::new("chat"));
    }
    tracker.handle_shutdown(at(9));
    let calls: Vec<String> = records(&mut tracker).into_iter().map(|record| record.call).collect();
    assert_eq!(calls, ["b", "a"]);
}
