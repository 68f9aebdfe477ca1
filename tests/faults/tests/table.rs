//! The table of scenarios as data: that a library which runs it meets every protocol.

use std::collections::BTreeSet;

use llmspan::Protocol;
use llmspan_faults::{OnSilence, Table};

#[test]
fn names_and_requests_are_there() {
    let table = Table::load().unwrap();
    assert_eq!(table.schema, "llmspan.scenarios/1");
    let mut names = BTreeSet::new();
    for row in &table.scenarios {
        assert!(names.insert(&row.name), "{} is there twice", row.name);
        let request = table.requests.get(&row.request).unwrap_or_else(|| panic!("{}: no such request", row.name));
        let post = if row.stream { &request.stream } else { &request.whole };
        assert!(post.is_some(), "{}: no such form of {}", row.name, row.request);
        assert!(row.expect["outcome"].is_string() && row.expect["attempt_count"] == row.requests, "{}", row.name);
        assert!(!row.faults.contains("run="), "{}: the one who runs it names the run", row.name);
        assert_eq!(row.client.on_silence.is_some(), row.client.silence_ms > 0, "{}", row.name);
    }
}

#[test]
fn every_protocol_streams_and_fails() {
    let table = Table::load().unwrap();
    for protocol in Protocol::ALL {
        let outcome = |outcome: &str| {
            table.scenarios.iter().any(|row| {
                let request = &table.requests[&row.request];
                row.stream && request.protocol == protocol.as_str() && row.expect["outcome"] == outcome
            })
        };
        assert!(outcome("success"), "{protocol:?} has no answer that streams");
        assert!(outcome("error"), "{protocol:?} has no failure");
    }
}

#[test]
fn every_outcome_is_there() {
    let table = Table::load().unwrap();
    for outcome in ["success", "error", "cancelled", "interrupted", "timed_out"] {
        assert!(table.scenarios.iter().any(|row| row.expect["outcome"] == outcome), "{outcome}");
    }
    for act in [OnSilence::Cancel, OnSilence::Close, OnSilence::TimeOut] {
        assert!(table.scenarios.iter().any(|row| row.client.on_silence == Some(act)), "{act:?}");
    }
}
