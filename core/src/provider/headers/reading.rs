//! The headers of one response while they are read.

use alloc::boxed::Box;

use super::{retry_after::RetryAfter, server_timing};
use crate::provider::Protocol;
use crate::{
    delta::{Headers, RawUsage, ServerTiming},
    time::{MAX_SAFE_INTEGER, Nanos, UnixNanos},
};

/// What the headers taken so far say.
#[derive(Debug, Default)]
pub(super) struct Reading<'a> {
    request_id: Best<&'a str>,
    error_type: Option<&'a str>,
    retry_after: RetryAfter,
    total: Best<Nanos>,
    queue: Option<Nanos>,
    input: Best<u64>,
    output: Best<u64>,
    cache_read: Best<u64>,
    cache_write: Best<u64>,
}

impl<'a> Reading<'a> {
    pub(super) fn take(&mut self, name: &str, value: &'a str) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if let Some(rank) = REQUEST_IDS.iter().position(|known| is(known)) {
            self.request_id.offer(rank, Some(value).filter(|id| !id.is_empty()));
        } else if let Some(rank) = TOTAL_MILLIS.iter().position(|known| is(known)) {
            self.total.offer(rank, decimal(value, NANOS_PER_MILLI));
        } else if !self.retry_after.take(is, value) && Protocol::ALL_ARE_DECODED {
            self.take_of_others(is, value);
        }
    }

    /// Takes a header of servers and proxies that speak other protocols than chat completions.
    fn take_of_others(&mut self, is: impl Fn(&str) -> bool, value: &'a str) {
        if is("server-timing") {
            if let Some((rank, total)) = server_timing::total(value) {
                self.total.offer(TOTAL_MILLIS.len().saturating_add(rank), Some(total));
            }
        } else if is("x-queue-time") {
            self.queue = self.queue.or(decimal(value, NANOS_PER_MILLI));
        } else if is("x-amzn-errortype") {
            self.error_type = self.error_type.or(error_type(value));
        } else if let Some((rank, count)) = self.count(is) {
            count.offer(rank, value.parse().ok().filter(|count| *count <= MAX_SAFE_INTEGER));
        }
    }

    /// The place of the token count with that name, and the rank of the name.
    ///
    /// `InvokeModel` of Bedrock has no counts in the bodies of most models; its documentation and the AWS SDKs name the
    /// headers. Text generation of Hugging Face has them in `router/src/server.rs`.
    fn count(&mut self, is: impl Fn(&str) -> bool) -> Option<(usize, &mut Best<u64>)> {
        Some(if is("x-amzn-bedrock-input-token-count") {
            (0, &mut self.input)
        } else if is("x-prompt-tokens") {
            (1, &mut self.input)
        } else if is("x-amzn-bedrock-output-token-count") {
            (0, &mut self.output)
        } else if is("x-generated-tokens") {
            (1, &mut self.output)
        } else if is("x-amzn-bedrock-cache-read-input-token-count") {
            (0, &mut self.cache_read)
        } else if is("x-amzn-bedrock-cache-write-input-token-count") {
            (0, &mut self.cache_write)
        } else {
            return None;
        })
    }

    pub(super) fn into_headers(self, status_code: Option<u16>, arrival: Option<UnixNanos>) -> Headers {
        let usage = RawUsage {
            input: self.input.value(),
            output: self.output.value(),
            cache_read: self.cache_read.value(),
            cache_write: self.cache_write.value(),
            ..RawUsage::default()
        };
        let is_success = status_code.is_some_and(|status| (200..300).contains(&status));
        Headers {
            status_code,
            request_id: self.request_id.value().map(Into::into),
            server: ServerTiming { total_ns: self.total.value(), queue_ns: self.queue, ..ServerTiming::default() },
            // RFC 9110, section 10.2.3 has it for refusals and redirects; RFC 6585 for status 429.
            retry_after_ns: self.retry_after.delay(arrival).filter(|_| !is_success),
            error_type: self.error_type.map(Into::into),
            usage: (!usage.is_empty()).then(|| Box::new(usage)),
        }
    }
}

/// The value of the lowest rank so far; of equal ranks the first.
#[derive(Debug)]
struct Best<T>(Option<(usize, T)>);

impl<T> Default for Best<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Best<T> {
    fn offer(&mut self, rank: usize, value: Option<T>) {
        if let Some(value) = value
            && self.0.as_ref().is_none_or(|(best, _)| rank < *best)
        {
            self.0 = Some((rank, value));
        }
    }

    fn value(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }
}

/// Names of the request id, the best first.
const REQUEST_IDS: [&str; 7] = [
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-amzn-requestid",
    "mistral-correlation-id",
    "x-ds-trace-id",
    "x-generation-id",
];

/// Names of the server's total in milliseconds: what the server of the model measured, then what a proxy before it did, the
/// nearest first. `x-compute-time` is none of them: Hugging Face's servers send seconds or milliseconds under that name.
const TOTAL_MILLIS: [&str; 5] = [
    "openai-processing-ms",
    "x-amzn-bedrock-invocation-latency",
    "x-total-time",
    "x-envoy-upstream-service-time",
    "x-kong-upstream-latency",
];

pub(super) const NANOS_PER_MILLI: u64 = 1_000_000;
pub(super) const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// The name of an error without the namespace before `#` and the address behind `:`, as Smithy's protocol `restJson1` has
/// clients cut it.
fn error_type(value: &str) -> Option<&str> {
    let name = value.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default().trim();
    (!name.is_empty()).then_some(name)
}

/// Reads a decimal number of units without going through floats; digits below a nanosecond are cut.
pub(in crate::provider) fn decimal(text: &str, unit: u64) -> Option<Nanos> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.checked_add(place.checked_mul(u64::from(digit.saturating_sub(b'0')))?)?;
    }
    Some(Nanos::from_nanos(nanos))
}
