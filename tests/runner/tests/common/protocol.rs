//! What messages of all signals have in common, and how two forms of one are compared.

use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};

pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope { name: "llmspan".into(), version: env!("CARGO_PKG_VERSION").into(), ..Default::default() }
}

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

pub(crate) fn text(key: &str, text: &str) -> KeyValue {
    attribute(key, Value::StringValue(text.into()))
}

/// Our JSON reads as the message, and each of its keys and forms of a value is one that the other writer uses: readers
/// skip keys that they do not know.
///
/// The other writer's text takes the same way through the reader of decimals, which is not exact in the last digit.
pub(crate) fn assert_same_json<T>(ours: &str, message: &T)
where
    T: core::fmt::Debug + PartialEq + serde::Serialize + for<'de> serde::Deserialize<'de>,
{
    let theirs = serde_json::to_string(message).unwrap();
    assert_eq!(serde_json::from_str::<T>(ours).unwrap(), serde_json::from_str::<T>(&theirs).unwrap());
    assert_subset(&serde_json::from_str(ours).unwrap(), &serde_json::from_str(&theirs).unwrap(), "");
}

fn assert_subset(ours: &serde_json::Value, theirs: &serde_json::Value, path: &str) {
    match (ours, theirs) {
        (serde_json::Value::Object(ours), serde_json::Value::Object(theirs)) => {
            for (key, value) in ours {
                let path = format!("{path}.{key}");
                assert_subset(value, theirs.get(key).unwrap_or_else(|| panic!("{path} is no key")), &path);
            }
        }
        (serde_json::Value::Array(ours), serde_json::Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{path}");
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert_subset(ours, theirs, path);
            }
        }
        _ => assert_eq!(ours, theirs, "{path}"),
    }
}
