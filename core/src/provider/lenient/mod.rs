//! Field types that take what comes.
//!
//! Whatever a server puts into a field, it is at worst absent: no type here fails a document that is valid JSON.

mod list;
mod number;
mod object;
mod optional;
mod text;

#[cfg(test)]
mod tests;

pub(super) use list::{Few, List};
pub(super) use number::{Count, Decimal, Flag};
pub(super) use object::{Fill, object};
pub(super) use optional::{Maybe, Rare, Seen};
pub(super) use text::{Code, Payload, Str, Text};

use number::whole;
