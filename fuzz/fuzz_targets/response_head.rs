//! Addresses, headers and first bytes of responses.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| llmspan_fuzz::response_head(input));
