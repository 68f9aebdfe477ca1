//! What the tokens cost.

use llmspan_core::{
    config::Config,
    price::Price,
    record::{AttemptRecord, Cost, CostSource, Money, Outcome, Usage},
    time::UnixNanos,
};

use crate::attempt::Attempt;

/// What one attempt cost, by the provider's word or by the table.
pub(crate) fn of_attempt(
    config: &Config,
    it: &Attempt<'_>,
    usage: Option<&Usage>,
    provider: Option<&str>,
    models: [Option<&str>; 2],
    at: Option<UnixNanos>,
) -> Option<Cost> {
    let mut cost = Cost::default();
    cost.currency = String::from("USD");
    if let Some(nanos) = it.deltas().filter_map(|delta| delta.cost_nanos).next_back() {
        cost.total = Some(Money::from_nanos(nanos));
        cost.source = CostSource::Provider;
        return Some(cost);
    }
    let usage = usage?;
    let price = models.into_iter().flatten().find_map(|model| price_of(config, provider, model, at))?;
    price.currency().clone_into(&mut cost.currency);
    // The whole request is priced by the last tier that it is above.
    let tier = price.tiers.iter().rfind(|tier| usage.input_tokens.unwrap_or(0) > tier.above_input_tokens);
    let (input, output, read, write, reasoning) = match tier {
        Some(tier) => (tier.input, tier.output, tier.cache_read, tier.cache_write, tier.reasoning),
        None => (price.input, price.output, price.cache_read, price.cache_write, price.reasoning),
    };
    cost.input = usage.input_tokens.map(|tokens| {
        let from_cache = usage.cache_read_tokens.unwrap_or(0).min(tokens);
        let to_cache = usage.cache_write_tokens.unwrap_or(0).min(tokens - from_cache);
        let fresh = tokens - from_cache - to_cache;
        money(&[(fresh, input), (from_cache, read.unwrap_or(input)), (to_cache, write.unwrap_or(input))])
    });
    cost.output = usage.output_tokens.map(|tokens| {
        let thought = usage.reasoning_tokens.unwrap_or(0).min(tokens);
        money(&[(tokens - thought, output), (thought, reasoning.unwrap_or(output))])
    });
    cost.total = match (cost.input, cost.output) {
        (Some(input), Some(output)) => Some(input.saturating_add(output)),
        _ => None,
    };
    (cost.input.is_some() || cost.output.is_some()).then_some(cost)
}

/// The price of a model: its own name before a beginning of it, the longest beginning first, then one for the provider, then the
/// order of the table.
fn price_of<'p>(config: &'p Config, provider: Option<&str>, model: &str, at: Option<UnixNanos>) -> Option<&'p Price> {
    let holds = |price: &&Price| {
        let is_named = match price.model.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == price.model,
        };
        let is_of_provider = price.provider.as_deref().is_none_or(|own| Some(own) == provider);
        let is_begun = price.from_unix_ns.is_none_or(|from| at.is_some_and(|at| at >= from));
        let is_not_over = price.until_unix_ns.is_none_or(|until| at.is_some_and(|at| at < until));
        is_named && is_of_provider && is_begun && is_not_over
    };
    let rank = |price: &&Price| (!price.model.ends_with('*'), price.model.len(), price.provider.is_some());
    // Of equals the first of the table: a maximum gives the last.
    config.prices.iter().rev().filter(holds).max_by_key(rank)
}

/// Tokens at a price per million, rounded half up once.
fn money(parts: &[(u64, u64)]) -> Money {
    let millionths: u128 = parts.iter().map(|(tokens, price)| u128::from(*tokens) * u128::from(*price)).sum();
    Money::from_nanos(u64::try_from((millionths + 500_000) / 1_000_000).unwrap_or(u64::MAX))
}

/// The cost of the call: that of the final attempt, or at least of the others, and the sums. `kept` are the attempts that are kept in
/// detail: of others nobody knows the cost.
pub(crate) fn of_call(own: Option<Cost>, attempts: &[AttemptRecord], last: Option<u32>, kept: &[u32]) -> Option<Cost> {
    let is_kept = |attempt: &&AttemptRecord| kept.contains(&attempt.number);
    let others = || attempts.iter().filter(|attempt| Some(attempt.number) != last);
    let paid = others().filter(is_kept).filter_map(|attempt| attempt.cost.as_ref()).find(|cost| cost.total.is_some());
    let has_own = own.is_some();
    let mut cost = own.or_else(|| {
        let mut cost = Cost::default();
        cost.currency.clone_from(&paid?.currency);
        cost.source = paid?.source;
        Some(cost)
    })?;
    if attempts.iter().all(|attempt| is_kept(&attempt) || attempt.usage.is_none()) {
        let failed = others().filter(|attempt| attempt.outcome != Outcome::Success);
        cost.all_attempts = sum(attempts.iter());
        cost.wasted = sum(failed);
    }
    (has_own || cost.all_attempts.is_some() || cost.wasted.is_some()).then_some(cost)
}

/// Sums the costs of attempts; absent when one that has tokens has no cost.
fn sum<'c>(mut attempts: impl Iterator<Item = &'c AttemptRecord>) -> Option<Money> {
    attempts.try_fold(Money::default(), |sum, attempt| match attempt.cost.as_ref().map(|cost| cost.total) {
        Some(total) => Some(sum.saturating_add(total?)),
        None => attempt.usage.is_none().then_some(sum),
    })
}
