//! A tape for readers that want a value of one type and take no other: of records, events and settings.

use alloc::borrow::Cow;

use super::json::{Malformed, Reader, Value};
use super::source::Source;
use super::tape::{Tape, TapeReader};

impl Tape {
    /// Goes through the members of a JSON object. `each` is called with a name, the text of the value and a tape that has
    /// the value on it, and says whether to go on.
    pub(crate) fn each_member_of_json(
        &mut self,
        text: &str,
        mut each: impl FnMut(&str, &str, &mut Self) -> bool,
    ) -> Result<(), Malformed> {
        let mut reader = Reader { rest: text.as_bytes() };
        reader.members(|reader, name| {
            let name = core::str::from_utf8(name).map_err(|_| Malformed)?;
            reader.peek();
            let value = reader.rest;
            self.take_down_value(reader)?;
            let value = value.get(..value.len().saturating_sub(reader.rest.len())).unwrap_or_default();
            let value = core::str::from_utf8(value).map_err(|_| Malformed)?;
            if each(name, value, self) { Ok(()) } else { Err(Malformed) }
        })?;
        if reader.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }
}

/// Whether a text is a JSON document.
pub(crate) fn is_json(text: &str) -> bool {
    let mut reader = Reader { rest: text.as_bytes() };
    reader.skip_value().is_ok() && reader.peek().is_none()
}

impl<'t> TapeReader<'t> {
    /// Reads a value of any type; one that has members or elements is left behind.
    pub(crate) fn any(&mut self) -> Result<Value<'t>, Malformed> {
        self.value()
    }

    /// Skips a value.
    pub(crate) fn skip_any(&mut self) -> Result<(), Malformed> {
        self.skip_value()
    }

    /// Reads a string.
    pub(crate) fn string(&mut self) -> Result<Cow<'t, str>, Malformed> {
        match self.value()? {
            Value::String(text) => Ok(text.text()),
            _ => Err(Malformed),
        }
    }

    /// Whether `null` comes.
    pub(crate) fn is_null(&mut self) -> bool {
        self.peek() == Some(b'n')
    }

    /// Whether a list comes.
    pub(crate) fn is_list(&mut self) -> bool {
        self.peek() == Some(b'[')
    }
}
