//! The finalized span record: one per call, and everything in it.
//!
//! A record holds values in base units: nanoseconds, tokens, bytes, nano-units of money. Names and units of other tools
//! are the business of [`crate::names`]. In JSON a value that is absent has no key; integers above 2^53 are decimal
//! strings.
#![warn(clippy::as_conversions, clippy::arithmetic_side_effects)]

mod attempt;
mod attributes;
mod call;
mod money;
pub(crate) mod shape;
mod stats;
mod usage;
mod value;

pub use attempt::{AttemptRecord, Marks};
pub use attributes::{Attributes, Iter as AttributesIter};
pub use call::{
    EventKind, OtelStatus, Outcome, PhaseRecord, Record, RecordError, SpanEvent, TimeoutKind, WaitReason, WaitRecord,
};
pub use money::{Money, ParseMoneyError};
pub use shape::{Shape, Value};
pub use stats::{ClockQuality, Content, Diagnostics, Dropped, InterChunk, KeepAlives, Server, SloVerdict};
pub use usage::{Cost, CostSource, ProvenanceOf, Raw, Usage, UsageWarning};
pub(crate) use value::attributes_from_json;
pub use value::{AttributeValue, Flags, InputParts, Request, attributes_of_each_to_json, attributes_to_json};
