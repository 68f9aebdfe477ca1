//! How a call or an attempt ended.
//!
//! Evidence is gathered while events come, in whatever order; at the end the first of these that holds decides:
//!
//! 1. The response was complete: success, also if the consumer then closes, the caller aborts or a later step fails.
//! 2. The provider or the transport failed, and not just as an abort does: error. A failure that a retry was scheduled for
//!    counts as handled.
//! 3. The caller aborted: cancelled, also if the error that followed is abort-like or the stream just ended.
//! 4. The stream ended by itself without an end marker: error, `stream_truncated`.
//! 5. The consumer stopped reading: interrupted.
//! 6. A deadline passed: timed out.
//! 7. An abort-like error that nobody's abort explains: error.
//! 8. The call was dropped, or its attempt superseded: abandoned.
//! 9. Nothing of all that: success, as of a body that was reported by its token counts alone.
//!
//! The call is judged by its final attempt; what happened to an earlier one never reaches it.

use alloc::{borrow::Cow, format};

use super::{
    attempt::{Attempt, Eof},
    call::{Machine, WhatEnded},
    input::Failure,
};
use crate::record::{Outcome, RecordError, TimeoutKind, WaitReason};

/// An outcome with what belongs to it.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) timeout_kind: Option<TimeoutKind>,
    pub(super) error: Option<RecordError>,
}

impl Verdict {
    fn of(outcome: Outcome) -> Self {
        Self { outcome, timeout_kind: None, error: None }
    }

    /// A failure of that attempt, if there was one: its status, and the class that its headers name, fill in what is not said.
    fn error(failure: &Failure, attempt: Option<&Attempt>) -> Self {
        let response_status = attempt.and_then(|attempt| attempt.status_code);
        let status_code = failure.status_code.or(response_status.filter(|status| *status >= 400));
        let named = failure.error_type.as_deref().or_else(|| attempt?.error_type_of_headers());
        let error_type = match (named, status_code) {
            (Some(error_type), _) => Cow::Borrowed(error_type),
            (None, Some(status)) => Cow::Owned(format!("{status}")),
            (None, None) => Cow::Borrowed("_OTHER"),
        };
        Self {
            error: Some(RecordError {
                error_type: error_type.into_owned(),
                status_code,
                message: failure.message.as_deref().map(Into::into),
            }),
            ..Self::of(Outcome::Error)
        }
    }

    fn error_type(error_type: &str) -> Self {
        Self::error(&Failure::of_type(error_type), None)
    }

    fn timed_out(kind: TimeoutKind) -> Self {
        Self {
            timeout_kind: Some(kind),
            error: Some(RecordError { error_type: "timeout".into(), ..RecordError::default() }),
            ..Self::of(Outcome::TimedOut)
        }
    }
}

/// What the caller's side did, to one attempt or to the call.
struct Given {
    cancelled: bool,
    closed: bool,
    timed_out: Option<TimeoutKind>,
}

impl Machine {
    /// How one attempt ended.
    pub(super) fn attempt_verdict(&self, attempt: &Attempt, ended: &WhatEnded) -> Verdict {
        let evidence = &attempt.evidence;
        let aborted = evidence.failure.as_ref().is_some_and(|failure| failure.abort_like);
        let cancelled = evidence.cancelled || (evidence.cancelled_before && aborted);
        let given = Given { cancelled, closed: evidence.closed.is_set(), timed_out: evidence.timed_out };
        if attempt.is_complete() {
            return Verdict::of(Outcome::Success);
        }
        if let Some(verdict) = real_failure(attempt).or_else(|| self.decide(attempt, &given)) {
            return verdict;
        }
        if evidence.superseded {
            return Verdict::of(Outcome::Abandoned);
        }
        if let Some(error_type) = evidence.retried.and_then(failure_behind) {
            return Verdict::error_type(error_type);
        }
        // Still open when the call ended: the end of the call says how.
        match ended {
            WhatEnded::Caller(failure) if !failure.is_empty() && !evidence.ended.is_set() => {
                Verdict::error(failure, Some(attempt))
            }
            WhatEnded::Dropped | WhatEnded::Expired(_) if !evidence.ended.is_set() => Verdict::of(Outcome::Abandoned),
            // A hedged attempt that another one beat.
            _ if !evidence.ended.is_set() && self.final_attempt().is_some_and(|last| last.number != attempt.number) => {
                Verdict::of(Outcome::Abandoned)
            }
            _ => Verdict::of(Outcome::Success),
        }
    }

    /// How the call ended, after its final attempt.
    pub(super) fn call_verdict(&self, last: Option<&Attempt>, ended: &WhatEnded, in_wait: bool) -> Verdict {
        if last.is_some_and(Attempt::is_complete) {
            return Verdict::of(Outcome::Success);
        }
        let last_failure = last.and_then(real_failure);
        if let WhatEnded::Caller(failure) = ended
            && !failure.is_empty()
        {
            return Self::last_word(failure, last, last_failure);
        }
        // Once a retry was scheduled, the error before it counts as handled.
        if !in_wait && let Some(verdict) = last_failure {
            return verdict;
        }
        let aborted = |attempt: &Attempt| {
            let evidence = &attempt.evidence;
            evidence.cancelled_before && evidence.failure.as_ref().is_some_and(|failure| failure.abort_like)
        };
        let cancelled = self.signals.cancelled || (!in_wait && last.is_some_and(aborted));
        let given = Given { cancelled, closed: self.signals.closed, timed_out: self.signals.timed_out };
        let decided = match last {
            Some(attempt) if !in_wait => self.decide(attempt, &given),
            _ => by_the_caller(&given),
        };
        if let Some(verdict) = decided {
            return verdict;
        }
        match ended {
            WhatEnded::Dropped | WhatEnded::Expired(_) => Verdict::of(Outcome::Abandoned),
            _ if in_wait => Verdict::of(Outcome::Cancelled),
            _ => match last {
                Some(attempt) => self.attempt_verdict(attempt, ended),
                None => Verdict::of(Outcome::Success),
            },
        }
    }

    /// The caller's own last failure. A bare status that the attempt explained already keeps the attempt's type.
    fn last_word(failure: &Failure, last: Option<&Attempt>, last_failure: Option<Verdict>) -> Verdict {
        match last_failure {
            Some(verdict) if failure.error_type.is_none() => {
                let known = verdict.error.as_ref().and_then(|error| error.status_code);
                if failure.status_code.is_none() || known.is_none() || known == failure.status_code {
                    return verdict;
                }
                Verdict::error(failure, None)
            }
            _ => Verdict::error(failure, last),
        }
    }

    /// The part of the order below a real failure; `None` when nothing of it happened.
    fn decide(&self, attempt: &Attempt, given: &Given) -> Option<Verdict> {
        let evidence = &attempt.evidence;
        if given.cancelled {
            return Some(Verdict::of(Outcome::Cancelled));
        }
        // A stream that ended by itself before anybody closed it, or gave up on it, was cut.
        let cut = evidence.eof.filter(|_| self.expects_an_end_marker(attempt));
        if cut == Some(Eof::First) {
            return Some(Verdict::error_type("stream_truncated"));
        }
        if let Some(verdict) = by_the_caller(given) {
            return Some(verdict);
        }
        if cut.is_some() {
            return Some(Verdict::error_type("stream_truncated"));
        }
        // An abort-like error that nobody's abort explains.
        evidence.failure.as_deref().map(|failure| Verdict::error(failure, Some(attempt)))
    }

    /// Whether an end of the stream without an end marker means that it was cut.
    fn expects_an_end_marker(&self, attempt: &Attempt) -> bool {
        self.stream.is_on() || attempt.protocol.is_some() || attempt.sizes.chunks > 0
    }
}

fn by_the_caller(given: &Given) -> Option<Verdict> {
    if given.cancelled {
        Some(Verdict::of(Outcome::Cancelled))
    } else if given.closed {
        Some(Verdict::of(Outcome::Interrupted))
    } else {
        given.timed_out.map(Verdict::timed_out)
    }
}

/// A failure of the provider or the transport that is not abort-like, or a status that says as much.
fn real_failure(attempt: &Attempt) -> Option<Verdict> {
    match attempt.evidence.failure.as_deref() {
        Some(failure) if !failure.abort_like => Some(Verdict::error(failure, Some(attempt))),
        // An abort of what was left to read does not take the status back.
        _ => attempt
            .status_code
            .filter(|status| *status >= 400)
            .map(|status| Verdict::error(&Failure::of_status(status), Some(attempt))),
    }
}

/// The class of failure that a retry names as its reason; none where the response itself was sound.
fn failure_behind(reason: WaitReason) -> Option<&'static str> {
    match reason {
        WaitReason::Content | WaitReason::Continuation | WaitReason::Fallback | WaitReason::KeyPool => None,
        WaitReason::Network => Some("network"),
        WaitReason::RateLimit => Some("rate_limit"),
        WaitReason::Timeout => Some("timeout"),
        WaitReason::Truncation => Some("stream_truncated"),
        WaitReason::Other | WaitReason::ServerError => Some("_OTHER"),
    }
}
