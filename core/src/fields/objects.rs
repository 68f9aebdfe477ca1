//! Objects by number and name of their fields.
//!
//! Writing and reading are apart, so that a program that only writes records has nothing in it that reads them.

use alloc::string::String;

use super::read::Mismatch;
use crate::provider::{JsonReader, JsonValue};

/// A value that can be written as JSON.
pub(crate) trait Write {
    /// What is there to be written. All that is around a value, an option or a box, has this and no more code of its own.
    fn held(&self) -> Held<'_> {
        Held::Itself
    }

    /// Whether the value is left out of an object that leaves out what is empty; [`is_absent`] asks what is held.
    fn is_empty(&self) -> bool {
        false
    }

    /// Writes the value.
    fn write(&self, out: &mut String);
}

/// What a value holds.
pub(crate) enum Held<'a> {
    /// It is the value.
    Itself,
    /// No value at all.
    Nothing,
    /// Another one.
    Other(&'a dyn Write),
}

/// Whether the value is left out of an object that leaves out what is empty.
pub(super) fn is_absent(value: &dyn Write) -> bool {
    match value.held() {
        Held::Itself => value.is_empty(),
        Held::Nothing => true,
        Held::Other(held) => is_absent(held),
    }
}

/// Whether there is no value at all.
pub(crate) fn is_none(value: &dyn Write) -> bool {
    matches!(value.held(), Held::Nothing)
}

/// A list that can be written.
pub(super) trait List {
    /// The element at a place.
    fn element(&self, at: usize) -> Option<&dyn Write>;
}

/// A value that can be read.
pub(crate) trait Read {
    /// Reads a value over a default one; what [`Self::clear`] takes comes here only where it is no `null`.
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch>;

    /// Takes a `null`: says whether it stands for no value here, and then holds none.
    fn clear(&mut self) -> bool {
        false
    }
}

/// A value that is no object and no list, and can be read.
pub(super) trait Scalar {
    /// Takes a value; nothing when it is of another type.
    fn set(&mut self, value: &JsonValue<'_>) -> Option<()>;

    /// What it is told of a value that it does not take.
    fn expected(&self) -> &'static str;
}

/// A list that can be read.
pub(crate) trait Grow {
    /// Takes all elements out.
    fn empty(&mut self);

    /// The next element, at its default.
    fn grow(&mut self) -> Option<&mut dyn Read>;
}

/// An object that can be written.
pub(crate) trait WriteFields {
    /// The names of the fields, one a line.
    fn names(&self) -> &'static str;

    /// The field of that number.
    fn field(&self, number: usize) -> Option<&dyn Write>;

    /// Which fields are not written.
    fn skips(&self) -> Skips;
}

/// An object that can be read.
pub(crate) trait ReadFields {
    /// The names of the fields, one a line.
    fn names(&self) -> &'static str;

    /// The field of that number, to be set.
    fn field_mut(&mut self, number: usize) -> Option<&mut dyn Read>;

    /// What becomes of a name that no field has.
    fn others(&self) -> Others;
}

/// Which fields of an object are not written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Skips {
    /// Those without a value, or with an object or a list without anything in it.
    Empty,
    /// Those without a value.
    None,
    /// None: what has no value is `null`.
    Nothing,
}

/// What becomes of members that are no fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Others {
    /// They are passed over.
    Ignored,
    /// They are an error.
    Refused,
}

/// Nothing, where a field is not to be written.
pub(crate) struct Absent;

impl Write for Absent {
    fn held(&self) -> Held<'_> {
        Held::Nothing
    }

    fn write(&self, out: &mut String) {
        out.push_str("null");
    }
}

/// Whether nothing in an object would be written.
pub(crate) fn all_absent(object: &dyn WriteFields) -> bool {
    (0..).map_while(|number| object.field(number)).all(is_absent)
}

/// Makes a struct an object of these fields that is written: `skips` says which of them are not.
macro_rules! written {
    ($name:ident, skips $skips:ident { $($field:ident $(as $key:literal)?),* $(,)? }) => {
        impl $name {
            /// The names of the fields, one a line.
            const NAMES: &'static str = concat!($($crate::record::shape::key!($field $($key)?), "\n"),*);
        }

        impl $crate::fields::WriteFields for $name {
            fn names(&self) -> &'static str {
                Self::NAMES
            }

            fn field(&self, number: usize) -> Option<&dyn $crate::fields::Write> {
                let mut numbers = 0_usize..;
                $(if numbers.next() == Some(number) {
                    return Some(&self.$field);
                })*
                None
            }

            fn skips(&self) -> $crate::fields::Skips {
                $crate::fields::Skips::$skips
            }
        }

        impl $crate::fields::Write for $name {
            fn is_empty(&self) -> bool {
                $crate::fields::all_absent(self)
            }

            fn write(&self, out: &mut alloc::string::String) {
                $crate::fields::write_object(self, out);
            }
        }
    };
}
pub(crate) use written;

/// Makes a struct an object of these fields that is written and read: `others` says what becomes of members that are none
/// of them.
macro_rules! fields {
    ($name:ident, skips $skips:ident, others $others:ident { $($field:ident $(as $key:literal)?),* $(,)? }) => {
        $crate::fields::written! { $name, skips $skips { $($field $(as $key)?),* } }

        impl $crate::fields::ReadFields for $name {
            fn names(&self) -> &'static str {
                Self::NAMES
            }

            fn field_mut(&mut self, number: usize) -> Option<&mut dyn $crate::fields::Read> {
                let mut numbers = 0_usize..;
                $(if numbers.next() == Some(number) {
                    return Some(&mut self.$field);
                })*
                None
            }

            fn others(&self) -> $crate::fields::Others {
                $crate::fields::Others::$others
            }
        }

        impl $crate::fields::Read for $name {
            fn read(
                &mut self,
                reader: &mut $crate::provider::JsonReader<'_>,
            ) -> Result<(), $crate::fields::Mismatch> {
                $crate::fields::read_object(self, reader)
            }
        }
    };
}
pub(crate) use fields;

/// Makes an enum the words that its variants have in JSON.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $name {
            /// The word used in JSON.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The value that has this word in JSON.
            pub fn of_word(word: &str) -> Option<Self> {
                let number = $crate::fields::line_of(concat!($($word, "\n"),*), word)?;
                [$(Self::$variant),*].get(number).copied()
            }
        }

        impl $crate::fields::Write for $name {
            fn write(&self, out: &mut alloc::string::String) {
                $crate::fields::write_string(out, self.as_str());
            }
        }

        impl $crate::fields::Read for $name {
            fn read(
                &mut self,
                reader: &mut $crate::provider::JsonReader<'_>,
            ) -> Result<(), $crate::fields::Mismatch> {
                *self = Self::of_word(&reader.str()?).ok_or($crate::provider::Malformed)?;
                Ok(())
            }
        }
    };
}
pub(crate) use words;
