//! An agent: turns in which a model is asked and tools are run, with a retry loop of its own, under `tracing`.
//!
//! - [`agent`]: the turn loop, with a span for each turn and each tool.
//! - [`model`]: the part that asks a model: a retry loop around a request, watched by llmspan. It opens a span for each call
//!   and each attempt.
//! - [`slowest`]: a sink that keeps the slowest call, to say at the end where its time went.
//! - [`brief`](mod@brief) prints a record for people, and [`scenarios`] are the calls that are captured as event logs.
//!
//! `cargo run -p llmspan-example-agent` runs a task; with `-- trace.json` its spans become a Chrome trace.
//! `cargo run -p llmspan-example-agent --bin capture -- examples/captures` writes the event logs.
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "examples are written as applications are"
)]

pub mod agent;
pub mod brief;
pub mod model;
pub mod scenarios;
pub mod slowest;
