//! What was out of the ordinary.

use alloc::{format, string::String, vec, vec::Vec};

use super::{
    explanation::{Lines, Topic},
    text::{counted, error_name, grouped, in_and_out, percent, price, readable},
};
use crate::{
    provider::hints,
    record::{AttemptRecord, EventKind, Outcome, Record, SpanEvent, Usage},
    sorted::sort_by_key,
    time::Nanos,
};

pub(super) fn explain(record: &Record, lines: &mut Lines) {
    attempts(record, lines);
    waits(record, lines);
    wasted(record, lines);
    first_token(record, lines);
    stalls(record, lines);
    buffered(record, lines);
    server(record, lines);
    keep_alives(record, lines);
    if let Some(usage) = &record.usage {
        tokens(record, usage, lines);
    }
    answer(record, lines);
    if let Some(slo) = record.slo.as_ref().filter(|slo| !slo.met) {
        lines.push(Topic::Slo, format!("objectives missed: {}", slo.failed.join(", ")));
    }
}

fn attempts(record: &Record, lines: &mut Lines) {
    // A final attempt that failed is told here only when the call ended for another reason.
    let is_told = matches!(record.outcome, Outcome::Error | Outcome::TimedOut);
    let others = record.attempts.iter().filter(|attempt| !is_told || Some(attempt.number) != record.final_attempt);
    let failed: Vec<&AttemptRecord> =
        others.filter(|attempt| matches!(attempt.outcome, Outcome::Error | Outcome::TimedOut)).collect();
    let behind = if record.outcome == Outcome::Success { "behind the success: " } else { "before the end: " };
    match failed.as_slice() {
        [] => {}
        [one] => {
            let (error, after) = (error_name(one.error.as_ref()), readable(one.duration_ns));
            let text = format!("{behind}attempt {} failed with {error} after {after}", one.number);
            lines.push(Topic::Attempts, text);
        }
        many => {
            let mut errors: Vec<String> = many.iter().map(|attempt| error_name(attempt.error.as_ref())).collect();
            sort_by_key(&mut errors, String::clone);
            let same = errors.chunk_by(|one, other| one == other);
            let errors: Vec<String> =
                same.filter_map(|same| Some(format!("{} with {}", same.len(), same.first()?))).collect();
            let text = format!("{behind}{} attempts failed: {}", many.len(), errors.join(", "));
            lines.push(Topic::Attempts, text);
        }
    }
    let Some(own) = record.attempts.iter().find(|attempt| Some(attempt.number) == record.final_attempt) else { return };
    if (&own.model, &own.provider) != (&record.model, &record.provider) {
        let name = |model: &Option<String>, provider: &Option<String>| {
            let model = model.as_deref().unwrap_or("an unnamed model");
            provider.as_deref().map_or_else(|| model.into(), |provider| format!("{model} of {provider}"))
        };
        let (asked, answered) = (name(&record.model, &record.provider), name(&own.model, &own.provider));
        lines.push(Topic::Fallback, format!("{asked} was asked first, attempt {} asked {answered}", own.number));
    }
}

/// Waits that took noticeably longer than planned.
fn waits(record: &Record, lines: &mut Lines) {
    let (planned, actual) = (record.retry_planned_delay_ns, record.retry_actual_delay_ns);
    let excess = actual.saturating_sub(planned);
    if excess > NOTICEABLE && percent(excess.as_nanos(), actual.as_nanos()) >= 10 {
        let text = format!("waits took {} where {} were planned", readable(actual), readable(planned));
        lines.push(Topic::RetryActualDelayNs, text);
    }
}

fn wasted(record: &Record, lines: &mut Lines) {
    let tokens = record.wasted_usage.as_ref().and_then(in_and_out);
    let money = record.cost.as_ref().and_then(|cost| {
        let wasted = cost.wasted.filter(|wasted| wasted.as_nanos() > 0)?;
        Some(price(&cost.currency, wasted))
    });
    let parts: Vec<String> = tokens.into_iter().chain(money).collect();
    if !parts.is_empty() {
        lines.push(Topic::WastedUsage, format!("failed attempts used {}", parts.join(", ")));
    }
}

/// What lies between the first chunk and what the user saw.
fn first_token(record: &Record, lines: &mut Lines) {
    let marks = &record.marks;
    let (Some(first), Some(visible)) = (marks.first_chunk_ns, marks.first_content_ns) else { return };
    let hidden = visible.saturating_sub(first);
    let ttft = record.ttft_ns.unwrap_or_default();
    if hidden >= Nanos::from_secs(1) && percent(hidden.as_nanos(), ttft.as_nanos()) >= 50 {
        let text = format!("{} passed between the first chunk and the first visible one", readable(hidden));
        lines.push(Topic::TimeToFirstChunkNs, text);
    }
    let held = marks.delivered_ns.unwrap_or_default().saturating_sub(visible);
    if held > NOTICEABLE {
        lines.push(Topic::Delivered, format!("the consumer got the first token {} after it came", readable(held)));
    }
}

fn stalls(record: &Record, lines: &mut Lines) {
    let Some(gaps) = record.inter_chunk.as_ref().filter(|gaps| gaps.stalls > 0) else { return };
    let is_stall = |event: &&SpanEvent| event.kind == EventKind::Stall && event.attempt == record.final_attempt;
    let longest = record.events.iter().filter(is_stall).max_by_key(|event| event.duration_ns);
    let mut parts = vec![counted(gaps.stalls, "stall"), format!("{} in all", readable(gaps.stalled_ns))];
    if gaps.stalls > 1 {
        parts.push(format!("the longest {}", readable(gaps.max_ns)));
    }
    if let Some(event) = longest.filter(|event| event.duration_ns == Some(gaps.max_ns)) {
        parts.push(format!("{} into the call", readable(event.at_ns.saturating_sub(gaps.max_ns))));
    }
    lines.push(Topic::Stalls, parts.join(", "));
}

fn buffered(record: &Record, lines: &mut Lines) {
    if record.output_buffered != Some(true) {
        return;
    }
    let tokens = record.usage.as_ref().and_then(|usage| usage.output_tokens).unwrap_or_default();
    let sampling = readable(record.sampling_ns.unwrap_or_default());
    let ttft = readable(record.ttft_ns.unwrap_or_default());
    let text = format!(
        "output was buffered: {} in {sampling} after {ttft} of silence, so something held the stream back and \
         the rates are left out",
        counted(tokens, "token"),
    );
    lines.push(Topic::OutputBuffered, text);
}

fn server(record: &Record, lines: &mut Lines) {
    let Some(server) = &record.server else { return };
    if let (Some(network), Some(ttft)) = (record.network_ns, record.ttft_ns) {
        let text = format!(
            "of {} to the first token the server reports {} of queue and {} of prompt; {} are network and client",
            readable(ttft),
            readable(server.queue_ns.unwrap_or_default()),
            readable(server.prompt_ns.unwrap_or_default()),
            readable(network),
        );
        lines.push(Topic::NetworkNs, text);
    } else if let (Some(total), Some(headers)) =
        (server.total_ns, record.time_to_headers_ns.filter(|headers| server.total_ns <= Some(*headers)))
    {
        // What a server writes into its headers is over when they leave.
        let rest = readable(headers.saturating_sub(total));
        let text = format!(
            "of {} to the headers the server reports {} as its own; {rest} are network and client",
            readable(headers),
            readable(total),
        );
        lines.push(Topic::Server, text);
    } else if let Some(total) = server.total_ns {
        let marks = &record.marks;
        let measured = marks.ended_ns.unwrap_or_default().saturating_sub(marks.started_ns.unwrap_or_default());
        let text = format!("the server reports {} for an attempt of {}", readable(total), readable(measured));
        lines.push(Topic::Server, text);
    }
}

/// Signs of life, where they filled a silence or the call went wrong: a ping between chunks is usual.
fn keep_alives(record: &Record, lines: &mut Lines) {
    let Some(alive) = &record.keep_alives else { return };
    let is_before_content = record.marks.first_content_ns.is_none_or(|first| alive.last_ns < Some(first));
    let is_stalled = record.inter_chunk.as_ref().is_some_and(|gaps| gaps.stalls > 0);
    if record.outcome != Outcome::Success || (alive.count > 1 && (is_before_content || is_stalled)) {
        let last =
            alive.last_ns.map(|last| format!(", the last one {} into the call", readable(last))).unwrap_or_default();
        let text = format!("silent but alive: {}{last}", counted(alive.count, "keep-alive"));
        lines.push(Topic::KeepAlives, text);
    }
}

fn tokens(record: &Record, usage: &Usage, lines: &mut Lines) {
    let input = usage.input_tokens.unwrap_or_default();
    if let Some(read) = usage.cache_read_tokens.filter(|read| *read > 0) {
        let text = if input > 0 {
            let share = percent(read, input);
            format!("cache served {share} % of the input: {} of {} tokens", grouped(read), grouped(input))
        } else {
            format!("cache served {}", counted(read, "input token"))
        };
        lines.push(Topic::CacheReadTokens, text);
    }
    let output = usage.output_tokens.unwrap_or_default();
    if let Some(reasoning) = usage.reasoning_tokens.filter(|reasoning| *reasoning > 0) {
        let how = if record.marks.first_reasoning_ns.is_some() { "shown" } else { "not shown" };
        let text = if output > 0 {
            let (share, part, whole) = (percent(reasoning, output), grouped(reasoning), grouped(output));
            format!("reasoning took {share} % of the output, {how}: {part} of {whole} tokens")
        } else {
            format!("reasoning took {}, {how}", counted(reasoning, "output token"))
        };
        lines.push(Topic::ReasoningTokens, text);
    }
}

fn answer(record: &Record, lines: &mut Lines) {
    if let Some(reason) = record.finish_reasons.iter().find(|reason| hints::is_token_limit(reason)) {
        lines.push(Topic::FinishReasons, format!("the token limit cut the answer (finish reason `{reason}`)"));
    }
    let flags = &record.flags;
    if let Some(reason) = &flags.incomplete_reason {
        lines.push(Topic::IncompleteReason, format!("the response is incomplete: {reason}"));
    }
    if let Some(reason) = &flags.block_reason {
        lines.push(Topic::BlockReason, format!("the provider blocked the prompt: {reason}"));
    }
    if flags.refusal == Some(true) {
        lines.push(Topic::Refusal, "the model refused to answer");
    }
    if flags.json_valid == Some(false) {
        lines.push(Topic::JsonValid, "the answer is not the JSON that was asked for");
    }
}

/// Shorter excesses are what any scheduler does.
const NOTICEABLE: Nanos = Nanos::from_millis(50);
