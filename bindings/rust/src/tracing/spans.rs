//! The spans of one call, brought up to date from its records.

use std::{collections::BTreeMap, sync::OnceLock};

use llmspan_core::{
    names::Profile,
    record::{AttemptRecord, EventKind, Record},
};
use tracing_core::{Dispatch, Kind, dispatcher};

use super::{
    callsite::{Site, Sites},
    fields::{self, ATTEMPT_END, ATTEMPT_START, CALL_END, CALL_START, Subject, Values},
    span::Span,
};

/// The open spans of a call and its attempts.
///
/// A call that is open is shown to it as the record that it would have if it ended at the end of time: an attempt that ends
/// before that is over, and its values are final.
#[derive(Debug)]
pub(crate) struct Spans {
    names: &'static Names,
    dispatch: Dispatch,
    /// Absent when the subscriber wants the spans of attempts alone.
    call: Option<Span>,
    /// Spans of the attempts that are not over, by number.
    attempts: BTreeMap<u32, Span>,
    /// Number of the latest attempt that was seen.
    latest: u32,
    retries: usize,
}

impl Spans {
    /// Opens the span of a call under the current one. `None` when there is no subscriber, or none that wants any of it.
    ///
    /// `record` makes the record of the call as it is.
    pub(crate) fn open(record: impl FnOnce() -> Option<Record>) -> Option<Self> {
        if !dispatcher::has_been_set() {
            return None;
        }
        let names = Names::get()?;
        let record = record()?;
        // Before the dispatcher is taken: a site that is registered meanwhile finds no subscriber.
        let site = names.call_site(&record);
        if !site.is_of_interest() && !names.attempt.is_of_interest() {
            return None;
        }
        let mut values = fields::of_call(names.profile, &record, CALL_START);
        values.push(fields::kind(names.profile));
        let spans = dispatcher::get_default(|dispatch| Self {
            names,
            dispatch: dispatch.clone(),
            call: Span::open(dispatch, site, &values),
            attempts: BTreeMap::new(),
            latest: 0,
            retries: 0,
        });
        (spans.call.is_some() || names.attempt.is_of_interest()).then_some(spans)
    }

    /// Opens the spans of attempts that began, and closes those of attempts that are over.
    pub(crate) fn follow(&mut self, record: &Record) {
        self.close_attempts(record, |attempt| {
            attempt.start_ns.saturating_add(attempt.duration_ns) < record.duration_ns
        });
        self.tell_retries(record);
        self.open_attempts(record);
    }

    /// Closes everything with the final record of the call.
    pub(crate) fn end(mut self, record: &Record) {
        self.close_attempts(record, |_| true);
        self.attempts.clear();
        if let Some(call) = self.call.take() {
            let mut values = fields::of_call(self.names.profile, record, CALL_END);
            values.extend(fields::status(record.otel_status));
            call.record(&values);
        }
    }

    /// Whether a span of an attempt is open.
    pub(crate) fn has_open_attempts(&self) -> bool {
        !self.attempts.is_empty()
    }

    fn close_attempts(&mut self, record: &Record, is_over: impl Fn(&AttemptRecord) -> bool) {
        if self.attempts.is_empty() {
            return;
        }
        // An attempt that the record dropped is long over; one that it does not know yet began on another thread.
        self.attempts.retain(|number, _| {
            u64::from(*number) > record.attempt_count || record.attempts.iter().any(|attempt| attempt.number == *number)
        });
        let ends = fields::of_attempts(self.names.profile, record, ATTEMPT_END);
        for (attempt, mut values) in record.attempts.iter().zip(ends) {
            if is_over(attempt)
                && let Some(span) = self.attempts.remove(&attempt.number)
            {
                values.extend(fields::status(attempt.outcome.otel_status()));
                span.record(&values);
            }
        }
    }

    fn open_attempts(&mut self, record: &Record) {
        if record.attempts.iter().all(|attempt| attempt.number <= self.latest) {
            return;
        }
        let starts = fields::of_attempts(self.names.profile, record, ATTEMPT_START);
        for (attempt, mut values) in record.attempts.iter().zip(starts) {
            if attempt.number > self.latest {
                self.latest = attempt.number;
                values.push(fields::kind(self.names.profile));
                let span = match &self.call {
                    Some(call) => call.open_child(self.names.attempt, &values),
                    None => Span::open(&self.dispatch, self.names.attempt, &values),
                };
                if let Some(span) = span {
                    self.attempts.insert(attempt.number, span);
                }
            }
        }
    }

    fn tell_retries(&mut self, record: &Record) {
        let retries = record.events.iter().filter(|event| event.kind == EventKind::Retry);
        for event in retries.skip(self.retries) {
            self.retries += 1;
            let Some(call) = &self.call else { continue };
            let mut values: Values = vec![("message", "retry scheduled".into())];
            values.extend(event.name.as_deref().map(|reason| ("reason", reason.into())));
            let millis = event.duration_ns.map(|delay| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
            values.extend(millis.map(|millis| ("delay_ms", millis.into())));
            call.event(self.names.retry, &values);
        }
    }
}

/// Names and sites of all spans, made when the first call needs them.
#[derive(Debug)]
struct Names {
    profile: &'static Profile,
    call_fields: Vec<&'static str>,
    calls: Sites,
    attempt: &'static Site,
    retry: &'static Site,
}

impl Names {
    fn get() -> Option<&'static Self> {
        static NAMES: OnceLock<Option<Names>> = OnceLock::new();
        NAMES.get_or_init(|| fields::profile().map(Self::of)).as_ref()
    }

    fn of(profile: &'static Profile) -> Self {
        // The profile's one span is that of an attempt: its convention knows no other.
        let attempt = profile.call_span_name(&Record::default()).leak();
        Self {
            profile,
            call_fields: fields::names(profile, Subject::Call),
            calls: Sites::new(),
            attempt: Site::register(attempt, Kind::SPAN, &fields::names(profile, Subject::Attempt)),
            retry: Site::register("llm.retry", Kind::EVENT, &["message", "reason", "delay_ms"]),
        }
    }

    fn call_site(&'static self, record: &Record) -> &'static Site {
        let operation = record.operation.as_deref().unwrap_or("chat");
        let streamed = if record.stream { "_stream" } else { "" };
        self.calls.span(&format!("llm.{operation}{streamed}"), &self.call_fields)
    }
}
