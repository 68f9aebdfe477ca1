//! Lists.

use crate::provider::source::Source;
use alloc::vec::Vec;
use core::iter::once;

use super::Fill;
use crate::provider::json::Malformed;

/// A list; a lone object is a list of one, anything else an empty one.
///
/// The first elements, up to `N`, take no memory of their own where JSON text is read in place.
#[derive(Debug)]
pub(in crate::provider) struct List<T, const N: usize>(pub(in crate::provider) Items<T, N>);

#[cfg(feature = "in-place")]
type Items<T, const N: usize> = smallvec::SmallVec<[T; N]>;
#[cfg(not(feature = "in-place"))]
type Items<T, const N: usize> = <[T; N] as Growing>::Items;

#[cfg(not(feature = "in-place"))]
pub(in crate::provider) trait Growing {
    type Items;
}

#[cfg(not(feature = "in-place"))]
impl<T, const N: usize> Growing for [T; N] {
    type Items = Vec<T>;
}

impl<T, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self(Items::<T, N>::new())
    }
}

impl<'de, T: Fill<'de>, const N: usize> Fill<'de> for List<T, N> {
    #[inline]
    fn fill<S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0.clear();
        each_of_list(reader, |reader| {
            if self.0.len() == LIST_LIMIT {
                return reader.skip_value();
            }
            self.0.push(T::default());
            self.0.last_mut().map_or(Ok(()), |element| element.fill(reader))
        })
    }
}

/// A list of large objects that mostly has one element, which is read where it stays.
///
/// A lone object is a list of one; anything else is an empty list.
#[derive(Debug, Default)]
pub(in crate::provider) struct Few<T> {
    len: usize,
    first: T,
    rest: Vec<T>,
}

impl<T> Few<T> {
    #[inline]
    pub(in crate::provider) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(in crate::provider) fn iter(&self) -> impl Iterator<Item = &T> {
        once(&self.first).take(self.len).chain(&self.rest)
    }

    #[inline]
    pub(in crate::provider) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        once(&mut self.first).take(self.len).chain(&mut self.rest)
    }
}

impl<'de, T: Fill<'de>> Fill<'de> for Few<T> {
    #[inline]
    fn fill<S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        if self.len > 0 {
            *self = Self::default();
        }
        each_of_list(reader, |reader| {
            if self.len == LIST_LIMIT {
                return reader.skip_value();
            }
            self.len += 1;
            if self.len == 1 {
                return self.first.fill(reader);
            }
            self.rest.push(T::default());
            self.rest.last_mut().map_or(Ok(()), |element| element.fill(reader))
        })
    }
}

/// Calls `each` for every element, or once for a lone object.
#[inline]
fn each_of_list<'de, S: Source<'de>>(
    reader: &mut S,
    mut each: impl FnMut(&mut S) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    match reader.peek() {
        Some(b'[') => reader.elements(each),
        Some(b'{') => each(reader),
        _ => reader.skip_value(),
    }
}

/// Elements read of one list. The longest seen are the content blocks of an answer with hundreds of citations.
const LIST_LIMIT: usize = 4096;
