//! Subset comparison of JSON, as vectors ask for it.
//!
//! Each key that is expected must be equal; `null` means absent; lists of objects are compared element by element, lists of
//! scalars as a whole; floats within 1e-9. A key that the record does not know is a difference.

use llmspan_core::record::{Record, Shape};
use serde_json::Value;

/// Compares `got` with what is expected below `path`; differences are added to `out`.
///
/// `shape` is what the record may hold there: keys outside of it are differences even when `null` is expected.
pub fn compare(path: &str, shape: &Shape, expected: &Value, got: Option<&Value>, out: &mut Vec<String>) {
    match (expected, shape) {
        (Value::Object(expected), Shape::Object(fields)) => {
            for (key, expected) in expected {
                let below = format!("{path}.{key}");
                match fields.iter().find(|(name, _)| name == key) {
                    Some((_, shape)) => compare(&below, shape, expected, got.and_then(|got| got.get(key)), out),
                    None => out.push(format!("{below}: the record has no such field")),
                }
            }
        }
        (Value::Array(expected), Shape::List(shape)) if matches!(shape, Shape::Object(_)) => {
            let empty = Vec::new();
            let got = got.and_then(Value::as_array).unwrap_or(&empty);
            if expected.len() != got.len() {
                out.push(format!("{path}: expected {} entries, got {}", expected.len(), got.len()));
            }
            for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
                compare(&format!("{path}[{at}]"), shape, expected, Some(got), out);
            }
        }
        (Value::Array(expected), Shape::List(_)) if expected.is_empty() && got.is_none() => {}
        _ => compare_values(path, expected, got, out),
    }
}

/// Compares attributes: each expected key, `null` for absent. An expected object is compared with JSON text, as a subset.
pub fn compare_attributes(path: &str, expected: &Value, got: &Value, out: &mut Vec<String>) {
    let Some(expected) = expected.as_object() else {
        out.push(format!("{path}: not an object of attributes"));
        return;
    };
    for (key, expected) in expected {
        let path = format!("{path}[{key}]");
        let got = got.get(key);
        match (expected, got.and_then(Value::as_str)) {
            (Value::Object(_), Some(text)) => match serde_json::from_str(text) {
                Ok(parsed) => compare_subset(&path, expected, &parsed, out),
                Err(error) => out.push(format!("{path}: no JSON text: {error}")),
            },
            _ => compare_values(&path, expected, got, out),
        }
    }
}

/// Names the parts in which the record that came out in some way differs from the one of the whole body.
pub fn compare_records(way: &str, whole: &Record, got: &Record, out: &mut Vec<String>) {
    if whole == got {
        return;
    }
    let fields = |record: &Record| match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (whole, got) = (fields(whole), fields(got));
    let shown = |value: Option<&Value>| value.map_or_else(|| String::from("nothing"), ToString::to_string);
    let before = out.len();
    let mut names: Vec<&String> = whole.keys().chain(got.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (whole, got) = (whole.get(name), got.get(name));
        if whole != got {
            out.push(format!("{way}: {name} is {}, of the whole body {}", shown(got), shown(whole)));
        }
    }
    if out.len() == before {
        out.push(format!("{way}: another record"));
    }
}

fn compare_subset(path: &str, expected: &Value, got: &Value, out: &mut Vec<String>) {
    match expected {
        Value::Object(fields) => {
            for (key, expected) in fields {
                match got.get(key) {
                    Some(got) => compare_subset(&format!("{path}.{key}"), expected, got, out),
                    None => compare_values(&format!("{path}.{key}"), expected, None, out),
                }
            }
        }
        _ => compare_values(path, expected, Some(got), out),
    }
}

fn compare_values(path: &str, expected: &Value, got: Option<&Value>, out: &mut Vec<String>) {
    if !is_equal(expected, got.unwrap_or(&Value::Null)) {
        let got = got.map_or_else(|| String::from("nothing"), ToString::to_string);
        let expected = if expected.is_null() { String::from("nothing") } else { expected.to_string() };
        out.push(format!("{path}: expected {expected}, got {got}"));
    }
}

fn is_equal(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Number(a), Value::Number(b)) => {
            if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128()) {
                return a == b;
            }
            match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9,
                _ => false,
            }
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b)),
        // A count above 2^53 may be written either way in a vector; the record has a string.
        (Value::Number(a), Value::String(b)) => a.to_string() == *b,
        _ => expected == got,
    }
}
