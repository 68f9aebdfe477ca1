//! Lists, and objects that are kept apart.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::iter::once;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::{Fill, absent};

/// An object that hardly any chunk has, kept out of the way of those that do not.
#[derive(Debug)]
pub(in crate::provider) struct Rare<T>(pub(in crate::provider) Option<Box<T>>);

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
pub(in crate::provider) struct List<T, const N: usize>(pub(in crate::provider) SmallVec<[T; N]>);

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
    pub(in crate::provider) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(in crate::provider) fn iter(&self) -> impl Iterator<Item = &T> {
        once(&self.first).take(self.len).chain(&self.rest)
    }

    pub(in crate::provider) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        once(&mut self.first).take(self.len).chain(&mut self.rest)
    }
}

impl<'de, T: Fill<'de>> Fill<'de> for Few<T> {
    #[inline]
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        if self.len > 0 {
            *self = Self::default();
        }
        deserializer.deserialize_any(FewElements(self))
    }
}

struct FewElements<'p, T>(&'p mut Few<T>);

impl<'de, T: Fill<'de>> Visitor<'de> for FewElements<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while self.0.len < LIST_LIMIT {
            if elements.next_element_seed(NextOfFew(self.0))?.is_none() {
                return Ok(());
            }
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        NextOfFew(self.0).deserialize(MapAccessDeserializer::new(map))
    }

    absent! { bool number str bytes null }
}

struct NextOfFew<'p, T>(&'p mut Few<T>);

impl<'de, T: Fill<'de>> DeserializeSeed<'de> for NextOfFew<'_, T> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.len += 1;
        if self.0.len == 1 {
            return self.0.first.fill(deserializer);
        }
        self.0.rest.push(T::default());
        match self.0.rest.last_mut() {
            Some(element) => element.fill(deserializer),
            None => Ok(()),
        }
    }
}
