//! Records that no call gives, and names that no friend writes.

use alloc::{format, vec::Vec};

use super::*;
use crate::{
    limits::{WATERFALL_DEPTH, WATERFALL_LABEL_CHARS, WATERFALL_ROWS, WATERFALL_STALLS},
    random::Random,
    record::{AttemptRecord, EventKind, Marks, Outcome, PhaseRecord, RecordError, SpanEvent, WaitRecord},
    time::Nanos,
};

const EVIL: &str = "</style><script>alert(1)</script>\u{1b}[2J\u{202e}\"'&<x onload='y'>\n\u{0}\u{fffe}";

/// A record with the text in every place for one.
fn spoken(evil: &str) -> Record {
    let text = || Some(evil.into());
    let error = Some(RecordError { error_type: evil.into(), message: text(), ..RecordError::default() });
    Record {
        call: evil.into(),
        operation: text(),
        provider: text(),
        model: text(),
        outcome: Outcome::Error,
        duration_ns: Nanos::from_nanos(10),
        finish_reasons: Vec::from([evil.into(), evil.into()]),
        response_id: text(),
        response_model: text(),
        request_id: text(),
        protocol: text(),
        attempts: Vec::from([AttemptRecord {
            number: 1,
            model: Some("m".into()),
            error: error.clone(),
            outcome: Outcome::Error,
            duration_ns: Nanos::from_nanos(10),
            ..AttemptRecord::default()
        }]),
        phases: Vec::from([PhaseRecord { name: evil.into(), ..PhaseRecord::default() }]),
        error,
        ..Record::default()
    }
}

#[test]
fn nothing_in_a_record_steers_a_terminal() {
    for style in [narrow(40), narrow(66), narrow(200).with_title(EVIL), narrow(100).with_glyphs(Glyphs::Ascii)] {
        let drawn = text(&spoken(EVIL), &style);
        let found = drawn.chars().find(|found| (found.is_control() && *found != '\n') || *found == '\u{202e}');
        assert_eq!(found, None, "{drawn:?}");
    }
    assert_eq!(TextStyle::default().fit("a\u{1b}[2Jb\n", 80), "a?[2Jb?");
}

#[test]
fn nothing_in_a_record_is_markup() {
    let figure = html(&spoken(EVIL), &HtmlStyle::default().with_title(EVIL));
    let document = roxmltree::Document::parse(&figure).unwrap();
    assert!(document.descendants().all(|node| !node.has_tag_name("script") && !node.has_tag_name("x")));
    assert!(document.descendants().flat_map(|node| node.attributes()).all(|attribute| attribute.name() != "onload"));
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("style")).count(), 1);
    // What was written is there to be read, with `?` for what steers.
    let title = document.descendants().find(|node| node.attribute("class") == Some("llmspan-title")).unwrap();
    assert_eq!(title.text(), Some("</style><script>alert(1)</script>?[2J?\"'&<x onload='y'>???"));
}

#[test]
fn long_names_are_cut() {
    let record = spoken(&"模".repeat(100_000));
    for width in [40, 64, 100, 400] {
        for line in text(&record, &narrow(width)).lines() {
            assert!(display_width(line) <= width, "{width}: {} columns", display_width(line));
        }
    }
    assert!(html(&record, &HtmlStyle::default()).len() < 100_000);
    let label = &Waterfall::new(&record).rows[0].label;
    assert!(label.chars().count() <= WATERFALL_LABEL_CHARS + 1);
}

#[test]
fn an_empty_record_is_drawn() {
    let head = format!("call ? @ ?{}success  0 s\n{}\n\n", " ".repeat(42), "━".repeat(64));
    let drawn = text(&Record::default(), &narrow(64));
    assert!(drawn.starts_with(&head), "\n{drawn}");
    assert!(drawn.contains("\nduration      0 s "), "\n{drawn}");
    assert!(Waterfall::new(&Record::default()).rows.is_empty());
    let figure = html(&Record::default(), &HtmlStyle::default());
    roxmltree::Document::parse(&figure).unwrap();
}

#[test]
fn one_nanosecond_fills_the_axis() {
    let record = from_json(
        r#"{"duration_ns": 1, "attempt_count": 1, "attempts": [{"number": 1, "duration_ns": 1, "outcome": "success"}]}"#,
    );
    let drawn = bars(&record, &narrow(64));
    // 64 columns less 12 of the label, 7 of the start, 6 of the time and a gap.
    assert!(drawn.ends_with(&format!("attempt 1     {}      0  1 ns\n", "░".repeat(37))), "\n{drawn}");
}

#[test]
fn wide_characters_keep_the_columns() {
    let record = from_json(
        r#"{"duration_ns": 100, "model": "模型", "phases": [{"name": "检索文档", "duration_ns": 40},
            {"name": "b", "start_ns": 40, "duration_ns": 60}]}"#,
    );
    let drawn = bars(&record, &narrow(64));
    let ends: Vec<usize> = drawn.lines().skip(2).map(display_width).collect();
    assert_eq!(ends, [64, 64], "\n{drawn}");
}

/// Records from a small generator whose numbers sit at the edges: nothing panics, and everything keeps to its bounds.
#[test]
fn every_record_can_be_drawn() {
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    let edges = [0, 1, 2, 999, 1_000_000, 1_000_000_000, 1 << 53, u64::MAX - 1, u64::MAX];
    for round in 0..80 {
        let mut number = || edges[usize::try_from(random.next() % 9).unwrap()];
        let record = wild(&mut number, round % 80);
        let waterfall = Waterfall::new(&record);
        assert!(waterfall.rows.len() <= WATERFALL_ROWS + 1, "{}", waterfall.rows.len());
        for row in &waterfall.rows {
            assert!(row.depth <= WATERFALL_DEPTH && row.segments.len() <= 3 + WATERFALL_STALLS, "{row:?}");
        }
        for width in [0, 40, 55, 64, 100, usize::MAX] {
            let style = narrow(width);
            for line in text(&record, &style).lines() {
                assert!(display_width(line) <= style.width(), "{width}: {line}");
            }
        }
        let figure = html(&record, &HtmlStyle::default());
        roxmltree::Document::parse(&figure).unwrap_or_else(|error| panic!("{error}: {figure}"));
    }
}

fn wild(number: &mut impl FnMut() -> u64, length: u32) -> Record {
    let mut nanos = || Nanos::from_nanos(number());
    let mut record = Record { duration_ns: nanos(), final_attempt: Some(2), ..Record::default() };
    for at in 0..length {
        let mut mark = || Some(nanos()).filter(|at| at.as_nanos() != 2);
        let marks = Marks {
            started_ns: mark(),
            headers_ns: mark(),
            first_chunk_ns: mark(),
            first_reasoning_ns: mark(),
            first_content_ns: mark(),
            first_answer_ns: mark(),
            ended_ns: mark(),
            ..Marks::default()
        };
        record.attempts.push(AttemptRecord {
            number: at,
            outcome: Outcome::TimedOut,
            start_ns: nanos(),
            duration_ns: nanos(),
            marks,
            ..AttemptRecord::default()
        });
        record.waits.push(WaitRecord { start_ns: nanos(), actual_delay_ns: nanos(), ..WaitRecord::default() });
        let depth = u32::try_from(nanos().as_nanos()).unwrap_or(u32::MAX);
        record.phases.push(PhaseRecord {
            name: "模型".into(),
            depth,
            start_ns: nanos(),
            duration_ns: nanos(),
            ..PhaseRecord::default()
        });
        record.events.push(SpanEvent {
            kind: EventKind::Stall,
            attempt: Some(2),
            at_ns: nanos(),
            duration_ns: Some(nanos()),
            ..SpanEvent::default()
        });
    }
    record.output_tokens_per_second = Some(f64::MAX);
    record.decode_tokens_per_second = Some(f64::NAN);
    record
}
