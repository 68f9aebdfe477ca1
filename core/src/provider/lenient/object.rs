//! Objects of which only some fields are read, and how they are read in place.

use crate::provider::json::Malformed;
use crate::provider::source::Source;

/// A type that is read in place, over its default.
///
/// A chunk has room for every field that any server sends; moving such objects around costs more than reading them.
pub(in crate::provider) trait Fill<'de>: Default {
    /// Reads one value, of whatever type it is.
    fn fill<S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed>;
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
            fn fill<S: $crate::provider::source::Source<'de>>(&mut self, reader: &mut S) -> Result<(), $crate::provider::json::Malformed> {
                if self.present {
                    // The key is repeated: nothing of the earlier value may show through.
                    *self = Self::default();
                }
                if reader.peek() != Some(b'{') {
                    return reader.skip_value();
                }
                self.present = true;
                reader.members(|reader, name| {
                    $(if $(name == $key.as_bytes())||+ {
                        return $crate::provider::lenient::Fill::fill(&mut self.$field, reader);
                    })*
                    reader.skip_value()
                })
            }
        }
    };
}

pub(in crate::provider) use object;
