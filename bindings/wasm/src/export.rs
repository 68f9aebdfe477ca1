//! Records written for others.

use alloc::{string::String, vec::Vec};

use llmspan_core::{
    chrome,
    event::{Event, TimedEvent},
    machine::CallStart,
    metrics::MetricNames,
    names::Profile,
    otlp::{self, Resource},
    spans::{self, Context, Layout, Shape, SpanTree},
};
use wasm_bindgen::prelude::*;

use crate::{
    error::{Result, raise},
    pairs,
    record::Record,
    unix,
};

/// Spans of calls, for one export.
#[wasm_bindgen]
pub struct Spans {
    profiles: Vec<&'static Profile>,
    shape: Shape,
    resource: Resource,
    trees: Vec<SpanTree>,
}

#[wasm_bindgen]
impl Spans {
    /// Spans named by the profiles, of a resource with the attributes given as JSON; one for each attempt if told so.
    #[wasm_bindgen(constructor)]
    pub fn new(profiles: Vec<String>, resource: &str, per_attempt: bool) -> Result<Spans> {
        Ok(Self {
            profiles: Profile::by_names(&profiles).map_err(raise)?,
            shape: shape(per_attempt),
            resource: Resource::from_json(resource).map_err(raise)?,
            trees: Vec::new(),
        })
    }

    /// Adds the spans of a call, with ids made of 24 random bytes where it has none; whether it could be added, which a call
    /// without an absolute time cannot.
    pub fn add(&mut self, record: &Record, random: &[u8]) -> bool {
        let layout = Layout::new(self.shape, &self.profiles);
        let tree = SpanTree::new(&record.0, &layout, &Context::default().with_random_ids(random))
            .filter(|tree| tree.start_unix_ns.is_some());
        let is_some = tree.is_some();
        self.trees.extend(tree);
        is_some
    }

    /// An OTLP request of traces in JSON.
    #[wasm_bindgen(js_name = tracesJson)]
    pub fn traces_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        otlp::traces_to_json(&self.trees, &self.resource, &mut out);
        out
    }
}

/// A trace for Perfetto and `chrome://tracing` that grows call by call.
#[wasm_bindgen]
pub struct ChromeTraceLog(Option<chrome::ChromeTraceLog>);

#[wasm_bindgen]
impl ChromeTraceLog {
    /// Begins a trace; times count from `origin_unix_ms` if it is given.
    #[wasm_bindgen(constructor)]
    pub fn new(origin_unix_ms: Option<f64>) -> Self {
        let log = chrome::ChromeTraceLog::new();
        Self(Some(match origin_unix_ms {
            Some(origin) => log.with_origin(unix(origin)),
            None => log,
        }))
    }

    /// What to append for a record; empty for one that cannot be drawn, and after the end.
    pub fn append(&mut self, record: &Record) -> String {
        self.0.as_mut().map_or_else(String::new, |log| log.append(&record.0))
    }

    /// What to append at the end; empty when it was asked for before.
    pub fn close(&mut self) -> String {
        self.0.take().map_or("", chrome::ChromeTraceLog::close).into()
    }
}

/// What is known of a call's span when the call begins, as JSON, from its event `call_started`.
#[wasm_bindgen(js_name = openingSpan)]
pub fn opening_span(json: &str, profiles: Vec<String>, per_attempt: bool) -> Result<String> {
    let start = match TimedEvent::from_json(json).map_err(raise)?.event {
        Event::CallStarted(start) => *start,
        _ => CallStart::default(),
    };
    let profiles = Profile::by_names(&profiles).map_err(raise)?;
    Ok(SpanTree::opening_json(&start, &layout(per_attempt, &profiles)))
}

/// The attributes by which a span of another library tells that it is a request to a model.
#[wasm_bindgen(js_name = modelCallAttributes)]
pub fn model_call_attributes() -> Vec<String> {
    spans::model_call_attributes().map(Into::into).collect()
}

/// Whether a span is one request to a model, by names and values of those attributes in turn, a line for each.
#[wasm_bindgen(js_name = isModelCall)]
pub fn is_model_call(attributes: &str) -> bool {
    spans::is_model_call(|name| pairs(attributes).find(|(known, _)| *known == name).map(|(_, value)| value))
}

/// Names of the profiles that name metrics.
#[wasm_bindgen(js_name = metricProfiles)]
pub fn metric_profiles() -> Vec<String> {
    MetricNames::all().iter().map(|names| names.profile().into()).collect()
}

/// The metrics of a profile, as JSON.
#[wasm_bindgen]
pub fn instruments(profile: &str) -> Result<String> {
    Ok(metric_names(profile)?.to_json())
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
