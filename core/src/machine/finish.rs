//! From the state of a call to its record.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::mem;

use super::{
    attempt::{Attempt, Sizes},
    call::{Machine, Streaming, WhatEnded},
    input::WaitEnd,
    limit::limit_failure,
    mark::Mark,
    timing,
    tokens::add_usage,
};
use crate::{
    config::Slo,
    price,
    record::{
        AttemptRecord, Content, Cost, CostSource, Diagnostics, KeepAlives, Money, Outcome, Record, SloVerdict, Value,
    },
    time::{Nanos, Timestamp, UnixNanos},
};

impl Machine {
    /// Ends the call at `now` and gives its record.
    pub fn finish(mut self, now: Timestamp, ended: WhatEnded) -> Record {
        let mut record = Record::default();
        self.finish_into(now, ended, &mut record);
        record
    }

    /// Ends the call at `now` and fills its record in, which holds nothing yet. Records are large: each value is written where it
    /// stays. The machine is of no use any more.
    pub(crate) fn finish_into(&mut self, now: Timestamp, mut ended: WhatEnded, record: &mut Record) {
        let end = match &ended {
            // The call was over when its deadline passed, whenever somebody looked.
            WhatEnded::Deadline(kind, at) => {
                let at = self.limit_end(*at);
                self.mark_timed_out(at, *kind);
                at
            }
            WhatEnded::Expired(at) => self.limit_end(*at),
            WhatEnded::Caller(_) | WhatEnded::Dropped => self.advance(now),
        };
        let in_wait = self.waits.is_open();
        let config = Arc::clone(&self.config);
        self.waits.close(end, WaitEnd::Aborted, &config.limits, &mut self.coverage);
        let handled = in_wait || self.gave_up_in_wait();
        if let WhatEnded::Caller(failure) = &mut ended {
            limit_failure(failure, &config);
        }

        record.stream = self.stream.is_on();
        record.attempts.reserve_exact(self.attempts.len());
        for attempt in &self.attempts {
            self.coverage.add(attempt.started, attempt.end(end));
            record.attempts.push(AttemptRecord::default());
            if let Some(own) = record.attempts.last_mut() {
                self.fill_attempt(attempt, end, &ended, own);
            }
        }
        let last = self.final_attempt();
        let ending = self.call_ending(last, &ended, handled);
        record.outcome = ending.outcome();
        record.timeout_kind = ending.timeout_kind();
        record.otel_status = record.outcome.otel_status();
        record.error = ending.error();
        record.duration_ns = end.saturating_since(self.started);
        record.start_unix_ns = self.unix;
        record.end_unix_ns = self.unix.map(|start| start.saturating_add(record.duration_ns));
        record.attempt_count = u64::from(self.attempt_count);
        record.retry_count = u64::from(self.attempt_count.saturating_sub(1));
        record.retry_planned_delay_ns = self.waits.planned();
        record.retry_actual_delay_ns = self.waits.actual();
        record.waits = self.waits.records(self.started);
        self.fill_diagnostics(&mut record.diagnostics);
        let attempts = mem::take(&mut record.attempts);
        let last_number = last.map(|attempt| attempt.number);
        if let (Some(attempt), Some(own)) = (last, attempts.iter().find(|record| Some(record.number) == last_number)) {
            self.take_final_attempt(attempt, own, end, record);
        }
        self.take_totals(&attempts, last_number, record);
        take(&mut record.provider, &mut self.provider);
        take(&mut record.model, &mut self.model);
        if let Some(first) = attempts.first() {
            // What nobody asked the call for, its first attempt was asked for: a router learns it after the call has begun.
            let Record { provider, model, .. } = record;
            for (own, asked) in [(provider, &first.provider), (model, &first.model)] {
                if own.is_none() {
                    own.clone_from(asked);
                }
            }
        }
        record.attempts = attempts;

        record.phases = self.phases.finish(self.started, end, &mut self.coverage);
        record.diagnostics.dropped.phases = counted(self.phases.dropped());
        record.unattributed_ns = record.duration_ns.saturating_sub(self.coverage.total());
        record.call = mem::take(&mut self.id).into();
        take(&mut record.operation, &mut self.operation);
        if let Some(trace) = &mut self.trace {
            take(&mut record.trace_id, &mut trace.trace_id);
            take(&mut record.span_id, &mut trace.span_id);
            take(&mut record.parent_span_id, &mut trace.parent_span_id);
        }
        if let Some(request) = &mut self.request {
            mem::swap(&mut record.request, request);
        }
        if let Some(flags) = &mut self.flags {
            mem::swap(&mut record.flags, flags);
        }
        mem::swap(&mut record.attributes, &mut self.attributes);
        mem::swap(&mut record.events, &mut self.events);
        record.slo = config.slo.as_ref().map(|slo| judge(slo, record));
    }

    /// A deadline as the end of the call: not before its last event.
    fn limit_end(&self, at: Timestamp) -> Timestamp {
        at.min(Mark::LATEST).max(self.now)
    }

    /// The attempt that the call's own values come from: the latest one, or the hedged one that finished in its place.
    pub(super) fn final_attempt(&self) -> Option<&Attempt> {
        let latest = self.attempts.last()?;
        if !latest.hedged || latest.is_complete() {
            return Some(latest);
        }
        let mut race = self.attempts.iter().filter(|attempt| attempt.race == latest.race);
        race.find(|attempt| attempt.is_complete()).or(Some(latest))
    }

    /// Whether the wait after the last attempt was cut short, or the caller aborted after it: no attempt came of it.
    fn gave_up_in_wait(&self) -> bool {
        self.waits.last().is_some_and(|(after, end)| {
            after == self.attempt_count && (end == WaitEnd::Aborted || self.signals.cancelled)
        })
    }

    fn fill_attempt(&self, attempt: &Attempt, call_end: Timestamp, ended: &WhatEnded, record: &mut AttemptRecord) {
        let end = attempt.end(call_end);
        let ending = self.attempt_ending(attempt, ended);
        record.number = attempt.number;
        record.outcome = ending.outcome();
        record.timeout_kind = ending.timeout_kind();
        record.error = ending.error();
        let labels = attempt.labels.as_deref();
        let (provider, model) =
            labels.map_or((None, None), |labels| (labels.provider.as_deref(), labels.model.as_deref()));
        set(&mut record.provider, provider.or(self.provider.as_deref()));
        set(&mut record.model, model.or(self.model.as_deref()));
        if let Some(labels) = labels {
            set(&mut record.endpoint, labels.endpoint.as_deref());
            set(&mut record.request_id, labels.request_id.as_deref());
            record.retry_after_ns = labels.retry_after;
            record.attributes.clone_from(&labels.attributes);
        }
        set(&mut record.protocol, attempt.protocol.as_deref());
        set(&mut record.response_id, attempt.response_id.as_deref());
        set(&mut record.response_model, attempt.response_model.as_deref());
        record.hedged = attempt.hedged.then_some(true);
        record.status_code = attempt.status_code;
        record.finish_reasons = attempt.choices.reasons();
        record.start_ns = attempt.started.saturating_since(self.started);
        record.usage = attempt.tokens.to_usage(self.cut_of(attempt, record.outcome));
        record.content = (attempt.sizes.chunks > 0).then(|| content(&attempt.sizes));
        record.tool_call_count = attempt.tools.count();
        record.server_tool_call_count = u64::from(attempt.server_tools);
        record.keep_alives = keep_alives(attempt, attempt.started);
        if let Some(timing) = attempt.server.as_deref() {
            let server = record.server.get_or_insert_default();
            server.queue_ns = timing.queue_ns;
            server.prompt_ns = timing.prompt_ns;
            server.generation_ns = timing.generation_ns;
            server.total_ns = timing.total_ns;
            server.first_byte_ns = timing.first_byte_ns;
        }
        timing::derive(attempt, end, self.stream.is_on(), &self.config, record);
        record.cost = self.attempt_cost(attempt, record);
    }

    fn attempt_cost(&self, attempt: &Attempt, record: &AttemptRecord) -> Option<Cost> {
        let mut cost = Cost::default();
        if let Some(nanos) = attempt.cost_nanos {
            cost.currency = "USD".into();
            cost.total = Some(Money::from_nanos(nanos));
            cost.source = CostSource::Provider;
            return Some(cost);
        }
        let usage = record.usage.as_ref()?;
        let at = self.unix.map(|start: UnixNanos| start.saturating_add(record.start_ns));
        let models = [record.response_model.as_deref(), record.model.as_deref()];
        let price = price::find(&self.config.prices, record.provider.as_deref(), models, at)?;
        let tokens = price.cost_of(usage);
        cost.currency = price.currency().into();
        cost.input = tokens.input;
        cost.output = tokens.output;
        cost.total = tokens.total();
        (cost.input.is_some() || cost.output.is_some()).then_some(cost)
    }

    /// Copies what the call takes from its final attempt.
    fn take_final_attempt(&self, attempt: &Attempt, own: &AttemptRecord, call_end: Timestamp, record: &mut Record) {
        let end = attempt.end(call_end);
        record.final_attempt = Some(own.number);
        record.request_setup_ns = Some(own.start_ns);
        record.tail_ns = Some(call_end.saturating_since(end));
        timing::marks(attempt, end, self.started, record.stream, &mut record.marks);
        record.call_ttft_ns = record.marks.first_content_ns;
        record.ttft_ns = own.ttft_ns;
        record.time_to_headers_ns = own.time_to_headers_ns;
        record.time_to_first_chunk_ns = own.time_to_first_chunk_ns;
        record.time_to_first_reasoning_ns = own.time_to_first_reasoning_ns;
        record.time_to_first_answer_ns = own.time_to_first_answer_ns;
        record.sampling_ns = own.sampling_ns;
        record.output_tokens_per_second = own.output_tokens_per_second;
        record.decode_tokens_per_second = own.decode_tokens_per_second;
        record.time_per_output_token_ns = own.time_per_output_token_ns;
        record.inter_chunk.clone_from(&own.inter_chunk);
        record.output_buffered = own.output_buffered;
        record.usage.clone_from(&own.usage);
        record.cost.clone_from(&own.cost);
        record.content.clone_from(&own.content);
        record.tool_call_count = own.tool_call_count;
        record.server_tool_call_count = own.server_tool_call_count;
        record.response_id.clone_from(&own.response_id);
        record.response_model.clone_from(&own.response_model);
        record.finish_reasons.clone_from(&own.finish_reasons);
        record.request_id.clone_from(&own.request_id);
        record.status_code = own.status_code;
        record.protocol.clone_from(&own.protocol);
        record.keep_alives = keep_alives(attempt, self.started);
        record.server.clone_from(&own.server);
        record.network_ns = own.network_ns;
        record.diagnostics.server_timing_contradicts = timing::server_contradicts(own);
        record.diagnostics.clock.frozen = record.stream && own.content.is_some() && timing::are_one(&own.marks);
    }

    /// Sums over attempts: tokens, cost, and what the failed ones wasted.
    fn take_totals(&self, attempts: &[AttemptRecord], last: Option<u32>, record: &mut Record) {
        let is_wasted = |attempt: &AttemptRecord| attempt.outcome != Outcome::Success;
        let others = || attempts.iter().filter(|attempt| Some(attempt.number) != last);
        let Record { usage, total_usage, wasted_usage, .. } = record;
        if let Some(folded) = self.folded.as_deref() {
            *total_usage = Some(folded.total.clone());
            *wasted_usage = Some(folded.wasted.clone());
        }
        for attempt in others() {
            let Some(usage) = &attempt.usage else { continue };
            add_usage(total_usage.get_or_insert_default(), usage);
            if is_wasted(attempt) {
                add_usage(wasted_usage.get_or_insert_default(), usage);
            }
        }
        if let Some(usage) = usage {
            add_usage(total_usage.get_or_insert_default(), usage);
        }
        for sum in [total_usage, wasted_usage] {
            // Attempts of which only raw numbers are known, a total for example, add up to nothing.
            if sum.as_ref().is_some_and(Value::is_absent) {
                *sum = None;
            }
        }

        let has_own = record.cost.is_some();
        if !has_own {
            // The attempts before are paid for, also when the final one came to nothing.
            let paid = others().filter_map(|attempt| attempt.cost.as_ref()).find(|cost| cost.total.is_some());
            record.cost =
                paid.map(|paid| Cost { currency: paid.currency.clone(), source: paid.source, ..Cost::default() });
        }
        if let Some(cost) = &mut record.cost {
            let add = |sum: Option<Money>, more: Option<Money>| Some(sum?.saturating_add(more?));
            let mut wasted = self.folded.is_none().then_some(Money::default());
            let mut all = if has_own || record.usage.is_some() { add(wasted, cost.total) } else { wasted };
            for attempt in others().filter(|attempt| attempt.usage.is_some()) {
                let own = attempt.cost.as_ref().filter(|own| own.currency == cost.currency);
                let own = own.and_then(|own| own.total);
                all = add(all, own);
                if is_wasted(attempt) {
                    wasted = add(wasted, own);
                }
            }
            cost.wasted = wasted;
            cost.all_attempts = all;
            if !has_own && all.is_none() && wasted.is_none() {
                record.cost = None;
            }
        }
    }

    fn fill_diagnostics(&self, diagnostics: &mut Diagnostics) {
        let counts = &self.counts;
        diagnostics.clock_regressions = u64::from(counts.clock_regressions);
        diagnostics.late_events = u64::from(counts.late_events);
        diagnostics.rejected_usage_values = u64::from(counts.rejected_usage);
        diagnostics.decode_errors = u64::from(counts.decode_errors);
        diagnostics.compressed_body = counts.compressed;
        diagnostics.oversized_frames = u64::from(counts.oversized_frames);
        diagnostics.unmatched_phases = u64::from(counts.unmatched_phases);
        diagnostics.stream_inferred = self.stream == Streaming::Inferred;
        diagnostics.clock.resolution_ns = (counts.resolution < u64::MAX).then(|| Nanos::from_nanos(counts.resolution));
        let (mut tool_calls, mut finish_reasons) = (0_u64, 0_u64);
        for attempt in &self.attempts {
            tool_calls = tool_calls.saturating_add(attempt.tools.dropped());
            finish_reasons = finish_reasons.saturating_add(attempt.choices.dropped());
        }
        let dropped = &mut diagnostics.dropped;
        dropped.attempts = counted(u64::from(counts.dropped_attempts));
        dropped.waits = counted(self.waits.dropped());
        dropped.events = counted(u64::from(counts.dropped_events));
        dropped.tool_calls = counted(tool_calls);
        dropped.finish_reasons = counted(finish_reasons);
        dropped.attributes = counted(u64::from(counts.dropped_attributes));
    }
}

/// Takes a text over that is there to be taken.
fn take(slot: &mut Option<String>, text: &mut Option<Box<str>>) {
    if let Some(text) = text.take() {
        *slot = Some(text.into());
    }
}

/// Sets a text that is there to be set.
fn set(slot: &mut Option<String>, text: Option<&str>) {
    if let Some(text) = text {
        *slot = Some(text.into());
    }
}

fn counted(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

fn content(sizes: &Sizes) -> Content {
    let [text_bytes, reasoning_bytes, tool_call_bytes, refusal_bytes, code_bytes, image_bytes, audio_bytes] =
        sizes.bytes;
    Content {
        chunks: sizes.chunks,
        visible_chunks: sizes.visible,
        text_bytes,
        reasoning_bytes,
        tool_call_bytes,
        refusal_bytes,
        code_bytes,
        image_bytes,
        audio_bytes,
    }
}

fn keep_alives(attempt: &Attempt, origin: Timestamp) -> Option<KeepAlives> {
    let count = u64::from(attempt.keep_alives);
    (count > 0).then(|| KeepAlives { count, last_ns: attempt.last_keep_alive.since(origin) })
}

/// Judges a finished call. What does not apply to it is not judged; a call that did not succeed met nothing.
fn judge(slo: &Slo, record: &Record) -> SloVerdict {
    let gaps = record.inter_chunk.as_ref();
    let missed = [
        ("outcome", record.outcome != Outcome::Success),
        ("ttft", is_over(slo.ttft_ns, record.ttft_ns)),
        ("inter_chunk_p99", is_over(slo.inter_chunk_p99_ns, gaps.map(|gaps| gaps.p99_ns))),
        ("time_per_output_token", is_over(slo.time_per_output_token_ns, record.time_per_output_token_ns)),
        ("duration", is_over(slo.duration_ns, Some(record.duration_ns))),
        ("stalls", slo.stalls.zip(gaps).is_some_and(|(bound, gaps)| gaps.stalls > bound)),
    ];
    let mut failed = Vec::new();
    for (name, is_missed) in missed {
        if is_missed {
            failed.push(name.into());
        }
    }
    SloVerdict { met: failed.is_empty(), failed }
}

fn is_over(bound: Option<Nanos>, value: Option<Nanos>) -> bool {
    bound.zip(value).is_some_and(|(bound, value)| value > bound)
}
