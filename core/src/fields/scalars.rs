//! Values that are no objects of named fields.

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};

use super::number::{write_float, write_unsigned};
use super::objects::{Grow, Read, Write};
use super::read::{Mismatch, read_list};
use super::write::{write_each, write_string};
use crate::provider::{JsonNumber, JsonValue, Malformed, TapeReader};
use crate::record::AttributeValue;
use crate::time::{MAX_SAFE_INTEGER, Nanos, Timestamp, UnixNanos};

impl Write for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Read for bool {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        match reader.any()? {
            JsonValue::Bool(value) => *self = value,
            _ => return Err(Mismatch::new("a boolean was expected")),
        }
        Ok(())
    }
}

impl Write for f64 {
    fn write(&self, out: &mut String) {
        // A string takes all that is written to it.
        let _ = write_float(out, *self);
    }
}

impl Read for f64 {
    #[expect(clippy::cast_precision_loss, reason = "the nearest float is the value of such a number")]
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        *self = match reader.any()? {
            JsonValue::Number(JsonNumber::Unsigned(value)) => value as Self,
            JsonValue::Number(JsonNumber::Negative(value)) => value as Self,
            JsonValue::Number(JsonNumber::Float(value)) if value.is_finite() => value,
            _ => return Err(Mismatch::new("a number was expected")),
        };
        Ok(())
    }
}

macro_rules! integers {
    ($($name:ty),*) => {$(
        impl Write for $name {
            fn write(&self, out: &mut String) {
                write_unsigned(out, u64::try_from(*self).unwrap_or_default());
            }
        }

        impl Read for $name {
            fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
                *self = Self::try_from(unsigned(reader)?).map_err(|_| Mismatch::new(INTEGER))?;
                Ok(())
            }
        }
    )*};
}

integers!(u16, u32, u64, usize);

fn unsigned(reader: &mut TapeReader<'_>) -> Result<u64, Mismatch> {
    match reader.any()? {
        JsonValue::Number(JsonNumber::Unsigned(value)) => Ok(value),
        _ => Err(Mismatch::new(INTEGER)),
    }
}

const INTEGER: &str = "an unsigned integer in range was expected";

impl Write for i64 {
    fn write(&self, out: &mut String) {
        if *self < 0 {
            out.push('-');
        }
        write_unsigned(out, self.unsigned_abs());
    }
}

impl Read for i64 {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        let value = match reader.any()? {
            JsonValue::Number(JsonNumber::Unsigned(value)) => Self::try_from(value).ok(),
            JsonValue::Number(JsonNumber::Negative(value)) => Some(value),
            _ => None,
        };
        *self = value.ok_or_else(|| Mismatch::new("an integer in range was expected"))?;
        Ok(())
    }
}

macro_rules! times {
    ($($name:ident),*) => {$(
        impl Write for $name {
            fn write(&self, out: &mut String) {
                write_wide(out, self.as_nanos(), MAX_SAFE_INTEGER);
            }
        }

        impl Read for $name {
            fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
                *self = Self::from_nanos(wide(reader)?);
                Ok(())
            }
        }
    )*};
}

times!(Nanos, Timestamp);

impl Write for UnixNanos {
    fn write(&self, out: &mut String) {
        out.push('"');
        write_unsigned(out, self.as_nanos());
        out.push('"');
    }
}

impl Read for UnixNanos {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        *self = Self::from_nanos(wide(reader)?);
        Ok(())
    }
}

/// An integer, or a decimal string above `most`.
fn write_wide(out: &mut String, value: u64, most: u64) {
    let quote = if value > most { "\"" } else { "" };
    out.push_str(quote);
    write_unsigned(out, value);
    out.push_str(quote);
}

fn wide(reader: &mut TapeReader<'_>) -> Result<u64, Mismatch> {
    let value = match reader.any()? {
        JsonValue::Number(JsonNumber::Unsigned(value)) => Some(value),
        JsonValue::String(text) => text.text().parse().ok(),
        _ => None,
    };
    value.ok_or_else(|| Mismatch::new("an unsigned integer or a decimal string of one was expected"))
}

impl Write for String {
    fn write(&self, out: &mut String) {
        write_string(out, self);
    }
}

impl Read for String {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        *self = reader.string()?.into();
        Ok(())
    }
}

impl Write for &str {
    fn write(&self, out: &mut String) {
        write_string(out, self);
    }
}

impl Write for Box<str> {
    fn write(&self, out: &mut String) {
        write_string(out, self);
    }
}

impl Read for Box<str> {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        *self = reader.string()?.into();
        Ok(())
    }
}

impl<T: Write> Write for Option<T> {
    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(Write::is_absent)
    }

    fn is_none(&self) -> bool {
        self.is_none()
    }

    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: Default + Read> Read for Option<T> {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        self.insert(T::default()).read(reader)
    }

    fn clear(&mut self) -> bool {
        *self = None;
        true
    }
}

impl<T: Write> Write for Box<T> {
    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }

    fn write(&self, out: &mut String) {
        (**self).write(out);
    }
}

impl<T: Default + Read> Read for Box<T> {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        (**self).read(reader)
    }
}

impl<T: Write> Write for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write(&self, out: &mut String) {
        write_each(self, out);
    }
}

impl<T: Write, const N: usize> Write for [T; N] {
    fn write(&self, out: &mut String) {
        write_each(self, out);
    }
}

impl<T: Default + Read> Read for Vec<T> {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        self.truncate(0);
        read_list(self, reader)
    }
}

impl<T: Default + Read> Grow for Vec<T> {
    fn grow(&mut self) -> Option<&mut dyn Read> {
        self.push(T::default());
        let last: &mut dyn Read = self.last_mut()?;
        Some(last)
    }
}

/// A pair is a list of two.
impl Write for (Box<str>, Box<str>) {
    fn write(&self, out: &mut String) {
        out.push('[');
        self.0.write(out);
        out.push(',');
        self.1.write(out);
        out.push(']');
    }
}

impl Read for (Box<str>, Box<str>) {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        let mut both: Vec<Box<str>> = Vec::new();
        both.read(reader)?;
        match <[Box<str>; 2]>::try_from(both) {
            Ok([first, second]) => *self = (first, second),
            Err(_) => return Err(Mismatch::new("a list of two strings was expected")),
        }
        Ok(())
    }
}

impl Write for BTreeMap<String, AttributeValue> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write(&self, out: &mut String) {
        out.push('{');
        for (number, (key, value)) in self.iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            write_string(out, key);
            out.push(':');
            value.write(out);
        }
        out.push('}');
    }
}

impl Read for BTreeMap<String, AttributeValue> {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        self.clear();
        let mut wrong = None;
        reader
            .each_member(&mut |reader, name| {
                let name = core::str::from_utf8(name).unwrap_or_default();
                let mut value = AttributeValue::Bool(false);
                if let Err(mismatch) = value.read(reader) {
                    wrong = Some(mismatch.within(name));
                    return Err(Malformed);
                }
                self.insert(name.into(), value);
                Ok(())
            })
            .map_err(|malformed| wrong.unwrap_or_else(|| malformed.into()))
    }
}

impl Write for AttributeValue {
    fn write(&self, out: &mut String) {
        match self {
            Self::Bool(value) => value.write(out),
            Self::Int(value) => value.write(out),
            Self::Float(value) => value.write(out),
            Self::Str(value) => value.write(out),
            Self::StrList(values) => values.write(out),
        }
    }
}

impl Read for AttributeValue {
    fn read(&mut self, reader: &mut TapeReader<'_>) -> Result<(), Mismatch> {
        if reader.is_list() {
            let mut values = Vec::new();
            values.read(reader)?;
            *self = Self::StrList(values);
            return Ok(());
        }
        *self = match reader.any()? {
            JsonValue::Bool(value) => Self::Bool(value),
            // OpenTelemetry attributes have no unsigned integers; a larger one keeps its digits as text.
            JsonValue::Number(JsonNumber::Unsigned(value)) => {
                i64::try_from(value).map_or_else(|_| Self::Str(alloc::format!("{value}")), Self::Int)
            }
            JsonValue::Number(JsonNumber::Negative(value)) => Self::Int(value),
            JsonValue::Number(JsonNumber::Float(value)) if value.is_finite() => Self::Float(value),
            JsonValue::String(text) => Self::Str(text.text().into()),
            _ => return Err(Mismatch::new("a string, boolean, integer, float or list of strings was expected")),
        };
        Ok(())
    }
}
