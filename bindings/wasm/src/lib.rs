//! The module behind the npm package `llmspan-wasm`: it converts, owns and raises. What an event means is the business of the
//! core, and what is idiomatic in JavaScript that of the package around it.
//!
//! - [`call`] takes events; [`record`] shows what came out of them.
//! - [`wire`] tells protocols apart, and serves hooks around `fetch`.
//! - [`export`] writes records for others.
//!
//! Times are milliseconds as `performance.now()` gives them. No method runs code of JavaScript: objects arrive as text or as
//! bytes, so that nothing is entered twice. A panic is a trap, after which the package makes no use of the module any more.
#![no_std]
#![expect(missing_debug_implementations, reason = "the package around it documents what users see")]
#![expect(unnameable_types, unreachable_pub, reason = "users are on the other side of the table of exports")]
#![allow(
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::use_self,
    reason = "JavaScript calls these, with values of its own, and the macro copies names of types"
)]

extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std;

mod call;
mod error;
#[cfg(feature = "full")]
mod export;
mod record;
#[cfg(target_family = "wasm")]
mod runtime;
mod scratch;
mod wire;

use alloc::{string::String, vec::Vec};

#[cfg(feature = "full")]
use llmspan_core::names::Profile;
use llmspan_core::{
    event::Event,
    provider::Protocol,
    record::Record,
    time::{Nanos, Timestamp, UnixNanos},
};
use wasm_bindgen::prelude::*;

/// Names of the wire protocols; methods take a protocol as its place in this list.
#[wasm_bindgen]
pub fn protocols() -> Vec<String> {
    Protocol::ALL.iter().map(|protocol| protocol.as_str().into()).collect()
}

/// Names of the dialects that attributes can be written in.
#[cfg(feature = "full")]
#[wasm_bindgen]
pub fn profiles() -> Vec<String> {
    Profile::all().iter().map(|profile| profile.name().into()).collect()
}

/// Names of the fields of a record.
#[wasm_bindgen(js_name = recordFields)]
pub fn record_fields() -> Vec<String> {
    Record::field_names().map(Into::into).collect()
}

/// Names of the events that say something without any field; a method takes one as its place in this list.
#[wasm_bindgen(js_name = bareEvents)]
pub fn bare_events() -> Vec<String> {
    Event::bare_names().map(Into::into).collect()
}

/// Version of the engine.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
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
