//! Markup, escaped.

use alloc::string::String;

use crate::explain::{Value, say};

/// Markup that grows. What it writes is well-formed as HTML and as XML.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Writes markup as it is.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Writes a template with a value in the place of each `{}`. All classes begin alike: `~` stands for `llmspan-`.
    pub(super) fn say(&mut self, template: &str, values: &[Value<'_>]) -> &mut Self {
        say(&mut self.0, &template.replace('~', "llmspan-"), values);
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}
