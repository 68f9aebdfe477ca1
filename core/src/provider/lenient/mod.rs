//! Field types that take what comes.
//!
//! Whatever a server puts into a field, it is at worst absent: no type here fails a document that is valid JSON. They
//! deserialize from any serde source; from [`super::json`] they do it without taking memory.

mod list;
mod number;
mod object;
mod text;

#[cfg(test)]
mod tests;

pub(super) use list::{Few, List, Rare};
pub(super) use number::{Count, Decimal, Flag};
pub(super) use object::{Fill, KeySeed, Place, absent, absent_one, fill_by_value, object};
pub(super) use text::{Code, Payload, Str, Text};

use number::whole;
