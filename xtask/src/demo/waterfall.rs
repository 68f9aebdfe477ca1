//! The waterfall: rows of bars on one time axis, as the network panel of a browser draws them.

use llmspan_core::{record::Record, time::Nanos};

use super::{
    rows::{Fill, Row, Segment, rows},
    text::{Glyphs, Style, Tone, display_width},
};

/// Draws the phases, attempts and waits of a record, a line each, below an axis.
pub(crate) fn render(record: &Record, style: &Style) -> String {
    let rows = rows(record);
    let widest = |of: fn(&Row, &Style) -> usize| rows.iter().map(|row| of(row, style)).max().unwrap_or_default();
    let label = widest(|row, style| display_width(&label_of(row, style))).clamp(LEAST_LABEL, style.width / 3);
    let start = widest(|row, style| display_width(&start_of(row, style))).max(START.len());
    let length = widest(|row, style| display_width(&style.time(row.length))).max(LENGTH.len());
    let bars = style.width.saturating_sub(label + start + length + 3 * GAP).max(LEAST_BARS);
    let frame = Frame { label, bars, start, length, total: record.duration_ns };
    let mut lines = frame.axis(style);
    lines.extend(rows.iter().flat_map(|row| frame.row(row, style)));
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Where things are on a line: label, bars, start and length.
#[derive(Clone, Copy, Debug)]
struct Frame {
    label: usize,
    bars: usize,
    start: usize,
    length: usize,
    total: Nanos,
}

/// Columns between the parts of a line.
const GAP: usize = 2;

/// Columns of one level of nesting.
const INDENT: usize = 2;

const LEAST_LABEL: usize = 12;
const LEAST_BARS: usize = 16;

/// Heads of the two numbers behind the bars.
const START: &str = "start";
const LENGTH: &str = "time";

impl Frame {
    /// Two lines: the times, and the line with a tick below each.
    fn axis(self, style: &Style) -> Vec<String> {
        let step = tick_step(self.total, self.bars);
        let mut names = vec![' '; self.bars];
        let mut line: Vec<char> = style.pick("─", "-").repeat(self.bars).chars().collect();
        let mut free = 0;
        for tick in 0..=self.total.as_nanos() / step {
            let at = Nanos::from_nanos(tick * step);
            let column = self.half_cell(at) / 2;
            if let Some(cell) = line.get_mut(column.min(self.bars - 1)) {
                *cell = style.pick("┬", "+").chars().next().unwrap_or('+');
            }
            let name = if tick == 0 { String::from("0") } else { style.time(at) };
            let width = display_width(&name);
            let column = column.min(self.bars.saturating_sub(width));
            if column >= free {
                for (cell, found) in names.iter_mut().skip(column).zip(name.chars()) {
                    *cell = found;
                }
                free = column + width + 1;
            }
        }
        let label = " ".repeat(self.label + GAP);
        let heads = style.right(START, GAP + self.start) + &style.right(LENGTH, GAP + self.length);
        let names: String = names.into_iter().collect();
        let line: String = line.into_iter().collect();
        vec![style.paint(Tone::Dim, &(label.clone() + &names + &heads)), style.paint(Tone::Dim, &(label + &line))]
    }

    /// The line of a row; an error that has no room beside its bar has a line below, up to the end of the bar.
    fn row(self, row: &Row, style: &Style) -> Vec<String> {
        let tone = if row.depth > 0 && row.tone == Tone::Plain { Tone::Dim } else { row.tone };
        let mut line = style.paint(tone, &style.left(&label_of(row, style), self.label));
        line.push_str(&" ".repeat(GAP));
        let (bar, is_noted) = self.bar(row, style);
        line.push_str(&bar);
        line.push_str(&style.paint(Tone::Dim, &style.right(&start_of(row, style), GAP + self.start)));
        line.push_str(&style.right(&style.time(row.length), GAP + self.length));
        if is_noted || row.tone != Tone::Bad {
            return vec![line];
        }
        let end = self.half_cell(row.start.saturating_add(row.length)).div_ceil(2);
        let note = style.right(&format!("{} {}", row.note, style.pick("┘", "^")), end);
        vec![line, " ".repeat(self.label + GAP) + &style.paint(Tone::Bad, &note)]
    }

    /// The bar with its note behind it, or before it; and whether there was room for that.
    fn bar(self, row: &Row, style: &Style) -> (String, bool) {
        let mut cells: Vec<(char, Tone)> = vec![(' ', Tone::Plain); self.bars];
        for segment in &row.segments {
            self.draw(*segment, style, &mut cells);
        }
        if cells.iter().all(|cell| cell.0 == ' ') {
            self.draw_instant(row, style, &mut cells);
        }
        let is_used = |cell: &(char, Tone)| cell.0 != ' ';
        let first = cells.iter().position(is_used).unwrap_or_default();
        let last = cells.iter().rposition(is_used).unwrap_or_default();
        let note = style.fit(&row.note, self.bars);
        let width = display_width(&note);
        let place = if last + 2 + width <= self.bars { Some(last + 2) } else { first.checked_sub(width + 1) };
        let tone = if row.tone == Tone::Bad { Tone::Bad } else { Tone::Dim };
        if let Some(place) = place.filter(|_| width > 0) {
            // Wide characters fill their second column with nothing.
            cells.splice(place..place + width, note.chars().map(|found| (found, tone)));
        }
        (paint_runs(&cells, style), place.is_some() || width == 0)
    }

    fn draw(self, segment: Segment, style: &Style, cells: &mut [(char, Tone)]) {
        if segment.end <= segment.start {
            return;
        }
        let last = 2 * self.bars - 1;
        let start = self.half_cell(segment.start).min(last);
        // Whatever took time has a mark.
        let end = self.half_cell(segment.end).max(start + 1);
        for (column, cell) in cells.iter_mut().enumerate() {
            let left = (start..end).contains(&(2 * column));
            let right = (start..end).contains(&(2 * column + 1));
            if left || right {
                *cell = (glyph(segment.fill, left, right, cell.0, style.glyphs), segment.tone);
            }
        }
    }

    /// A row without length is a thin line where it was.
    fn draw_instant(self, row: &Row, style: &Style, cells: &mut [(char, Tone)]) {
        let tone = row.segments.first().map_or(Tone::Plain, |segment| segment.tone);
        let mark = style.pick("▏", "|").chars().next().unwrap_or('|');
        if let Some(cell) = cells.get_mut(self.half_cell(row.start).min(2 * self.bars - 1) / 2) {
            *cell = (mark, tone);
        }
    }

    /// The half column of a moment, rounded down; that of the end of the call is the one behind the last.
    fn half_cell(self, at: Nanos) -> usize {
        let halves = 2 * self.bars;
        let total = u128::from(self.total.as_nanos()).max(1);
        let column = u128::from(at.as_nanos()) * u128::try_from(halves).unwrap_or_default() / total;
        usize::try_from(column).unwrap_or(usize::MAX).min(halves)
    }
}

/// The label behind its indentation; what failed is marked.
fn label_of(row: &Row, style: &Style) -> String {
    let mark = if row.tone == Tone::Bad { style.pick("✗ ", "x ") } else { "" };
    format!("{}{mark}{}", " ".repeat(INDENT * row.depth), row.label)
}

fn start_of(row: &Row, style: &Style) -> String {
    if row.start == Nanos::ZERO { String::from("0") } else { style.time(row.start) }
}

fn glyph(fill: Fill, left: bool, right: bool, before: char, glyphs: Glyphs) -> char {
    if glyphs == Glyphs::Ascii {
        return match fill {
            Fill::Full => '#',
            Fill::Half => '=',
            Fill::Light => '-',
            Fill::Pause => '.',
        };
    }
    match fill {
        // The other half of the cell is already somebody's: the two make it full.
        Fill::Full if left && right => '█',
        Fill::Full if before != ' ' => '█',
        Fill::Full if left => '▌',
        Fill::Full => '▐',
        Fill::Half => '▒',
        Fill::Light => '░',
        Fill::Pause => '╌',
    }
}

/// The cells as text; neighbours of one tone share their colour.
fn paint_runs(cells: &[(char, Tone)], style: &Style) -> String {
    cells
        .chunk_by(|one, other| one.1 == other.1)
        .map(|run| {
            let text: String = run.iter().map(|(found, _)| *found).collect();
            style.paint(run.first().map_or(Tone::Plain, |(_, tone)| *tone), &text)
        })
        .collect()
}

/// The distance of the ticks: a round number, so that there is room for the names.
fn tick_step(total: Nanos, columns: usize) -> u64 {
    let ticks = u64::try_from(columns / TICK_COLUMNS).unwrap_or(1).max(1);
    let least = total.as_nanos().div_ceil(ticks).max(1);
    let decimal = (0..11).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let below_a_minute = decimal.filter(|step| *step < 60 * SECOND);
    let minutes = [1, 2, 5, 10, 15, 30].map(|minutes| minutes * 60 * SECOND);
    let hours = [1, 2, 4, 8, 12].map(|hours| hours * 3_600 * SECOND);
    let days = (0..5).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power) * 86_400 * SECOND));
    below_a_minute.chain(minutes).chain(hours).chain(days).find(|step| *step >= least).unwrap_or(u64::MAX)
}

/// Columns that a tick and its name need.
const TICK_COLUMNS: usize = 8;

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{
        records,
        text::{Palette, Style},
    };

    const STYLE: Style = Style { width: 66, palette: Palette::Plain, glyphs: Glyphs::Unicode };

    fn record(log: &str) -> Record {
        records(log, llmspan_core::config::Config::default()).unwrap().remove(0)
    }

    /// Four seconds in 32 columns: a column is 125 ms, half of one 62.5 ms.
    const RETRIED: &str = r#"
{"at_ns":0,"event":"call_started","model":"m","stream":true}
{"at_ns":0,"event":"phase_started","name":"prompt.build"}
{"at_ns":62500000,"event":"phase_started","name":"load"}
{"at_ns":62500000,"event":"phase_ended","name":"load"}
{"at_ns":125000000,"event":"phase_ended","name":"prompt.build"}
{"at_ns":125000000,"event":"attempt_started"}
{"at_ns":500000000,"event":"attempt_failed","error_type":"rate_limit","status_code":429}
{"at_ns":500000000,"event":"retry_scheduled","delay_ns":1000000000,"reason":"rate_limit"}
{"at_ns":1500000000,"event":"attempt_started"}
{"at_ns":1750000000,"event":"headers_received","status_code":200}
{"at_ns":2000000000,"event":"chunk","content":"text"}
{"at_ns":3875000000,"event":"chunk","content":"text"}
{"at_ns":4000000000,"event":"chunk","terminal":true}
{"at_ns":4000000000,"event":"call_ended"}
"#;

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
        let drawn = render(&record(RETRIED), &STYLE);
        assert_eq!(drawn, expected.trim_start_matches('\n'), "\n{drawn}");
        for line in drawn.lines() {
            assert!(display_width(line) <= 66, "{line}");
        }
    }

    #[test]
    fn ascii_has_the_same_geometry() {
        let ascii = render(&record(RETRIED), &Style { glyphs: Glyphs::Ascii, ..STYLE });
        assert!(ascii.is_ascii());
        assert!(ascii.contains("\nattempt 2                    --==---------------#"), "{ascii}");
        assert!(ascii.contains("\nx attempt 1       --- rate_limit 429"), "{ascii}");
    }

    #[test]
    fn whatever_took_time_has_half_a_column_at_least() {
        let log = r#"
{"at_ns":0,"event":"call_started"}
{"at_ns":999999999999,"event":"phase_started","name":"parse"}
{"at_ns":1000000000000,"event":"phase_ended","name":"parse"}
{"at_ns":1000000000000,"event":"call_ended"}
"#;
        let drawn = render(&record(log), &STYLE);
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
        let drawn = render(&record(log), &STYLE);
        let lines: Vec<&str> = drawn.lines().skip(2).take(2).collect();
        let expected = [
            "✗ attempt 1    ░░░░░░░░░░░░░░░░░██████████████████       0  200 ns",
            "                                stream_truncated ┘",
        ];
        assert_eq!(lines, expected, "{drawn}");
    }

    #[test]
    fn calls_of_any_length_have_an_axis() {
        for total in [0, 1, 7, 1_000, 999_999, 60_000_000_000, 86_400_000_000_000, u64::MAX] {
            let columns = 40;
            let step = tick_step(Nanos::from_nanos(total), columns);
            let ticks = total / step;
            assert!(ticks <= 5, "{total}: {ticks} ticks");
            let log = format!(
                "{{\"at_ns\":0,\"event\":\"call_started\"}}\n{{\"at_ns\":\"{total}\",\"event\":\"call_ended\"}}"
            );
            assert!(render(&record(&log), &STYLE).lines().count() >= 2);
        }
        assert_eq!(tick_step(Nanos::from_millis(4_000), 32), 1_000_000_000);
        assert_eq!(tick_step(Nanos::from_secs(600), 40), 120_000_000_000);
    }
}
