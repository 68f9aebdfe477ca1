//! JSON text onto a tape: records, events and settings, and in builds that do not read them in place, events of providers.

use super::{Malformed, Number, Reader};
use crate::provider::source::{Spelling, Tape, Token};

impl Tape {
    /// Takes a JSON document down in place of the event before. What comes before an error is on the tape all the same.
    pub(crate) fn take_down_json(&mut self, document: &[u8]) -> Result<(), Malformed> {
        self.take_down_json_of(Spelling::Wire, document)
    }

    /// Takes a JSON document down whose names are spelled so.
    pub(in crate::provider) fn take_down_json_of(
        &mut self,
        spelling: Spelling,
        document: &[u8],
    ) -> Result<(), Malformed> {
        let mut reader = Reader { rest: document };
        self.clear();
        self.spelling = spelling;
        self.take_value(&mut reader, 0)?;
        if reader.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    /// Takes the next value of a document down in place of the event before.
    pub(in crate::provider) fn take_down_value(&mut self, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        self.clear();
        self.take_value(reader, 0)
    }

    fn take_value(&mut self, reader: &mut Reader<'_>, depth: u32) -> Result<(), Malformed> {
        if depth > DEPTH_LIMIT {
            return Err(Malformed);
        }
        match reader.peek().ok_or(Malformed)? {
            b'"' => {
                let span = self.append(&reader.string()?.text())?;
                self.push(Token::Text(span))
            }
            b'{' => {
                self.push(Token::Object)?;
                reader.members(|reader, name| {
                    self.push_name(core::str::from_utf8(name).map_err(|_| Malformed)?)?;
                    self.take_value(reader, depth + 1)
                })?;
                self.push(Token::End)
            }
            b'[' => {
                self.push(Token::Array)?;
                reader.elements(|reader| self.take_value(reader, depth + 1))?;
                self.push(Token::End)
            }
            first => self.take_plain(reader, first),
        }
    }

    /// Takes a literal or a number down. A literal that is cut is known by its first byte.
    fn take_plain(&mut self, reader: &mut Reader<'_>, first: u8) -> Result<(), Malformed> {
        let (token, word): (_, &[u8]) = match first {
            b'n' => (Token::Null, b"null"),
            b't' => (Token::Bool(true), b"true"),
            b'f' => (Token::Bool(false), b"false"),
            _ => {
                let number: Number = reader.number()?;
                return self.push(Token::Number(number));
            }
        };
        self.push(token)?;
        reader.rest = reader.rest.strip_prefix(word).ok_or(Malformed)?;
        Ok(())
    }
}

/// Levels of a document. A reader in place allows 128 below the last level that it has an interest in.
const DEPTH_LIMIT: u32 = 140;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::json::fill_from_slice;
    use crate::provider::lenient::{Count, Decimal, Fill as _, List, Str, Text, object};

    object! {
        struct Sample<'a> {
            "text" => text: Text,
            "name" | "other" => name: Str<'a>,
            "count" => count: Count,
            "cost" => cost: Decimal,
            "inner" => inner: Inner,
            "list" => list: List<Inner, 1>,
        }
    }

    object! {
        struct Inner { "n" => n: Count, "text" => text: Text }
    }

    /// Everything that a document says, read in place and through a tape.
    #[track_caller]
    fn check(document: &str) {
        let mut in_place = Sample::default();
        let is_read = fill_from_slice(&mut in_place, document.as_bytes()).is_some();
        let (mut tape, mut taken) = (Tape::default(), Sample::default());
        let is_taken = tape.take_down_json(document.as_bytes()).is_ok();
        assert_eq!(is_taken, is_read, "{document}");
        if is_read {
            taken.fill(&mut tape.reader()).unwrap();
            let show = |sample: &Sample<'_>| {
                let Sample { present, text, name, count, cost, inner, list } = sample;
                let items: alloc::vec::Vec<_> = list.0.iter().map(|item| (item.n, item.text.bytes)).collect();
                let (name, inner) = (name.text().into_owned(), (inner.present, inner.n, inner.text.bytes));
                alloc::format!("{present} {} {name} {count:?} {cost:?} {inner:?} {items:?}", text.bytes)
            };
            assert_eq!(show(&taken), show(&in_place), "{document}");
        }
    }

    #[test]
    fn a_tape_says_what_the_text_says() {
        for document in [
            "{}",
            r#" {"text": "a\u00e9\n\ud83d\ude00", "name": "n\"", "count": 3, "cost": 0.000669, "inner": {"n": 1}} "#,
            r#"{"name": "a", "other": "b", "count": 12.0, "cost": 1e300, "list": [{"n": 1}, {"text": "xy"}, 3]}"#,
            r#"{"inner": {"n": 1, "text": "x"}, "inner": {"n": 2}, "inner": null, "count": -1}"#,
            r#"{"inner": {"n": 1}, "inner": [], "list": {"n": 5}, "text": {"text": "deep"}, "name": true}"#,
            r#"{"list": [{"n": 1}], "list": null, "count": "3", "\u0063ount": 4, "unknown": [[{"a": [1, 2]}], null]}"#,
            r#""text""#,
            "[1, 2]",
            "3",
            "null",
            "",
            "nul",
            "{",
            r#"{"text": "a"#,
            r#"{"text": "a\x"}"#,
            r#"{"count": 01}"#,
            r#"{"count": 1,}"#,
            r#"{"count": 1} x"#,
            "{\"text\": \"a\u{1}\"}",
        ] {
            check(document);
        }
    }
}
