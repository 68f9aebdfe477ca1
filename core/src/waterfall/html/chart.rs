//! The rows of a waterfall as a table with bars.

use alloc::{string::String, vec::Vec};

use super::{
    super::{
        axis::since,
        model::{Row, RowKind, Segment, SegmentKind, Waterfall},
    },
    markup::Markup,
};
use crate::{
    explain::{
        Value::{Escaped, Number, Part, Text, Time},
        also,
    },
    sorted::sort_by_key,
    time::Nanos,
};

/// Writes the axis and the rows. The roles are those of a table, which styles take from its elements in some browsers.
pub(super) fn rows(waterfall: &Waterfall, markup: &mut Markup) {
    let total = waterfall.duration_ns.as_nanos();
    markup.say(
        "<table class=\"~rows\" role=\"table\" style=\"--~step:{}\">\n\
         <thead role=\"rowgroup\"><tr class=\"~row\" role=\"row\">\
         <th class=\"~cell ~label ~dim\" role=\"columnheader\" scope=\"col\">step</th>\
         <th class=\"~cell ~track ~dim\" role=\"columnheader\" scope=\"col\"><div class=\"~lane ~axis\">",
        &[Part(waterfall.axis.step_ns.as_nanos(), total)],
    );
    for (number, tick) in waterfall.axis.ticks.iter().enumerate() {
        // A narrow axis has room for four.
        let odd = if number % 2 == 1 && waterfall.axis.ticks.len() > 4 { " llmspan-odd" } else { "" };
        markup.say("<span class=\"~tick{}\" style=\"", &[Text(odd)]);
        // A tick is at its time, and to the left of that near the end.
        let at = tick.at_ns.as_nanos();
        if at > 0 && u128::from(at).saturating_mul(10) > u128::from(total).saturating_mul(9) {
            markup.say("right:{}", &[Part(total.saturating_sub(at), total)]);
        } else {
            markup.say("left:{};padding-left:{}px", &[Part(at, total), Number(if at > 0 { 3 } else { 0 })]);
        }
        markup.say("\">{}</span>", &[Escaped(&tick.label)]);
    }
    markup.raw("</div></th>");
    for head in ["start", "time"] {
        let template = "<th class=\"~cell ~number ~dim\" role=\"columnheader\" scope=\"col\">{}</th>";
        markup.say(template, &[Text(head)]);
    }
    markup.raw("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for row in &waterfall.rows {
        self::row(row, total, markup);
    }
    markup.raw("</tbody>\n</table>\n");
}

/// Writes what the patterns of the bars mean, of those that occur.
pub(super) fn legend(waterfall: &Waterfall, markup: &mut Markup) {
    let mut all: Vec<Segment> = Vec::new();
    for row in &waterfall.rows {
        all.append(&mut pieces(row));
    }
    if all.is_empty() {
        return;
    }
    markup.say("<ul class=\"~legend\">", &[]);
    let order = [
        SegmentKind::Local,
        SegmentKind::Pause,
        SegmentKind::Waiting,
        SegmentKind::Pending,
        SegmentKind::Content,
        SegmentKind::Stalled,
        SegmentKind::Folded,
    ];
    let mut entry = |piece: &Segment, words| {
        let values = [Text(piece.kind.key()), Text(lost(piece)), Text(words)];
        markup.say("<li><span class=\"~bar ~{}{}\"></span>{}</li>", &values);
    };
    for kind in order {
        if let Some(piece) = all.iter().find(|piece| piece.kind == kind && !piece.failed) {
            entry(piece, kind.words());
        }
    }
    if let Some(piece) = all.iter().find(|piece| piece.failed) {
        entry(piece, "of an attempt that failed");
    }
    markup.raw("</ul>\n");
}

fn row(row: &Row, total: u64, markup: &mut Markup) {
    let (failed, mark) =
        if row.failed { (" llmspan-failed", "<span role=\"img\" aria-label=\"failed\">✗</span> ") } else { ("", "") };
    let kind = if row.kind == RowKind::Attempt { " llmspan-attempt" } else { "" };
    let dim = if row.depth > 0 || row.kind == RowKind::Folded { " llmspan-dim" } else { "" };
    // Above the least padding, 14 pixels for each level.
    let indent = row.depth.saturating_mul(14);
    let label = Escaped(&row.label);
    markup.say(
        "<tr class=\"~row{}{}\" role=\"row\"><th class=\"~cell ~label\" role=\"rowheader\" scope=\"row\">\
         <div class=\"~name{}\" style=\"padding-left:{}px\" title=\"{}\">{}{}</div></th>\
         <td class=\"~cell ~track\" role=\"cell\"><div class=\"~lane\">",
        &[Text(kind), Text(failed), Text(dim), Number(indent.into()), label, Text(mark), label],
    );
    bars(row, total, markup);
    note(row, total, markup);
    markup.say(
        "</div></td><td class=\"~cell ~number\" role=\"cell\"><span class=\"~dim\">{}</span></td>\
         <td class=\"~cell ~number\" role=\"cell\">{}</td></tr>\n",
        &[since(row.start_ns), Time(row.duration_ns)],
    );
}

fn bars(row: &Row, total: u64, markup: &mut Markup) {
    let pieces = pieces(row);
    markup.say("<div class=\"~bars\" role=\"img\" aria-label=\"{}\">", &[Text(&in_words(&pieces))]);
    for piece in &pieces {
        let start = piece.start_ns.as_nanos().min(total);
        let width = piece.end_ns().as_nanos().min(total).saturating_sub(start);
        markup.say(
            "<span class=\"~bar ~{}{}\" style=\"left:min({},calc(100% - 2px));width:{}\" title=\"{}: {} from {}\"></span>",
            &[
                Text(piece.kind.key()),
                Text(lost(piece)),
                Part(start, total),
                Part(width, total),
                Text(piece.kind.words()),
                Time(piece.duration_ns),
                since(piece.start_ns),
            ],
        );
    }
    markup.raw("</div>");
}

/// Writes the note behind the bar, or before it, or below it.
fn note(row: &Row, total: u64, markup: &mut Markup) {
    let Some(note) = &row.note else { return };
    let (before, end) = (row.start_ns.as_nanos().min(total), row.end_ns().as_nanos().min(total));
    let behind = total.saturating_sub(end);
    // A narrow lane has about fifty characters: two per cent for each, and the gaps.
    let length = note.chars().count();
    let needed = |length: usize| u128::try_from(length).unwrap_or_default().saturating_mul(2).saturating_add(4);
    let fits = |room: u64, length: usize| {
        u128::from(room).saturating_mul(100) >= u128::from(total).saturating_mul(needed(length))
    };
    // A long one has more room in a wide lane, and a line of its own in a narrow one.
    let least = length.min(LONG_NOTE);
    let (room, template, place) = if fits(behind, least) {
        (Some(behind), "left:{};max-width:{}", end)
    } else if fits(before, least) {
        (Some(before), "right:{};max-width:{}", total.saturating_sub(before))
    } else {
        (None, "margin-left:{}", before.min(total / 2))
    };
    let class = match room {
        None => " llmspan-below llmspan-long",
        Some(room) if fits(room, length) => "",
        Some(_) => " llmspan-long",
    };
    markup
        .say("<div class=\"~note{}\" style=\"", &[Text(class)])
        .say(template, &[Part(place, total), Part(room.unwrap_or_default(), total)])
        .say("\" title=\"{}\">{}</div>", &[Escaped(note), Escaped(note)]);
}

/// Characters of a note that a place beside its bar has at least.
const LONG_NOTE: usize = 20;

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
            for piece in [before, after] {
                if piece.duration_ns > Nanos::ZERO {
                    uncovered.push(piece);
                }
            }
        }
        pieces = uncovered;
        pieces.push(*segment);
    }
    sort_by_key(&mut pieces, |piece| piece.start_ns);
    if pieces.is_empty()
        && let Some(segment) = row.segments.first()
    {
        pieces.push(Segment { duration_ns: Nanos::ZERO, ..*segment });
    }
    pieces
}

/// What a bar shows, in words: the time of each kind of piece, in the order of their first.
fn in_words(pieces: &[Segment]) -> String {
    let mut sums: Vec<Segment> = Vec::new();
    for piece in pieces {
        match sums.iter_mut().find(|sum| sum.kind == piece.kind) {
            Some(sum) => sum.duration_ns = sum.duration_ns.saturating_add(piece.duration_ns),
            None => sums.push(*piece),
        }
    }
    let mut text = String::new();
    for sum in sums {
        also(&mut text, "{} {}", &[Text(sum.kind.words()), Time(sum.duration_ns)]);
    }
    text
}

/// The class of what was lost with an attempt that failed.
fn lost(piece: &Segment) -> &'static str {
    if piece.failed { " llmspan-lost" } else { "" }
}
