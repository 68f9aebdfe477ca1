//! Values that are no objects of named fields.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::number::{write_float, write_unsigned};
use super::objects::{Grow, Held, List, Read, Scalar, Write};
use super::read::{Mismatch, read_list, read_members, read_scalar};
use super::write::{Members, write_any, write_elements, write_string};
use crate::provider::{JsonNumber, JsonReader, JsonValue};
use crate::record::{AttributeValue, Attributes};
use crate::time::{MAX_SAFE_INTEGER, Nanos, Timestamp, UnixNanos};

/// Makes types values that are read by one piece of code: each says what it takes, and what was expected instead of the rest.
macro_rules! scalars {
    ($($name:ty, $expected:expr, $set:expr;)*) => {$(
        impl Scalar for $name {
            fn set(&mut self, value: &JsonValue<'_>) -> Option<()> {
                let read: fn(&JsonValue<'_>) -> Option<Self> = $set;
                *self = read(value)?;
                Some(())
            }

            fn expected(&self) -> &'static str {
                $expected
            }
        }

        impl Read for $name {
            fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
                read_scalar(self, reader)
            }
        }
    )*};
}

scalars! {
    bool, "a boolean was expected", |value| match value {
        JsonValue::Bool(value) => Some(*value),
        _ => None,
    };
    f64, "a number was expected", float;
    i64, "an integer in range was expected", |value| match value {
        JsonValue::Number(JsonNumber::Unsigned(value)) => Self::try_from(*value).ok(),
        JsonValue::Number(JsonNumber::Negative(value)) => Some(*value),
        _ => None,
    };
    u16, INTEGER, |value| unsigned(value)?.try_into().ok();
    u32, INTEGER, |value| unsigned(value)?.try_into().ok();
    u64, INTEGER, unsigned;
    usize, INTEGER, |value| unsigned(value)?.try_into().ok();
    Nanos, WIDE, |value| wide(value).map(Self::from_nanos);
    Timestamp, WIDE, |value| wide(value).map(Self::from_nanos);
    UnixNanos, WIDE, |value| wide(value).map(Self::from_nanos);
    String, TEXT, |value| text(value).map(Into::into);
    Box<str>, TEXT, text;
}

const INTEGER: &str = "an unsigned integer in range was expected";
const WIDE: &str = "an unsigned integer or a decimal string of one was expected";
const TEXT: &str = "a value of another type was expected";

#[expect(clippy::cast_precision_loss, reason = "the nearest float is the value of such a number")]
fn float(value: &JsonValue<'_>) -> Option<f64> {
    match value {
        JsonValue::Number(JsonNumber::Unsigned(value)) => Some(*value as f64),
        JsonValue::Number(JsonNumber::Negative(value)) => Some(*value as f64),
        JsonValue::Number(JsonNumber::Float(value)) if value.is_finite() => Some(*value),
        _ => None,
    }
}

fn unsigned(value: &JsonValue<'_>) -> Option<u64> {
    match value {
        JsonValue::Number(JsonNumber::Unsigned(value)) => Some(*value),
        _ => None,
    }
}

fn wide(value: &JsonValue<'_>) -> Option<u64> {
    match value {
        JsonValue::String(text) => text.text().parse().ok(),
        _ => unsigned(value),
    }
}

fn text(value: &JsonValue<'_>) -> Option<Box<str>> {
    match value {
        JsonValue::String(text) => Some(text.text().into()),
        _ => None,
    }
}

impl Write for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Write for f64 {
    fn write(&self, out: &mut String) {
        // A string takes all that is written to it.
        let _ = write_float(out, *self);
    }
}

macro_rules! integers {
    ($($name:ty),*) => {$(
        impl Write for $name {
            fn write(&self, out: &mut String) {
                write_unsigned(out, u64::try_from(*self).unwrap_or_default());
            }
        }
    )*};
}

integers!(u16, u32, u64, usize);

impl Write for i64 {
    fn write(&self, out: &mut String) {
        if *self < 0 {
            out.push('-');
        }
        write_unsigned(out, self.unsigned_abs());
    }
}

macro_rules! times {
    ($($name:ty),*) => {$(
        impl Write for $name {
            fn write(&self, out: &mut String) {
                write_wide(out, self.as_nanos(), MAX_SAFE_INTEGER);
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

/// An integer, or a decimal string above `most`.
fn write_wide(out: &mut String, value: u64, most: u64) {
    let quote = if value > most { "\"" } else { "" };
    out.push_str(quote);
    write_unsigned(out, value);
    out.push_str(quote);
}

impl Write for String {
    fn write(&self, out: &mut String) {
        write_string(out, self);
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

impl<T: Write> Write for Option<T> {
    fn held(&self) -> Held<'_> {
        match self {
            Some(value) => Held::Other(value),
            None => Held::Nothing,
        }
    }

    fn write(&self, out: &mut String) {
        write_any(self, out);
    }
}

impl<T: Default + Read> Read for Option<T> {
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        self.insert(T::default()).read(reader)
    }

    fn clear(&mut self) -> bool {
        *self = None;
        true
    }
}

impl<T: Write> Write for Box<T> {
    fn held(&self) -> Held<'_> {
        Held::Other(&**self)
    }

    fn write(&self, out: &mut String) {
        write_any(self, out);
    }
}

impl<T: Default + Read> Read for Box<T> {
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        (**self).read(reader)
    }
}

impl<T: Write> Write for Vec<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn write(&self, out: &mut String) {
        write_elements(self, out);
    }
}

impl<T: Write, const N: usize> Write for [T; N] {
    fn write(&self, out: &mut String) {
        write_elements(&self.as_slice(), out);
    }
}

impl<T: Write> List for Vec<T> {
    fn element(&self, at: usize) -> Option<&dyn Write> {
        let value: &dyn Write = self.get(at)?;
        Some(value)
    }
}

impl<T: Write> List for &[T] {
    fn element(&self, at: usize) -> Option<&dyn Write> {
        let value: &dyn Write = self.get(at)?;
        Some(value)
    }
}

impl<T: Default + Read> Read for Vec<T> {
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        read_list(self, reader)
    }
}

impl<T: Default + Read> Grow for Vec<T> {
    fn empty(&mut self) {
        *self = Self::new();
    }

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
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        let mut both: Vec<Box<str>> = Vec::new();
        both.read(reader)?;
        match both.as_mut_slice() {
            [first, second] => {
                core::mem::swap(&mut self.0, first);
                core::mem::swap(&mut self.1, second);
                Ok(())
            }
            _ => Err(Mismatch::new("a list of two strings was expected")),
        }
    }
}

impl Write for Attributes {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn write(&self, out: &mut String) {
        let mut members = Members::new(out);
        for (key, value) in self {
            value.write(members.escaped(key));
        }
        members.end();
    }
}

impl Read for Attributes {
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        let mut entries = Vec::new();
        read_members(reader, &mut |name, reader| {
            let mut value = AttributeValue::Bool(false);
            value.read(reader).map_err(|mismatch| mismatch.within(name))?;
            entries.push((name.into(), value));
            Ok(())
        })?;
        self.clear();
        self.extend(entries);
        Ok(())
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
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        if !reader.begins(b'[') {
            return read_scalar(self, reader);
        }
        let mut values = Vec::new();
        values.read(reader)?;
        *self = Self::StrList(values);
        Ok(())
    }
}

impl Scalar for AttributeValue {
    fn set(&mut self, value: &JsonValue<'_>) -> Option<()> {
        *self = match value {
            JsonValue::Bool(value) => Self::Bool(*value),
            // OpenTelemetry attributes have no unsigned integers; a larger one keeps its digits as text.
            JsonValue::Number(JsonNumber::Unsigned(value)) => {
                if let Ok(value) = i64::try_from(*value) {
                    Self::Int(value)
                } else {
                    let mut digits = String::new();
                    write_unsigned(&mut digits, *value);
                    Self::Str(digits)
                }
            }
            JsonValue::Number(JsonNumber::Negative(value)) => Self::Int(*value),
            JsonValue::Number(JsonNumber::Float(value)) if value.is_finite() => Self::Float(*value),
            JsonValue::String(text) => Self::Str(text.text().into()),
            _ => return None,
        };
        Some(())
    }

    fn expected(&self) -> &'static str {
        "a string, boolean, integer, float or list of strings was expected"
    }
}
