//! Text that is measured, and short strings that are kept.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};
use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{absent, fill_by_value, whole};
use crate::provider::json::MEASURED;

fill_by_value!(Text, Payload, Str<'a>, Code<'a>);

/// Content of which only the number of bytes is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) struct Text {
    /// UTF-8 bytes of the text.
    pub(in crate::provider) bytes: usize,
}

impl Text {
    #[cfg(test)]
    pub(in crate::provider) fn is_empty(self) -> bool {
        self.bytes == 0
    }
}

impl<'de> Deserialize<'de> for Text {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MEASURED, TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    #[inline]
    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Text, E> {
        Ok(Text { bytes: text.len() })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text { bytes: text.len() })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_any(self)
    }

    absent! { bool number null list object }
}

/// Content that may be text, or JSON of any other shape, as the arguments of tool calls are.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) struct Payload {
    /// UTF-8 bytes of the text; 0 for other JSON.
    pub(in crate::provider) bytes: usize,
    /// Whether there is non-empty text, a non-empty list or a non-empty object.
    pub(in crate::provider) filled: bool,
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MEASURED, PayloadVisitor)
    }
}

struct PayloadVisitor;

impl<'de> Visitor<'de> for PayloadVisitor {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Payload, E> {
        Ok(Payload { bytes: text.len(), filled: !text.is_empty() })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Payload, E> {
        Ok(Payload { bytes: text.len(), filled: !text.is_empty() })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Payload, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Payload, A::Error> {
        let mut filled = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            filled = true;
        }
        Ok(Payload { bytes: 0, filled })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Payload, A::Error> {
        let mut filled = false;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            filled = true;
        }
        Ok(Payload { bytes: 0, filled })
    }

    absent! { bool number null }
}

/// A short string that is kept or compared: borrowed from the document where it has no escapes.
#[derive(Clone, Debug, Default)]
pub(in crate::provider) struct Str<'a>(Option<Cow<'a, str>>);

impl<'a> Str<'a> {
    /// Takes the string out, unless it is absent or empty.
    pub(in crate::provider) fn take(&mut self) -> Option<Cow<'a, str>> {
        self.0.take().filter(|text| !text.is_empty())
    }

    /// The string, unless it is absent or empty.
    pub(in crate::provider) fn non_empty(self) -> Option<Cow<'a, str>> {
        self.0.filter(|text| !text.is_empty())
    }

    /// The string; empty when it is absent.
    pub(in crate::provider) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    pub(in crate::provider) fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }
}

impl<'a> From<Cow<'a, str>> for Str<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(Some(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrVisitor(PhantomData))
    }
}

struct StrVisitor<'a>(PhantomData<fn() -> Str<'a>>);

impl<'de: 'a, 'a> Visitor<'de> for StrVisitor<'a> {
    type Value = Str<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Str<'a>, E> {
        Ok(Str(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Str<'a>, E> {
        Ok(Str(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Str<'a>, E> {
        Ok(Str(Some(Cow::Owned(text))))
    }

    absent! { bool number bytes null list object }
}

/// A code that is a word at some servers and a number at others.
#[derive(Clone, Debug, Default)]
pub(in crate::provider) enum Code<'a> {
    #[default]
    Absent,
    Number(u64),
    Word(Cow<'a, str>),
}

impl<'a> Code<'a> {
    /// The word, unless it is empty.
    pub(in crate::provider) fn word(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Word(word) if !word.is_empty() => Some(word),
            _ => None,
        }
    }

    /// The number, where it is an HTTP status code.
    pub(in crate::provider) fn status_code(&self) -> Option<u16> {
        match self {
            Self::Number(number) => u16::try_from(*number).ok().filter(|code| (100..=599).contains(code)),
            _ => None,
        }
    }

    /// The word, or the number in decimal.
    pub(in crate::provider) fn label(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            other => other.word(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Code<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CodeVisitor(PhantomData))
    }
}

struct CodeVisitor<'a>(PhantomData<fn() -> Code<'a>>);

impl<'de: 'a, 'a> Visitor<'de> for CodeVisitor<'a> {
    type Value = Code<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_borrowed_str<E: Error>(self, word: &'de str) -> Result<Code<'a>, E> {
        Ok(Code::Word(Cow::Borrowed(word)))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Code<'a>, E> {
        Ok(Code::Word(Cow::Owned(word.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Code<'a>, E> {
        Ok(Code::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Code<'a>, E> {
        Ok(u64::try_from(number).map_or(Code::Absent, Code::Number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Code<'a>, E> {
        Ok(whole(number).map_or(Code::Absent, Code::Number))
    }

    absent! { bool bytes null list object }
}
