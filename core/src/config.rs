//! What an engine is configured with.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, ErrorKind},
    fields::{fields, read_json},
    limits::Limits,
    price::Price,
    time::Nanos,
};

/// The configuration of one call or of a tracker. Every field has a default; unknown keys in JSON are an error.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// A gap between visible chunks longer than this is a stall. Default 1 s.
    pub stall_after_ns: Nanos,
    /// Whether error messages are kept, cut and cleaned. Default false: they may quote the prompt.
    pub error_messages: bool,
    /// A rate above this many output tokens per second means that the stream was held back. Default 10,000.
    pub buffered_tokens_per_second: u64,
    /// Sampling under this percentage of the time to first token means that the stream was held back. Default 1.
    pub buffered_ttft_percent: u64,
    /// Nothing from the server for this long ends an attempt's call as timed out (`idle`). Default: never.
    pub idle_timeout_ns: Option<Nanos>,
    /// A call that takes this long is timed out (`deadline`). Default: never.
    pub deadline_ns: Option<Nanos>,
    /// A call that is still open at this age is finalized as abandoned. Default: never.
    pub abandon_after_ns: Option<Nanos>,
    /// Prices per million tokens. Default: none, so no cost is computed.
    pub prices: Vec<Price>,
    /// Service-level objectives. Default: none, so no verdict is given.
    pub slo: Option<Slo>,
    /// The caps.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stall_after_ns: Nanos::from_secs(1),
            error_messages: false,
            buffered_tokens_per_second: 10_000,
            buffered_ttft_percent: 1,
            idle_timeout_ns: None,
            deadline_ns: None,
            abandon_after_ns: None,
            prices: Vec::new(),
            slo: None,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Reads a configuration from JSON and checks it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`] for text that is no JSON object of these keys, or for values out of range.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let mut config = Self::default();
        read_json(&mut config, text, None)
            .map_err(|mismatch| Error::new(ErrorKind::InvalidConfig, mismatch.into_text()))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`] with the name of the first value that is out of range: a timeout of zero, a percentage
    /// above 100, a frame cap of zero, a price without a model, price tiers out of order, or a price that ends before it
    /// begins.
    pub fn validate(&self) -> Result<(), Error> {
        let limits = &self.limits;
        let wrong = if self.idle_timeout_ns == Some(Nanos::ZERO) {
            "idle_timeout_ns must be above zero"
        } else if self.deadline_ns == Some(Nanos::ZERO) {
            "deadline_ns must be above zero"
        } else if self.abandon_after_ns == Some(Nanos::ZERO) {
            "abandon_after_ns must be above zero"
        } else if self.buffered_ttft_percent > 100 {
            "buffered_ttft_percent must be at most 100"
        } else if limits.frame_bytes == 0 || limits.body_bytes == 0 {
            "limits.frame_bytes and limits.body_bytes must be above zero"
        } else if limits.open_calls == 0 {
            "limits.open_calls must be above zero"
        } else {
            return self.prices.iter().try_for_each(Price::validate);
        };
        Err(Error::new(ErrorKind::InvalidConfig, wrong))
    }

    /// Whether there is a deadline, an idle timeout or an age, so that [`Tracker::handle_timeout`] has something to do.
    ///
    /// [`Tracker::handle_timeout`]: crate::engine::Tracker::handle_timeout
    pub fn has_deadlines(&self) -> bool {
        self.idle_timeout_ns.is_some() || self.deadline_ns.is_some() || self.abandon_after_ns.is_some()
    }

    /// Sets the bound over which a gap is a stall.
    pub fn with_stall_after(mut self, bound: Nanos) -> Self {
        self.stall_after_ns = bound;
        self
    }

    /// Sets whether error messages are kept.
    pub fn with_error_messages(mut self, keep: KeepMessages) -> Self {
        self.error_messages = matches!(keep, KeepMessages::Cleaned);
        self
    }

    /// Sets the idle timeout.
    pub fn with_idle_timeout(mut self, timeout: Nanos) -> Self {
        self.idle_timeout_ns = Some(timeout);
        self
    }

    /// Sets the deadline of a call.
    pub fn with_deadline(mut self, deadline: Nanos) -> Self {
        self.deadline_ns = Some(deadline);
        self
    }

    /// Sets the age at which an open call is given up.
    pub fn with_abandon_after(mut self, age: Nanos) -> Self {
        self.abandon_after_ns = Some(age);
        self
    }

    /// Sets the price table.
    pub fn with_prices(mut self, prices: Vec<Price>) -> Self {
        self.prices = prices;
        self
    }

    /// Sets the service-level objectives.
    pub fn with_slo(mut self, slo: Slo) -> Self {
        self.slo = Some(slo);
        self
    }

    /// Sets the caps.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// What happens to the text of errors.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeepMessages {
    /// Messages are dropped.
    Off,
    /// Messages are kept without control characters and credentials, cut to 1,024 bytes.
    Cleaned,
}

/// Service-level objectives of a call, each an upper bound that still meets it. An objective that is absent, or that does
/// not apply (time to first token of a call that does not stream), is not judged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Slo {
    /// Time to first token of the final attempt.
    pub ttft_ns: Option<Nanos>,
    /// 99th percentile of the gaps between visible chunks.
    pub inter_chunk_p99_ns: Option<Nanos>,
    /// Time per output token after the first.
    pub time_per_output_token_ns: Option<Nanos>,
    /// Duration of the call.
    pub duration_ns: Option<Nanos>,
    /// Number of stalls.
    pub stalls: Option<u64>,
}

fields! {
    Config, skips None, others Refused {
        stall_after_ns,
        error_messages,
        buffered_tokens_per_second,
        buffered_ttft_percent,
        idle_timeout_ns,
        deadline_ns,
        abandon_after_ns,
        prices,
        slo,
        limits,
    }
}

fields! {
    Slo, skips None, others Refused { ttft_ns, inter_chunk_p99_ns, time_per_output_token_ns, duration_ns, stalls }
}
