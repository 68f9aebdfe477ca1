//! Frames of whole JSON bodies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use llmspan_core::framing::Framing;

fuzz_target!(|input: &[u8]| llmspan_fuzz::framing(Framing::Json, input));
