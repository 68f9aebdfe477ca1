//! Nothing secret comes out of a record, whatever writes it.

mod support;

use std::collections::BTreeSet;

use llmspan::{Memory, Protocol};
use llmspan_privacy::{Output, Search, Secrets, exchanges};
use serde_json::Value;

use crate::support::{Play, builder, everything_of, nothing_leaks, play};

#[test]
fn records_and_all_that_is_written_of_them_hold_no_secret() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let mut used = BTreeSet::new();
    let mut records_with_messages = 0;
    for with_messages in [false, true] {
        for exchange in exchanges(&secrets) {
            let mut outputs = Vec::new();
            let mut keep = |outlet: &str, bytes: Vec<u8>| {
                outputs.push(Output { outlet: outlet.into(), with_messages, bytes });
            };
            for how in Play::ALL {
                let (builder, clock) = builder(with_messages);
                let records = Memory::default();
                let recorder = builder.with_sink(records.clone()).build().unwrap();
                play(&recorder, &clock, &exchange, how, &secrets, |outlet, text| keep(outlet, text.into_bytes()));
                let records = records.records();
                assert_eq!(records.len(), 1, "{how:?} of {}", exchange.protocol);
                everything_of(&records[0], &mut keep);
                records_with_messages += usize::from(records[0].to_json().contains("\"message\""));
            }
            nothing_leaks(&search, &outputs, &mut used);
        }
    }
    // Event logs and snapshots are the matter of other tests; every other entry of `allowed` has to be of use.
    let unused = search.unused(&used);
    assert_eq!(unused.len(), 2, "{unused:?}");
    assert!(records_with_messages > 40, "error messages were asked for: {records_with_messages}");
}

/// Nothing passes because nothing was read: content is counted, and what may be kept is there.
#[test]
fn the_content_was_read() {
    let secrets = Secrets::load();
    for exchange in exchanges(&secrets) {
        for how in [Play::Streamed, Play::Split, Play::Events, Play::Refused] {
            let (builder, clock) = builder(false);
            let records = Memory::default();
            let recorder = builder.with_sink(records.clone()).build().unwrap();
            play(&recorder, &clock, &exchange, how, &secrets, |_, _| {});
            let record: Value = serde_json::from_str(&records.records()[0].to_json()).unwrap();
            let place = format!("{how:?} of {}: {record}", exchange.protocol);
            assert_eq!(record["outcome"], "success", "{place}");
            for kind in exchange.shows.iter().filter(|kind| *kind != "tool_call") {
                assert!(record["content"][format!("{kind}_bytes")].as_u64() >= Some(10), "no {kind} in {place}");
            }
            let counts = if exchange.protocol == Protocol::AnthropicComplete { Value::Null } else { 9.into() };
            assert_eq!(record["usage"]["output_tokens"], counts, "{place}");
            assert_eq!(record["attributes"]["note"], secrets.value("attribute"), "{place}");
            if exchange.shows.iter().any(|kind| kind == "tool_call") {
                assert_eq!(record["tool_call_count"], 1, "{place}");
            }
        }
    }
}
