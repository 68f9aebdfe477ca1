//! `MLflow` shows calls as they were, under the names of OpenTelemetry and of OpenInference.

use std::{collections::BTreeMap, process::Command};

use llmspan::{
    UnixNanos,
    core::otlp::{Resource, traces_to_json, traces_to_protobuf},
};
use llmspan_backends::{
    Result,
    calls::{self, Call},
    known::{CALLS, Known, Tokens},
    process::{Backend, eventually, free_port, installed},
    query::{JSON, PROTOBUF, at, get_json, list, post, post_json, text},
};
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs MLflow: `cargo xtask test --backends`"]
async fn mlflow_shows_calls_as_they_were() -> Result<()> {
    let (_mlflow, url) = start().await?;
    let now = calls::now();
    let sendings =
        [("otel-1.41", PROTOBUF, "CHAT_MODEL"), ("otel-main", JSON, "CHAT_MODEL"), ("openinference", PROTOBUF, "LLM")];
    for (place, (profile, content_type, span_type)) in (0..).zip(sendings) {
        // An experiment of its own, and other trace ids: MLflow keeps a trace once.
        let experiment =
            post_json(&format!("{url}/api/2.0/mlflow/experiments/create"), &json!({"name": profile})).await?;
        let experiment = text(&experiment, "/experiment_id")?;
        let calls = calls::all(UnixNanos::from_nanos(now.as_nanos() + place * 1_000_000))?;
        let trees = calls.iter().map(|call| call.tree(&[profile])).collect::<Result<Vec<_>>>()?;
        let mut body = Vec::new();
        let resource = Resource::of_service("assistant");
        if content_type == JSON {
            traces_to_json(trees, &resource, &mut body);
        } else {
            traces_to_protobuf(trees, &resource, &mut body);
        }
        post(&format!("{url}/v1/traces"), content_type, body, &[("x-mlflow-experiment-id", experiment)]).await?;

        let search = json!({"max_results": 100, "locations": [
            {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}]});
        eventually("all traces", async || {
            let found = post_json(&format!("{url}/api/3.0/mlflow/traces/search"), &search).await?;
            Ok((list(&found, "/traces")?.len() == calls.len()).then_some(()))
        })
        .await?;
        for (call, known) in calls.iter().zip(&CALLS) {
            assert_eq!(call.name, known.call);
            let trace = get_json(&format!("{url}/api/3.0/mlflow/traces/get?trace_id=tr-{}", call.trace_id())).await?;
            // Gemini's operation is `generate_content`, which is no chat.
            let span_type = if known.span.starts_with("chat") { span_type } else { "LLM" };
            check(call, known, span_type, at(&trace, "/trace")?)
                .map_err(|error| format!("{profile}, {}: {error}", call.name))?;
        }
    }
    Ok(())
}

fn check(call: &Call, known: &Known, span_type: &str, trace: &Value) -> Result<()> {
    let name = call.name;
    let info = at(trace, "/trace_info")?;
    assert_eq!(text(info, "/state")?, if known.failed { "ERROR" } else { "OK" }, "{name}");
    let ms = known.duration_ns / 1_000_000;
    assert_eq!(text(info, "/execution_duration")?, format!("{}.{:03}s", ms / 1_000, ms % 1_000), "{name}");
    assert_eq!(text(info, "/tags/service.name")?, "assistant", "{name}");
    let total = info.pointer("/trace_metadata/mlflow.trace.tokenUsage").and_then(Value::as_str);
    let total = total.map(serde_json::from_str::<Value>).transpose()?;
    assert_eq!(total, known.tokens.map(usage), "{name}: nothing counts twice");

    let spans = list(trace, "/spans")?;
    assert_eq!(spans.len(), 1 + known.inner.len(), "{name}");
    let top = find(spans, |span| span.get("parent_span_id").is_none())?;
    assert_eq!(text(top, "/name")?, known.span);
    let start = call.record.start_unix_ns.ok_or("no anchor")?.as_nanos();
    assert_eq!(times(top)?, (start, start + known.duration_ns), "{name}");
    assert_eq!(failed(top), known.failed, "{name}");
    let attributes = attributes(top)?;
    assert_eq!(attributes.get("mlflow.llm.model"), Some(&json!(known.model)), "{name}");
    assert_eq!(attributes.get("mlflow.spanType"), Some(&json!(span_type)), "{name}");
    assert_eq!(attributes.get("mlflow.chat.tokenUsage"), known.tokens.map(usage).as_ref(), "{name}");

    for inner in known.inner {
        let inner_times = (start + inner.start_ms * 1_000_000, start + inner.end_ms * 1_000_000);
        let span = find(spans, |span| span["name"] == inner.name && times(span).is_ok_and(|at| at == inner_times))?;
        let parent = match inner.parent {
            None => top,
            Some(parent) => find(spans, |span| span["name"] == parent)?,
        };
        assert_eq!(at(span, "/parent_span_id")?, at(parent, "/span_id")?, "{name}: {}", inner.name);
        assert_eq!(failed(span), inner.failed, "{name}: {}", inner.name);
        let attributes = self::attributes(span)?;
        for key in ["mlflow.llm.model", "mlflow.chat.tokenUsage", "mlflow.llm.cost"] {
            assert_eq!(attributes.get(key), None, "{name}: {} is no call", inner.name);
        }
    }
    Ok(())
}

/// Tokens as `MLflow` writes them.
fn usage(tokens: Tokens) -> Value {
    let mut usage = json!({"input_tokens": tokens.input, "output_tokens": tokens.output, "total_tokens": tokens.input + tokens.output});
    for (key, count) in
        [("cache_read_input_tokens", tokens.cache_read), ("cache_creation_input_tokens", tokens.cache_write)]
    {
        if let Some(count) = count {
            usage[key] = count.into();
        }
    }
    usage
}

/// Attributes of a span without their types.
fn attributes(span: &Value) -> Result<BTreeMap<&str, Value>> {
    let attributes = span.get("attributes").and_then(Value::as_array).into_iter().flatten();
    attributes.map(|attribute| Ok((text(attribute, "/key")?, plain(at(attribute, "/value")?)))).collect()
}

/// `{"int_value": 1}` is 1, `{"kvlist_value": {"values": [{"key": "a", "value": ...}]}}` is `{"a": ...}`.
fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|value| value.iter().next()) else { return Value::Null };
    if kind != "kvlist_value" {
        return inner.clone();
    }
    let members = inner.get("values").and_then(Value::as_array).into_iter().flatten();
    members.filter_map(|member| Some((member.get("key")?.as_str()?.to_owned(), plain(member.get("value")?)))).collect()
}

fn times(span: &Value) -> Result<(u64, u64)> {
    let time = |pointer| -> Result<u64> { Ok(at(span, pointer)?.as_u64().ok_or("no time")?) };
    Ok((time("/start_time_unix_nano")?, time("/end_time_unix_nano")?))
}

fn failed(span: &Value) -> bool {
    span.pointer("/status/code").is_some_and(|code| code == "STATUS_CODE_ERROR")
}

fn find(spans: &[Value], is_it: impl Fn(&Value) -> bool) -> Result<&Value> {
    Ok(spans.iter().find(|span| is_it(span)).ok_or_else(|| format!("no such span in {spans:#?}"))?)
}

async fn start() -> Result<(Backend, String)> {
    let port = free_port()?;
    let url = format!("http://127.0.0.1:{port}");
    let mlflow = Backend::start("mlflow", &format!("{url}/health"), |dir| {
        let mut command = Command::new(installed("mlflow/bin/mlflow"));
        command
            .args(["server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", dir.join("mlflow.db").display()))
            .arg("--default-artifact-root")
            .arg(dir.join("artifacts"))
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env("MLFLOW_DISABLE_TELEMETRY", "true");
        command
    })
    .await?;
    Ok((mlflow, url))
}
