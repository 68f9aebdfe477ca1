//! Reading.

use alloc::{boxed::Box, format, string::String};
use core::mem;

use super::objects::{Grow, Others, Read, ReadFields, Scalar};
use crate::provider::{JsonReader, Malformed, is_json};

/// What is wrong with a value, and where it is. In a box, so that what may go wrong everywhere costs one word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mismatch(Box<Wrong>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Wrong {
    path: String,
    what: &'static str,
}

impl Mismatch {
    pub(crate) fn new(what: &'static str) -> Self {
        Self(Box::new(Wrong { path: String::new(), what }))
    }

    /// Says in which field it is.
    pub(crate) fn within(mut self, name: &str) -> Self {
        let below = mem::replace(&mut self.0.path, name.into());
        if !below.is_empty() {
            self.0.path.push('.');
            self.0.path.push_str(&below);
        }
        self
    }

    /// What is wrong, for people.
    pub(crate) fn into_text(self) -> String {
        let Wrong { path, what } = *self.0;
        if path.is_empty() { what.into() } else { format!("`{path}`: {what}") }
    }
}

impl From<Malformed> for Mismatch {
    fn from(_: Malformed) -> Self {
        Self::new("a value of another type was expected")
    }
}

/// Reads a JSON text over an object. The text of the field with the name `raw`, if there is one, is given as it is written.
pub(crate) fn read_json(
    object: &mut dyn ReadFields,
    text: &str,
    raw: Option<(&str, &mut Option<String>)>,
) -> Result<(), Mismatch> {
    let (raw_name, mut raw_text) = raw.map_or(("", None), |(name, text)| (name, Some(text)));
    let mut reader = JsonReader::new(text.as_bytes());
    let read = read_members(&mut reader, &mut |name, reader| match &mut raw_text {
        Some(raw_text) if name == raw_name => {
            **raw_text = Some(reader.text_of_value()?.into());
            Ok(())
        }
        _ => read_member(object, name, reader),
    });
    whole(read, &mut reader, text, "not a JSON object")
}

/// Reads a JSON text over a value that holds none.
pub(crate) fn read_value(value: &mut dyn Read, text: &str) -> Result<(), Mismatch> {
    let mut reader = JsonReader::new(text.as_bytes());
    let read = value.read(&mut reader);
    whole(read, &mut reader, text, "not JSON")
}

/// What came of reading a text, unless that is no JSON at all.
fn whole(
    read: Result<(), Mismatch>,
    reader: &mut JsonReader<'_>,
    text: &str,
    otherwise: &'static str,
) -> Result<(), Mismatch> {
    let is_whole = if read.is_ok() { reader.peek().is_none() } else { is_json(text) };
    if is_whole { read } else { Err(Mismatch::new(otherwise)) }
}

pub(crate) fn read_object(object: &mut dyn ReadFields, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
    read_members(reader, &mut |name, reader| read_member(object, name, reader))
}

/// Reads the members of an object one by one.
pub(crate) fn read_members(
    reader: &mut JsonReader<'_>,
    read: &mut dyn FnMut(&str, &mut JsonReader<'_>) -> Result<(), Mismatch>,
) -> Result<(), Mismatch> {
    let mut wrong = None;
    let result = reader.members(|reader, name| {
        let name = core::str::from_utf8(name).map_err(|_| Malformed)?;
        read(name, reader).map_err(|mismatch| {
            wrong = Some(mismatch);
            Malformed
        })
    });
    result.map_err(|malformed| wrong.unwrap_or_else(|| malformed.into()))
}

/// Reads the value of one field; a value that no field has is an error where the object says so.
pub(crate) fn read_member(
    object: &mut dyn ReadFields,
    name: &str,
    reader: &mut JsonReader<'_>,
) -> Result<(), Mismatch> {
    let others = object.others();
    let result = match line_of(object.names(), name).and_then(|number| object.field_mut(number)) {
        Some(field) => read_any(field, reader),
        None if others == Others::Refused => Err(Mismatch::new("there is no such field")),
        None => reader.skip_value().map_err(Mismatch::from),
    };
    result.map_err(|mismatch| mismatch.within(name))
}

/// Reads a value, or a `null` where that stands for none.
fn read_any(value: &mut dyn Read, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
    if reader.begins(b'n') && value.clear() { Ok(reader.skip_value()?) } else { value.read(reader) }
}

/// Reads a value that is no object and no list.
pub(super) fn read_scalar(value: &mut dyn Scalar, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
    match value.set(&reader.value()?) {
        Some(()) => Ok(()),
        None => Err(Mismatch::new(value.expected())),
    }
}

/// Reads the elements of a list.
pub(super) fn read_list(list: &mut dyn Grow, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
    list.empty();
    let mut wrong = None;
    let read = reader.elements(|reader| {
        let value = list.grow().ok_or(Malformed)?;
        read_any(value, reader).map_err(|mismatch| {
            wrong = Some(mismatch);
            Malformed
        })
    });
    read.map_err(|malformed| wrong.unwrap_or_else(|| malformed.into()))
}

/// The number of the line that is this text.
pub(crate) fn line_of(lines: &str, text: &str) -> Option<usize> {
    if text.is_empty() {
        return None;
    }
    lines.as_bytes().split(|&byte| byte == b'\n').position(|line| line == text.as_bytes())
}
