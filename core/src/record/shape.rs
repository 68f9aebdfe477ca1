//! How values of a record are written: absent ones are left out of JSON, and every field is known by name.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::attributes::Attributes;
use crate::time::{Nanos, UnixNanos};

/// The shape of a record's value: what a reader may find below a key.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// Any string, number or boolean.
    Scalar,
    /// A list of values of one shape.
    List(&'static Self),
    /// An object with these keys and no others.
    Object(&'static [(&'static str, &'static Self)]),
    /// An object with keys that the caller chooses.
    Map,
}

/// A value inside a record.
pub trait Value {
    /// What the value looks like in JSON.
    const SHAPE: &'static Shape;

    /// Whether the value is left out of JSON.
    fn is_absent(&self) -> bool {
        false
    }
}

macro_rules! scalars {
    ($($ty:ty),* $(,)?) => {
        $(impl Value for $ty {
            const SHAPE: &'static Shape = &Shape::Scalar;
        })*
    };
}
pub(crate) use scalars;

scalars!(bool, f64, i64, u16, u32, u64, Nanos, String, UnixNanos);

impl<T: Value> Value for Option<T> {
    const SHAPE: &'static Shape = T::SHAPE;

    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(Value::is_absent)
    }
}

impl<T: Value> Value for Box<T> {
    const SHAPE: &'static Shape = T::SHAPE;

    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

impl<T: Value> Value for Vec<T> {
    const SHAPE: &'static Shape = &Shape::List(T::SHAPE);

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Value for Attributes {
    const SHAPE: &'static Shape = &Shape::Map;

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Declares a struct of the record: its fields in the order of the compact form, its JSON without absent fields, and
/// its [`Shape`].
///
/// JSON readers take a missing key as the default; compact writers give every field in order.
macro_rules! record_struct {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident $(as $key:literal)? : $ty:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(default)]
        #[non_exhaustive]
        pub struct $name {
            $( $(#[$field_meta])* $(#[serde(rename = $key)])? pub $field: $ty, )*
        }

        impl $crate::record::Value for $name {
            const SHAPE: &'static $crate::record::Shape = &$crate::record::Shape::Object(&[
                $( (
                    $crate::record::shape::key!($field $($key)?),
                    <$ty as $crate::record::Value>::SHAPE,
                ), )*
            ]);

            fn is_absent(&self) -> bool {
                true $( && $crate::record::Value::is_absent(&self.$field) )*
            }
        }

        $crate::fields::fields! { $name, skips Empty, others Ignored { $($field $(as $key)?),* } }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::{SerializeMap as _, SerializeStruct as _};
                if serializer.is_human_readable() {
                    let mut map = serializer.serialize_map(None)?;
                    $( if !$crate::record::Value::is_absent(&self.$field) {
                        map.serialize_entry($crate::record::shape::key!($field $($key)?), &self.$field)?;
                    } )*
                    map.end()
                } else {
                    let fields = [$( stringify!($field) ),*].len();
                    let mut all = serializer.serialize_struct(stringify!($name), fields)?;
                    $( all.serialize_field($crate::record::shape::key!($field $($key)?), &self.$field)?; )*
                    all.end()
                }
            }
        }
    };
}
pub(crate) use record_struct;

macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}
pub(crate) use key;
