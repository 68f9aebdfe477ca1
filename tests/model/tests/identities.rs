//! What changes nothing about a record: a snapshot, another form of the log, other cuts of the bytes.

mod common;

use std::sync::Arc;

use llmspan_core::{
    config::Config,
    encode::{events_from_bytes, events_to_bytes},
    engine::Call,
    event::{Event, TimedEvent, read_log},
    record::Record,
};
use llmspan_model::{compare::engine, ops::Wait};
use llmspan_runner::identities::broken;
use proptest::prelude::*;

/// The record of one call, written and read again before each event that `resumes` names.
fn record(config: &Config, log: &[TimedEvent], mut resumes: impl FnMut(usize) -> bool) -> Option<Record> {
    let config = Arc::new(config.clone());
    let (first, rest) = log.split_first()?;
    let Event::CallStarted(start) = &first.event else { return None };
    let mut call = Call::new(Arc::clone(&config), first.at, (**start).clone());
    for (at, event) in rest.iter().enumerate().filter(|(_, event)| event.call_id() == first.call_id()) {
        if resumes(at)
            && let Some(snapshot) = call.snapshot()
        {
            call = Call::resume(Arc::clone(&config), &snapshot).unwrap();
        }
        call.handle_event(event.at, event.attempt, &event.event);
    }
    call.handle_dropped(log.iter().map(|event| event.at).max().unwrap_or_default());
    call.poll_record()
}

/// The log with the bytes of each read cut in two.
fn cut(log: &[TimedEvent], at: prop::sample::Index) -> Vec<TimedEvent> {
    log.iter()
        .flat_map(|timed| match &timed.event {
            Event::Bytes(protocol, bytes) => {
                let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
                let piece =
                    |bytes: &[u8]| TimedEvent { event: Event::Bytes(*protocol, bytes.to_vec()), ..timed.clone() };
                vec![piece(first), piece(second)]
            }
            _ => vec![timed.clone()],
        })
        .collect()
}

/// The records, but for the count of reads that are of no response: of a call that is over, of an attempt that never began.
fn records(config: &Config, log: &[TimedEvent]) -> Vec<Record> {
    let mut records = engine(config, log);
    for record in &mut records {
        record.diagnostics.late_events = 0;
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(common::cases(400)) })]

    #[test]
    fn records_satisfy_the_identities(scenario in common::scenario()) {
        for record in engine(&scenario.config(), &scenario.log()) {
            prop_assert_eq!(broken(&record), Vec::<String>::new());
        }
    }

    #[test]
    fn a_call_goes_on_from_a_snapshot_before_every_event(scenario in common::scenario(), one in 0_usize..40) {
        let (config, log) = (scenario.config(), scenario.log());
        let whole = record(&config, &log, |_| false);
        prop_assert_eq!(record(&config, &log, |_| true), whole.clone());
        prop_assert_eq!(record(&config, &log, |at| at == one), whole);
    }

    #[test]
    fn a_log_in_either_form_gives_the_same_records(scenario in common::scenario()) {
        let (config, log) = (scenario.config(), scenario.log());
        let records = engine(&config, &log);
        let lines: Vec<String> = log.iter().map(|event| event.to_json().unwrap()).collect();
        let of_lines = read_log(&lines.join("\n")).unwrap();
        prop_assert_eq!(&of_lines, &log);
        prop_assert_eq!(&engine(&config, &of_lines), &records);
        let of_bytes = events_from_bytes(&events_to_bytes(&log).unwrap()).unwrap();
        prop_assert_eq!(&of_bytes, &log);
        prop_assert_eq!(&engine(&config, &of_bytes), &records);
    }

    #[test]
    fn bytes_cut_anywhere_give_the_same_records(mut scenario in common::scenario(), at in any::<prop::sample::Index>()) {
        // Two reads step back twice.
        for step in scenario.steps.iter_mut().filter(|step| matches!(step.wait, Wait::Back(_))) {
            step.wait = Wait::None;
        }
        let (config, log) = (scenario.config(), scenario.log());
        prop_assert_eq!(records(&config, &cut(&log, at)), records(&config, &log));
    }
}
