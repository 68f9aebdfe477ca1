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
    let mut members = Members::new(out);
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
            members.add(name, field);
        }
    }
    members.end();
}

/// An object that is written member by member.
pub(crate) struct Members<'a> {
    out: &'a mut String,
    /// What stands before the next name, its quote included: few long pieces cost less than many short ones.
    before: &'static str,
}

impl<'a> Members<'a> {
    pub(crate) fn new(out: &'a mut String) -> Self {
        Self { out, before: "{\"" }
    }

    /// Adds a member under a name that needs no escapes, as those of fields.
    pub(crate) fn add(&mut self, name: &str, value: &dyn Write) {
        write_any(value, self.named(name));
    }

    /// Adds a member unless it has no value.
    pub(crate) fn add_some(&mut self, name: &str, value: &dyn Write) {
        if !is_none(value) {
            self.add(name, value);
        }
    }

    /// Writes a name that needs no escapes; the value has to follow.
    pub(crate) fn named(&mut self, name: &str) -> &mut String {
        self.open().push_str(name);
        self.out.push_str("\":");
        self.out
    }

    /// Writes a name of which nothing is known, as those of attributes; the value has to follow.
    pub(crate) fn escaped(&mut self, name: &str) -> &mut String {
        write_escaped(self.open(), name);
        self.out.push_str("\":");
        self.out
    }

    fn open(&mut self) -> &mut String {
        self.out.push_str(self.before);
        self.before = ",\"";
        self.out
    }

    pub(crate) fn end(self) {
        self.out.push_str(if self.before.starts_with('{') { "{}" } else { "}" });
    }
}

/// A list that is written element by element.
pub(crate) struct Elements<'a> {
    out: &'a mut String,
    before: char,
}

impl<'a> Elements<'a> {
    pub(crate) fn new(out: &'a mut String) -> Self {
        Self { out, before: '[' }
    }

    /// Where the next element is to be written.
    pub(crate) fn next(&mut self) -> &mut String {
        self.out.push(self.before);
        self.before = ',';
        self.out
    }

    pub(crate) fn end(self) {
        self.out.push_str(if self.before == '[' { "[]" } else { "]" });
    }
}

/// Writes a list of what `write` writes for each element.
pub(crate) fn write_list<T>(out: &mut String, values: slice::Iter<'_, T>, write: &mut dyn FnMut(&mut String, &T)) {
    let mut elements = Elements::new(out);
    for value in values {
        write(elements.next(), value);
    }
    elements.end();
}

/// Writes the elements of a list.
pub(super) fn write_elements(list: &dyn List, out: &mut String) {
    let mut elements = Elements::new(out);
    let mut at = 0_usize;
    while let Some(value) = list.element(at) {
        at = at.saturating_add(1);
        write_any(value, elements.next());
    }
    elements.end();
}

/// Writes a string per RFC 8259: quote, backslash and everything below U+0020 are escaped, with the short escapes where
/// there are some.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    write_escaped(out, text);
    out.push('"');
}

fn write_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..b' ')) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or_default();
        out.push_str(plain);
        let mut characters = special.chars();
        characters.next().into_iter().for_each(|character| write_escape(out, character));
        rest = characters.as_str();
    }
    out.push_str(rest);
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
