//! Engine and model agree on whatever happens.

mod common;

use arbitrary::{Arbitrary as _, Unstructured};
use llmspan_model::{compare::differences, ops::Scenario};
use proptest::prelude::*;

fn check(scenario: &Scenario) -> Result<(), TestCaseError> {
    let (config, log) = (scenario.config(), scenario.log());
    let differences = differences(&config, &log);
    let lines: Vec<String> = log.iter().map(|event| event.to_json().unwrap()).collect();
    let log = lines.join("\n");
    prop_assert!(differences.is_empty(), "{}\n{:?}\n{log}", differences.join("\n"), scenario.settings);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(common::cases(3_000)) })]

    #[test]
    fn engine_and_model_agree(scenario in common::scenario()) {
        check(&scenario)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(common::cases(300)) })]

    /// What the fuzz target `machine` makes of its inputs: any operation as often as any other, times up to the end of the clock.
    #[test]
    fn engine_and_model_agree_on_scenarios_out_of_bytes(bytes in prop::collection::vec(any::<u8>(), 0..1_000)) {
        if let Ok(mut scenario) = Scenario::arbitrary(&mut Unstructured::new(&bytes)) {
            scenario.steps.truncate(60);
            check(&scenario)?;
        }
    }
}
