//! What HTTP response headers say about a call.

use crate::{delta::Headers, time::Nanos};

/// Reads the headers of a response, given as pairs of name and value in any order and any case.
///
/// Values that cannot be read are left out; nothing is an error. Read are the request id (`x-request-id`, `request-id`,
/// `apim-request-id`, `x-amzn-requestid`, in this order), the delay that the server asks for (`retry-after-ms`, else
/// `retry-after` in seconds; a date is not read, as it needs a wall clock), and the server's own time
/// (`openai-processing-ms`).
///
/// # Examples
/// ```
/// use llmspan_core::{provider::headers, time::Nanos};
///
/// let headers = headers::read(429, [("Retry-After", "2"), ("request-id", "req_7")]);
/// assert_eq!(headers.retry_after_ns, Some(Nanos::from_secs(2)));
/// assert_eq!(headers.request_id.as_deref(), Some("req_7"));
/// ```
pub fn read<'a>(status_code: u16, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Headers {
    let mut request_id: Option<(usize, &str)> = None;
    let mut retry_after = None;
    let mut retry_after_ms = None;
    let mut headers = Headers::of_status(status_code);
    for (name, value) in pairs {
        let value = value.trim();
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if let Some(rank) = REQUEST_IDS.iter().position(|known| is(known)) {
            if !value.is_empty() && request_id.is_none_or(|(best, _)| rank < best) {
                request_id = Some((rank, value));
            }
        } else if is("retry-after") {
            retry_after = retry_after.or(decimal(value, NANOS_PER_SECOND));
        } else if is("retry-after-ms") {
            retry_after_ms = retry_after_ms.or(decimal(value, NANOS_PER_MILLI));
        } else if is("openai-processing-ms") {
            headers.server_processing_ns = headers.server_processing_ns.or(decimal(value, NANOS_PER_MILLI));
        }
    }
    headers.request_id = request_id.map(|(_, id)| id.into());
    headers.retry_after_ns = retry_after_ms.or(retry_after);
    headers
}

/// Names of the request id, the best first.
const REQUEST_IDS: [&str; 4] = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid"];
const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Reads a decimal number of units without going through floats; digits below a nanosecond are cut.
fn decimal(text: &str, unit: u64) -> Option<Nanos> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(pairs: &[(&str, &str)]) -> Option<Nanos> {
        read(429, pairs.iter().copied()).retry_after_ns
    }

    #[test]
    fn milliseconds_win_over_seconds() {
        assert_eq!(retry_after(&[("retry-after", "2")]), Some(Nanos::from_secs(2)));
        assert_eq!(retry_after(&[("Retry-After", " 1.5 ")]), Some(Nanos::from_millis(1_500)));
        assert_eq!(
            retry_after(&[("retry-after", "1"), ("RETRY-AFTER-MS", "250.5")]),
            Some(Nanos::from_nanos(250_500_000))
        );
    }

    #[test]
    fn what_is_no_delay_is_left_out() {
        for value in
            ["", "-1", ".", "1e3", "NaN", "Wed, 21 Oct 2015 07:28:00 GMT", "99999999999999999999", "18446744074"]
        {
            assert_eq!(retry_after(&[("retry-after", value)]), None, "{value:?}");
        }
    }

    #[test]
    fn the_first_known_request_id_wins_in_any_order() {
        let headers = read(200, [("request-id", "b"), ("X-Request-Id", "a"), ("openai-processing-ms", "312")]);
        assert_eq!(headers.status_code, Some(200));
        assert_eq!(headers.request_id.as_deref(), Some("a"));
        assert_eq!(headers.server_processing_ns, Some(Nanos::from_millis(312)));
        assert_eq!(read(200, [("x-request-id", " ")]).request_id, None);
    }
}
