//! Field types that take what comes.
//!
//! Whatever a server puts into a field, it is at worst absent: no type here fails a document that is valid JSON. They
//! deserialize from any serde source; from [`super::json`] they do it without taking memory.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::json::MEASURED;
use crate::time::{MAX_SAFE_INTEGER, Nanos};

/// Visitor methods that take a value of a type nobody asked for as absent.
macro_rules! absent {
    ($($kind:ident)*) => { $($crate::provider::lenient::absent_one!($kind);)* };
}

macro_rules! absent_one {
    (bool) => {
        fn visit_bool<E: ::serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (number) => {
        fn visit_i64<E: ::serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_u64<E: ::serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_f64<E: ::serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (str) => {
        fn visit_str<E: ::serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (bytes) => {
        fn visit_bytes<E: ::serde::de::Error>(self, _: &[u8]) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (null) => {
        fn visit_unit<E: ::serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_none<E: ::serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_some<D: ::serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }
    };
    (list) => {
        fn visit_seq<A: ::serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<::serde::de::IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
    (object) => {
        fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<::serde::de::IgnoredAny, ::serde::de::IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

/// Defines an object of which only the named fields are read.
///
/// Unlike with serde's derive, a value that is no object gives an object with nothing in it (`present` is false then),
/// and of a repeated key the last value holds, as in most JSON readers.
macro_rules! object {
    ($(#[$meta:meta])* struct $name:ident $(<$life:lifetime>)? {
        $($($key:literal)|+ => $field:ident: $kind:ty),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        #[allow(dead_code, reason = "not every object is asked whether it is there")]
        pub(super) struct $name $(<$life>)? {
            pub(super) present: bool,
            $(pub(super) $field: $kind),*
        }

        impl<'de $(: $life, $life)?> $crate::provider::lenient::Fill<'de> for $name $(<$life>)? {
            #[inline]
            fn fill<D: ::serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                #[allow(non_camel_case_types, reason = "named after the fields")]
                enum Key {
                    $($field,)*
                    Unknown,
                }

                struct Fields<'p, T>(&'p mut T);

                impl<'de $(: $life, $life)?> ::serde::de::Visitor<'de> for Fields<'_, $name $(<$life>)?> {
                    type Value = ();

                    fn expecting(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        f.write_str("an object")
                    }

                    #[inline]
                    fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                        let key = |name: &[u8]| {
                            $(if $(name == $key.as_bytes())||+ {
                                return Key::$field;
                            })*
                            Key::Unknown
                        };
                        let object = self.0;
                        object.present = true;
                        while let Some(key) = map.next_key_seed($crate::provider::lenient::KeySeed(key))? {
                            match key {
                                $(Key::$field => {
                                    map.next_value_seed($crate::provider::lenient::Place(&mut object.$field))?;
                                })*
                                Key::Unknown => {
                                    map.next_value::<::serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(())
                    }

                    $crate::provider::lenient::absent! { bool number str bytes null list }
                }

                if self.present {
                    // The key is repeated: nothing of the earlier value may show through.
                    *self = Self::default();
                }
                deserializer.deserialize_any(Fields(self))
            }
        }
    };
}

/// Implements [`Fill`] for small types by way of `Deserialize`.
macro_rules! fill_by_value {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {
        $(impl<'de $(: $life, $life)?> $crate::provider::lenient::Fill<'de> for $name $(<$life>)? {
            #[inline]
            fn fill<D: ::serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                *self = ::serde::Deserialize::deserialize(deserializer)?;
                Ok(())
            }
        })*
    };
}

pub(super) use {absent, absent_one, fill_by_value, object};

/// A type that is read in place, over its default.
///
/// A chunk has room for every field that any server sends; moving such objects around, as `Deserialize` does, costs
/// more than reading them.
pub(super) trait Fill<'de>: Default {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;
}

fill_by_value!(Text, Payload, Str<'a>, Code<'a>, Count, Decimal);

/// The place that a value is read into.
pub(super) struct Place<'p, T>(pub(super) &'p mut T);

impl<'de, T: Fill<'de>> DeserializeSeed<'de> for Place<'_, T> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.fill(deserializer)
    }
}

/// Turns the name of a field into what a function makes of it.
pub(super) struct KeySeed<F>(pub(super) F);

impl<'de, T, F: FnOnce(&[u8]) -> T> DeserializeSeed<'de> for KeySeed<F> {
    type Value = T;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T, F: FnOnce(&[u8]) -> T> Visitor<'_> for KeySeed<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    #[inline]
    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        Ok((self.0)(name.as_bytes()))
    }

    #[inline]
    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<T, E> {
        Ok((self.0)(name))
    }
}

/// Content of which only the number of bytes is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text {
    /// UTF-8 bytes of the text.
    pub(super) bytes: usize,
}

impl Text {
    #[cfg(test)]
    pub(super) fn is_empty(self) -> bool {
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
pub(super) struct Payload {
    /// UTF-8 bytes of the text; 0 for other JSON.
    pub(super) bytes: usize,
    /// Whether there is non-empty text, a non-empty list or a non-empty object.
    pub(super) filled: bool,
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
pub(super) struct Str<'a>(Option<Cow<'a, str>>);

impl<'a> Str<'a> {
    /// Takes the string out, unless it is absent or empty.
    pub(super) fn take(&mut self) -> Option<Cow<'a, str>> {
        self.0.take().filter(|text| !text.is_empty())
    }

    /// The string, unless it is absent or empty.
    pub(super) fn non_empty(self) -> Option<Cow<'a, str>> {
        self.0.filter(|text| !text.is_empty())
    }

    /// The string; empty when it is absent.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
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
pub(super) enum Code<'a> {
    #[default]
    Absent,
    Number(u64),
    Word(Cow<'a, str>),
}

impl<'a> Code<'a> {
    /// The word, unless it is empty.
    pub(super) fn word(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Word(word) if !word.is_empty() => Some(word),
            _ => None,
        }
    }

    /// The number, where it is an HTTP status code.
    pub(super) fn status_code(&self) -> Option<u16> {
        match self {
            Self::Number(number) => u16::try_from(*number).ok().filter(|code| (100..=599).contains(code)),
            _ => None,
        }
    }

    /// The word, or the number in decimal.
    pub(super) fn label(self) -> Option<Cow<'a, str>> {
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

/// A count: a whole number from 0 to 2^53.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Count {
    /// Not given, or null.
    #[default]
    Absent,
    Valid(u64),
    /// Negative, fractional, too large, or no number at all.
    Rejected,
}

impl Count {
    pub(super) fn value(self) -> Option<u64> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Absent | Self::Rejected => None,
        }
    }

    /// The value; adds 1 to `rejected` when it was not acceptable.
    pub(super) fn tally(self, rejected: &mut u32) -> Option<u64> {
        if self == Self::Rejected {
            *rejected = rejected.saturating_add(1);
        }
        self.value()
    }

    /// The value as an index.
    pub(super) fn index(self) -> Option<u32> {
        u32::try_from(self.value()?).ok()
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MEASURED, CountVisitor)
    }
}

struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
        Ok(if value <= MAX_SAFE_INTEGER { Count::Valid(value) } else { Count::Rejected })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Count, E> {
        u64::try_from(value).map_or(Ok(Count::Rejected), |value| self.visit_u64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Count, E> {
        Ok(whole(value).map_or(Count::Rejected, Count::Valid))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Count, E> {
        Ok(Count::Rejected)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Count, E> {
        Ok(Count::Rejected)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Count, E> {
        Ok(Count::Rejected)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Count, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Count, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Count::Rejected)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Count::Rejected)
    }

    absent! { null }
}

/// A number with a fraction: seconds or dollars. Absent when it is negative or beyond 2^53 in its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Decimal(Option<f64>);

impl Decimal {
    /// The number in billionths of its unit, rounded.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "the value is checked to lie within 0 and 2^53 billionths"
    )]
    pub(super) fn billionths(self) -> Option<u64> {
        let scaled = self.0? * 1e9 + 0.5;
        (scaled < MAX_SAFE_INTEGER as f64).then_some(scaled as u64)
    }

    /// The number of seconds as a length of time.
    pub(super) fn seconds(self) -> Option<Nanos> {
        self.billionths().map(Nanos::from_nanos)
    }

    /// The number of milliseconds as a length of time.
    pub(super) fn millis(self) -> Option<Nanos> {
        Self(Some(self.0? / 1e3)).seconds()
    }
}

impl From<f64> for Decimal {
    fn from(value: f64) -> Self {
        Self((value >= 0.0 && value.is_finite()).then_some(value))
    }
}

impl From<u64> for Decimal {
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, the limit of the type")]
    fn from(value: u64) -> Self {
        Self(Some(value as f64))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor)
    }
}

struct DecimalVisitor;

impl<'de> Visitor<'de> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Decimal, E> {
        Ok(Decimal::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Decimal, E> {
        u64::try_from(value).map_or(Ok(Decimal(None)), |value| self.visit_u64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Decimal, E> {
        Ok(Decimal::from(value))
    }

    absent! { bool str bytes null list object }
}

/// A flag, set only by `true` itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Flag(pub(super) bool);

fill_by_value!(Flag);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flag")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(value))
    }

    absent! { number str bytes null list object }
}

/// An object that hardly any chunk has, kept out of the way of those that do not.
#[derive(Debug)]
pub(super) struct Rare<T>(pub(super) Option<Box<T>>);

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Fill<'de>> Fill<'de> for Rare<T> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.0 = deserializer.deserialize_any(RareVisitor(PhantomData))?;
        Ok(())
    }
}

struct RareVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: Fill<'de>> Visitor<'de> for RareVisitor<T> {
    type Value = Option<Box<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<Box<T>>, A::Error> {
        let mut object = Box::<T>::default();
        object.fill(MapAccessDeserializer::new(map))?;
        Ok(Some(object))
    }

    absent! { bool number str bytes null list }
}

/// A list; a lone object is a list of one, anything else an empty one.
#[derive(Debug)]
pub(super) struct List<T, const N: usize>(pub(super) SmallVec<[T; N]>);

impl<T, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self(SmallVec::new())
    }
}

impl<'de, T: Fill<'de>, const N: usize> Fill<'de> for List<T, N> {
    #[inline]
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.0.clear();
        deserializer.deserialize_any(Elements(&mut self.0))
    }
}

struct Elements<'p, T, const N: usize>(&'p mut SmallVec<[T; N]>);

impl<'de, T: Fill<'de>, const N: usize> Visitor<'de> for Elements<'_, T, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while self.0.len() < LIST_LIMIT {
            if elements.next_element_seed(NextElement(self.0))?.is_none() {
                return Ok(());
            }
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        NextElement(self.0).deserialize(MapAccessDeserializer::new(map))
    }

    absent! { bool number str bytes null }
}

/// Reads an element into a new place at the end of a list.
struct NextElement<'p, T, const N: usize>(&'p mut SmallVec<[T; N]>);

impl<'de, T: Fill<'de>, const N: usize> DeserializeSeed<'de> for NextElement<'_, T, N> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.push(T::default());
        match self.0.last_mut() {
            Some(element) => element.fill(deserializer),
            None => Ok(()),
        }
    }
}

/// Elements read of one list. The longest seen are the content blocks of an answer with hundreds of citations.
const LIST_LIMIT: usize = 4096;

/// The integer that a float is, from 0 to 2^53.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the value is checked to lie within 0 and 2^53, and the comparison asks for identity"
)]
fn whole(value: f64) -> Option<u64> {
    if !(0.0..=MAX_SAFE_INTEGER as f64).contains(&value) {
        return None;
    }
    let integer = value as u64;
    (integer as f64 == value).then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::super::json::fill_from_slice;
    use super::super::json::tests::from_slice;
    use super::*;

    object! {
        struct Sample<'a> {
            "id" => id: Str<'a>,
            "text" | "alias" => text: Text,
            "count" => count: Count,
            "items" => items: List<Item, 2>,
            "cost" => cost: Decimal,
            "any" => any: Payload,
            "code" => code: Code<'a>,
        }
    }

    object! {
        struct Item { "n" => n: Count }
    }

    fn sample(json: &str) -> Sample<'_> {
        let mut sample = Sample::default();
        fill_from_slice(&mut sample, json.as_bytes()).unwrap();
        sample
    }

    #[test]
    fn fields_of_unexpected_types_are_absent() {
        for odd in ["null", "true", "-3", "1e999", "{}", "[]", "[[{}]]", "{\"a\":{\"b\":[1]}}"] {
            let json = alloc::format!(
                "{{\"id\":{odd},\"text\":{odd},\"items\":{odd},\"cost\":\"1\",\"code\":false,\"later\":{odd},\"count\":7}}"
            );
            let read = sample(&json);
            assert!(read.present && read.id.is_empty() && read.text.is_empty(), "{odd}");
            assert!(read.cost.billionths().is_none() && read.code.label().is_none());
            assert_eq!(read.count, Count::Valid(7));
        }
        assert!(!sample("[1]").present);
        assert!(!sample("null").present);
    }

    #[test]
    fn counts_are_whole_numbers_up_to_2_to_the_53() {
        for (json, expected) in [
            ("0", Count::Valid(0)),
            ("12.0", Count::Valid(12)),
            ("1e3", Count::Valid(1000)),
            ("9007199254740992", Count::Valid(1 << 53)),
            ("9007199254740993", Count::Rejected),
            ("99999999999999999999999", Count::Rejected),
            ("1e999", Count::Rejected),
            ("-1", Count::Rejected),
            ("1.5", Count::Rejected),
            ("\"12\"", Count::Rejected),
            ("true", Count::Rejected),
            ("{}", Count::Rejected),
            ("null", Count::Absent),
        ] {
            assert_eq!(from_slice::<Count>(json.as_bytes()), Some(expected), "{json}");
            if json != "1e999" {
                assert_eq!(serde_json::from_str::<Count>(json).unwrap(), expected, "{json} by serde_json");
            }
        }
    }

    #[test]
    fn text_is_measured_alike_by_any_deserializer() {
        let json = "{\"text\":\"a\\n\\u00e9\",\"any\":\"x\\ty\",\"id\":\"a\\tb\"}";
        let ours = sample(json);
        let mut theirs = Sample::default();
        theirs.fill(&mut serde_json::Deserializer::from_str(json)).unwrap();
        assert_eq!((ours.text.bytes, ours.any.bytes), (4, 3));
        assert_eq!((theirs.text.bytes, theirs.any.bytes), (4, 3));
        assert_eq!(ours.id.as_str(), theirs.id.as_str());
        assert!(sample("{\"any\":{\"x\":1}}").any.filled && !sample("{\"any\":{}}").any.filled);
    }

    #[test]
    fn the_last_of_a_repeated_key_holds() {
        assert_eq!(sample("{\"text\":\"abc\",\"text\":\"\",\"alias\":\"ab\"}").text.bytes, 2);
    }

    #[test]
    fn list_elements_of_unexpected_types_are_empty() {
        let read = sample("{\"items\":[{\"n\":1},null,\"x\",{\"n\":2}]}");
        let counts: alloc::vec::Vec<_> = read.items.0.iter().map(|item| item.n.value()).collect();
        assert_eq!(counts, [Some(1), None, None, Some(2)]);
    }

    #[test]
    fn decimals_become_billionths() {
        assert_eq!(sample("{\"cost\":0.000669}").cost.billionths(), Some(669_000));
        assert_eq!(sample("{\"cost\":2}").cost.billionths(), Some(2_000_000_000));
        assert_eq!(sample("{\"cost\":1e300}").cost.billionths(), None);
        assert_eq!(sample("{\"cost\":-1}").cost.billionths(), None);
    }
}
