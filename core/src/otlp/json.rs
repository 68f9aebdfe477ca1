//! The JSON form: the proto3 JSON mapping with the exceptions that OTLP makes.

use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::writer::{Field, Writer};
use crate::fields::write_float;

/// Appends the fields of a message to a buffer.
pub(super) struct Json<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> Json<'a> {
    /// Writes a whole message.
    pub(super) fn root(out: &'a mut Vec<u8>, write: impl FnOnce(&mut Self)) {
        let mut json = Self { out, is_first: true };
        json.object(write);
    }

    fn object(&mut self, write: impl FnOnce(&mut Self)) {
        self.within(b'{', b'}', write);
    }

    fn within(&mut self, open: u8, close: u8, write: impl FnOnce(&mut Self)) {
        self.out.push(open);
        self.is_first = true;
        write(self);
        self.out.push(close);
        self.is_first = false;
    }

    fn comma(&mut self) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
    }

    /// Keys are made of letters and need no escapes.
    fn key(&mut self, field: Field) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(field.key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn display(&mut self, value: impl fmt::Display) {
        // Appending to a `Vec` does not fail.
        let _ = write!(Appended(self.out), "{value}");
    }

    /// JSON has no NaN and no infinities.
    fn number(&mut self, value: f64) {
        if value.is_finite() {
            // Appending to a `Vec` does not fail.
            let _ = write_float(&mut Appended(self.out), value);
        } else {
            self.out.push(b'0');
        }
    }

    fn quoted(&mut self, value: impl fmt::Display) {
        self.out.push(b'"');
        self.display(value);
        self.out.push(b'"');
    }
}

impl Writer for Json<'_> {
    fn text(&mut self, field: Field, value: &str) {
        self.key(field);
        string(self.out, value);
    }

    fn id(&mut self, field: Field, value: &[u8]) {
        self.key(field);
        self.out.push(b'"');
        for byte in value {
            self.out.extend([hex(byte >> 4), hex(byte & 0x0f)]);
        }
        self.out.push(b'"');
    }

    fn flag(&mut self, field: Field, value: bool) {
        self.key(field);
        self.display(value);
    }

    fn uint32(&mut self, field: Field, value: u32) {
        self.key(field);
        self.display(value);
    }

    fn int64(&mut self, field: Field, value: i64) {
        self.key(field);
        self.quoted(value);
    }

    fn fixed32(&mut self, field: Field, value: u32) {
        self.uint32(field, value);
    }

    fn fixed64(&mut self, field: Field, value: u64) {
        self.key(field);
        self.quoted(value);
    }

    fn sfixed64(&mut self, field: Field, value: i64) {
        self.int64(field, value);
    }

    fn sint32(&mut self, field: Field, value: i32) {
        self.key(field);
        self.display(value);
    }

    fn double(&mut self, field: Field, value: f64) {
        self.key(field);
        self.number(value);
    }

    fn fixed64s(&mut self, field: Field, values: &[u64]) {
        self.list(field, |w| {
            for value in values {
                w.comma();
                w.quoted(value);
            }
        });
    }

    fn uint64s(&mut self, field: Field, values: &[u64]) {
        self.fixed64s(field, values);
    }

    fn doubles(&mut self, field: Field, values: impl ExactSizeIterator<Item = f64>) {
        self.list(field, |w| {
            for value in values {
                w.comma();
                w.number(value);
            }
        });
    }

    fn message(&mut self, field: Field, write: impl FnOnce(&mut Self)) {
        self.key(field);
        self.object(write);
    }

    fn list(&mut self, field: Field, write: impl FnOnce(&mut Self)) {
        self.key(field);
        self.within(b'[', b']', write);
    }

    fn item(&mut self, _: Field, write: impl FnOnce(&mut Self)) {
        self.comma();
        self.object(write);
    }
}

struct Appended<'a>(&'a mut Vec<u8>);

impl fmt::Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// A string per RFC 8259: quote, backslash and everything below U+0020 are escaped.
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        if let Some((byte, after)) = tail.split_first() {
            escape(out, *byte);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' | b'\\' => out.extend([b'\\', byte]),
        b'\n' => out.extend(b"\\n"),
        b'\r' => out.extend(b"\\r"),
        b'\t' => out.extend(b"\\t"),
        _ => out.extend([b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 0x0f)]),
    }
}

fn hex(nibble: u8) -> u8 {
    if nibble < 10 { nibble.saturating_add(b'0') } else { nibble.saturating_add(b'a' - 10) }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn numbers_have_the_form_of_their_type() {
        let field = |key| Field::new(1, key);
        let mut out = Vec::new();
        Json::root(&mut out, |w| {
            w.sint32(field("a"), i32::MIN);
            w.sfixed64(field("b"), i64::MIN);
            w.fixed64s(field("c"), &[0, u64::MAX]);
            w.uint64s(field("d"), &[7]);
            w.doubles(field("e"), [0.1, 1.0, f64::INFINITY].into_iter());
            w.fixed64s(field("f"), &[]);
            w.double(field("g"), f64::NAN);
        });
        let expected = concat!(
            r#"{"a":-2147483648,"b":"-9223372036854775808","c":["0","18446744073709551615"],"d":["7"],"#,
            r#""e":[0.1,1.0,0],"f":[],"g":0}"#
        );
        assert_eq!(str::from_utf8(&out).unwrap(), expected);
    }

    #[test]
    fn every_character_survives() {
        let text: String = (0..=0x2fff).filter_map(char::from_u32).chain("\u{1f600}\u{10ffff}".chars()).collect();
        let mut out = Vec::new();
        string(&mut out, &text);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        let mut out = Vec::new();
        string(&mut out, "a\"\\\n\r\t\u{0}\u{1f}\u{7f}/é");
        assert_eq!(out, "\"a\\\"\\\\\\n\\r\\t\\u0000\\u001f\u{7f}/é\"".as_bytes());
    }
}
