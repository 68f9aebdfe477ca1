//! A collector reads what is exported, and forwards it unchanged.

use std::{fs, path::PathBuf, process::Command};

use llmspan::{
    UnixNanos,
    core::{
        metrics::{Aggregator, Buckets, MetricNames, Options, Window},
        otlp::{
            LogEvents, Resource, logs_to_json, logs_to_protobuf, metrics_to_json, metrics_to_protobuf, traces_to_json,
            traces_to_protobuf,
        },
        spans::SpanTree,
    },
};
use llmspan_backends::{
    Result, calls,
    collector::Receiver,
    known::ALL_SPANS,
    process::{Backend, eventually, free_port, installed},
    query::{JSON, PROTOBUF, post},
};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::KeyValue,
};
use prost::Message as _;
use serde_json::Value;

#[tokio::test]
#[ignore = "needs rotel: `cargo xtask test --backends`"]
async fn a_collector_forwards_traces_as_they_were_sent() -> Result<()> {
    let receiver = Receiver::start().await?;
    let (_collector, url) = start(&receiver).await?;
    let resource = Resource::of_service("assistant");
    for profile in ["otel-1.41", "openinference"] {
        let trees = trees(profile)?;
        let (mut protobuf, mut json) = (Vec::new(), Vec::new());
        let spans = traces_to_protobuf(&trees, &resource, &mut protobuf);
        traces_to_json(&trees, &resource, &mut json);
        let sent = flat_traces(&[ExportTraceServiceRequest::decode(&protobuf[..])?]);
        assert_eq!((spans, sent.len()), (ALL_SPANS, ALL_SPANS));
        for (content_type, body) in [(PROTOBUF, protobuf), (JSON, json)] {
            post(&format!("{url}/v1/traces"), content_type, body, &[]).await?;
            let mut forwarded = Vec::new();
            let forwarded = eventually(content_type, async || {
                forwarded.extend(receiver.traces());
                let spans = flat_traces(&forwarded);
                Ok((spans.len() >= sent.len()).then_some(spans))
            })
            .await?;
            assert_same(&forwarded, &sent, &format!("{profile} as {content_type}"));
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs rotel: `cargo xtask test --backends`"]
async fn a_collector_forwards_log_events_as_they_were_sent() -> Result<()> {
    let receiver = Receiver::start().await?;
    let (_collector, url) = start(&receiver).await?;
    let resource = Resource::of_service("assistant");
    let trees = trees("otel-1.41")?;
    let (mut protobuf, mut json) = (Vec::new(), Vec::new());
    let events = LogEvents::ExceptionsAndDetails;
    let records = logs_to_protobuf(&trees, events, &resource, &mut protobuf);
    logs_to_json(&trees, events, &resource, &mut json);
    let sent = flat_logs(&[ExportLogsServiceRequest::decode(&protobuf[..])?]);
    // The details of seven calls, and one that failed.
    assert_eq!((records, sent.len()), (8, 8));
    for (content_type, body) in [(PROTOBUF, protobuf), (JSON, json)] {
        post(&format!("{url}/v1/logs"), content_type, body, &[]).await?;
        let mut forwarded = Vec::new();
        let forwarded = eventually(content_type, async || {
            forwarded.extend(receiver.logs());
            let records = flat_logs(&forwarded);
            Ok((records.len() >= sent.len()).then_some(records))
        })
        .await?;
        assert_same(&forwarded, &sent, content_type);
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs rotel: `cargo xtask test --backends`"]
async fn a_collector_forwards_metrics_as_they_were_sent() -> Result<()> {
    let receiver = Receiver::start().await?;
    let (_collector, url) = start(&receiver).await?;
    let resource = Resource::of_service("assistant");
    for buckets in [Buckets::Explicit, Buckets::ExplicitAndExponential] {
        let names = MetricNames::by_profile("otel-1.41")?;
        let mut aggregator = Aggregator::new(names, Options::default().with_buckets(buckets));
        let now = calls::now();
        calls::all(now)?.iter().for_each(|call| aggregator.observe(&call.record));
        let hour_ago = UnixNanos::from_nanos(now.as_nanos() - 3_600_000_000_000);
        let view = aggregator.view(Window::cumulative(hour_ago, now));
        let (mut protobuf, mut json) = (Vec::new(), Vec::new());
        metrics_to_protobuf(&view, &resource, &mut protobuf);
        metrics_to_json(&view, &resource, &mut json);
        let json = with_numbers_for_counts(serde_json::from_slice(&json)?).to_string().into_bytes();
        let sent = flat_metrics(&[ExportMetricsServiceRequest::decode(&protobuf[..])?]);
        assert!(sent.iter().any(|metric| metric.contains("\"gen_ai.client.token.usage\"")), "{sent:#?}");
        let mut sendings = vec![(PROTOBUF, protobuf)];
        // rotel drops exponential histograms in JSON, also those of the protocol's own example.
        if buckets == Buckets::Explicit {
            sendings.push((JSON, json));
        }
        for (content_type, body) in sendings {
            post(&format!("{url}/v1/metrics"), content_type, body, &[]).await?;
            let mut forwarded = Vec::new();
            let forwarded = eventually(content_type, async || {
                forwarded.extend(receiver.metrics());
                let metrics = flat_metrics(&forwarded);
                Ok((metrics.len() >= sent.len()).then_some(metrics))
            })
            .await?;
            assert_same(&forwarded, &sent, &format!("{buckets:?} as {content_type}"));
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs rotel: `cargo xtask test --backends`"]
async fn a_collector_reads_the_values_of_a_retried_call() -> Result<()> {
    let receiver = Receiver::start().await?;
    let (collector, url) = start(&receiver).await?;
    let mut body = Vec::new();
    traces_to_protobuf(&trees("otel-1.41")?, &Resource::of_service("assistant"), &mut body);
    post(&format!("{url}/v1/traces"), PROTOBUF, body, &[]).await?;
    let shown = [
        "service.name: Str(assistant)",
        "gen_ai.response.model: Str(grok-4-0709)",
        "gen_ai.usage.output_tokens: Int(500)",
        "http.request.resend_count: Int(1)",
        "wait rate_limit",
    ];
    eventually("the values", async || {
        let printed = collector.printed();
        match shown.iter().find(|text| !printed.contains(*text)) {
            Some(missing) => Err(format!("no {missing:?}").into()),
            None => Ok(Some(())),
        }
    })
    .await
}

fn trees(profile: &str) -> Result<Vec<SpanTree>> {
    calls::all(calls::now())?.iter().map(|call| call.tree(&[profile])).collect()
}

/// A collector that shows what it reads and forwards it to a receiver, and where it listens.
async fn start(receiver: &Receiver) -> Result<(Backend, String)> {
    let (http, grpc) = (free_port()?, free_port()?);
    let url = format!("http://127.0.0.1:{http}");
    let program = program()?;
    let collector = Backend::start("rotel", &url, |dir| {
        let mut command = Command::new(program);
        command
            .arg("start")
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .args(["--exporter", "otlp", "--otlp-exporter-protocol", "http"])
            .args(["--otlp-exporter-endpoint", &receiver.url])
            .args(["--debug-log", "traces", "--debug-log-verbosity", "detailed"])
            .args(["--batch-timeout", "20ms"])
            .arg("--pid-file")
            .arg(dir.join("rotel.pid"));
        command
    })
    .await?;
    Ok((collector, url))
}

/// The package has the program among its modules, below a folder with the version of Python in its name.
fn program() -> Result<PathBuf> {
    let versions = fs::read_dir(installed("rotel/lib")).map_err(|error| format!("rotel: {error}"))?;
    let programs = versions.map(|version| Ok(version?.path().join("site-packages/rotel/rotel-agent")));
    let programs = programs.collect::<Result<Vec<_>>>()?;
    Ok(programs.into_iter().find(|program| program.is_file()).ok_or("rotel has no rotel-agent")?)
}

/// One by one, so that a difference can be found.
fn assert_same(forwarded: &[String], sent: &[String], what: &str) {
    for (forwarded, sent) in forwarded.iter().zip(sent) {
        assert_eq!(forwarded, sent, "{what}");
    }
    assert_eq!(forwarded.len(), sent.len(), "{what}");
}

/// All spans with their resource and scope, whatever batches they came in, in one order.
fn flat_traces(requests: &[ExportTraceServiceRequest]) -> Vec<String> {
    let mut spans = Vec::new();
    for resource in requests.iter().flat_map(|request| &request.resource_spans) {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let mut span = span.clone();
                sort(&mut span.attributes);
                spans.push(format!("{:?}\n{:?}\n{span:?}", resource.resource, scope.scope));
            }
        }
    }
    spans.sort();
    spans
}

fn flat_logs(requests: &[ExportLogsServiceRequest]) -> Vec<String> {
    let mut records = Vec::new();
    for resource in requests.iter().flat_map(|request| &request.resource_logs) {
        for scope in &resource.scope_logs {
            for record in &scope.log_records {
                let mut record = record.clone();
                sort(&mut record.attributes);
                records.push(format!("{:?}\n{:?}\n{record:?}", resource.resource, scope.scope));
            }
        }
    }
    records.sort();
    records
}

fn flat_metrics(requests: &[ExportMetricsServiceRequest]) -> Vec<String> {
    let mut metrics = Vec::new();
    for resource in requests.iter().flat_map(|request| &request.resource_metrics) {
        for scope in &resource.scope_metrics {
            let metric = |metric| format!("{:?}\n{:?}\n{metric:?}", resource.resource, scope.scope);
            metrics.extend(scope.metrics.iter().map(metric));
        }
    }
    metrics.sort();
    metrics
}

/// The protocol writes 64-bit integers in JSON as texts, and lets readers take numbers too. rotel takes those of data
/// points only as numbers, and drops them otherwise.
fn with_numbers_for_counts(value: Value) -> Value {
    let number = |count: Value| match count.as_str().and_then(|digits| digits.parse::<u64>().ok()) {
        Some(number) => number.into(),
        None => count,
    };
    let member = |(key, value): (String, Value)| {
        let value = match (key.as_str(), value) {
            ("asInt" | "count" | "zeroCount", count) => number(count),
            ("bucketCounts", Value::Array(counts)) => counts.into_iter().map(number).collect(),
            (_, value) => with_numbers_for_counts(value),
        };
        (key, value)
    };
    match value {
        Value::Object(members) => members.into_iter().map(member).collect(),
        Value::Array(items) => items.into_iter().map(with_numbers_for_counts).collect(),
        other => other,
    }
}

fn sort(attributes: &mut [KeyValue]) {
    attributes.sort_by(|one, other| one.key.cmp(&other.key));
}
