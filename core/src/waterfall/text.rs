//! A record as text in a terminal.

use alloc::{format, string::String};

use super::{
    bars,
    brief::{Brief, Fact},
    model::{Head, Waterfall},
    terminal::{TextStyle, Tone, display_width, end_line, push_times, wrap},
};
use crate::{
    explain::{Explanation, Topic, Value::Text, said},
    record::{Outcome, Record},
};

/// Draws a record as text: what was asked and how it ended, the waterfall, the values in two columns, and the explanations.
/// No line is wider than the style, every line ends with a line feed.
///
/// # Examples
/// ```
/// use llmspan_core::{record::Record, time::Nanos, waterfall::{TextStyle, text}};
///
/// let mut record = Record::default();
/// record.model = Some("gpt-4.1-mini".into());
/// record.provider = Some("openai".into());
/// record.duration_ns = Nanos::from_millis(80);
/// let drawn = text(&record, &TextStyle::default().with_width(64));
/// let head = drawn.lines().next().expect("there is a head");
/// assert_eq!(head, "call gpt-4.1-mini @ openai                        success  80 ms");
/// ```
pub fn text(record: &Record, style: &TextStyle) -> String {
    let waterfall = Waterfall::new(record);
    let mut text = String::new();
    head(&waterfall.head, style, &mut text);
    text.push('\n');
    bars::draw(&waterfall, style, &mut text);
    text.push('\n');
    brief(&waterfall.brief, style, &mut text);
    text.push('\n');
    for explanation in &waterfall.explanations {
        push_explanation(explanation, style, &mut text);
    }
    text
}

/// What the bars of [`text`] are made of, in one line or a few.
pub fn legend(style: &TextStyle) -> String {
    let parts = [
        ("╌", ".", Tone::Wait, "pause"),
        ("░", "-", Tone::Request, "waiting for the server"),
        ("▒", "=", Tone::Request, "nothing visible yet"),
        ("█", "#", Tone::Good, "content"),
        ("█", "#", Tone::Phase, "local work"),
    ];
    let mut text = String::new();
    let mut used = 0_usize;
    for (unicode, ascii, tone, meaning) in parts {
        let swatch = style.pick(unicode, ascii).repeat(2);
        let meaning = format!(" {meaning}");
        let width = display_width(&swatch).saturating_add(display_width(&meaning));
        if used > 0 {
            let fits = used.saturating_add(GAP).saturating_add(width) <= style.width();
            text.push_str(if fits { "  " } else { "\n" });
            used = if fits { used.saturating_add(GAP) } else { 0 };
        }
        text.push_str(&style.paint(tone, &swatch));
        text.push_str(&style.paint(Tone::Dim, &meaning));
        used = used.saturating_add(width);
    }
    text.push('\n');
    text
}

/// The title, what was asked of whom, how it ended and how long it took, over a line.
fn head(head: &Head, style: &TextStyle, out: &mut String) {
    let tone = match head.outcome {
        Outcome::Success => Tone::Good,
        Outcome::Error | Outcome::TimedOut => Tone::Bad,
        _ => Tone::Wait,
    };
    let width = style.width();
    let time = style.fit(&head.duration, usize::MAX);
    let title = style.title().map(|title| style.fit(title, width / 3));
    let (ending, separator) = if width < WIDE {
        (style.left(&head.ending, width.saturating_sub(display_width(&time).saturating_add(GAP))), "\n")
    } else {
        (style.fit(&head.ending, width / 2), "  ")
    };
    let mut room = width;
    if let Some(title) = &title {
        room = room.saturating_sub(display_width(title).saturating_add(GAP));
        // A narrow head paints the gap with the title.
        let gap = if width < WIDE { "  " } else { "" };
        style.push(out, Tone::Strong, &said("{}{}", &[Text(title), Text(gap)]));
        out.push_str(if width < WIDE { "" } else { "  " });
    }
    if width < WIDE {
        out.push_str(&style.fit(&head.what, room));
    } else {
        let after = display_width(&head.ending).saturating_add(display_width(&time)).saturating_add(2 * GAP);
        out.push_str(&style.left(&head.what, room.saturating_sub(after)));
    }
    out.push_str(separator);
    style.push(out, tone, &ending);
    out.push_str("  ");
    style.push(out, Tone::Strong, &time);
    out.push('\n');
    let mut rule = String::new();
    push_times(&mut rule, style.pick("━", "="), width);
    style.push(out, Tone::Dim, &rule);
    out.push('\n');
}

/// Times and rates at the left, attempts, tokens, cost and ids at the right; one below the other where there is no room.
fn brief(brief: &Brief, style: &TextStyle, out: &mut String) {
    let width = style.width();
    let (left, right) = (&brief.timing, &brief.result);
    if width < WIDE {
        for fact in left.iter().chain(right) {
            let start = out.len();
            push_cell(Some(fact), width, style, out);
            end_line(out, start);
        }
        return;
    }
    let widest = |facts: &[Fact]| {
        let widths = facts.iter().map(|fact| NAME.saturating_add(display_width(&style.fit(&fact.value, usize::MAX))));
        widths.max().unwrap_or_default()
    };
    // The left half gives way where the right one needs more.
    let half = (width / 2).saturating_sub(1);
    let needed = width.saturating_sub(GAP.saturating_add(widest(right)));
    let column = needed.clamp(widest(left).min(half), half);
    for at in 0..left.len().max(right.len()) {
        let start = out.len();
        push_cell(left.get(at), column, style, out);
        out.push_str("  ");
        push_cell(right.get(at), width.saturating_sub(column).saturating_sub(GAP), style, out);
        end_line(out, start);
    }
}

/// A name and its value in exactly these columns; blanks where there is none.
fn push_cell(fact: Option<&Fact>, width: usize, style: &TextStyle, out: &mut String) {
    if let Some(fact) = fact {
        style.push(out, Tone::Dim, &style.left(fact.label, NAME));
        out.push_str(&style.left(&fact.value, width.saturating_sub(NAME)));
    } else {
        push_times(out, " ", width);
    }
}

fn push_explanation(explanation: &Explanation, style: &TextStyle, out: &mut String) {
    let mut bullet = style.pick("• ", "* ");
    let room = style.width().saturating_sub(GAP);
    let tone = if explanation.topic == Topic::DurationNs { Tone::Strong } else { Tone::Plain };
    for line in wrap(&explanation.text, room) {
        out.push_str(bullet);
        bullet = "  ";
        style.push(out, tone, &style.fit(&line, room));
        out.push('\n');
    }
}

/// Columns between parts of a line.
const GAP: usize = 2;

/// Columns of a name.
const NAME: usize = 14;

/// Columns from which parts stand side by side.
const WIDE: usize = 64;
