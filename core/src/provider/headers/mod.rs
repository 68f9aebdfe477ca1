//! What HTTP response headers say about a call.

mod date;
mod reading;
mod retry_after;
mod server_timing;
#[cfg(test)]
mod tests;

use self::reading::Reading;
pub(super) use self::reading::decimal;
use super::Accounting;
use crate::{
    delta::{Headers, RawUsage, UsageReport},
    time::UnixNanos,
};

/// Reads the headers of a response, given as pairs of name and value in any order and any case.
///
/// Values that cannot be read are left out; nothing is an error. Of a header that is repeated the first usable value holds.
///
/// | what | headers, the best first |
/// |---|---|
/// | request id | `x-request-id`, `request-id` (Anthropic), `apim-request-id` (Azure), `x-amzn-requestid` (AWS), `mistral-correlation-id`, `x-ds-trace-id` (DeepSeek), `x-generation-id` (OpenRouter) |
/// | delay before a retry | `retry-after-ms`, `x-ms-retry-after-ms`, `retry-after` in seconds or as a date |
/// | the server's total time | `openai-processing-ms`, `x-amzn-bedrock-invocation-latency`, `x-total-time` (text generation of Hugging Face), `x-envoy-upstream-service-time`, `x-kong-upstream-latency`, `server-timing` |
/// | time in the server's queue | `x-queue-time` (text generation of Hugging Face) |
/// | token counts | `x-amzn-bedrock-*-token-count`, `x-prompt-tokens` and `x-generated-tokens` (text generation of Hugging Face) |
/// | class of the error | `x-amzn-errortype` |
///
/// Without the feature `protocols`, `server-timing` and what stands below the total in this table are left out: those who
/// decode nothing but chat completions have no use for them.
///
/// A date in `retry-after` becomes a delay by the `date` of the same response, which the same clock wrote; without one it is
/// left out, as the engine has no clock of its own ([`read_at`] takes the caller's). A successful response asks for no retry:
/// some providers put the reset of a quota into its `retry-after`, and that is left out.
///
/// # Examples
/// ```
/// use llmspan_core::{provider::headers, time::Nanos};
///
/// let headers = headers::read(429, [("Retry-After", "2"), ("request-id", "req_7")]);
/// assert_eq!(headers.retry_after_ns, Some(Nanos::from_secs(2)));
/// assert_eq!(headers.request_id.as_deref(), Some("req_7"));
///
/// let dates = [("date", "Fri, 05 Jun 2026 10:00:00 GMT"), ("retry-after", "Fri, 05 Jun 2026 10:00:30 GMT")];
/// assert_eq!(headers::read(503, dates).retry_after_ns, Some(Nanos::from_secs(30)));
/// ```
pub fn read<'a>(status_code: u16, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Headers {
    read_any(Some(status_code), pairs, None)
}

/// Reads the headers of a response as [`read`] does, with the wall-clock time of their arrival for a `retry-after` that is a
/// date in a response without a `date` of its own. Without that time it reads the same.
///
/// # Examples
/// ```
/// use llmspan_core::{provider::headers, time::{Nanos, UnixNanos}};
///
/// let arrival = UnixNanos::from_nanos(784_111_770_000_000_000);
/// let headers = headers::read_at(503, [("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], arrival);
/// assert_eq!(headers.retry_after_ns, Some(Nanos::from_secs(7)));
/// ```
pub fn read_at<'a>(
    status_code: u16,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    arrival: impl Into<Option<UnixNanos>>,
) -> Headers {
    read_any(Some(status_code), pairs, arrival.into())
}

/// As [`read_at`], for a response of which the status code or the time may not be known.
pub(crate) fn read_any<'a>(
    status_code: Option<u16>,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    arrival: Option<UnixNanos>,
) -> Headers {
    let mut reading = Reading::default();
    for (name, value) in pairs {
        reading.take(name, value.trim());
    }
    reading.into_headers(status_code, arrival)
}

/// Normalizes token counts of headers. They are those of Bedrock, or of a server that knows no cache.
pub(crate) fn report(counts: &RawUsage) -> Option<UsageReport> {
    Accounting::BEDROCK.report(*counts, 0)
}
