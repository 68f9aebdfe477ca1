//! Numbers as people read them.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use crate::{
    fields::plain,
    record::{Money, RecordError, Usage},
    time::Nanos,
};

/// A length of time with its unit, to three digits: `850 µs`, `12 ms`, `1.23 s`, `2 min 7 s`, `3 h 5 min`.
///
/// # Examples
/// ```
/// use llmspan_core::{explain::readable, time::Nanos};
///
/// assert_eq!(readable(Nanos::from_millis(1_234)), "1.23 s");
/// ```
pub fn readable(duration: Nanos) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return String::from("0 s");
    }
    for (unit, name) in [(1, "ns"), (1_000, "µs"), (1_000_000, "ms")] {
        if let Some(text) = three_digits(nanos, unit, 1_000) {
            return format!("{text} {name}");
        }
    }
    if let Some(text) = three_digits(nanos, NANOS_PER_SECOND, 60) {
        return format!("{text} s");
    }
    let seconds = nanos.saturating_add(NANOS_PER_SECOND / 2) / NANOS_PER_SECOND;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if days > 0 {
        pair(days, "d", hours % 24, "h")
    } else if hours > 0 {
        pair(hours, "h", minutes % 60, "min")
    } else {
        pair(minutes, "min", seconds % 60, "s")
    }
}

/// A count with a comma between thousands.
pub(crate) fn grouped(count: u64) -> String {
    grouped_digits(&count.to_string())
}

/// A rate with a comma between thousands; nothing for what is no number.
pub(crate) fn grouped_rate(rate: f64) -> Option<String> {
    plain(rate).map(|text| {
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
        let point = if rest.is_empty() { "" } else { "." };
        format!("{sign}{}{point}{rest}", grouped_digits(digits))
    })
}

/// An amount of money behind its currency, with a comma between thousands.
pub(crate) fn price(currency: &str, amount: Money) -> String {
    format!("{currency} {}", grouped_amount(amount))
}

/// An amount of money with a comma between thousands.
pub(crate) fn grouped_amount(amount: Money) -> String {
    let text = amount.to_string();
    let (units, rest) = text.split_once('.').unwrap_or((&text, ""));
    let point = if rest.is_empty() { "" } else { "." };
    format!("{}{point}{rest}", grouped_digits(units))
}

fn grouped_digits(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, which takes an `s` unless the count is one.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// The share of a whole in per cent, rounded half up; 0 of nothing.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    let whole = u128::from(whole);
    let scaled = u128::from(part).saturating_mul(100).saturating_add(whole / 2);
    scaled.checked_div(whole).and_then(|share| u64::try_from(share).ok()).unwrap_or_default()
}

/// An error by its type and status code, in a sentence: `rate_limit (HTTP 429)`.
pub(super) fn error_name(error: Option<&RecordError>) -> String {
    match error.map(error_parts) {
        None | Some((None, None)) => String::from("an unknown error"),
        Some((None, Some(status))) => format!("HTTP {status}"),
        Some((Some(kind), Some(status))) => format!("{kind} (HTTP {status})"),
        Some((Some(kind), None)) => kind.into(),
    }
}

/// An error by its type and status code, where there is little room: `rate_limit 429`.
pub(crate) fn error_label(error: &RecordError) -> String {
    match error_parts(error) {
        (None, None) => String::from("unknown error"),
        (None, Some(status)) => format!("HTTP {status}"),
        (Some(kind), Some(status)) => format!("{kind} {status}"),
        (Some(kind), None) => kind.into(),
    }
}

/// The type of an error, unless it says nothing or nothing but the status code; and the status code.
fn error_parts(error: &RecordError) -> (Option<&str>, Option<u16>) {
    let repeats = |kind: &str| error.status_code.is_some_and(|status| kind == status.to_string());
    let kind = Some(error.error_type.as_str()).filter(|kind| !matches!(*kind, "" | "_OTHER") && !repeats(kind));
    (kind, error.status_code)
}

/// How many tokens went in and out; nothing when neither is known or both are 0.
pub(super) fn in_and_out(usage: &Usage) -> Option<String> {
    let known: Vec<String> = [(usage.input_tokens, "input"), (usage.output_tokens, "output")]
        .into_iter()
        .filter_map(|(count, name)| count.filter(|count| *count > 0).map(|count| format!("{} {name}", grouped(count))))
        .collect();
    (!known.is_empty()).then(|| format!("{} tokens", known.join(" and ")))
}

/// The value in the unit to three digits, without zeros at the end; nothing when it rounds to `bound` units or more.
fn three_digits(nanos: u64, unit: u64, bound: u64) -> Option<String> {
    let whole = nanos / unit;
    let places: u32 = match whole {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let step = (unit / 10_u64.pow(places)).max(1);
    let steps_per_unit = unit / step;
    let steps = nanos.saturating_add(step / 2) / step;
    let (whole, rest) = (steps / steps_per_unit, steps % steps_per_unit);
    if whole >= bound {
        return None;
    }
    if rest == 0 {
        return Some(whole.to_string());
    }
    let places = usize::try_from(places).unwrap_or_default();
    let digits = format!("{rest:0places$}");
    Some(format!("{whole}.{}", digits.trim_end_matches('0')))
}

fn pair(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_and_a_unit() {
        for (nanos, text) in [
            (0, "0 s"),
            (1, "1 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (1_234, "1.23 µs"),
            (850_000, "850 µs"),
            (999_600, "1 ms"),
            (12_000_000, "12 ms"),
            (12_340_000, "12.3 ms"),
            (99_950_000, "100 ms"),
            (234_567_891, "235 ms"),
            (999_500_000, "1 s"),
            (1_005_000_000, "1.01 s"),
            (1_230_000_000, "1.23 s"),
            (59_940_000_000, "59.9 s"),
            (59_960_000_000, "1 min"),
            (127_000_000_000, "2 min 7 s"),
            (3_599_600_000_000, "1 h"),
            (11_100_000_000_000, "3 h 5 min"),
            (u64::MAX, "213503 d 23 h"),
        ] {
            assert_eq!(readable(Nanos::from_nanos(nanos)), text, "{nanos}");
        }
    }

    #[test]
    fn thousands_are_grouped() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
        for (rate, text) in [(17.5, "17.5"), (1_234.25, "1,234.25"), (-1_000.0, "-1,000"), (0.0, "0")] {
            assert_eq!(grouped_rate(rate).as_deref(), Some(text));
        }
        assert_eq!(grouped_rate(f64::NAN), None);
        assert_eq!(price("EUR", Money::from_nanos(1_234_500_000_000)), "EUR 1,234.5");
        assert_eq!(price("USD", Money::from_nanos(320_000)), "USD 0.00032");
        assert_eq!(counted(1, "stall"), "1 stall");
        assert_eq!(counted(2_000, "stall"), "2,000 stalls");
    }

    #[test]
    fn an_error_has_a_name() {
        let error =
            |kind: &str, status| RecordError { error_type: kind.into(), status_code: status, ..RecordError::default() };
        for (error, sentence, label) in [
            (error("rate_limit", Some(429)), "rate_limit (HTTP 429)", "rate_limit 429"),
            (error("429", Some(429)), "HTTP 429", "HTTP 429"),
            (error("_OTHER", Some(500)), "HTTP 500", "HTTP 500"),
            (error("timeout", None), "timeout", "timeout"),
            (error("", None), "an unknown error", "unknown error"),
        ] {
            assert_eq!(error_name(Some(&error)), sentence);
            assert_eq!(error_label(&error), label);
        }
        assert_eq!(error_name(None), "an unknown error");
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        assert_eq!(percent(5, 0), 0);
        assert_eq!(percent(1, 3), 33);
        assert_eq!(percent(2, 3), 67);
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }
}
