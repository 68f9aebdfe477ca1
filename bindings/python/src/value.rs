//! Python objects behind a `serde` deserializer, read in place.
//!
//! Dicts, lists, tuples, strings, numbers, booleans, bytes and `None` are what they are in JSON; bytes stay bytes. An enum is
//! its value. Any other object is the object of its fields: what is in its `__dict__`, in the extra fields of a pydantic
//! model or in its slots, without private names and without fields that are `None`. An object without such fields (a
//! sentinel for "not given"), and whatever cannot be read, is `None`.

use core::cell::RefCell;

use llmspan_core::event::TimedEvent;
use pyo3::{
    intern,
    prelude::*,
    types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyModule, PyString, PyTuple},
};
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{Error, MapAccessDeserializer},
    },
    forward_to_deserialize_any,
};
use smallvec::SmallVec;

/// Reads an object as a value of a type.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(object: &Bound<'_, PyAny>) -> Result<T, Error> {
    T::deserialize(Object(object))
}

/// Reads a word as one of an enumeration.
pub(crate) fn word<T: for<'de> Deserialize<'de>>(word: &str) -> Result<T, Error> {
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(word))
}

/// Reads the fields of an event of the log; `given` are those that the fields do not override.
pub(crate) fn read_event(
    given: [(&Bound<'_, PyString>, Bound<'_, PyAny>); 3],
    fields: Option<&Bound<'_, PyDict>>,
) -> Result<TimedEvent, Error> {
    let mut all = Items::new();
    // A field that is not given is one that is `None`.
    let is_given = |(_, value): &Item<'_>| !value.is_none();
    if let Some(fields) = fields {
        add_items(&mut all, fields, is_given);
    }
    for (name, value) in given {
        let item = (name.clone().into_any(), value);
        if is_given(&item) && !all.iter().any(|(known, _)| known.eq(name).unwrap_or(false)) {
            all.push(item);
        }
    }
    TimedEvent::deserialize(MapAccessDeserializer::new(Members::new(&all)))
}

/// A Python object, to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a, 'py>(pub(crate) &'a Bound<'py, PyAny>);

impl<'de> Deserializer<'de> for Object<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Self(object) = self;
        if let Ok(text) = object.cast::<PyString>() {
            // Lone surrogates have no UTF-8.
            return visitor.visit_str(text.to_str().unwrap_or_default());
        }
        if object.is_none() {
            return visitor.visit_unit();
        }
        if let Ok(value) = object.cast::<PyBool>() {
            return visitor.visit_bool(value.is_true());
        }
        if let Ok(value) = object.cast::<PyInt>() {
            return visit_int(value, visitor);
        }
        if let Ok(dict) = object.cast::<PyDict>() {
            let mut items = Items::new();
            add_items(&mut items, dict, |_| true);
            return visitor.visit_map(Members::new(&items));
        }
        if let Ok(list) = object.cast::<PyList>() {
            return visitor.visit_seq(Elements { at: 0, len: list.len(), get: |at| list.get_item(at).ok() });
        }
        if let Ok(tuple) = object.cast::<PyTuple>() {
            return visitor.visit_seq(Elements { at: 0, len: tuple.len(), get: |at| tuple.get_item(at).ok() });
        }
        if let Ok(value) = object.cast::<PyFloat>() {
            return visitor.visit_f64(value.value());
        }
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return visitor.visit_bytes(bytes.as_bytes());
        }
        if let Ok(bytes) = object.cast::<PyByteArray>() {
            return visitor.visit_bytes(&bytes.to_vec());
        }
        let mut items = Items::new();
        match add_fields(&mut items, object) {
            Fields::EnumOf(value) => Object(&value).deserialize_any(visitor),
            Fields::Named if items.is_empty() => visitor.visit_unit(),
            Fields::Named => visitor.visit_map(Members::new(&items)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let word = String::deserialize(self)?;
        visitor.visit_enum(word.into_deserializer())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A name and its value.
type Item<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// Names and values of an object. They are taken out before any is read: reading may run Python code, which may change it.
type Items<'py> = SmallVec<[Item<'py>; 12]>;

/// Adds what a dict holds, where it is to be kept.
fn add_items<'py>(items: &mut Items<'py>, dict: &Bound<'py, PyDict>, keep: impl Fn(&Item<'py>) -> bool) {
    let items = RefCell::new(items);
    // It fails only where the closure does.
    dict.locked_for_each(|name, value| {
        let item = (name, value);
        if keep(&item) {
            items.borrow_mut().push(item);
        }
        Ok(())
    })
    .ok();
}

enum Fields<'py> {
    EnumOf(Bound<'py, PyAny>),
    Named,
}

/// Adds the fields of an object that is no container, or gives the value that it stands for.
fn add_fields<'py>(items: &mut Items<'py>, object: &Bound<'py, PyAny>) -> Fields<'py> {
    let py = object.py();
    let Some(dict) = attribute(object, intern!(py, "__dict__")) else {
        add_slots(items, object);
        return Fields::Named;
    };
    // Of a class it is a proxy. A module has the whole program below it.
    let Ok(dict) = dict.cast::<PyDict>() else { return Fields::Named };
    if object.is_instance_of::<PyModule>() {
        return Fields::Named;
    }
    if let Ok(Some(value)) = dict.get_item(intern!(py, "_value_")) {
        return Fields::EnumOf(value);
    }
    let is_field = |(name, value): &Item<'_>| !value.is_none() && !is_private(name);
    add_items(items, dict, is_field);
    if let Some(extra) = attribute(object, intern!(py, "__pydantic_extra__"))
        && let Ok(extra) = extra.cast::<PyDict>()
    {
        add_items(items, extra, is_field);
    }
    Fields::Named
}

fn add_slots<'py>(items: &mut Items<'py>, object: &Bound<'py, PyAny>) {
    let py = object.py();
    for class in object.get_type().mro() {
        let Some(slots) = attribute(&class, intern!(py, "__slots__")) else { continue };
        let Ok(slots) = slots.cast::<PyTuple>() else { continue };
        for name in slots {
            if let Ok(text) = name.cast::<PyString>()
                && !is_private(&name)
                && let Some(value) = attribute(object, text)
                && !value.is_none()
            {
                items.push((name, value));
            }
        }
    }
}

/// An attribute, if it is there and can be read.
fn attribute<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> Option<Bound<'py, PyAny>> {
    object.getattr_opt(name).ok().flatten()
}

fn is_private(name: &Bound<'_, PyAny>) -> bool {
    name.cast::<PyString>().is_ok_and(|name| name.to_str().is_ok_and(|name| name.starts_with('_')))
}

fn visit_int<'de, V: Visitor<'de>>(value: &Bound<'_, PyInt>, visitor: V) -> Result<V::Value, Error> {
    if let Ok(value) = value.extract::<i64>() {
        return match u64::try_from(value) {
            Ok(value) => visitor.visit_u64(value),
            Err(_) => visitor.visit_i64(value),
        };
    }
    match value.extract::<u64>() {
        Ok(value) => visitor.visit_u64(value),
        // Of an integer beyond 64 bits the size is left.
        Err(_) => visitor.visit_f64(value.extract().unwrap_or(f64::MAX)),
    }
}

struct Members<'a, 'py> {
    items: &'a [Item<'py>],
    value: Option<&'a Bound<'py, PyAny>>,
}

impl<'a, 'py> Members<'a, 'py> {
    fn new(items: &'a [Item<'py>]) -> Self {
        Self { items, value: None }
    }
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let [(name, value), rest @ ..] = self.items {
            self.items = rest;
            // Names that are no text name no member.
            if let Ok(text) = name.cast::<PyString>()
                && let Ok(text) = text.to_str()
            {
                self.value = Some(value);
                return seed.deserialize(text.into_deserializer()).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(Object(value)),
            None => Err(de::Error::custom("a value without a name")),
        }
    }
}

struct Elements<F> {
    at: usize,
    len: usize,
    get: F,
}

impl<'de, 'py, F: Fn(usize) -> Option<Bound<'py, PyAny>>> SeqAccess<'de> for Elements<F> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        // A list may have become shorter meanwhile.
        let Some(element) = (self.at < self.len).then(|| (self.get)(self.at)).flatten() else { return Ok(None) };
        self.at += 1;
        seed.deserialize(Object(&element)).map(Some)
    }
}
