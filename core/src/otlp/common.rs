//! The messages of `opentelemetry/proto/common/v1` and `resource/v1`.

use alloc::string::String;

use super::writer::{Field, Writer};
use crate::{
    error::Error,
    record::{AttributeValue, Attributes, attributes_from_json},
    spans::{
        caps::capped_attributes,
        generated::{SCOPE, SERVICE_NAME},
    },
};

/// Who made the telemetry: attributes that all spans, log records and data points of a request share.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Resource {
    /// Attributes in the order of their keys. OpenTelemetry wants `service.name` among them.
    pub attributes: Attributes,
}

impl Resource {
    /// Makes a resource.
    pub fn new(attributes: Attributes) -> Self {
        Self { attributes }
    }

    /// Makes a resource with the attributes of a JSON object: texts, numbers, booleans and lists of texts.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`](crate::error::ErrorKind::InvalidConfig) for text that is no such object.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        attributes_from_json(text).map(Self::new)
    }

    /// Makes a resource that has a service name and nothing else. Maps to `service.name`.
    pub fn of_service(name: &str) -> Self {
        Self { attributes: Attributes::from([(String::from(SERVICE_NAME), name.into())]) }
    }
}

pub(super) fn write_resource<W: Writer>(w: &mut W, field: Field, resource: &Resource) {
    let (attributes, dropped) = capped_attributes(resource.attributes.clone(), &resource.attributes);
    w.message(field, |w| {
        write_attributes(w, Field::new(1, "attributes"), &attributes);
        w.count(Field::new(2, "droppedAttributesCount"), dropped);
    });
}

pub(super) fn write_scope<W: Writer>(w: &mut W, field: Field) {
    w.message(field, |w| {
        w.text(Field::new(1, "name"), SCOPE);
        w.text(Field::new(2, "version"), env!("CARGO_PKG_VERSION"));
    });
}

/// Writes a list of `KeyValue`; nothing when there are none.
pub(super) fn write_attributes<W: Writer>(w: &mut W, field: Field, attributes: &Attributes) {
    let mut attributes = attributes.iter().filter(|(_, value)| has_a_wire_form(value)).peekable();
    if attributes.peek().is_some() {
        w.list(field, |w| attributes.for_each(|(key, value)| write_attribute(w, field, key, value)));
    }
}

/// Writes one `KeyValue` of a list.
pub(super) fn write_attribute<W: Writer>(w: &mut W, field: Field, key: &str, value: &AttributeValue) {
    write_key_value(w, field, key, |w| write_value(w, value));
}

/// Writes one `KeyValue` of a list; `write` gives the one member of its `AnyValue`.
pub(super) fn write_key_value<W: Writer>(w: &mut W, field: Field, key: &str, write: impl FnOnce(&mut W)) {
    w.item(field, |w| {
        w.text(Field::new(1, "key"), key);
        w.message(Field::new(2, "value"), write);
    });
}

/// The members of an `AnyValue` are a `oneof`: the one that is there is written, whatever its value.
fn write_value<W: Writer>(w: &mut W, value: &AttributeValue) {
    match value {
        AttributeValue::Str(text) => w.text(STRING_VALUE, text),
        AttributeValue::Bool(flag) => w.flag(BOOL_VALUE, *flag),
        AttributeValue::Int(number) => w.int64(Field::new(3, "intValue"), *number),
        AttributeValue::Float(number) => w.double(Field::new(4, "doubleValue"), *number),
        AttributeValue::StrList(texts) => w.message(Field::new(5, "arrayValue"), |w| {
            const VALUES: Field = Field::new(1, "values");
            w.list(VALUES, |w| texts.iter().for_each(|text| w.item(VALUES, |w| w.text(STRING_VALUE, text))));
        }),
    }
}

fn has_a_wire_form(value: &AttributeValue) -> bool {
    !matches!(value, AttributeValue::Float(number) if !number.is_finite())
}

pub(super) const STRING_VALUE: Field = Field::new(1, "stringValue");
pub(super) const BOOL_VALUE: Field = Field::new(2, "boolValue");
