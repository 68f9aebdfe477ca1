//! Records as people look at them, and what summaries over many records are made of.

use std::sync::Mutex;

use llmspan_core::{
    config::Config,
    engine::Tracker,
    event::TimedEvent,
    explain,
    metrics::{HistogramPoint, Point, Series, View},
    record, stats,
    time::{Nanos, Timestamp},
    waterfall::{self, Glyphs, HtmlStyle, Palette, TextStyle, Waterfall},
};
use pyo3::{prelude::*, types::PyDict};

use crate::{error::raise, record::Record, recorder::lock};

/// The call as a waterfall for a web page.
pub(crate) fn html(record: &record::Record, title: Option<&str>) -> String {
    let style = HtmlStyle::default();
    waterfall::html(record, &title.map_or(style.clone(), |title| style.with_title(title)))
}

/// What was asked, how it ended and how long it took, in a line.
pub(crate) fn line(record: &record::Record) -> String {
    let head = Waterfall::new(record).head;
    format!("{}  {}  {}", head.what, head.ending, head.duration)
}

/// What the bars of a waterfall are made of.
#[pyfunction]
#[pyo3(signature = (width=100, *, color=false, ascii=false))]
pub(crate) fn waterfall_legend(width: usize, color: bool, ascii: bool) -> String {
    waterfall::legend(&style(width, color, ascii))
}

/// A page around waterfalls.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what pyo3 converts a list into")]
pub(crate) fn waterfall_page(title: &str, figures: Vec<String>) -> String {
    waterfall::page(title, &figures)
}

/// How text for a terminal looks.
pub(crate) fn style(width: usize, color: bool, ascii: bool) -> TextStyle {
    TextStyle::default()
        .with_width(width)
        .with_palette(if color { Palette::Ansi } else { Palette::Plain })
        .with_glyphs(if ascii { Glyphs::Ascii } else { Glyphs::Unicode })
}

/// A length of time with its unit, to three digits.
#[pyfunction]
pub(crate) fn readable(nanos: u64) -> String {
    explain::readable(Nanos::from_nanos(nanos))
}

/// Replays an event log line by line.
#[pyclass(frozen, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct Replay {
    state: Mutex<(Tracker, Timestamp)>,
}

#[pymethods]
impl Replay {
    #[new]
    #[pyo3(signature = (config=None))]
    fn new(py: Python<'_>, config: Option<&str>) -> PyResult<Self> {
        let config = config.map_or_else(|| Ok(Config::default()), Config::from_json);
        let tracker = config.and_then(Tracker::new).map_err(|error| raise(py, error))?;
        Ok(Self { state: Mutex::new((tracker, Timestamp::default())) })
    }

    /// Takes one event, as JSON, and gives the records of the calls that it ends.
    fn feed(&self, py: Python<'_>, line: &str) -> PyResult<Vec<Py<Record>>> {
        let event = TimedEvent::from_json(line).map_err(|error| raise(py, error))?;
        self.drive(py, |tracker, last| {
            *last = event.at.max(*last);
            tracker.handle_event(&event);
        })
    }

    /// Ends the calls that the log leaves open, at its last time, and gives their records.
    fn finish(&self, py: Python<'_>) -> PyResult<Vec<Py<Record>>> {
        self.drive(py, |tracker, last| tracker.handle_shutdown(*last))
    }
}

impl Replay {
    fn drive(&self, py: Python<'_>, step: impl FnOnce(&mut Tracker, &mut Timestamp)) -> PyResult<Vec<Py<Record>>> {
        let mut ended = Vec::new();
        {
            let mut state = lock(&self.state);
            let (tracker, last) = &mut *state;
            step(tracker, last);
            while let Some(record) = tracker.poll_record() {
                ended.push(record);
            }
        }
        ended.into_iter().map(|record| Record::wrap(py, record)).collect()
    }
}

/// Counts lengths of time in constant memory, for percentiles that are within 1 %.
#[pyclass(frozen, module = "llmspan._llmspan")]
#[derive(Debug, Default)]
pub(crate) struct Sketch {
    sketch: Mutex<stats::Sketch>,
}

#[pymethods]
impl Sketch {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Counts a value.
    fn record(&self, value: u64) {
        lock(&self.sketch).record(value);
    }

    /// How many values were counted.
    #[getter]
    fn count(&self) -> u64 {
        lock(&self.sketch).count()
    }

    /// The largest value, exactly; `None` without values.
    #[getter]
    fn max(&self) -> Option<u64> {
        lock(&self.sketch).max()
    }

    /// The values at 50, 90 and 99 %; `None` without values.
    fn percentiles(&self) -> Option<(u64, u64, u64)> {
        lock(&self.sketch).percentiles().map(|[p50, p90, p99]| (p50, p90, p99))
    }
}

/// The series of an aggregator as dicts, metric by metric.
pub(crate) fn series<'py>(py: Python<'py>, view: &View<'_>) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let one = |series: Series<'_>| {
        let dict = PyDict::new(py);
        dict.set_item("name", series.metric().name())?;
        dict.set_item("unit", series.metric().unit())?;
        let labels = PyDict::new(py);
        for (name, value) in series.labels() {
            labels.set_item(name, value)?;
        }
        dict.set_item("labels", labels)?;
        match series.point() {
            Point::Sum(sum) => dict.set_item("sum", sum.to_string())?,
            Point::Histogram(point) => histogram(&point, &dict)?,
            // A kind of point that is younger than this shim.
            _ => {}
        }
        Ok(dict)
    };
    view.series().map(one).collect()
}

fn histogram(point: &HistogramPoint<'_>, dict: &Bound<'_, PyDict>) -> PyResult<()> {
    dict.set_item("count", point.count())?;
    dict.set_item("sum", point.sum().to_string())?;
    dict.set_item("min", point.min().to_string())?;
    dict.set_item("max", point.max().to_string())?;
    let buckets: Vec<_> =
        point.buckets().map(|bucket| (bucket.upper_bound.map(|bound| bound.to_string()), bucket.count)).collect();
    dict.set_item("buckets", buckets)?;
    if let Some(exponential) = point.exponential() {
        let nested = PyDict::new(dict.py());
        nested.set_item("scale", exponential.scale())?;
        nested.set_item("zero_count", exponential.zero_count())?;
        nested.set_item("offset", exponential.offset())?;
        nested.set_item("counts", exponential.counts())?;
        dict.set_item("exponential", nested)?;
    }
    Ok(())
}
