//! The bars of a waterfall as text, as the network panel of a browser draws them.

use alloc::{
    format,
    string::{String, ToString as _},
    vec,
    vec::Vec,
};

use super::{
    axis::{Axis, moment},
    model::{Row, RowKind, Segment, SegmentKind, Waterfall},
    terminal::{Glyphs, TextStyle, Tone, display_width},
};
use crate::{explain::readable, time::Nanos};

/// Draws the rows, a line each, below an axis.
pub(super) fn draw(waterfall: &Waterfall, style: &TextStyle) -> String {
    let frame = Frame::new(waterfall, style);
    let mut text = String::new();
    let lines = frame.axis(style).into_iter().chain(waterfall.rows.iter().flat_map(|row| frame.row(row, style)));
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
    /// Columns of the start with the gap before it; 0 without room for starts.
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

/// Columns from which the starts of the rows are written.
const WIDE: usize = 56;

/// Heads of the two numbers behind the bars.
const START: &str = "start";
const LENGTH: &str = "time";

impl Frame {
    fn new(waterfall: &Waterfall, style: &TextStyle) -> Self {
        let width = style.width();
        let widest = |of: fn(&Row, &TextStyle) -> String| {
            waterfall.rows.iter().map(|row| display_width(&of(row, style))).max().unwrap_or_default()
        };
        let start = if width < WIDE { 0 } else { GAP.saturating_add(widest(start_of).max(START.len())) };
        let length = GAP.saturating_add(widest(length_of).max(LENGTH.len()));
        let rest = width.saturating_sub(start).saturating_sub(length).saturating_sub(GAP);
        // A label gives way to the bars, down to the least one.
        let label = widest(label_of).min(width / 3).min(rest.saturating_sub(LEAST_BARS)).max(LEAST_LABEL);
        let bars = rest.saturating_sub(label).max(1);
        Self { label, bars, start, length, total: waterfall.duration_ns }
    }

    /// Two lines: the times, and the line with a tick below each.
    fn axis(self, style: &TextStyle) -> Vec<String> {
        let most = u64::try_from(self.bars / TICK_COLUMNS).unwrap_or(1);
        let mut names = vec![' '; self.bars];
        let mut line: Vec<char> = style.pick("─", "-").repeat(self.bars).chars().collect();
        let mut free = 0;
        for tick in Axis::new(self.total, most).ticks {
            let column = self.half_cell(tick.at_ns) / 2;
            if let Some(cell) = line.get_mut(column.min(self.bars.saturating_sub(1))) {
                *cell = style.pick("┬", "+").chars().next().unwrap_or('+');
            }
            let name = style.fit(&tick.label, self.bars);
            let width = display_width(&name);
            let column = column.min(self.bars.saturating_sub(width));
            if column >= free {
                for (cell, found) in names.iter_mut().skip(column).zip(name.chars()) {
                    *cell = found;
                }
                free = column.saturating_add(width).saturating_add(1);
            }
        }
        let label = " ".repeat(self.label.saturating_add(GAP));
        let heads = self.start_cell(START, style) + &style.right(LENGTH, self.length);
        let names: String = names.into_iter().collect();
        let line: String = line.into_iter().collect();
        vec![style.paint(Tone::Dim, &(label.clone() + &names + &heads)), style.paint(Tone::Dim, &(label + &line))]
    }

    /// The line of a row. What is to say about an attempt and has no room beside its bar has a line below, up to the end of
    /// the bar.
    fn row(self, row: &Row, style: &TextStyle) -> Vec<String> {
        let tone = match row.kind {
            _ if row.failed => Tone::Bad,
            RowKind::Attempt => Tone::Strong,
            RowKind::Folded => Tone::Dim,
            _ if row.depth > 0 => Tone::Dim,
            _ => Tone::Plain,
        };
        let mut line = style.paint(tone, &style.left(&label_of(row, style), self.label));
        line.push_str(&" ".repeat(GAP));
        let (bar, is_noted) = self.bar(row, style);
        line.push_str(&bar);
        line.push_str(&style.paint(Tone::Dim, &self.start_cell(&moment(row.start_ns), style)));
        line.push_str(&style.right(&readable(row.duration_ns), self.length));
        if is_noted || row.kind != RowKind::Attempt {
            return vec![line];
        }
        let end = self.half_cell(row.end_ns()).div_ceil(2);
        let note = row.note.as_deref().unwrap_or_default();
        let note = style.right(&format!("{note} {}", style.pick("┘", "^")), end);
        let tone = if row.failed { Tone::Bad } else { Tone::Dim };
        vec![line, " ".repeat(self.label.saturating_add(GAP)) + &style.paint(tone, &note)]
    }

    fn start_cell(self, text: &str, style: &TextStyle) -> String {
        if self.start == 0 { String::new() } else { style.right(text, self.start) }
    }

    /// The bar with its note behind it, or before it; and whether there was room for that.
    fn bar(self, row: &Row, style: &TextStyle) -> (String, bool) {
        let mut cells: Vec<(char, Tone)> = vec![(' ', Tone::Plain); self.bars];
        for segment in &row.segments {
            self.draw(*segment, style, &mut cells);
        }
        if cells.iter().all(|cell| cell.0 == ' ') {
            self.draw_instant(row, style, &mut cells);
        }
        let is_used = |cell: &(char, Tone)| cell.0 != ' ';
        let first = cells.iter().position(is_used).unwrap_or_default();
        let behind = cells.iter().rposition(is_used).unwrap_or_default().saturating_add(GAP);
        let note = style.fit(row.note.as_deref().unwrap_or_default(), self.bars);
        let width = display_width(&note);
        let end = behind.saturating_add(width);
        let place = if end <= self.bars { Some(behind) } else { first.checked_sub(width.saturating_add(1)) };
        let tone = if row.failed { Tone::Bad } else { Tone::Dim };
        if let Some(place) = place.filter(|_| width > 0) {
            // Wide characters fill their second column with nothing.
            cells.splice(place..place.saturating_add(width), note.chars().map(|found| (found, tone)));
        }
        (paint_runs(&cells, style), place.is_some() || width == 0)
    }

    fn draw(self, segment: Segment, style: &TextStyle, cells: &mut [(char, Tone)]) {
        if segment.duration_ns == Nanos::ZERO {
            return;
        }
        let last = self.halves().saturating_sub(1);
        let start = self.half_cell(segment.start_ns).min(last);
        // Whatever took time has a mark.
        let end = self.half_cell(segment.end_ns()).max(start.saturating_add(1));
        for (column, cell) in cells.iter_mut().enumerate() {
            let half = column.saturating_mul(2);
            let left = (start..end).contains(&half);
            let right = (start..end).contains(&half.saturating_add(1));
            if left || right {
                *cell = (glyph(segment.kind, left, right, cell.0, style.glyphs()), tone(segment));
            }
        }
    }

    /// A row without length is a thin line where it was.
    fn draw_instant(self, row: &Row, style: &TextStyle, cells: &mut [(char, Tone)]) {
        let tone = row.segments.first().map_or(Tone::Plain, |segment| tone(*segment));
        let mark = style.pick("▏", "|").chars().next().unwrap_or('|');
        let last = self.halves().saturating_sub(1);
        if let Some(cell) = cells.get_mut(self.half_cell(row.start_ns).min(last) / 2) {
            *cell = (mark, tone);
        }
    }

    /// The half column of a moment, rounded down; that of the end of the call is the one behind the last.
    fn half_cell(self, at: Nanos) -> usize {
        let halves = u128::try_from(self.halves()).unwrap_or_default();
        let column = u128::from(at.as_nanos()).saturating_mul(halves) / u128::from(self.total.as_nanos()).max(1);
        usize::try_from(column).unwrap_or(usize::MAX).min(self.halves())
    }

    fn halves(self) -> usize {
        self.bars.saturating_mul(2)
    }
}

/// The label behind its indentation; what failed is marked.
fn label_of(row: &Row, style: &TextStyle) -> String {
    let mark = if row.failed { style.pick("✗ ", "x ") } else { "" };
    let depth = usize::try_from(row.depth).unwrap_or_default();
    format!("{}{mark}{}", " ".repeat(depth.saturating_mul(INDENT)), style.fit(&row.label, usize::MAX))
}

fn start_of(row: &Row, style: &TextStyle) -> String {
    style.fit(&moment(row.start_ns), usize::MAX)
}

fn length_of(row: &Row, style: &TextStyle) -> String {
    style.fit(&readable(row.duration_ns), usize::MAX)
}

fn tone(segment: Segment) -> Tone {
    match segment.kind {
        SegmentKind::Stalled => Tone::Bad,
        _ if segment.failed => Tone::Bad,
        SegmentKind::Content => Tone::Good,
        SegmentKind::Folded => Tone::Dim,
        SegmentKind::Local => Tone::Phase,
        SegmentKind::Pause => Tone::Wait,
        SegmentKind::Pending | SegmentKind::Waiting => Tone::Request,
    }
}

/// What fills a cell: the more comes back, the fuller.
fn glyph(kind: SegmentKind, left: bool, right: bool, before: char, glyphs: Glyphs) -> char {
    let is_ascii = glyphs == Glyphs::Ascii;
    match kind {
        SegmentKind::Content | SegmentKind::Local if is_ascii => '#',
        // The other half of the cell is already somebody's: the two make it full.
        SegmentKind::Content | SegmentKind::Local if (left && right) || before != ' ' => '█',
        SegmentKind::Content | SegmentKind::Local if left => '▌',
        SegmentKind::Content | SegmentKind::Local => '▐',
        SegmentKind::Folded if is_ascii => ':',
        SegmentKind::Folded => '┄',
        SegmentKind::Pause if is_ascii => '.',
        SegmentKind::Pause => '╌',
        SegmentKind::Pending if is_ascii => '=',
        SegmentKind::Pending => '▒',
        SegmentKind::Stalled | SegmentKind::Waiting if is_ascii => '-',
        SegmentKind::Stalled | SegmentKind::Waiting => '░',
    }
}

/// The cells as text; neighbours of one tone share their colour.
fn paint_runs(cells: &[(char, Tone)], style: &TextStyle) -> String {
    cells
        .chunk_by(|one, other| one.1 == other.1)
        .map(|run| {
            let text: String = run.iter().map(|(found, _)| found.to_string()).collect();
            style.paint(run.first().map_or(Tone::Plain, |(_, tone)| *tone), &text)
        })
        .collect()
}

/// Columns that a tick and its name need.
const TICK_COLUMNS: usize = 8;
