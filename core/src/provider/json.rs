//! A JSON reader for serde that allocates nothing.
//!
//! Decoders need the length of content, never the content. A general reader builds every string that has an escape in
//! it, rejects a whole document for one number out of range, and takes memory to skip nested values; this one measures
//! strings where they are, hands numbers out of range on as what they are, and skips with a fixed stack. Only a string
//! that is to be kept and has escapes is built.

use alloc::string::String;
use core::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::lenient::Fill;

/// Reads one JSON document over a default value; `None` when it is no valid JSON or no valid UTF-8.
#[inline]
pub(crate) fn fill_from_slice<'de, T: Fill<'de>>(value: &mut T, input: &'de [u8]) -> Option<()> {
    let mut reader = Reader { bytes: input, at: 0 };
    value.fill(&mut reader).ok()?;
    reader.skip_space();
    (reader.at == input.len()).then_some(())
}

/// The newtype name by which a type asks for the length of a string and not for the string.
///
/// The reader answers with `visit_bytes` and a slice as long as the text is in UTF-8; what is in it has no meaning. A
/// deserializer that does not know the name answers with `visit_newtype_struct`, as serde has it.
pub(crate) const MEASURED: &str = "$llmspan::Measured";

/// Outside of strings valid JSON is ASCII, so only strings are checked to be UTF-8, and only those that are not ASCII.
struct Reader<'de> {
    bytes: &'de [u8],
    at: usize,
}

/// A string between its quotes.
#[derive(Clone, Copy)]
struct Raw<'de> {
    bytes: &'de [u8],
    /// By how many bytes the escapes are longer than what they stand for; 0 when there are none.
    excess: usize,
}

enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

impl<'de> Raw<'de> {
    fn text(self) -> Result<&'de str, Malformed> {
        core::str::from_utf8(self.bytes).map_err(|_| Malformed)
    }
}

impl<'de> Reader<'de> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The first byte that is no space, not consumed.
    #[inline]
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            match self.peek()? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn rest(&self) -> &'de [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.skip_space() == Some(wanted) {
            self.at += 1;
            return Ok(());
        }
        Err(Malformed)
    }

    fn literal(&mut self, word: &str) -> Result<(), Malformed> {
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(Malformed)
    }

    /// Reads a string from behind its opening quote.
    #[inline]
    fn string(&mut self) -> Result<Raw<'de>, Malformed> {
        let start = self.at;
        let mut excess = 0;
        let mut high_bits = 0;
        loop {
            self.at += special(self.rest(), &mut high_bits).ok_or(Malformed)?;
            match self.peek() {
                Some(b'"') => {
                    let bytes = self.bytes.get(start..self.at).ok_or(Malformed)?;
                    self.at += 1;
                    if high_bits & HIGH != 0 && core::str::from_utf8(bytes).is_err() {
                        return Err(Malformed);
                    }
                    return Ok(Raw { bytes, excess });
                }
                Some(b'\\') => {
                    if let Some(b'"' | b'\\' | b'n' | b't') = self.bytes.get(self.at + 1) {
                        // By far the most frequent ones.
                        self.at += 2;
                        excess += 1;
                        continue;
                    }
                    let (length, meaning) = escape(self.rest()).ok_or(Malformed)?;
                    self.at += length;
                    excess += length - meaning;
                }
                // A control character.
                _ => return Err(Malformed),
            }
        }
    }

    fn number(&mut self) -> Result<Number, Malformed> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let mut magnitude = Some(0_u64);
        let digits = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            magnitude = magnitude.and_then(|value| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
            self.at += 1;
        }
        let leading_zero = self.bytes.get(digits) == Some(&b'0') && self.at - digits > 1;
        if self.at == digits || leading_zero {
            return Err(Malformed);
        }
        let mut integral = true;
        if self.peek() == Some(b'.') {
            integral = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            integral = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        match magnitude.filter(|_| integral) {
            Some(value) if !negative => Ok(Number::Unsigned(value)),
            Some(value) if i64::try_from(value).is_ok() => {
                Ok(Number::Signed(i64::try_from(value).map_err(|_| Malformed)?.wrapping_neg()))
            }
            // Too large a number parses to infinity.
            _ => {
                let text = self.bytes.get(start..self.at).and_then(|bytes| core::str::from_utf8(bytes).ok());
                text.and_then(|text| text.parse().ok()).map(Number::Float).ok_or(Malformed)
            }
        }
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(Malformed) } else { Ok(()) }
    }

    /// Skips one value, checking that it is valid.
    fn skip_value(&mut self) -> Result<(), Malformed> {
        // One bit per open container, set for an object.
        let mut stack = 0_u128;
        let mut depth = 0_u32;
        loop {
            match self.skip_space().ok_or(Malformed)? {
                opening @ (b'{' | b'[') => {
                    self.at += 1;
                    let object = opening == b'{';
                    let closing = if object { b'}' } else { b']' };
                    if self.skip_space() == Some(closing) {
                        self.at += 1;
                    } else {
                        depth += 1;
                        if depth > u128::BITS {
                            return Err(Malformed);
                        }
                        stack = stack << 1 | u128::from(object);
                        if object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                _ => self.skip_scalar()?,
            }
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let object = stack & 1 == 1;
                let byte = self.skip_space().ok_or(Malformed)?;
                self.at += 1;
                match byte {
                    b',' => {
                        if object {
                            self.skip_key()?;
                        }
                        break;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return Err(Malformed),
                }
                stack >>= 1;
                depth -= 1;
            }
        }
    }

    fn skip_key(&mut self) -> Result<(), Malformed> {
        self.expect(b'"')?;
        self.string()?;
        self.expect(b':')
    }

    fn skip_scalar(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.string().map(|_| ())
            }
            Some(b'n') => self.literal("null"),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            _ => self.number().map(|_| ()),
        }
    }
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Malformed;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        match self.skip_space().ok_or(Malformed)? {
            b'"' => {
                self.at += 1;
                let raw = self.string()?;
                if raw.excess > 0 {
                    visitor.visit_string(build(raw.text()?))
                } else {
                    visitor.visit_borrowed_str(raw.text()?)
                }
            }
            b'{' => {
                self.at += 1;
                visitor.visit_map(Members { reader: self, first: true })
            }
            b'[' => {
                self.at += 1;
                visitor.visit_seq(Members { reader: self, first: true })
            }
            b'n' => {
                self.literal("null")?;
                visitor.visit_unit()
            }
            b't' => {
                self.literal("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.literal("false")?;
                visitor.visit_bool(false)
            }
            _ => match self.number()? {
                Number::Unsigned(value) => visitor.visit_u64(value),
                Number::Signed(value) => visitor.visit_i64(value),
                Number::Float(value) => visitor.visit_f64(value),
            },
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        if name == MEASURED && self.skip_space() == Some(b'"') {
            self.at += 1;
            let raw = self.string()?;
            let length = raw.bytes.len() - raw.excess;
            return visitor.visit_borrowed_bytes(raw.bytes.get(..length).unwrap_or_default());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        if self.skip_space() == Some(b'n') {
            self.literal("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        self.skip_value()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

/// The members of an object or the elements of an array.
struct Members<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl Members<'_, '_> {
    /// Whether there is one more member, the comma before it consumed.
    #[inline]
    fn advance(&mut self, closing: u8) -> Result<bool, Malformed> {
        let byte = self.reader.skip_space().ok_or(Malformed)?;
        if byte == closing {
            self.reader.at += 1;
            return Ok(false);
        }
        if !core::mem::take(&mut self.first) {
            if byte != b',' {
                return Err(Malformed);
            }
            self.reader.at += 1;
        }
        Ok(true)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Malformed;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Malformed> {
        if !self.advance(b'}')? {
            return Ok(None);
        }
        self.reader.expect(b'"')?;
        let raw = self.reader.string()?;
        let key = if raw.excess > 0 {
            seed.deserialize(de::value::StringDeserializer::new(build(raw.text()?)))?
        } else {
            seed.deserialize(de::value::BorrowedBytesDeserializer::new(raw.bytes))?
        };
        Ok(Some(key))
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Malformed> {
        self.reader.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = Malformed;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Malformed> {
        if !self.advance(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// The document cannot be read. Nobody asks why: it is counted.
#[derive(Clone, Copy, Debug)]
struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed JSON")
    }
}

impl core::error::Error for Malformed {}

impl de::Error for Malformed {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Where the first quote, backslash or control character is. Sets high bits in `seen` when a byte that is not ASCII
/// comes before it, and sometimes when one comes a few bytes after it.
#[inline]
fn special(bytes: &[u8], seen: &mut u64) -> Option<usize> {
    // Eight bytes at a time: a byte of `hits` has its high bit set where the byte is looked for. Borrows only reach
    // bytes behind a hit, so the first one is exact.
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let hits = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let hits = hits & HIGH;
        *seen |= word;
        if hits != 0 {
            return Some(index * 8 + usize::try_from(hits.trailing_zeros() / 8).ok()?);
        }
    }
    for (index, &byte) in tail.iter().enumerate() {
        *seen |= u64::from(byte);
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return Some(words.len() * 8 + index);
        }
    }
    None
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// The length of the valid escape that `bytes` starts with, and of what it stands for in UTF-8.
///
/// A pair of surrogates is one escape. Half a pair stands for U+FFFD, as it does when the string is built.
fn escape(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some((2, 1)),
        b'u' => {
            hex(bytes.get(2..)?)?;
            let (character, rest) = unescape(bytes.get(1..)?);
            Some((bytes.len() - rest.len(), character.len_utf8()))
        }
        _ => None,
    }
}

/// The character that an escape stands for, given from behind the backslash, and what follows the escape.
fn unescape(bytes: &[u8]) -> (char, &[u8]) {
    let Some((&kind, rest)) = bytes.split_first() else { return (char::REPLACEMENT_CHARACTER, bytes) };
    let character = match kind {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unicode(rest),
        other => char::from(other),
    };
    (character, rest)
}

fn unescape_unicode(bytes: &[u8]) -> (char, &[u8]) {
    let Some((first, rest)) = hex(bytes) else { return (char::REPLACEMENT_CHARACTER, bytes) };
    let second = rest.strip_prefix(b"\\u").and_then(hex);
    if let (0xD800..=0xDBFF, Some((low @ 0xDC00..=0xDFFF, after))) = (first, second) {
        let scalar = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), after);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), rest)
}

fn hex(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(4)?;
    let value = digits.iter().try_fold(0, |value, &digit| Some((value << 4) | char::from(digit).to_digit(16)?))?;
    Some((value, rest))
}

fn build(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let (character, after) = unescape(escaped.as_bytes());
        text.push(character);
        rest = escaped.get(escaped.len() - after.len()..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
pub(super) mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::super::lenient::Text;
    use super::*;

    struct ByValue<T>(Option<T>);

    impl<T> Default for ByValue<T> {
        fn default() -> Self {
            Self(None)
        }
    }

    impl<'de, T: Deserialize<'de>> Fill<'de> for ByValue<T> {
        fn fill<D: de::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
            self.0 = Some(T::deserialize(deserializer)?);
            Ok(())
        }
    }

    pub(in crate::provider) fn from_slice<'de, T: Deserialize<'de>>(input: &'de [u8]) -> Option<T> {
        let mut value = ByValue(None);
        fill_from_slice(&mut value, input)?;
        value.0
    }

    fn is_valid(text: &str) -> bool {
        from_slice::<IgnoredAny>(text.as_bytes()).is_some()
    }

    #[test]
    fn it_accepts_what_serde_json_accepts() {
        let documents = [
            "{}",
            "[]",
            " [1, -2, 3.5e+7, 0, -0, 0.1] ",
            "{\"a\":{\"b\":[{}, [[]], null, true, false, \"x\"]}}",
            "\"a\\u00e9\"",
            "",
            "{",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "[1 2]",
            "01",
            "1.",
            ".5",
            "-",
            "1e",
            "nul",
            "tru",
            "\"\\x\"",
            "\"\\u12\"",
            "\"a\nb\"",
            "{} {}",
            "[}",
            "{]",
            "'a'",
            "NaN",
            "[1}",
            "{\"a\":1]",
            "\"open",
        ];
        for document in documents {
            let reference = serde_json::from_str::<serde_json::Value>(document);
            assert_eq!(is_valid(document), reference.is_ok(), "{document}");
        }
        assert!(is_valid("1e999") && is_valid("\"\\ud800\""));
        assert!(from_slice::<IgnoredAny>(b"\"\xff\"").is_none());
    }

    #[test]
    fn strings_are_measured_and_built_alike() {
        let raws = [
            "",
            "plain",
            "a\\nb",
            "\\\"\\\\\\/\\b\\f\\r\\t",
            "\\u00e9\\u4e16",
            "\\ud83d\\ude00",
            "\\ud83dx",
            "\\ude00\\ud83d",
            "é\\n世",
        ];
        for raw in raws {
            let quoted = format!("\"{raw}\"");
            let mut text = Text::default();
            fill_from_slice(&mut text, quoted.as_bytes()).unwrap();
            assert_eq!(text.bytes, build(raw).len(), "{raw}");
            if let Ok(reference) = serde_json::from_str::<String>(&quoted) {
                assert_eq!(build(raw), reference);
            }
        }
        assert_eq!(build("\\ud83dx"), "\u{fffd}x");
        assert_eq!(from_slice::<String>(b"\"a\\tb\"").as_deref(), Some("a\tb"));
        assert_eq!(from_slice::<&str>("\"naïve\"".as_bytes()), Some("naïve"));
    }

    #[test]
    fn special_bytes_are_found_at_every_place() {
        for special_byte in ['"', '\\', '\n', '\u{1f}'] {
            for place in 0..40 {
                let mut text = "~\u{7f}é ".repeat(12);
                text.truncate(text.floor_char_boundary(place));
                let text = text + &special_byte.to_string() + "\"tail";
                let found = special(text.as_bytes(), &mut 0).unwrap();
                assert_eq!(text.as_bytes()[found], special_byte as u8, "{text}");
                assert_eq!(found + 6, text.len());
            }
        }
        assert_eq!(special(b"no such byte", &mut 0), None);
    }

    #[test]
    fn numbers_keep_their_sign_and_size() {
        assert_eq!(from_slice::<u64>(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(from_slice::<i64>(b"-5"), Some(-5));
        assert_eq!(from_slice::<f64>(b"1.5e3"), Some(1500.0));
        assert_eq!(from_slice::<f64>(b"1e999"), Some(f64::INFINITY));
        assert_eq!(from_slice::<f64>(b"-18446744073709551616"), Some(-18_446_744_073_709_551_616.0));
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        let deep = "[".repeat(100_000);
        assert!(!is_valid(&deep));
        let nested = "[".repeat(128) + &"]".repeat(128);
        assert!(is_valid(&nested));
    }
}
