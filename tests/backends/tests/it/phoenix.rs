//! Arize Phoenix shows calls, sent under the names of OpenInference, as they were.

use std::process::Command;

use llmspan::core::otlp::{Resource, traces_to_protobuf};
use llmspan_backends::{
    Result,
    calls::{self, Call, GOLDENS},
    known::{ALL_SPANS, ALL_TOKENS, CALLS, Known},
    process::{Backend, eventually, free_port, installed},
    query::{PROTOBUF, at, get_json, list, post, post_json, text},
};
use serde_json::{Map, Value, json};

#[tokio::test]
#[ignore = "needs Phoenix: `cargo xtask test --backends`"]
async fn phoenix_shows_calls_as_they_were() -> Result<()> {
    let (_phoenix, url) = start().await?;
    let calls = calls::all(calls::now())?;
    let trees = calls.iter().map(|call| call.tree(&["openinference"])).collect::<Result<Vec<_>>>()?;
    let mut body = Vec::new();
    assert_eq!(traces_to_protobuf(trees, &Resource::of_service("assistant"), &mut body), ALL_SPANS);
    post(&format!("{url}/v1/traces"), PROTOBUF, body, &[]).await?;

    // The sums of a project come a while after its spans.
    let (input, output) = ALL_TOKENS;
    let project = eventually("all spans and their sums", async || {
        let answer = post_json(&format!("{url}/graphql"), &json!({ "query": QUERY })).await?;
        let project = at(&answer, "/data/projects/edges/0/node")?;
        let sums = numbers(project, ["tokenCountPrompt", "tokenCountCompletion", "traceCount"])?;
        let spans = list(project, "/spans/edges")?.len();
        if spans != ALL_SPANS || sums != [Some(input), Some(output), Some(7)] {
            return Err(format!("{spans} spans, and as sums {sums:?}").into());
        }
        Ok(Some(project.clone()))
    })
    .await?;

    let shown = list(&project, "/spans/edges")?;
    let spans: Vec<&Value> = shown.iter().map(|edge| at(edge, "/node")).collect::<Result<_>>()?;
    for (call, known) in calls.iter().zip(&CALLS) {
        assert_eq!(call.name, known.call);
        check_structure(call, known, &spans).map_err(|error| format!("{}: {error}", call.name))?;
    }

    let answer = get_json(&format!("{url}/v1/projects/default/spans?limit=100")).await?;
    for call in calls.iter().filter(|call| GOLDENS.contains(&call.name)) {
        check_attributes(call, list(&answer, "/data")?).map_err(|error| format!("{}: {error}", call.name))?;
    }
    Ok(())
}

/// Names, parents, times, states and tokens of the spans of a call.
fn check_structure(call: &Call, known: &Known, spans: &[&Value]) -> Result<()> {
    let name = call.name;
    let trace_id = call.trace_id();
    let of_trace: Vec<&Value> =
        spans.iter().copied().filter(|span| span.pointer("/trace/traceId") == Some(&json!(trace_id))).collect();
    assert_eq!(of_trace.len(), 1 + known.inner.len(), "{name}");

    let top = find(&of_trace, |span| span["spanId"] == call.span_id())?;
    assert_eq!(text(top, "/name")?, known.span);
    assert_eq!(at(top, "/parentId")?, &Value::Null, "{name}");
    assert_eq!(text(top, "/spanKind")?, "llm", "{name}");
    assert_eq!(text(top, "/statusCode")?, status(known.failed), "{name}");
    let start = unix_ns(top, "/startTime")?;
    assert_eq!(Some(start), call.record.start_unix_ns.map(|at| i128::from(at.as_nanos())), "{name}");
    for latency in ["/latencyMs", "/trace/latencyMs"] {
        let latency = at(top, latency)?.as_f64().ok_or("no latency")?;
        // Both ends are kept in microseconds.
        assert!((latency * 1e6 - f64::from(u32::try_from(known.duration_ns)?)).abs() < 1_000.0, "{name}: {latency} ms");
    }

    let tokens = known.tokens;
    let (input, output) = tokens.map_or((0, 0), |tokens| (tokens.input, tokens.output));
    let own = ["tokenCountPrompt", "tokenCountCompletion", "tokenCountTotal"];
    assert_eq!(numbers(top, own)?, [input, output, input + output].map(Some), "{name}");
    let with_inner = ["cumulativeTokenCountPrompt", "cumulativeTokenCountCompletion", "cumulativeTokenCountTotal"];
    assert_eq!(numbers(top, with_inner)?, [input, output, input + output].map(Some), "{name}: nothing counts twice");
    let cached = [tokens.and_then(|tokens| tokens.cache_read), tokens.and_then(|tokens| tokens.cache_write)];
    assert_eq!(numbers(at(top, "/tokenPromptDetails")?, ["cacheRead", "cacheWrite"])?, cached, "{name}");

    for inner in known.inner {
        let parent = match inner.parent {
            None => call.span_id(),
            Some(parent) => text(find(&of_trace, |span| span["name"] == parent)?, "/spanId")?.to_owned(),
        };
        let at_ms = |ms: u64| start + i128::from(ms) * 1_000_000;
        let span = find(&of_trace, |span| {
            span["name"] == inner.name && unix_ns(span, "/startTime").is_ok_and(|at| at == at_ms(inner.start_ms))
        })?;
        assert_eq!(text(span, "/parentId")?, parent, "{name}: {}", inner.name);
        assert_eq!(unix_ns(span, "/endTime")?, at_ms(inner.end_ms), "{name}: {}", inner.name);
        assert_eq!(text(span, "/statusCode")?, status(inner.failed), "{name}: {}", inner.name);
        assert_ne!(text(span, "/spanKind")?, "llm", "{name}: {} is no call", inner.name);
        assert_eq!(numbers(span, own)?[..2], [None, None], "{name}: {}", inner.name);
    }
    Ok(())
}

/// Attributes of the call and its attempts against the golden file, with nothing missing and nothing surplus.
fn check_attributes(call: &Call, spans: &[Value]) -> Result<()> {
    let golden = calls::golden("openinference", call.name)?;
    let id = call.span_id();
    let trace_id = call.trace_id();
    let mut of_trace: Vec<&Value> =
        spans.iter().filter(|span| span.pointer("/context/trace_id") == Some(&json!(trace_id))).collect();
    let top = find(&of_trace, |span| span.pointer("/context/span_id") == Some(&json!(id)))?;
    check_span(at(&golden, "/call/attributes")?, top, call.name)?;

    of_trace.retain(|span| span["name"] == "attempt");
    of_trace.sort_by_key(|span| unix_ns(span, "/start_time").unwrap_or_default());
    let attempts = list(&golden, "/attempts")?;
    assert_eq!(attempts.len(), of_trace.len(), "{}", call.name);
    for (golden, attempt) in attempts.iter().zip(of_trace) {
        check_span(at(golden, "/attributes")?, attempt, call.name)?;
    }
    Ok(())
}

fn check_span(golden: &Value, span: &Value, name: &str) -> Result<()> {
    let mut expected = golden.as_object().ok_or("no attributes")?.clone();
    // Phoenix takes the kind out of the attributes.
    let kind = expected.remove("openinference.span.kind");
    assert_eq!(kind.as_ref(), span.get("span_kind"), "{name}");
    let mut shown: Map<String, Value> = at(span, "/attributes")?.as_object().ok_or("no attributes")?.clone();
    if let Some(parameters) = shown.get_mut("llm.invocation_parameters") {
        *parameters = serde_json::from_str(parameters.as_str().ok_or("parameters are JSON text")?)?;
    }
    assert_eq!(Value::from(shown), Value::from(expected), "{name}");
    Ok(())
}

async fn start() -> Result<(Backend, String)> {
    let (http, grpc) = (free_port()?, free_port()?);
    let url = format!("http://127.0.0.1:{http}");
    let phoenix = Backend::start("phoenix", &format!("{url}/healthz"), |dir| {
        let mut command = Command::new(installed("phoenix/bin/phoenix"));
        command
            .arg("serve")
            .env("PHOENIX_WORKING_DIR", dir)
            .env("PHOENIX_HOST", "127.0.0.1")
            .env("PHOENIX_PORT", http.to_string())
            .env("PHOENIX_GRPC_PORT", grpc.to_string())
            .env("PHOENIX_TELEMETRY_ENABLED", "false")
            .env("PHOENIX_ALLOW_EXTERNAL_RESOURCES", "false");
        command
    })
    .await?;
    Ok((phoenix, url))
}

fn find<'a>(spans: &[&'a Value], is_it: impl Fn(&Value) -> bool) -> Result<&'a Value> {
    Ok(spans.iter().copied().find(|span| is_it(span)).ok_or_else(|| format!("no such span in {spans:#?}"))?)
}

fn status(failed: bool) -> &'static str {
    if failed { "ERROR" } else { "UNSET" }
}

fn unix_ns(span: &Value, pointer: &str) -> Result<i128> {
    Ok(text(span, pointer)?.parse::<jiff::Timestamp>()?.as_nanosecond())
}

/// Whole numbers, some of which Phoenix writes with a decimal point; `None` for null.
fn numbers<const N: usize>(of: &Value, keys: [&str; N]) -> Result<[Option<u64>; N]> {
    let mut numbers = [None; N];
    for (number, key) in numbers.iter_mut().zip(keys) {
        let value = of.get(key).ok_or_else(|| format!("no {key} in {of:#}"))?;
        if !value.is_null() {
            *number = Some(value.to_string().trim_end_matches(".0").parse()?);
        }
    }
    Ok(numbers)
}

const QUERY: &str = "{ projects(first: 1) { edges { node {
    tokenCountPrompt tokenCountCompletion traceCount
    spans(first: 100) { edges { node {
        spanId name parentId spanKind statusCode startTime endTime latencyMs
        tokenCountPrompt tokenCountCompletion tokenCountTotal tokenPromptDetails { cacheRead cacheWrite }
        cumulativeTokenCountPrompt cumulativeTokenCountCompletion cumulativeTokenCountTotal
        trace { traceId latencyMs }
    } } }
} } } }";
