//! What Bedrock itself measures of an invocation.

use crate::delta::{ServerTiming, UsageReport};
use crate::provider::bedrock_converse::report;
use crate::provider::lenient::{Count, Decimal, Maybe, object};
use crate::provider::source::Input;

object! {
    /// `amazon-bedrock-invocationMetrics`, of which times are in milliseconds.
    struct Metrics {
        "inputTokenCount" => input: Count,
        "outputTokenCount" => output: Count,
        "cacheReadInputTokenCount" => cache_read: Count,
        "cacheWriteInputTokenCount" => cache_write: Count,
        "invocationLatency" => latency: Decimal,
        "firstByteLatency" => first_byte: Decimal,
    }
}

object! {
    struct Event { "amazon-bedrock-invocationMetrics" => metrics: Maybe<Metrics> }
}

/// The metrics in an event, which is looked through only when their name is in it.
pub(super) fn read(json: Input<'_>) -> Option<Metrics> {
    if let Input::Json(text) = json {
        // Made for each event, a searcher for the whole name would cost more than the search.
        let is_name = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with(b"-bedrock-invocationMetrics"));
        memchr::memchr_iter(b'-', text).find(|&at| is_name(at))?;
    }
    let mut event = Event::default();
    json.fill(&mut event)?;
    event.metrics.0
}

impl Metrics {
    /// Counts as Bedrock counts them: the input leaves out the cache, as in `Converse`.
    pub(super) fn report(&self) -> Option<UsageReport> {
        report(self.input, self.output, Count::default(), self.cache_read, self.cache_write)
    }

    pub(super) fn server_timing(&self) -> Option<ServerTiming> {
        let timing = ServerTiming {
            total_ns: self.latency.millis(),
            first_byte_ns: self.first_byte.millis(),
            ..ServerTiming::default()
        };
        (!timing.is_empty()).then_some(timing)
    }
}
