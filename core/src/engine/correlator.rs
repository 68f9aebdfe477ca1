//! Which call a request belongs to, where nothing but the requests of a client can be seen.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use crate::{
    limits::{CORRELATED_CALLS, CORRELATED_RESPONSES},
    machine::{Failure, Retry},
    provider::request::ModelRequest,
    record::WaitReason,
    time::{Nanos, Timestamp},
};

/// Finds the attempts of one call among the requests of a client, for hooks below an SDK that repeats requests by itself.
///
/// A hook sees requests and responses, and no call. Most requests are the only one of their call; after a failure that is worth
/// a retry the call stays open for a while, so that its next attempt finds it.
///
/// 1. Before a request leaves, ask [`Correlator::handle_request`]. If it names a call, the request is its next attempt: report the
///    [`Resumed::retry`] at [`Resumed::failed_at`], then the attempt. Otherwise open a call.
/// 2. When a request fails before its response can be read, tell [`Correlator::handle_failure`]. End the call now if it says
///    [`Fate::Over`].
/// 3. Take the calls whose retries stopped coming from [`Correlator::poll_over`], and end each at the time it gives; do so after
///    every request, and after [`Correlator::handle_timeout`] at the time that [`Correlator::poll_timeout`] names.
///
/// A request is taken for a retry of an open call when it has the same idempotency key; when it is the same request, byte for byte,
/// out of the same flow of control; or when its client counts it as a retry, and it comes out of the same flow of control. A
/// flow of control that sends something else has given up on what failed before.
///
/// Where flows of control cannot be told apart, equal requests can be in flight for several calls. Of the calls that a request may
/// go on with, it is taken for the one whose attempts its client has counted, then for one whose delay has passed, then for
/// the one whose delay has passed first. Nothing tells more: two such calls may have swapped attempts, never lost or gained one.
///
/// # Examples
/// ```
/// use llmspan_core::{
///     engine::{Correlator, Fate},
///     machine::Failure,
///     provider::request,
///     time::{Nanos, Timestamp},
/// };
///
/// let sent = |headers: [(&str, &str); 1]| request::read("/v1/chat/completions", headers, b"{}").unwrap();
/// let mut correlator = Correlator::default();
/// let flow = Some(1);
///
/// // The first attempt of call 7 fails with 429.
/// let first = sent([("x-stainless-retry-count", "0")]);
/// assert!(correlator.handle_request(Timestamp::from_millis(0), flow, &first).is_none());
/// let fate = correlator.handle_failure(Timestamp::from_millis(50), 7, flow, &first, &Failure::of_status(429));
/// assert_eq!(fate, Fate::MayRetry);
///
/// let second = sent([("x-stainless-retry-count", "1")]);
/// let resumed = correlator.handle_request(Timestamp::from_millis(650), flow, &second).expect("it is a retry");
/// assert_eq!((resumed.call, resumed.failed_at), (7, Timestamp::from_millis(50)));
/// assert_eq!(resumed.retry.delay_ns, Nanos::from_millis(600));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Correlator {
    /// Calls that wait for a retry, in the order of their failures.
    waiting: Vec<Waiting>,
    /// Calls whose retries stopped coming.
    over: Vec<Over>,
    /// Ids of the responses that were seen, in the order in which they came.
    responses: VecDeque<Box<str>>,
}

/// A call that goes on with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Resumed {
    /// The call, as the host numbered it.
    pub call: u64,
    /// When its last attempt failed: the time at which the retry is to be reported.
    pub failed_at: Timestamp,
    /// The wait since then. Its planned delay is what the server asked for, else what was waited: clients do not tell.
    pub retry: Retry,
}

/// What becomes of a call after a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fate {
    /// Another attempt may come: the call stays open.
    MayRetry,
    /// No client repeats such a request: the call has ended.
    Over,
}

/// A call whose retries stopped coming.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Over {
    /// The call, as the host numbered it.
    pub call: u64,
    /// When its last attempt failed: the time at which the call ended.
    pub failed_at: Timestamp,
}

#[derive(Clone, Debug)]
struct Waiting {
    call: u64,
    flow: Option<u64>,
    key: Option<Box<str>>,
    fingerprint: u64,
    resends: Option<u32>,
    failed_at: Timestamp,
    until: Timestamp,
    reason: WaitReason,
    retry_after: Option<Nanos>,
}

impl Correlator {
    /// Finds the call that a request is the next attempt of; `None` for a request that begins a call.
    ///
    /// `flow` tells threads and tasks of the host apart, by any number; `None` where it cannot tell, and then only a request that
    /// is known again by itself is a retry.
    pub fn handle_request(&mut self, now: Timestamp, flow: Option<u64>, request: &ModelRequest) -> Option<Resumed> {
        self.handle_timeout(now);
        let candidates = self.waiting.iter().enumerate().filter(|(_, waiting)| waiting.is_resumed_by(flow, request));
        let best = candidates.min_by_key(|(_, waiting)| waiting.distance(now, request));
        let resumed = best.map(|(at, _)| at).map(|at| self.waiting.remove(at));
        if let Some(flow) = flow {
            self.handle_flow_moved_on(flow);
        }
        resumed.map(|waiting| Resumed {
            call: waiting.call,
            failed_at: waiting.failed_at,
            retry: Retry {
                delay_ns: waiting.retry_after.unwrap_or(now.saturating_since(waiting.failed_at)),
                reason: waiting.reason,
                server_requested: waiting.retry_after.is_some(),
            },
        })
    }

    /// Takes note that the request of a call failed, and says whether the call may go on. `request` is what was asked with
    /// [`Correlator::handle_request`], `call` any number by which the host finds the call.
    pub fn handle_failure(
        &mut self,
        now: Timestamp,
        call: u64,
        flow: Option<u64>,
        request: &ModelRequest,
        failure: &Failure,
    ) -> Fate {
        let Some(reason) = worth_a_retry(failure) else { return Fate::Over };
        if self.waiting.len() >= CORRELATED_CALLS {
            let oldest = self.waiting.drain(..1);
            self.over.extend(oldest.map(|oldest| Over { call: oldest.call, failed_at: oldest.failed_at }));
        }
        let patience = failure.retry_after_ns.unwrap_or_default().max(LONGEST_BACKOFF).min(LONGEST_PATIENCE);
        self.waiting.push(Waiting {
            call,
            flow,
            key: request.idempotency_key.clone(),
            fingerprint: request.fingerprint,
            resends: request.resends,
            failed_at: now,
            until: now.saturating_add(patience).saturating_add(SLACK),
            reason,
            retry_after: failure.retry_after_ns,
        });
        Fate::MayRetry
    }

    /// Takes note of the id of a response that the hook sees.
    ///
    /// A wrapper around the objects that an SDK makes of the same response would report it a second time: it asks
    /// [`Correlator::has_seen`] for the id in the objects, and leaves the call to the hook.
    pub fn handle_response(&mut self, id: &str) {
        if id.is_empty() || self.has_seen(id) {
            return;
        }
        if self.responses.len() >= CORRELATED_RESPONSES {
            self.responses.pop_front();
        }
        self.responses.push_back(id.into());
    }

    /// Whether the response of this id is one that was seen, among the last 256 of them.
    pub fn has_seen(&self, id: &str) -> bool {
        self.responses.iter().any(|seen| **seen == *id)
    }

    /// Forgets a call that the host has ended by itself.
    pub fn forget(&mut self, call: u64) {
        self.waiting.retain(|waiting| waiting.call != call);
    }

    /// Takes note that a flow of control does something else: it has given up on what failed in it.
    pub fn handle_flow_moved_on(&mut self, flow: u64) {
        self.give_up(|waiting| waiting.flow == Some(flow));
    }

    /// Ends all waiting: for hosts that shut down.
    pub fn handle_shutdown(&mut self) {
        self.give_up(|_| true);
    }

    /// The time at which [`Correlator::handle_timeout`] is to be called, if there is one.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.waiting.iter().map(|waiting| waiting.until).min()
    }

    /// Gives up on the calls for which no retry came in time: the delay that the server asked for, or 8 seconds, which is the longest
    /// that the SDKs wait of themselves, and 2 seconds more; 10 minutes at most.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.give_up(|waiting| waiting.until <= now);
    }

    /// The next call whose retries stopped coming, the earliest failure first.
    pub fn poll_over(&mut self) -> Option<Over> {
        (!self.over.is_empty()).then(|| self.over.remove(0))
    }

    fn give_up(&mut self, is_over: impl Fn(&Waiting) -> bool) {
        let over = &mut self.over;
        self.waiting.retain(|waiting| {
            let is_over = is_over(waiting);
            if is_over {
                over.push(Over { call: waiting.call, failed_at: waiting.failed_at });
            }
            !is_over
        });
        // A host that never asks must not make it grow.
        let excess = over.len().saturating_sub(CORRELATED_CALLS.saturating_mul(2));
        over.drain(..excess);
    }
}

impl Waiting {
    fn is_resumed_by(&self, flow: Option<u64>, request: &ModelRequest) -> bool {
        if self.key.is_some() && self.key == request.idempotency_key {
            return true;
        }
        let is_same = self.fingerprint == request.fingerprint;
        let is_counted = request.resends.is_some_and(|resends| resends > 0);
        if flow.is_some() {
            return self.flow == flow && (is_same || is_counted);
        }
        let has_other_key = self.key.is_some() && request.idempotency_key.is_some();
        is_same && request.resends != Some(0) && !has_other_key
    }

    /// How far a request is from being the next attempt, for the choice among calls that it may go on with.
    fn distance(&self, now: Timestamp, request: &ModelRequest) -> (bool, bool, bool, Timestamp) {
        let is_named = self.key.is_some() && self.key == request.idempotency_key;
        let next = self.resends.map(|resends| resends.saturating_add(1));
        let due_at = self.failed_at.saturating_add(self.retry_after.unwrap_or_default());
        (!is_named, next != request.resends, due_at > now, due_at)
    }
}

/// Why clients would send a request again; `None` when they do not.
///
/// The statuses are those that the SDKs of `OpenAI` and Anthropic repeat; others repeat fewer.
fn worth_a_retry(failure: &Failure) -> Option<WaitReason> {
    if failure.abort_like {
        return None;
    }
    match (failure.status_code, failure.error_type.as_deref()) {
        (Some(429), _) => Some(WaitReason::RateLimit),
        (Some(408), _) | (None, Some("timeout")) => Some(WaitReason::Timeout),
        (Some(409), _) => Some(WaitReason::Other),
        (Some(500..), _) => Some(WaitReason::ServerError),
        (None, Some("network")) => Some(WaitReason::Network),
        _ => None,
    }
}

const LONGEST_BACKOFF: Nanos = Nanos::from_secs(8);
const LONGEST_PATIENCE: Nanos = Nanos::from_secs(600);
const SLACK: Nanos = Nanos::from_secs(2);

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::provider::request;

    fn sent(headers: &[(&str, &str)], body: &str) -> ModelRequest {
        request::read("/v1/chat/completions", headers.iter().copied(), body.as_bytes()).unwrap()
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// A correlator in which call 1 of flow 1 failed with 429 at 100 ms.
    fn limited(request: &ModelRequest) -> Correlator {
        let mut correlator = Correlator::default();
        let fate = correlator.handle_failure(at(100), 1, Some(1), request, &Failure::of_status(429));
        assert_eq!(fate, Fate::MayRetry);
        correlator
    }

    #[test]
    fn the_same_request_again_is_a_retry_in_its_flow_alone() {
        let request = sent(&[], "{}");
        assert!(limited(&request).handle_request(at(200), Some(2), &request).is_none());
        let resumed = limited(&request).handle_request(at(200), Some(1), &request).unwrap();
        assert_eq!((resumed.call, resumed.failed_at), (1, at(100)));
        assert_eq!(resumed.retry, Retry::after(Nanos::from_millis(100), WaitReason::RateLimit));
        // Where flows are not told apart, a client that counts from 0 begins a call.
        assert!(limited(&request).handle_request(at(200), None, &request).is_some());
        let first = sent(&[("x-stainless-retry-count", "0")], "{}");
        assert!(limited(&first).handle_request(at(200), None, &first).is_none());
    }

    #[test]
    fn an_idempotency_key_is_known_in_every_flow() {
        let keyed = sent(&[("idempotency-key", "k")], "{}");
        let other = sent(&[("idempotency-key", "k")], r#"{"model":"fallback"}"#);
        assert_eq!(limited(&keyed).handle_request(at(200), Some(9), &other).unwrap().call, 1);
    }

    #[test]
    fn a_counted_retry_may_differ() {
        let retry = sent(&[("x-stainless-retry-count", "1")], r#"{"model":"b"}"#);
        assert!(limited(&sent(&[], "{}")).handle_request(at(200), Some(1), &retry).is_some());
        assert!(limited(&sent(&[], "{}")).handle_request(at(200), Some(2), &retry).is_none());
    }

    #[test]
    fn equal_requests_of_several_calls_are_told_apart_by_what_there_is() {
        let counted = |count| sent(&[("x-stainless-retry-count", count)], "{}");
        let limit = |millis| Failure::of_status(429).with_retry_after(Nanos::from_millis(millis));
        let fail = |correlator: &mut Correlator, now, call, request: &ModelRequest, millis| {
            correlator.handle_failure(at(now), call, None, request, &limit(millis));
        };
        let call = |correlator: &mut Correlator, now, request: &ModelRequest| {
            correlator.handle_request(at(now), None, request).map(|resumed| resumed.call)
        };

        // By the client's count: call 1 has failed twice, call 2 once.
        let mut correlator = Correlator::default();
        fail(&mut correlator, 10, 1, &counted("1"), 0);
        fail(&mut correlator, 20, 2, &counted("0"), 0);
        assert_eq!(call(&mut correlator, 30, &counted("1")), Some(2));
        assert_eq!(call(&mut correlator, 30, &counted("2")), Some(1));

        // By the delay: that of call 1 has not passed when call 2 goes on.
        let mut correlator = Correlator::default();
        fail(&mut correlator, 10, 1, &counted("0"), 500);
        fail(&mut correlator, 20, 2, &counted("0"), 100);
        assert_eq!(call(&mut correlator, 130, &counted("1")), Some(2));
        assert_eq!(call(&mut correlator, 520, &counted("1")), Some(1));

        // By the order of the failures, where nothing else tells.
        let mut correlator = Correlator::default();
        for (now, number) in [(10, 1), (20, 2), (30, 3)] {
            fail(&mut correlator, now, number, &sent(&[], "{}"), 0);
        }
        assert_eq!(core::array::from_fn(|_| call(&mut correlator, 40, &sent(&[], "{}"))), [Some(1), Some(2), Some(3)]);

        // Another key is another call, whatever else is equal.
        let keyed = |key| sent(&[("idempotency-key", key)], "{}");
        let mut correlator = Correlator::default();
        fail(&mut correlator, 10, 1, &keyed("a"), 0);
        fail(&mut correlator, 20, 2, &keyed("b"), 0);
        assert_eq!(call(&mut correlator, 30, &keyed("c")), None);
        assert_eq!(call(&mut correlator, 30, &keyed("b")), Some(2));
    }

    #[test]
    fn a_flow_that_goes_on_has_given_up() {
        let mut correlator = limited(&sent(&[], "{}"));
        assert!(correlator.handle_request(at(300), Some(1), &sent(&[], r#"{"model":"b"}"#)).is_none());
        assert_eq!(correlator.poll_over(), Some(Over { call: 1, failed_at: at(100) }));
        assert_eq!((correlator.poll_over(), correlator.poll_timeout()), (None, None));
    }

    #[test]
    fn a_retry_that_does_not_come_ends_the_call_at_its_failure() {
        let request = sent(&[], "{}");
        let mut correlator = limited(&request);
        assert_eq!(correlator.poll_timeout(), Some(at(10_100)));
        correlator.handle_timeout(at(10_099));
        assert_eq!(correlator.poll_over(), None);
        correlator.handle_timeout(at(10_100));
        assert_eq!(correlator.poll_over(), Some(Over { call: 1, failed_at: at(100) }));

        let asked = Failure::of_status(503).with_retry_after(Nanos::from_secs(30));
        correlator.handle_failure(at(0), 2, None, &request, &asked);
        assert_eq!(correlator.poll_timeout(), Some(at(32_000)));
        let resumed = correlator.handle_request(at(31_000), None, &request).unwrap();
        assert_eq!(resumed.retry.delay_ns, Nanos::from_secs(30));
        assert!(resumed.retry.server_requested && resumed.retry.reason == WaitReason::ServerError);
    }

    #[test]
    fn only_some_failures_are_worth_a_retry() {
        let request = sent(&[], "{}");
        let fate = |failure: &Failure| Correlator::default().handle_failure(at(0), 1, None, &request, failure);
        for status in [408, 409, 429, 500, 502, 503, 529] {
            assert_eq!(fate(&Failure::of_status(status)), Fate::MayRetry, "{status}");
        }
        for status in [400, 401, 403, 404, 413, 422] {
            assert_eq!(fate(&Failure::of_status(status)), Fate::Over, "{status}");
        }
        assert_eq!(fate(&Failure::of_type("network")), Fate::MayRetry);
        assert_eq!(fate(&Failure::of_type("timeout")), Fate::MayRetry);
        assert_eq!(fate(&Failure::of_type("stream_truncated")), Fate::Over);
        assert_eq!(fate(&Failure { abort_like: true, ..Failure::of_type("network") }), Fate::Over);
    }

    #[test]
    fn waiting_calls_are_bounded_and_end_on_shutdown() {
        let request = sent(&[], "{}");
        let mut correlator = Correlator::default();
        for call in 0..=CORRELATED_CALLS as u64 {
            correlator.handle_failure(at(call), call, None, &request, &Failure::of_status(500));
        }
        assert_eq!(correlator.poll_over().map(|over| over.call), Some(0));
        assert_eq!(correlator.poll_over(), None);
        correlator.forget(1);
        correlator.handle_shutdown();
        assert_eq!(correlator.poll_over().map(|over| over.call), Some(2));
        assert_eq!(core::iter::from_fn(|| correlator.poll_over()).count(), CORRELATED_CALLS - 2);
    }

    #[test]
    fn responses_are_known_by_their_ids() {
        let mut correlator = Correlator::default();
        for number in 0..=CORRELATED_RESPONSES {
            correlator.handle_response(&format!("chatcmpl-{number}"));
        }
        correlator.handle_response("");
        correlator.handle_response("chatcmpl-5");
        assert!(!correlator.has_seen("chatcmpl-0"), "the first one is forgotten");
        assert!(correlator.has_seen("chatcmpl-1"));
        assert!(correlator.has_seen("chatcmpl-256"));
        assert!(!correlator.has_seen("chatcmpl-2565"));
        assert!(!correlator.has_seen(""));
        assert_eq!(correlator.responses.len(), CORRELATED_RESPONSES);
    }
}
