//! How an attempt and a call ended: the decision order.

use llmspan_core::{
    event::Event,
    machine::WaitEnd,
    record::{Outcome, RecordError, TimeoutKind, WaitReason},
};

use crate::{
    attempt::Attempt,
    calls::How,
    told::{Story, What, says_something},
};

/// What a record says of an end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) timeout_kind: Option<TimeoutKind>,
    pub(crate) error: Option<RecordError>,
}

/// What the caller and its clock did.
#[derive(Clone, Copy, Debug, Default)]
struct Signals {
    cancelled: bool,
    consumer_closed: bool,
    timed_out: Option<TimeoutKind>,
}

/// The verdict on one attempt of a call that ended with `how`.
pub(crate) fn of_attempt(it: &Attempt<'_>, is_stream: bool, how: &How<'_>, is_final: bool) -> Verdict {
    let is_open = it.closed.is_none();
    let mut signals =
        Signals { cancelled: it.is_aborted(), consumer_closed: it.consumer_closed, timed_out: it.timed_out };
    if let (How::TimedOut(kind), false) = (how, it.is_sealed()) {
        signals.timed_out = signals.timed_out.or(Some(*kind));
    }
    if let Some(verdict) = of_response(it).or_else(|| of_signals(it, is_stream, signals)) {
        return verdict;
    }
    if it.given_up {
        return plain(Outcome::Abandoned);
    }
    // A retry says by its reason what was wrong, unless the response was sound.
    if let Some(reason) = it.retried {
        return match reason {
            WaitReason::Network => error(Some("network"), None),
            WaitReason::RateLimit => error(Some("rate_limit"), None),
            WaitReason::Timeout => error(Some("timeout"), None),
            WaitReason::Truncation => error(Some("stream_truncated"), None),
            WaitReason::Other | WaitReason::ServerError => error(None, None),
            _ => plain(Outcome::Success),
        };
    }
    match how {
        How::Caller(failure) if is_open && says_something(failure) => told(it, failure),
        How::Abandoned if is_open => plain(Outcome::Abandoned),
        _ if is_open && !is_final => plain(Outcome::Abandoned),
        _ => plain(Outcome::Success),
    }
}

/// The verdict on the call, after its final attempt.
pub(crate) fn of_call(
    story: &Story<'_>,
    last: Option<&Attempt<'_>>,
    own: Option<Verdict>,
    is_stream: bool,
    how: &How<'_>,
) -> Verdict {
    let response = last.and_then(of_response);
    if response.as_ref().is_some_and(|verdict| verdict.outcome == Outcome::Success) {
        return plain(Outcome::Success);
    }
    // What came since the latest attempt began.
    let begun = story.told.iter().rposition(|told| matches!(told.what, What::Began(_)));
    let since = &story.told[begun.map_or(0, |place| place + 1)..];
    let mut signals = Signals::default();
    // Whether the wait behind it is still open, and whether it was given up: also one that the call ends in.
    let (mut waited, mut is_waiting, mut gave_up_waiting) = (false, false, false);
    for told in since {
        match &told.what {
            What::Event(Event::Cancelled) => {
                signals.cancelled = true;
                gave_up_waiting |= waited;
                is_waiting = false;
            }
            What::Event(Event::ConsumerClosed) => {
                let latest = story.told[begun.unwrap_or(0)].attempt;
                signals.consumer_closed |= told.attempt.is_none() || told.attempt == latest;
            }
            What::Event(Event::TimedOut(kind)) => signals.timed_out = signals.timed_out.or(Some(*kind)),
            What::Event(Event::RetryScheduled(_)) => {
                (is_waiting, waited, gave_up_waiting) = (true, true, true);
            }
            What::Event(Event::RetryWaitEnded(end)) if is_waiting => {
                gave_up_waiting = *end == WaitEnd::Aborted || signals.cancelled;
                is_waiting = false;
            }
            _ => {}
        }
    }
    if let How::TimedOut(kind) = how {
        signals.timed_out = signals.timed_out.or(Some(*kind));
    }
    if let How::Caller(failure) = how
        && says_something(failure)
    {
        // The caller's last word; a bare status that the response explained already is none.
        return match (last, response) {
            (_, Some(verdict)) if failure.error_type.is_none() => {
                let known = verdict.error.as_ref().and_then(|error| error.status_code);
                let is_news = failure.status_code.is_some() && known.is_some() && failure.status_code != known;
                if is_news { error(None, failure.status_code) } else { verdict }
            }
            (Some(last), _) => told(last, failure),
            (None, _) => error(failure.error_type.as_deref(), failure.status_code),
        };
    }
    // Once a retry was scheduled, the error before it counts as handled.
    let last = last.filter(|_| !gave_up_waiting);
    let decided = match last {
        Some(last) => {
            signals.cancelled |= last.is_aborted();
            response.or_else(|| of_signals(last, is_stream, signals))
        }
        None => of_caller(signals),
    };
    match (decided, how) {
        (Some(verdict), _) => verdict,
        (None, How::Abandoned) => plain(Outcome::Abandoned),
        // Giving up while waiting is the caller's abort.
        (None, _) if gave_up_waiting => plain(Outcome::Cancelled),
        (None, _) => own.unwrap_or_default(),
    }
}

/// What the response itself says: complete, or failed. Nothing of what the caller did takes it back.
fn of_response(it: &Attempt<'_>) -> Option<Verdict> {
    if it.is_complete() {
        return Some(plain(Outcome::Success));
    }
    let is_real = it.faults.iter().any(|fault| !fault.abort_like);
    (is_real || it.error_status().is_some()).then(|| failed(it))
}

/// The rest of the decision order: abort, a stream that ended by itself, close, timeout, an end behind one of these, and an
/// abort that nobody explains.
fn of_signals(it: &Attempt<'_>, is_stream: bool, signals: Signals) -> Option<Verdict> {
    let needs_a_marker = is_stream || !it.protocols.is_empty() || it.chunks().next().is_some();
    let cut = || error(Some("stream_truncated"), None);
    if signals.cancelled {
        return Some(plain(Outcome::Cancelled));
    }
    if it.stream_ended_first && needs_a_marker {
        return Some(cut());
    }
    if let Some(verdict) = of_caller(signals) {
        return Some(verdict);
    }
    if it.stream_ended && needs_a_marker {
        return Some(cut());
    }
    it.faults.first().map(|_| failed(it))
}

fn of_caller(signals: Signals) -> Option<Verdict> {
    if signals.cancelled {
        return Some(plain(Outcome::Cancelled));
    }
    if signals.consumer_closed {
        return Some(plain(Outcome::Interrupted));
    }
    signals.timed_out.map(|kind| Verdict {
        outcome: Outcome::TimedOut,
        timeout_kind: Some(kind),
        ..error(Some("timeout"), None)
    })
}

/// The error of an attempt. The first one names it, and the others fill in what it does not say; of errors that look like an
/// abort, beside real ones, only the status is read.
fn failed(it: &Attempt<'_>) -> Verdict {
    let is_real = it.faults.iter().any(|fault| !fault.abort_like);
    // An error status is a real error too, and all there is beside errors that look like an abort.
    if !is_real && it.error_status().is_some() {
        return error(of_headers(it), it.error_status());
    }
    let named: Vec<_> = it.faults.iter().filter(|fault| fault.abort_like != is_real).collect();
    let error_type = named.iter().find_map(|fault| fault.error_type).or_else(|| of_headers(it));
    let first = named.first().and_then(|fault| fault.status_code);
    let status_code =
        first.or_else(|| it.faults.iter().find_map(|fault| fault.status_code)).or_else(|| it.error_status());
    error(error_type, status_code)
}

/// An error that the caller told at the end of its call.
fn told(it: &Attempt<'_>, failure: &llmspan_core::machine::Failure) -> Verdict {
    error(failure.error_type.as_deref().or_else(|| of_headers(it)), failure.status_code.or_else(|| it.error_status()))
}

/// The class of error that the headers name, of a response with an error status.
fn of_headers<'a>(it: &Attempt<'a>) -> Option<&'a str> {
    it.error_status()?;
    it.headers.iter().find_map(|(_, headers)| headers.error_type.as_deref())
}

fn plain(outcome: Outcome) -> Verdict {
    Verdict { outcome, ..Verdict::default() }
}

fn error(error_type: Option<&str>, status_code: Option<u16>) -> Verdict {
    let mut error = RecordError::default();
    error.error_type = match (error_type, status_code) {
        (Some(error_type), _) => error_type.into(),
        (None, Some(status)) => status.to_string(),
        (None, None) => String::from("_OTHER"),
    };
    error.status_code = status_code;
    Verdict { outcome: Outcome::Error, timeout_kind: None, error: Some(error) }
}
