//! The forms in which providers say how long to wait.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{clock, params::parse};

/// What an error response says about the next try. Nothing, unless asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct RetryAfter {
    headers: Vec<(&'static str, String)>,
    /// Seconds until the date of `Retry-After`.
    date: Option<u64>,
    /// Seconds, said in the body.
    body: Option<f64>,
}

impl RetryAfter {
    /// Sets a form; `false` when the key is none of them.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, String> {
        match key {
            // As it is written: `1`, `0.06`, or something that no client can read.
            "retry-after" => self.headers.push(("retry-after", value.into())),
            "retry-after-date" => self.date = Some(parse(key, value)?),
            "retry-after-ms" => self.headers.push(("retry-after-ms", value.into())),
            "x-ms-retry-after-ms" => self.headers.push(("x-ms-retry-after-ms", value.into())),
            "x-ratelimit-reset" => {
                // OpenAI's form: `60ms`, `1s`, `6m0s`.
                self.headers.push(("x-ratelimit-reset-requests", value.into()));
                self.headers.push(("x-ratelimit-reset-tokens", value.into()));
                self.headers.push(("x-ratelimit-remaining-requests", "0".into()));
            }
            "anthropic-ratelimit-reset" => {
                let at = rfc3339(clock::unix_seconds() + parse::<u64>(key, value)?);
                self.headers.push(("anthropic-ratelimit-requests-reset", at));
                self.headers.push(("anthropic-ratelimit-requests-remaining", "0".into()));
            }
            "x-should-retry" => self.headers.push(("x-should-retry", value.into())),
            "retry-body" => self.body = Some(parse(key, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The headers of an error response of that time.
    pub(crate) fn headers(&self, now: SystemTime) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        if let Some(seconds) = self.date {
            headers.push(("retry-after", httpdate::fmt_http_date(now + Duration::from_secs(seconds))));
        }
        headers
    }

    /// Seconds that the body of the error names, in the provider's form.
    pub(crate) const fn in_body(&self) -> Option<f64> {
        self.body
    }
}

/// `2026-06-05T10:00:00Z`; the date part is that of the HTTP date of the same second.
fn rfc3339(unix_seconds: u64) -> String {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(unix_seconds));
    let mut words = date.split(' ').skip(1);
    let mut word = || words.next().unwrap_or_default();
    let (day, month, year, time) = (word(), word(), word(), word());
    let month = MONTHS.iter().position(|name| *name == month).map_or(0, |at| at + 1);
    format!("{year}-{month:02}-{day}T{time}Z")
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_limits() {
        assert_eq!(rfc3339(1_780_653_600), "2026-06-05T10:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
    }
}
