//! Whatever happens to calls, the engine says the same of it as the reference model.

use llmspan_model::{compare, ops::Scenario};

use crate::responses::check_record;

/// Compares engine and model over a scenario.
pub(crate) fn check(mut scenario: Scenario) {
    // The model takes a time that grows with the square of the steps and more.
    scenario.steps.truncate(STEPS);
    let (config, log) = (scenario.config(), scenario.log());
    for record in compare::engine(&config, &log) {
        check_record(&record);
    }
    let differences = compare::differences(&config, &log);
    if !differences.is_empty() {
        let lines: Vec<String> = log.iter().filter_map(|event| event.to_json().ok()).collect();
        panic!("{}\n{:?}\n{}", differences.join("\n"), scenario.settings, lines.join("\n"));
    }
}

const STEPS: usize = 120;
