//! Frames of lines of JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use llmspan_core::framing::Framing;

fuzz_target!(|input: &[u8]| llmspan_fuzz::framing(Framing::Ndjson, input));
