//! From base units to the units and types of attributes.

use alloc::{borrow::ToOwned, format, string::String};

use super::{profile::Form, read::Reading};
use crate::{record::AttributeValue, time::UnixNanos};

/// Writes a reading in a form; nothing when the form cannot hold it.
pub(super) fn convert(reading: Reading<'_>, form: Form) -> Option<AttributeValue> {
    match (form, reading) {
        (Form::Bool, Reading::Flag(flag)) => Some(AttributeValue::Bool(flag)),
        (Form::Count, Reading::Count(count)) => Some(integer(count)),
        (Form::Count, Reading::Int(number)) => Some(AttributeValue::Int(number)),
        (Form::Count, Reading::Float(number)) => whole(number).map(AttributeValue::Int),
        (Form::Float, Reading::Float(number)) => finite(number),
        (Form::Given, Reading::Given(value)) => passed_on(value),
        (Form::Iso8601, Reading::Moment(moment)) => Some(AttributeValue::Str(iso8601_millis(moment))),
        (Form::Millis, Reading::Time(time)) => Some(integer(time.as_millis())),
        (Form::Seconds, Reading::Time(time)) => finite(time.as_secs_f64()),
        (Form::Text, Reading::Text(text)) => Some(AttributeValue::Str(text.to_owned())),
        (Form::TextList, Reading::TextList(texts)) => Some(AttributeValue::StrList(texts.to_vec())),
        // A name that says dollars must not carry another currency.
        (Form::Usd, Reading::Amount(amount, "USD")) => finite(amount.as_f64()),
        _ => None,
    }
}

/// An attribute of the caller, unless no wire can hold it.
pub(super) fn passed_on(value: &AttributeValue) -> Option<AttributeValue> {
    match value {
        AttributeValue::Float(number) => finite(*number),
        other => Some(other.clone()),
    }
}

fn finite(number: f64) -> Option<AttributeValue> {
    number.is_finite().then_some(AttributeValue::Float(number))
}

fn integer(count: u64) -> AttributeValue {
    AttributeValue::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The integer that a float stands for; nothing for a fraction or past the integers that a float holds exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !(-EXACT..=EXACT).contains(&number) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range; a fraction is found by converting back")]
    let integer = number as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "within the integers that a float holds exactly")]
    let same = integer as f64 == number;
    same.then_some(integer)
}

/// `2026-11-21T08:20:24.123Z`: UTC, milliseconds cut.
///
/// The calendar is the proleptic Gregorian one, counted in eras of 400 years from 1 March of year 0 ("chrono-compatible
/// low-level date algorithms", Howard Hinnant, `civil_from_days`). `u64` nanoseconds end in the year 2554.
fn iso8601_millis(moment: UnixNanos) -> String {
    let millis = moment.as_nanos() / 1_000_000;
    let (days, of_day) = (millis / MILLIS_PER_DAY, millis % MILLIS_PER_DAY);
    let shifted = days + DAYS_FROM_YEAR_0_TO_1970;
    let (era, day_of_era) = (shifted / DAYS_PER_ERA, shifted % DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1_000 % 60, of_day % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

const MILLIS_PER_DAY: u64 = 86_400_000;
const DAYS_PER_ERA: u64 = 146_097;
const DAYS_FROM_YEAR_0_TO_1970: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::Money, time::Nanos};

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_799, "2000-02-29T23:59:59.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_000_000_000, "2001-09-09T01:46:40.000Z"),
            (1_234_567_890, "2009-02-13T23:31:30.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(iso8601_millis(UnixNanos::from_nanos(seconds * 1_000_000_000)), text);
        }
        assert_eq!(iso8601_millis(UnixNanos::from_nanos(1_999_999)), "1970-01-01T00:00:00.001Z");
        assert_eq!(iso8601_millis(UnixNanos::from_nanos(u64::MAX)), "2554-07-21T23:34:33.709Z");
    }

    #[test]
    fn what_no_wire_can_hold_is_not_written() {
        assert_eq!(convert(Reading::Float(f64::NAN), Form::Float), None);
        assert_eq!(convert(Reading::Float(f64::INFINITY), Form::Count), None);
        assert_eq!(passed_on(&AttributeValue::Float(f64::NEG_INFINITY)), None);
        assert_eq!(convert(Reading::Amount(Money::from_nanos(5), "EUR"), Form::Usd), None);
        assert_eq!(convert(Reading::Flag(true), Form::Millis), None);
    }

    #[test]
    fn numbers_are_cut_saturated_or_kept() {
        let time = Reading::Time(Nanos::from_nanos(234_999_999));
        assert_eq!(convert(time, Form::Millis), Some(AttributeValue::Int(234)));
        assert_eq!(convert(time, Form::Seconds), Some(AttributeValue::Float(0.234_999_999)));
        assert_eq!(convert(Reading::Count(u64::MAX), Form::Count), Some(AttributeValue::Int(i64::MAX)));
        assert_eq!(convert(Reading::Float(40.0), Form::Count), Some(AttributeValue::Int(40)));
        assert_eq!(convert(Reading::Float(40.5), Form::Count), None);
        let amount = Reading::Amount(Money::from_nanos(480_000), "USD");
        assert_eq!(convert(amount, Form::Usd), Some(AttributeValue::Float(0.000_48)));
    }
}
