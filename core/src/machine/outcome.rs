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

use alloc::format;

use super::{
    attempt::{Attempt, Eof},
    call::{Machine, WhatEnded},
    input::Failure,
};
use crate::record::{Outcome, RecordError, TimeoutKind, WaitReason};

/// What decided: small enough to be handed around; what a record says of it is made once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending<'a> {
    /// What the outcome says, and no more.
    Plain(Outcome),
    /// A deadline passed.
    TimedOut(TimeoutKind),
    /// A failure of a class that the engine names itself.
    FailedAs(&'static str),
    /// A failure, as far as anyone told of it, and the attempt whose status and headers fill in what was not said.
    Failed(Option<&'a Failure>, Option<&'a Attempt>),
}

impl Ending<'_> {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Plain(outcome) => outcome,
            Self::TimedOut(_) => Outcome::TimedOut,
            Self::FailedAs(_) | Self::Failed(..) => Outcome::Error,
        }
    }

    pub(super) fn timeout_kind(self) -> Option<TimeoutKind> {
        match self {
            Self::TimedOut(kind) => Some(kind),
            _ => None,
        }
    }

    /// Why it failed, for the record.
    pub(super) fn error(self) -> Option<RecordError> {
        let named = match self {
            Self::Plain(_) => return None,
            Self::TimedOut(_) => Some("timeout"),
            Self::FailedAs(error_type) => Some(error_type),
            Self::Failed(failure, attempt) => {
                failure.and_then(|failure| failure.error_type.as_deref()).or_else(|| attempt?.error_type_of_headers())
            }
        };
        let message = match self {
            Self::Failed(Some(failure), _) => failure.message.as_deref(),
            _ => None,
        };
        let status_code = self.status_code();
        Some(RecordError {
            error_type: match (named, status_code) {
                (Some(error_type), _) => error_type.into(),
                (None, Some(status)) => format!("{status}"),
                (None, None) => "_OTHER".into(),
            },
            status_code,
            message: message.map(Into::into),
        })
    }

    fn status_code(self) -> Option<u16> {
        match self {
            Self::Failed(failure, attempt) => failure
                .and_then(|failure| failure.status_code)
                .or_else(|| attempt?.status_code.filter(|status| *status >= 400)),
            _ => None,
        }
    }
}

/// What the caller's side did, to one attempt or to the call.
#[derive(Clone, Copy)]
struct Given {
    cancelled: bool,
    closed: bool,
    timed_out: Option<TimeoutKind>,
}

impl Machine {
    /// How one attempt ended.
    pub(super) fn attempt_ending<'a>(&self, attempt: &'a Attempt, ended: &'a WhatEnded) -> Ending<'a> {
        let evidence = &attempt.evidence;
        let aborted = evidence.failure.as_ref().is_some_and(|failure| failure.abort_like);
        let cancelled = evidence.cancelled || (evidence.cancelled_before && aborted);
        let given = Given { cancelled, closed: evidence.closed.is_set(), timed_out: evidence.timed_out };
        if attempt.is_complete() {
            return Ending::Plain(Outcome::Success);
        }
        if let Some(ending) = real_failure(attempt).or_else(|| self.decide(attempt, given)) {
            return ending;
        }
        if evidence.superseded {
            return Ending::Plain(Outcome::Abandoned);
        }
        if let Some(error_type) = evidence.retried.and_then(failure_behind) {
            return Ending::FailedAs(error_type);
        }
        // Still open when the call ended: the end of the call says how.
        match ended {
            _ if evidence.ended.is_set() => Ending::Plain(Outcome::Success),
            WhatEnded::Caller(failure) if !failure.is_empty() => Ending::Failed(Some(failure), Some(attempt)),
            WhatEnded::Dropped | WhatEnded::Expired(_) => Ending::Plain(Outcome::Abandoned),
            // A hedged attempt that another one beat.
            _ if self.final_attempt().is_some_and(|last| last.number != attempt.number) => {
                Ending::Plain(Outcome::Abandoned)
            }
            _ => Ending::Plain(Outcome::Success),
        }
    }

    /// How the call ended, after its final attempt.
    pub(super) fn call_ending<'a>(&self, last: Option<&'a Attempt>, ended: &'a WhatEnded, in_wait: bool) -> Ending<'a> {
        if last.is_some_and(Attempt::is_complete) {
            return Ending::Plain(Outcome::Success);
        }
        let last_failure = last.and_then(real_failure);
        if let WhatEnded::Caller(failure) = ended
            && !failure.is_empty()
        {
            return last_word(failure, last, last_failure);
        }
        // Once a retry was scheduled, the error before it counts as handled.
        if !in_wait && let Some(ending) = last_failure {
            return ending;
        }
        let aborted = |attempt: &Attempt| {
            let evidence = &attempt.evidence;
            evidence.cancelled_before && evidence.failure.as_ref().is_some_and(|failure| failure.abort_like)
        };
        let cancelled = self.signals.cancelled || (!in_wait && last.is_some_and(aborted));
        let given = Given { cancelled, closed: self.signals.closed, timed_out: self.signals.timed_out };
        let decided = match last {
            Some(attempt) if !in_wait => self.decide(attempt, given),
            _ => by_the_caller(given),
        };
        if let Some(ending) = decided {
            return ending;
        }
        match ended {
            WhatEnded::Dropped | WhatEnded::Expired(_) => Ending::Plain(Outcome::Abandoned),
            _ if in_wait => Ending::Plain(Outcome::Cancelled),
            _ => match last {
                Some(attempt) => self.attempt_ending(attempt, ended),
                None => Ending::Plain(Outcome::Success),
            },
        }
    }

    /// The part of the order below a real failure; `None` when nothing of it happened.
    fn decide<'a>(&self, attempt: &'a Attempt, given: Given) -> Option<Ending<'a>> {
        let evidence = &attempt.evidence;
        // A stream that ended by itself before anybody closed it, or gave up on it, was cut.
        let cut = evidence.eof.filter(|_| self.expects_an_end_marker(attempt));
        if cut == Some(Eof::First) && !given.cancelled {
            return Some(Ending::FailedAs("stream_truncated"));
        }
        if let Some(ending) = by_the_caller(given) {
            return Some(ending);
        }
        if cut.is_some() {
            return Some(Ending::FailedAs("stream_truncated"));
        }
        // An abort-like error that nobody's abort explains.
        evidence.failure.as_deref().map(|failure| Ending::Failed(Some(failure), Some(attempt)))
    }

    /// Whether an end of the stream without an end marker means that it was cut.
    fn expects_an_end_marker(&self, attempt: &Attempt) -> bool {
        self.stream.is_on() || attempt.protocol.is_some() || attempt.sizes.chunks > 0
    }
}

/// The caller's own last failure. A bare status that the attempt explained already keeps the attempt's type.
fn last_word<'a>(failure: &'a Failure, last: Option<&'a Attempt>, last_failure: Option<Ending<'a>>) -> Ending<'a> {
    match last_failure {
        Some(ending) if failure.error_type.is_none() => {
            let known = ending.status_code();
            if failure.status_code.is_none() || known.is_none() || known == failure.status_code {
                return ending;
            }
            Ending::Failed(Some(failure), None)
        }
        _ => Ending::Failed(Some(failure), last),
    }
}

fn by_the_caller<'a>(given: Given) -> Option<Ending<'a>> {
    if given.cancelled {
        Some(Ending::Plain(Outcome::Cancelled))
    } else if given.closed {
        Some(Ending::Plain(Outcome::Interrupted))
    } else {
        given.timed_out.map(Ending::TimedOut)
    }
}

/// A failure of the provider or the transport that is not abort-like, or a status that says as much.
fn real_failure(attempt: &Attempt) -> Option<Ending<'_>> {
    match attempt.evidence.failure.as_deref() {
        Some(failure) if !failure.abort_like => Some(Ending::Failed(Some(failure), Some(attempt))),
        // An abort of what was left to read does not take the status back.
        _ => attempt.status_code.filter(|status| *status >= 400).map(|_| Ending::Failed(None, Some(attempt))),
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
