//! The rows of a waterfall as a table with bars.

use alloc::{format, string::String, vec::Vec};

use super::{
    super::{
        axis::moment,
        model::{Row, RowKind, Segment, SegmentKind, Waterfall},
    },
    markup::{Markup, percent},
};
use crate::{explain::readable, sorted::sort_by_key, time::Nanos};

/// Writes the axis and the rows. The roles are those of a table, which styles take from its elements in some browsers.
pub(super) fn rows(waterfall: &Waterfall, markup: &mut Markup) {
    let total = waterfall.duration_ns.as_nanos();
    let step = percent(waterfall.axis.step_ns.as_nanos(), total);
    markup
        .raw(&format!("<table class=\"llmspan-rows\" role=\"table\" style=\"--llmspan-step:{step}\">\n"))
        .raw("<thead role=\"rowgroup\"><tr class=\"llmspan-row\" role=\"row\">")
        .raw("<th class=\"llmspan-cell llmspan-label llmspan-dim\" role=\"columnheader\" scope=\"col\">step</th>")
        .raw("<th class=\"llmspan-cell llmspan-track llmspan-dim\" role=\"columnheader\" scope=\"col\">")
        .raw("<div class=\"llmspan-lane llmspan-axis\">");
    for (at, tick) in waterfall.axis.ticks.iter().enumerate() {
        // A narrow axis has room for four.
        let odd = if at % 2 == 1 && waterfall.axis.ticks.len() > 4 { " llmspan-odd" } else { "" };
        let place = place(tick.at_ns.as_nanos(), total);
        markup.raw(&format!("<span class=\"llmspan-tick{odd}\" style=\"{place}\">")).text(&tick.label).raw("</span>");
    }
    markup.raw("</div></th>");
    for head in ["start", "time"] {
        let class = "llmspan-cell llmspan-number llmspan-dim";
        markup.raw(&format!("<th class=\"{class}\" role=\"columnheader\" scope=\"col\">{head}</th>"));
    }
    markup.raw("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for row in &waterfall.rows {
        self::row(row, total, markup);
    }
    markup.raw("</tbody>\n</table>\n");
}

/// Writes what the patterns of the bars mean, of those that occur.
pub(super) fn legend(waterfall: &Waterfall, markup: &mut Markup) {
    let pieces: Vec<Segment> = waterfall.rows.iter().flat_map(pieces).collect();
    if pieces.is_empty() {
        return;
    }
    markup.raw("<ul class=\"llmspan-legend\">");
    let mut entry = |class: &str, words: &str| {
        markup.raw(&format!("<li><span class=\"llmspan-bar {class}\"></span>")).text(words).raw("</li>");
    };
    let order = [
        SegmentKind::Local,
        SegmentKind::Pause,
        SegmentKind::Waiting,
        SegmentKind::Pending,
        SegmentKind::Content,
        SegmentKind::Stalled,
        SegmentKind::Folded,
    ];
    for kind in order.into_iter().filter(|kind| pieces.iter().any(|piece| piece.kind == *kind && !piece.failed)) {
        entry(&format!("llmspan-{}", kind.key()), kind.words());
    }
    if let Some(lost) = pieces.iter().find(|piece| piece.failed) {
        entry(&class(*lost), "of an attempt that failed");
    }
    markup.raw("</ul>\n");
}

fn row(row: &Row, total: u64, markup: &mut Markup) {
    let failed = if row.failed { " llmspan-failed" } else { "" };
    let kind = if row.kind == RowKind::Attempt { " llmspan-attempt" } else { "" };
    let dim = if row.depth > 0 || row.kind == RowKind::Folded { " llmspan-dim" } else { "" };
    // Above the least padding, 14 pixels for each level.
    let indent = row.depth.saturating_mul(14);
    markup
        .raw(&format!("<tr class=\"llmspan-row{kind}{failed}\" role=\"row\">"))
        .raw("<th class=\"llmspan-cell llmspan-label\" role=\"rowheader\" scope=\"row\">")
        .raw(&format!("<div class=\"llmspan-name{dim}\" style=\"padding-left:{indent}px\" title=\""))
        .text(&row.label)
        .raw("\">")
        .raw(if row.failed { "<span role=\"img\" aria-label=\"failed\">✗</span> " } else { "" })
        .text(&row.label)
        .raw("</div></th><td class=\"llmspan-cell llmspan-track\" role=\"cell\"><div class=\"llmspan-lane\">");
    bars(row, total, markup);
    note(row, total, markup);
    markup
        .raw("</div></td>")
        .raw("<td class=\"llmspan-cell llmspan-number\" role=\"cell\"><span class=\"llmspan-dim\">")
        .text(&moment(row.start_ns))
        .raw("</span></td><td class=\"llmspan-cell llmspan-number\" role=\"cell\">")
        .text(&readable(row.duration_ns))
        .raw("</td></tr>\n");
}

fn bars(row: &Row, total: u64, markup: &mut Markup) {
    let pieces = pieces(row);
    markup.raw("<div class=\"llmspan-bars\" role=\"img\" aria-label=\"").text(&in_words(&pieces)).raw("\">");
    for piece in &pieces {
        let start = piece.start_ns.as_nanos().min(total);
        let left = percent(start, total);
        let width = percent(piece.end_ns().as_nanos().min(total).saturating_sub(start), total);
        let from = moment(piece.start_ns);
        markup
            .raw(&format!(
                "<span class=\"llmspan-bar {}\" style=\"left:min({left},calc(100% - 2px));width:{width}\" title=\"",
                class(*piece)
            ))
            .text(&format!("{}: {} from {from}", words(*piece), readable(piece.duration_ns)))
            .raw("\"></span>");
    }
    markup.raw("</div>");
}

/// Writes the note behind the bar, or before it, or below it.
fn note(row: &Row, total: u64, markup: &mut Markup) {
    let Some(note) = &row.note else { return };
    let (start, end) = (row.start_ns.as_nanos().min(total), row.end_ns().as_nanos().min(total));
    let (before, behind) = (start, total.saturating_sub(end));
    // A narrow lane has about fifty characters: two per cent for each, and the gaps.
    let length = note.chars().count();
    let needed = |length: usize| u128::try_from(length).unwrap_or_default().saturating_mul(2).saturating_add(4);
    let fits = |room: u64, length: usize| {
        u128::from(room).saturating_mul(100) >= u128::from(total).saturating_mul(needed(length))
    };
    // A long one has more room in a wide lane, and a line of its own in a narrow one.
    let least = length.min(LONG_NOTE);
    let class = |room: u64| if fits(room, length) { "" } else { " llmspan-long" };
    let (class, style) = if fits(behind, least) {
        (class(behind), format!("left:{};max-width:{}", percent(end, total), percent(behind, total)))
    } else if fits(before, least) {
        let right = percent(total.saturating_sub(start), total);
        (class(before), format!("right:{right};max-width:{}", percent(before, total)))
    } else {
        (" llmspan-below llmspan-long", format!("margin-left:{}", percent(start.min(total / 2), total)))
    };
    markup.raw(&format!("<div class=\"llmspan-note{class}\" style=\"{style}\" title=\"")).text(note);
    markup.raw("\">").text(note).raw("</div>");
}

/// Characters of a note that a place beside its bar has at least.
const LONG_NOTE: usize = 20;

/// The place of a tick: at its time, and to the left of that near the end.
fn place(at: u64, total: u64) -> String {
    let is_late = u128::from(at).saturating_mul(10) > u128::from(total).saturating_mul(9);
    if is_late && at > 0 {
        format!("right:{}", percent(total.saturating_sub(at), total))
    } else {
        format!("left:{};padding-left:{}px", percent(at, total), if at > 0 { 3 } else { 0 })
    }
}

/// The segments as far as none that is drawn later covers them; a row without length is an instant.
fn pieces(row: &Row) -> Vec<Segment> {
    let mut pieces: Vec<Segment> = Vec::new();
    for segment in row.segments.iter().filter(|segment| segment.duration_ns > Nanos::ZERO) {
        let (start, end) = (segment.start_ns, segment.end_ns());
        let mut uncovered = Vec::new();
        for piece in pieces {
            let before = Segment { duration_ns: start.min(piece.end_ns()).saturating_sub(piece.start_ns), ..piece };
            let from = end.max(piece.start_ns);
            let after = Segment { start_ns: from, duration_ns: piece.end_ns().saturating_sub(from), ..piece };
            uncovered.extend([before, after].into_iter().filter(|piece| piece.duration_ns > Nanos::ZERO));
        }
        pieces = uncovered;
        pieces.push(*segment);
    }
    sort_by_key(&mut pieces, |piece| piece.start_ns);
    if pieces.is_empty() {
        pieces.extend(row.segments.first().map(|segment| Segment { duration_ns: Nanos::ZERO, ..*segment }));
    }
    pieces
}

/// What a bar shows, in words: the time of each kind of piece, in the order of their first.
fn in_words(pieces: &[Segment]) -> String {
    let mut sums: Vec<(&str, Nanos)> = Vec::new();
    for piece in pieces {
        match sums.iter_mut().find(|(words, _)| *words == self::words(*piece)) {
            Some((_, sum)) => *sum = sum.saturating_add(piece.duration_ns),
            None => sums.push((words(*piece), piece.duration_ns)),
        }
    }
    let texts: Vec<String> = sums.into_iter().map(|(words, sum)| format!("{words} {}", readable(sum))).collect();
    texts.join(", ")
}

fn words(piece: Segment) -> &'static str {
    piece.kind.words()
}

fn class(piece: Segment) -> String {
    format!("llmspan-{}{}", piece.kind.key(), if piece.failed { " llmspan-lost" } else { "" })
}
