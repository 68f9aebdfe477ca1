//! A record as text in a terminal.

use alloc::{
    format,
    string::{String, ToString as _},
};

use super::{
    bars,
    brief::{Brief, Fact},
    model::{Head, Waterfall},
    terminal::{TextStyle, Tone, display_width, wrap},
};
use crate::{
    explain::{Explanation, Topic},
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
    let mut text = head(&waterfall.head, style);
    text.push('\n');
    text.push_str(&bars::draw(&waterfall, style));
    text.push('\n');
    text.push_str(&brief(&waterfall.brief, style));
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
fn head(head: &Head, style: &TextStyle) -> String {
    let tone = match head.outcome {
        Outcome::Success => Tone::Good,
        Outcome::Error | Outcome::TimedOut => Tone::Bad,
        _ => Tone::Wait,
    };
    let width = style.width();
    let time = style.fit(&head.duration, usize::MAX);
    let rule = style.paint(Tone::Dim, &style.pick("━", "=").repeat(width));
    let name = style.title().map(|title| style.fit(title, width / 3) + "  ").unwrap_or_default();
    let before = display_width(&name);
    let strong = |text: &str| style.paint(Tone::Strong, text);
    if width < WIDE {
        let what = style.fit(&head.what, width.saturating_sub(before));
        let ending = style.left(&head.ending, width.saturating_sub(display_width(&time).saturating_add(GAP)));
        return format!("{}{what}\n{}  {}\n{rule}\n", strong(&name), style.paint(tone, &ending), strong(&time));
    }
    let ending = style.fit(&head.ending, width / 2);
    let after = display_width(&head.ending).saturating_add(display_width(&time)).saturating_add(2 * GAP);
    let what = style.left(&head.what, width.saturating_sub(before).saturating_sub(after));
    let name = name.strip_suffix("  ").map(|name| strong(name) + "  ").unwrap_or_default();
    format!("{name}{what}  {}  {}\n{rule}\n", style.paint(tone, &ending), strong(&time))
}

/// Times and rates at the left, attempts, tokens, cost and ids at the right; one below the other where there is no room.
fn brief(brief: &Brief, style: &TextStyle) -> String {
    let mut text = String::new();
    let mut push_line = |line: &str| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    let width = style.width();
    let (left, right) = (&brief.timing, &brief.result);
    if width < WIDE {
        for fact in left.iter().chain(right) {
            push_line(&cell(fact, width, style));
        }
        return text;
    }
    let widest = |facts: &[Fact]| {
        let widths = facts.iter().map(|fact| NAME.saturating_add(display_width(&style.fit(&fact.value, usize::MAX))));
        widths.max().unwrap_or_default()
    };
    // The left half gives way where the right one needs more.
    let half = (width / 2).saturating_sub(1);
    let needed = width.saturating_sub(GAP.saturating_add(widest(right)));
    let column = needed.clamp(widest(left).min(half), half);
    let rest = width.saturating_sub(column).saturating_sub(GAP);
    for at in 0..left.len().max(right.len()) {
        let mut line = left.get(at).map_or_else(|| " ".repeat(column), |fact| cell(fact, column, style));
        line.push_str("  ");
        line.push_str(&right.get(at).map(|fact| cell(fact, rest, style)).unwrap_or_default());
        push_line(&line);
    }
    text
}

fn cell(fact: &Fact, width: usize, style: &TextStyle) -> String {
    let value = style.left(&fact.value, width.saturating_sub(NAME));
    style.paint(Tone::Dim, &style.left(fact.label, NAME)) + &value
}

fn push_explanation(explanation: &Explanation, style: &TextStyle, text: &mut String) {
    let bullet = style.pick("• ", "* ");
    let room = style.width().saturating_sub(GAP);
    let tone = if explanation.topic == Topic::DurationNs { Tone::Strong } else { Tone::Plain };
    for (at, line) in wrap(&explanation.to_string(), room).iter().enumerate() {
        text.push_str(if at == 0 { bullet } else { "  " });
        text.push_str(&style.paint(tone, &style.fit(line, room)));
        text.push('\n');
    }
}

/// Columns between parts of a line.
const GAP: usize = 2;

/// Columns of a name.
const NAME: usize = 14;

/// Columns from which parts stand side by side.
const WIDE: usize = 64;
