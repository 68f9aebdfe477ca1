//! A broker in front of LLM providers: clients speak the chat completions of `OpenAI` to it, and it finds somebody who
//! answers.
//!
//! Each request of a client is one call of llmspan, whatever it takes: a route, a free key, retries, another provider,
//! rounds in which the broker runs a tool that the model asked for. Its record says where the time went.
//!
//! - [`config`]: what the environment says.
//! - [`app`]: the routes, and how they stop.
//! - `exchange`: one request of a client from its body to its answer; this is where most of llmspan is.
//! - `upstream`: attempts at a provider, retries and the fallback.
//! - `keys`: keys of a provider, each for a few requests at a time.
//! - `tools`: tools that the broker runs itself.
//! - [`telemetry`]: where records go: `/metrics`, OTLP, a trace in a file.
//! - [`run`]: start and end, so that no record is lost.
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "examples are written as applications are"
)]

pub mod app;
pub mod config;
pub mod run;
pub mod telemetry;

mod exchange;
mod keys;
mod tools;
mod upstream;
