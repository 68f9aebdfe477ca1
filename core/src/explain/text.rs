//! Numbers as people read them.

use alloc::string::{String, ToString as _};

use super::say::{Value, push_number, said, say};
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
    let mut text = String::new();
    push_time(&mut text, duration);
    text
}

/// Appends a length of time as [`readable`] gives it.
pub(super) fn push_time(out: &mut String, duration: Nanos) {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return out.push_str("0 s");
    }
    for (unit, bound, name) in [(1, 1_000, " ns"), (1_000, 1_000, " µs"), (1_000_000, 1_000, " ms"), (SECOND, 60, " s")]
    {
        // Three digits: the less there are before the point, the more behind it.
        let parts: u64 = match nanos / unit {
            0..10 => 100,
            10..100 => 10,
            _ => 1,
        };
        let step = unit / parts.min(unit);
        let steps = nanos.saturating_add(step / 2) / step;
        let parts = unit / step;
        let (whole, rest) = (steps / parts, steps % parts);
        if whole < bound {
            push_number(out, whole);
            // Behind the point the leading digit may be 0, and no 0 comes last.
            let (tenths, hundredths) = if parts == 100 { (rest / 10, rest % 10) } else { (rest, 0) };
            if rest > 0 {
                out.push('.');
                push_number(out, tenths);
            }
            if hundredths > 0 {
                push_number(out, hundredths);
            }
            return out.push_str(name);
        }
    }
    let seconds = nanos.saturating_add(SECOND / 2) / SECOND;
    let units = [(86_400, " d", 3_600, " h"), (3_600, " h", 60, " min"), (60, " min", 1, " s")];
    let found = units.into_iter().find(|(large, ..)| seconds >= *large);
    let (large, large_name, small, small_name) = found.unwrap_or((1, " s", 1, " s"));
    push_number(out, seconds / large);
    out.push_str(large_name);
    let rest = seconds % large / small;
    if rest > 0 {
        say(out, " {}{}", &[Value::Number(rest), Value::Text(small_name)]);
    }
}

/// Appends a count with a comma between thousands.
pub(super) fn push_grouped(out: &mut String, count: u64) {
    push_grouped_digits(out, &count.to_string());
}

/// A rate with a comma between thousands; nothing for what is no number.
pub(crate) fn grouped_rate(rate: f64) -> Option<String> {
    let text = plain(rate)?;
    let mut grouped = String::new();
    push_grouped_digits(&mut grouped, &text);
    Some(grouped)
}

/// Appends an amount of money with a comma between thousands.
pub(super) fn push_money(out: &mut String, amount: Money) {
    push_grouped_digits(out, &amount.to_string());
}

/// Appends a decimal with a comma between the thousands before its point.
fn push_grouped_digits(out: &mut String, decimal: &str) {
    let mut left = decimal.bytes().take_while(|byte| *byte != b'.').count();
    let mut is_first = true;
    for found in decimal.chars() {
        // Behind the point nothing is left, and a sign is no digit to have a comma behind it.
        if left > 0 {
            if !is_first && left.is_multiple_of(3) {
                out.push(',');
            }
            is_first = found == '-';
            left = left.saturating_sub(1);
        }
        out.push(found);
    }
}

/// Appends a count with its noun, which takes an `s` unless the count is one.
pub(super) fn push_counted(out: &mut String, count: u64, noun: &str) {
    let plural = if count == 1 { "" } else { "s" };
    say(out, "{} {}{}", &[Value::Count(count), Value::Text(noun), Value::Text(plural)]);
}

/// The share of a whole in per cent, rounded half up; 0 of nothing.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    let whole = u128::from(whole);
    let scaled = u128::from(part).saturating_mul(100).saturating_add(whole / 2);
    scaled.checked_div(whole).and_then(|share| u64::try_from(share).ok()).unwrap_or_default()
}

/// Appends the type of an error, unless it says nothing or nothing but the status code, and the status code; the words are
/// for neither of them, and for a status code behind a type.
pub(super) fn push_error(out: &mut String, error: Option<&RecordError>, [unknown, behind]: [&str; 2]) {
    let kind = error.map_or("", |error| error.error_type.as_str());
    let status = error.and_then(|error| error.status_code).map(u64::from);
    let says_nothing = matches!(kind, "" | "_OTHER") || status.is_some_and(|status| kind == status.to_string());
    out.push_str(match status {
        _ if !says_nothing => kind,
        None => unknown,
        Some(_) => "",
    });
    if let Some(status) = status {
        say(out, if says_nothing { "HTTP {}" } else { behind }, &[Value::Number(status)]);
    }
}

/// How many tokens went in and out; empty when neither is known or both are 0.
pub(super) fn in_and_out(usage: &Usage) -> String {
    let (input, output) = (usage.input_tokens.unwrap_or_default(), usage.output_tokens.unwrap_or_default());
    let template = match (input, output) {
        (0, 0) => "",
        (_, 0) => "{} input tokens",
        (0, _) => "{} output tokens",
        _ => "{} input and {} output tokens",
    };
    let first = if input > 0 { input } else { output };
    said(template, &[Value::Count(first), Value::Count(output)])
}

const SECOND: u64 = 1_000_000_000;

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
            assert_eq!(said("{}", &[Value::Count(count)]), text);
        }
        for (rate, text) in [(17.5, "17.5"), (1_234.25, "1,234.25"), (-1_000.0, "-1,000"), (0.0, "0")] {
            assert_eq!(grouped_rate(rate).as_deref(), Some(text));
        }
        assert_eq!(grouped_rate(f64::NAN), None);
        for (value, text) in [
            (Value::Money("EUR", Money::from_nanos(1_234_500_000_000)), "EUR 1,234.5"),
            (Value::Money("USD", Money::from_nanos(320_000)), "USD 0.00032"),
            (Value::Counted(1, "stall"), "1 stall"),
            (Value::Counted(2_000, "stall"), "2,000 stalls"),
        ] {
            assert_eq!(said("{}", &[value]), text);
        }
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
            assert_eq!(said("{}", &[Value::Error(Some(&error))]), sentence);
            assert_eq!(said("{}", &[Value::Label(&error)]), label);
        }
        assert_eq!(said("{}", &[Value::Error(None)]), "an unknown error");
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        assert_eq!(percent(5, 0), 0);
        assert_eq!(percent(1, 3), 33);
        assert_eq!(percent(2, 3), 67);
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }
}
