//! Objects that most chunks do not have.

use crate::provider::source::Source;
use alloc::boxed::Box;

use super::Fill;
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
    fn fill<S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = None;
        if reader.peek() == Some(b'{') { self.0.insert(T::default()).fill(reader) } else { reader.skip_value() }
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
    fn fill<S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = None;
        if reader.peek() == Some(b'{') { self.0.insert(Box::default()).fill(reader) } else { reader.skip_value() }
    }
}

/// Whether a field is there, whatever its value but null.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) struct Seen(pub(in crate::provider) bool);

impl<'de> Fill<'de> for Seen {
    fn fill<S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = reader.peek() != Some(b'n');
        reader.skip_value()
    }
}
