//! The attributes of a record under the names of two profiles.

use llmspan_core::{
    names::{Profile, call_attributes},
    record::{AttributeValue, Attributes, Record},
    waterfall::{TextStyle, Tone, display_width},
};

/// Writes what each profile would put on the span of the call: side by side where there is room, else one below the
/// other. What a profile shares with the first one is only counted.
pub(crate) fn render(record: &Record, profiles: &[&Profile], style: &TextStyle) -> String {
    let Some((first, others)) = profiles.split_first() else { return String::new() };
    let shared = call_attributes(record, &[first]);
    let mut tables = vec![Table::new(first.name().into(), &shared, style)];
    for profile in others {
        let mut own = call_attributes(record, &[profile]);
        let all = own.len();
        own.retain(|name, value| shared.get(name) != Some(value));
        let title = match all - own.len() {
            0 => profile.name().into(),
            same => format!("{} (and {same} as in {})", profile.name(), first.name()),
        };
        tables.push(Table::new(title, &own, style));
    }
    let others: usize = tables.iter().skip(1).map(|table| table.width() + GAP).sum();
    let room = style.width().saturating_sub(others);
    let mut text = String::new();
    let is_wide = tables.first().is_some_and(|table| table.names + GAP + table.values.min(LEAST_VALUE) <= room);
    if is_wide && let Some(first) = tables.first_mut() {
        first.values = first.values.min(room.saturating_sub(first.names + GAP));
        let lines = tables.iter().map(|table| table.rows.len()).max().unwrap_or_default();
        for at in 0..=lines {
            let cells: Vec<String> = tables.iter().map(|table| table.line(at, table.width(), style)).collect();
            push_line(&mut text, &cells.join(&" ".repeat(GAP)));
        }
        return text;
    }
    for (number, table) in tables.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        for at in 0..=table.rows.len() {
            push_line(&mut text, &table.line(at, style.width(), style));
        }
    }
    text
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Columns between tables, and between names and values.
const GAP: usize = 2;

/// Columns that a value of the first table has at least when tables stand side by side.
const LEAST_VALUE: usize = 16;

/// Columns that the longest value gets.
const MOST_VALUE: usize = 40;

struct Table {
    title: String,
    rows: Vec<(String, String)>,
    names: usize,
    values: usize,
}

impl Table {
    fn new(title: String, attributes: &Attributes, style: &TextStyle) -> Self {
        let rows: Vec<(String, String)> = attributes
            .iter()
            .map(|(name, value)| (style.fit(name, usize::MAX), style.fit(&written(value), MOST_VALUE)))
            .collect();
        let names = rows.iter().map(|row| display_width(&row.0)).max().unwrap_or_default();
        let values = rows.iter().map(|row| display_width(&row.1)).max().unwrap_or_default();
        Self { title, rows, names, values }
    }

    fn width(&self) -> usize {
        (self.names + GAP + self.values).max(display_width(&self.title))
    }

    /// The title, then the attributes; empty behind the last one.
    fn line(&self, at: usize, width: usize, style: &TextStyle) -> String {
        let Some(at) = at.checked_sub(1) else {
            return style.paint(Tone::Strong, &style.left(&self.title, width));
        };
        let Some((name, value)) = self.rows.get(at) else { return " ".repeat(width) };
        let name = style.left(name, self.names.min(width));
        let rest = width.saturating_sub(self.names + GAP);
        style.paint(Tone::Dim, &name) + &" ".repeat(GAP) + &style.left(value, rest)
    }
}

fn written(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Bool(value) => value.to_string(),
        AttributeValue::Int(value) => value.to_string(),
        AttributeValue::Float(value) => value.to_string(),
        AttributeValue::Str(value) => value.clone(),
        AttributeValue::StrList(values) => format!("[{}]", values.join(", ")),
        _ => String::from("?"),
    }
}
