//! Nothing secret comes out of a sink, of live spans, or of what they show of themselves.

mod support;

use core::fmt::Write as _;
use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use llmspan::{
    Callback, ChromeTraceFile, EventLog, JsonLines, Memory, Metrics, OtlpJsonLines,
    core::{metrics::MetricNames, names::Profile, otlp::Resource, spans::Shape},
    opentelemetry::{Instruments, Spans},
};
use llmspan_privacy::{Output, Search, Secrets, exchanges};
use opentelemetry_sdk::{
    metrics::{InMemoryMetricExporter, SdkMeterProvider},
    trace::{InMemorySpanExporter, SdkTracerProvider},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

use crate::support::{Play, builder, nothing_leaks, play};

#[test]
fn sinks_and_live_spans_hold_no_secret() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let mut used = BTreeSet::new();
    for with_messages in [false, true] {
        for exchange in exchanges(&secrets) {
            for how in [Play::Cut, Play::Failed, Play::Page, Play::Refused, Play::Streamed, Play::Whole] {
                let outputs = sunk(&secrets, &exchange, how, with_messages);
                let log = outputs.iter().find(|output| output.outlet == "event log").unwrap();
                // What the server sent is in the log, which says so.
                assert!(!search.found(&log.bytes).is_empty());
                nothing_leaks(&search, &outputs, &mut used);
            }
        }
    }
}

/// Plays an exchange into every sink there is, and gives what they wrote.
fn sunk(secrets: &Secrets, exchange: &llmspan_privacy::Exchange, how: Play, with_messages: bool) -> Vec<Output> {
    let files: [File; 4] = Default::default();
    let [lines_file, trace_file, otlp_file, log_file] = files.clone();
    let lines = JsonLines::new(lines_file).unwrap();
    let trace = ChromeTraceFile::new(trace_file).unwrap();
    let profiles: Vec<&Profile> = Profile::all().iter().collect();
    let resource = Resource::of_service("assistant");
    let otlp = OtlpJsonLines::with_layout(16, otlp_file, resource, Shape::Attempt, profiles).unwrap();
    let metrics = Metrics::new(MetricNames::by_profile("otel-1.41").unwrap());
    let log = EventLog::new(log_file).unwrap();
    let (spans, measured) = (InMemorySpanExporter::default(), InMemoryMetricExporter::default());
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(measured.clone()).build();
    let instruments = Instruments::of_provider(&meters, MetricNames::by_profile("otel-1.41").unwrap());
    let exported = Spans::of_provider(&tracers);
    let memory = Memory::default();
    let told = Witness::default();
    let scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(told.clone()));

    let (builder, clock) = builder(with_messages);
    let builder = builder
        .with_sink(lines.clone())
        .with_sink(trace.clone())
        .with_sink(otlp.clone())
        .with_sink(metrics.clone())
        .with_sink(memory.clone())
        .with_sink(Callback::new(|_| {}))
        .with_event_log(log.clone())
        .with_tracing();
    let shown = format!("{builder:?} {exported:?} {instruments:?}");
    let recorder = builder.with_sink(exported).with_sink(instruments).build().unwrap();
    play(&recorder, &clock, exchange, how, secrets, |_, _| {});
    recorder.flush();
    meters.force_flush().unwrap();
    let shown = format!("{shown} {recorder:?} {lines:?} {trace:?} {otlp:?} {metrics:?} {memory:?} {log:?}");
    drop(recorder);
    drop(scope);

    let [lines, trace, otlp, log] = files.map(|file| file.take());
    let finished = spans.get_finished_spans().unwrap();
    assert!(!finished.is_empty() && !lines.is_empty() && !trace.is_empty() && !otlp.is_empty());
    let told = core::mem::take(&mut *told.0.lock().unwrap());
    assert!(told.contains("llm.model"), "live spans were told of: {told}");
    let open = metrics.scrape(Some("application/openmetrics-text")).text;
    assert!(open.contains("trace_id="), "there is an exemplar");
    [
        ("file of JSON lines", lines),
        ("file of a Chrome trace", trace),
        ("file of OTLP lines", otlp),
        ("event log", log),
        ("scrape", metrics.scrape(None).text.into_bytes()),
        ("scrape with exemplars", open.into_bytes()),
        ("spans of OpenTelemetry", format!("{finished:?}").into_bytes()),
        ("metrics of OpenTelemetry", format!("{:?}", measured.get_finished_metrics().unwrap()).into_bytes()),
        ("live spans", told.into_bytes()),
        ("debug of sinks", shown.into_bytes()),
    ]
    .map(|(outlet, bytes)| Output { outlet: outlet.into(), with_messages, bytes })
    .into()
}

/// What a sink writes to; clones share it.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl File {
    fn take(&self) -> Vec<u8> {
        core::mem::take(&mut self.0.lock().unwrap())
    }
}

impl io::Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes down whatever a subscriber is told.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<String>>);

impl Visit for Witness {
    fn record_debug(&mut self, field: &Field, value: &dyn core::fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{field} = {value:?}").unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Witness {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        writeln!(self.0.lock().unwrap(), "{:?}", attributes.metadata()).unwrap();
        attributes.record(&mut self.clone());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.clone());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}
