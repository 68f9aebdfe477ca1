//! Sentences with values in them.
//!
//! A `format!` for each sentence, and a string for each value in it, is most of what sentences cost in code. Here one
//! function fills in all of them.

use alloc::string::String;
use core::fmt::Write as _;

use super::text::{percent, push_counted, push_error, push_grouped, push_money, push_time};
use crate::{
    record::{Money, RecordError},
    time::Nanos,
};

/// A value in a sentence.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// An amount of money with a comma between thousands.
    Amount(Money),
    /// A count with a comma between thousands.
    Count(u64),
    /// A count with its noun, which takes an `s` unless the count is one.
    Counted(u64, &'a str),
    /// An error by its type and status code, in a sentence: `rate_limit (HTTP 429)`.
    Error(Option<&'a RecordError>),
    /// An error by its type and status code, where there is little room: `rate_limit 429`.
    Label(&'a RecordError),
    /// Text, escaped for an element of HTML or XML and for a quoted attribute alike.
    Escaped(&'a str),
    /// The length of a list, digits alone.
    Length(usize),
    /// An amount of money behind its currency.
    Money(&'a str, Money),
    /// A number, digits alone.
    Number(u64),
    /// A part of a whole in per cent with two decimals, at most 100; 0 of nothing.
    Part(u64, u64),
    /// The share of a whole in per cent, rounded half up; 0 of nothing.
    Share(u64, u64),
    /// Text as it is.
    Text(&'a str),
    /// A thousandth of a number, with three decimals.
    Thousandths(u64),
    /// A length of time with its unit.
    Time(Nanos),
}

impl Value<'_> {
    fn push(self, out: &mut String) {
        match self {
            Self::Amount(amount) => push_money(out, amount),
            Self::Count(count) => push_grouped(out, count),
            Self::Counted(count, noun) => push_counted(out, count, noun),
            Self::Error(error) => push_error(out, error, ["an unknown error", " (HTTP {})"]),
            Self::Label(error) => push_error(out, Some(error), ["unknown error", " {}"]),
            Self::Money(currency, amount) => say(out, "{} {}", &[Self::Text(currency), Self::Amount(amount)]),
            Self::Escaped(text) => push_escaped(out, text),
            Self::Length(length) => push_number(out, u64::try_from(length).unwrap_or(u64::MAX)),
            Self::Number(number) => push_number(out, number),
            Self::Part(part, whole) => {
                let scaled = u128::from(part.min(whole)).saturating_mul(10_000);
                let hundredths = scaled.checked_div(u128::from(whole)).and_then(|share| u64::try_from(share).ok());
                let hundredths = hundredths.unwrap_or_default();
                // A string takes all that is written to it.
                let _ = write!(out, "{}.{:02}%", hundredths / 100, hundredths % 100);
            }
            Self::Share(part, whole) => push_number(out, percent(part, whole)),
            Self::Text(text) => out.push_str(text),
            Self::Thousandths(number) => {
                // A string takes all that is written to it.
                let _ = write!(out, "{}.{:03}", number / 1_000, number % 1_000);
            }
            Self::Time(time) => push_time(out, time),
        }
    }
}

/// Appends a template with a value in the place of each `{}`. A template holds no other braces.
pub(crate) fn say(out: &mut String, template: &str, values: &[Value<'_>]) {
    let mut pieces = template.split('{');
    out.push_str(pieces.next().unwrap_or_default());
    for (piece, value) in pieces.zip(values) {
        value.push(out);
        out.push_str(piece.strip_prefix('}').unwrap_or(piece));
    }
}

/// The template with its values.
pub(crate) fn said(template: &str, values: &[Value<'_>]) -> String {
    let mut text = String::new();
    say(&mut text, template, values);
    text
}

/// Appends an item to a list, behind a comma if it is not the first one.
pub(crate) fn also(list: &mut String, template: &str, values: &[Value<'_>]) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    say(list, template, values);
}

/// Appends the digits of a number.
pub(crate) fn push_number(out: &mut String, number: u64) {
    // A string takes all that is written to it.
    let _ = write!(out, "{number}");
}

fn push_escaped(out: &mut String, text: &str) {
    for found in text.chars() {
        match found {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_their_places() {
        assert_eq!(said("no value", &[]), "no value");
        assert_eq!(said("{} of {}", &[Value::Number(1_000), Value::Count(1_000)]), "1000 of 1,000");
        assert_eq!(said("({}) ", &[Value::Text("{} {")]), "({} {) ");
        let mut list = String::new();
        also(&mut list, "{}", &[Value::Time(Nanos::from_millis(2))]);
        also(&mut list, "{} %", &[Value::Share(1, 8)]);
        assert_eq!(list, "2 ms, 13 %");
    }

    #[test]
    fn numbers_have_their_places() {
        for (value, text) in [
            (Value::Thousandths(1_234_005), "1234.005"),
            (Value::Thousandths(7), "0.007"),
            (Value::Part(1, 3), "33.33%"),
            (Value::Part(5, 3), "100.00%"),
            (Value::Part(1, 0), "0.00%"),
            (Value::Part(u64::MAX, u64::MAX), "100.00%"),
        ] {
            assert_eq!(said("{}", &[value]), text);
        }
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(said("{}", &[Value::Escaped("<a b=\"c\">'&")]), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;");
    }
}
