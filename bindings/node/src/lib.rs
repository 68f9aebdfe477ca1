//! The addon behind the npm package `llmspan`: it converts, owns and raises. What an event means is the business of the core,
//! and what is idiomatic in JavaScript that of the package around it.
//!
//! - [`call`] takes events; [`record`] shows what came out of them.
//! - [`wire`] serves hooks around `fetch`.
//! - [`export`] writes records for others.
//!
//! Times are milliseconds as `performance.now()` gives them. No method runs code of JavaScript: objects arrive as text or as
//! bytes, so that nothing is entered twice. A panic surfaces as an exception.
#![expect(missing_debug_implementations, reason = "the package around it documents what users see")]
#![expect(unnameable_types, unreachable_pub, reason = "users are on the other side of the addon's table of symbols")]
#![expect(
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    reason = "JavaScript calls these, with values of its own"
)]
#![cfg_attr(test, allow(dead_code, reason = "without the table of symbols nobody calls what is here"))]

mod call;
mod error;
mod export;
mod record;
mod wire;

use llmspan_core::{
    event::Event,
    names::Profile,
    provider::Protocol,
    record::Record,
    time::{Nanos, Timestamp, UnixNanos},
};
use napi_derive::napi;

/// Names of the wire protocols; methods take a protocol as its place in this list.
#[napi(catch_unwind)]
pub fn protocols() -> Vec<&'static str> {
    Protocol::ALL.iter().map(|protocol| protocol.as_str()).collect()
}

/// Names of the dialects that attributes can be written in.
#[napi(catch_unwind)]
pub fn profiles() -> Vec<&'static str> {
    Profile::all().iter().map(Profile::name).collect()
}

/// Names of the fields of a record.
#[napi(catch_unwind)]
pub fn record_fields() -> Vec<&'static str> {
    Record::field_names().collect()
}

/// Names of the events that say something without any field; a method takes one as its place in this list.
#[napi(catch_unwind)]
pub fn bare_events() -> Vec<&'static str> {
    Event::bare_names().collect()
}

/// Version of the engine.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn at(ms: f64) -> Timestamp {
    Timestamp::from_nanos(nanos(ms).as_nanos())
}

fn unix(ms: f64) -> UnixNanos {
    // A double holds the milliseconds since 1970 to a quarter of a microsecond.
    UnixNanos::from_nanos(whole(ms * 1e3).saturating_mul(1000))
}

fn nanos(ms: f64) -> Nanos {
    Nanos::from_nanos(whole(ms * 1e6))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and NaN becomes 0")]
fn whole(number: f64) -> u64 {
    (number + 0.5) as u64
}

#[expect(clippy::cast_precision_loss, reason = "a time in milliseconds is a double in JavaScript")]
fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// Names and values in turn, a line for each, as pairs.
fn pairs(lines: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut lines = lines.split('\n');
    core::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
}
