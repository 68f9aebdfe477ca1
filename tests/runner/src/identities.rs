//! What holds for every record, however odd the events that it comes from.

use llmspan_core::{
    record::{AttemptRecord, Outcome, Record, Usage},
    time::{MAX_SAFE_INTEGER, Nanos},
};

/// The identities that a record breaks, in words; none for a right one.
pub fn broken(record: &Record) -> Vec<String> {
    let mut out = Broken(Vec::new());
    check_call(record, &mut out);
    for attempt in &record.attempts {
        check_attempt(attempt, record.duration_ns, &mut out);
    }
    check_order(record, &mut out);
    check_sums(record, &mut out);
    check_forms(record, &mut out);
    out.0
}

struct Broken(Vec<String>);

impl Broken {
    fn unless(&mut self, holds: bool, identity: &str) {
        if !holds {
            self.0.push(identity.into());
        }
    }
}

fn check_call(record: &Record, out: &mut Broken) {
    let duration = record.duration_ns.as_nanos();
    if let Some(ttft) = record.ttft_ns {
        let felt = nanos(record.request_setup_ns).saturating_add(ttft.as_nanos());
        let parts = felt.saturating_add(nanos(record.sampling_ns)).saturating_add(nanos(record.tail_ns));
        out.unless(duration == parts, "duration = setup + ttft + sampling + tail");
        out.unless(nanos(record.call_ttft_ns) == felt, "what the user felt is setup + ttft");
    }
    out.unless(record.unattributed_ns <= record.duration_ns, "no more time is unattributed than there was");
    out.unless(record.retry_count == record.attempt_count.saturating_sub(1), "retries are attempts but the first");
    out.unless((record.attempt_count == 0) == record.request_setup_ns.is_none(), "there is a setup with an attempt");
    let failed = matches!(record.outcome, Outcome::Error | Outcome::TimedOut);
    out.unless(record.error.is_some() == failed, "an error belongs to a failure");
    out.unless(record.timeout_kind.is_some() == (record.outcome == Outcome::TimedOut), "a timeout has its kind");
    if !record.stream {
        out.unless(record.ttft_ns.is_none(), "an answer that does not stream has no ttft");
        out.unless(record.marks.first_chunk_ns.is_none(), "an answer that does not stream has no first chunk");
        out.unless(record.output_buffered.is_none(), "an answer that does not stream is not buffered");
    }
}

fn check_attempt(attempt: &AttemptRecord, duration: Nanos, out: &mut Broken) {
    let end = attempt.start_ns.as_nanos().saturating_add(attempt.duration_ns.as_nanos());
    out.unless(end <= duration.as_nanos(), "attempts end with the call");
    if let (Some(first), Some(content)) = (attempt.marks.first_chunk_ns, attempt.marks.first_content_ns) {
        out.unless(first <= content, "no content before the first chunk");
    }
    if let Some(gaps) = &attempt.inter_chunk {
        out.unless(gaps.min_ns <= gaps.p50_ns && gaps.p50_ns <= gaps.p90_ns, "min, p50 and p90 are in order");
        out.unless(gaps.p90_ns <= gaps.p99_ns && gaps.p99_ns <= gaps.max_ns, "p90, p99 and max are in order");
        out.unless(gaps.min_ns <= gaps.mean_ns && gaps.mean_ns <= gaps.max_ns, "the mean lies between min and max");
    }
    for rate in [attempt.output_tokens_per_second, attempt.decode_tokens_per_second].into_iter().flatten() {
        out.unless(rate.is_finite() && rate >= 0.0, "a rate is finite and not negative");
    }
}

fn check_order(record: &Record, out: &mut Broken) {
    if record.attempts.iter().any(|attempt| attempt.hedged.is_some()) {
        return;
    }
    for pair in record.attempts.windows(2) {
        let end = pair[0].start_ns.as_nanos().saturating_add(pair[0].duration_ns.as_nanos());
        out.unless(end <= pair[1].start_ns.as_nanos(), "attempts do not overlap");
    }
}

fn check_sums(record: &Record, out: &mut Broken) {
    if record.diagnostics.dropped.attempts.is_none() {
        for (name, count) in [
            ("input tokens", (|usage| usage.input_tokens) as fn(&Usage) -> Option<u64>),
            ("output tokens", |usage| usage.output_tokens),
        ] {
            let attempts = record.attempts.iter().filter_map(|attempt| attempt.usage.as_ref().and_then(count));
            let sum = attempts.reduce(|a, b| a.saturating_add(b).min(MAX_SAFE_INTEGER));
            let total = record.total_usage.as_ref().and_then(count);
            out.unless(total == sum, &format!("the {name} of all attempts add up to the total"));
        }
    }
    let waited = record.waits.iter().filter(|wait| wait.after_attempt > 0 && !wait.aborted);
    let waited: u64 = waited.fold(0, |sum, wait| sum.saturating_add(wait.actual_delay_ns.as_nanos()));
    if record.diagnostics.dropped.waits.is_none() {
        out.unless(record.retry_actual_delay_ns.as_nanos() == waited, "the waits add up to the delay of retries");
    }
}

fn check_forms(record: &Record, out: &mut Broken) {
    let json = Record::from_json(&record.to_json());
    out.unless(json.is_ok_and(|json| json == *record), "a record's JSON reads back as the record");
    let bytes = record.to_bytes().and_then(|bytes| Record::from_bytes(&bytes));
    out.unless(bytes.is_ok_and(|bytes| bytes == *record), "a record's compact form reads back as the record");
}

fn nanos(value: Option<Nanos>) -> u64 {
    value.map_or(0, Nanos::as_nanos)
}
