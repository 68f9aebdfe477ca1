//! The spans of a call, as plain data.
//!
//! A [`SpanTree`] is what a record looks like as a trace: the call's span, its attempts, waits and phases below it, and
//! the moments on them. It is what exporters read; [`crate::otlp`] writes it for OpenTelemetry.
//!
//! | span | kind | parent | from |
//! |---|---|---|---|
//! | the call, named by the first profile | of the first profile | the record's parent | the whole record |
//! | attempt | of the first profile | the call | [`Record::attempts`] |
//! | wait, named after its reason | INTERNAL | the call | [`Record::waits`] |
//! | phase, by its own name | INTERNAL | the phase around it, else the call | [`Record::phases`] |
//!
//! - A [`Layout`] says which spans are the GenAI spans, those with model, tokens and cost: one for the call, or one for
//!   each attempt ([`Shape`]). Never both, because backends add up every span that has them.
//! - Attributes come from profiles ([`crate::names`]); where two profiles use one name, the first one given wins. Names
//!   that no dialect has, such as those of events, are in the table `spans` of `core/profiles.toml`.
//! - Ids are those of the record, else of the [`Context`]. A call without either has no tree: there is no randomness in
//!   the engine to make ids of. The ids of inner spans follow from those of the call ([`child_span_id`]).
//! - Times count from the start of the call. Wall-clock times are there with an anchor, of the record or else of the
//!   [`Context`], and absent without one.
//! - Nothing is left out because of the trace flags: whoever samples asks for no tree of a call that is not sampled.
//!
//! ```
//! use llmspan_core::names::Profile;
//! use llmspan_core::record::Record;
//! use llmspan_core::spans::{Context, Layout, Shape, SpanTree};
//!
//! let json = r#"{"operation": "chat", "model": "gpt-4.1-mini", "duration_ns": 1250000000,
//!     "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
//!     "attempts": [{"number": 1, "start_ns": 50000000, "duration_ns": 1200000000}]}"#;
//! let profiles = [Profile::by_name("otel-1.41")?];
//! let layout = Layout::new(Shape::Call, &profiles);
//! let tree = SpanTree::new(&Record::from_json(json)?, &layout, &Context::default()).expect("the record has ids");
//!
//! let names: Vec<_> = tree.spans.iter().map(|span| span.name.as_str()).collect();
//! assert_eq!(names, ["chat gpt-4.1-mini", "attempt"]);
//! assert_eq!(tree.spans[1].parent_span_id, Some(tree.spans[0].span_id));
//! assert_eq!(tree.spans[0].start_unix_ns, None, "the call has no wall-clock anchor");
//! # Ok::<(), llmspan_core::error::Error>(())
//! ```
//!
//! [`Record::attempts`]: crate::record::Record::attempts
//! [`Record::waits`]: crate::record::Record::waits
//! [`Record::phases`]: crate::record::Record::phases
#![warn(clippy::as_conversions, clippy::arithmetic_side_effects)]

mod attributes;
mod build;
pub(crate) mod caps;
mod events;
mod foreign;
#[cfg_attr(not(feature = "logs"), allow(dead_code, reason = "some names are of log events alone"))]
pub(crate) mod generated;
mod ids;
mod json;
mod layout;
mod phases;
mod tree;

pub use foreign::{is_model_call, may_join, missing_attributes, model_call_attributes};
pub use ids::{ChildSpan, SpanId, TraceId, child_span_id};
pub use layout::{Context, Layout, Shape};
pub use tree::{Event, Link, Role, Span, SpanTree};
