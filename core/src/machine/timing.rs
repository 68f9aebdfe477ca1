//! The derived times and rates of one attempt. Their definitions are with the fields of the record.

use super::attempt::Attempt;
use crate::{
    config::Config,
    record::{AttemptRecord, InterChunk, Marks, Server},
    time::{Nanos, Timestamp},
};

/// Fills in every derived value of an attempt that ended at `end`.
pub(super) fn derive(attempt: &Attempt, end: Timestamp, is_stream: bool, config: &Config, record: &mut AttemptRecord) {
    let moments = &attempt.moments;
    record.duration_ns = end.saturating_since(attempt.started);
    marks(attempt, end, attempt.started, is_stream, &mut record.marks);

    let origin = moments.request_sent.get().unwrap_or(attempt.started);
    record.time_to_headers_ns = moments.headers.since(origin);
    if !is_stream {
        return;
    }
    record.time_to_first_chunk_ns = moments.first_chunk.since(origin);
    record.time_to_first_reasoning_ns = moments.first_reasoning.since(origin);
    record.time_to_first_answer_ns = moments.first_answer.since(origin);
    record.ttft_ns = moments.first_content.since(attempt.started);
    record.sampling_ns = moments.first_content.get().map(|first| end.saturating_since(first));
    record.inter_chunk = inter_chunk(attempt);
    rates(attempt, config, record);
    network(attempt, record);
}

/// Whether every mark carries the same time.
pub(super) fn are_one(marks: &Marks) -> bool {
    let others = [
        &marks.request_sent_ns,
        &marks.headers_ns,
        &marks.first_chunk_ns,
        &marks.first_reasoning_ns,
        &marks.first_content_ns,
        &marks.first_answer_ns,
        &marks.last_content_ns,
        &marks.last_chunk_ns,
        &marks.delivered_ns,
        &marks.ended_ns,
    ];
    others.into_iter().all(|mark| mark.is_none() || *mark == marks.started_ns)
}

fn rates(attempt: &Attempt, config: &Config, record: &mut AttemptRecord) {
    record.output_buffered = Some(false);
    let (Some(ttft), Some(sampling), Some(output)) =
        (record.ttft_ns, record.sampling_ns, attempt.tokens.output_for_rates())
    else {
        return;
    };
    let reasoning = attempt.tokens.reasoning().unwrap_or(0);
    record.time_per_output_token_ns =
        output.checked_sub(1).and_then(|gaps| sampling.as_nanos().checked_div(gaps)).map(Nanos::from_nanos);

    let is_buffered = output > BUFFERED_MIN_TOKENS && {
        let bound = u128::from(config.buffered_tokens_per_second).saturating_mul(u128::from(sampling.as_nanos()));
        let too_fast = sampling > Nanos::ZERO && u128::from(output).saturating_mul(NANOS_PER_SECOND) > bound;
        let share = u128::from(sampling.as_nanos()).saturating_mul(100);
        let bound = u128::from(ttft.as_nanos()).saturating_mul(u128::from(config.buffered_ttft_percent));
        too_fast || (share < bound && reasoning == 0)
    };
    record.output_buffered = Some(is_buffered);
    if is_buffered || sampling == Nanos::ZERO {
        return;
    }
    let unseen = if attempt.moments.first_reasoning.is_set() { 0 } else { reasoning };
    record.output_tokens_per_second = Some(rate(output, sampling));
    record.decode_tokens_per_second = Some(rate(output.saturating_sub(unseen), sampling));
}

/// Tokens per second, to two decimals.
#[expect(clippy::cast_precision_loss, reason = "token counts are at most 2^53")]
fn rate(tokens: u64, sampling: Nanos) -> f64 {
    let exact = tokens as f64 / sampling.as_secs_f64();
    floor(exact * 100.0 + 0.5) / 100.0
}

/// `f64::floor` of a value that is not negative; `core` has none.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
fn floor(value: f64) -> f64 {
    // Every float from 2^53 on is whole.
    if value < 9_007_199_254_740_992.0 { (value as u64) as f64 } else { value }
}

fn inter_chunk(attempt: &Attempt) -> Option<InterChunk> {
    let sketch = &attempt.gaps.sketch;
    let [p50_ns, p90_ns, p99_ns] = sketch.percentiles()?.map(Nanos::from_nanos);
    Some(InterChunk {
        count: sketch.count(),
        min_ns: Nanos::from_nanos(sketch.min()?),
        max_ns: Nanos::from_nanos(sketch.max()?),
        mean_ns: Nanos::from_nanos(sketch.mean()?),
        p50_ns,
        p90_ns,
        p99_ns,
        stalls: u64::from(attempt.gaps.stalls),
        stalled_ns: attempt.gaps.stalled,
    })
}

/// What of the time to first token neither the queue nor the prompt explains.
fn network(attempt: &Attempt, record: &mut AttemptRecord) {
    if let (Some(ttft), Some(server)) = (record.ttft_ns, attempt.server.as_deref())
        && let (Some(queue), Some(prompt)) = (server.queue_ns, server.prompt_ns)
    {
        record.network_ns = Some(ttft.saturating_sub(queue.saturating_add(prompt)));
    }
}

/// Whether the server's own times are longer than the time to first token that was measured.
pub(super) fn server_contradicts(record: &AttemptRecord) -> bool {
    match (record.ttft_ns, &record.server) {
        (Some(ttft), Some(Server { queue_ns: Some(queue), prompt_ns: Some(prompt), .. })) => {
            queue.saturating_add(*prompt) > ttft
        }
        _ => false,
    }
}

/// Fills in the moments of an attempt from `origin`. A call that does not stream has no chunk marks.
pub(super) fn marks(attempt: &Attempt, end: Timestamp, origin: Timestamp, is_stream: bool, marks: &mut Marks) {
    let moments = &attempt.moments;
    marks.started_ns = Some(attempt.started.saturating_since(origin));
    marks.request_sent_ns = moments.request_sent.since(origin);
    marks.headers_ns = moments.headers.since(origin);
    if is_stream {
        marks.first_chunk_ns = moments.first_chunk.since(origin);
        marks.first_reasoning_ns = moments.first_reasoning.since(origin);
        marks.first_content_ns = moments.first_content.since(origin);
        marks.first_answer_ns = moments.first_answer.since(origin);
        marks.last_content_ns = moments.last_content.since(origin);
        marks.last_chunk_ns = moments.last_chunk.since(origin);
    }
    marks.delivered_ns = moments.delivered.since(origin);
    marks.ended_ns = Some(end.saturating_since(origin));
}

/// Fewer tokens come at once without anything holding them back.
const BUFFERED_MIN_TOKENS: u64 = 16;

const NANOS_PER_SECOND: u128 = 1_000_000_000;
