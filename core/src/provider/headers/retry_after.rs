//! How long a server asks to wait.

use super::{
    date::HttpDate,
    reading::{NANOS_PER_MILLI, NANOS_PER_SECOND, decimal},
};
use crate::time::{Nanos, UnixNanos};

/// The headers that name a delay, and the date of the response.
#[derive(Debug, Default)]
pub(super) struct RetryAfter {
    millis: Option<Nanos>,
    azure_millis: Option<Nanos>,
    seconds: Option<Nanos>,
    at: Option<HttpDate>,
    date: Option<HttpDate>,
}

impl RetryAfter {
    /// Takes a header, `is` telling its name; whether it is one that says when.
    pub(super) fn take(&mut self, is: impl Fn(&str) -> bool, value: &str) -> bool {
        if is("retry-after-ms") {
            self.millis = self.millis.or(decimal(value, NANOS_PER_MILLI));
        } else if is("x-ms-retry-after-ms") {
            self.azure_millis = self.azure_millis.or(decimal(value, NANOS_PER_MILLI));
        } else if is("retry-after") {
            // RFC 9110 has whole seconds; OpenAI sends fractions too.
            self.seconds = self.seconds.or(decimal(value, NANOS_PER_SECOND));
            self.at = self.at.or_else(|| HttpDate::parse(value));
        } else if is("date") {
            self.date = self.date.or_else(|| HttpDate::parse(value));
        } else {
            return false;
        }
        true
    }

    /// The delay: milliseconds over seconds over a date. A date that has passed is a delay of zero.
    ///
    /// The response's own date comes from the clock that wrote the other date; the caller's clock may be another.
    pub(super) fn delay(&self, arrival: Option<UnixNanos>) -> Option<Nanos> {
        if let Some(stated) = self.millis.or(self.azure_millis).or(self.seconds) {
            return Some(stated);
        }
        let at = self.at?;
        let arrival = arrival.map(|arrival| Nanos::from_nanos(arrival.as_nanos()));
        let arrival_second = arrival.map(|arrival| arrival.as_nanos() / NANOS_PER_SECOND);
        if let Some(date) = self.date.and_then(|date| date.unix_seconds(arrival_second)) {
            return Some(Nanos::from_secs(at.unix_seconds(Some(date))?.saturating_sub(date)));
        }
        Some(Nanos::from_secs(at.unix_seconds(arrival_second)?).saturating_sub(arrival?))
    }
}
