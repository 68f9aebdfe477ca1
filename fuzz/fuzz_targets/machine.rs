//! Calls, attempts and waits in any order, against the reference model.
#![no_main]

use libfuzzer_sys::fuzz_target;
use llmspan_model::ops::Scenario;

fuzz_target!(|scenario: Scenario| llmspan_fuzz::machine(scenario));
