//! Text in a terminal: its width, its padding, its colours.

use alloc::{
    string::{String, ToString as _},
    vec,
    vec::Vec,
};

use super::words::steers;
use crate::explain::{Value::Text, say};

/// How text is drawn: columns, colours, characters, and a title. Also pads, cuts and paints what a program writes around a
/// waterfall, so that both look alike.
///
/// # Examples
/// ```
/// use llmspan_core::waterfall::{Glyphs, Palette, TextStyle};
///
/// let style = TextStyle::default().with_width(80).with_palette(Palette::Plain).with_glyphs(Glyphs::Ascii);
/// assert_eq!(style.fit("a name that is too long", 8), "a name ~");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TextStyle {
    width: usize,
    palette: Palette,
    glyphs: Glyphs,
    title: Option<String>,
}

/// Whether escape sequences are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Palette {
    /// Colours by ANSI escape sequences (ECMA-48 SGR), from the eight of the terminal's own theme.
    Ansi,
    /// No escape sequences.
    #[default]
    Plain,
}

/// Which characters bars and lines are drawn with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Glyphs {
    /// ASCII alone; what is not in ASCII becomes `?`.
    Ascii,
    /// Block elements and box drawing.
    #[default]
    Unicode,
}

/// What a piece of text means; the palette gives it a colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Tone {
    /// Failed, or lost time.
    Bad,
    /// Less important.
    Dim,
    /// Content, success.
    Good,
    /// Local work.
    Phase,
    /// As the text around it.
    Plain,
    /// Waiting for the server.
    Request,
    /// Important.
    Strong,
    /// A pause.
    Wait,
}

impl Default for TextStyle {
    /// 100 columns of Unicode without colours and title.
    fn default() -> Self {
        Self { width: 100, palette: Palette::default(), glyphs: Glyphs::default(), title: None }
    }
}

impl TextStyle {
    /// The least columns.
    pub const LEAST_WIDTH: usize = 40;

    /// The most columns.
    pub const MOST_WIDTH: usize = 400;

    /// Sets the columns, from [`TextStyle::LEAST_WIDTH`] to [`TextStyle::MOST_WIDTH`].
    pub fn with_width(self, columns: usize) -> Self {
        Self { width: columns.clamp(Self::LEAST_WIDTH, Self::MOST_WIDTH), ..self }
    }

    /// Sets whether escape sequences are written.
    pub fn with_palette(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }

    /// Sets the characters to draw with.
    pub fn with_glyphs(self, glyphs: Glyphs) -> Self {
        Self { glyphs, ..self }
    }

    /// Puts a name before the line above the waterfall, such as that of a file.
    pub fn with_title(self, title: &str) -> Self {
        Self { title: Some(title.into()), ..self }
    }

    /// Columns of the terminal.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The name before the line above the waterfall.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The text in the colour of its tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let mut painted = String::new();
        self.push(&mut painted, tone, text);
        painted
    }

    /// Appends the text in the colour of its tone.
    pub(super) fn push(&self, out: &mut String, tone: Tone, text: &str) {
        let code = match tone {
            Tone::Plain => "",
            Tone::Bad => "31",
            Tone::Dim => "2",
            Tone::Good => "32",
            Tone::Phase => "34",
            Tone::Request => "36",
            Tone::Strong => "1",
            Tone::Wait => "33",
        };
        let is_plain = self.palette == Palette::Plain || code.is_empty() || text.is_empty();
        let template = if is_plain { "{}{}" } else { "\u{1b}[{}m{}\u{1b}[0m" };
        say(out, template, &[Text(if is_plain { "" } else { code }), Text(text)]);
    }

    /// Cuts the text to columns, and marks the cut. Control characters become `?`, so that a name cannot steer the
    /// terminal; in ASCII every other character does too.
    pub fn fit(&self, text: &str, columns: usize) -> String {
        let mut fitting = String::new();
        for found in text.chars() {
            match found {
                'µ' => fitting.push_str(self.pick("µ", "u")),
                '…' => fitting.push_str(self.pick("…", "...")),
                _ => fitting.push(self.clean(found)),
            }
        }
        if display_width(&fitting) > columns {
            let mark = self.pick("…", "~");
            let mut used = display_width(mark);
            let cut = fitting.char_indices().find(|(_, found)| {
                used = used.saturating_add(char_width(*found));
                used > columns
            });
            fitting.truncate(cut.map_or(0, |(at, _)| at));
            fitting.push_str(if columns == 0 { "" } else { mark });
        }
        fitting
    }

    /// The text in exactly these columns, at the left.
    pub fn left(&self, text: &str, columns: usize) -> String {
        let mut text = self.fit(text, columns);
        let room = columns.saturating_sub(display_width(&text));
        push_times(&mut text, " ", room);
        text
    }

    /// The text in exactly these columns, at the right.
    pub fn right(&self, text: &str, columns: usize) -> String {
        let fitting = self.fit(text, columns);
        let mut text = String::new();
        push_times(&mut text, " ", columns.saturating_sub(display_width(&fitting)));
        text.push_str(&fitting);
        text
    }

    pub(super) fn glyphs(&self) -> Glyphs {
        self.glyphs
    }

    /// The Unicode text, or what stands for it in ASCII.
    pub(super) fn pick<'a>(&self, unicode: &'a str, ascii: &'a str) -> &'a str {
        match self.glyphs {
            Glyphs::Ascii => ascii,
            Glyphs::Unicode => unicode,
        }
    }

    fn clean(&self, found: char) -> char {
        let is_foreign = self.glyphs == Glyphs::Ascii && !found.is_ascii();
        if steers(found) || is_foreign { '?' } else { found }
    }
}

/// Appends a text so many times.
pub(super) fn push_times(out: &mut String, text: &str, times: usize) {
    for _ in 0..times {
        out.push_str(text);
    }
}

/// Ends the line that begins at `start`, without blanks at its end.
pub(super) fn end_line(out: &mut String, start: usize) {
    let length = out.get(start..).unwrap_or_default().trim_end().len();
    out.truncate(start.saturating_add(length));
    out.push('\n');
}

/// Columns that the text takes in a terminal: 2 for East Asian and pictographic characters, 0 for combining ones.
pub fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The words in lines of at most these columns; a longer word has a line of its own.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let width = display_width(word).saturating_add(1);
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if display_width(line).saturating_add(width) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// Columns of a character, by the ranges that occur in names: combining marks, and East Asian and pictographic ones.
pub(super) fn char_width(found: char) -> usize {
    match found {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}
