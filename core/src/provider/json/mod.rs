//! A JSON reader that measures strings where they are.
//!
//! Decoders need the length of content, never the content. This reader validates the whole document and hands out
//! members, elements and scalars; a string stays the slice it is, with the number of bytes that it stands for. Only a
//! string that is to be kept and has escapes is built. What it skips it checks with a stack of one bit per level, so
//! neither nesting nor escapes allocate.
//!
//! `serde_json` does this in another way: a string with escapes that is asked for it copies into a buffer of its own,
//! which it allocates for each document, and it allocates to skip containers in containers.
//!
//! What is accepted is what a [`serde_json::Value`] accepts, but for three things. A number too large for a float is
//! infinite. Half a pair of surrogates stands for U+FFFD. And a value that is skipped may be nested 128 deep, where a
//! `Value` may be 127 deep in all. None of the three costs the document, of which other fields can be read.

mod float;
mod number;
mod reader;
mod string;

#[cfg(test)]
mod tests;

pub(crate) use number::Number;
#[cfg(any(feature = "fast-decode", test))]
pub(super) use reader::fill_from_slice;
pub(crate) use reader::{Malformed, Reader, Value, is_json};
pub(crate) use string::Raw;
