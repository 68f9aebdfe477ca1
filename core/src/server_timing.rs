//! A record as the value of a `Server-Timing` header.
//!
//! A server that calls a model on behalf of a browser tells it where the time went: in a response that it sends after the call
//! has ended, or in a trailer. Developer tools draw the metrics beside the request, and `PerformanceServerTiming` gives them to
//! scripts of the page.
//!
//! ```
//! use llmspan_core::record::Record;
//!
//! let json = r#"{"duration_ns": 3250000000, "request_setup_ns": 2050000000, "ttft_ns": 200000000, "sampling_ns": 1000000000,
//!     "tail_ns": 0, "attempt_count": 2, "retry_count": 1, "retry_actual_delay_ns": 2000000000}"#;
//! assert_eq!(
//!     Record::from_json(json)?.server_timing(),
//!     "total;dur=3250;desc=\"success\", setup;dur=2050, retry;dur=2000;desc=\"1 retry\", \
//!      ttft;dur=200;desc=\"time to first token\", sampling;dur=1000, tail;dur=0"
//! );
//! # Ok::<(), llmspan_core::error::Error>(())
//! ```
//!
//! | metric | duration | description |
//! |---|---|---|
//! | `total` | [`Record::duration_ns`] | how the call ended |
//! | `setup` | [`Record::request_setup_ns`]: all before the final attempt | |
//! | `retry` | [`Record::retry_actual_delay_ns`], part of `setup`; only after a retry | how many |
//! | `wait` | other waits before the final attempt, such as those for a key; part of `setup` | |
//! | `ttft` | [`Record::ttft_ns`], from the start of the final attempt | |
//! | `sampling` | [`Record::sampling_ns`] | |
//! | `response` | the final attempt, where it has no `ttft` | |
//! | `tail` | [`Record::tail_ns`]: all after the final attempt | |
//! | `upstream` | what the provider says it took in all | |
//!
//! `setup`, then `ttft` and `sampling` or else `response`, then `tail` add up to `total`. A value that is absent has no metric,
//! nor has what a clock measured that stood still (`diagnostics.clock.frozen`): of such a call `total` says how it ended, alone.
//! Names are tokens, durations milliseconds to a microsecond, descriptions words of this crate: nothing that a caller or a
//! provider wrote, for whoever reads the header may be a stranger.
//!
//! Rule: W3C Server Timing, "The Server-Timing Header Field".

use alloc::string::String;

use crate::{
    explain::{
        Value::{Number, Text, Thousandths},
        also, said,
    },
    record::{AttemptRecord, Record},
    time::Nanos,
};

impl Record {
    /// Writes where the time went as the value of a `Server-Timing` header, as the [module](crate::server_timing) describes.
    pub fn server_timing(&self) -> String {
        let attempt = self.answering_attempt();
        let response = attempt.filter(|_| self.ttft_ns.is_none()).map(|attempt| attempt.duration_ns);
        let retries = (self.retry_count > 0).then_some(self.retry_actual_delay_ns);
        let upstream = self.server.as_ref().and_then(|server| server.total_ns);
        let retry = if self.retry_count == 1 { "{} retry" } else { "{} retries" };
        let retry = said(retry, &[Number(self.retry_count)]);
        let is_told = |duration: &Nanos| self.is_measured(*duration);
        // A description is plain ASCII without quotes.
        let outcome = Text(self.outcome.as_str());
        let mut metrics = match Some(self.duration_ns).filter(is_told) {
            Some(duration) => said("total;dur={};desc=\"{}\"", &[Text(&millis(duration)), outcome]),
            None => said("total;desc=\"{}\"", &[outcome]),
        };
        for (name, duration, description) in [
            ("setup", self.request_setup_ns, ""),
            ("retry", retries, &retry),
            ("wait", self.other_waits(), ""),
            ("ttft", self.ttft_ns, "time to first token"),
            ("sampling", self.sampling_ns, ""),
            ("response", response, ""),
            ("tail", self.tail_ns, ""),
            ("upstream", upstream, "as the provider says"),
        ] {
            if let Some(duration) = duration.filter(is_told) {
                let template = if description.is_empty() { "{};dur={}" } else { "{};dur={};desc=\"{}\"" };
                also(&mut metrics, template, &[Text(name), Text(&millis(duration)), Text(description)]);
            }
        }
        metrics
    }

    fn answering_attempt(&self) -> Option<&AttemptRecord> {
        let number = self.final_attempt?;
        self.attempts.iter().find(|attempt| attempt.number == number)
    }

    /// Waits that no failed attempt was the reason of; `None` without one.
    fn other_waits(&self) -> Option<Nanos> {
        let waits = self.waits.iter().filter(|wait| wait.after_attempt == 0);
        waits.map(|wait| wait.actual_delay_ns).reduce(Nanos::saturating_add)
    }
}

/// Milliseconds as a decimal without an exponent, to a microsecond, cut.
fn millis(duration: Nanos) -> String {
    let micros = duration.as_nanos() / 1_000;
    if micros.is_multiple_of(1_000) {
        return said("{}", &[Number(micros / 1_000)]);
    }
    let text = said("{}", &[Thousandths(micros)]);
    text.trim_end_matches('0').into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::headers;

    fn timing(json: &str) -> String {
        Record::from_json(json).unwrap().server_timing()
    }

    #[test]
    fn durations_are_plain_decimals() {
        for (nanos, text) in [
            (0, "0"),
            (999, "0"),
            (1_000, "0.001"),
            (1_500_000, "1.5"),
            (12_345_678, "12.345"),
            (1_000_000, "1"),
            (u64::MAX, "18446744073709.551"),
        ] {
            assert_eq!(millis(Nanos::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn what_is_absent_has_no_metric() {
        assert_eq!(timing(r#"{"duration_ns": 5000000, "outcome": "abandoned"}"#), "total;dur=5;desc=\"abandoned\"");
    }

    #[test]
    fn a_whole_response_has_no_first_token() {
        let json = r#"{"duration_ns": 30000000, "request_setup_ns": 10000000, "tail_ns": 1000000, "final_attempt": 1,
            "waits": [{"reason": "key_pool", "actual_delay_ns": 4000000}, {"reason": "key_pool", "actual_delay_ns": 5000000}],
            "attempts": [{"number": 1, "start_ns": 10000000, "duration_ns": 19000000}], "server": {"total_ns": 15500000}}"#;
        assert_eq!(
            timing(json),
            "total;dur=30;desc=\"success\", setup;dur=10, wait;dur=9, response;dur=19, tail;dur=1, \
             upstream;dur=15.5;desc=\"as the provider says\""
        );
    }

    #[test]
    fn a_clock_that_stands_still_measures_nothing() {
        let json = r#"{"duration_ns": 0, "request_setup_ns": 0, "ttft_ns": 0, "sampling_ns": 0, "server": {"total_ns": 1000000},
            "diagnostics": {"clock": {"frozen": true}}}"#;
        assert_eq!(timing(json), "total;desc=\"success\", upstream;dur=1;desc=\"as the provider says\"");
    }

    #[test]
    fn nothing_of_others_is_in_it() {
        let json = r#"{"duration_ns": 1, "outcome": "error", "error": {"type": "x\"; dur=1, a", "message": "secret"},
            "model": "secret", "provider": "secret", "attributes": {"secret": "secret"}}"#;
        assert_eq!(timing(json), "total;dur=0;desc=\"error\"");
    }

    #[test]
    fn a_client_of_a_server_reads_its_total() {
        let value = timing(r#"{"duration_ns": 3250000000, "request_setup_ns": 1, "ttft_ns": 2}"#);
        let read = headers::read(200, [("server-timing", value.as_str())]);
        assert_eq!(read.server.total_ns, Some(Nanos::from_millis(3250)));
    }
}
