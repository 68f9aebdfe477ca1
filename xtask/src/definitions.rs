//! The page about definitions: what each tool would report for the streams of a few vectors.

use core::fmt::Write as _;
use std::{fs, path::Path};

use llmspan_core::{
    config::Config,
    definitions::{Definition, Measure, Metric, Tool},
    engine::Tracker,
    event::TimedEvent,
    record::Record,
    time::Nanos,
};
use serde::Deserialize;
use serde_json::Value;

/// The text of `core/docs/definitions.md`.
pub(crate) fn page(root: &Path) -> Result<String, String> {
    let mut streams = Vec::new();
    for (file, title) in STREAMS {
        let path = root.join("tests/vectors/definitions").join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let record = replay(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        streams.push((*file, *title, record));
    }
    let mut out = String::from(HEAD);
    for (file, title, record) in &streams {
        let _ = writeln!(out, "- **{title}** (`tests/vectors/definitions/{file}`): {}", marks(record));
    }
    for metric in Metric::ALL {
        table(&mut out, *metric, &streams);
    }
    rules(&mut out, &streams);
    Ok(out)
}

#[derive(Deserialize)]
struct Vector {
    steps: Vec<Value>,
}

fn replay(text: &str) -> Result<Record, String> {
    let vector: Vector = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut tracker = Tracker::new(Config::default()).map_err(|error| error.to_string())?;
    for step in &vector.steps {
        let event = TimedEvent::from_json(&step.to_string()).map_err(|error| error.to_string())?;
        tracker.handle_event(&event);
    }
    tracker.poll_record().ok_or_else(|| String::from("no record came out"))
}

/// The moments of a stream, in the order in which tools dispute them.
fn marks(record: &Record) -> String {
    let marks = &record.marks;
    let moments = [
        ("first event", marks.first_chunk_ns),
        ("first reasoning", marks.first_reasoning_ns),
        ("first content", marks.first_content_ns),
        ("first answer", marks.first_answer_ns),
        ("last content", marks.last_content_ns),
        ("last event", marks.last_chunk_ns),
        ("end", marks.ended_ns),
    ];
    let mut words: Vec<String> =
        moments.iter().filter_map(|(name, at)| at.map(|at| format!("{name} {} ms", millis(at)))).collect();
    let tokens = record.usage.as_ref().and_then(|usage| usage.output_tokens);
    words.extend(tokens.map(|tokens| format!("{tokens} output tokens")));
    words.join(", ")
}

type Stream = (&'static str, &'static str, Record);

fn table(out: &mut String, metric: Metric, streams: &[Stream]) {
    let titles: Vec<&str> = streams.iter().map(|(_, title, _)| *title).collect();
    let _ = write!(out, "\n## {}\n\n| tool | {} |\n|---|", heading(metric), titles.join(" | "));
    let _ = writeln!(out, "{}", "---|".repeat(titles.len()));
    for tool in Tool::ALL {
        let cells: Vec<String> =
            streams.iter().filter_map(|(.., record)| find(record, *tool, metric)).map(cell).collect();
        if cells.iter().any(|cell| cell != ABSENT) {
            let _ = writeln!(out, "| {} | {} |", name(*tool), cells.join(" | "));
        }
    }
}

fn rules(out: &mut String, streams: &[Stream]) {
    out.push_str(RULES);
    for tool in Tool::ALL {
        let _ = write!(out, "\n### {}\n\n", name(*tool));
        let _ = writeln!(out, "Source: {}\n", tool.source());
        for metric in Metric::ALL {
            let found: Vec<_> = streams.iter().filter_map(|(.., record)| find(record, *tool, *metric)).collect();
            let Some(first) = found.first() else { continue };
            let _ = write!(out, "- {}: {}.", heading(*metric), first.rule);
            let mut reasons: Vec<&str> = found.iter().filter_map(|one| one.why_absent).collect();
            reasons.sort_unstable();
            reasons.dedup();
            if !reasons.is_empty() {
                let _ = write!(out, " Missing or a range: {}.", reasons.join("; "));
            }
            out.push('\n');
        }
    }
}

fn find(record: &Record, tool: Tool, metric: Metric) -> Option<Definition> {
    record.definitions().into_iter().find(|one| (one.tool, one.metric) == (tool, metric))
}

#[expect(clippy::needless_pass_by_value, reason = "a step of a chain")]
fn cell(definition: Definition) -> String {
    match (definition.value, definition.between) {
        (Some(Measure::Time(time)), _) => format!("{} ms", millis(time)),
        (Some(Measure::PerSecond(rate)), _) => format!("{rate:.2} /s"),
        (_, Some([shortest, longest])) => format!("{} to {} ms", millis(shortest), millis(longest)),
        _ => ABSENT.into(),
    }
}

/// Milliseconds with as many decimals as there are, three at most.
fn millis(time: Nanos) -> String {
    let micros = time.as_nanos() / 1_000;
    let text = format!("{}.{:03}", micros / 1_000, micros % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').into()
}

fn name(tool: Tool) -> &'static str {
    match tool {
        Tool::Llmspan => "llmspan",
        Tool::Vllm => "vLLM",
        Tool::Sglang => "SGLang",
        Tool::Aiperf => "AIPerf",
        Tool::GenaiPerf => "GenAI-Perf",
        Tool::Llmperf => "LLMPerf",
        Tool::Guidellm => "GuideLLM",
        Tool::Litellm => "LiteLLM (OpenTelemetry)",
        Tool::LitellmPrometheus => "LiteLLM (Prometheus)",
        Tool::Otel => "OpenTelemetry",
        Tool::Vercel => "Vercel AI SDK",
        other => other.code(),
    }
}

fn heading(metric: Metric) -> &'static str {
    match metric {
        Metric::TimeToFirstToken => "Time to first token",
        Metric::TimeToFirstOutput => "Time to first output",
        Metric::TimeToSecondToken => "Time to second token",
        Metric::InterTokenLatency => "Inter-token latency",
        Metric::TimePerOutputToken => "Time per output token",
        Metric::Throughput => "Tokens per second after the first token",
        Metric::RequestThroughput => "Tokens per second of the request",
        other => other.code(),
    }
}

const STREAMS: &[(&str, &str)] = &[
    ("plain_stream.json", "plain"),
    ("reasoning_then_answer.json", "reasoning"),
    ("tool_call_only.json", "tool call"),
    ("buffered_proxy.json", "held back"),
];

const ABSENT: &str = "-";

const HEAD: &str = "\
<!-- Written by `cargo xtask generate` from vectors in tests/vectors/definitions. -->
# Definitions

The same four streams, as each tool would report them: `Record::definitions()` of the replayed vectors. A range is the shortest and the
longest that a figure can be where the tool goes by something that a record does not keep; `-` is a figure that cannot be told at all.
Tools without a row have no such figure, or it cannot be told for any of the streams.

Times are from the start of the attempt. The streams:

";

const RULES: &str = "
## Rules

What each tool computes, where it is in its source, and why a figure above is missing or a range.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_have_no_zeros_behind() {
        for (nanos, text) in [(200_000_000, "200"), (12_500_000, "12.5"), (33_333_333, "33.333"), (999, "0")] {
            assert_eq!(millis(Nanos::from_nanos(nanos)), text);
        }
    }
}
