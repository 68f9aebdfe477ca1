//! Several profiles are written at once, each under its own names.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use llmspan::{ManualClock, Profile};
use opentelemetry::{Value, trace::SpanKind};
use opentelemetry_sdk::trace::Sampler;
use opentelemetry_support::{ORIGIN, attribute, bench_with, only, start};

#[test]
fn dual_names() {
    let profiles = ["otel-1.41", "qwen-code"].map(|name| Profile::by_name(name).unwrap());
    let bench = bench_with(ManualClock::anchored(ORIGIN), Sampler::AlwaysOn, |sink| sink.with_profiles(&profiles));
    bench.retried(bench.recorder.call(start()));
    let spans = bench.spans();
    // The first profile names the span.
    let call = only(&spans, "chat gpt-4.1-mini");
    for (key, value) in [
        ("gen_ai.usage.input_tokens", Value::I64(10)),
        ("input_tokens", Value::I64(10)),
        ("gen_ai.response.time_to_first_chunk", Value::F64(0.3)),
        ("ttft_ms", Value::I64(300)),
        ("request_setup_ms", Value::I64(2070)),
        ("retry_total_delay_ms", Value::I64(2000)),
        ("attempt", Value::I64(2)),
        ("success", Value::Bool(true)),
    ] {
        assert_eq!(attribute(call, key), Some(value), "{key}");
    }
}

#[test]
fn the_names_of_one_profile_alone() {
    let profiles = [Profile::by_name("qwen-code").unwrap()];
    let bench = bench_with(ManualClock::anchored(ORIGIN), Sampler::AlwaysOn, |sink| sink.with_profiles(&profiles));
    bench.retried(bench.recorder.call(start()));
    let spans = bench.spans();
    let call = only(&spans, "qwen-code.llm_request");
    assert_eq!(call.span_kind, SpanKind::Internal);
    assert_eq!(attribute(call, "ttft_ms"), Some(300_i64.into()));
}
