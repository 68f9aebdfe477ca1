//! Why a value is absent that a reader would look for.

use alloc::{
    format,
    string::{String, ToString as _},
};

use super::{
    explanation::{Lines, Topic},
    text::counted,
};
use crate::{
    delta::Provenance,
    provider::hints,
    record::{Outcome, Record, Usage},
    time::Nanos,
};

pub(super) fn explain(record: &Record, lines: &mut Lines) {
    if record.final_attempt.is_none() {
        lines.push(Topic::Attempts, "no attempt was started: no request, no tokens, no cost");
        return;
    }
    first_token(record, lines);
    match &record.usage {
        None => no_usage(record, lines),
        Some(usage) => {
            worth_of_counts(record, usage, lines);
            rate(record, usage, lines);
            cost(record, usage, lines);
        }
    }
}

fn first_token(record: &Record, lines: &mut Lines) {
    if record.ttft_ns.is_some() {
        return;
    }
    let why = match &record.content {
        _ if !record.stream => "not a streamed call".to_string(),
        Some(content) if content.chunks > 0 => {
            format!("no visible chunk among the {}", counted(content.chunks, "chunk"))
        }
        _ => "no chunk came".to_string(),
    };
    lines.push(Topic::TtftNs, format!("no time to first token: {why}"));
}

fn no_usage(record: &Record, lines: &mut Lines) {
    let protocol = record.protocol.as_deref();
    let why = if record.outcome != Outcome::Success {
        let carrier = hints::usage_carrier(protocol).unwrap_or("any count was reported");
        format!("the response ended before {carrier}")
    } else if let Some(advice) = hints::missing_usage(protocol).filter(|_| record.stream) {
        advice.to_string()
    } else {
        "the response reported none".to_string()
    };
    lines.push(Topic::Usage, format!("no token counts, so no rate and no cost: {why}"));
}

/// Counts that are there and are not what they seem.
fn worth_of_counts(record: &Record, usage: &Usage, lines: &mut Lines) {
    let carrier = || hints::usage_carrier(record.protocol.as_deref()).unwrap_or("the real count");
    match usage.provenance.output_tokens {
        Some(Provenance::Placeholder) => {
            let text = format!("output tokens are a placeholder, so there is no rate: stream cut before {}", carrier());
            lines.push(Topic::OutputTokens, text);
        }
        Some(Provenance::Partial) => lines.push(
            Topic::OutputTokens,
            "output tokens are partial: the stream was cut after they were reported, more may have been generated",
        ),
        _ if usage.output_tokens.is_none() && usage.input_tokens.is_some() => {
            let why =
                if record.outcome == Outcome::Success { "the response reported none" } else { "the stream was cut" };
            lines.push(Topic::OutputTokens, format!("no output tokens, so no rate: {why}"));
        }
        _ => {}
    }
    let is_estimate = |provenance| provenance == Some(Provenance::Estimated);
    let which = match (is_estimate(usage.provenance.input_tokens), is_estimate(usage.provenance.output_tokens)) {
        (true, true) => "input and output tokens",
        (true, false) => "input tokens",
        (false, true) => "output tokens",
        (false, false) => return,
    };
    lines.push(Topic::Usage, format!("{which} are the caller's estimate: the response reported none"));
}

/// Rates that are absent although everything they need is there. Buffered output and a frozen clock have their own line.
fn rate(record: &Record, usage: &Usage, lines: &mut Lines) {
    let is_counted = usage.output_tokens.is_some() && usage.provenance.output_tokens != Some(Provenance::Placeholder);
    let has_own_line = record.output_buffered == Some(true) || record.diagnostics.clock.frozen;
    if record.ttft_ns.is_some()
        && is_counted
        && !has_own_line
        && record.output_tokens_per_second.is_none()
        && record.sampling_ns == Some(Nanos::ZERO)
    {
        lines.push(
            Topic::OutputTokensPerSecond,
            "no tokens per second: the response was complete with its first visible chunk",
        );
    }
}

fn cost(record: &Record, usage: &Usage, lines: &mut Lines) {
    let Some(cost) = &record.cost else {
        if usage.input_tokens.is_some() || usage.output_tokens.is_some() {
            lines.push(Topic::Cost, format!("no cost: no price for {} in the table", asked_for(record)));
        }
        return;
    };
    let unknown = match (cost.input, cost.output) {
        (None, Some(_)) => "input",
        _ => "output",
    };
    if cost.total.is_none() {
        lines.push(Topic::Cost, format!("no total cost: the {unknown} tokens are unknown"));
    } else if cost.all_attempts.is_none() && record.retry_count > 0 {
        lines.push(Topic::Cost, "no cost of all attempts: another attempt used tokens and has no cost");
    }
}

/// The model that a price would be for.
fn asked_for(record: &Record) -> String {
    let own = record.attempts.iter().find(|attempt| Some(attempt.number) == record.final_attempt);
    let of_attempt = own.and_then(|attempt| attempt.model.as_deref());
    let model = record.response_model.as_deref().or(of_attempt).or(record.model.as_deref());
    let provider = own.and_then(|attempt| attempt.provider.as_deref()).or(record.provider.as_deref());
    match (model, provider) {
        (Some(model), Some(provider)) => format!("model {model} of {provider}"),
        (Some(model), None) => format!("model {model}"),
        (None, _) => "a call without a model".to_string(),
    }
}
