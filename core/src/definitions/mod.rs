//! What other tools would report for the same call.
//!
//! "TTFT" and "tokens per second" are computed in many ways: one tool counts a chunk without text as the first token, another
//! leaves reasoning out, a third has the time to first token inside its time per token.
//! [`Record::definitions`](crate::record::Record::definitions) gives the figures of each from one record, with the rule that
//! makes them differ and the file of the tool where the rule is.
//!
//! - A value is there only when it is exact. Where a tool goes by something that a record does not keep (whether the first
//!   chunk had a choice in it, the time of the second visible chunk, the count of a tokenizer of its own), the value is absent
//!   and [`Definition::why_absent`] says why; where the moment lies between two others, [`Definition::between`] has both ends.
//! - All figures are about the final attempt, from its start: benchmarks do not retry.
//! - Tools that read responses of the `OpenAI` protocol are taken to see the same events, whatever the protocol of the call.
//! - Token counts are those of the provider. An estimate is no count.
//! - Benchmarks report successful requests only, and so does this.

mod definition;
mod stream;
mod tools;

pub use definition::{Definition, Measure, Metric, Tool, to_json};

#[cfg(test)]
mod tests;
