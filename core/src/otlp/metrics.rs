//! The messages of `opentelemetry/proto/metrics/v1` and `collector/metrics/v1`.

use alloc::vec::Vec;

#[cfg(feature = "protobuf")]
use super::protobuf::Protobuf;
use super::{
    common::{BOOL_VALUE, Resource, STRING_VALUE, write_key_value, write_resource, write_scope},
    json::Json,
    writer::{Field, Writer},
};
use crate::metrics::{
    Exponential, Family, HistogramPoint, MetricNames, Point, Quantity, Series, Temporality, View, Window,
};

/// Appends an `ExportMetricsServiceRequest` in protobuf, and gives the number of data points in it.
///
/// Histograms are exponential where the aggregator [keeps such buckets](crate::metrics::Buckets), else explicit. Start and
/// time of the data points are those of the view's [`Window`], and absent where it has none; receivers may refuse data points
/// without a time. A request without data points has no bytes, which is a valid message.
///
/// A request has one view, since a metric may be in it once: [merge](crate::metrics::Aggregator::merge) aggregators of the same
/// names, and send a request for each of different names.
#[cfg(feature = "protobuf")]
pub fn metrics_to_protobuf(view: &View<'_>, resource: &Resource, out: &mut Vec<u8>) -> usize {
    let mut points = 0;
    Protobuf::root(out, |w| points = write_request(w, view, resource));
    points
}

/// Appends an `ExportMetricsServiceRequest` in JSON, as [`metrics_to_protobuf`] does in protobuf. A request without data
/// points is `{"resourceMetrics":[]}`.
pub fn metrics_to_json(view: &View<'_>, resource: &Resource, out: &mut Vec<u8>) -> usize {
    let mut points = 0;
    Json::root(out, |w| points = write_request(w, view, resource));
    points
}

fn write_request<W: Writer>(w: &mut W, view: &View<'_>, resource: &Resource) -> usize {
    const RESOURCE_METRICS: Field = Field::new(1, "resourceMetrics");
    const SCOPE_METRICS: Field = Field::new(2, "scopeMetrics");
    const METRICS: Field = Field::new(2, "metrics");
    let mut written = 0_usize;
    let mut families = view.families().peekable();
    w.list(RESOURCE_METRICS, |w| {
        if families.peek().is_none() {
            return;
        }
        w.item(RESOURCE_METRICS, |w| {
            write_resource(w, Field::new(1, "resource"), resource);
            w.list(SCOPE_METRICS, |w| {
                w.item(SCOPE_METRICS, |w| {
                    write_scope(w, Field::new(1, "scope"));
                    w.list(METRICS, |w| {
                        for family in families {
                            w.item(METRICS, |w| {
                                written = written.saturating_add(write_metric(w, view, &family));
                            });
                        }
                    });
                });
            });
        });
    });
    written
}

/// The kind of data is that of the first series: an aggregator has one table of metrics and one set of options.
fn write_metric<W: Writer>(w: &mut W, view: &View<'_>, family: &Family<'_>) -> usize {
    let metric = family.metric();
    w.text(Field::new(1, "name"), metric.name());
    w.some_text(Field::new(2, "description"), metric.description());
    w.some_text(Field::new(3, "unit"), metric.unit());
    let (data, is_sum) = match family.series().next().map(|series| series.point()) {
        None => return 0,
        Some(Point::Sum(_)) => (Field::new(7, "sum"), true),
        Some(Point::Histogram(point)) if point.exponential().is_some() => {
            (Field::new(10, "exponentialHistogram"), false)
        }
        Some(Point::Histogram(_)) => (Field::new(9, "histogram"), false),
    };
    let mut written = 0_usize;
    w.message(data, |w| {
        const DATA_POINTS: Field = Field::new(1, "dataPoints");
        w.list(DATA_POINTS, |w| {
            for series in family.series() {
                w.item(DATA_POINTS, |w| write_point(w, view.names(), &series));
                written = written.saturating_add(1);
            }
        });
        w.uint32(
            Field::new(2, "aggregationTemporality"),
            match view.window().temporality {
                Temporality::Delta => 1,
                Temporality::Cumulative => 2,
            },
        );
        if is_sum {
            w.flag(Field::new(3, "isMonotonic"), true);
        }
    });
    written
}

fn write_point<W: Writer>(w: &mut W, names: &MetricNames, series: &Series<'_>) {
    match series.point() {
        Point::Sum(sum) => {
            write_window(w, series.window());
            write_number(w, Field::new(4, "asDouble"), sum);
            write_labels(w, Field::new(7, "attributes"), names, series);
        }
        Point::Histogram(point) => match point.exponential() {
            Some(buckets) => write_exponential(w, names, series, &point, buckets),
            None => write_explicit(w, names, series, &point),
        },
    }
}

fn write_explicit<W: Writer>(w: &mut W, names: &MetricNames, series: &Series<'_>, point: &HistogramPoint<'_>) {
    write_window(w, series.window());
    w.fixed64(Field::new(4, "count"), point.count());
    w.double(Field::new(5, "sum"), point.sum().as_f64());
    w.fixed64s(Field::new(6, "bucketCounts"), point.counts());
    let bounds = series.metric().bounds();
    if bounds.len() > 0 {
        w.doubles(Field::new(7, "explicitBounds"), bounds.map(Quantity::as_f64));
    }
    write_exemplars(w, Field::new(8, "exemplars"), point);
    write_labels(w, Field::new(9, "attributes"), names, series);
    w.double(Field::new(11, "min"), point.min().as_f64());
    w.double(Field::new(12, "max"), point.max().as_f64());
}

/// There are no negative values, and the threshold below which a value counts as zero is 0: both fields are left out.
fn write_exponential<W: Writer>(
    w: &mut W,
    names: &MetricNames,
    series: &Series<'_>,
    point: &HistogramPoint<'_>,
    buckets: &Exponential,
) {
    write_labels(w, Field::new(1, "attributes"), names, series);
    write_window(w, series.window());
    w.fixed64(Field::new(4, "count"), point.count());
    w.double(Field::new(5, "sum"), point.sum().as_f64());
    write_some_sint32(w, Field::new(6, "scale"), buckets.scale());
    if buckets.zero_count() > 0 {
        w.fixed64(Field::new(7, "zeroCount"), buckets.zero_count());
    }
    if !buckets.counts().is_empty() {
        w.message(Field::new(8, "positive"), |w| {
            write_some_sint32(w, Field::new(1, "offset"), buckets.offset());
            w.uint64s(Field::new(2, "bucketCounts"), buckets.counts());
        });
    }
    write_exemplars(w, Field::new(11, "exemplars"), point);
    w.double(Field::new(12, "min"), point.min().as_f64());
    w.double(Field::new(13, "max"), point.max().as_f64());
}

/// The aggregator keeps no attributes of a call beside its labels, so there are no filtered ones.
fn write_exemplars<W: Writer>(w: &mut W, field: Field, point: &HistogramPoint<'_>) {
    let mut exemplars = point.exemplars().peekable();
    if exemplars.peek().is_none() {
        return;
    }
    w.list(field, |w| {
        for (exemplar, value) in exemplars {
            w.item(field, |w| {
                w.time(Field::new(2, "timeUnixNano"), exemplar.at());
                write_number(w, Field::new(3, "asDouble"), value);
                w.id(Field::new(4, "spanId"), &exemplar.span_id());
                w.id(Field::new(5, "traceId"), &exemplar.trace_id());
            });
        }
    });
}

fn write_window<W: Writer>(w: &mut W, window: Window) {
    w.time(Field::new(2, "startTimeUnixNano"), window.start);
    w.time(Field::new(3, "timeUnixNano"), window.end);
}

/// An integer for what is counted, a double for times and money, and for counts above `i64::MAX`: which of both a number is
/// does not identify a stream. The two are a `oneof` and stand in the place of the double.
fn write_number<W: Writer>(w: &mut W, as_double: Field, value: Quantity) {
    match value.as_count() {
        Some(count) => w.sfixed64(Field::new(6, "asInt"), count),
        None => w.double(as_double, value.as_f64()),
    }
}

/// Labels are texts; that of the overflow series is a boolean, as the specification of the SDK has it.
fn write_labels<W: Writer>(w: &mut W, field: Field, names: &MetricNames, series: &Series<'_>) {
    let mut labels = series.labels().peekable();
    if labels.peek().is_none() {
        return;
    }
    w.list(field, |w| {
        for (key, value) in labels {
            write_key_value(w, field, key, |w| {
                if series.is_overflow() && key == names.overflow_label() {
                    w.flag(BOOL_VALUE, true);
                } else {
                    w.text(STRING_VALUE, value);
                }
            });
        }
    });
}

fn write_some_sint32<W: Writer>(w: &mut W, field: Field, value: i32) {
    if value != 0 {
        w.sint32(field, value);
    }
}
