//! What was out of the ordinary.

use alloc::{string::String, vec::Vec};

use super::{
    explanation::{Lines, Topic},
    say::{
        Value::{Count, Counted, Error, Length, Money, Number, Share, Text, Time},
        also, said,
    },
    text::{in_and_out, percent},
};
use crate::{
    provider::hints,
    record::{EventKind, Outcome, Record, SpanEvent, Usage},
    sorted::in_order,
    time::Nanos,
};

pub(super) fn explain(record: &Record, lines: &mut Lines) {
    attempts(record, lines);
    fallback(record, lines);
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
        lines.say(Topic::Slo, "objectives missed: {}", &[Text(&slo.failed.join(", "))]);
    }
}

fn attempts(record: &Record, lines: &mut Lines) {
    // A final attempt that failed is told here only when the call ended for another reason.
    let is_told = matches!(record.outcome, Outcome::Error | Outcome::TimedOut);
    let (mut errors, mut found) = (Vec::new(), None);
    for attempt in &record.attempts {
        let is_other = !is_told || Some(attempt.number) != record.final_attempt;
        if is_other && matches!(attempt.outcome, Outcome::Error | Outcome::TimedOut) {
            errors.push(said("{}", &[Error(attempt.error.as_ref())]));
            found = Some(attempt);
        }
    }
    let behind = Text(if record.outcome == Outcome::Success { "behind the success" } else { "before the end" });
    match (errors.as_slice(), found) {
        ([], _) | (_, None) => {}
        ([error], Some(attempt)) => {
            let values = [behind, Number(attempt.number.into()), Text(error), Time(attempt.duration_ns)];
            lines.say(Topic::Attempts, "{}: attempt {} failed with {} after {}", &values);
        }
        _ => {
            let count = errors.len();
            let mut list = String::new();
            let mut sorted = in_order(&errors, |error| error).peekable();
            let mut same = 0_usize;
            while let Some(error) = sorted.next() {
                same = same.saturating_add(1);
                if sorted.peek() != Some(&error) {
                    also(&mut list, "{} with {}", &[Length(same), Text(error)]);
                    same = 0;
                }
            }
            lines.say(Topic::Attempts, "{}: {} attempts failed: {}", &[behind, Length(count), Text(&list)]);
        }
    }
}

fn fallback(record: &Record, lines: &mut Lines) {
    let Some(own) = record.attempts.iter().find(|attempt| Some(attempt.number) == record.final_attempt) else { return };
    if (&own.model, &own.provider) != (&record.model, &record.provider) {
        let name = |model: &Option<String>, provider: &Option<String>| {
            let model = Text(model.as_deref().unwrap_or("an unnamed model"));
            let template = if provider.is_some() { "{} of {}" } else { "{}" };
            said(template, &[model, Text(provider.as_deref().unwrap_or_default())])
        };
        let (asked, answered) = (name(&record.model, &record.provider), name(&own.model, &own.provider));
        let values = [Text(&asked), Number(own.number.into()), Text(&answered)];
        lines.say(Topic::Fallback, "{} was asked first, attempt {} asked {}", &values);
    }
}

/// Waits that took noticeably longer than planned.
fn waits(record: &Record, lines: &mut Lines) {
    let (planned, actual) = (record.retry_planned_delay_ns, record.retry_actual_delay_ns);
    let excess = actual.saturating_sub(planned);
    if excess > NOTICEABLE && percent(excess.as_nanos(), actual.as_nanos()) >= 10 {
        let values = [Time(actual), Time(planned)];
        lines.say(Topic::RetryActualDelayNs, "waits took {} where {} were planned", &values);
    }
}

fn wasted(record: &Record, lines: &mut Lines) {
    let mut parts = record.wasted_usage.as_ref().map(in_and_out).unwrap_or_default();
    if let Some(cost) = &record.cost
        && let Some(wasted) = cost.wasted.filter(|wasted| wasted.as_nanos() > 0)
    {
        also(&mut parts, "{}", &[Money(&cost.currency, wasted)]);
    }
    if !parts.is_empty() {
        lines.say(Topic::WastedUsage, "failed attempts used {}", &[Text(&parts)]);
    }
}

/// What lies between the first chunk and what the user saw.
fn first_token(record: &Record, lines: &mut Lines) {
    let marks = &record.marks;
    let (Some(first), Some(visible)) = (marks.first_chunk_ns, marks.first_content_ns) else { return };
    let hidden = visible.saturating_sub(first);
    let ttft = record.ttft_ns.unwrap_or_default();
    if hidden >= Nanos::from_secs(1) && percent(hidden.as_nanos(), ttft.as_nanos()) >= 50 {
        let template = "{} passed between the first chunk and the first visible one";
        lines.say(Topic::TimeToFirstChunkNs, template, &[Time(hidden)]);
    }
    let held = marks.delivered_ns.unwrap_or_default().saturating_sub(visible);
    if held > NOTICEABLE {
        lines.say(Topic::Delivered, "the consumer got the first token {} after it came", &[Time(held)]);
    }
}

fn stalls(record: &Record, lines: &mut Lines) {
    let Some(gaps) = record.inter_chunk.as_ref().filter(|gaps| gaps.stalls > 0) else { return };
    let is_stall = |event: &&SpanEvent| event.kind == EventKind::Stall && event.attempt == record.final_attempt;
    let longest = record.events.iter().filter(is_stall).max_by_key(|event| event.duration_ns);
    let mut parts = said("{}, {} in all", &[Counted(gaps.stalls, "stall"), Time(gaps.stalled_ns)]);
    if gaps.stalls > 1 {
        also(&mut parts, "the longest {}", &[Time(gaps.max_ns)]);
    }
    if let Some(event) = longest.filter(|event| event.duration_ns == Some(gaps.max_ns)) {
        also(&mut parts, "{} into the call", &[Time(event.at_ns.saturating_sub(gaps.max_ns))]);
    }
    lines.say(Topic::Stalls, "{}", &[Text(&parts)]);
}

fn buffered(record: &Record, lines: &mut Lines) {
    if record.output_buffered != Some(true) {
        return;
    }
    let tokens = record.usage.as_ref().and_then(|usage| usage.output_tokens).unwrap_or_default();
    let values = [
        Counted(tokens, "token"),
        Time(record.sampling_ns.unwrap_or_default()),
        Time(record.ttft_ns.unwrap_or_default()),
    ];
    let template = "output was buffered: {} in {} after {} of silence, so something held the stream back and \
         the rates are left out";
    lines.say(Topic::OutputBuffered, template, &values);
}

fn server(record: &Record, lines: &mut Lines) {
    let Some(server) = &record.server else { return };
    if let (Some(network), Some(ttft)) = (record.network_ns, record.ttft_ns) {
        let values = [ttft, server.queue_ns.unwrap_or_default(), server.prompt_ns.unwrap_or_default(), network];
        let template =
            "of {} to the first token the server reports {} of queue and {} of prompt; {} are network and client";
        return lines.say(Topic::NetworkNs, template, &values.map(Time));
    }
    let Some(total) = server.total_ns else { return };
    // What a server writes into its headers is over when they leave.
    if let Some(headers) = record.time_to_headers_ns.filter(|headers| total <= *headers) {
        let values = [headers, total, headers.saturating_sub(total)];
        let template = "of {} to the headers the server reports {} as its own; {} are network and client";
        return lines.say(Topic::Server, template, &values.map(Time));
    }
    let marks = &record.marks;
    let measured = marks.ended_ns.unwrap_or_default().saturating_sub(marks.started_ns.unwrap_or_default());
    lines.say(Topic::Server, "the server reports {} for an attempt of {}", &[Time(total), Time(measured)]);
}

/// Signs of life, where they filled a silence or the call went wrong: a ping between chunks is usual.
fn keep_alives(record: &Record, lines: &mut Lines) {
    let Some(alive) = &record.keep_alives else { return };
    let is_before_content = record.marks.first_content_ns.is_none_or(|first| alive.last_ns < Some(first));
    let is_stalled = record.inter_chunk.as_ref().is_some_and(|gaps| gaps.stalls > 0);
    if record.outcome != Outcome::Success || (alive.count > 1 && (is_before_content || is_stalled)) {
        let template = match alive.last_ns {
            Some(_) => "silent but alive: {}, the last one {} into the call",
            None => "silent but alive: {}",
        };
        let values = [Counted(alive.count, "keep-alive"), Time(alive.last_ns.unwrap_or_default())];
        lines.say(Topic::KeepAlives, template, &values);
    }
}

fn tokens(record: &Record, usage: &Usage, lines: &mut Lines) {
    let input = usage.input_tokens.unwrap_or_default();
    if let Some(read) = usage.cache_read_tokens.filter(|read| *read > 0) {
        if input > 0 {
            let values = [Share(read, input), Count(read), Count(input)];
            lines.say(Topic::CacheReadTokens, "cache served {} % of the input: {} of {} tokens", &values);
        } else {
            lines.say(Topic::CacheReadTokens, "cache served {}", &[Counted(read, "input token")]);
        }
    }
    let output = usage.output_tokens.unwrap_or_default();
    if let Some(reasoning) = usage.reasoning_tokens.filter(|reasoning| *reasoning > 0) {
        let how = Text(if record.marks.first_reasoning_ns.is_some() { "shown" } else { "not shown" });
        if output > 0 {
            let values = [Share(reasoning, output), how, Count(reasoning), Count(output)];
            lines.say(Topic::ReasoningTokens, "reasoning took {} % of the output, {}: {} of {} tokens", &values);
        } else {
            lines.say(Topic::ReasoningTokens, "reasoning took {}, {}", &[Counted(reasoning, "output token"), how]);
        }
    }
}

fn answer(record: &Record, lines: &mut Lines) {
    let flags = &record.flags;
    let limit = record.finish_reasons.iter().find(|reason| hints::is_token_limit(reason));
    for (topic, template, reason) in [
        (Topic::FinishReasons, "the token limit cut the answer (finish reason `{}`)", limit),
        (Topic::IncompleteReason, "the response is incomplete: {}", flags.incomplete_reason.as_ref()),
        (Topic::BlockReason, "the provider blocked the prompt: {}", flags.block_reason.as_ref()),
    ] {
        if let Some(reason) = reason {
            lines.say(topic, template, &[Text(reason)]);
        }
    }
    if flags.refusal == Some(true) {
        lines.say(Topic::Refusal, "the model refused to answer", &[]);
    }
    if flags.json_valid == Some(false) {
        lines.say(Topic::JsonValid, "the answer is not the JSON that was asked for", &[]);
    }
}

/// Shorter excesses are what any scheduler does.
const NOTICEABLE: Nanos = Nanos::from_millis(50);
