//! Records written for others.

use llmspan_core::{
    chrome,
    event::{Event, TimedEvent},
    machine::CallStart,
    metrics::MetricNames,
    names::Profile,
    otlp::{self, Resource},
    spans::{self, Context, Layout, Shape, SpanTree},
};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::{
    error::{Result, raise},
    pairs,
    record::Record,
    unix,
};

/// Spans of calls, for one export.
#[napi]
pub struct Spans {
    profiles: Vec<&'static Profile>,
    shape: Shape,
    resource: Resource,
    trees: Vec<SpanTree>,
}

#[napi]
impl Spans {
    /// Spans named by the profiles, of a resource with the attributes given as JSON; one for each attempt if told so.
    #[napi(constructor, catch_unwind)]
    pub fn new(profiles: Vec<String>, resource: String, per_attempt: bool) -> Result<Self> {
        Ok(Self {
            profiles: Profile::by_names(&profiles).map_err(raise)?,
            shape: shape(per_attempt),
            resource: Resource::from_json(&resource).map_err(raise)?,
            trees: Vec::new(),
        })
    }

    /// Adds the spans of a call, with ids made of 24 random bytes where it has none; whether it could be added, which a call
    /// without an absolute time cannot.
    #[napi(catch_unwind)]
    pub fn add(&mut self, record: &Record, random: &[u8]) -> bool {
        let layout = Layout::new(self.shape, &self.profiles);
        let tree = SpanTree::new(&record.0, &layout, &Context::default().with_random_ids(random))
            .filter(|tree| tree.start_unix_ns.is_some());
        let is_some = tree.is_some();
        self.trees.extend(tree);
        is_some
    }

    /// An OTLP request of traces in JSON.
    #[napi(catch_unwind)]
    pub fn traces_json(&self) -> Uint8Array {
        let mut out = Vec::new();
        otlp::traces_to_json(&self.trees, &self.resource, &mut out);
        out.into()
    }

    /// An OTLP request of traces in protobuf.
    #[napi(catch_unwind)]
    pub fn traces_protobuf(&self) -> Uint8Array {
        let mut out = Vec::new();
        otlp::traces_to_protobuf(&self.trees, &self.resource, &mut out);
        out.into()
    }
}

/// A trace for Perfetto and `chrome://tracing` that grows call by call.
#[napi]
pub struct ChromeTraceLog(Option<chrome::ChromeTraceLog>);

#[napi]
impl ChromeTraceLog {
    /// Begins a trace; times count from `origin_unix_ms` if it is given.
    #[napi(constructor, catch_unwind)]
    pub fn new(origin_unix_ms: Option<f64>) -> Self {
        let log = chrome::ChromeTraceLog::new();
        Self(Some(match origin_unix_ms {
            Some(origin) => log.with_origin(unix(origin)),
            None => log,
        }))
    }

    /// What to append for a record; empty for one that cannot be drawn, and after the end.
    #[napi(catch_unwind)]
    pub fn append(&mut self, record: &Record) -> String {
        self.0.as_mut().map_or_else(String::new, |log| log.append(&record.0))
    }

    /// What to append at the end; empty when it was asked for before.
    #[napi(catch_unwind)]
    pub fn close(&mut self) -> &'static str {
        self.0.take().map_or("", chrome::ChromeTraceLog::close)
    }
}

/// What is known of a call's span when the call begins, as JSON, from its event `call_started`.
#[napi(catch_unwind)]
pub fn opening_span(json: String, profiles: Vec<String>, per_attempt: bool) -> Result<String> {
    let start = match TimedEvent::from_json(&json).map_err(raise)?.event {
        Event::CallStarted(start) => *start,
        _ => CallStart::default(),
    };
    let profiles = Profile::by_names(&profiles).map_err(raise)?;
    Ok(SpanTree::opening_json(&start, &layout(per_attempt, &profiles)))
}

/// The attributes by which a span of another library tells that it is a request to a model.
#[napi(catch_unwind)]
pub fn model_call_attributes() -> Vec<&'static str> {
    spans::model_call_attributes().collect()
}

/// Whether a span is one request to a model, by names and values of those attributes in turn, a line for each.
#[napi(catch_unwind)]
pub fn is_model_call(attributes: String) -> bool {
    spans::is_model_call(|name| pairs(&attributes).find(|(known, _)| *known == name).map(|(_, value)| value))
}

/// Names of the profiles that name metrics.
#[napi(catch_unwind)]
pub fn metric_profiles() -> Vec<&'static str> {
    MetricNames::all().iter().map(MetricNames::profile).collect()
}

/// The metrics of a profile, as JSON.
#[napi(catch_unwind)]
pub fn instruments(profile: String) -> Result<String> {
    Ok(metric_names(&profile)?.to_json())
}

pub(crate) fn metric_names(profile: &str) -> Result<&'static MetricNames> {
    MetricNames::by_profile(profile).map_err(raise)
}

pub(crate) fn layout<'a>(per_attempt: bool, profiles: &'a [&'a Profile]) -> Layout<'a> {
    Layout::new(shape(per_attempt), profiles)
}

fn shape(per_attempt: bool) -> Shape {
    if per_attempt { Shape::Attempt } else { Shape::Call }
}
