//! The bars of a waterfall as text, as the network panel of a browser draws them.

use alloc::{string::String, vec, vec::Vec};

use super::{
    axis::{Axis, since},
    model::{Row, RowKind, Segment, SegmentKind, Waterfall},
    terminal::{Glyphs, TextStyle, Tone, display_width, end_line, push_times},
};
use crate::{
    explain::{
        Value::{self, Text, Time},
        said,
    },
    time::Nanos,
};

/// Draws the rows, a line each, below an axis.
pub(super) fn draw(waterfall: &Waterfall, style: &TextStyle, out: &mut String) {
    let frame = Frame::new(waterfall, style);
    frame.axis(style, out);
    for row in &waterfall.rows {
        frame.row(row, style, out);
    }
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
        let (mut label, mut start, mut length) = (0, START.len(), LENGTH.len());
        for row in &waterfall.rows {
            label = label.max(display_width(&label_of(row, style)));
            start = start.max(width_of(&[since(row.start_ns)], style));
            length = length.max(width_of(&[Time(row.duration_ns)], style));
        }
        let start = if width < WIDE { 0 } else { GAP.saturating_add(start) };
        let length = GAP.saturating_add(length);
        let rest = width.saturating_sub(start).saturating_sub(length).saturating_sub(GAP);
        // A label gives way to the bars, down to the least one.
        let label = label.min(width / 3).min(rest.saturating_sub(LEAST_BARS)).max(LEAST_LABEL);
        let bars = rest.saturating_sub(label).max(1);
        Self { label, bars, start, length, total: waterfall.duration_ns }
    }

    /// Two lines: the times, and the line with a tick below each.
    fn axis(self, style: &TextStyle, out: &mut String) {
        let most = u64::try_from(self.bars / TICK_COLUMNS).unwrap_or(1);
        let mut names = String::new();
        push_times(&mut names, " ", self.label.saturating_add(GAP));
        let mut line = names.clone();
        // Columns that are written.
        let (mut filled, mut marked) = (0_usize, 0_usize);
        for tick in Axis::new(self.total, most).ticks {
            let column = self.half_cell(tick.at_ns) / 2;
            let mark = column.min(self.bars.saturating_sub(1));
            if mark >= marked {
                push_times(&mut line, style.pick("─", "-"), mark.saturating_sub(marked));
                line.push_str(style.pick("┬", "+"));
                marked = mark.saturating_add(1);
            }
            let name = style.fit(&tick.label, self.bars);
            let width = display_width(&name);
            let column = column.min(self.bars.saturating_sub(width));
            // Between two names is a blank at least.
            if filled == 0 || column > filled {
                push_times(&mut names, " ", column.saturating_sub(filled));
                names.push_str(&name);
                filled = column.saturating_add(width);
            }
        }
        push_times(&mut line, style.pick("─", "-"), self.bars.saturating_sub(marked));
        push_times(&mut names, " ", self.bars.saturating_sub(filled));
        names.push_str(&self.start_cell(START, style));
        names.push_str(&style.right(LENGTH, self.length));
        for text in [names, line] {
            let start = out.len();
            style.push(out, Tone::Dim, &text);
            end_line(out, start);
        }
    }

    /// The line of a row. What is to say about an attempt and has no room beside its bar has a line below, up to the end of
    /// the bar.
    fn row(self, row: &Row, style: &TextStyle, out: &mut String) {
        let tone = match row.kind {
            _ if row.failed => Tone::Bad,
            RowKind::Attempt => Tone::Strong,
            RowKind::Folded => Tone::Dim,
            _ if row.depth > 0 => Tone::Dim,
            _ => Tone::Plain,
        };
        let start = out.len();
        style.push(out, tone, &style.left(&label_of(row, style), self.label));
        push_times(out, " ", GAP);
        let is_noted = self.bar(row, style, out);
        style.push(out, Tone::Dim, &self.start_cell(&said("{}", &[since(row.start_ns)]), style));
        out.push_str(&style.right(&said("{}", &[Time(row.duration_ns)]), self.length));
        end_line(out, start);
        if let Some(note) = row.note.as_deref().filter(|_| !is_noted && row.kind == RowKind::Attempt) {
            let end = self.half_cell(row.end_ns()).div_ceil(2);
            let note = style.right(&said("{} {}", &[Text(note), Text(style.pick("┘", "^"))]), end);
            let start = out.len();
            push_times(out, " ", self.label.saturating_add(GAP));
            style.push(out, if row.failed { Tone::Bad } else { Tone::Dim }, &note);
            end_line(out, start);
        }
    }

    fn start_cell(self, text: &str, style: &TextStyle) -> String {
        if self.start == 0 { String::new() } else { style.right(text, self.start) }
    }

    /// Writes the bar with its note behind it, or before it; gives whether there was room for that.
    fn bar(self, row: &Row, style: &TextStyle, out: &mut String) -> bool {
        let mut cells: Vec<(char, Tone)> = vec![(' ', Tone::Plain); self.bars];
        for segment in &row.segments {
            self.draw(*segment, style, &mut cells);
        }
        let is_used = |cell: &(char, Tone)| cell.0 != ' ';
        if !cells.iter().any(is_used) {
            self.draw_instant(row, style, &mut cells);
        }
        let first = cells.iter().position(is_used).unwrap_or_default();
        let behind = cells.iter().rposition(is_used).unwrap_or_default().saturating_add(GAP);
        let note = style.fit(row.note.as_deref().unwrap_or_default(), self.bars);
        let width = display_width(&note);
        let is_behind = behind.saturating_add(width) <= self.bars;
        let place = if is_behind { Some(behind) } else { first.checked_sub(width.saturating_add(1)) };
        if let Some(place) = place.filter(|_| width > 0) {
            push_cells(cells.get(..place).unwrap_or_default(), style, out);
            style.push(out, if row.failed { Tone::Bad } else { Tone::Dim }, &note);
            cells.drain(..place.saturating_add(width).min(cells.len()));
        }
        push_cells(&cells, style, out);
        place.is_some() || width == 0
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
    let mut label = String::new();
    let depth = usize::try_from(row.depth).unwrap_or_default();
    push_times(&mut label, " ", depth.saturating_mul(INDENT));
    label.push_str(if row.failed { style.pick("✗ ", "x ") } else { "" });
    label.push_str(&style.fit(&row.label, usize::MAX));
    label
}

fn width_of(value: &[Value<'_>], style: &TextStyle) -> usize {
    display_width(&style.fit(&said("{}", value), usize::MAX))
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

/// Writes the cells; neighbours of one tone share their colour.
fn push_cells(cells: &[(char, Tone)], style: &TextStyle, out: &mut String) {
    let mut run = String::new();
    for (at, (found, tone)) in cells.iter().enumerate() {
        run.push(*found);
        if cells.get(at.saturating_add(1)).is_none_or(|next| next.1 != *tone) {
            style.push(out, *tone, &run);
            run.clear();
        }
    }
}

/// Columns that a tick and its name need.
const TICK_COLUMNS: usize = 8;
