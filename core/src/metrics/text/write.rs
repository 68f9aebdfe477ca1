//! Lines of the text formats.

use alloc::string::String;
use core::fmt::Write as _;

use super::{
    Exposition, Format, NameStyle,
    name::{FamilyName, is_label_name, is_metric_name, label_name},
};
use crate::metrics::{
    exemplar::Exemplar,
    names::MetricKind,
    quantity::Quantity,
    view::{Family, HistogramPoint, Point, Series},
};

/// Writes the metadata of a family and its samples.
pub(super) fn family(exposition: Exposition, family: &Family<'_>, out: &mut String) {
    let metric = family.metric();
    let name = FamilyName::of(metric, exposition.names);
    let kind = match metric.kind() {
        MetricKind::Counter => "counter",
        MetricKind::Histogram => "histogram",
    };
    // In OpenMetrics metadata name the family, in the older format the samples of a counter.
    let suffix = match (exposition.format, metric.kind()) {
        (Format::Prometheus, MetricKind::Counter) => "_total",
        _ => "",
    };
    let mut metadata = |keyword: &str, text: &str, quotes: Quotes| {
        out.push_str("# ");
        out.push_str(keyword);
        out.push(' ');
        metadata_name(&name.family, suffix, out);
        out.push(' ');
        escape(text, quotes, out);
        out.push('\n');
    };
    let quotes_of_help = match exposition.format {
        Format::OpenMetrics => Quotes::Escaped,
        Format::Prometheus => Quotes::Kept,
    };
    metadata("TYPE", kind, Quotes::Kept);
    if let (Format::OpenMetrics, Some(unit)) = (exposition.format, &name.unit) {
        metadata("UNIT", unit, Quotes::Kept);
    }
    metadata("HELP", metric.description(), quotes_of_help);

    for series in family.series() {
        let mut samples = Samples { exposition, family: &name.family, series: &series, out };
        match series.point() {
            Point::Histogram(point) => samples.histogram(&point),
            Point::Sum(sum) => samples.sample("_total", sum),
        }
        samples.created();
    }
}

/// The samples of one series.
struct Samples<'a> {
    exposition: Exposition,
    family: &'a str,
    series: &'a Series<'a>,
    out: &'a mut String,
}

impl Samples<'_> {
    fn histogram(&mut self, point: &HistogramPoint<'_>) {
        let mut below: u64 = 0;
        for bucket in point.buckets() {
            below = below.saturating_add(bucket.count);
            self.start("_bucket", bucket.upper_bound.map_or(Bound::Infinite, Bound::Upper));
            let _ = write!(self.out, "{below}");
            if let (Format::OpenMetrics, Some((exemplar, value))) = (self.exposition.format, bucket.exemplar) {
                self.exemplar(&exemplar, value);
            }
            self.out.push('\n');
        }
        self.sample("_count", Quantity::new(point.count().into(), 1));
        self.sample("_sum", point.sum());
    }

    fn created(&mut self) {
        let start = self.series.window().start;
        if let (Format::OpenMetrics, true, Some(start)) = (self.exposition.format, self.exposition.created, start) {
            self.sample("_created", seconds(start.as_nanos()));
        }
    }

    fn sample(&mut self, suffix: &str, value: Quantity) {
        self.start(suffix, Bound::None);
        let _ = writeln!(self.out, "{value}");
    }

    /// Everything before the value.
    fn start(&mut self, suffix: &str, bound: Bound) {
        let quoted = !is_metric_name(self.family);
        let mut separator = "{";
        if quoted {
            self.out.push_str("{\"");
            escape(self.family, Quotes::Escaped, self.out);
            self.out.push_str(suffix);
            self.out.push('"');
            separator = ",";
        } else {
            self.out.push_str(self.family);
            self.out.push_str(suffix);
        }
        for (name, value) in self.series.labels() {
            self.out.push_str(separator);
            separator = ",";
            match self.exposition.names {
                NameStyle::Underscores => self.out.push_str(&label_name(name)),
                NameStyle::Utf8 if is_label_name(name) => self.out.push_str(name),
                NameStyle::Utf8 => {
                    self.out.push('"');
                    escape(name, Quotes::Escaped, self.out);
                    self.out.push('"');
                }
            }
            self.out.push_str("=\"");
            escape(value, Quotes::Escaped, self.out);
            self.out.push('"');
        }
        if bound != Bound::None {
            self.out.push_str(separator);
            separator = ",";
            self.out.push_str("le=\"");
            match bound {
                Bound::Upper(bound) => {
                    let _ = bound.write_bound(self.out);
                }
                _ => self.out.push_str("+Inf"),
            }
            self.out.push('"');
        }
        if separator == "," {
            self.out.push('}');
        }
        self.out.push(' ');
    }

    /// 63 characters of names and values: half of what OpenMetrics 1.0 allows.
    fn exemplar(&mut self, exemplar: &Exemplar, value: Quantity) {
        self.out.push_str(" # {trace_id=\"");
        hex(&exemplar.trace_id(), self.out);
        self.out.push_str("\",span_id=\"");
        hex(&exemplar.span_id(), self.out);
        let _ = write!(self.out, "\"}} {value}");
        if let Some(at) = exemplar.at() {
            let _ = write!(self.out, " {}", seconds(at.as_nanos()));
        }
    }
}

/// The label `le` of a sample.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bound {
    Infinite,
    None,
    Upper(Quantity),
}

fn metadata_name(family: &str, suffix: &str, out: &mut String) {
    if is_metric_name(family) {
        out.push_str(family);
        out.push_str(suffix);
    } else {
        out.push('"');
        escape(family, Quotes::Escaped, out);
        out.push_str(suffix);
        out.push('"');
    }
}

/// Whether quotes need a backslash where text is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Quotes {
    Escaped,
    Kept,
}

fn escape(text: &str, quotes: Quotes, out: &mut String) {
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes == Quotes::Escaped => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

fn hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

fn seconds(nanos: u64) -> Quantity {
    Quantity::new(nanos.into(), 1_000_000_000)
}
