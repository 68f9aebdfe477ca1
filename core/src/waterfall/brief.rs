//! A record in brief: its values with units.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use serde::Serialize;

use super::words::clean;
use crate::{
    delta::Provenance,
    explain::{grouped, grouped_amount, grouped_rate, price, readable},
    fields::written,
    record::{Cost, CostSource, Record, Usage},
    time::Nanos,
};

/// The values of a record that readers look for first, each with its unit. What is unknown is left out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Brief {
    /// Times and rates.
    pub timing: Vec<Fact>,
    /// Attempts, tokens, cost, and what answered.
    pub result: Vec<Fact>,
}

/// A value with its name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Fact {
    /// Stable key in snake case: the name of the value in the [`Record`], where there is one.
    pub key: &'static str,
    /// Short name.
    pub label: &'static str,
    /// The value with its unit.
    pub value: String,
}

written! { Brief, skips None { timing, result } }
written! { Fact, skips None { key, label, value } }

pub(super) fn brief(record: &Record) -> Brief {
    Brief { timing: timing(record), result: result(record) }
}

fn timing(record: &Record) -> Vec<Fact> {
    let time = |key, label, value: Option<Nanos>| fact(key, label, value.map(readable));
    let rate = |key, label, value: Option<f64>| fact(key, label, value.and_then(grouped_rate));
    let gaps = record.inter_chunk.as_ref();
    let usual = gaps.map(|gaps| format!("{} / {}", readable(gaps.p50_ns), readable(gaps.p99_ns)));
    let decode = record.decode_tokens_per_second.filter(|rate| Some(*rate) != record.output_tokens_per_second);
    let stalls = gaps
        .filter(|gaps| gaps.stalls > 0)
        .map(|gaps| format!("{} in {}", grouped(gaps.stalls), readable(gaps.stalled_ns)));
    [
        time("duration_ns", "duration", Some(record.duration_ns)),
        time("request_setup_ns", "setup", record.request_setup_ns),
        time("time_to_headers_ns", "headers", record.time_to_headers_ns),
        time("time_to_first_chunk_ns", "first chunk", record.time_to_first_chunk_ns),
        time("ttft_ns", "ttft", record.ttft_ns),
        time("call_ttft_ns", "call ttft", record.call_ttft_ns),
        time("sampling_ns", "sampling", record.sampling_ns),
        rate("output_tokens_per_second", "tokens/s", record.output_tokens_per_second),
        rate("decode_tokens_per_second", "decode tok/s", decode),
        time("time_per_output_token_ns", "per token", record.time_per_output_token_ns),
        fact("inter_chunk", "gaps p50/p99", usual),
        time("longest_gap", "longest gap", gaps.map(|gaps| gaps.max_ns)),
        fact("stalls", "stalls", stalls),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn result(record: &Record) -> Vec<Fact> {
    let text = |key, label, value: Option<&String>| fact(key, label, value.cloned());
    let attempts = format!("{} ({} retried)", grouped(record.attempt_count), grouped(record.retry_count));
    let (planned, actual) = (record.retry_planned_delay_ns, record.retry_actual_delay_ns);
    let waited =
        (planned.max(actual) > Nanos::ZERO).then(|| format!("{} of {} planned", readable(actual), readable(planned)));
    let usage = record.usage.as_ref();
    let reasons = (!record.finish_reasons.is_empty()).then(|| record.finish_reasons.join(", "));
    let tools = (record.tool_call_count > 0).then(|| grouped(record.tool_call_count));
    [
        fact("attempt_count", "attempts", Some(attempts)),
        fact("retry_actual_delay_ns", "waited", waited),
        fact("input_tokens", "tokens in", usage.and_then(tokens_in)),
        fact("output_tokens", "tokens out", usage.and_then(tokens_out)),
        fact("cost", "cost", record.cost.as_ref().and_then(cost)),
        fact("finish_reasons", "finish", reasons),
        fact("tool_call_count", "tool calls", tools),
        fact("status_code", "status", record.status_code.map(|status| status.to_string())),
        text("response_model", "answered by", record.response_model.as_ref()),
        text("response_id", "response id", record.response_id.as_ref()),
        text("request_id", "request id", record.request_id.as_ref()),
        text("protocol", "protocol", record.protocol.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn fact(key: &'static str, label: &'static str, value: Option<String>) -> Option<Fact> {
    value.map(|value| Fact { key, label, value: clean(&value) })
}

fn tokens_in(usage: &Usage) -> Option<String> {
    let mut notes = Vec::new();
    notes.extend(noteworthy(usage.cache_read_tokens, "cached"));
    notes.extend(noteworthy(usage.cache_write_tokens, "to cache"));
    notes.extend(provenance(usage.provenance.input_tokens));
    usage.input_tokens.map(|count| noted(grouped(count), &notes))
}

fn tokens_out(usage: &Usage) -> Option<String> {
    let mut notes = Vec::new();
    notes.extend(noteworthy(usage.reasoning_tokens, "reasoning"));
    notes.extend(provenance(usage.provenance.output_tokens));
    usage.output_tokens.map(|count| noted(grouped(count), &notes))
}

fn noteworthy(count: Option<u64>, of: &str) -> Option<String> {
    count.filter(|count| *count > 0).map(|count| format!("{} {of}", grouped(count)))
}

/// Where a count comes from, unless the provider reported it.
fn provenance(of: Option<Provenance>) -> Option<String> {
    let word = match of? {
        Provenance::Partial => "partial",
        Provenance::Placeholder => "placeholder",
        Provenance::Estimated => "estimated",
        _ => return None,
    };
    Some(word.into())
}

fn cost(cost: &Cost) -> Option<String> {
    let mut notes = Vec::new();
    if let Some(all) = cost.all_attempts.filter(|_| cost.all_attempts != cost.total) {
        notes.push(format!("{} with all attempts", grouped_amount(all)));
    }
    if cost.source == CostSource::Provider {
        notes.push("the provider's".into());
    }
    cost.total.map(|total| noted(price(&cost.currency, total), &notes))
}

fn noted(text: String, notes: &[String]) -> String {
    if notes.is_empty() { text } else { format!("{text} ({})", notes.join(", ")) }
}
