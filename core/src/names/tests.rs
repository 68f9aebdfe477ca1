use alloc::{format, string::String, vec, vec::Vec};

use super::{
    profile::{Row, Source, When},
    read::Subject,
    *,
};
use crate::record::{AttributeValue, Attributes, Record};

fn record(json: &str) -> Record {
    serde_json::from_str(json).unwrap()
}

fn profile(name: &str) -> &'static Profile {
    Profile::by_name(name).unwrap()
}

fn call(record: &Record, name: &str) -> Attributes {
    call_attributes(record, &[profile(name)])
}

/// Each key must have the value, `null` means that it must be missing; as in the vectors.
fn assert_holds(attributes: &Attributes, expected: &str) {
    let actual = serde_json::to_value(attributes).unwrap();
    let expected: serde_json::Map<String, serde_json::Value> = serde_json::from_str(expected).unwrap();
    for (key, value) in expected {
        assert_eq!(actual.get(&key).unwrap_or(&serde_json::Value::Null), &value, "{key} in {actual}");
    }
}

#[test]
fn otel_1_41_of_a_streamed_call() {
    let record = record(
        r#"{"operation": "chat", "provider": "openai", "model": "gpt-4.1-mini", "stream": true, "response_id": "resp-1",
        "response_model": "gpt-4.1-mini-2025-04-14", "finish_reasons": ["stop"], "duration_ns": 1250000000,
        "request": {"max_tokens": 256, "temperature": 0.2, "top_p": 0.9, "choice_count": 1, "stop_sequences": ["END"],
            "seed": 7},
        "ttft_ns": 250000000, "time_to_first_chunk_ns": 120000000, "final_attempt": 1, "attempt_count": 1,
        "usage": {"input_tokens": 400, "output_tokens": 125, "cache_read_tokens": 300, "reasoning_tokens": 25}}"#,
    );
    assert_holds(
        &call(&record, "otel-1.41"),
        r#"{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.request.stream": true, "gen_ai.request.max_tokens": 256, "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 0.9, "gen_ai.request.seed": 7, "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.choice.count": null, "gen_ai.response.id": "resp-1",
        "gen_ai.response.model": "gpt-4.1-mini-2025-04-14", "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.12, "gen_ai.usage.input_tokens": 400,
        "gen_ai.usage.output_tokens": 125, "gen_ai.usage.cache_read.input_tokens": 300,
        "gen_ai.usage.cache_creation.input_tokens": null, "gen_ai.usage.reasoning.output_tokens": 25,
        "error.type": null, "gen_ai.server.time_to_first_token": null, "gen_ai.usage.cached_tokens": null}"#,
    );
}

#[test]
fn a_call_that_says_nothing_is_a_chat_without_more() {
    let mut record = Record::default();
    assert_holds(
        &call(&record, "otel-1.41"),
        r#"{"gen_ai.operation.name": "chat", "gen_ai.provider.name": null, "gen_ai.request.stream": null}"#,
    );
    assert_eq!(call(&record, "otel-1.41").len(), 1);
    record.request.choice_count = Some(2);
    assert_holds(&call(&record, "otel-1.41"), r#"{"gen_ai.request.choice.count": 2}"#);
    assert_eq!(profile("otel-1.41").call_span_name(&record), "chat");
    record.model = Some("m".into());
    assert_eq!(profile("otel-1.41").call_span_name(&record), "chat m");
    assert_eq!(profile("qwen-code").call_span_name(&record), "qwen-code.llm_request");
}

#[test]
fn older_and_newer_conventions_differ_where_they_do() {
    let record = record(
        r#"{"provider": "azure.ai.inference", "stream": true, "time_to_first_chunk_ns": 1, "request": {"top_k": 40.0},
        "usage": {"input_tokens": 4, "output_tokens": 5, "cache_write_tokens": 3}}"#,
    );
    assert_holds(
        &call(&record, "otel-1.36"),
        r#"{"gen_ai.system": "az.ai.inference", "gen_ai.provider.name": null, "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.completion_tokens": null, "gen_ai.request.stream": null, "gen_ai.request.top_k": 40.0,
        "gen_ai.usage.cache_creation.input_tokens": null, "gen_ai.response.time_to_first_chunk": null}"#,
    );
    assert_holds(
        &call(&record, "otel-main"),
        r#"{"gen_ai.provider.name": "azure.ai.inference", "gen_ai.usage.cache_write.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": null, "gen_ai.request.top_k": 40}"#,
    );
}

#[test]
fn attempt_spans_count_resends_and_carry_no_usage() {
    let record = record(
        r#"{"model": "gpt-4.1-mini", "usage": {"input_tokens": 5, "output_tokens": 6}, "attempts": [
        {"number": 1, "model": "gpt-4.1-mini", "outcome": "error", "error": {"type": "500", "status_code": 500}},
        {"number": 2, "model": "gpt-4.1-mini", "usage": {"input_tokens": 5, "output_tokens": 6}}]}"#,
    );
    assert_holds(
        &call(&record, "otel-1.41"),
        r#"{"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "gen_ai.request.model": "gpt-4.1-mini",
        "error.type": null}"#,
    );
    let attempts = attempt_attributes(&record, &[profile("otel-1.41")]);
    assert_eq!(attempts.len(), 2);
    assert_holds(
        &attempts[0],
        r#"{"http.request.resend_count": null, "error.type": "500", "http.response.status_code": 500,
        "gen_ai.request.model": null, "gen_ai.usage.input_tokens": null}"#,
    );
    assert_holds(
        &attempts[1],
        r#"{"http.request.resend_count": 1, "error.type": null, "gen_ai.request.model": null,
        "gen_ai.usage.output_tokens": null}"#,
    );
    for profile in Profile::all().iter().filter(|profile| profile.name() != "ares") {
        for value in [Value::InputTokens, Value::OutputTokens, Value::CacheReadTokens, Value::RequestModel] {
            assert_eq!(profile.attempt_name(value), None, "{}", profile.name());
        }
    }
}

#[test]
fn ares_counts_attempts_from_zero() {
    let mut record = record(
        r#"{"model": "gpt-4.1-mini", "final_attempt": 1, "duration_ns": 950000000,
        "usage": {"input_tokens": 11, "output_tokens": 23}, "attempts": [{"number": 1, "duration_ns": 900000000}],
        "attributes": {"task_id": "task-7", "tool_count": 3, "message_count": 12, "other": 1.5}}"#,
    );
    let expected = r#"{"llm.model": "gpt-4.1-mini", "llm.attempt": 0, "llm.duration_ms": 900, "llm.tool_count": 3,
        "llm.message_count": 12, "task.id": "task-7", "llm.error": null, "task_id": null}"#;
    assert_holds(&call(&record, "ares"), expected);
    assert_holds(&call(&record, "ares"), r#"{"llm.input_tokens": 11, "llm.output_tokens": 23, "other": 1.5}"#);
    assert_holds(&attempt_attributes(&record, &[profile("ares")])[0], expected);
    assert_holds(&call(&record, "otel-1.41"), r#"{"task_id": "task-7", "task.id": null, "other": 1.5}"#);

    record.attributes.insert("other".into(), AttributeValue::Float(f64::NAN));
    record.attributes.insert("llm.model".into(), "the caller's".into());
    assert_holds(&call(&record, "ares"), r#"{"other": null, "llm.model": "gpt-4.1-mini"}"#);
}

#[test]
fn langfuse_usage_excludes_cache_and_reasoning() {
    let record = record(
        r#"{"model": "gpt-4.1", "response_model": "gpt-4.1-mini", "start_unix_ns": "1234567890123000000",
        "marks": {"first_content_ns": 200999999}, "error": {"type": "x"}, "otel_status": "ERROR",
        "cost": {"currency": "USD", "input": "0.00048", "total": "0.001"}, "request": {"temperature": 0.5, "seed": 7},
        "usage": {"input_tokens": 500, "output_tokens": 120, "cache_read_tokens": 300, "cache_write_tokens": 50,
            "reasoning_tokens": 20}}"#,
    );
    let attributes = call(&record, "langfuse");
    assert_holds(
        &attributes,
        r#"{"langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4.1-mini",
        "gen_ai.usage.cached_tokens": null, "langfuse.observation.level": "ERROR",
        "langfuse.observation.completion_start_time": "2009-02-13T23:31:30.323Z"}"#,
    );
    for (name, json) in [
        (
            "langfuse.observation.usage_details",
            r#"{"input":150,"output":100,"input_cached_tokens":300,"input_cache_creation":50,"output_reasoning_tokens":20}"#,
        ),
        ("langfuse.observation.cost_details", r#"{"input":0.00048,"total":0.001}"#),
        ("langfuse.observation.model.parameters", r#"{"temperature":0.5,"seed":7}"#),
    ] {
        assert_eq!(attributes[name], AttributeValue::Str(json.into()));
    }
    let empty = call(&Record::default(), "langfuse");
    assert_eq!(empty.keys().collect::<Vec<_>>(), ["langfuse.observation.type"]);
}

#[test]
fn lesson_names() {
    let mut record = record(
        r#"{"provider": "openai", "model": "gpt-4.1-mini", "response_model": "gpt-4.1-mini-2025-04-14",
        "ttft_ns": 300000000, "duration_ns": 1500000000, "finish_reasons": ["stop", "length"],
        "usage": {"input_tokens": 1000, "output_tokens": 240}}"#,
    );
    assert_holds(
        &call(&record, "lesson"),
        r#"{"provider": "openai", "model_name": "gpt-4.1-mini", "model_version": "gpt-4.1-mini-2025-04-14",
        "prompt_tokens": 1000, "completion_tokens": 240, "first_token_ms": 300, "total_ms": 1500, "stop_reason": "stop",
        "retry_count": 0, "retry_cause": null, "input_cost_usd": null, "output_cost_usd": null,
        "total_cost_usd": null}"#,
    );
    record.waits = serde_json::from_str(
        r#"[{"reason": "key_pool"}, {"reason": "rate_limit", "after_attempt": 1},
        {"reason": "network", "after_attempt": 2, "aborted": true}]"#,
    )
    .unwrap();
    assert_holds(&call(&record, "lesson"), r#"{"retry_cause": "rate_limit"}"#);
}

#[test]
fn openinference_names() {
    let record = record(
        r#"{"provider": "anthropic", "model": "claude-sonnet-4-5", "response_model": "claude-sonnet-4-5-20250929",
        "finish_reasons": ["end_turn"], "request": {"stop_sequences": ["a"], "choice_count": 1},
        "usage": {"input_tokens": 135, "output_tokens": 15, "cache_read_tokens": 100, "cache_write_tokens": 10}}"#,
    );
    assert_holds(
        &call(&record, "openinference"),
        r#"{"openinference.span.kind": "LLM", "llm.provider": "anthropic", "llm.system": "anthropic",
        "llm.request.model_name": "claude-sonnet-4-5", "llm.response.model_name": "claude-sonnet-4-5-20250929",
        "llm.model_name": "claude-sonnet-4-5-20250929", "llm.finish_reason": "end_turn",
        "llm.invocation_parameters": "{\"stop\":[\"a\"],\"n\":1}",
        "llm.token_count.prompt": 135, "llm.token_count.completion": 15, "llm.token_count.total": 150,
        "llm.token_count.prompt_details.cache_read": 100, "llm.token_count.prompt_details.cache_write": 10,
        "llm.token_count.completion_details.reasoning": null}"#,
    );
    let other = Record { operation: Some("embeddings".into()), provider: Some("groq".into()), ..Record::default() };
    assert_holds(
        &call(&other, "openinference"),
        r#"{"openinference.span.kind": "EMBEDDING", "llm.provider": "groq", "llm.system": null}"#,
    );
    let moonshot = Record { provider: Some("moonshot_ai".into()), ..Record::default() };
    assert_holds(&call(&moonshot, "openinference"), r#"{"llm.provider": "moonshot", "llm.system": null}"#);
}

#[test]
fn qwen_code_after_a_retry() {
    let record = record(
        r#"{"stream": true, "duration_ns": 5500000000, "request_setup_ns": 4500000000, "ttft_ns": 234000000,
        "sampling_ns": 766000000, "output_tokens_per_second": 65.27, "final_attempt": 2, "attempt_count": 2,
        "retry_count": 1, "retry_planned_delay_ns": 4200000000, "retry_actual_delay_ns": 4200000001,
        "finish_reasons": ["stop"], "usage": {"input_tokens": 100, "output_tokens": 50, "reasoning_tokens": 42}}"#,
    );
    let expected = r#"{"ttft_ms": 234, "request_setup_ms": 4500, "attempt": 2, "retry_total_delay_ms": 4200,
        "sampling_ms": 766, "output_tokens_per_second": 65.27, "input_tokens": 100, "output_tokens": 50,
        "thoughts_token_count": 42, "finish_reason": "stop", "success": true, "duration_ms": 5500}"#;
    assert_holds(&call(&record, "qwen-code"), expected);
    assert_holds(&call(&record, "qwen-code-4413"), expected);
}

#[test]
fn an_attempt_of_qwen_code_tells_the_delay_before_it() {
    let mut record = record(
        r#"{"waits": [{"reason": "key_pool", "planned_delay_ns": 7000000}, {"reason": "rate_limit",
        "planned_delay_ns": 1000000000, "after_attempt": 1}, {"reason": "network", "planned_delay_ns": 20000000,
        "after_attempt": 2}, {"reason": "network", "planned_delay_ns": 5000000, "after_attempt": 3, "aborted": true}],
        "attempts": [{"number": 1}, {"number": 2}, {"number": 3}, {"number": 4}]}"#,
    );
    let delays = |record: &Record| -> Vec<_> {
        let attempts = attempt_attributes(record, &[profile("qwen-code")]);
        attempts.iter().map(|attributes| attributes.get("retry_total_delay_ms").cloned()).collect()
    };
    assert_eq!(delays(&record), [0, 1_000, 1_020, 1_020].map(|millis| Some(AttributeValue::Int(millis))));
    record.diagnostics.dropped.waits = Some(1);
    assert_eq!(delays(&record), [None, None, None, None]);
}

#[test]
fn qwen_code_dual_names_come_from_one_measurement() {
    let record = record(
        r#"{"stream": true, "model": "qwen3-coder-plus", "request_setup_ns": 0, "ttft_ns": 234567891,
        "sampling_ns": 1000000000, "output_tokens_per_second": 50.0, "final_attempt": 1, "attempt_count": 1,
        "usage": {"input_tokens": 100, "output_tokens": 50, "cache_read_tokens": 40}}"#,
    );
    assert_holds(
        &call(&record, "qwen-code-4413"),
        r#"{"ttft_ms": 234, "gen_ai.server.time_to_first_token": 0.234567891, "sampling_ms": 1000,
        "output_tokens_per_second": 50.0, "attempt": 1, "input_tokens": 100, "output_tokens": 50,
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50, "gen_ai.usage.cached_tokens": 40,
        "gen_ai.request.model": "qwen3-coder-plus", "request_setup_ms": null, "retry_total_delay_ms": 0}"#,
    );
    assert_holds(
        &call(&record, "qwen-code"),
        r#"{"request_setup_ms": 0, "retry_total_delay_ms": 0, "gen_ai.server.time_to_first_token": null,
        "gen_ai.usage.cached_tokens": null}"#,
    );
    let both = call_attributes(&record, &[profile("otel-1.41"), profile("qwen-code")]);
    assert_holds(&both, r#"{"ttft_ms": 234, "input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 40}"#);
}

#[test]
fn several_profiles_are_the_union_and_the_first_one_wins() {
    let record = full();
    let (otel, traceloop) = (profile("otel-1.41"), profile("openllmetry"));
    let one_way = call_attributes(&record, &[otel, traceloop]);
    let other_way = call_attributes(&record, &[traceloop, otel]);
    assert_eq!(one_way["gen_ai.provider.name"], "azure.ai.openai".into());
    assert_eq!(other_way["gen_ai.provider.name"], "az.ai.openai".into());
    assert!(one_way.keys().eq(other_way.keys()));
    for alone in [otel, traceloop] {
        assert!(call_attributes(&record, &[alone]).keys().all(|key| one_way.contains_key(key)));
    }
    assert!(call_attributes(&record, &[]).is_empty());
}

#[test]
fn every_value_can_be_read_and_every_row_written() {
    let record = full();
    for value in Value::ALL {
        assert!(Subject::Call(&record).read(*value).is_some(), "{value:?}");
        // The generator turns keys into variants by dropping the underscores.
        assert_eq!(format!("{value:?}").to_ascii_lowercase(), value.key().replace('_', ""));
    }
    for profile in Profile::all() {
        let rendered = [call(&record, profile.name), attempt_attributes(&record, &[profile]).remove(0)];
        for (table, attributes) in [&profile.call, &profile.attempt].into_iter().zip(rendered) {
            let is_unconditional = |row: &Row| !matches!(row.source, Source::Value(_, _, When::IfFalse | When::IfTrue));
            for row in table.rows().filter(is_unconditional) {
                let value = attributes.get(row.name);
                assert!(value.is_some(), "{} of {}", row.name, profile.name);
                if let (Source::Json(members), Some(AttributeValue::Str(json))) = (row.source, value) {
                    let object: serde_json::Map<_, _> = serde_json::from_str(json).unwrap();
                    assert_eq!(object.len(), members.rows().count(), "{} of {}", row.name, profile.name);
                }
            }
        }
    }
}

#[test]
fn a_clock_that_stands_still_measures_nothing() {
    let mut record = record(
        r#"{"stream": true, "start_unix_ns": "1790000000000000000", "duration_ns": 0, "ttft_ns": 0, "time_to_first_chunk_ns": 0,
            "sampling_ns": 0, "marks": {"first_content_ns": 0}, "retry_count": 0, "usage": {"output_tokens": 11}}"#,
    );
    let times = [
        ("otel-1.41", "gen_ai.response.time_to_first_chunk"),
        ("langfuse", "langfuse.observation.completion_start_time"),
        ("qwen-code", "duration_ms"),
        ("qwen-code", "ttft_ms"),
    ];
    for (profile, name) in times {
        assert!(call(&record, profile).contains_key(name), "{name} of a clock that has only been slow");
    }
    record.diagnostics.clock.frozen = true;
    for (profile, name) in times {
        assert!(!call(&record, profile).contains_key(name), "{name}");
    }
    assert_eq!(call(&record, "otel-1.41").get("gen_ai.usage.output_tokens"), Some(&11_i64.into()));
}

#[test]
fn profiles_have_unique_names_of_the_right_shape() {
    let names: Vec<_> = Profile::all().iter().map(Profile::name).collect();
    for name in [
        "otel-1.36",
        "otel-main",
        "openinference",
        "openllmetry",
        "langfuse",
        "vercel",
        "datadog",
        "qwen-code",
        "qwen-code-4413",
        "ares",
        "lesson",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(names[0], Profile::DEFAULT);
    for profile in Profile::all() {
        assert_eq!(names.iter().filter(|name| **name == profile.name).count(), 1);
        for table in [&profile.call, &profile.attempt] {
            let mut seen = vec![];
            for row in table.rows() {
                assert!(!seen.contains(&row.name), "{} twice in {}", row.name, profile.name);
                seen.push(row.name);
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
                assert!(row.name.bytes().all(plain) && !row.name.starts_with('.'), "{}", row.name);
            }
        }
    }
    let error = Profile::by_name("otel-9").unwrap_err();
    assert_eq!(error.code(), "unknown_profile");
}

/// A record in which every value is present.
fn full() -> Record {
    let shared = r#""duration_ns": 9, "provider": "azure.ai.openai", "model": "m", "protocol": "openai.chat",
        "status_code": 500, "request_id": "q", "response_id": "r", "response_model": "n", "finish_reasons": ["stop"],
        "ttft_ns": 5, "time_to_headers_ns": 1, "time_to_first_chunk_ns": 2, "time_to_first_reasoning_ns": 3,
        "time_to_first_answer_ns": 4, "sampling_ns": 3, "output_tokens_per_second": 1.5,
        "decode_tokens_per_second": 1.0, "time_per_output_token_ns": 1, "output_buffered": false, "network_ns": 1,
        "inter_chunk": {"count": 1}, "content": {"chunks": 3, "visible_chunks": 2}, "tool_call_count": 1,
        "outcome": "error", "error": {"type": "500", "status_code": 500, "message": "broken"},
        "usage": {"input_tokens": 10, "output_tokens": 6, "cache_read_tokens": 4, "cache_write_tokens": 3,
            "reasoning_tokens": 2},
        "cost": {"currency": "USD", "input": "0.5", "output": "0.25", "total": "0.75"},
        "server": {"queue_ns": 1, "prompt_ns": 1, "generation_ns": 1, "total_ns": 3, "first_byte_ns": 1},
        "marks": {"first_content_ns": 7}"#;
    let mut record = record(&format!(
        r#"{{{shared}, "operation": "chat", "stream": true, "otel_status": "ERROR", "start_unix_ns": "1",
        "request_setup_ns": 2, "call_ttft_ns": 7, "tail_ns": 0, "attempt_count": 2, "final_attempt": 2, "retry_count": 1,
        "waits": [{{"reason": "timeout", "after_attempt": 1}}], "attempts": [{{"number": 2, {shared}}}],
        "request": {{"max_tokens": 2, "temperature": 1.0, "top_p": 1.0, "top_k": 3.0, "seed": 1,
            "frequency_penalty": 0.0, "presence_penalty": 0.0, "stop_sequences": ["x"], "choice_count": 2,
            "service_tier": "flex", "reasoning_level": "low",
            "input_parts": {{"system": 1, "history": 2, "retrieved": 3, "tool_results": 4}}}},
        "flags": {{"refusal": false, "json_valid": true, "cache_hit": false, "block_reason": "b",
            "incomplete_reason": "i"}}}}"#
    ));
    for value in Value::ALL.iter().filter(|value| value.is_caller_attribute()) {
        record.attributes.insert(value.key().into(), "given".into());
    }
    record
}

#[test]
fn an_attempt_that_stands_for_itself_has_what_came_before_it() {
    let record = record(
        r#"{"operation": "chat", "model": "m", "provider": "openai", "request": {"max_tokens": 9}, "retry_count": 2,
        "retry_planned_delay_ns": 7000000, "final_attempt": 3, "flags": {"refusal": true, "cache_hit": true},
        "attributes": {"task_id": "call", "tenant_id": "t"}, "duration_ns": 90000000,
        "attempts": [{"number": 1}, {"number": 2, "start_ns": 5000000, "attributes": {"task_id": "own"}},
            {"number": 3, "start_ns": 9000000, "duration_ns": 4000000, "model": "other"}],
        "waits": [{"reason": "key_pool", "planned_delay_ns": 50000000, "after_attempt": 0},
            {"reason": "network", "planned_delay_ns": 3000000, "after_attempt": 1},
            {"reason": "timeout", "planned_delay_ns": 60000000, "after_attempt": 1, "aborted": true},
            {"reason": "rate_limit", "planned_delay_ns": 4000000, "after_attempt": 2}]}"#,
    );
    let of = |name| lone_attempt_attributes(&record, &[profile(name)]);
    let [first, second, third] = &of("qwen-code")[..] else { panic!("three attempts") };
    assert_holds(
        first,
        r#"{"attempt": 1, "request_setup_ms": 0, "retry_total_delay_ms": 0, "qwen-code.prompt_id": "call"}"#,
    );
    assert_holds(
        second,
        r#"{"attempt": 2, "request_setup_ms": 5, "retry_total_delay_ms": 3, "qwen-code.prompt_id": "own", "task_id": null}"#,
    );
    assert_holds(
        third,
        r#"{"attempt": 3, "request_setup_ms": 9, "retry_total_delay_ms": 7, "duration_ms": 4,
        "gen_ai.request.model": "other", "tenant_id": "t"}"#,
    );
    let causes = of("lesson");
    assert_holds(&causes[0], r#"{"retry_count": 0, "retry_cause": null, "refusal_flag": null, "cache_hit": null}"#);
    assert_holds(&causes[1], r#"{"retry_count": 1, "retry_cause": "network", "total_ms": 0}"#);
    assert_holds(
        &causes[2],
        r#"{"retry_count": 2, "retry_cause": "rate_limit", "refusal_flag": true, "cache_hit": true}"#,
    );
    assert_holds(&of("otel-1.41")[1], r#"{"gen_ai.request.max_tokens": 9, "http.request.resend_count": 1}"#);

    let around = outer_attributes(&record, &[profile("qwen-code"), profile("lesson")]);
    assert_holds(
        &around,
        r#"{"duration_ms": 90, "success": true, "total_ms": 90, "qwen-code.prompt_id": "call", "tenant_id": "t",
        "provider": "openai", "attempt": null, "request_setup_ms": null, "gen_ai.operation.name": null,
        "gen_ai.request.model": null, "retry_count": null}"#,
    );
}
