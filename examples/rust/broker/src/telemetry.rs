//! Where records go: the metrics of `/metrics`, OTLP, and a trace in a file.

use std::error::Error;

use llmspan::{
    ChromeTraceFile, Metrics, Recorder,
    core::metrics::MetricNames,
    opentelemetry::{Instruments, Spans},
};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};

use crate::config::Config;

/// The one recorder of the broker, and what its records are written with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Telemetry {
    /// For [`Broker::new`](crate::app::Broker::new).
    pub recorder: Recorder,
    /// The same calls as metrics, for a scraper.
    pub metrics: Metrics,
    exports: Option<(SdkTracerProvider, SdkMeterProvider)>,
}

impl Telemetry {
    /// Metrics for a scraper; spans and metrics for an OTLP receiver, and a trace in a file, where the configuration says so.
    ///
    /// # Errors
    /// A URL that is none, or a file that cannot be made.
    pub fn new(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let names = MetricNames::by_profile("otel-1.41")?;
        let metrics = Metrics::new(names);
        let mut builder = Recorder::builder().with_sink(metrics.clone());
        if let Some(path) = &config.trace {
            builder = builder.with_sink(ChromeTraceFile::create(path)?);
        }
        let exports = config.otlp.as_deref().map(providers).transpose()?;
        if let Some((tracers, meters)) = &exports {
            builder = builder.with_sink(Spans::of_provider(tracers)).with_sink(Instruments::of_provider(meters, names));
        }
        Ok(Self { recorder: builder.build()?, metrics, exports })
    }

    /// Sends what is still queued, when every call has ended. It waits for the receiver, so it is nothing for a thread of an
    /// asynchronous runtime.
    ///
    /// # Errors
    /// What could not be sent.
    pub fn shutdown(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.recorder.flush();
        if let Some((tracers, meters)) = self.exports {
            // The second one is shut down also when the first one fails.
            tracers.shutdown().and(meters.shutdown())?;
        }
        Ok(())
    }
}

fn providers(otlp: &str) -> Result<(SdkTracerProvider, SdkMeterProvider), Box<dyn Error + Send + Sync>> {
    let url = |path: &str| format!("{}{path}", otlp.trim_end_matches('/'));
    let spans = SpanExporter::builder().with_http().with_endpoint(url("/v1/traces")).build()?;
    let measurements = MetricExporter::builder().with_http().with_endpoint(url("/v1/metrics")).build()?;
    let resource = Resource::builder().with_service_name("llm-broker").build();
    // A call is about ten spans, and what does not fit is dropped: room for about 1,600 calls between two exports.
    let queue = BatchConfigBuilder::default().with_max_queue_size(16_384).build();
    let spans = BatchSpanProcessor::builder(spans).with_batch_config(queue).build();
    Ok((
        SdkTracerProvider::builder().with_resource(resource.clone()).with_span_processor(spans).build(),
        SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(measurements).build(),
    ))
}
