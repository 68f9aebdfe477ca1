use alloc::boxed::Box;

use super::*;
use crate::{delta::RawUsage, time::Nanos};

fn retry_after(pairs: &[(&str, &str)]) -> Option<Nanos> {
    read(429, pairs.iter().copied()).retry_after_ns
}

fn total(pairs: &[(&str, &str)]) -> Option<Nanos> {
    read(200, pairs.iter().copied()).server.total_ns
}

#[test]
fn milliseconds_win_over_seconds_and_seconds_over_dates() {
    assert_eq!(retry_after(&[("retry-after", "2")]), Some(Nanos::from_secs(2)));
    assert_eq!(retry_after(&[("Retry-After", " 1.5 ")]), Some(Nanos::from_millis(1_500)));
    assert_eq!(retry_after(&[("retry-after", "1"), ("RETRY-AFTER-MS", "250.5")]), Some(Nanos::from_nanos(250_500_000)));
    assert_eq!(retry_after(&[("x-ms-retry-after-ms", "40"), ("retry-after", "1")]), Some(Nanos::from_millis(40)));
    assert_eq!(retry_after(&[("x-ms-retry-after-ms", "40"), ("retry-after-ms", "30")]), Some(Nanos::from_millis(30)));
    assert_eq!(retry_after(&[("retry-after-ms", "soon"), ("retry-after", "1")]), Some(Nanos::from_secs(1)));
}

#[test]
fn what_is_no_delay_is_left_out() {
    for value in ["", "-1", ".", "1e3", "NaN", "99999999999999999999", "18446744074"] {
        assert_eq!(retry_after(&[("retry-after", value)]), None, "{value:?}");
    }
}

#[test]
fn a_date_needs_another_one() {
    let date = "Fri, 05 Jun 2026 10:00:00 GMT";
    let at = ("retry-after", "Fri, 05 Jun 2026 10:01:30 GMT");
    assert_eq!(retry_after(&[at]), None);
    assert_eq!(retry_after(&[at, ("date", "today")]), None);
    assert_eq!(retry_after(&[("Date", date), at]), Some(Nanos::from_secs(90)));
    assert_eq!(retry_after(&[at, ("date", date)]), Some(Nanos::from_secs(90)));
    assert_eq!(retry_after(&[("retry-after", date), ("date", at.1)]), Some(Nanos::ZERO));
    assert_eq!(
        retry_after(&[("date", "Friday, 05-Jun-26 10:00:00 GMT"), ("retry-after", "Fri Jun  5 10:00:05 2026")]),
        Some(Nanos::from_secs(5))
    );

    // 2026-06-05T10:01:00.25Z, by the caller's clock.
    let arrival = UnixNanos::from_nanos(1_780_653_660_250_000_000);
    assert_eq!(read_at(503, [at], arrival).retry_after_ns, Some(Nanos::from_millis(29_750)));
    assert_eq!(read_at(503, [at, ("date", date)], arrival).retry_after_ns, Some(Nanos::from_secs(90)));
    assert_eq!(read_at(503, [("retry-after", date)], arrival).retry_after_ns, Some(Nanos::ZERO));
}

#[test]
fn a_successful_response_asks_for_no_retry() {
    assert_eq!(read(200, [("retry-after", "13")]).retry_after_ns, None);
    assert_eq!(read(302, [("retry-after", "13")]).retry_after_ns, Some(Nanos::from_secs(13)));
    assert_eq!(read_any(None, [("retry-after", "13")], None).retry_after_ns, Some(Nanos::from_secs(13)));
}

#[test]
fn the_first_known_request_id_wins_in_any_order() {
    let headers = read(200, [("request-id", "b"), ("X-Request-Id", "a"), ("x-amzn-requestid", "c")]);
    assert_eq!(headers.status_code, Some(200));
    assert_eq!(headers.request_id.as_deref(), Some("a"));
    assert_eq!(read(200, [("x-request-id", " ")]).request_id, None);
    assert_eq!(read(200, [("cf-ray", "a"), ("x-ds-trace-id", "d")]).request_id.as_deref(), Some("d"));
}

#[test]
fn the_nearest_measurement_of_the_server_wins() {
    let all = [
        ("server-timing", "total;dur=600"),
        ("x-kong-upstream-latency", "500"),
        ("x-envoy-upstream-service-time", "400"),
        ("x-total-time", "300"),
        ("X-Amzn-Bedrock-Invocation-Latency", "200"),
        ("openai-processing-ms", "100.5"),
    ];
    assert_eq!(total(&all), Some(Nanos::from_nanos(100_500_000)));
    for (kept, millis) in [(5, 200), (4, 300), (3, 400), (2, 500), (1, 600)] {
        assert_eq!(total(&all[..kept]), Some(Nanos::from_millis(millis)), "{kept}");
    }
    assert_eq!(total(&[("server-timing", "db;dur=4"), ("server-timing", "origin;dur=9")]), Some(Nanos::from_millis(9)));
    assert_eq!(
        total(&[("openai-processing-ms", "-3"), ("server-timing", "origin;dur=9")]),
        Some(Nanos::from_millis(9))
    );
    assert_eq!(read(200, [("x-queue-time", "7")]).server.queue_ns, Some(Nanos::from_millis(7)));
}

#[test]
fn token_counts_of_headers() {
    let headers = read(
        200,
        [
            ("X-Amzn-Bedrock-Input-Token-Count", "12"),
            ("x-amzn-bedrock-output-token-count", "34"),
            ("x-amzn-bedrock-cache-read-input-token-count", "0"),
            ("x-amzn-bedrock-cache-write-input-token-count", "many"),
        ],
    );
    let usage = RawUsage { input: Some(12), output: Some(34), cache_read: Some(0), ..RawUsage::default() };
    assert_eq!(headers.usage, Some(Box::new(usage)));
    let usage = RawUsage { input: Some(5), output: Some(6), ..RawUsage::default() };
    assert_eq!(read(200, [("x-prompt-tokens", "5"), ("x-generated-tokens", "6")]).usage, Some(Box::new(usage)));
    assert_eq!(read(200, [("x-prompt-tokens", "-5"), ("x-generated-tokens", "9007199254740993")]).usage, None);
}

#[test]
fn the_class_of_an_error_is_its_bare_name() {
    for (value, expected) in [
        ("ThrottlingException", Some("ThrottlingException")),
        ("ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/", Some("ThrottlingException")),
        ("com.amazon.bedrock#ValidationException", Some("ValidationException")),
        ("com.amazon.bedrock#ValidationException:http://internal.amazon.com/#x", Some("ValidationException")),
        (":http://internal.amazon.com", None),
        ("", None),
    ] {
        assert_eq!(read(400, [("X-Amzn-ErrorType", value)]).error_type.as_deref(), expected, "{value}");
    }
}
