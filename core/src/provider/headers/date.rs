//! Dates in HTTP headers: the three forms of RFC 9110, section 5.6.7.
//!
//! Written here because nothing smaller does it without `std`: `httpdate` is built on `SystemTime`, and the general calendar
//! crates bring time zones and formatting for a rule of a few lines.

/// A date as it was written; the century of a year of two digits is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct HttpDate {
    year: Year,
    /// From 0.
    month: u64,
    day: u64,
    second_of_day: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Year {
    Full(u64),
    LastTwoDigits(u64),
}

impl HttpDate {
    /// Reads one of
    ///
    /// ```text
    /// Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate
    /// Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
    /// Sun Nov  6 08:49:37 1994          asctime
    /// ```
    ///
    /// The day of the week has to be one, but not the right one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // A date has a fixed length, give or take the name of the day.
        if text.len() > LONGEST {
            return None;
        }
        let mut words = text.split_ascii_whitespace();
        let mut word = || words.next();
        let weekday = word()?;
        let (weekday, has_comma) = weekday.strip_suffix(',').map_or((weekday, false), |day| (day, true));
        let is_long = weekday.len() > 3;
        if !DAYS.iter().any(|day| is_name(weekday, day, is_long)) {
            return None;
        }
        let (year, month, day, time, zone) = if !has_comma {
            let (month, day, time, year) = (word()?, word()?, word()?, word()?);
            (year, month, day, time, "GMT")
        } else if is_long {
            let mut date = word()?.split('-');
            let (day, month, year) = (date.next()?, date.next()?, date.next()?);
            if date.next().is_some() {
                return None;
            }
            (year, month, day, word()?, word()?)
        } else {
            let (day, month, year) = (word()?, word()?, word()?);
            (year, month, day, word()?, word()?)
        };
        if zone != "GMT" || word().is_some() || (is_long && !has_comma) {
            return None;
        }
        let year = match (number(year)?, year.len()) {
            (year, 4) if !is_long && year >= 1970 => Year::Full(year),
            (year, 2) if is_long => Year::LastTwoDigits(year),
            _ => return None,
        };
        let month = MONTHS.iter().position(|name| month.eq_ignore_ascii_case(name))?;
        let day = number(day).filter(|_| day.len() <= 2)?;
        Some(Self { year, month: u64::try_from(month).ok()?, day, second_of_day: second_of_day(time)? })
    }

    /// Seconds since the Unix epoch; `None` when the month has no such day.
    ///
    /// A year of two digits is the latest one with them that is no more than 50 years behind `reference`, which is the rule of
    /// the RFC; without a reference it lies in 1970 to 2069.
    pub(super) fn unix_seconds(self, reference: Option<u64>) -> Option<u64> {
        match self.year {
            Year::Full(year) => self.in_year(year),
            Year::LastTwoDigits(digits) => {
                let Some(reference) = reference else {
                    return self.in_year(if digits < 70 { 2000 + digits } else { 1900 + digits });
                };
                let year = year_of(reference);
                let latest = year + 50;
                let candidate = latest - (latest - digits) % 100;
                // Whether 50 years from then fall short of it: its day in the year of reference is still to come.
                let this_year = self.in_year(year).or_else(|| Self { day: 28, ..self }.in_year(year));
                if candidate == latest && this_year.is_none_or(|this_year| this_year > reference) {
                    return self.in_year(candidate.checked_sub(100)?);
                }
                self.in_year(candidate)
            }
        }
    }

    fn in_year(self, year: u64) -> Option<u64> {
        if !(1970..=LAST_YEAR).contains(&year) {
            return None;
        }
        let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let month = usize::try_from(self.month).ok()?;
        if self.day == 0 || self.day > *lengths.get(month)? {
            return None;
        }
        let days = days_before(year) + lengths.iter().take(month).sum::<u64>() + self.day - 1;
        Some(days * SECONDS_PER_DAY + self.second_of_day)
    }
}

/// Days from the epoch to the first day of a year from 1970 on.
fn days_before(year: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
}

/// The year of a time since the epoch.
fn year_of(seconds: u64) -> u64 {
    // A mean year of the calendar is 146,097 / 400 days: the guess is right or, close to New Year, one off.
    let guess = 1970 + seconds / SECONDS_PER_DAY * 400 / 146_097;
    match seconds / SECONDS_PER_DAY {
        days if days < days_before(guess) => guess - 1,
        days if days >= days_before(guess + 1) => guess + 1,
        _ => guess,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// `hh:mm:ss`; second 60 is a leap second, the one before the next minute.
fn second_of_day(time: &str) -> Option<u64> {
    let mut parts = time.split(':');
    let mut part = |most: u64| {
        let part = parts.next()?;
        number(part).filter(|value| part.len() == 2 && *value <= most)
    };
    let (hour, minute, second) = (part(23)?, part(59)?, part(60)?);
    parts.next().is_none().then_some(hour * 3600 + minute * 60 + second)
}

/// A number of digits alone.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn is_name(word: &str, name: &str, is_long: bool) -> bool {
    if is_long {
        word.eq_ignore_ascii_case(name)
    } else {
        name.get(..3).is_some_and(|name| word.eq_ignore_ascii_case(name))
    }
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECONDS_PER_DAY: u64 = 86_400;

/// `Wednesday, 06-Nov-94 08:49:37 GMT`, with room for white space.
const LONGEST: usize = 40;

/// The last year of four digits.
const LAST_YEAR: u64 = 9999;

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06T08:49:37Z, the example of the RFC.
    const EXAMPLE: u64 = 784_111_777;

    fn seconds(text: &str, reference: Option<u64>) -> Option<u64> {
        HttpDate::parse(text)?.unix_seconds(reference)
    }

    #[test]
    fn the_three_forms_are_one_date() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(seconds(text, Some(EXAMPLE)), Some(EXAMPLE), "{text}");
            assert_eq!(seconds(text, None), Some(EXAMPLE), "{text}");
        }
    }

    #[test]
    fn leap_days_and_leap_seconds() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT", None), Some(0));
        assert_eq!(seconds("Tue, 29 Feb 2000 00:00:00 GMT", None), Some(951_782_400));
        assert_eq!(seconds("Wed, 01 Mar 2000 00:00:00 GMT", None), Some(951_868_800));
        assert_eq!(seconds("Thu, 29 Feb 2024 23:59:59 GMT", None), Some(1_709_251_199));
        assert_eq!(seconds("Sat, 31 Dec 2016 23:59:60 GMT", None), Some(1_483_228_800));
        assert_eq!(seconds("Sun, 01 Jan 2017 00:00:00 GMT", None), Some(1_483_228_800));
        assert_eq!(seconds("Mon, 01 Mar 2100 00:00:00 GMT", None), Some(4_107_542_400));
    }

    #[test]
    fn a_short_year_is_at_most_fifty_years_ahead() {
        // 2026-06-05T10:00:00Z.
        let reference = Some(1_780_653_600);
        let year = |text| seconds(text, reference);
        assert_eq!(year("Friday, 05-Jun-26 10:00:30 GMT"), Some(1_780_653_630));
        // 2076-06-05T10:00:00Z is 50 years ahead, and a second later is more than that.
        assert_eq!(year("Friday, 05-Jun-76 10:00:00 GMT"), Some(3_358_576_800));
        assert_eq!(year("Saturday, 05-Jun-76 10:00:01 GMT"), Some(202_816_801));
        assert_eq!(year("Saturday, 29-Feb-76 00:00:00 GMT"), Some(3_350_160_000));
        assert_eq!(year("Sunday, 06-Nov-94 08:49:37 GMT"), Some(EXAMPLE));
        // At the end of a century the next one may be meant: 2099-12-31 and 2100-01-01.
        assert_eq!(seconds("Friday, 01-Jan-00 00:00:00 GMT", Some(4_102_358_400)), Some(4_102_444_800));
    }

    #[test]
    fn what_is_no_date_is_left_out() {
        for text in [
            "",
            "Sun",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 GMT x",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 2100 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 19945 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nox 1994 08:49:37 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "Sunday Nov 6 08:49:37 1994",
            "Sun Nov 6 08:49:37 94",
            "1994-11-06T08:49:37Z",
            "Sún, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(seconds(text, Some(EXAMPLE)), None, "{text:?}");
        }
    }
}
