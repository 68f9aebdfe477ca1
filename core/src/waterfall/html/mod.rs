//! A record as HTML.

mod chart;
mod markup;

use alloc::string::String;

use super::{
    brief::Fact,
    model::{Head, Waterfall},
    words::{clean, sentence},
};
use crate::{
    explain::{
        Value::{Escaped, Text},
        say,
    },
    record::{Outcome, Record},
};
use markup::Markup;

/// How HTML looks: its colours, and a title.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HtmlStyle {
    scheme: Scheme,
    title: Option<String>,
}

/// Colours of HTML.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// Text in the colour of the page on the page's own background; bars for light or dark as the reader prefers.
    #[default]
    Auto,
    /// Light text on a dark background.
    Dark,
    /// Dark text on a light background.
    Light,
}

impl HtmlStyle {
    /// Sets the colours.
    pub fn with_scheme(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// Puts a name before the line above the waterfall, such as that of a file.
    pub fn with_title(self, title: &str) -> Self {
        Self { title: Some(clean(title)), ..self }
    }
}

/// Draws a record as one `<figure>`: what was asked and how it ended, the waterfall with start and length of each row, the
/// values, and the explanations, as [`text`](super::text()) does.
///
/// The figure needs nothing else and asks for nothing: no script, no link, no file. Its style sheet is inside, each of its
/// classes is `llmspan` or begins with `llmspan-`, and there are no ids, so that a page can hold many. It is well-formed as XML
/// too. From 600 pixels down the bars move below their labels. Rows are a table, bars have their values as accessible
/// names, and patterns and words say what colours say.
///
/// # Examples
/// ```
/// use llmspan_core::{record::Record, waterfall::{HtmlStyle, html}};
///
/// let mut record = Record::default();
/// record.model = Some("<b>m</b>".into());
/// let figure = html(&record, &HtmlStyle::default());
/// assert!(figure.starts_with("<figure class=\"llmspan llmspan-auto\""));
/// assert!(figure.contains("call &lt;b&gt;m&lt;/b&gt; @ ?"));
/// ```
pub fn html(record: &Record, style: &HtmlStyle) -> String {
    let waterfall = Waterfall::new(record);
    let scheme = match style.scheme {
        Scheme::Auto => "auto",
        Scheme::Dark => "dark",
        Scheme::Light => "light",
    };
    let summary = summary(&waterfall, style);
    let mut markup = Markup::default();
    markup
        .say(
            "<figure class=\"llmspan ~{}\" role=\"group\" aria-label=\"{}\">\n<style>\n",
            &[Text(scheme), Escaped(&summary)],
        )
        .raw(SHEET)
        .raw("</style>\n");
    head(&waterfall.head, style, &mut markup);
    chart::rows(&waterfall, &mut markup);
    chart::legend(&waterfall, &mut markup);
    facts(&waterfall.brief.timing, &mut markup);
    facts(&waterfall.brief.result, &mut markup);
    markup.say("<ul class=\"~why\">\n", &[]);
    let mut class = "first";
    for explanation in &waterfall.explanations {
        markup.say("<li class=\"~{}\">{}</li>\n", &[Text(class), Escaped(&explanation.text)]);
        class = "more";
    }
    markup.raw("</ul>\n</figure>\n");
    markup.finish()
}

/// A document around figures, for a file that a browser opens. The figures are what [`html()`] gives, and are not escaped.
///
/// # Examples
/// ```
/// use llmspan_core::{record::Record, waterfall::{HtmlStyle, html, page}};
///
/// let figures = [html(&Record::default(), &HtmlStyle::default())];
/// assert!(page("A call", &figures).starts_with("<!DOCTYPE html>"));
/// ```
pub fn page(title: &str, figures: &[String]) -> String {
    let mut markup = Markup::default();
    markup
        .raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n")
        .say(
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n<style>\n",
            &[Escaped(&clean(title))],
        )
        .raw(PAGE_SHEET)
        .raw("</style>\n</head>\n<body>\n");
    for figure in figures {
        markup.raw(figure);
    }
    markup.raw("</body>\n</html>\n");
    markup.finish()
}

const SHEET: &str = include_str!("sheet.css");

const PAGE_SHEET: &str = "\
:root{color-scheme:light dark}
body{background:Canvas;color:CanvasText;margin:0 auto;max-width:1040px;padding:20px 16px}
body>.llmspan{margin:0 auto 40px}
";

/// The figure in two sentences, for those who do not see it.
fn summary(waterfall: &Waterfall, style: &HtmlStyle) -> String {
    let head = &waterfall.head;
    let mut text = String::new();
    if let Some(title) = &style.title {
        say(&mut text, "{}: ", &[Text(title)]);
    }
    let first = waterfall.explanations.first().map_or("", |line| &line.text);
    let values = [Text(&head.what), Text(&head.ending), Text(&head.duration), Text(first)];
    say(&mut text, "{}, {}, {}. {}.", &values);
    sentence(&text)
}

fn head(head: &Head, style: &HtmlStyle, markup: &mut Markup) {
    let (class, mark) = match head.outcome {
        Outcome::Success => ("success", "✓"),
        Outcome::Error | Outcome::TimedOut => ("failure", "✗"),
        _ => ("stopped", "■"),
    };
    markup.say("<figcaption class=\"~head\">", &[]);
    if let Some(title) = &style.title {
        markup.say("<strong class=\"~title\">{}</strong> ", &[Escaped(title)]);
    }
    markup.say(
        "<span class=\"~what\">{}</span> <span class=\"~end\"><span class=\"~{}\">{} {}</span> \
         <strong class=\"~total\">{}</strong></span></figcaption>\n",
        &[Escaped(&head.what), Text(class), Text(mark), Escaped(&head.ending), Escaped(&head.duration)],
    );
}

fn facts(facts: &[Fact], markup: &mut Markup) {
    markup.say("<dl class=\"~facts\">\n", &[]);
    for fact in facts {
        let values = [Escaped(fact.label), Escaped(&fact.value)];
        markup.say("<div class=\"~fact\"><dt>{}</dt><dd>{}</dd></div>\n", &values);
    }
    markup.raw("</dl>\n");
}
