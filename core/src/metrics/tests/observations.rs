//! What one record adds, series by series.

use alloc::{string::ToString, vec::Vec};

use super::*;

#[test]
fn a_retried_call_is_read_series_by_series() {
    let (record, names) = (retried(), MetricNames::by_profile("otel-1.41").unwrap());
    let observations = Observations::new(&record, names, &Options::default());
    assert_eq!(
        observations.labels().collect::<Vec<_>>(),
        [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "gpt-4.1-mini"),
            ("llmspan.outcome", "success"),
        ]
    );
    let mut tokens = Vec::new();
    observations.for_each(|observation| {
        assert_eq!(names.metrics()[observation.place()].name(), observation.metric().name());
        if observation.metric().name() == "gen_ai.client.token.usage" {
            assert!(observation.metric().is_integer());
            let labels: Vec<_> = observation.labels().collect();
            tokens.push((labels, observation.value().to_string(), observation.times()));
        }
    });
    let of_type = |kind| [("gen_ai.token.type", kind)].to_vec();
    assert_eq!(tokens, [(of_type("input"), "10".to_string(), 1), (of_type("output"), "501".to_string(), 1)]);
}

#[test]
fn labels_with_the_model_that_answered() {
    let record = Record { response_model: Some("gpt-4.1-mini-2025".into()), ..Record::default() };
    let names = MetricNames::by_profile("otel-1.41").unwrap();
    let response_model = |options: &Options| {
        let observations = Observations::new(&record, names, options);
        observations.labels().any(|label| label == ("gen_ai.response.model", "gpt-4.1-mini-2025"))
    };
    assert!(!response_model(&Options::default()));
    assert!(response_model(&Options::default().with_labels(Labels::WithResponseModel)));
}
