//! What happened to each attempt.

use llmspan_core::{
    delta::{Delta, Terminal, UsageReport},
    event::Event,
    machine::{AttemptStart, Failure, Headers},
    provider::Protocol,
    record::{TimeoutKind, WaitReason},
    time::Nanos,
};

use crate::told::{Story, What};

/// One attempt: what counts for it, and the evidence of how it ended.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Attempt<'a> {
    pub(crate) number: u32,
    pub(crate) begin: Option<&'a AttemptStart>,
    pub(crate) start: u64,
    /// Everything decoded that counts.
    pub(crate) taken: Vec<Taken<'a>>,
    /// Every report of tokens, late ones included.
    pub(crate) usage: Vec<UsageReport>,
    pub(crate) headers: Vec<(u64, &'a Headers)>,
    pub(crate) request_sent: Vec<u64>,
    pub(crate) delivered: Vec<u64>,
    /// Times at which raw bytes came.
    pub(crate) bytes: Vec<u64>,
    pub(crate) protocols: Vec<Protocol>,
    /// What the caller said of its failures.
    pub(crate) failures: Vec<&'a Failure>,
    /// Every error, of the response and of the caller, in order.
    pub(crate) faults: Vec<Fault<'a>>,
    pub(crate) retry_after: Option<Nanos>,
    /// The time of the end marker.
    pub(crate) marker: Option<u64>,
    /// A finish reason for every choice may stand for the end marker.
    finish_is_enough: bool,
    /// The time of the first thing that closed it.
    pub(crate) closed: Option<u64>,
    pub(crate) stream_ended: bool,
    /// Nothing else had closed it by then.
    pub(crate) stream_ended_first: bool,
    pub(crate) cancelled: bool,
    /// The caller had aborted before it began.
    pub(crate) cancelled_before: bool,
    pub(crate) consumer_closed: bool,
    pub(crate) timed_out: Option<TimeoutKind>,
    /// Another attempt took its place while it ran.
    pub(crate) given_up: bool,
    /// A retry was scheduled while nothing else had closed it.
    pub(crate) retried: Option<WaitReason>,
    /// A retry was scheduled, or another attempt took its place.
    is_history: bool,
    /// When the server was heard of last.
    pub(crate) alive: u64,
    pub(crate) late: u64,
}

/// What was decoded, with its place in the story.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken<'a> {
    pub(crate) place: usize,
    pub(crate) at: u64,
    pub(crate) delta: &'a Delta<'static>,
}

/// One error.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fault<'a> {
    pub(crate) error_type: Option<&'a str>,
    pub(crate) status_code: Option<u16>,
    pub(crate) abort_like: bool,
}

/// The attempts of a call in the order of their numbers.
pub(crate) fn attempts<'s>(story: &'s Story<'_>) -> Vec<Attempt<'s>> {
    let begins = story.told.iter().enumerate().filter(|(_, told)| matches!(told.what, What::Began(_)));
    begins.map(|(place, _)| attempt(story, place)).collect()
}

fn attempt<'s>(story: &'s Story<'_>, begins_at: usize) -> Attempt<'s> {
    let first = &story.told[begins_at];
    let number = first.attempt.unwrap_or(0);
    let mut it = Attempt { number, start: first.at, alive: first.at, ..Attempt::default() };
    if let What::Began(begin) = &first.what {
        it.begin = *begin;
    }
    it.cancelled_before = story.told[..begins_at].iter().any(|told| matches!(told.what, What::Event(Event::Cancelled)));

    let mut latest = number;
    for (place, told) in story.told.iter().enumerate().skip(begins_at + 1) {
        let at = told.at;
        let is_mine = told.attempt == Some(number);
        match &told.what {
            What::Began(begin) => {
                latest = told.attempt.unwrap_or(latest);
                if !begin.is_some_and(|begin| begin.hedged) {
                    it.given_up |= it.is_open();
                    it.close(at);
                    it.is_history = true;
                }
            }
            What::Event(Event::RetryScheduled(retry)) => {
                if it.is_open() {
                    it.retried = Some(retry.reason);
                }
                it.close(at);
                it.is_history = true;
            }
            What::Event(Event::Cancelled) if it.is_up_to_the_caller() => {
                it.cancelled = true;
                it.close(at);
            }
            What::Event(Event::ConsumerClosed) if it.is_up_to_the_caller() && (is_mine || told.attempt.is_none()) => {
                it.consumer_closed = true;
                it.close(at);
            }
            What::Event(Event::TimedOut(kind)) if !it.is_sealed() && !it.is_complete() => {
                it.timed_out = it.timed_out.or(Some(*kind));
                it.close(at);
            }
            _ if !is_mine => {}
            What::Event(Event::Usage(usage)) => {
                it.usage.push(usage.to_report());
                it.late += u64::from(it.closed.is_some() && number != latest);
            }
            What::Event(Event::Delivered) => it.delivered.push(at),
            What::Event(Event::AttemptFailed(failure)) => it.fail(at, failure),
            What::Delta(delta) => it.take(Taken { place, at, delta }),
            What::Rest(delta) if it.closed.is_none() => it.take(Taken { place, at, delta }),
            What::Event(Event::StreamEnded) if !it.is_sealed() => {
                it.stream_ended_first = it.closed.is_none();
                it.stream_ended = true;
                it.close(at);
            }
            What::Event(Event::RequestSent | Event::HeadersReceived(_)) if it.is_sealed() => it.late += 1,
            What::Event(Event::RequestSent) => it.request_sent.push(at),
            What::Event(Event::HeadersReceived(headers)) => {
                it.headers.push((at, headers));
                it.retry_after = headers.retry_after_ns.or(it.retry_after);
                it.alive = at;
            }
            What::Bytes(protocol) if !it.is_sealed() => {
                it.bytes.push(at);
                it.protocols.push(*protocol);
                it.alive = at;
            }
            What::Payload(protocol) if !it.is_sealed() => it.protocols.push(*protocol),
            _ => {}
        }
    }
    it
}

impl<'s> Attempt<'s> {
    /// The end: with a complete response its marker or the last chunk, else what closed it first, else the end of the call.
    pub(crate) fn end(&self, call_end: u64) -> u64 {
        if !self.is_complete() {
            return self.closed.unwrap_or(call_end);
        }
        let last = self.chunks().map(|(at, _)| at).last();
        self.marker.max(last).unwrap_or(call_end)
    }

    /// The decoded events of the response.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (u64, &'s Delta<'static>)> {
        self.taken.iter().filter(|taken| taken.delta.chunk).map(|taken| (taken.at, taken.delta))
    }

    /// The chunks that a user could see.
    pub(crate) fn visible(&self) -> impl Iterator<Item = (u64, &'s Delta<'static>)> {
        self.chunks().filter(|(_, delta)| !delta.visible.is_empty())
    }

    /// Everything that was decoded.
    pub(crate) fn deltas(&self) -> impl DoubleEndedIterator<Item = &'s Delta<'static>> {
        self.taken.iter().map(|taken| taken.delta)
    }

    /// Whether the response came to its end, and did not fail before.
    pub(crate) fn is_complete(&self) -> bool {
        let is_finished = self.finish_is_enough && are_finished(self.deltas());
        self.faults.is_empty() && (self.marker.is_some() || is_finished)
    }

    /// Whether nothing has ended it so far.
    pub(crate) fn is_open(&self) -> bool {
        self.closed.is_none() && !self.is_complete()
    }

    /// Whether what comes from the server is late, whatever it is. After a close or a timeout it is not: those are no facts
    /// about the response.
    pub(crate) fn is_sealed(&self) -> bool {
        !self.faults.is_empty() || self.stream_ended || self.cancelled || self.is_history
    }

    /// Whether an abort or a close of the caller's can say how it ended.
    fn is_up_to_the_caller(&self) -> bool {
        !self.is_history && !self.stream_ended && !self.is_complete()
    }

    /// Whether the caller's abort explains how it ended.
    pub(crate) fn is_aborted(&self) -> bool {
        self.cancelled
            || (self.cancelled_before && self.faults.iter().all(|fault| fault.abort_like) && !self.faults.is_empty())
    }

    /// The status of the response: the last one that its headers gave, else the caller's.
    pub(crate) fn status(&self) -> Option<u16> {
        let of_headers = self.headers.iter().filter_map(|(_, headers)| headers.status_code).next_back();
        of_headers.or_else(|| self.failures.iter().find_map(|failure| failure.status_code))
    }

    /// The status, if it is one of an error.
    pub(crate) fn error_status(&self) -> Option<u16> {
        self.status().filter(|status| *status >= 400)
    }

    fn close(&mut self, at: u64) {
        self.closed = self.closed.or(Some(at));
    }

    fn fail(&mut self, at: u64, failure: &'s Failure) {
        if self.given_up {
            self.late += 1;
        } else if !self.is_complete() {
            self.retry_after = failure.retry_after_ns.or(self.retry_after);
            self.failures.push(failure);
            self.faults.push(Fault {
                error_type: failure.error_type.as_deref(),
                status_code: failure.status_code,
                abort_like: failure.abort_like,
            });
            self.close(at);
        }
    }

    fn take(&mut self, taken: Taken<'s>) {
        let delta = taken.delta;
        self.usage.extend(delta.usage);
        let may_complete = delta.error.is_none() && self.error_status().is_none();
        let marks_the_end = may_complete && delta.terminal == Terminal::Yes;
        let finish_is_enough =
            self.finish_is_enough || (may_complete && delta.terminal == Terminal::WhenEveryChoiceFinished);
        let is_finished = || finish_is_enough && are_finished(self.deltas().chain([delta]));
        let completes = may_complete && (marks_the_end || is_finished());
        if self.closed.is_some() && (self.is_sealed() || (!self.is_complete() && !completes)) {
            // An end marker that is no chunk is how streams end: nothing of it is late.
            self.late += u64::from(delta.chunk || delta.keep_alives > 0);
            return;
        }
        self.taken.push(taken);
        self.alive = taken.at;
        // What comes behind the end marker does not take it back.
        if self.marker.is_none() {
            let ends_with_error = delta.choices.iter().any(|choice| {
                choice.finish_reason.as_deref().is_some_and(|reason| reason.eq_ignore_ascii_case("error"))
            });
            if let Some(error) = &delta.error {
                self.retry_after = error.retry_after_ns.or(self.retry_after);
                let (error_type, status_code) = (error.error_type.as_deref(), error.status_code);
                self.faults.push(Fault { error_type, status_code, abort_like: false });
                self.close(taken.at);
            } else if ends_with_error {
                self.faults.push(Fault::default());
                self.close(taken.at);
            }
        }
        self.finish_is_enough = finish_is_enough;
        if marks_the_end {
            self.marker = self.marker.or(Some(taken.at));
        }
    }
}

/// Whether there are choices, and each of them has a finish reason.
fn are_finished<'d>(deltas: impl Iterator<Item = &'d Delta<'static>>) -> bool {
    let choices: Vec<_> = deltas.flat_map(|delta| &delta.choices).collect();
    let finished: Vec<u32> = choices.iter().filter(|choice| is_finish(choice)).map(|choice| choice.index).collect();
    !finished.is_empty() && choices.iter().all(|choice| finished.contains(&choice.index))
}

fn is_finish(choice: &llmspan_core::delta::ChoiceDelta<'_>) -> bool {
    choice.finish_reason.as_deref().is_some_and(|reason| !reason.is_empty())
}

/// When the server was heard of last by an attempt that runs; absent when none does.
pub(crate) fn last_sign_of_life(attempts: &[Attempt<'_>]) -> Option<u64> {
    attempts.iter().filter(|attempt| attempt.is_open()).map(|it| it.alive).max()
}
