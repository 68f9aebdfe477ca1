//! Token counts and cost inside a record.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    money::Money,
    shape::{Shape, Value, record_struct, scalars},
};
use crate::{
    delta::{Provenance, RawUsage},
    fields::words,
};

record_struct! {
    /// Normalized token counts. A count that nobody reported is absent; a reported 0 is 0.
    pub struct Usage {
        /// Input tokens, cache reads and writes included. Maps to `gen_ai.usage.input_tokens`.
        pub input_tokens: Option<u64>,
        /// Output tokens, reasoning included. Maps to `gen_ai.usage.output_tokens`.
        pub output_tokens: Option<u64>,
        /// Input tokens read from the provider's cache. Maps to `gen_ai.usage.cache_read.input_tokens`.
        pub cache_read_tokens: Option<u64>,
        /// Input tokens written to the provider's cache. Maps to `gen_ai.usage.cache_creation.input_tokens`.
        pub cache_write_tokens: Option<u64>,
        /// Output tokens spent on reasoning. Maps to `gen_ai.usage.reasoning.output_tokens`.
        pub reasoning_tokens: Option<u64>,
        /// Where each count comes from.
        pub provenance: ProvenanceOf,
        /// The provider's own numbers before any arithmetic; absent when a caller gave the counts.
        pub raw: Raw,
        /// Where the counts contradict each other. Nothing is corrected: the counts stay as they were reported.
        pub warnings: Vec<UsageWarning>,
    }
}

/// A contradiction among the counts of one [`Usage`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UsageWarning {
    /// More input came from the cache and went there than there was input.
    #[default]
    CacheExceedsInput,
    /// More reasoning than output.
    ReasoningExceedsOutput,
    /// The provider's total is not the sum of input and output: it counts something that it does not report, as servers of
    /// Gemini behind the OpenAI protocol do with thoughts.
    TotalIsNotTheSum,
}

impl Usage {
    /// Finds where the counts contradict each other. A count that only holds the place of another contradicts nothing.
    pub(crate) fn contradictions(&self) -> Vec<UsageWarning> {
        let output_is_final = self.provenance.output_tokens != Some(Provenance::Placeholder);
        let output = self.output_tokens.filter(|_| output_is_final);
        let cached = self.cache_read_tokens.unwrap_or(0).saturating_add(self.cache_write_tokens.unwrap_or(0));
        let mut found = Vec::new();
        if self.input_tokens.is_some_and(|input| cached > input) {
            found.push(UsageWarning::CacheExceedsInput);
        }
        if output.is_some_and(|output| self.reasoning_tokens.unwrap_or(0) > output) {
            found.push(UsageWarning::ReasoningExceedsOutput);
        }
        if let (Some(input), Some(output), Some(total)) = (self.input_tokens, output, self.raw.total)
            && total != input.saturating_add(output)
        {
            found.push(UsageWarning::TotalIsNotTheSum);
        }
        found
    }
}

record_struct! {
    /// Where each count of a [`Usage`] comes from. A count that is absent has no provenance.
    pub struct ProvenanceOf {
        /// Of `input_tokens`.
        pub input_tokens: Option<Provenance>,
        /// Of `output_tokens`.
        pub output_tokens: Option<Provenance>,
        /// Of `cache_read_tokens`.
        pub cache_read_tokens: Option<Provenance>,
        /// Of `cache_write_tokens`.
        pub cache_write_tokens: Option<Provenance>,
        /// Of `reasoning_tokens`.
        pub reasoning_tokens: Option<Provenance>,
    }
}

record_struct! {
    /// Token counts exactly as the provider reported them.
    pub struct Raw {
        /// Input.
        pub input: Option<u64>,
        /// Output.
        pub output: Option<u64>,
        /// Cached input.
        pub cache_read: Option<u64>,
        /// Input written to the cache.
        pub cache_write: Option<u64>,
        /// Reasoning.
        pub reasoning: Option<u64>,
        /// Total.
        pub total: Option<u64>,
        /// Input that the provider's tools added (Gemini).
        pub tool_use_prompt: Option<u64>,
        /// Billed input (Cohere).
        pub billed_input: Option<u64>,
        /// Billed output (Cohere).
        pub billed_output: Option<u64>,
    }
}

impl From<RawUsage> for Raw {
    fn from(raw: RawUsage) -> Self {
        Self {
            input: raw.input,
            output: raw.output,
            cache_read: raw.cache_read,
            cache_write: raw.cache_write,
            reasoning: raw.reasoning,
            total: raw.total,
            tool_use_prompt: raw.tool_use_prompt,
            billed_input: raw.billed_input,
            billed_output: raw.billed_output,
        }
    }
}

impl From<Raw> for RawUsage {
    fn from(raw: Raw) -> Self {
        Self {
            input: raw.input,
            output: raw.output,
            cache_read: raw.cache_read,
            cache_write: raw.cache_write,
            reasoning: raw.reasoning,
            total: raw.total,
            tool_use_prompt: raw.tool_use_prompt,
            billed_input: raw.billed_input,
            billed_output: raw.billed_output,
        }
    }
}

record_struct! {
    /// What a call or an attempt cost. Absent without a price and without a cost from the provider; never an invented 0.
    pub struct Cost {
        /// ISO 4217 code of the currency, `USD` unless the price table says otherwise.
        pub currency: String,
        /// Cost of the input of the final attempt, cache reads and writes included.
        pub input: Option<Money>,
        /// Cost of the output of the final attempt, reasoning included.
        pub output: Option<Money>,
        /// Cost of the final attempt.
        pub total: Option<Money>,
        /// Cost of all attempts together. Absent on an attempt, and when one attempt with usage has no cost.
        pub all_attempts: Option<Money>,
        /// Cost of the attempts before the final one that failed. Absent on an attempt, and when one of them with usage has no
        /// cost.
        pub wasted: Option<Money>,
        /// Whether the provider stated the cost or the price table gave it.
        pub source: CostSource,
    }
}

/// Where a cost comes from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CostSource {
    /// Computed from the caller's price table.
    #[default]
    Table,
    /// Stated by the provider in its response.
    Provider,
}

scalars!(CostSource, Provenance, UsageWarning);

words!(CostSource { Table = "table", Provider = "provider" });
words!(UsageWarning {
    CacheExceedsInput = "cache_exceeds_input",
    ReasoningExceedsOutput = "reasoning_exceeds_output",
    TotalIsNotTheSum = "total_is_not_the_sum",
});
