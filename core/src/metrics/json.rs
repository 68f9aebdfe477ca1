//! Metrics and observations as JSON, for hosts that measure with instruments of their own language.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeTuple as _};

use super::{
    names::{Metric, MetricKind, MetricNames},
    observations::{Observation, Observations},
    quantity::Quantity,
};

impl MetricNames {
    /// Writes the metrics as a JSON array, in their order: `name`, `unit`, `description`, `kind` (`counter` or `histogram`),
    /// `integer` (whether values are whole numbers) and `bounds`, the upper bounds of the buckets.
    pub fn to_json(&self) -> String {
        let metrics: Vec<_> = self.metrics().iter().map(MetricData::new).collect();
        // Nothing in a metric can fail to serialize: bounds are finite.
        serde_json::to_string(&metrics).unwrap_or_default()
    }
}

impl Observations<'_> {
    /// Writes the observations as a JSON array of `[place, value, times, labels]`: the place of the metric among
    /// [`MetricNames::metrics`], the value in its unit, how often it was observed, and labels by name. Of gaps between chunks no
    /// more than about `gaps` are given, as by [`Self::times_within`].
    pub fn to_json(&self, gaps: u64) -> String {
        let shared: BTreeMap<&'static str, &str> = self.labels().collect();
        let mut all = Vec::new();
        self.for_each(|observation| {
            let mut labels = shared.clone();
            for (name, value) in observation.labels() {
                labels.insert(name, value);
            }
            all.push(ObservationData { observation, times: self.times_within(&observation, gaps), labels });
        });
        serde_json::to_string(&all).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct MetricData {
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    kind: &'static str,
    integer: bool,
    bounds: Vec<f64>,
}

impl MetricData {
    fn new(metric: &Metric) -> Self {
        Self {
            name: metric.name(),
            unit: metric.unit(),
            description: metric.description(),
            kind: if metric.kind() == MetricKind::Counter { "counter" } else { "histogram" },
            integer: metric.is_integer(),
            bounds: metric.bounds().map(Quantity::as_f64).collect(),
        }
    }
}

struct ObservationData<'a> {
    observation: Observation,
    times: u64,
    labels: BTreeMap<&'static str, &'a str>,
}

impl Serialize for ObservationData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(4)?;
        tuple.serialize_element(&self.observation.place())?;
        let value = self.observation.value();
        match value.as_count() {
            Some(count) => tuple.serialize_element(&count)?,
            None => tuple.serialize_element(&value.as_f64())?,
        }
        tuple.serialize_element(&self.times)?;
        tuple.serialize_element(&self.labels)?;
        tuple.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        metrics::Options,
        record::{Record, Usage},
        time::Nanos,
    };

    #[test]
    fn observations_point_at_their_metrics() {
        let names = MetricNames::by_profile("otel-1.41").unwrap();
        let metrics: Value = serde_json::from_str(&names.to_json()).unwrap();
        let mut record = Record { provider: Some("openai".into()), model: Some("m".into()), ..Record::default() };
        record.duration_ns = Nanos::from_millis(2250);
        record.usage = Some(Usage { output_tokens: Some(7), ..Usage::default() });
        record.total_usage.clone_from(&record.usage);
        let observations = Observations::new(&record, names, &Options::default());
        let all: Vec<Value> = serde_json::from_str(&observations.to_json(100)).unwrap();
        let of = |name: &str| {
            let place = metrics.as_array().unwrap().iter().position(|metric| metric["name"] == name).unwrap();
            all.iter().find(|observation| observation[0] == place).cloned().unwrap_or_default()
        };
        let labels = json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "m", "llmspan.outcome": "success"});
        let duration = of("gen_ai.client.operation.duration");
        assert_eq!(json!([duration[1], duration[2], duration[3]]), json!([2.25, 1, labels]));
        let tokens = of("gen_ai.client.token.usage");
        assert_eq!(json!([tokens[1], tokens[2]]), json!([7, 1]));
        assert_eq!(tokens[3]["gen_ai.token.type"], "output");
    }
}
