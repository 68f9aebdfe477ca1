//! Text that is measured, and short strings that are kept.

use crate::provider::source::Source;
use alloc::borrow::Cow;
use alloc::string::ToString;

use super::{Fill, whole};
use crate::provider::json::{Malformed, Number, Raw, Value};

/// Content of which only the number of bytes is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) struct Text {
    /// UTF-8 bytes of the text.
    pub(in crate::provider) bytes: usize,
}

impl<'de> Fill<'de> for Text {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.bytes = reader.text()?.len();
        Ok(())
    }
}

/// Content that may be text, or JSON of any other shape, as the arguments of tool calls are.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) struct Payload {
    /// UTF-8 bytes of the text; 0 for other JSON.
    pub(in crate::provider) bytes: usize,
    /// Whether there is non-empty text, a non-empty list or a non-empty object.
    pub(in crate::provider) filled: bool,
}

impl<'de> Fill<'de> for Payload {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        *self = Self::default();
        match reader.peek() {
            Some(b'{') => reader.members(|reader, _| {
                self.filled = true;
                reader.skip_value()
            }),
            Some(b'[') => reader.elements(|reader| {
                self.filled = true;
                reader.skip_value()
            }),
            _ => {
                self.bytes = reader.text()?.len();
                self.filled = self.bytes > 0;
                Ok(())
            }
        }
    }
}

/// A short string that is kept or compared: borrowed from the document, and built only when it is taken out.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) struct Str<'a>(Raw<'a>);

impl<'a> Str<'a> {
    /// Takes the string out, unless it is absent or empty.
    #[inline]
    pub(in crate::provider) fn take(&mut self) -> Option<Cow<'a, str>> {
        core::mem::take(self).non_empty()
    }

    /// The string, unless it is absent or empty.
    #[inline]
    pub(in crate::provider) fn non_empty(self) -> Option<Cow<'a, str>> {
        if self.is_empty() { None } else { Some(self.text()) }
    }

    /// The string; empty when it is absent.
    #[inline]
    pub(in crate::provider) fn text(self) -> Cow<'a, str> {
        self.0.text()
    }

    /// The UTF-8 bytes of the string: what tells one kind of event from another without checking the text once more.
    #[inline]
    pub(in crate::provider) fn bytes(self) -> Cow<'a, [u8]> {
        self.0.bytes()
    }

    /// Whether it is that string, which is not empty.
    #[inline]
    pub(in crate::provider) fn is(self, text: &str) -> bool {
        self.0.is(text)
    }

    #[inline]
    pub(in crate::provider) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// UTF-8 bytes of the string.
    #[inline]
    pub(in crate::provider) fn len(self) -> usize {
        self.0.len()
    }

    /// The UTF-8 bytes of the string, none of them kept.
    pub(in crate::provider) fn utf8(self) -> impl Iterator<Item = u8> {
        self.0.utf8()
    }
}

impl<'a> From<Raw<'a>> for Str<'a> {
    fn from(text: Raw<'a>) -> Self {
        Self(text)
    }
}

impl<'de: 'a, 'a> Fill<'de> for Str<'a> {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = reader.text()?;
        Ok(())
    }
}

/// A code that is a word at some servers and a number at others.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) enum Code<'a> {
    #[default]
    Absent,
    Number(u64),
    Word(Str<'a>),
}

impl<'a> Code<'a> {
    /// The word, unless it is empty.
    pub(in crate::provider) fn word(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Word(word) => word.non_empty(),
            _ => None,
        }
    }

    /// The number, where it is an HTTP status code.
    pub(in crate::provider) fn status_code(self) -> Option<u16> {
        match self {
            Self::Number(number) => u16::try_from(number).ok().filter(|code| (100..=599).contains(code)),
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

impl<'de: 'a, 'a> Fill<'de> for Code<'a> {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        let number = match reader.value()? {
            Value::String(word) => {
                *self = Self::Word(Str::from(word));
                return Ok(());
            }
            Value::Number(Number::Unsigned(number)) => Some(number),
            Value::Number(Number::Negative(number)) => u64::try_from(number).ok(),
            Value::Number(Number::Float(number)) => whole(number),
            _ => None,
        };
        *self = number.map_or(Self::Absent, Self::Number);
        Ok(())
    }
}
