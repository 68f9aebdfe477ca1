//! Which token counts include which: the one place where a provider's numbers are added up.
//!
//! Each decoder has an [`Accounting`] of its protocol next to the usage object it reads, with the source of the rule.

use super::lenient::Count;
#[cfg(feature = "protocols")]
use super::{
    Protocol, anthropic_messages, bedrock_converse, cohere_chat, dashscope_generation, gemini, gemini_interactions,
    ollama_chat, openai_usage, vercel_ui_message,
};
use crate::delta::{RawUsage, UsageReport};

/// How the token counts of a protocol relate to each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Accounting {
    /// Whether the input count has in it what was read from the cache and written to it.
    pub cache: Counted,
    /// Whether the output count has reasoning in it.
    pub reasoning: Counted,
    /// Whether the input count has in it what the provider's own tools put into the prompt.
    pub tool_input: Counted,
    /// Which of two pairs of counts the raw ones are, where a provider bills others than it counts.
    pub basis: Basis,
}

/// Whether one count is a part of another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Counted {
    /// It stands beside the other and is added for the normalized value.
    Apart,
    /// It is added where the reported total is the sum with it, else it is a part: servers of one protocol differ.
    ByTotal,
    /// It is a part of the other.
    Included,
    /// The protocol does not report it.
    Unreported,
}

/// What the input and output counts of a protocol count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Basis {
    /// What the model read and wrote; what is billed is kept beside it and stands in where it is all there is.
    Counted,
    /// What the model read and wrote, which is also what is billed.
    CountedAndBilled,
}

impl Accounting {
    /// Input and output without a cache, reasoning or tools.
    pub(in crate::provider) const PLAIN: Self = Self {
        cache: Counted::Unreported,
        reasoning: Counted::Unreported,
        tool_input: Counted::Unreported,
        basis: Basis::CountedAndBilled,
    };

    /// As Bedrock counts, also in its headers: see [`bedrock_converse`](super::bedrock_converse).
    pub(in crate::provider) const BEDROCK: Self = Self { cache: Counted::Apart, ..Self::PLAIN };

    /// Normalizes raw counts: input with the cache and what tools put in, output with reasoning. `None` when there is
    /// nothing to report.
    ///
    /// An input or output that is not reported stays unknown, whatever is known of its parts; but parts that stand apart
    /// are counts in their own right.
    pub(in crate::provider) fn report(self, raw: RawUsage, rejected: u32) -> Option<UsageReport> {
        if raw.is_empty() && rejected == 0 {
            return None;
        }
        let mut input = raw.input;
        if self.cache == Counted::Apart {
            input = input.map(|input| input.saturating_add(cached(&raw)));
        }
        if self.tool_input == Counted::Apart {
            input = sum(input, raw.tool_use_prompt);
        }
        let output = match self.reasoning {
            Counted::Apart => sum(raw.output, raw.reasoning),
            Counted::ByTotal => by_total(input, &raw),
            Counted::Included | Counted::Unreported => raw.output,
        };
        Some(UsageReport {
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: raw.cache_read,
            cache_write_tokens: raw.cache_write,
            reasoning_tokens: raw.reasoning,
            raw: Some(raw),
            rejected,
            ..UsageReport::default()
        })
    }
}

#[cfg(feature = "protocols")]
impl Protocol {
    /// Which counts of this protocol include which.
    ///
    /// What `InvokeModel` of Bedrock passes on counts as the model's own API does; given here is how Bedrock itself counts.
    pub const fn accounting(self) -> Accounting {
        match self {
            Self::AnthropicComplete | Self::HuggingFaceTextGen => Accounting::PLAIN,
            Self::AnthropicMessages => anthropic_messages::ACCOUNTING,
            Self::BedrockConverse | Self::BedrockInvoke => bedrock_converse::ACCOUNTING,
            Self::CohereChat => cohere_chat::ACCOUNTING,
            Self::DashScopeGeneration => dashscope_generation::ACCOUNTING,
            Self::GeminiGenerateContent => gemini::ACCOUNTING,
            Self::GeminiInteractions => gemini_interactions::ACCOUNTING,
            Self::MistralChat | Self::OpenAiChat | Self::OpenAiCompletions | Self::OpenAiResponses => {
                openai_usage::ACCOUNTING
            }
            Self::OllamaChat => ollama_chat::ACCOUNTING,
            Self::VercelUiMessage => vercel_ui_message::ACCOUNTING,
        }
    }
}

/// Takes counts out of a payload, and counts those that are none.
#[derive(Debug, Default)]
pub(in crate::provider) struct Tally {
    pub(in crate::provider) rejected: u32,
}

impl Tally {
    /// The count, if it is one.
    pub(in crate::provider) fn take(&mut self, count: Count) -> Option<u64> {
        count.tally(&mut self.rejected)
    }

    /// The first of several counts that is one.
    pub(in crate::provider) fn first<const N: usize>(&mut self, counts: [Count; N]) -> Option<u64> {
        counts.map(|count| self.take(count)).into_iter().flatten().next()
    }
}

fn cached(raw: &RawUsage) -> u64 {
    raw.cache_read.unwrap_or(0).saturating_add(raw.cache_write.unwrap_or(0))
}

/// The output, with reasoning if only so the counts make up the total.
fn by_total(input: Option<u64>, raw: &RawUsage) -> Option<u64> {
    let (Some(input), Some(output), Some(reasoning), Some(total)) = (input, raw.output, raw.reasoning, raw.total)
    else {
        return raw.output;
    };
    let with_reasoning = output.saturating_add(reasoning);
    Some(if reasoning > 0 && total == input.saturating_add(with_reasoning) { with_reasoning } else { output })
}

/// The sum of what is known; absent when nothing is.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        _ => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(accounting: Accounting, raw: RawUsage) -> (Option<u64>, Option<u64>) {
        let report = accounting.report(raw, 0).unwrap();
        (report.input_tokens, report.output_tokens)
    }

    #[test]
    fn what_stands_apart_is_added() {
        let raw = RawUsage {
            input: Some(5),
            output: Some(7),
            cache_read: Some(10),
            cache_write: Some(20),
            reasoning: Some(3),
            tool_use_prompt: Some(100),
            ..RawUsage::default()
        };
        let apart = Accounting {
            cache: Counted::Apart,
            reasoning: Counted::Apart,
            tool_input: Counted::Apart,
            ..Accounting::PLAIN
        };
        assert_eq!(counts(apart, raw), (Some(135), Some(10)));
        assert_eq!(counts(Accounting::PLAIN, raw), (Some(5), Some(7)));
        let parts = RawUsage { input: None, output: None, ..raw };
        assert_eq!(counts(apart, parts), (Some(100), Some(3)));
        assert_eq!(counts(Accounting { tool_input: Counted::Included, ..apart }, parts), (None, Some(3)));
    }

    #[test]
    fn the_total_tells_whether_reasoning_is_a_part() {
        let rule = Accounting { cache: Counted::Included, reasoning: Counted::ByTotal, ..Accounting::PLAIN };
        for (reasoning, total, output) in [(4, 15, 5), (4, 19, 9), (4, 30, 5), (0, 15, 5)] {
            let raw = RawUsage {
                input: Some(10),
                output: Some(5),
                reasoning: Some(reasoning),
                total: Some(total),
                ..RawUsage::default()
            };
            assert_eq!(counts(rule, raw), (Some(10), Some(output)), "{reasoning} of {total}");
        }
    }

    #[test]
    fn nothing_is_reported_of_nothing() {
        assert!(Accounting::PLAIN.report(RawUsage::default(), 0).is_none());
        assert_eq!(Accounting::PLAIN.report(RawUsage::default(), 2).unwrap().rejected, 2);
    }
}
