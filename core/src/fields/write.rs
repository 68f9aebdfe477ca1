//! Writing.

use alloc::string::String;
use core::slice;

use super::objects::{Held, List, Skips, Write, WriteFields, is_absent, is_none};

/// The JSON of a value.
pub(crate) fn to_json(value: &dyn Write) -> String {
    let mut out = String::with_capacity(TEXT_BYTES);
    write_any(value, &mut out);
    out
}

/// The JSON of a list of values.
pub(crate) fn list_to_json<T: Write>(values: &[T]) -> String {
    let mut out = String::new();
    write_elements(&values, &mut out);
    out
}

/// Writes what a value holds.
pub(super) fn write_any(value: &dyn Write, out: &mut String) {
    match value.held() {
        Held::Itself => value.write(out),
        Held::Nothing => out.push_str("null"),
        Held::Other(held) => write_any(held, out),
    }
}

pub(crate) fn write_object(object: &dyn WriteFields, out: &mut String) {
    let skips = object.skips();
    // Names need no escapes, and few long pieces cost less than many short ones.
    let mut before = "{\"";
    // A loop over bytes: to split by a character takes a searcher, which is a good deal slower where nothing is inlined.
    let mut names = object.names();
    for number in 0.. {
        let Some(field) = object.field(number) else { break };
        let end = names.bytes().position(|byte| byte == b'\n').unwrap_or(names.len());
        let (name, rest) = names.split_at_checked(end).unwrap_or_default();
        names = rest.get(1..).unwrap_or_default();
        let skip = match skips {
            Skips::Empty => is_absent(field),
            Skips::None => is_none(field),
            Skips::Nothing => false,
        };
        if !skip {
            out.push_str(before);
            before = ",\"";
            out.push_str(name);
            out.push_str("\":");
            write_any(field, out);
        }
    }
    out.push_str(if before.starts_with('{') { "{}" } else { "}" });
}

/// An object that is written member by member, for values that have no struct.
pub(crate) struct Members<'a> {
    out: &'a mut String,
    separator: char,
}

impl<'a> Members<'a> {
    pub(crate) fn new(out: &'a mut String) -> Self {
        Self { out, separator: '{' }
    }

    pub(crate) fn add(&mut self, name: &str, value: &dyn Write) {
        write_any(value, self.named(name));
    }

    /// Adds a member unless it has no value.
    pub(crate) fn add_some(&mut self, name: &str, value: &dyn Write) {
        if !is_none(value) {
            self.add(name, value);
        }
    }

    /// Writes a name; the value has to follow.
    pub(crate) fn named(&mut self, name: &str) -> &mut String {
        self.out.push(self.separator);
        self.separator = ',';
        write_string(self.out, name);
        self.out.push(':');
        self.out
    }

    pub(crate) fn end(self) {
        if self.separator == '{' {
            self.out.push('{');
        }
        self.out.push('}');
    }
}

/// Writes a list of what `write` writes for each element.
pub(crate) fn write_list<T>(out: &mut String, values: slice::Iter<'_, T>, write: &mut dyn FnMut(&mut String, &T)) {
    out.push('[');
    for (number, value) in values.enumerate() {
        if number > 0 {
            out.push(',');
        }
        write(out, value);
    }
    out.push(']');
}

/// Writes the elements of a list.
pub(super) fn write_elements(list: &dyn List, out: &mut String) {
    out.push('[');
    let mut at = 0_usize;
    while let Some(value) = list.element(at) {
        if at > 0 {
            out.push(',');
        }
        at = at.saturating_add(1);
        write_any(value, out);
    }
    out.push(']');
}

/// Writes a string per RFC 8259: quote, backslash and everything below U+0020 are escaped, with the short escapes where
/// there are some.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..b' ')) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or_default();
        out.push_str(plain);
        let mut characters = special.chars();
        characters.next().into_iter().for_each(|character| write_escape(out, character));
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn write_escape(out: &mut String, character: char) {
    out.push('\\');
    let short = match character {
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\0'..='\u{1f}' => {
            let digit = |value: u32| char::from_digit(value % 16, 16).unwrap_or('0');
            let code = u32::from(character);
            out.push_str("u00");
            out.push(digit(code / 16));
            digit(code)
        }
        _ => character,
    };
    out.push(short);
}

/// Room that most objects fit into.
pub(crate) const OBJECT_BYTES: usize = 128;

/// Room that most records fit into.
const TEXT_BYTES: usize = 1024;
