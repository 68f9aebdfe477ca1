//! The state machine of one call.
//!
//! [`Machine`] takes what happened, already freed of any provider's wording, and keeps what the record needs. It knows no
//! provider and reads no clock. It exists only while the call is open: [`Machine::finish`] consumes it and gives the
//! [`Record`](crate::record::Record).
//!
//! Most hosts use [`Call`](crate::engine::Call), which adds the decoders, or [`Tracker`](crate::engine::Tracker), which
//! keeps many calls.

mod attempt;
mod call;
mod choices;
mod deadline;
mod deltas;
mod events;
mod finish;
mod input;
mod limit;
mod mark;
mod message;
mod outcome;
mod phases;
mod timing;
mod tokens;
mod tools;
mod waits;

pub use call::{Machine, WhatEnded};
pub use input::{AttemptStart, CallStart, Failure, Retry, WaitEnd};

pub use crate::delta::Headers;
