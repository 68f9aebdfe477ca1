//! Text in a terminal: its width, its padding, its colours.

use llmspan_core::{explain, time::Nanos};

/// How the output looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Style {
    /// Columns of the terminal.
    pub(crate) width: usize,
    pub(crate) palette: Palette,
    pub(crate) glyphs: Glyphs,
}

/// Whether escape sequences are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Palette {
    Ansi,
    Plain,
}

/// Which characters bars and lines are drawn with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Glyphs {
    Ascii,
    Unicode,
}

/// What a piece of text means; the palette gives it a colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tone {
    Bad,
    Dim,
    Good,
    Phase,
    Plain,
    Request,
    Strong,
    Wait,
}

impl Style {
    /// The text in the colour of its tone.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if self.palette == Palette::Plain || text.is_empty() => return text.into(),
            Tone::Plain => return text.into(),
            Tone::Bad => "31",
            Tone::Dim => "2",
            Tone::Good => "32",
            Tone::Phase => "34",
            Tone::Request => "36",
            Tone::Strong => "1",
            Tone::Wait => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The Unicode text, or what stands for it in ASCII.
    pub(crate) fn pick<'a>(&self, unicode: &'a str, ascii: &'a str) -> &'a str {
        match self.glyphs {
            Glyphs::Ascii => ascii,
            Glyphs::Unicode => unicode,
        }
    }

    /// Cuts the text to a width, and marks the cut. Control characters become `?`, so that a log cannot steer the
    /// terminal; in ASCII every other character does too.
    pub(crate) fn fit(&self, text: &str, width: usize) -> String {
        let clean: String = text.replace('µ', self.pick("µ", "u")).chars().map(|found| self.clean(found)).collect();
        if display_width(&clean) <= width {
            return clean;
        }
        let mark = self.pick("…", "~");
        let mut kept = String::new();
        let mut used = display_width(mark);
        for found in clean.chars() {
            used += char_width(found);
            if used > width {
                break;
            }
            kept.push(found);
        }
        if width == 0 { kept } else { kept + mark }
    }

    /// The text in exactly this width, at the left.
    pub(crate) fn left(&self, text: &str, width: usize) -> String {
        let text = self.fit(text, width);
        let room = width - display_width(&text).min(width);
        text + &" ".repeat(room)
    }

    /// The text in exactly this width, at the right.
    pub(crate) fn right(&self, text: &str, width: usize) -> String {
        let text = self.fit(text, width);
        " ".repeat(width - display_width(&text).min(width)) + &text
    }

    /// A length of time in human units.
    pub(crate) fn time(&self, duration: Nanos) -> String {
        self.fit(&explain::readable(duration), usize::MAX)
    }

    fn clean(self, found: char) -> char {
        let is_foreign = self.glyphs == Glyphs::Ascii && !found.is_ascii();
        if found.is_control() || is_foreign { '?' } else { found }
    }
}

/// Columns that the text takes.
pub(crate) fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The words in lines of at most this width; a longer word has a line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if display_width(line) + 1 + display_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// A count with a comma between thousands.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Columns of a character, by the ranges that occur in names: combining marks, and East Asian and pictographic ones.
fn char_width(found: char) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { width: 80, palette: Palette::Plain, glyphs: Glyphs::Unicode };

    #[test]
    fn padding_counts_columns() {
        assert_eq!(PLAIN.left("ab", 4), "ab  ");
        assert_eq!(PLAIN.right("ab", 4), "  ab");
        assert_eq!(PLAIN.left("模型", 5), "模型 ");
        assert_eq!(PLAIN.left("e\u{301}", 3), "e\u{301}  ");
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(PLAIN.fit("abcdef", 4), "abc…");
        assert_eq!(PLAIN.fit("模型模型", 4), "模…");
        assert_eq!(PLAIN.fit("abc", 0), "");
        let ascii = Style { glyphs: Glyphs::Ascii, ..PLAIN };
        assert_eq!(ascii.fit("abcdef", 4), "abc~");
    }

    #[test]
    fn nothing_from_a_log_steers_the_terminal() {
        assert_eq!(PLAIN.fit("a\u{1b}[2Jb\n", 80), "a?[2Jb?");
        let ascii = Style { glyphs: Glyphs::Ascii, ..PLAIN };
        assert_eq!(ascii.fit("850 µs é", 80), "850 us ?");
    }

    #[test]
    fn colours_are_written_only_when_asked_for() {
        assert_eq!(PLAIN.paint(Tone::Bad, "x"), "x");
        let ansi = Style { palette: Palette::Ansi, ..PLAIN };
        assert_eq!(ansi.paint(Tone::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(ansi.paint(Tone::Bad, ""), "");
    }

    #[test]
    fn words_wrap() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("abcdefgh i", 4), ["abcdefgh", "i"]);
    }
}
