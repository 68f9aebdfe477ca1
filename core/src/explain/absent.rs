//! Why a value is absent that a reader would look for.

use super::{
    explanation::{Lines, Topic},
    say::Value::{Counted, Text},
};
use crate::{
    delta::Provenance,
    provider::hints,
    record::{Outcome, Record, Usage},
    time::Nanos,
};

pub(super) fn explain(record: &Record, lines: &mut Lines) {
    if record.final_attempt.is_none() {
        return lines.say(Topic::Attempts, "no attempt was started: no request, no tokens, no cost", &[]);
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
    let chunks = record.content.as_ref().map_or(0, |content| content.chunks);
    let template = match chunks {
        _ if !record.stream => "no time to first token: not a streamed call",
        0 => "no time to first token: no chunk came",
        _ => "no time to first token: no visible chunk among the {}",
    };
    lines.say(Topic::TtftNs, template, &[Counted(chunks, "chunk")]);
}

fn no_usage(record: &Record, lines: &mut Lines) {
    let protocol = record.protocol.as_deref();
    let advice = hints::missing_usage(protocol).filter(|_| record.stream);
    let (how, why) = if record.outcome == Outcome::Success {
        ("", advice.unwrap_or("the response reported none"))
    } else {
        ("the response ended before ", hints::usage_carrier(protocol).unwrap_or("any count was reported"))
    };
    lines.say(Topic::Usage, "no token counts, so no rate and no cost: {}{}", &[Text(how), Text(why)]);
}

/// Counts that are there and are not what they seem.
fn worth_of_counts(record: &Record, usage: &Usage, lines: &mut Lines) {
    let mut output = |template, value| lines.say(Topic::OutputTokens, template, &[Text(value)]);
    match usage.provenance.output_tokens {
        Some(Provenance::Placeholder) => output(
            "output tokens are a placeholder, so there is no rate: stream cut before {}",
            hints::usage_carrier(record.protocol.as_deref()).unwrap_or("the real count"),
        ),
        Some(Provenance::Partial) => output(
            "output tokens are partial: the stream was cut after they were reported, more may have been generated",
            "",
        ),
        _ if usage.output_tokens.is_none() && usage.input_tokens.is_some() => {
            let is_success = record.outcome == Outcome::Success;
            let why = if is_success { "the response reported none" } else { "the stream was cut" };
            output("no output tokens, so no rate: {}", why);
        }
        _ => {}
    }
    let is_estimate = |provenance| provenance == Some(Provenance::Estimated);
    let which = match (is_estimate(usage.provenance.input_tokens), is_estimate(usage.provenance.output_tokens)) {
        (true, true) => "input and output",
        (true, false) => "input",
        (false, true) => "output",
        (false, false) => return,
    };
    lines.say(Topic::Usage, "{} tokens are the caller's estimate: the response reported none", &[Text(which)]);
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
        let text = "no tokens per second: the response was complete with its first visible chunk";
        lines.say(Topic::OutputTokensPerSecond, text, &[]);
    }
}

fn cost(record: &Record, usage: &Usage, lines: &mut Lines) {
    let mut say = |template, values: &[_]| lines.say(Topic::Cost, template, values);
    match &record.cost {
        None if usage.input_tokens.is_none() && usage.output_tokens.is_none() => {}
        None => {
            // The model that a price would be for.
            let own = record.attempts.iter().find(|attempt| Some(attempt.number) == record.final_attempt);
            let of_attempt = own.and_then(|attempt| attempt.model.as_deref());
            let model = record.response_model.as_deref().or(of_attempt).or(record.model.as_deref());
            let provider = own.and_then(|attempt| attempt.provider.as_deref()).or(record.provider.as_deref());
            let template = match (model, provider) {
                (Some(_), Some(_)) => "no cost: no price for model {} of {} in the table",
                (Some(_), None) => "no cost: no price for model {} in the table",
                (None, _) => "no cost: no price for a call without a model in the table",
            };
            say(template, &[Text(model.unwrap_or_default()), Text(provider.unwrap_or_default())]);
        }
        Some(cost) if cost.total.is_none() => {
            let is_input = cost.input.is_none() && cost.output.is_some();
            say("no total cost: the {} tokens are unknown", &[Text(if is_input { "input" } else { "output" })]);
        }
        Some(cost) if cost.all_attempts.is_none() && record.retry_count > 0 => {
            say("no cost of all attempts: another attempt used tokens and has no cost", &[]);
        }
        Some(_) => {}
    }
}
