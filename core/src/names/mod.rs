//! One set of values, written under the names of many dialects.
//!
//! A record holds values in base units. A [`Profile`] is a table from [`Value`] to attribute name, unit and type; the
//! tables come from `profiles.toml` and are printed in `docs/profiles.md`. This is the only place where units are
//! converted: milliseconds are cut, seconds are nanoseconds divided by 1e9, both from the same measurement.
//!
//! - A value that is absent from the record gives no attribute, nor does a time of zero whose clock stood still
//!   (`diagnostics.clock.frozen`); NaN and infinite floats are never written; counts above `i64::MAX` are written as
//!   `i64::MAX`.
//! - Several profiles may be written at once: the result has every name that one of them writes alone. Where two of
//!   them use one name, the first profile given wins. A name in common carries the same value in all of them, but for
//!   two: `openllmetry` has words of its own in `gen_ai.provider.name`, and `gen_ai.request.top_k` is an integer in
//!   `otel-main` and a float elsewhere.
//! - Attributes of the caller keep their key, unless the key is that of a well-known value (such as `task_id`) for which
//!   the profile has a name of its own. A name of the profile wins over a caller's attribute of the same key.
//! - Usage, cost and the request model are on the span of the call only, because backends add up every span that has
//!   them. The profile `ares`, whose convention is a span per attempt, is the exception.
//! - For traces where attempts stand for themselves there are [`lone_attempt_attributes`] and [`outer_attributes`];
//!   [`crate::spans`] uses the right ones.
//! - A call whose operation is `fetch_response` has no usage and no cost: the call that made the response has them.
//!
//! ```
//! use llmspan_core::names::{Profile, Value, call_attributes};
//! use llmspan_core::record::{AttributeValue, Record};
//! use llmspan_core::time::Nanos;
//!
//! let mut record = Record::default();
//! record.ttft_ns = Some(Nanos::from_nanos(234_567_891));
//!
//! let qwen = Profile::by_name("qwen-code-4413")?;
//! let attributes = call_attributes(&record, &[qwen]);
//! assert_eq!(attributes["ttft_ms"], AttributeValue::Int(234));
//! assert_eq!(attributes["gen_ai.server.time_to_first_token"], AttributeValue::Float(0.234_567_891));
//!
//! assert_eq!(Profile::by_name("openinference")?.call_name(Value::InputTokens), Some("llm.token_count.prompt"));
//! # Ok::<(), llmspan_core::error::Error>(())
//! ```

mod convert;
mod generated;
mod profile;
mod read;
mod render;
mod value;

pub use profile::{Profile, SpanKind};
pub(crate) use render::Renderer;
pub use render::{attempt_attributes, call_attributes, inner_attributes, lone_attempt_attributes, outer_attributes};
pub use value::Value;

#[cfg(test)]
mod tests;
