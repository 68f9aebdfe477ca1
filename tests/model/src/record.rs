//! The record of one call, out of everything that was told of it.

use llmspan_core::{
    config::Config,
    record::{AttemptRecord, Outcome, Record, SloVerdict},
    time::Nanos,
};

use crate::{
    attempt::{Attempt, attempts},
    attempt_record::{self, Frame},
    calls::{Call, End},
    cost, local, odd,
    outcome::{self, Verdict},
    said, span_events, timing, tokens,
    told::{Story, What, told},
};

pub(crate) fn of(config: &Config, call: &Call<'_>, end: End<'_>) -> Record {
    let story = told(config, call, Some(end));
    let end = story.end.expect("the call has ended");
    let attempts = attempts(&story);
    let begin = call.begin.cloned().unwrap_or_default();
    let mut record = Record::default();

    // Who and what.
    let text = |text: &Option<Box<str>>| text.as_deref().map(String::from);
    let first = attempts.first().and_then(|first| first.begin);
    record.call = call.id.into();
    record.operation = text(&begin.operation);
    record.provider = text(&begin.provider).or_else(|| first.and_then(|first| text(&first.provider)));
    record.model = text(&begin.model).or_else(|| first.and_then(|first| text(&first.model)));
    record.trace_id = text(&begin.trace_id);
    record.span_id = text(&begin.span_id);
    record.parent_span_id = text(&begin.parent_span_id);
    record.request = begin.request.as_deref().cloned().unwrap_or_default();

    // When.
    // A chunk with content shows that the call streams, also one that counts for nothing else.
    let streams = story.told.iter().any(|told| match &told.what {
        What::Delta(delta) | What::Rest(delta) | What::Astray(Some(delta)) => {
            delta.chunk && !delta.visible.is_empty() && !delta.whole
        }
        _ => false,
    });
    record.stream = begin.stream.unwrap_or(streams);
    record.diagnostics.stream_inferred = begin.stream.is_none() && streams;
    record.duration_ns = Nanos::from_nanos(end.at - story.start);
    record.start_unix_ns = begin.unix_ns;
    record.end_unix_ns = begin.unix_ns.map(|start| start.saturating_add(record.duration_ns));

    // Each attempt.
    let place = final_attempt(&attempts);
    let frame = Frame { config, begin: &begin, story: &story, end, call: &record };
    let of_one = |(at, it)| attempt_record::of(&frame, it, place == Some(at));
    let whole: Vec<AttemptRecord> = attempts.iter().enumerate().map(of_one).collect();

    // The final one gives the call its values.
    let last = place.map(|place| (&attempts[place], &whole[place]));
    let verdict = last.map(|(_, last)| Verdict {
        outcome: last.outcome,
        timeout_kind: last.timeout_kind,
        error: last.error.clone(),
    });
    let verdict = outcome::of_call(&story, last.map(|(it, _)| it), verdict, record.stream, &end.how);
    record.outcome = verdict.outcome;
    record.timeout_kind = verdict.timeout_kind;
    record.otel_status = verdict.outcome.otel_status();
    record.error = verdict.error;
    if let Some((it, last)) = last {
        take_values(&mut record, it, last, &story, &end);
    }
    record.attempt_count = attempts.len() as u64;
    record.retry_count = record.attempt_count.saturating_sub(1);

    // Beside the attempts.
    let phases = local::phases(config, &story, end.at);
    let waits = local::waits(&story, end.at);
    let retries = || waits.iter().map(|(wait, _)| wait).filter(|wait| wait.after_attempt > 0 && !wait.aborted);
    record.retry_planned_delay_ns = retries().fold(Nanos::ZERO, |sum, wait| sum.saturating_add(wait.planned_delay_ns));
    record.retry_actual_delay_ns = retries().fold(Nanos::ZERO, |sum, wait| sum.saturating_add(wait.actual_delay_ns));
    let spans = attempts.iter().map(|it| (it.start, it.end(end.at)));
    let intervals = spans.chain(phases.top_level).chain(waits.iter().map(|(_, interval)| *interval)).collect();
    record.unattributed_ns = record.duration_ns.saturating_sub(Nanos::from_nanos(local::covered(intervals)));

    let kept = odd::kept(config, &story);
    // What all attempts used together, and what of it was in vain.
    let others = || whole.iter().enumerate().filter(|(at, _)| Some(*at) != place).map(|(_, attempt)| attempt);
    let failed = || others().filter(|attempt| attempt.outcome != Outcome::Success);
    record.total_usage = tokens::sum(whole.iter().filter_map(|attempt| attempt.usage.as_ref()));
    record.wasted_usage = tokens::sum(failed().filter_map(|attempt| attempt.usage.as_ref()));
    record.cost = cost::of_call(record.cost.take(), &whole, last.map(|(_, last)| last.number), &kept);

    // What the caller said, what was odd, and the verdict.
    let (attributes, flags, dropped) = said::attributes(&config.limits, &begin.attributes, &story, &attempts);
    record.diagnostics.dropped.attributes = Some(dropped).filter(|dropped| *dropped > 0);
    record.attributes = attributes;
    record.flags = flags;
    record.events = span_events::events(config, &begin.attributes, &story, &attempts, record.stream);
    odd::diagnose(config, &mut record, &story, &attempts);
    record.diagnostics.unmatched_phases = phases.unmatched;
    record.phases = phases.records;
    record.waits = waits.into_iter().map(|(wait, _)| wait).collect();
    record.attempts = whole;
    record.slo = slo(config, &record);
    odd::cap(config, &mut record, &kept, phases.dropped);
    record
}

/// The place of the attempt that the call's own values come from: the last one, unless one beside it completed and it did not.
fn final_attempt(attempts: &[Attempt<'_>]) -> Option<usize> {
    let last = attempts.len().checked_sub(1)?;
    let is_hedged = |place: usize| attempts[place].begin.is_some_and(|begin| begin.hedged);
    // Attempts that were started beside each other are one race.
    let first = (0..=last).rev().find(|place| !is_hedged(*place)).unwrap_or(0);
    if attempts[last].is_complete() {
        return Some(last);
    }
    (first..=last).find(|place| attempts[*place].is_complete()).or(Some(last))
}

fn take_values(record: &mut Record, it: &Attempt<'_>, last: &AttemptRecord, story: &Story<'_>, end: &End<'_>) {
    record.final_attempt = Some(last.number);
    record.request_setup_ns = Some(last.start_ns);
    record.ttft_ns = last.ttft_ns;
    record.call_ttft_ns = last.ttft_ns.map(|ttft| last.start_ns.saturating_add(ttft));
    record.time_to_headers_ns = last.time_to_headers_ns;
    record.time_to_first_chunk_ns = last.time_to_first_chunk_ns;
    record.time_to_first_reasoning_ns = last.time_to_first_reasoning_ns;
    record.time_to_first_answer_ns = last.time_to_first_answer_ns;
    record.sampling_ns = last.sampling_ns;
    record.tail_ns = Some(Nanos::from_nanos(end.at - it.end(end.at)));
    record.output_tokens_per_second = last.output_tokens_per_second;
    record.decode_tokens_per_second = last.decode_tokens_per_second;
    record.time_per_output_token_ns = last.time_per_output_token_ns;
    record.inter_chunk.clone_from(&last.inter_chunk);
    record.output_buffered = last.output_buffered;
    record.marks = timing::marks(it, record.stream, it.end(end.at), story.start);
    record.usage.clone_from(&last.usage);
    record.cost.clone_from(&last.cost);
    record.content.clone_from(&last.content);
    record.tool_call_count = last.tool_call_count;
    record.server_tool_call_count = last.server_tool_call_count;
    record.response_id.clone_from(&last.response_id);
    record.response_model.clone_from(&last.response_model);
    record.finish_reasons.clone_from(&last.finish_reasons);
    record.request_id.clone_from(&last.request_id);
    record.status_code = last.status_code;
    record.protocol.clone_from(&last.protocol);
    record.keep_alives = attempt_record::keep_alives(it, story.start);
    record.server.clone_from(&last.server);
    record.network_ns = last.network_ns;
}

fn slo(config: &Config, record: &Record) -> Option<SloVerdict> {
    let bounds = config.slo.as_ref()?;
    let misses = |value: Option<Nanos>, bound: Option<Nanos>| matches!((value, bound), (Some(value), Some(bound)) if value > bound);
    let gaps = record.inter_chunk.as_ref();
    let stalls = gaps.map(|gaps| gaps.stalls);
    let failed: Vec<String> = [
        ("outcome", record.outcome != Outcome::Success),
        ("ttft", misses(record.ttft_ns, bounds.ttft_ns)),
        ("inter_chunk_p99", misses(gaps.map(|gaps| gaps.p99_ns), bounds.inter_chunk_p99_ns)),
        ("time_per_output_token", misses(record.time_per_output_token_ns, bounds.time_per_output_token_ns)),
        ("duration", misses(Some(record.duration_ns), bounds.duration_ns)),
        ("stalls", matches!((stalls, bounds.stalls), (Some(stalls), Some(bound)) if stalls > bound)),
    ]
    .into_iter()
    .filter(|(_, is_missed)| *is_missed)
    .map(|(name, _)| name.into())
    .collect();
    let mut verdict = SloVerdict::default();
    verdict.met = failed.is_empty();
    verdict.failed = failed;
    Some(verdict)
}
