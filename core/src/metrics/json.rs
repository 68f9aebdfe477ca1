//! Metrics and observations as JSON, for hosts that measure with instruments of their own language.

use alloc::{string::String, vec::Vec};

use super::{
    names::{Metric, MetricKind, MetricNames},
    observations::Observations,
    quantity::Quantity,
};
use crate::fields::{Elements, Members, Write as _, write_list};

impl MetricNames {
    /// Writes the metrics as a JSON array, in their order: `name`, `unit`, `description`, `kind` (`counter` or `histogram`),
    /// `integer` (whether values are whole numbers) and `bounds`, the upper bounds of the buckets.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_list(&mut out, self.metrics().iter(), &mut write_metric);
        out
    }
}

impl Observations<'_> {
    /// Writes the observations as a JSON array of `[place, value, times, labels]`: the place of the metric among
    /// [`MetricNames::metrics`], the value in its unit, how often it was observed, and labels by name. Of gaps between chunks no
    /// more than about `gaps` are given, as by [`Self::times_within`].
    pub fn to_json(&self, gaps: u64) -> String {
        let mut out = String::new();
        let mut all = Elements::new(&mut out);
        self.for_each(|observation| {
            // A label of the observation wins over one of the call.
            let mut labels = Vec::new();
            observation.labels().for_each(|label| insert_label(&mut labels, label));
            self.labels().for_each(|label| insert_label(&mut labels, label));

            let mut parts = Elements::new(all.next());
            observation.place().write(parts.next());
            let value = observation.value();
            match value.as_count() {
                Some(count) => count.write(parts.next()),
                None => value.as_f64().write(parts.next()),
            }
            self.times_within(&observation, gaps).write(parts.next());
            let mut members = Members::new(parts.next());
            for (name, value) in &labels {
                value.write(members.escaped(name));
            }
            members.end();
            parts.end();
        });
        all.end();
        out
    }
}

/// Adds a label to those sorted by name, unless the name is there.
fn insert_label<'a>(labels: &mut Vec<(&'a str, &'a str)>, label: (&'a str, &'a str)) {
    if let Err(at) = labels.binary_search_by(|known| known.0.cmp(label.0)) {
        labels.insert(at, label);
    }
}

fn write_metric(out: &mut String, metric: &Metric) {
    let bounds: Vec<f64> = metric.bounds().map(Quantity::as_f64).collect();
    let mut members = Members::new(out);
    members.add("name", &metric.name());
    members.add("unit", &metric.unit());
    members.add("description", &metric.description());
    members.add("kind", &if metric.kind() == MetricKind::Counter { "counter" } else { "histogram" });
    members.add("integer", &metric.is_integer());
    members.add("bounds", &bounds);
    members.end();
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
