//! A call as exporters get it: a rate limit, a wait, then a streamed answer with phases around it.

use llmspan_core::record::Record;

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const SPAN: &str = "b7ad6b7169203331";
pub(crate) const PARENT: &str = "00f067aa0ba902b7";
pub(crate) const START: u64 = 1_763_713_224_000_000_000;

/// Ids of inner spans, computed by an independent program from the rule in the documentation.
pub(crate) const ATTEMPT_1: &str = "fbc1a6163e33851c";
pub(crate) const ATTEMPT_2: &str = "c65efc71c31ada0c";
pub(crate) const WAIT_0: &str = "464ab72cff7c3369";

pub(crate) fn retried() -> Record {
    Record::from_json(
        r#"{"operation": "chat", "provider": "openai", "model": "gpt-4.1-mini", "stream": true,
        "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
        "parent_span_id": "00f067aa0ba902b7", "start_unix_ns": "1763713224000000000", "duration_ns": 3250000000,
        "attempt_count": 2, "final_attempt": 2, "retry_count": 1, "request_setup_ns": 2050000000,
        "retry_planned_delay_ns": 2000000000, "retry_actual_delay_ns": 2000000000,
        "ttft_ns": 200000000, "sampling_ns": 1000000000, "time_to_first_chunk_ns": 150000000,
        "output_tokens_per_second": 500.0, "finish_reasons": ["tool_calls"], "response_model": "gpt-4.1-mini-2025",
        "usage": {"input_tokens": 10, "output_tokens": 500}, "attributes": {"task_id": "t-1", "tenant": "acme"},
        "attempts": [
            {"number": 1, "outcome": "error", "status_code": 429, "start_ns": 0, "duration_ns": 50000000,
             "model": "gpt-4.1-mini", "error": {"type": "rate_limit", "status_code": 429, "message": "slow down"}},
            {"number": 2, "start_ns": 2050000000, "duration_ns": 1200000000, "model": "gpt-4.1-mini",
             "ttft_ns": 200000000, "sampling_ns": 1000000000, "time_to_first_chunk_ns": 150000000,
             "response_model": "gpt-4.1-mini-2025", "output_tokens_per_second": 500.0, "status_code": 200,
             "finish_reasons": ["tool_calls"], "usage": {"input_tokens": 10, "output_tokens": 500}}],
        "waits": [{"reason": "rate_limit", "planned_delay_ns": 2000000000, "actual_delay_ns": 2000000000,
            "server_requested": true, "aborted": false, "start_ns": 50000000, "after_attempt": 1}],
        "phases": [
            {"name": "prompt.build", "depth": 0, "start_ns": 0, "duration_ns": 40},
            {"name": "attach.history", "depth": 1, "start_ns": 10, "duration_ns": 20},
            {"name": "response.parse", "depth": 0, "start_ns": 3250000000, "duration_ns": 0, "left_open": true}],
        "events": [
            {"kind": "retry", "at_ns": 50000000, "attempt": 1, "name": "rate_limit", "duration_ns": 2000000000},
            {"kind": "first_token", "at_ns": 2250000000, "attempt": 2},
            {"kind": "stall", "at_ns": 3200000000, "attempt": 2, "duration_ns": 950000000},
            {"kind": "tool_call", "at_ns": 3210000000, "attempt": 2, "name": "search"},
            {"kind": "refusal", "at_ns": 3220000000, "attempt": 2},
            {"kind": "finish", "at_ns": 3250000000, "attempt": 2, "name": "tool_calls"}]}"#,
    )
    .unwrap()
}
