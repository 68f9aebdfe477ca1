//! Attributes by key.

use alloc::{string::String, vec, vec::Vec};
use core::{fmt, mem, ops::Index, slice};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::value::AttributeValue;
use crate::sorted::sort_by;

/// Attributes by key, in key order.
///
/// A sorted list: the caps allow few, and in the code that a browser loads a `BTreeMap` is many times as large.
///
/// # Examples
/// ```
/// use llmspan_core::record::{AttributeValue, Attributes};
///
/// let mut attributes = Attributes::from([("tools".into(), 3_i64.into()), ("tenant".into(), "t-1".into())]);
/// assert_eq!(attributes.get("tools"), Some(&AttributeValue::Int(3)));
/// assert_eq!(attributes.insert("tools".into(), 4_i64.into()), Some(AttributeValue::Int(3)));
/// assert_eq!(attributes.remove("tenant"), Some(AttributeValue::Str("t-1".into())));
/// assert_eq!(attributes.len(), 1);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Attributes {
    /// Sorted by key; no key is there twice.
    entries: Vec<(String, AttributeValue)>,
}

impl Attributes {
    /// Makes attributes without any.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Sets an attribute; the value that it had, if it had one.
    pub fn insert(&mut self, key: String, value: AttributeValue) -> Option<AttributeValue> {
        match self.find(&key) {
            Ok(at) => self.entries.get_mut(at).map(|(_, known)| mem::replace(known, value)),
            Err(at) => {
                self.entries.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes an attribute out; its value, if it was there.
    pub fn remove(&mut self, key: &str) -> Option<AttributeValue> {
        self.find(key).ok().map(|at| self.entries.remove(at).1)
    }

    /// Keeps the attributes of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&String, &mut AttributeValue) -> bool) {
        // One piece of code for all callers.
        let keep: &mut dyn FnMut(&String, &mut AttributeValue) -> bool = &mut keep;
        self.entries.retain_mut(|(key, value)| keep(key, value));
    }

    /// Takes all attributes out.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The value of an attribute; absent when it is not there.
    pub fn get(&self, key: &str) -> Option<&AttributeValue> {
        self.find(key).ok().and_then(|at| self.entries.get(at)).map(|(_, value)| value)
    }

    /// Whether an attribute is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// Number of attributes.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values, in key order.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.entries.iter())
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &String> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in key order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &AttributeValue> {
        self.iter().map(|(_, value)| value)
    }

    /// The place of a key, or where it belongs.
    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| known.as_str().cmp(key))
    }
}

impl Index<&str> for Attributes {
    type Output = AttributeValue;

    /// The value of an attribute that is there.
    ///
    /// # Panics
    /// When it is not: see [`Attributes::get`].
    #[expect(clippy::expect_used, reason = "the contract of an index; nothing in this crate uses it")]
    fn index(&self, key: &str) -> &AttributeValue {
        self.get(key).expect("no attribute with this key")
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

/// Keys and values of [`Attributes`], in key order.
#[derive(Clone, Debug)]
pub struct Iter<'a>(slice::Iter<'a, (String, AttributeValue)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a String, &'a AttributeValue);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Attributes {
    type Item = (&'a String, &'a AttributeValue);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Attributes {
    type Item = (String, AttributeValue);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl Extend<(String, AttributeValue)> for Attributes {
    fn extend<I: IntoIterator<Item = (String, AttributeValue)>>(&mut self, more: I) {
        self.entries.extend(more);
        // One by one would move all behind a key for each key.
        if !self.entries.is_sorted_by(|(one, _), (other, _)| one < other) {
            sort_by(&mut self.entries, |(one, _), (other, _)| one.cmp(other));
            self.entries.dedup_by(|(key, value), (known, last)| {
                let is_again = key == known;
                if is_again {
                    mem::swap(value, last);
                }
                is_again
            });
        }
    }
}

impl FromIterator<(String, AttributeValue)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, AttributeValue)>>(entries: I) -> Self {
        let mut attributes = Self::new();
        attributes.extend(entries);
        attributes
    }
}

impl<const N: usize> From<[(String, AttributeValue); N]> for Attributes {
    fn from(entries: [(String, AttributeValue); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> de::Visitor<'de> for Entries {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, format, vec::Vec};

    use super::*;

    #[test]
    fn they_are_what_a_map_is() {
        let mut seed = 7_u32;
        let mut next = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % below
        };
        let (mut map, mut attributes) = (BTreeMap::new(), Attributes::new());
        for step in 0..2_000_i64 {
            let key = format!("k{}", next(40));
            match next(40) {
                0 => {
                    let rest = i64::from(next(3));
                    let keeps =
                        |value: &AttributeValue| !matches!(value, AttributeValue::Int(step) if step % 3 == rest);
                    map.retain(|_, value| keeps(value));
                    attributes.retain(|_, value| keeps(value));
                }
                1..10 => assert_eq!(attributes.remove(&key), map.remove(&key)),
                _ => assert_eq!(attributes.insert(key.clone(), step.into()), map.insert(key.clone(), step.into())),
            }
            assert_eq!(attributes.get(&key), map.get(&key));
            assert_eq!(attributes.contains_key(&key), map.contains_key(&key));
            assert_eq!((attributes.len(), attributes.is_empty()), (map.len(), map.is_empty()));
        }
        assert!(!map.is_empty());
        assert_eq!(attributes.iter().collect::<Vec<_>>(), map.iter().collect::<Vec<_>>());
        assert_eq!(attributes.keys().collect::<Vec<_>>(), map.keys().collect::<Vec<_>>());
        assert_eq!(format!("{attributes:?}"), format!("{map:?}"));
        let json = serde_json::to_string(&attributes).unwrap();
        assert_eq!(json, serde_json::to_string(&map).unwrap());
        assert_eq!(serde_json::from_str::<Attributes>(&json).unwrap(), attributes);
        assert_eq!(attributes.into_iter().collect::<Vec<_>>(), map.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn many_are_put_in_order_at_once() {
        let keys = || (0..50_000_i64).rev().map(|number| (format!("{:05}", number % 40_000), number.into()));
        let attributes: Attributes = keys().collect();
        let map: BTreeMap<_, AttributeValue> = keys().collect();
        assert!(attributes.iter().eq(&map));
        let mut extended = Attributes::from([("00000".into(), "old".into()), ("x".into(), "kept".into())]);
        extended.extend(keys());
        assert_eq!(extended.get("00000"), map.get("00000"));
        assert_eq!((extended.len(), extended.get("x")), (map.len() + 1, Some(&"kept".into())));
    }

    #[test]
    fn of_equal_keys_the_last_one_counts() {
        let expected = Attributes::from([("a".into(), 2_i64.into())]);
        assert_eq!(Attributes::from([("a".into(), 1_i64.into()), ("a".into(), 2_i64.into())]), expected);
        assert_eq!(serde_json::from_str::<Attributes>(r#"{"a": 1, "a": 2}"#).unwrap(), expected);
    }
}
