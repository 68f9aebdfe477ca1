//! Metrics as text: OpenMetrics 1.0 and the Prometheus text format 0.0.4.

mod name;
mod write;

use alloc::string::String;

use super::view::View;

/// How series are written as text.
///
/// Names become those that OpenTelemetry's rules give to Prometheus: the unit as a suffix, `_total` behind counters, other
/// characters than letters, digits and underscores as underscores. Numbers are exact decimals. Families come in the order of
/// the profile, series in the order of their labels, so equal aggregators give equal text. Exponential buckets have no text
/// form; the explicit ones are written.
///
/// Text is read as cumulative: write an [`Aggregator`](super::Aggregator) that nothing is taken from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exposition {
    format: Format,
    names: NameStyle,
    created: bool,
}

impl Exposition {
    /// OpenMetrics 1.0, with exemplars and with the mark of the end.
    pub fn open_metrics() -> Self {
        Self { format: Format::OpenMetrics, names: NameStyle::Underscores, created: false }
    }

    /// The Prometheus text format 0.0.4. It has no exemplars, no units and no creation times.
    pub fn prometheus() -> Self {
        Self { format: Format::Prometheus, ..Self::open_metrics() }
    }

    /// Keeps the dots of names, in the quoted syntax of Prometheus 3. For scrapers that ask for `escaping=allow-utf-8` only.
    pub fn with_utf8_names(mut self) -> Self {
        self.names = NameStyle::Utf8;
        self
    }

    /// Writes when counting began, as `_created` series, if the view's window says it. OpenMetrics only.
    pub fn with_created(mut self) -> Self {
        self.created = true;
        self
    }

    /// The media type to answer a scrape with.
    pub fn content_type(&self) -> &'static str {
        match (self.format, self.names) {
            (Format::OpenMetrics, NameStyle::Underscores) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            (Format::OpenMetrics, NameStyle::Utf8) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
            }
            (Format::Prometheus, NameStyle::Underscores) => "text/plain; version=0.0.4; charset=utf-8",
            (Format::Prometheus, NameStyle::Utf8) => "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        }
    }

    /// Writes all series.
    pub fn render(&self, view: &View<'_>) -> String {
        let mut out = String::new();
        self.write(view, &mut out);
        out
    }

    /// Appends all series to a text.
    pub fn write(&self, view: &View<'_>, out: &mut String) {
        for family in view.families() {
            write::family(*self, &family, out);
        }
        if self.format == Format::OpenMetrics {
            out.push_str("# EOF\n");
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    OpenMetrics,
    Prometheus,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NameStyle {
    Underscores,
    Utf8,
}
