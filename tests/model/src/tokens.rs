//! Token counts: of one attempt, and of all together.

use llmspan_core::{
    delta::{Provenance, RawUsage, UsageMode, UsageReport},
    record::{Outcome, Usage, UsageWarning},
    time::MAX_SAFE_INTEGER,
};

use crate::attempt::Attempt;

/// A count and where it comes from.
type Count = Option<(u64, Provenance)>;

/// The counts of one attempt, out of every report on it.
pub(crate) fn of_attempt(it: &Attempt<'_>, outcome: Outcome, is_stream: bool) -> Option<Usage> {
    let mut raw = RawUsage::default();
    it.headers.iter().filter_map(|(_, headers)| headers.usage.as_deref()).for_each(|counts| raw.merge(counts));
    let headers = (!raw.is_empty()).then(|| normalized(&raw));
    // A stream that was cut may have generated more than it reported; the input was read by then.
    let was_cut = is_stream && !it.is_complete() && outcome != Outcome::Success;
    let field = |read: fn(&UsageReport) -> Option<u64>, is_output: bool| {
        // What the headers say is what there is until the response says it itself.
        let of_headers = headers.and_then(|report| read(&report)).map(|value| (value, Provenance::Reported));
        let of_body = it.usage.iter().fold(None, |count: Count, report| {
            let Some(value) = read(report) else { return count };
            let holds_a_place = report.output_is_placeholder && report.output_tokens == Some(value) && is_output;
            let source = if holds_a_place { Provenance::Placeholder } else { report.source };
            let is_estimate = source == Provenance::Estimated;
            match (count, report.mode) {
                // A report wins over an estimate, whichever comes first.
                (Some((_, before)), _) if is_estimate && before != Provenance::Estimated => count,
                (Some((_, Provenance::Estimated)), _) if !is_estimate => Some((value, source)),
                (Some((before, _)), UsageMode::Delta) => {
                    Some((before.saturating_add(value).min(MAX_SAFE_INTEGER), source))
                }
                _ => Some((value, source)),
            }
        });
        match of_body {
            Some((_, Provenance::Estimated)) | None => of_headers.or(of_body),
            Some((value, Provenance::Reported)) if was_cut && is_output => Some((value, Provenance::Partial)),
            reported => reported,
        }
    };
    let mut usage = Usage::default();
    for (slot, place, count) in [
        (&mut usage.input_tokens, &mut usage.provenance.input_tokens, field(|report| report.input_tokens, false)),
        (&mut usage.output_tokens, &mut usage.provenance.output_tokens, field(|report| report.output_tokens, true)),
        (
            &mut usage.cache_read_tokens,
            &mut usage.provenance.cache_read_tokens,
            field(|report| report.cache_read_tokens, false),
        ),
        (
            &mut usage.cache_write_tokens,
            &mut usage.provenance.cache_write_tokens,
            field(|report| report.cache_write_tokens, false),
        ),
        (
            &mut usage.reasoning_tokens,
            &mut usage.provenance.reasoning_tokens,
            field(|report| report.reasoning_tokens, true),
        ),
    ] {
        *slot = count.map(|(value, _)| value);
        *place = count.map(|(_, source)| source);
    }
    for report in it.usage.iter().filter_map(|report| report.raw.as_ref()) {
        raw.merge(report);
    }
    usage.raw = raw.into();
    usage.warnings = warnings(&usage);
    (usage != Usage::default()).then_some(usage)
}

/// The counts of headers as a report: there, what was cached is no part of the input.
fn normalized(raw: &RawUsage) -> UsageReport {
    let mut report = UsageReport::default();
    report.input_tokens = raw
        .input
        .map(|input| input.saturating_add(raw.cache_read.unwrap_or(0)).saturating_add(raw.cache_write.unwrap_or(0)));
    report.output_tokens = raw.output;
    report.cache_read_tokens = raw.cache_read;
    report.cache_write_tokens = raw.cache_write;
    report.reasoning_tokens = raw.reasoning;
    report
}

/// The sum over attempts, field by field.
pub(crate) fn sum<'u>(usages: impl Iterator<Item = &'u Usage>) -> Option<Usage> {
    usages
        .fold(None, |total: Option<Usage>, usage| {
            // A sum is no number of the provider's, and nothing in it contradicts anything.
            let Some(mut total) = total else {
                let mut first = usage.clone();
                first.raw = RawUsage::default().into();
                first.warnings = Vec::new();
                return Some(first);
            };
            for (slot, more) in [
                (&mut total.input_tokens, usage.input_tokens),
                (&mut total.output_tokens, usage.output_tokens),
                (&mut total.cache_read_tokens, usage.cache_read_tokens),
                (&mut total.cache_write_tokens, usage.cache_write_tokens),
                (&mut total.reasoning_tokens, usage.reasoning_tokens),
            ] {
                *slot = match (*slot, more) {
                    (Some(a), Some(b)) => Some(a.saturating_add(b).min(MAX_SAFE_INTEGER)),
                    (a, b) => a.or(b),
                };
            }
            // A sum is as good as the worst of its parts.
            for (place, more) in [
                (&mut total.provenance.input_tokens, usage.provenance.input_tokens),
                (&mut total.provenance.output_tokens, usage.provenance.output_tokens),
                (&mut total.provenance.cache_read_tokens, usage.provenance.cache_read_tokens),
                (&mut total.provenance.cache_write_tokens, usage.provenance.cache_write_tokens),
                (&mut total.provenance.reasoning_tokens, usage.provenance.reasoning_tokens),
            ] {
                *place = (*place).max(more);
            }
            Some(total)
        })
        .filter(|total| *total != Usage::default())
}

/// Where counts contradict each other. One that only holds a place contradicts nothing.
fn warnings(usage: &Usage) -> Vec<UsageWarning> {
    let output = usage.output_tokens.filter(|_| usage.provenance.output_tokens != Some(Provenance::Placeholder));
    let cached = usage.cache_read_tokens.unwrap_or(0) + usage.cache_write_tokens.unwrap_or(0);
    let is_more_cached = usage.input_tokens.is_some_and(|input| cached > input);
    let is_more_reasoning = output.is_some_and(|output| usage.reasoning_tokens.unwrap_or(0) > output);
    let is_another_sum = match (usage.input_tokens, output, usage.raw.total) {
        (Some(input), Some(output), Some(total)) => total != input + output,
        _ => false,
    };
    [
        (is_more_cached, UsageWarning::CacheExceedsInput),
        (is_more_reasoning, UsageWarning::ReasoningExceedsOutput),
        (is_another_sum, UsageWarning::TotalIsNotTheSum),
    ]
    .into_iter()
    .filter_map(|(holds, warning)| holds.then_some(warning))
    .collect()
}
