//! What the examples share: a server on the local machine that answers like a provider does.
//!
//! - [`server`] answers from a script, so that the examples need no network and no key.
//! - [`wire`] has the texts of such answers.
//! - [`demo`] is a provider that goes on: it limits the rate now and then, asks for tools, streams or not.
//! - [`message`] reads what a model says: text, and tools that it asks for.
//! - [`load`] makes calls without end, for metrics and dashboards:
//!   `cargo run -p llmspan-examples --bin metrics` serves them to a scraper.
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "examples are written as applications are"
)]

pub mod demo;
pub mod load;
pub mod message;
pub mod server;
pub mod wire;
