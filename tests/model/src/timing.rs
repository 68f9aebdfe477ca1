//! The marks and the values that follow from them.

use llmspan_core::{
    config::Config,
    delta::{ContentKind, Provenance},
    record::{AttemptRecord, InterChunk, Marks},
    time::Nanos,
};

use crate::attempt::Attempt;

/// The moments of an attempt, counted from `zero`.
pub(crate) fn marks(it: &Attempt<'_>, is_stream: bool, end: u64, zero: u64) -> Marks {
    let since = |at: Option<u64>| at.map(|at| Nanos::from_nanos(at.saturating_sub(zero)));
    let first = |is: &dyn Fn(&llmspan_core::delta::Delta<'_>) -> bool| {
        it.visible().find(|(_, delta)| is(delta)).map(|(at, _)| at)
    };
    let mut marks = Marks::default();
    marks.started_ns = since(Some(it.start));
    marks.request_sent_ns = since(it.request_sent.first().copied());
    marks.headers_ns = since(it.headers.iter().map(|(at, _)| *at).chain(it.bytes.iter().copied()).min());
    marks.delivered_ns = since(it.delivered.first().copied());
    marks.ended_ns = since(Some(end));
    if is_stream {
        marks.first_chunk_ns = since(it.chunks().next().map(|(at, _)| at));
        marks.last_chunk_ns = since(it.chunks().last().map(|(at, _)| at));
        marks.first_content_ns = since(first(&|_| true));
        marks.last_content_ns = since(it.visible().last().map(|(at, _)| at));
        marks.first_reasoning_ns = since(first(&|delta| delta.visible.contains(ContentKind::Reasoning)));
        marks.first_answer_ns = since(first(&|delta| {
            ContentKind::VISIBLE.iter().any(|kind| *kind != ContentKind::Reasoning && delta.visible.contains(*kind))
        }));
    }
    marks
}

/// The values of SPEC's table that follow from the marks and the tokens of an attempt. The marks and the usage of `record` are
/// there already.
pub(crate) fn derive(config: &Config, it: &Attempt<'_>, is_stream: bool, record: &mut AttemptRecord) {
    let marks = &record.marks;
    let sent = marks.request_sent_ns.unwrap_or(Nanos::ZERO);
    let from_sent = |mark: Option<Nanos>| mark.map(|mark| mark.saturating_sub(sent));
    record.time_to_headers_ns = from_sent(marks.headers_ns);
    record.time_to_first_chunk_ns = from_sent(marks.first_chunk_ns);
    record.time_to_first_reasoning_ns = from_sent(marks.first_reasoning_ns);
    record.time_to_first_answer_ns = from_sent(marks.first_answer_ns);
    record.ttft_ns = marks.first_content_ns;
    record.sampling_ns = record.ttft_ns.map(|ttft| record.duration_ns.saturating_sub(ttft));
    if !is_stream {
        return;
    }
    record.inter_chunk = inter_chunk(config, it);

    // A count that only holds the place of the real one says nothing of the speed.
    let usage = record.usage.clone().unwrap_or_default();
    let is_known = usage.provenance.output_tokens != Some(Provenance::Placeholder);
    let output = usage.output_tokens.filter(|_| is_known);
    let reasoning = usage.reasoning_tokens.unwrap_or(0);
    let sampling = record.sampling_ns.unwrap_or(Nanos::ZERO);
    let ttft = record.ttft_ns.unwrap_or(Nanos::ZERO);

    record.output_buffered = Some(output.is_some_and(|output| {
        #[expect(clippy::cast_precision_loss, reason = "the bound is compared with a rate")]
        let bound = config.buffered_tokens_per_second as f64;
        let is_too_fast = rate(output, sampling).is_some_and(|rate| rate > bound);
        let percent = u128::from(config.buffered_ttft_percent);
        let is_too_short = u128::from(sampling.as_nanos()) * 100 < u128::from(ttft.as_nanos()) * percent;
        output > 16 && record.ttft_ns.is_some() && (is_too_fast || (is_too_short && reasoning == 0))
    }));
    let is_buffered = record.output_buffered == Some(true);
    if let (Some(output), false) = (output, is_buffered) {
        let saw_reasoning = record.marks.first_reasoning_ns.is_some();
        let decoded = if saw_reasoning { output } else { output.saturating_sub(reasoning) };
        record.output_tokens_per_second = rate(output, sampling).map(two_decimals);
        record.decode_tokens_per_second = rate(decoded, sampling).map(two_decimals);
    }
    if let (Some(output), Some(sampling)) = (output.filter(|output| *output >= 2), record.sampling_ns) {
        record.time_per_output_token_ns = Some(Nanos::from_nanos(sampling.as_nanos() / (output - 1)));
    }
}

/// Tokens per second; absent without any time.
fn rate(tokens: u64, sampling: Nanos) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
    let tokens = tokens as f64;
    (sampling > Nanos::ZERO).then(|| tokens / sampling.as_secs_f64())
}

fn two_decimals(rate: f64) -> f64 {
    (rate * 100.0 + 0.5).floor() / 100.0
}

/// The gaps between visible chunks, with exact percentiles.
fn inter_chunk(config: &Config, it: &Attempt<'_>) -> Option<InterChunk> {
    let times: Vec<u64> = it.visible().map(|(at, _)| at).collect();
    let mut gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    let (min, max) = (*gaps.first()?, *gaps.last()?);
    let count = gaps.len();
    let sum = |gaps: &[u64]| gaps.iter().fold(0_u64, |sum, gap| sum.saturating_add(*gap));
    // The nearest rank: the smallest gap that as many percent of the gaps do not exceed.
    let percentile = |percent: usize| Nanos::from_nanos(gaps[(count * percent).div_ceil(100).max(1) - 1]);
    let stalls: Vec<u64> = gaps.iter().copied().filter(|gap| *gap > config.stall_after_ns.as_nanos()).collect();

    let mut values = InterChunk::default();
    values.count = count as u64;
    values.min_ns = Nanos::from_nanos(min);
    values.max_ns = Nanos::from_nanos(max);
    values.mean_ns = Nanos::from_nanos(sum(&gaps) / count as u64);
    values.p50_ns = percentile(50);
    values.p90_ns = percentile(90);
    values.p99_ns = percentile(99);
    values.stalls = stalls.len() as u64;
    values.stalled_ns = Nanos::from_nanos(sum(&stalls));
    Some(values)
}
