//! Responses of `dashscope.generation`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use llmspan_core::provider::Protocol;

fuzz_target!(|input: &[u8]| llmspan_fuzz::decoder(Protocol::DashScopeGeneration, input));
