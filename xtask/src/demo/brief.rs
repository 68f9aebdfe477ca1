//! A record in brief: its values with units, in two columns.

use llmspan_core::{
    delta::Provenance,
    record::{Cost, CostSource, Record, Usage},
    time::Nanos,
};

use super::text::{Style, Tone, display_width, grouped};

/// Writes times and rates at the left, attempts, tokens, cost and ids at the right.
pub(crate) fn render(record: &Record, style: &Style) -> String {
    let (left, right) = (times(record, style), facts(record, style));
    let widest = |pairs: &[Pair]| pairs.iter().map(|pair| NAME + display_width(&pair.1)).max().unwrap_or_default();
    // The left half gives way where the right one needs more.
    let half = style.width / 2 - 1;
    let column = style.width.saturating_sub(GAP + widest(&right)).clamp(widest(&left).min(half), half);
    let mut text = String::new();
    for at in 0..left.len().max(right.len()) {
        let mut line = String::new();
        if let Some(pair) = left.get(at) {
            line.push_str(&cell(pair, column, style));
        } else {
            line.push_str(&" ".repeat(column));
        }
        line.push_str(&" ".repeat(GAP));
        if let Some(pair) = right.get(at) {
            line.push_str(&cell(pair, style.width - column - GAP, style));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

type Pair = (&'static str, String);

fn cell((name, value): &Pair, width: usize, style: &Style) -> String {
    let value = style.left(value, width.saturating_sub(NAME));
    style.paint(Tone::Dim, &style.left(name, NAME)) + &value
}

/// Columns between the halves.
const GAP: usize = 2;

/// Columns of a name.
const NAME: usize = 14;

fn times(record: &Record, style: &Style) -> Vec<Pair> {
    let time = |name, value: Option<_>| value.map(|value| (name, style.time(value)));
    let rate = |name, value: Option<f64>| value.map(|value| (name, format!("{value}")));
    let gaps = record.inter_chunk.as_ref();
    let usual = gaps.map(|gaps| format!("{} / {}", style.time(gaps.p50_ns), style.time(gaps.p99_ns)));
    let decode = record.decode_tokens_per_second.filter(|rate| Some(*rate) != record.output_tokens_per_second);
    let stalled = gaps.filter(|gaps| gaps.stalls > 0);
    [
        time("duration", Some(record.duration_ns)),
        time("setup", record.request_setup_ns),
        time("headers", record.time_to_headers_ns),
        time("first chunk", record.time_to_first_chunk_ns),
        time("ttft", record.ttft_ns),
        time("call ttft", record.call_ttft_ns),
        time("sampling", record.sampling_ns),
        rate("tokens/s", record.output_tokens_per_second),
        rate("decode tok/s", decode),
        time("per token", record.time_per_output_token_ns),
        usual.map(|usual| ("gaps p50/p99", usual)),
        time("longest gap", gaps.map(|gaps| gaps.max_ns)),
        stalled.map(|gaps| ("stalls", format!("{} in {}", grouped(gaps.stalls), style.time(gaps.stalled_ns)))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn facts(record: &Record, style: &Style) -> Vec<Pair> {
    let text = |name, value: Option<&String>| value.map(|value| (name, value.clone()));
    let retries = format!("{} ({} retried)", grouped(record.attempt_count), grouped(record.retry_count));
    let (planned, actual) = (record.retry_planned_delay_ns, record.retry_actual_delay_ns);
    let waits = (planned.max(actual) > Nanos::ZERO)
        .then(|| format!("{} of {} planned", style.time(actual), style.time(planned)));
    let usage = record.usage.as_ref();
    let reasons = (!record.finish_reasons.is_empty()).then(|| record.finish_reasons.join(", "));
    let tools = (record.tool_call_count > 0).then(|| grouped(record.tool_call_count));
    let status = record.status_code.map(|status| status.to_string());
    [
        Some(("attempts", retries)),
        text("waited", waits.as_ref()),
        usage.and_then(tokens_in).map(|tokens| ("tokens in", tokens)),
        usage.and_then(tokens_out).map(|tokens| ("tokens out", tokens)),
        record.cost.as_ref().and_then(cost).map(|cost| ("cost", cost)),
        text("finish", reasons.as_ref()),
        text("tool calls", tools.as_ref()),
        text("status", status.as_ref()),
        text("answered by", record.response_model.as_ref()),
        text("response id", record.response_id.as_ref()),
        text("request id", record.request_id.as_ref()),
        text("protocol", record.protocol.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn tokens_in(usage: &Usage) -> Option<String> {
    let mut notes = Vec::new();
    notes.extend(usage.cache_read_tokens.filter(|count| *count > 0).map(|count| format!("{} cached", grouped(count))));
    notes.extend(
        usage.cache_write_tokens.filter(|count| *count > 0).map(|count| format!("{} to cache", grouped(count))),
    );
    notes.extend(provenance(usage.provenance.input_tokens));
    usage.input_tokens.map(|count| noted(&grouped(count), &notes))
}

fn tokens_out(usage: &Usage) -> Option<String> {
    let mut notes = Vec::new();
    notes
        .extend(usage.reasoning_tokens.filter(|count| *count > 0).map(|count| format!("{} reasoning", grouped(count))));
    notes.extend(provenance(usage.provenance.output_tokens));
    usage.output_tokens.map(|count| noted(&grouped(count), &notes))
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
    if let (Some(all), true) = (cost.all_attempts, cost.all_attempts != cost.total) {
        notes.push(format!("{all} with all attempts"));
    }
    if cost.source == CostSource::Provider {
        notes.push("the provider's".into());
    }
    cost.total.map(|total| noted(&format!("{} {total}", cost.currency), &notes))
}

fn noted(text: &str, notes: &[String]) -> String {
    if notes.is_empty() { text.into() } else { format!("{text} ({})", notes.join(", ")) }
}
