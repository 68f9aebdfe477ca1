//! One description of a message, two wire forms.
//!
//! A message is written by calling a [`Writer`] field by field, in the order of the field numbers. [`super::json::Json`]
//! uses the keys, [`super::protobuf::Protobuf`] the numbers, so the two forms cannot drift apart.

use crate::time::UnixNanos;

/// A field of an OTLP message: its number in protobuf, its key in JSON.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "protobuf"), expect(dead_code, reason = "numbers are for protobuf alone"))]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) key: &'static str,
}

impl Field {
    pub(super) const fn new(number: u32, key: &'static str) -> Self {
        Self { number, key }
    }
}

/// Writes the fields of one message. Every call writes its field, defaults included: whoever calls leaves out what the
/// protocol wants left out.
pub(super) trait Writer: Sized {
    /// A `string`.
    fn text(&mut self, field: Field, value: &str);

    /// A `bytes` that is an id: hex in JSON.
    fn id(&mut self, field: Field, value: &[u8]);

    /// A `bool`.
    fn flag(&mut self, field: Field, value: bool);

    /// A `uint32` or an enum.
    fn uint32(&mut self, field: Field, value: u32);

    /// An `int64`: a decimal string in JSON.
    fn int64(&mut self, field: Field, value: i64);

    /// A `fixed32`.
    fn fixed32(&mut self, field: Field, value: u32);

    /// A `fixed64`: a decimal string in JSON.
    fn fixed64(&mut self, field: Field, value: u64);

    /// An `sfixed64`: a decimal string in JSON.
    fn sfixed64(&mut self, field: Field, value: i64);

    /// An `sint32`.
    fn sint32(&mut self, field: Field, value: i32);

    /// A `double`. NaN and infinities are written as 0: no caller has them.
    fn double(&mut self, field: Field, value: f64);

    /// A `repeated fixed64`: decimal strings in JSON.
    fn fixed64s(&mut self, field: Field, values: &[u64]);

    /// A `repeated uint64`: decimal strings in JSON.
    fn uint64s(&mut self, field: Field, values: &[u64]);

    /// A `repeated double`, of which [`Self::double`] is true, too.
    fn doubles(&mut self, field: Field, values: impl ExactSizeIterator<Item = f64>);

    /// A message inside this one.
    fn message(&mut self, field: Field, write: impl FnOnce(&mut Self));

    /// A `repeated` field of messages: `write` calls [`Writer::item`] with the same field, once for each.
    fn list(&mut self, field: Field, write: impl FnOnce(&mut Self));

    /// One message of a [`Writer::list`].
    fn item(&mut self, field: Field, write: impl FnOnce(&mut Self));

    /// A `uint32` that is left out when it is 0.
    fn count(&mut self, field: Field, value: u64) {
        if value > 0 {
            self.uint32(field, u32::try_from(value).unwrap_or(u32::MAX));
        }
    }

    /// Flags that are left out when they are unknown or 0.
    fn flags(&mut self, field: Field, value: Option<u8>) {
        if let Some(flags @ 1..) = value {
            self.fixed32(field, u32::from(flags));
        }
    }

    /// A point in time; 0 stands for unknown and is left out.
    fn time(&mut self, field: Field, value: Option<UnixNanos>) {
        if let Some(nanos @ 1..) = value.map(UnixNanos::as_nanos) {
            self.fixed64(field, nanos);
        }
    }

    /// A `string` that is left out when it is empty.
    fn some_text(&mut self, field: Field, value: &str) {
        if !value.is_empty() {
            self.text(field, value);
        }
    }
}
