//! From the state of a call to its record.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::{
    attempt::{Attempt, Sizes},
    call::{Counts, Folded, Machine, Streaming, WhatEnded},
    input::WaitEnd,
    mark::Mark,
    timing,
    tokens::add_usage,
};
use crate::{
    config::Slo,
    price,
    record::{
        AttemptRecord, ClockQuality, Content, Cost, CostSource, Diagnostics, Dropped, KeepAlives, Money, Outcome,
        Record, Server, SloVerdict, Value as _,
    },
    time::{Nanos, Timestamp, UnixNanos},
};

impl Machine {
    /// Ends the call at `now` and gives its record.
    pub fn finish(mut self, now: Timestamp, ended: WhatEnded) -> Record {
        let end = match ended {
            // The call was over when its deadline passed, whenever somebody looked.
            WhatEnded::Deadline(kind, at) => {
                let at = at.min(Mark::LATEST).max(self.now);
                self.mark_timed_out(at, kind);
                at
            }
            WhatEnded::Expired(at) => at.min(Mark::LATEST).max(self.now),
            WhatEnded::Caller(_) | WhatEnded::Dropped => self.advance(now),
        };
        let in_wait = self.waits.is_open();
        let config = Arc::clone(&self.config);
        self.waits.close(end, WaitEnd::Aborted, &config.limits, &mut self.coverage);
        let handled = in_wait || self.gave_up_in_wait();

        let ended = match ended {
            WhatEnded::Caller(failure) => WhatEnded::Caller(super::limit::limit_failure(failure, &config)),
            other => other,
        };
        let is_stream = self.stream.is_on();
        let mut attempts = Vec::with_capacity(self.attempts.len());
        for attempt in &self.attempts {
            let record = self.attempt_record(attempt, end, &ended);
            attempts.push(record);
        }
        for attempt in &self.attempts {
            self.coverage.add(attempt.started, attempt.end(end));
        }
        let last = self.final_attempt();
        let verdict = self.call_verdict(last, &ended, handled);

        let mut record = Record {
            stream: is_stream,
            outcome: verdict.outcome,
            timeout_kind: verdict.timeout_kind,
            otel_status: verdict.outcome.otel_status(),
            error: verdict.error,
            start_unix_ns: self.unix,
            duration_ns: end.saturating_since(self.started),
            attempt_count: u64::from(self.attempt_count),
            retry_count: u64::from(self.attempt_count.saturating_sub(1)),
            retry_planned_delay_ns: self.waits.planned(),
            retry_actual_delay_ns: self.waits.actual(),
            waits: self.waits.records(self.started),
            ..Record::default()
        };
        record.end_unix_ns = self.unix.map(|start| start.saturating_add(record.duration_ns));
        record.diagnostics = self.diagnostics();
        let last_number = last.map(|attempt| attempt.number);
        if let (Some(attempt), Some(own)) = (last, attempts.iter().find(|record| Some(record.number) == last_number)) {
            self.take_final_attempt(attempt, own, end, &mut record);
        }
        self.take_totals(&attempts, last_number, &mut record);
        record.attempts = attempts;

        let (phases, dropped_phases) = self.phases.finish(self.started, end, &mut self.coverage);
        record.phases = phases;
        record.diagnostics.dropped.phases = counted(dropped_phases);
        record.unattributed_ns = record.duration_ns.saturating_sub(self.coverage.total());
        record.call = self.id.into();
        record.operation = self.operation.map(Into::into);
        // What nobody asked the call for, its first attempt was asked for: a router learns it after the call has begun.
        let first = record.attempts.first();
        let provider = self.provider.map(Into::into).or_else(|| first?.provider.clone());
        let model = self.model.map(Into::into).or_else(|| first?.model.clone());
        record.provider = provider;
        record.model = model;
        if let Some(trace) = self.trace {
            record.trace_id = trace.trace_id.map(Into::into);
            record.span_id = trace.span_id.map(Into::into);
            record.parent_span_id = trace.parent_span_id.map(Into::into);
        }
        record.request = self.request.map(|request| *request).unwrap_or_default();
        record.flags = self.flags.map(|flags| *flags).unwrap_or_default();
        record.attributes = self.attributes;
        record.events = self.events;
        record.slo = config.slo.as_ref().map(|slo| judge(slo, &record));
        record
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

    fn attempt_record(&self, attempt: &Attempt, call_end: Timestamp, ended: &WhatEnded) -> AttemptRecord {
        let end = attempt.end(call_end);
        let verdict = self.attempt_verdict(attempt, ended);
        let labels = attempt.labels.as_deref();
        let text = |own: Option<&str>, inherited: Option<&str>| own.or(inherited).map(String::from);
        let is_cut = self.cut_of(attempt, verdict.outcome);
        let mut record = AttemptRecord {
            number: attempt.number,
            outcome: verdict.outcome,
            timeout_kind: verdict.timeout_kind,
            error: verdict.error,
            provider: text(labels.and_then(|labels| labels.provider.as_deref()), self.provider.as_deref()),
            model: text(labels.and_then(|labels| labels.model.as_deref()), self.model.as_deref()),
            endpoint: text(labels.and_then(|labels| labels.endpoint.as_deref()), None),
            protocol: text(attempt.protocol.as_deref(), None),
            hedged: attempt.hedged.then_some(true),
            status_code: attempt.status_code,
            request_id: text(labels.and_then(|labels| labels.request_id.as_deref()), None),
            response_id: text(attempt.response_id.as_deref(), None),
            response_model: text(attempt.response_model.as_deref(), None),
            finish_reasons: attempt.choices.reasons(),
            retry_after_ns: labels.and_then(|labels| labels.retry_after),
            start_ns: attempt.started.saturating_since(self.started),
            usage: attempt.tokens.to_usage(is_cut),
            content: (attempt.sizes.chunks > 0).then(|| content(&attempt.sizes)),
            tool_call_count: attempt.tools.count(),
            server_tool_call_count: u64::from(attempt.server_tools),
            keep_alives: (attempt.keep_alives > 0).then(|| keep_alives(attempt, attempt.started)),
            server: attempt.server.as_deref().map(|server| Server {
                queue_ns: server.queue_ns,
                prompt_ns: server.prompt_ns,
                generation_ns: server.generation_ns,
                total_ns: server.total_ns,
                first_byte_ns: server.first_byte_ns,
            }),
            attributes: labels.map(|labels| labels.attributes.clone()).unwrap_or_default(),
            ..AttemptRecord::default()
        };
        timing::derive(attempt, end, self.stream.is_on(), &self.config, &mut record);
        record.cost = self.attempt_cost(attempt, &record);
        record
    }

    fn attempt_cost(&self, attempt: &Attempt, record: &AttemptRecord) -> Option<Cost> {
        if let Some(nanos) = attempt.cost_nanos {
            return Some(Cost {
                currency: "USD".into(),
                total: Some(Money::from_nanos(nanos)),
                source: CostSource::Provider,
                ..Cost::default()
            });
        }
        let usage = record.usage.as_ref()?;
        let at = self.unix.map(|start: UnixNanos| start.saturating_add(record.start_ns));
        let models = [record.response_model.as_deref(), record.model.as_deref()];
        let price = price::find(&self.config.prices, record.provider.as_deref(), models, at)?;
        let cost = price.cost_of(usage);
        (cost.input.is_some() || cost.output.is_some()).then(|| Cost {
            currency: price.currency().into(),
            input: cost.input,
            output: cost.output,
            total: cost.total(),
            source: CostSource::Table,
            ..Cost::default()
        })
    }

    /// Copies what the call takes from its final attempt.
    fn take_final_attempt(&self, attempt: &Attempt, own: &AttemptRecord, call_end: Timestamp, record: &mut Record) {
        let end = attempt.end(call_end);
        record.final_attempt = Some(own.number);
        record.request_setup_ns = Some(own.start_ns);
        record.tail_ns = Some(call_end.saturating_since(end));
        record.marks = timing::marks(attempt, end, self.started, record.stream);
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
        record.keep_alives = (attempt.keep_alives > 0).then(|| keep_alives(attempt, self.started));
        record.server.clone_from(&own.server);
        record.network_ns = own.network_ns;
        record.diagnostics.server_timing_contradicts = timing::server_contradicts(own);
        record.diagnostics.clock.frozen = record.stream && own.content.is_some() && timing::are_one(&own.marks);
    }

    /// Sums over attempts: tokens, cost, and what the failed ones wasted.
    fn take_totals(&self, attempts: &[AttemptRecord], last: Option<u32>, record: &mut Record) {
        let is_wasted = |attempt: &AttemptRecord| attempt.outcome != Outcome::Success;
        let others = || attempts.iter().filter(|attempt| Some(attempt.number) != last);
        let (mut total, mut wasted) = match self.folded.as_deref() {
            Some(Folded { total, wasted }) => (Some(total.clone()), Some(wasted.clone())),
            None => (None, None),
        };
        for attempt in others() {
            let Some(usage) = &attempt.usage else { continue };
            add_usage(total.get_or_insert_default(), usage);
            if is_wasted(attempt) {
                add_usage(wasted.get_or_insert_default(), usage);
            }
        }
        if let Some(usage) = &record.usage {
            add_usage(total.get_or_insert_default(), usage);
        }
        // Attempts of which only raw numbers are known, a total for example, add up to nothing.
        record.total_usage = total.filter(|usage| !usage.is_absent());
        record.wasted_usage = wasted.filter(|usage| !usage.is_absent());

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

    fn diagnostics(&self) -> Diagnostics {
        let Counts { resolution, .. } = self.counts;
        let sum = |count: fn(&Attempt) -> u64| self.attempts.iter().map(count).fold(0, u64::saturating_add);
        Diagnostics {
            clock_regressions: u64::from(self.counts.clock_regressions),
            late_events: u64::from(self.counts.late_events),
            rejected_usage_values: u64::from(self.counts.rejected_usage),
            duplicate_ends: 0,
            decode_errors: u64::from(self.counts.decode_errors),
            compressed_body: self.counts.compressed,
            oversized_frames: u64::from(self.counts.oversized_frames),
            unmatched_phases: u64::from(self.counts.unmatched_phases),
            stream_inferred: self.stream == Streaming::Inferred,
            server_timing_contradicts: false,
            clock: ClockQuality {
                frozen: false,
                resolution_ns: (resolution < u64::MAX).then(|| Nanos::from_nanos(resolution)),
            },
            dropped: Dropped {
                attempts: counted(u64::from(self.counts.dropped_attempts)),
                waits: counted(self.waits.dropped()),
                phases: None,
                events: counted(u64::from(self.counts.dropped_events)),
                tool_calls: counted(sum(|attempt| attempt.tools.dropped())),
                finish_reasons: counted(sum(|attempt| attempt.choices.dropped())),
                attributes: counted(u64::from(self.counts.dropped_attributes)),
            },
        }
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

fn keep_alives(attempt: &Attempt, origin: Timestamp) -> KeepAlives {
    KeepAlives { count: u64::from(attempt.keep_alives), last_ns: attempt.last_keep_alive.since(origin) }
}

/// Judges a finished call. What does not apply to it is not judged; a call that did not succeed met nothing.
fn judge(slo: &Slo, record: &Record) -> SloVerdict {
    let mut failed = Vec::new();
    if record.outcome != Outcome::Success {
        failed.push(String::from("outcome"));
    }
    let gaps = record.inter_chunk.as_ref();
    let over =
        |bound: Option<Nanos>, value: Option<Nanos>| bound.zip(value).is_some_and(|(bound, value)| value > bound);
    for (name, is_missed) in [
        ("ttft", over(slo.ttft_ns, record.ttft_ns)),
        ("inter_chunk_p99", over(slo.inter_chunk_p99_ns, gaps.map(|gaps| gaps.p99_ns))),
        ("time_per_output_token", over(slo.time_per_output_token_ns, record.time_per_output_token_ns)),
        ("duration", over(slo.duration_ns, Some(record.duration_ns))),
        ("stalls", slo.stalls.zip(gaps).is_some_and(|(bound, gaps)| gaps.stalls > bound)),
    ] {
        if is_missed {
            failed.push(name.into());
        }
    }
    SloVerdict { met: failed.is_empty(), failed }
}
