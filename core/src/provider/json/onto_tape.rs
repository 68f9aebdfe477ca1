//! JSON text onto a tape: records, events and settings, and in builds that do not read them in place, events of providers.

use super::{Malformed, Reader};
use crate::provider::tape::{Span, Spelling, TEXT_LIMIT, Tape, Token};

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
        let copied = self.copy(document);
        self.take_value(&mut reader, copied, 0)?;
        if reader.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    /// Takes the next value of a document down in place of the event before.
    pub(in crate::provider) fn take_down_value(&mut self, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        self.clear();
        self.take_value(reader, Copied::No, 0)
    }

    fn take_value(&mut self, reader: &mut Reader<'_>, copied: Copied, depth: u32) -> Result<(), Malformed> {
        if depth > DEPTH_LIMIT {
            return Err(Malformed);
        }
        let (opening, closing) = match reader.peek().ok_or(Malformed)? {
            b'"' => {
                let span = self.take_string(reader, copied)?;
                return self.push(Token::Text(span));
            }
            b'{' => (Token::Object, b'}'),
            b'[' => (Token::Array, b']'),
            first => return self.take_plain(reader, copied, first),
        };
        self.push(opening)?;
        // The bracket.
        reader.rest = reader.rest.get(1..).unwrap_or_default();
        let mut goes_on = reader.peek() != Some(closing);
        if !goes_on {
            reader.expect(closing)?;
        }
        while goes_on {
            if closing == b'}' {
                reader.peek();
                let name = self.take_string(reader, copied)?;
                reader.expect(b':')?;
                self.push_name(name)?;
            }
            self.take_value(reader, copied, depth + 1)?;
            goes_on = reader.goes_on(closing)?;
        }
        self.push(Token::End)
    }

    /// Takes a string down, which comes next.
    fn take_string(&mut self, reader: &mut Reader<'_>, copied: Copied) -> Result<Span, Malformed> {
        let string = reader.string()?;
        if string.has_escapes() {
            return self.append(&string.bytes());
        }
        self.take_text(string.bytes, copied, 1 + reader.rest.len())
    }

    /// Takes text down behind which so many bytes of the document come.
    #[expect(
        clippy::inline_always,
        reason = "every string of every event is taken down by it, also where code is made small"
    )]
    #[inline(always)]
    fn take_text(&mut self, text: &[u8], copied: Copied, behind: usize) -> Result<Span, Malformed> {
        match copied {
            Copied::Whole(length) => {
                let end = length.saturating_sub(behind);
                Ok(Span { start: end.saturating_sub(text.len()), end })
            }
            Copied::No => self.append(text),
        }
    }

    /// Takes a literal or a number down. A literal that is cut is known by its first byte.
    fn take_plain(&mut self, reader: &mut Reader<'_>, copied: Copied, first: u8) -> Result<(), Malformed> {
        let (token, word): (_, &[u8]) = match first {
            b'n' => (Token::Null, b"null"),
            b't' => (Token::Bool(true), b"true"),
            b'f' => (Token::Bool(false), b"false"),
            _ => {
                let (digits, _) = reader.number_text()?;
                let span = self.take_text(digits, copied, reader.rest.len())?;
                return self.push(Token::Digits(span));
            }
        };
        self.push(token)?;
        reader.rest = reader.rest.strip_prefix(word).ok_or(Malformed)?;
        Ok(())
    }

    /// Copies a document, so that strings without escapes need no copy of their own. One that leaves too little room for the
    /// others is not copied.
    fn copy(&mut self, document: &[u8]) -> Copied {
        if document.len() > TEXT_LIMIT / 2 || self.append(document).is_err() {
            return Copied::No;
        }
        Copied::Whole(document.len())
    }
}

/// Whether the document that is read stands at the begin of the tape's text.
#[derive(Clone, Copy)]
enum Copied {
    /// Only strings are put there, each by itself.
    No,
    /// All of it, so many bytes.
    Whole(usize),
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
