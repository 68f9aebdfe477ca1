//! The caller's price table, and what tokens cost by it.
//!
//! Prices are integers: nano-units (1e-9) of a currency per million tokens, so that $0.15 per million is `150000000`.
#![warn(clippy::as_conversions, clippy::arithmetic_side_effects)]

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, ErrorKind},
    fields::fields,
    record::{Money, Usage},
    time::UnixNanos,
    wide::divide,
};

/// The price of one model, or of the models whose names begin alike.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Price {
    /// Model name as the provider reports it, or as it was asked for; a `*` at the end stands for any rest.
    pub model: String,
    /// Provider that the price is for; any when absent.
    pub provider: Option<String>,
    /// ISO 4217 code; `USD` when absent.
    pub currency: Option<String>,
    /// Input that was neither read from nor written to a cache, in nano-units per million tokens.
    pub input: u64,
    /// Output other than reasoning.
    pub output: u64,
    /// Input read from the cache; priced as input when absent.
    pub cache_read: Option<u64>,
    /// Input written to the cache; priced as input when absent.
    pub cache_write: Option<u64>,
    /// Reasoning; priced as output when absent.
    pub reasoning: Option<u64>,
    /// Other prices for requests with more input, ascending by `above_input_tokens`.
    pub tiers: Vec<Tier>,
    /// The price holds from this wall-clock time on; from ever when absent. A price with dates needs a call with a
    /// wall-clock anchor.
    pub from_unix_ns: Option<UnixNanos>,
    /// The price holds before this wall-clock time; for ever when absent.
    pub until_unix_ns: Option<UnixNanos>,
}

/// Prices for requests above a number of input tokens. The whole request is priced by its tier.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tier {
    /// The tier holds for more input tokens than this, cached ones included.
    pub above_input_tokens: u64,
    /// Input that was neither read from nor written to a cache, in nano-units per million tokens.
    pub input: u64,
    /// Output other than reasoning.
    pub output: u64,
    /// Input read from the cache; priced as input when absent.
    pub cache_read: Option<u64>,
    /// Input written to the cache; priced as input when absent.
    pub cache_write: Option<u64>,
    /// Reasoning; priced as output when absent.
    pub reasoning: Option<u64>,
}

/// The prices that hold for one request.
#[derive(Clone, Copy)]
struct Rates {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    reasoning: u64,
}

macro_rules! rates_of {
    ($table:expr) => {
        Rates {
            input: $table.input,
            output: $table.output,
            cache_read: $table.cache_read.unwrap_or($table.input),
            cache_write: $table.cache_write.unwrap_or($table.input),
            reasoning: $table.reasoning.unwrap_or($table.output),
        }
    };
}

/// What the tokens of one attempt cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TokenCost {
    pub(crate) input: Option<Money>,
    pub(crate) output: Option<Money>,
}

impl TokenCost {
    pub(crate) fn total(&self) -> Option<Money> {
        Some(self.input?.saturating_add(self.output?))
    }
}

impl Price {
    /// Makes a price of a model from its input and output rates, in nano-units per million tokens.
    pub fn new(model: impl Into<String>, input: u64, output: u64) -> Self {
        Self { model: model.into(), input, output, ..Self::default() }
    }

    /// The currency of the price.
    pub fn currency(&self) -> &str {
        self.currency.as_deref().unwrap_or("USD")
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        let ends_before_it_begins =
            self.from_unix_ns.zip(self.until_unix_ns).is_some_and(|(from, until)| from >= until);
        let wrong = if self.model.is_empty() {
            "prices: a price needs a model"
        } else if self.currency.as_ref().is_some_and(|code| !is_currency(code)) {
            "prices: a currency is three capital letters"
        } else if !self.tiers.is_sorted_by_key(|tier| tier.above_input_tokens) {
            "prices: tiers must ascend by above_input_tokens"
        } else if ends_before_it_begins {
            "prices: a price must end after it begins"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::InvalidConfig, wrong))
    }

    fn holds_at(&self, at: Option<UnixNanos>) -> bool {
        if self.from_unix_ns.is_none() && self.until_unix_ns.is_none() {
            return true;
        }
        at.is_some_and(|at| {
            self.from_unix_ns.is_none_or(|from| at >= from) && self.until_unix_ns.is_none_or(|until| at < until)
        })
    }

    fn is_for(&self, provider: Option<&str>, model: &str) -> bool {
        let names_model = match self.model.strip_suffix('*') {
            Some(prefix) => model.starts_with(prefix),
            None => model == self.model,
        };
        names_model && self.provider.as_deref().is_none_or(|own| Some(own) == provider)
    }

    fn rates_for(&self, input_tokens: u64) -> Rates {
        self.tiers
            .iter()
            .rev()
            .find(|tier| input_tokens > tier.above_input_tokens)
            .map_or_else(|| rates_of!(self), |tier| rates_of!(tier))
    }

    pub(crate) fn cost_of(&self, usage: &Usage) -> TokenCost {
        let rates = self.rates_for(usage.input_tokens.unwrap_or_default());
        let input = usage.input_tokens.map(|tokens| {
            let read = usage.cache_read_tokens.unwrap_or_default().min(tokens);
            let write = usage.cache_write_tokens.unwrap_or_default().min(tokens.saturating_sub(read));
            let fresh = tokens.saturating_sub(read).saturating_sub(write);
            sum(&[(fresh, rates.input), (read, rates.cache_read), (write, rates.cache_write)])
        });
        let output = usage.output_tokens.map(|tokens| {
            let reasoning = usage.reasoning_tokens.unwrap_or_default().min(tokens);
            sum(&[(tokens.saturating_sub(reasoning), rates.output), (reasoning, rates.reasoning)])
        });
        TokenCost { input, output }
    }
}

/// The price that holds: an exact name before a prefix, the longest prefix first, then the order of the table.
pub(crate) fn find<'a>(
    prices: &'a [Price],
    provider: Option<&str>,
    models: [Option<&str>; 2],
    at: Option<UnixNanos>,
) -> Option<&'a Price> {
    for model in models.into_iter().flatten() {
        let mut best: Option<&Price> = None;
        for price in prices {
            if price.holds_at(at)
                && price.is_for(provider, model)
                && best.is_none_or(|best| specificity(price) > specificity(best))
            {
                best = Some(price);
            }
        }
        if best.is_some() {
            return best;
        }
    }
    None
}

fn specificity(price: &Price) -> (bool, usize, bool) {
    (!price.model.ends_with('*'), price.model.len(), price.provider.is_some())
}

/// Whether the text has the form of an ISO 4217 code: three capital letters.
fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Tokens times prices, rounded half up to a nano-unit once.
fn sum(parts: &[(u64, u64)]) -> Money {
    const PER_MILLION: u128 = 1_000_000;
    let scaled = parts.iter().fold(0_u128, |total, (tokens, rate)| {
        total.saturating_add(u128::from(*tokens).saturating_mul(u128::from(*rate)))
    });
    Money::from_nanos(divide(scaled.saturating_add(PER_MILLION.div_euclid(2)), PER_MILLION))
}

fields! {
    Price, skips None, others Refused {
        model,
        provider,
        currency,
        input,
        output,
        cache_read,
        cache_write,
        reasoning,
        tiers,
        from_unix_ns,
        until_unix_ns,
    }
}

fields! {
    Tier, skips None, others Refused { above_input_tokens, input, output, cache_read, cache_write, reasoning }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, output: u64) -> Usage {
        Usage { input_tokens: Some(input), output_tokens: Some(output), ..Usage::default() }
    }

    #[test]
    fn tokens_cost_their_rate() {
        // $0.40 and $1.60 per million: 1,200 and 180 tokens cost 480,000 and 288,000 nano-dollars.
        let price = Price::new("gpt-4.1-mini", 400_000_000, 1_600_000_000);
        let cost = price.cost_of(&usage(1_200, 180));
        assert_eq!(cost.input, Some(Money::from_nanos(480_000)));
        assert_eq!(cost.output, Some(Money::from_nanos(288_000)));
        assert_eq!(cost.total(), Some(Money::from_nanos(768_000)));
    }

    #[test]
    fn cached_and_reasoning_tokens_have_their_own_rates() {
        let mut price = Price::new("m", 1_000_000, 2_000_000);
        price.cache_read = Some(100_000);
        price.cache_write = Some(1_250_000);
        price.reasoning = Some(3_000_000);
        let mut used = usage(1_000, 100);
        used.cache_read_tokens = Some(600);
        used.cache_write_tokens = Some(100);
        used.reasoning_tokens = Some(40);
        let cost = price.cost_of(&used);
        assert_eq!(cost.input, Some(Money::from_nanos(300 + 60 + 125)));
        assert_eq!(cost.output, Some(Money::from_nanos(120 + 120)));
    }

    #[test]
    fn a_tier_prices_the_whole_request() {
        let mut price = Price::new("m", 1_000_000, 1_000_000);
        price.tiers.push(Tier { above_input_tokens: 200_000, input: 2_000_000, output: 4_000_000, ..Tier::default() });
        assert_eq!(price.cost_of(&usage(200_000, 10)).total(), Some(Money::from_nanos(200_010)));
        assert_eq!(price.cost_of(&usage(200_001, 10)).total(), Some(Money::from_nanos(400_042)));
    }

    #[test]
    fn unknown_counts_have_no_cost() {
        let price = Price::new("m", 1, 1);
        let used = Usage { input_tokens: Some(3), ..Usage::default() };
        let cost = price.cost_of(&used);
        assert_eq!(cost.output, None);
        assert_eq!(cost.total(), None);
    }

    #[test]
    fn the_most_specific_price_that_holds_is_used() {
        let mut dated = Price::new("gpt-5", 1, 1);
        dated.until_unix_ns = Some(UnixNanos::from_nanos(100));
        let table = [Price::new("gpt-*", 2, 2), Price::new("gpt-5-mini*", 3, 3), dated];
        let input = |model, at| find(&table, None, [Some(model), None], at).map(|price| price.input);
        assert_eq!(input("gpt-5-mini-2025", None), Some(3));
        assert_eq!(input("gpt-5", Some(UnixNanos::from_nanos(50))), Some(1));
        assert_eq!(input("gpt-5", Some(UnixNanos::from_nanos(100))), Some(2));
        assert_eq!(input("gpt-5", None), Some(2), "a dated price needs a wall-clock anchor");
        assert_eq!(input("claude", None), None);
    }
}
