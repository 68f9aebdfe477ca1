//! Field types that take what comes.
//!
//! Whatever a server puts into a field, it is at worst absent: no type here fails a document that is valid JSON.

mod list;
mod names;
mod number;
mod object;
mod optional;
mod text;

#[cfg(test)]
mod tests;

pub(super) use list::{Few, List};
pub(super) use names::{kinds, name_table, names_of_one, number_of};
pub(super) use number::{Count, Decimal};
pub(super) use object::{Fields, Fill, Many, Object, Room, Slot, object, reset};
pub(super) use optional::{Maybe, Rare};
pub(super) use text::{Code, Payload, Str, Text};

#[cfg(feature = "protocols")]
pub(super) use number::Flag;
#[cfg(feature = "protocols")]
pub(super) use optional::Seen;

use number::whole;
