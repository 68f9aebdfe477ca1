//! The JSON form of records, events and settings, with one piece of code for all objects.
//!
//! An object says what its fields are called and hands them out by number; reading and writing is the same for all of
//! them. What `serde` derives for such structs does the same faster, in many times the code: a browser loads that code,
//! and nobody reads records in a loop. The `serde` implementations stay for Rust programs and for the compact form, and
//! give the same JSON.

mod number;
mod objects;
mod read;
mod scalars;
mod write;

pub(crate) use number::{plain, write_float};
pub(crate) use objects::{
    Absent, Others, Read, ReadFields, Skips, Write, WriteFields, all_absent, fields, is_none, words, written,
};
pub(crate) use read::{Mismatch, line_of, read_json, read_member, read_members, read_object, read_value};
#[cfg(feature = "metrics")]
pub(crate) use write::Elements;
pub(crate) use write::{Members, OBJECT_BYTES, list_to_json, to_json, write_list, write_object, write_string};
