//! Markup, escaped.

use alloc::{format, string::String};

/// Markup that grows. What it writes is well-formed as HTML and as XML.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Writes markup as it is.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Writes text, escaped for an element and for a quoted attribute alike.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for found in text.chars() {
            match found {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ => self.0.push(found),
            }
        }
        self
    }

    /// Writes an element that holds text alone.
    pub(super) fn element(&mut self, name: &str, class: &str, text: &str) -> &mut Self {
        self.raw(&format!("<{name} class=\"{class}\">")).text(text).raw(&format!("</{name}>"))
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A part of a whole in per cent with two decimals, at most 100; 0 of nothing.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let scaled = u128::from(part.min(whole)).saturating_mul(10_000);
    let hundredths =
        scaled.checked_div(u128::from(whole)).and_then(|share| u64::try_from(share).ok()).unwrap_or_default();
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}
