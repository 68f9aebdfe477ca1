//! Objects that most chunks do not have.

use crate::provider::source::Source;
use alloc::boxed::Box;

use super::{Fill, Many, Room, Slot};
use crate::provider::json::Malformed;

/// An object for which a chunk without it pays nothing but the word that it is absent.
#[derive(Debug)]
pub(in crate::provider) struct Maybe<T>(pub(in crate::provider) Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Fill<'de>> Fill<'de> for Maybe<T> {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        reader.optional(self)
    }
}

impl<'de, T: Fill<'de>> Many<'de> for Maybe<T> {
    #[inline]
    fn fill_next<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0.insert(T::default()).fill(reader)
    }
}

impl<'de, T: Fill<'de>> Room<'de> for Maybe<T> {
    #[inline]
    fn clear(&mut self) {
        self.0 = None;
    }

    fn next(&mut self) -> Option<&mut dyn Slot<'de>> {
        Some(self.0.insert(T::default()))
    }
}

/// An object that hardly any chunk has, kept out of the way of those that do not. It takes memory when it is there.
#[derive(Debug)]
pub(in crate::provider) struct Rare<T>(pub(in crate::provider) Option<Box<T>>);

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Fill<'de>> Fill<'de> for Rare<T> {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        reader.optional(self)
    }
}

impl<'de, T: Fill<'de>> Many<'de> for Rare<T> {
    fn fill_next<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0.insert(Box::default()).fill(reader)
    }
}

impl<'de, T: Fill<'de>> Room<'de> for Rare<T> {
    fn clear(&mut self) {
        self.0 = None;
    }

    fn next(&mut self) -> Option<&mut dyn Slot<'de>> {
        Some(&mut **self.0.insert(Box::default()))
    }
}

/// Whether a field is there, whatever its value but null.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) struct Seen(pub(in crate::provider) bool);

impl<'de> Fill<'de> for Seen {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = !reader.begins(b'n');
        reader.skip_value()
    }
}
