//! Objects of which only some fields are read, and how they are read in place.

use crate::provider::json::Malformed;
use crate::provider::source::{AnySource, Source};

/// A type that is read in place, over its default.
///
/// A chunk has room for every field that any server sends; moving such objects around costs more than reading them.
pub(in crate::provider) trait Fill<'de>: Default {
    /// Reads one value, of whatever type it is.
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed>;

    /// Forgets what has been read.
    fn reset(&mut self) {
        *self = Self::default();
    }
}

/// The fields of an object, for code that knows the object at compile time: fast, and made anew for every object.
pub(in crate::provider) trait Object<'de>: Fields<'de> {
    /// Reads the value of the field that has this name; skips it when there is none.
    fn fill_member<S: Source<'de> + ?Sized>(&mut self, reader: &mut S, name: &[u8]) -> Result<(), Malformed>;
}

/// The fields of an object, for code that is the same for all objects: small, and not as fast.
pub(in crate::provider) trait Fields<'de> {
    /// Whether the object has been there.
    fn present(&mut self) -> &mut bool;

    /// The names of the fields, as [`name_table`](super::name_table) makes them.
    fn names(&self) -> &'static [u8];

    /// The field of that number.
    fn field(&mut self, number: usize) -> Option<&mut dyn Slot<'de>>;
}

/// What holds as many values as come, for code that knows them at compile time: see [`Object`].
pub(in crate::provider) trait Many<'de>: Room<'de> {
    /// Reads the next value; skips it when there is no room.
    fn fill_next<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed>;
}

/// What holds as many values as come, for code that is the same for all of them: see [`Fields`].
pub(in crate::provider) trait Room<'de> {
    /// Forgets what has been read.
    fn clear(&mut self);

    /// The place of the next value; `None` when there is no room for it.
    fn next(&mut self) -> Option<&mut dyn Slot<'de>>;
}

/// Forgets all that has been read of an object.
pub(in crate::provider) fn reset(object: &mut dyn Fields<'_>) {
    *object.present() = false;
    let mut number = 0;
    while let Some(field) = object.field(number) {
        field.reset_slot();
        number += 1;
    }
}

/// A field of whatever type.
pub(in crate::provider) trait Slot<'de> {
    /// Reads one value.
    fn fill_slot(&mut self, reader: &mut AnySource<'de>) -> Result<(), Malformed>;

    /// Forgets what has been read.
    fn reset_slot(&mut self);
}

impl<'de, T: Fill<'de>> Slot<'de> for T {
    fn fill_slot(&mut self, reader: &mut AnySource<'de>) -> Result<(), Malformed> {
        self.fill(reader)
    }

    fn reset_slot(&mut self) {
        self.reset();
    }
}

/// Defines an object of which only the named fields are read.
///
/// A value that is no object gives an object with nothing in it (`present` is false then), and of a repeated key the
/// last value holds, as in most JSON readers.
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
            fn fill<S: $crate::provider::source::Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), $crate::provider::json::Malformed> {
                reader.object(self)
            }

            fn reset(&mut self) {
                $crate::provider::lenient::reset(self);
            }
        }

        impl<'de $(: $life, $life)?> $crate::provider::lenient::Object<'de> for $name $(<$life>)? {
            #[inline]
            fn fill_member<S: $crate::provider::source::Source<'de> + ?Sized>(
                &mut self,
                reader: &mut S,
                name: &[u8],
            ) -> Result<(), $crate::provider::json::Malformed> {
                $(if $(name == $key.as_bytes())||+ {
                    return $crate::provider::lenient::Fill::fill(&mut self.$field, reader);
                })*
                reader.skip_value()
            }
        }

        impl<'de $(: $life, $life)?> $crate::provider::lenient::Fields<'de> for $name $(<$life>)? {
            fn present(&mut self) -> &mut bool {
                &mut self.present
            }

            fn names(&self) -> &'static [u8] {
                const NAMES: &str = concat!($($crate::provider::lenient::names_of_one!($($key),+)),*);
                const TABLE: [u8; NAMES.len()] = $crate::provider::lenient::name_table(NAMES);
                &TABLE
            }

            fn field(&mut self, number: usize) -> Option<&mut dyn $crate::provider::lenient::Slot<'de>> {
                let mut fields = 0_usize..;
                $(if fields.next() == Some(number) {
                    return Some(&mut self.$field);
                })*
                None
            }
        }
    };
}

pub(in crate::provider) use object;
