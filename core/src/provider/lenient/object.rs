//! Objects of which only some fields are read, and how they are read in place.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// Visitor methods that take a value of a type nobody asked for as absent.
macro_rules! absent {
    ($($kind:ident)*) => { $($crate::provider::lenient::absent_one!($kind);)* };
}

macro_rules! absent_one {
    (bool) => {
        fn visit_bool<E: ::serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (number) => {
        fn visit_i64<E: ::serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_u64<E: ::serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_f64<E: ::serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (str) => {
        fn visit_str<E: ::serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (bytes) => {
        fn visit_bytes<E: ::serde::de::Error>(self, _: &[u8]) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (null) => {
        fn visit_unit<E: ::serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_none<E: ::serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_some<D: ::serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }
    };
    (list) => {
        fn visit_seq<A: ::serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<::serde::de::IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
    (object) => {
        fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<::serde::de::IgnoredAny, ::serde::de::IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

/// Defines an object of which only the named fields are read.
///
/// Unlike with serde's derive, a value that is no object gives an object with nothing in it (`present` is false then),
/// and of a repeated key the last value holds, as in most JSON readers.
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
            fn fill<D: ::serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                #[allow(non_camel_case_types, reason = "named after the fields")]
                enum Key {
                    $($field,)*
                    Unknown,
                }

                struct Fields<'p, T>(&'p mut T);

                impl<'de $(: $life, $life)?> ::serde::de::Visitor<'de> for Fields<'_, $name $(<$life>)?> {
                    type Value = ();

                    fn expecting(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        f.write_str("an object")
                    }

                    #[inline]
                    fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                        let key = |name: &[u8]| {
                            $(if $(name == $key.as_bytes())||+ {
                                return Key::$field;
                            })*
                            Key::Unknown
                        };
                        let object = self.0;
                        object.present = true;
                        while let Some(key) = map.next_key_seed($crate::provider::lenient::KeySeed(key))? {
                            match key {
                                $(Key::$field => {
                                    map.next_value_seed($crate::provider::lenient::Place(&mut object.$field))?;
                                })*
                                Key::Unknown => {
                                    map.next_value::<::serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(())
                    }

                    $crate::provider::lenient::absent! { bool number str bytes null list }
                }

                if self.present {
                    // The key is repeated: nothing of the earlier value may show through.
                    *self = Self::default();
                }
                deserializer.deserialize_any(Fields(self))
            }
        }
    };
}

/// Implements [`Fill`] for small types by way of `Deserialize`.
macro_rules! fill_by_value {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {
        $(impl<'de $(: $life, $life)?> $crate::provider::lenient::Fill<'de> for $name $(<$life>)? {
            #[inline]
            fn fill<D: ::serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                *self = ::serde::Deserialize::deserialize(deserializer)?;
                Ok(())
            }
        })*
    };
}

pub(in crate::provider) use {absent, absent_one, fill_by_value, object};

/// A type that is read in place, over its default.
///
/// A chunk has room for every field that any server sends; moving such objects around, as `Deserialize` does, costs
/// more than reading them.
pub(in crate::provider) trait Fill<'de>: Default {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;
}

/// The place that a value is read into.
pub(in crate::provider) struct Place<'p, T>(pub(in crate::provider) &'p mut T);

impl<'de, T: Fill<'de>> DeserializeSeed<'de> for Place<'_, T> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.fill(deserializer)
    }
}

/// Turns the name of a field into what a function makes of it.
pub(in crate::provider) struct KeySeed<F>(pub(in crate::provider) F);

impl<'de, T, F: FnOnce(&[u8]) -> T> DeserializeSeed<'de> for KeySeed<F> {
    type Value = T;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T, F: FnOnce(&[u8]) -> T> Visitor<'_> for KeySeed<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    #[inline]
    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        Ok((self.0)(name.as_bytes()))
    }

    #[inline]
    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<T, E> {
        Ok((self.0)(name))
    }
}
