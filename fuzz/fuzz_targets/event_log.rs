//! Event logs, in both of their forms.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| llmspan_fuzz::event_log(input));
