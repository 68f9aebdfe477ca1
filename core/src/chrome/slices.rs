//! From a record to the slices of its call.

use alloc::{format, string::String, vec::Vec};
use core::cmp::Reverse;

use super::{
    args::Args,
    layout::{Rows, Span},
};
use crate::{
    limits::{Limits, TRACE_ENTRIES, cut},
    record::{AttemptRecord, EventKind, PhaseRecord, Record, SpanEvent, WaitRecord},
    sorted::sort_by_key,
    time::{Nanos, UnixNanos},
};

/// One slice or instant of a call.
#[derive(Debug)]
pub(super) struct Slice {
    /// Row of the call, 0 its own.
    pub(super) row: usize,
    /// Nanoseconds from the start of the call.
    pub(super) start: u64,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) category: &'static str,
    /// A JSON object.
    pub(super) args: String,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A stretch of time, in nanoseconds.
    Complete(u64),
    Instant,
}

/// The slices of a call: on each row in the order of their starts, and what is around another one before it.
pub(super) fn of_call(record: &Record) -> Vec<Slice> {
    let call = Span { start: 0, end: record.duration_ns.as_nanos() };
    let mut drawing = Drawing { call, rows: Rows::default(), slices: Vec::new() };
    drawing.call(record);
    let rows = drawing.attempts(record);
    for wait in record.waits.iter().take(TRACE_ENTRIES) {
        drawing.wait(wait);
    }
    drawing.phases(&record.phases);
    for event in record.events.iter().take(TRACE_ENTRIES) {
        let row = rows.iter().find(|(number, _)| Some(*number) == event.attempt).map_or(0, |(_, row)| *row);
        drawing.event(event, row);
    }
    // The sort is stable: what was drawn first is around what has the same stretch.
    sort_by_key(&mut drawing.slices, |slice| match slice.kind {
        Kind::Complete(length) => (slice.start, false, Reverse(length)),
        Kind::Instant => (slice.start, true, Reverse(0)),
    });
    drawing.slices
}

/// The name of the slice of a call.
fn call_name(record: &Record) -> String {
    let operation = record.operation.as_deref().filter(|operation| !operation.is_empty()).unwrap_or("chat");
    let operation = cut(operation, Limits::default().name_bytes);
    let streamed = if record.stream { "_stream" } else { "" };
    format!("llm.{operation}{streamed}")
}

struct Drawing {
    call: Span,
    rows: Rows,
    slices: Vec<Slice>,
}

impl Drawing {
    fn call(&mut self, record: &Record) {
        let mut args = Args::default();
        args.text("call", Some(&record.call))
            .text("outcome", Some(record.outcome.as_str()))
            .text("provider", record.provider.as_deref())
            .text("model", record.model.as_deref())
            .text("response_model", record.response_model.as_deref())
            .text("response_id", record.response_id.as_deref())
            .text("trace_id", record.trace_id.as_deref())
            .text("span_id", record.span_id.as_deref())
            .error(record.status_code, record.error.as_ref())
            .texts("finish_reasons", &record.finish_reasons)
            .count("start_unix_ns", record.start_unix_ns.map(UnixNanos::as_nanos))
            .time("duration_ns", record.duration_ns)
            .time("request_setup_ns", record.request_setup_ns)
            .time("ttft_ns", record.ttft_ns)
            .time("call_ttft_ns", record.call_ttft_ns)
            .time("sampling_ns", record.sampling_ns)
            .time("tail_ns", record.tail_ns)
            .time("unattributed_ns", record.unattributed_ns)
            .rate("output_tokens_per_second", record.output_tokens_per_second)
            .rate("decode_tokens_per_second", record.decode_tokens_per_second)
            .time("time_per_output_token_ns", record.time_per_output_token_ns)
            .flag("output_buffered", record.output_buffered)
            .usage(record.usage.as_ref())
            .gaps(record.inter_chunk.as_ref())
            .count("attempt_count", record.attempt_count)
            .count("retry_count", record.retry_count)
            .time("retry_planned_delay_ns", record.retry_planned_delay_ns)
            .time("retry_actual_delay_ns", record.retry_actual_delay_ns)
            .count("tool_call_count", record.tool_call_count)
            .count("undrawn", undrawn(record))
            .attributes(&record.attributes);
        // Around everything, and in the way of nothing: row 0 is the row of the call without being told.
        self.draw(0, self.call, call_name(record), "call", &args);
    }

    /// Draws the attempts; gives the row of each by its number.
    fn attempts(&mut self, record: &Record) -> Vec<(u32, usize)> {
        let attempts = record.attempts.iter().take(TRACE_ENTRIES);
        attempts.map(|attempt| (attempt.number, self.attempt(attempt))).collect()
    }

    fn attempt(&mut self, attempt: &AttemptRecord) -> usize {
        let span = Span::within(self.call, attempt.start_ns.as_nanos(), attempt.duration_ns.as_nanos());
        let row = self.rows.place_step(span);
        let mut args = Args::default();
        args.count("attempt", u64::from(attempt.number))
            .text("outcome", Some(attempt.outcome.as_str()))
            .text("provider", attempt.provider.as_deref())
            .text("model", attempt.model.as_deref())
            .text("endpoint", attempt.endpoint.as_deref())
            .flag("hedged", attempt.hedged)
            .error(attempt.status_code, attempt.error.as_ref())
            .text("request_id", attempt.request_id.as_deref())
            .text("response_id", attempt.response_id.as_deref())
            .text("response_model", attempt.response_model.as_deref())
            .texts("finish_reasons", &attempt.finish_reasons)
            .time("duration_ns", attempt.duration_ns)
            .time("ttft_ns", attempt.ttft_ns)
            .time("sampling_ns", attempt.sampling_ns)
            .time("retry_after_ns", attempt.retry_after_ns)
            .usage(attempt.usage.as_ref())
            .count("tool_call_count", attempt.tool_call_count)
            .attributes(&attempt.attributes);
        self.draw(row, span, format!("attempt {}", attempt.number), "attempt", &args);

        let mut of_first_token = Args::default();
        of_first_token
            .time("ttft_ns", attempt.ttft_ns)
            .time("time_to_headers_ns", attempt.time_to_headers_ns)
            .time("time_to_first_chunk_ns", attempt.time_to_first_chunk_ns)
            .time("time_to_first_reasoning_ns", attempt.time_to_first_reasoning_ns)
            .time("time_to_first_answer_ns", attempt.time_to_first_answer_ns)
            .time("server_queue_ns", attempt.server.as_ref().and_then(|server| server.queue_ns))
            .time("server_prompt_ns", attempt.server.as_ref().and_then(|server| server.prompt_ns))
            .time("network_ns", attempt.network_ns);
        self.part(row, span, Some(Nanos::ZERO), attempt.ttft_ns, "first_token", &of_first_token);

        let mut of_sampling = Args::default();
        of_sampling
            .time("sampling_ns", attempt.sampling_ns)
            .usage(attempt.usage.as_ref())
            .rate("output_tokens_per_second", attempt.output_tokens_per_second)
            .rate("decode_tokens_per_second", attempt.decode_tokens_per_second)
            .time("time_per_output_token_ns", attempt.time_per_output_token_ns)
            .flag("output_buffered", attempt.output_buffered)
            .count("visible_chunks", attempt.content.as_ref().map(|content| content.visible_chunks))
            .gaps(attempt.inter_chunk.as_ref());
        self.part(row, span, attempt.ttft_ns, attempt.sampling_ns, "sampling", &of_sampling);

        let mut of_headers = Args::default();
        of_headers.time("time_to_headers_ns", attempt.time_to_headers_ns);
        let sent = attempt.marks.request_sent_ns.unwrap_or_default();
        self.part(row, span, Some(sent), attempt.time_to_headers_ns, "headers", &of_headers);
        row
    }

    /// Draws a part of an attempt, `after` its start. A part that the attempt cannot hold as a whole is not drawn.
    fn part(
        &mut self,
        row: usize,
        attempt: Span,
        after: Option<Nanos>,
        length: Option<Nanos>,
        name: &str,
        args: &Args<'_>,
    ) {
        let (Some(after), Some(length)) = (after, length) else { return };
        let start = attempt.start.saturating_add(after.as_nanos());
        let span = Span { start, end: start.saturating_add(length.as_nanos()) };
        if attempt.contains(span) && self.rows.place_part(row, span) {
            self.draw(row, span, name.into(), "attempt", args);
        }
    }

    fn wait(&mut self, wait: &WaitRecord) {
        let span = Span::within(self.call, wait.start_ns.as_nanos(), wait.actual_delay_ns.as_nanos());
        let row = self.rows.place_step(span);
        let mut args = Args::default();
        args.text("reason", Some(wait.reason.as_str()))
            .time("planned_delay_ns", wait.planned_delay_ns)
            .time("actual_delay_ns", wait.actual_delay_ns)
            .flag("server_requested", wait.server_requested)
            .flag("aborted", wait.aborted)
            .count("after_attempt", u64::from(wait.after_attempt));
        self.draw(row, span, format!("wait: {}", wait.reason.as_str()), "wait", &args);
    }

    fn phases(&mut self, phases: &[PhaseRecord]) {
        // Rows of the phases around the next one, from the outermost.
        let mut around: Vec<usize> = Vec::new();
        for phase in phases.iter().take(TRACE_ENTRIES) {
            let span = Span::within(self.call, phase.start_ns.as_nanos(), phase.duration_ns.as_nanos());
            around.truncate(usize::try_from(phase.depth).unwrap_or(usize::MAX));
            let row = self.rows.place_phase(around.last().copied(), span);
            around.push(row);
            let mut args = Args::default();
            args.time("duration_ns", phase.duration_ns)
                .count("depth", u64::from(phase.depth))
                .flag("left_open", phase.left_open);
            let name = if phase.name.is_empty() { "phase" } else { &phase.name };
            self.draw(row, span, cut(name, Limits::default().name_bytes).into(), "phase", &args);
        }
    }

    /// Draws a moment. First tokens and retries are the borders of slices already.
    fn event(&mut self, event: &SpanEvent, row: usize) {
        let word = match event.kind {
            EventKind::Finish => "finish",
            EventKind::Refusal => "refusal",
            EventKind::Stall => "stall",
            EventKind::ToolCall => "tool_call",
            EventKind::FirstToken | EventKind::Retry => return,
        };
        let name = event.name.as_deref().map(|name| cut(name, Limits::default().name_bytes));
        let mut args = Args::default();
        args.time("at_ns", event.at_ns)
            .count("attempt", event.attempt.map(u64::from))
            .text("name", name)
            .time("duration_ns", event.duration_ns);
        self.slices.push(Slice {
            row,
            start: event.at_ns.as_nanos().min(self.call.end),
            kind: Kind::Instant,
            name: name.map_or_else(|| word.into(), |name| format!("{word}: {name}")),
            category: "event",
            args: args.to_json(),
        });
    }

    fn draw(&mut self, row: usize, span: Span, name: String, category: &'static str, args: &Args<'_>) {
        let kind = Kind::Complete(span.length());
        self.slices.push(Slice { row, start: span.start, kind, name, category, args: args.to_json() });
    }
}

/// How many entries of the lists are past what is drawn of one call; absent when there are none.
fn undrawn(record: &Record) -> Option<u64> {
    let lists = [record.attempts.len(), record.waits.len(), record.phases.len(), record.events.len()];
    let past: usize = lists.iter().map(|length| length.saturating_sub(TRACE_ENTRIES)).sum();
    u64::try_from(past).ok().filter(|past| *past > 0)
}
