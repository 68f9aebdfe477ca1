use alloc::{format, vec::Vec};

use super::*;
use crate::{
    limits::{WATERFALL_GROUP_ROWS, WATERFALL_ROWS},
    record::{AttemptRecord, Outcome, PhaseRecord, WaitRecord},
    time::Nanos,
};

/// So many attempts of 1 ms, with a wait of 1 ms before each but the first; the given one is the final one.
fn storm(attempts: u32, last: u32) -> Record {
    let mut record = Record { final_attempt: Some(last), ..Record::default() };
    for number in 1..=attempts {
        let start_ns = Nanos::from_millis(u64::from(number - 1) * 2);
        let outcome = if number == last { Outcome::Success } else { Outcome::Error };
        record.attempts.push(AttemptRecord {
            number,
            outcome,
            start_ns,
            duration_ns: Nanos::from_millis(1),
            ..AttemptRecord::default()
        });
        if number < attempts {
            let start_ns = start_ns.saturating_add(Nanos::from_millis(1));
            record.waits.push(WaitRecord { start_ns, actual_delay_ns: Nanos::from_millis(1), ..WaitRecord::default() });
        }
        record.duration_ns = start_ns.saturating_add(Nanos::from_millis(1));
    }
    record
}

/// The attempts that are drawn, and the labels and notes of the folded rows.
fn drawn(record: &Record) -> (Vec<u32>, Vec<String>) {
    let rows = Waterfall::new(record).rows;
    let attempts = rows.iter().filter(|row| row.kind == RowKind::Attempt).filter_map(|row| row.attempt).collect();
    let folded = rows.iter().filter(|row| row.kind == RowKind::Folded);
    let folded = folded.map(|row| format!("{}; {}", row.label, row.note.as_deref().unwrap_or_default())).collect();
    (attempts, folded)
}

#[test]
fn what_fits_is_not_folded() {
    // 24 attempts and 23 waits.
    let (attempts, folded) = drawn(&storm(24, 24));
    assert_eq!((attempts.len(), folded.len()), (24, 0));
}

#[test]
fn the_middle_of_a_thousand_attempts_is_folded() {
    let record = storm(1_000, 1_000);
    let rows = Waterfall::new(&record).rows;
    assert!(rows.len() <= WATERFALL_ROWS, "{}", rows.len());
    let (attempts, folded) = drawn(&record);
    // 45 rows beside the final attempt: 22 of the beginning; 23 of the end, which begin with the wait before attempt 989.
    let expected: Vec<u32> = (1..=11).chain(989..=1_000).collect();
    assert_eq!(attempts, expected);
    assert_eq!(folded, ["… 977 more attempts; 976 waits"]);
    let fold = rows.iter().find(|row| row.kind == RowKind::Folded).unwrap();
    // From the start of attempt 12 to the end of attempt 988.
    assert_eq!((fold.start_ns, fold.end_ns()), (Nanos::from_millis(22), Nanos::from_millis(1_975)));
    let shown = text(&record, &narrow(80).with_glyphs(Glyphs::Ascii));
    assert!(shown.contains("\n... 977 more attempts "), "{shown}");
    assert!(shown.lines().count() < 80);
    assert!(html(&record, &HtmlStyle::default()).len() < 64 << 10);
}

#[test]
fn the_final_attempt_is_never_folded() {
    let (attempts, folded) = drawn(&storm(1_000, 500));
    assert!(attempts.contains(&500), "{attempts:?}");
    assert_eq!(folded.len(), 2);
    let count = |text: &String| -> usize { text.split(' ').nth(1).unwrap().parse().unwrap() };
    let hidden: usize = folded.iter().map(count).sum();
    assert_eq!(hidden + attempts.len(), 1_000);
}

#[test]
fn what_the_record_dropped_is_said() {
    let mut record = storm(3, 3);
    record.attempts[2].number = 40;
    record.final_attempt = Some(40);
    record.diagnostics.dropped.attempts = Some(37);
    record.diagnostics.dropped.waits = Some(36);
    let rows = Waterfall::new(&record).rows;
    let labels: Vec<_> = rows.iter().filter(|row| row.kind != RowKind::Wait).map(|row| row.label.as_str()).collect();
    assert_eq!(labels, ["attempt 1", "attempt 2", "… 37 more attempts", "attempt 40"]);
    let fold = rows.iter().find(|row| row.kind == RowKind::Folded).unwrap();
    // With the one between attempt 2 and the final one, which is nothing without the attempt after it.
    assert_eq!(fold.note.as_deref(), Some("37 waits"));
    assert_eq!((fold.start_ns, fold.end_ns()), (Nanos::from_millis(3), Nanos::from_millis(4)));

    record.diagnostics.dropped.attempts = None;
    record.diagnostics.dropped.waits = Some(1);
    let last = Waterfall::new(&record).rows.pop().unwrap();
    assert_eq!(last.label, "… 1 more wait");
}

#[test]
fn what_is_folded_and_what_was_dropped_add_up() {
    let mut record = storm(33, 33);
    record.attempts[32].number = 1_000;
    record.final_attempt = Some(1_000);
    record.diagnostics.dropped.attempts = Some(967);
    record.diagnostics.dropped.waits = Some(967);
    let (attempts, folded) = drawn(&record);
    // The last wait listed is counted with those dropped. 22 rows are of the beginning: 11 attempts, 11 waits; 23 are of the
    // end: the row of those dropped, 11 attempts, 11 waits.
    let beginning: Vec<u32> = (1..=11).collect();
    let end: Vec<u32> = (22..=32).chain([1_000]).collect();
    assert_eq!(attempts, [beginning, end].concat());
    assert_eq!(folded, ["… 10 more attempts; 9 waits", "… 967 more attempts; 968 waits"]);
}

#[test]
fn a_deep_phase_is_folded_inside() {
    let phase = |at: u64, depth| PhaseRecord {
        name: format!("p{at}"),
        depth,
        start_ns: Nanos::from_nanos(at),
        duration_ns: Nanos::from_nanos(1),
        ..PhaseRecord::default()
    };
    let mut record = Record { duration_ns: Nanos::from_nanos(100), ..Record::default() };
    record.phases.push(phase(0, 0));
    record.phases.extend((1..100).map(|at| phase(at, 1)));
    let rows = Waterfall::new(&record).rows;
    assert_eq!(rows.len(), WATERFALL_GROUP_ROWS);
    let last = rows.last().unwrap();
    assert_eq!((last.label.as_str(), last.depth), ("… 89 more phases", 1));
}
