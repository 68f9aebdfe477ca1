use alloc::{format, string::ToString as _, vec, vec::Vec};

use super::*;
use crate::time::Nanos;

#[test]
fn bars_stand_where_things_happened() {
    let expected = r"
                 0       1 s     2 s     3 s  4 s    start    time
                 ┬───────┬───────┬───────┬──────┬
prompt.build     █                                       0  125 ms
  load           ▏                                 62.5 ms     0 s
✗ attempt 1       ░░░ rate_limit 429                125 ms  375 ms
wait rate_limit      ╌╌╌╌╌╌╌╌ 1 s planned           500 ms     1 s
attempt 2                    ░░▒▒░░░░░░░░░░░░░░░█    1.5 s   2.5 s
  headers                    ░░                      1.5 s  250 ms
  first chunk                ░░░░                    1.5 s  500 ms
  first token                ▒▒▒▒ TTFT               1.5 s  500 ms
  sampling                       ████████████████      2 s     2 s
    stall                        ░░░░░░░░░░░░░░░       2 s  1.88 s
";
    let drawn = bars(&record(RETRIED), &narrow(66));
    assert_eq!(drawn, expected.trim_start_matches('\n'), "\n{drawn}");
}

#[test]
fn a_narrow_terminal_has_one_column_and_no_starts() {
    let log = r#"
{"at_ns":0,"event":"call_started","operation":"chat","provider":"openai","model":"gpt-4.1-mini","stream":true}
{"at_ns":0,"event":"attempt_started"}
{"at_ns":500000000,"event":"chunk","content":"text","finish_reasons":["stop"]}
{"at_ns":1000000000,"event":"chunk","content":"text"}
{"at_ns":1500000000,"event":"chunk","content":"text"}
{"at_ns":2000000000,"event":"chunk","content":"text","terminal":true}
{"at_ns":2000000000,"event":"call_ended"}
"#;
    // 13 columns of labels, 17 of bars and 6 of times, with two gaps of 2: half a second is 8 of 34 half columns.
    let expected = "\
simple  chat gpt-4.1-mini @ openai
success                              2 s
========================================

               0       1 s   2 s    time
               +-------+-------+
attempt 1      ----#############     2 s
  first chunk  ----               500 ms
  first token  ==== TTFT          500 ms
  sampling         #############   1.5 s

duration      2 s
setup         0 s
";
    let drawn = text(&record(log), &narrow(40).with_glyphs(Glyphs::Ascii).with_title("simple"));
    assert!(drawn.starts_with(expected), "\n{drawn}");
}

#[test]
fn ascii_has_the_same_geometry() {
    let ascii = text(&record(RETRIED), &narrow(66).with_glyphs(Glyphs::Ascii));
    assert!(ascii.is_ascii());
    assert!(ascii.contains("\nattempt 2                    --==---------------#"), "{ascii}");
    assert!(ascii.contains("\nx attempt 1       --- rate_limit 429"), "{ascii}");
    assert!(ascii.contains("\n* 4 s in all: "), "{ascii}");
}

#[test]
fn whatever_took_time_has_half_a_column_at_least() {
    let hours = r#"{"duration_ns": 1000000000000, "phases": [
        {"name": "parse", "start_ns": 999999999999, "duration_ns": 1}]}"#;
    let drawn = bars(&from_json(hours), &narrow(66));
    assert!(drawn.lines().last().is_some_and(|line| line.contains("▐  16 min 40 s  1 ns")), "{drawn}");
}

#[test]
fn an_error_without_room_has_a_line_of_its_own() {
    let log = r#"
{"at_ns":0,"event":"call_started","stream":true}
{"at_ns":0,"event":"attempt_started"}
{"at_ns":100,"event":"chunk","content":"text"}
{"at_ns":200,"event":"stream_ended"}
{"at_ns":200,"event":"call_ended"}
"#;
    let drawn = bars(&record(log), &narrow(66));
    let lines: Vec<&str> = drawn.lines().skip(2).take(2).collect();
    let expected = [
        "✗ attempt 1    ░░░░░░░░░░░░░░░░░██████████████████       0  200 ns",
        "                                stream_truncated ┘",
    ];
    assert_eq!(lines, expected, "{drawn}");
}

#[test]
fn what_became_of_an_attempt_is_said_without_room_too() {
    let record = from_json(
        r#"{"duration_ns": 100, "attempts": [{"number": 1, "duration_ns": 100, "outcome": "abandoned"},
            {"number": 2, "start_ns": 50, "duration_ns": 50, "outcome": "success"}]}"#,
    );
    let drawn = bars(&record, &narrow(64));
    let line = drawn.lines().nth(3).unwrap();
    // The end of the bar: 12 columns of the label, a gap, and 35 of the bars.
    assert_eq!(line, format!("{:>49}", "abandoned ┘"), "\n{drawn}");
}

#[test]
fn colours_are_written_only_when_asked_for() {
    let plain = TextStyle::default();
    let ansi = plain.clone().with_palette(Palette::Ansi);
    assert_eq!(plain.paint(Tone::Bad, "x"), "x");
    assert_eq!(ansi.paint(Tone::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    assert_eq!(ansi.paint(Tone::Bad, ""), "");
    let record = record(RETRIED);
    assert!(!text(&record, &plain).contains('\u{1b}'));
    let painted = text(&record, &ansi);
    assert!(painted.contains("\u{1b}[31m✗ attempt 1"), "{painted}");
    // Without its colours it is the plain text.
    let mut stripped = painted;
    for code in ["0", "1", "2", "31", "32", "33", "34", "36"] {
        stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
    }
    let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>();
    assert_eq!(trimmed(&stripped), trimmed(&text(&record, &plain)));
}

#[test]
fn padding_counts_columns() {
    let style = TextStyle::default();
    assert_eq!(style.left("ab", 4), "ab  ");
    assert_eq!(style.right("ab", 4), "  ab");
    assert_eq!(style.left("模型", 5), "模型 ");
    assert_eq!(style.left("e\u{301}", 3), "e\u{301}  ");
}

#[test]
fn long_text_is_cut_with_a_mark() {
    let style = TextStyle::default();
    assert_eq!(style.fit("abcdef", 4), "abc…");
    assert_eq!(style.fit("模型模型", 4), "模…");
    assert_eq!(style.fit("abc", 0), "");
    let ascii = style.with_glyphs(Glyphs::Ascii);
    assert_eq!(ascii.fit("abcdef", 4), "abc~");
    assert_eq!(ascii.fit("850 µs é", 80), "850 us ?");
    assert_eq!(ascii.fit("… 2 more", 80), "... 2 more");
}

#[test]
fn words_wrap() {
    assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
    assert_eq!(wrap("abcdefgh i", 4), ["abcdefgh", "i"]);
}

#[test]
fn the_legend_keeps_to_the_width() {
    let expected = "\
╌╌ pause  ░░ waiting for the server
▒▒ nothing visible yet  ██ content
██ local work
";
    assert_eq!(legend(&narrow(40)), expected);
}

#[test]
fn calls_of_any_length_have_an_axis() {
    for total in [0, 1, 7, 1_000, 999_999, 60_000_000_000, 86_400_000_000_000, u64::MAX] {
        let axis = Axis::new(Nanos::from_nanos(total), 5);
        assert!(axis.ticks.len() <= 6, "{total}: {axis:?}");
        assert_eq!(axis.ticks[0].label, "0");
        assert!(axis.ticks.iter().all(|tick| tick.at_ns.as_nanos() <= total), "{total}: {axis:?}");
    }
    let labels = |total, most| -> Vec<_> {
        Axis::new(Nanos::from_secs(total), most).ticks.into_iter().map(|tick| tick.label).collect()
    };
    assert_eq!(labels(4, 4), vec!["0", "1 s", "2 s", "3 s", "4 s"]);
    assert_eq!(labels(600, 5), vec!["0", "2 min", "4 min", "6 min", "8 min", "10 min"]);
    assert_eq!(labels(30_000, 5), vec!["0", "2 h", "4 h", "6 h", "8 h"]);
    assert_eq!(labels(10, 0), vec!["0", "10 s"]);
}
