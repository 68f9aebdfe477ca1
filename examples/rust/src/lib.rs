//! An agent with llmspan in it, and the local server that it talks to.
//!
//! - [`agent`] is what an application writes: a retry loop around a streaming request, and llmspan beside it.
//! - [`server`] answers like a provider does, from a script, so that the examples need no network and no key.
//! - [`brief`](mod@brief) prints a record for people.
//! - [`load`] makes calls without end, for metrics and dashboards.
//! - [`wire`] has the texts of such answers, and [`scenarios`] the calls that are captured as event logs.
//!
//! `cargo run -p llmspan-examples --bin agent` shows two calls and their records;
//! `cargo run -p llmspan-examples --bin metrics` serves metrics to a scraper;
//! `cargo run -p llmspan-examples --bin capture -- examples/captures` writes the event logs.
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "examples are written as applications are"
)]

pub mod agent;
pub mod brief;
pub mod load;
pub mod scenarios;
pub mod server;
pub mod wire;
