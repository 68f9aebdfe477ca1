//! Lists.

use crate::provider::source::Source;
use alloc::vec::Vec;
use core::iter::once;

use super::{Fill, Many, Room, Slot};
use crate::provider::json::Malformed;

/// A list; a lone object is a list of one, anything else an empty one.
///
/// The first elements, up to `N`, take no memory of their own where JSON text is read in place.
#[derive(Debug)]
pub(in crate::provider) struct List<T, const N: usize>(pub(in crate::provider) Items<T, N>);

#[cfg(feature = "fast-decode")]
type Items<T, const N: usize> = smallvec::SmallVec<[T; N]>;
#[cfg(not(feature = "fast-decode"))]
type Items<T, const N: usize> = <[T; N] as Growing>::Items;

#[cfg(not(feature = "fast-decode"))]
pub(in crate::provider) trait Growing {
    type Items;
}

#[cfg(not(feature = "fast-decode"))]
impl<T, const N: usize> Growing for [T; N] {
    type Items = Vec<T>;
}

impl<T, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self(Items::<T, N>::new())
    }
}

impl<T: Default, const N: usize> List<T, N> {
    /// Adds an element to read into.
    #[inline]
    fn add(&mut self) -> Option<&mut T> {
        if self.0.len() == LIST_LIMIT {
            return None;
        }
        self.0.push(T::default());
        self.0.last_mut()
    }
}

impl<'de, T: Fill<'de>, const N: usize> Fill<'de> for List<T, N> {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        reader.list(self)
    }
}

impl<'de, T: Fill<'de>, const N: usize> Many<'de> for List<T, N> {
    #[inline]
    fn fill_next<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        match self.add() {
            Some(element) => element.fill(reader),
            None => reader.skip_value(),
        }
    }
}

impl<'de, T: Fill<'de>, const N: usize> Room<'de> for List<T, N> {
    #[inline]
    fn clear(&mut self) {
        self.0.clear();
    }

    fn next(&mut self) -> Option<&mut dyn Slot<'de>> {
        Some(self.add()?)
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

impl<T: Default> Few<T> {
    /// Adds an element to read into.
    #[inline]
    fn add(&mut self) -> Option<&mut T> {
        if self.len == LIST_LIMIT {
            return None;
        }
        self.len += 1;
        if self.len == 1 {
            return Some(&mut self.first);
        }
        self.rest.push(T::default());
        self.rest.last_mut()
    }
}

impl<'de, T: Fill<'de>> Fill<'de> for Few<T> {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        reader.list(self)
    }
}

impl<'de, T: Fill<'de>> Many<'de> for Few<T> {
    #[inline]
    fn fill_next<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        match self.add() {
            Some(element) => element.fill(reader),
            None => reader.skip_value(),
        }
    }
}

impl<'de, T: Fill<'de>> Room<'de> for Few<T> {
    #[inline]
    fn clear(&mut self) {
        if self.len > 0 {
            self.len = 0;
            self.first.reset();
            self.rest.clear();
        }
    }

    fn next(&mut self) -> Option<&mut dyn Slot<'de>> {
        Some(self.add()?)
    }
}

/// Elements read of one list. The longest seen are the content blocks of an answer with hundreds of citations.
const LIST_LIMIT: usize = 4096;
