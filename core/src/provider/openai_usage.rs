//! Token counts, cost and server timing as OpenAI and compatible servers report them.

use super::accounting::{Accounting, Counted, Tally};
use super::json::{Malformed, Value};
use super::lenient::{Count, Decimal, Fill, object};
use super::source::Source;
use crate::delta::{RawUsage, ServerTiming, UsageReport};

object! {
    /// The `usage` object of chat and text completions.
    struct Usage {
        "prompt_tokens" => prompt: Count,
        "completion_tokens" => completion: Count,
        "total_tokens" => total: Count,
        // Writer spells it in the singular.
        "prompt_tokens_details" | "prompt_token_details" => prompt_details: PromptDetails,
        "completion_tokens_details" => completion_details: CompletionDetails,
        "prompt_cache_hit_tokens" => cache_hit: Count,
        "cached_tokens" => cached: Count,
        "cache_read_input_tokens" => cache_read: Count,
        "num_cached_tokens" => num_cached: Count,
        "cache_creation_input_tokens" => cache_creation: Count,
        "reasoning_tokens" => reasoning: Count,
        "cost" => cost: Cost,
        "cost_in_usd_ticks" => cost_ticks: Count,
        "queue_time" => queue_time: Decimal,
        "prompt_time" => prompt_time: Decimal,
        "completion_time" => completion_time: Decimal,
        "total_time" => total_time: Decimal,
    }
}

object! {
    struct PromptDetails {
        "cached_tokens" => cached: Count,
        "cache_write_tokens" => cache_write: Count,
        "cache_creation_tokens" | "cache_creation_input_tokens" => cache_creation: Count,
    }
}

object! {
    struct CompletionDetails {
        "reasoning_tokens" => reasoning: Count,
    }
}

object! {
    /// Cerebras's `time_info`, in seconds.
    struct TimeInfo {
        "queue_time" => queue: Decimal,
        "prompt_time" => prompt: Decimal,
        "completion_time" => completion: Decimal,
        "total_time" => total: Decimal,
    }
}

object! {
    /// llama.cpp's `timings`, in milliseconds, with the counts behind them.
    struct Timings {
        "cache_n" => cached: Count,
        "prompt_n" => prompt_tokens: Count,
        "predicted_n" => predicted_tokens: Count,
        "prompt_ms" => prompt: Decimal,
        "predicted_ms" => predicted: Decimal,
    }
}

impl Usage {
    /// The counts of this report; absent when it holds none.
    pub(super) fn report(&self) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let (prompt, completion) = (&self.prompt_details, &self.completion_details);
        let raw = RawUsage {
            input: tally.take(self.prompt),
            output: tally.take(self.completion),
            // DeepSeek, Moonshot, Anthropic-compatible servers and Mistral each have a name of their own for cached input.
            cache_read: tally.first([prompt.cached, self.cache_hit, self.cached, self.cache_read, self.num_cached]),
            cache_write: tally.first([prompt.cache_write, prompt.cache_creation, self.cache_creation]),
            // Beside the details: DeepSeek models at Azure, and Perplexity.
            reasoning: tally.first([completion.reasoning, self.reasoning]),
            total: tally.take(self.total),
            ..RawUsage::default()
        };
        ACCOUNTING.report(raw, tally.rejected)
    }

    /// What the server says the call cost, in billionths of a dollar.
    pub(super) fn cost_nanos(&self) -> Option<u64> {
        cost_nanos(self.cost, self.cost_ticks)
    }

    /// Groq puts its timing, in seconds, among the counts.
    pub(super) fn server_timing(&self) -> ServerTiming {
        ServerTiming {
            queue_ns: self.queue_time.seconds(),
            prompt_ns: self.prompt_time.seconds(),
            generation_ns: self.completion_time.seconds(),
            total_ns: self.total_time.seconds(),
            first_byte_ns: None,
        }
    }
}

impl TimeInfo {
    pub(super) fn server_timing(&self) -> ServerTiming {
        ServerTiming {
            queue_ns: self.queue.seconds(),
            prompt_ns: self.prompt.seconds(),
            generation_ns: self.completion.seconds(),
            total_ns: self.total.seconds(),
            first_byte_ns: None,
        }
    }
}

impl Timings {
    /// The counts, which llama.cpp states also where no usage was asked for. Servers that do not tell what was cached leave
    /// the input unknown.
    pub(super) fn report(&self) -> Option<UsageReport> {
        let mut tally = Tally::default();
        let cache_read = tally.take(self.cached);
        let raw = RawUsage {
            input: tally.take(self.prompt_tokens).filter(|_| cache_read.is_some()),
            output: tally.take(self.predicted_tokens),
            cache_read,
            ..RawUsage::default()
        };
        TIMINGS.report(raw, tally.rejected)
    }

    pub(super) fn server_timing(&self) -> ServerTiming {
        ServerTiming {
            prompt_ns: self.prompt.millis(),
            generation_ns: self.predicted.millis(),
            ..ServerTiming::default()
        }
    }
}

/// A stated cost in billionths of a dollar, given in dollars or in xAI's ticks of 1e-10 dollars.
pub(super) fn cost_nanos(cost: Cost, ticks: Count) -> Option<u64> {
    cost.0.billionths().or_else(|| Some(ticks.value()?.saturating_add(5) / 10))
}

/// Input includes cached tokens and output includes reasoning: `prompt_tokens_details` and `completion_tokens_details` are
/// breakdowns in OpenAI's API reference, and the others follow it.
///
/// xAI alone counts reasoning beside the completion, which shows in its total: total = prompt + completion + reasoning
/// holds in every recording of it, and in none of the others.
pub(super) const ACCOUNTING: Accounting =
    Accounting { cache: Counted::Included, reasoning: Counted::ByTotal, ..Accounting::PLAIN };

/// llama.cpp counts what it read anew beside what was cached (`prompt_n` and `cache_n` of its server's `timings`).
const TIMINGS: Accounting = Accounting { cache: Counted::Apart, ..Accounting::PLAIN };

/// Dollars: a number at OpenRouter, an object with `total_cost` at Perplexity.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost(pub(super) Decimal);

object! {
    struct CostParts {
        "total_cost" => total: Decimal,
    }
}

impl<'de> Fill<'de> for Cost {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = if reader.begins(b'{') {
            let mut parts = CostParts::default();
            parts.fill(reader)?;
            parts.total
        } else if let Value::Number(number) = reader.value()? {
            Decimal::from(number)
        } else {
            Decimal::default()
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::fill_from_slice;
    use super::*;
    use crate::time::Nanos;

    fn usage(json: &str) -> Usage {
        let mut usage = Usage::default();
        fill_from_slice(&mut usage, json.as_bytes()).unwrap();
        usage
    }

    #[test]
    fn reasoning_is_added_only_where_the_total_says_so() {
        let counted = |total: u64| {
            let json = alloc::format!(
                r#"{{"prompt_tokens":10,"completion_tokens":5,"total_tokens":{total},"completion_tokens_details":{{"reasoning_tokens":4}}}}"#
            );
            usage(&json).report().unwrap().output_tokens
        };
        assert_eq!(counted(15), Some(5));
        assert_eq!(counted(19), Some(9));
        assert_eq!(counted(30), Some(5));
    }

    #[test]
    fn rejected_counts_are_counted_and_absent() {
        let report = usage(r#"{"prompt_tokens":-1,"completion_tokens":"7","total_tokens":1.5,"cached_tokens":3}"#)
            .report()
            .unwrap();
        assert_eq!(report.rejected, 3);
        assert_eq!((report.input_tokens, report.output_tokens, report.cache_read_tokens), (None, None, Some(3)));
        assert!(usage("{}").report().is_none() && usage("null").report().is_none());
        assert!(usage(r#"{"prompt_tokens":null}"#).report().is_none());
    }

    #[test]
    fn cached_input_goes_by_many_names() {
        for json in [
            r#"{"prompt_tokens_details":{"cached_tokens":3}}"#,
            r#"{"prompt_cache_hit_tokens":3,"prompt_cache_miss_tokens":9}"#,
            r#"{"cached_tokens":3}"#,
            r#"{"cache_read_input_tokens":3}"#,
            r#"{"num_cached_tokens":3}"#,
            r#"{"num_cached_tokens":0,"prompt_token_details":{"cached_tokens":3}}"#,
        ] {
            assert_eq!(usage(json).report().unwrap().cache_read_tokens, Some(3), "{json}");
        }
    }

    #[test]
    fn cost_and_timing_are_read_in_their_units() {
        assert_eq!(usage(r#"{"cost":0.000669}"#).cost_nanos(), Some(669_000));
        assert_eq!(usage(r#"{"cost":{"total_cost":0.00939}}"#).cost_nanos(), Some(9_390_000));
        assert_eq!(usage(r#"{"cost_in_usd_ticks":7962000}"#).cost_nanos(), Some(796_200));
        assert_eq!(usage(r#"{"cost":"free"}"#).cost_nanos(), None);
        let timing = usage(r#"{"queue_time":0.25,"prompt_time":0.5}"#).server_timing();
        assert_eq!((timing.queue_ns, timing.prompt_ns), (Some(Nanos::from_millis(250)), Some(Nanos::from_millis(500))));
    }
}
