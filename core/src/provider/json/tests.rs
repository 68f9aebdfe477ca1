//! What is accepted, and what strings and numbers are read as, with `serde_json` for comparison.

use crate::provider::source::Source;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value as Tree;

use super::*;
use crate::provider::lenient::{Fill, Str, Text};

/// A value that is skipped.
#[derive(Default)]
struct Skipped;

impl<'de> Fill<'de> for Skipped {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        reader.skip_value()
    }
}

/// A value that is read with everything in it.
#[derive(Default)]
struct Built(Tree);

impl<'de> Fill<'de> for Built {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = match reader.peek() {
            Some(b'{') => {
                let mut members = serde_json::Map::new();
                reader.members(|reader, name| {
                    let mut member = Self::default();
                    member.fill(reader)?;
                    members.insert(String::from_utf8(name.to_vec()).unwrap(), member.0);
                    Ok(())
                })?;
                Tree::Object(members)
            }
            Some(b'[') => {
                let mut elements = Vec::new();
                reader.elements(|reader| {
                    let mut element = Self::default();
                    element.fill(reader)?;
                    elements.push(element.0);
                    Ok(())
                })?;
                Tree::Array(elements)
            }
            _ => match reader.value()? {
                Value::Null => Tree::Null,
                Value::Bool(value) => Tree::Bool(value),
                Value::Number(Number::Unsigned(value)) => Tree::from(value),
                // `serde_json` makes a float of it.
                Value::Number(Number::Negative(0)) => Tree::from(-0.0),
                Value::Number(Number::Negative(value)) => Tree::from(value),
                Value::Number(Number::Float(value)) => Tree::from(value),
                Value::String(raw) => {
                    let text = raw.text();
                    assert_eq!(raw.len(), text.len());
                    assert!(raw.is(&text) && !raw.is("\u{1}"));
                    Tree::String(text.into_owned())
                }
                Value::Nested => return Err(Malformed),
            },
        };
        Ok(())
    }
}

fn is_valid(document: impl AsRef<[u8]>) -> bool {
    fill_from_slice(&mut Skipped, document.as_ref()).is_some()
}

fn number(document: &str) -> Option<Number> {
    let mut reader = Reader::new(document.as_bytes());
    match reader.value() {
        Ok(Value::Number(number)) if reader.rest.is_empty() => Some(number),
        _ => None,
    }
}

/// Reads the document in every way there is and compares with `serde_json`.
///
/// Skipping, `serde_json` neither minds numbers out of range nor half pairs of surrogates, and leaves UTF-8 unchecked.
fn compare(document: &[u8]) {
    let shown = String::from_utf8_lossy(document);
    let expected = serde_json::from_slice::<IgnoredAny>(document).is_ok() && core::str::from_utf8(document).is_ok();
    assert_eq!(is_valid(document), expected, "skipped: {shown}");
    let mut built = Built::default();
    assert_eq!(fill_from_slice(&mut built, document).is_some(), expected, "built: {shown}");
    let mut text = Text::default();
    assert_eq!(fill_from_slice(&mut text, document).is_some(), expected, "measured: {shown}");
    match serde_json::from_slice::<Tree>(document) {
        Ok(tree) => {
            assert_eq!(text.bytes, tree.as_str().map_or(0, str::len), "measured: {shown}");
            assert!(alike(&built.0, &tree), "{} built: {shown}", built.0);
        }
        Err(error) if expected => {
            let reason = error.to_string();
            let known = ["number out of range", "lone leading surrogate", "unexpected end of hex escape"];
            assert!(known.iter().any(|known| reason.starts_with(known)), "{reason}: {shown}");
        }
        Err(_) => {}
    }
}

/// Whether both are the same but for the last digits of floats, which `serde_json` does not round exactly.
fn alike(one: &Tree, other: &Tree) -> bool {
    match (one, other) {
        (Tree::Array(one), Tree::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Tree::Object(one), Tree::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| alike(one, other)))
        }
        (Tree::Number(one), Tree::Number(other)) if one.is_f64() && other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            (one - other).abs() <= one.abs() * 1e-14
        }
        _ => one == other,
    }
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ !#-\\[\\]-~\u{7f}]{0,12}",
        1 => "[é世😀\u{80}\u{7ff}\u{800}\u{ffff}]",
        2 => r#"\\["\\/bfnrt]"#,
        1 => r"\\u[0-9a-fA-F]{4}",
        1 => r"\\u[dD][89abAB][0-9a-f]{2}\\u[dD][c-fC-F][0-9a-f]{2}",
        1 => r"\\ud[89ab][0-9a-f]{2}(\\n|x|\\ud83d)",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_string()),
        Just("true".to_string()),
        Just("false".to_string()),
        r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        string(),
    ];
    let space = || "[ \n\t\r]{0,1}";
    scalar.prop_recursive(5, 40, 6, move |value| {
        let element = (space(), value.clone(), space()).prop_map(|(before, value, after)| before + &value + &after);
        let member = (space(), string(), space(), value, space())
            .prop_map(|(before, name, colon, value, after)| format!("{before}{name}{colon}:{colon}{value}{after}"));
        prop_oneof![
            (prop::collection::vec(element, 0..6), space())
                .prop_map(|(elements, space)| format!("{space}[{}{space}]", elements.join(","))),
            (prop::collection::vec(member, 0..6), space())
                .prop_map(|(members, space)| format!("{space}{{{}{space}}}", members.join(","))),
        ]
    })
}

/// One change: a byte replaced, inserted or taken out, or the rest cut off.
fn mutation() -> impl Strategy<Value = (prop::sample::Index, u8, u8)> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\ \n-+.eEu0d\x1f\x00\x80\xff".to_vec())];
    (any::<prop::sample::Index>(), 0..7_u8, byte)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_documents_are_read_as_by_serde_json(document in document()) {
        prop_assert!(is_valid(&document));
        compare(document.as_bytes());
    }

    #[test]
    fn mutated_documents_are_refused_as_by_serde_json(
        document in document(),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let mut bytes = document.into_bytes();
        for (place, kind, byte) in mutations {
            let index = place.index(bytes.len() + 1);
            match kind {
                0..=2 if index < bytes.len() => bytes[index] = byte,
                3 | 4 => bytes.insert(index, byte),
                5 if index < bytes.len() => drop(bytes.remove(index)),
                _ => bytes.truncate(index),
            }
        }
        compare(&bytes);
    }
}

#[test]
fn it_accepts_what_serde_json_accepts() {
    let documents = [
        "{}",
        "[]",
        " [1, -2, 3.5e+7, 0, -0, 0.1] ",
        "{\"a\":{\"b\":[{}, [[]], null, true, false, \"x\"]}}",
        "{\"a\" : 1 , \"b\\n\" : [ 2 , 3 ] }",
        "\"a\\u00e9\"",
        "",
        " ",
        "{",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\" \"b\":1}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "[1 2]",
        "01",
        "-01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e",
        "1e+",
        "nul",
        "tru",
        "nullx",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud83d\\u12\"",
        "\"a\nb\"",
        "\"\\\"",
        "{} {}",
        "[}",
        "{]",
        "'a'",
        "NaN",
        "[1}",
        "{\"a\":1]",
        "\"open",
        "\u{c}{}",
        "\u{feff}{}",
        "1e999",
        "\"\\ud800\"",
    ];
    for document in documents {
        compare(document.as_bytes());
    }
    assert!(is_valid("1e999") && is_valid("\"\\ud800\""));
    for document in [&b"\"\xff\""[..], b"\"long enough \xff, escaped \\n\"", b"{\"\xff\":1}", b"\xff", b"[1]\xff"] {
        compare(document);
        assert!(!is_valid(document));
    }
}

#[test]
fn half_a_pair_of_surrogates_is_a_replacement_character() {
    for (raw, built) in
        [("\\ud83dx", "\u{fffd}x"), ("\\ude00\\ud83d", "\u{fffd}\u{fffd}"), ("\\ud83d\\n", "\u{fffd}\n")]
    {
        let document = format!("\"{raw}\"");
        let mut text = Text::default();
        fill_from_slice(&mut text, document.as_bytes()).unwrap();
        assert_eq!(text.bytes, built.len());
        let mut string = Str::default();
        fill_from_slice(&mut string, document.as_bytes()).unwrap();
        assert_eq!(string.text(), built);
    }
}

#[test]
fn special_bytes_are_found_at_every_place() {
    for special in ["\"", "\\n\"", "\\u00e9\"", "\u{1f}\"", "é\"", "\u{80}\"", "\n"] {
        for place in 0..40 {
            for behind in 0..12 {
                let document =
                    format!("\"{}{special}{}", "!#[]~\u{7f} ,".repeat(5).get(..place).unwrap(), " ".repeat(behind));
                compare(document.as_bytes());
                compare(format!("{{{document}:{document}}}").as_bytes());
            }
        }
    }
}

#[test]
fn strings_are_decoded_byte_by_byte() {
    for json in [r#""""#, r#""plain""#, r#""a\n\"\/\u0000b""#, r#""é\u00e9\ud83d\ude00€\ud83dx""#] {
        let mut text = Str::default();
        fill_from_slice(&mut text, json.as_bytes()).unwrap();
        assert_eq!(text.utf8().collect::<Vec<u8>>(), text.text().as_bytes(), "{json}");
        assert_eq!(text.utf8().count(), text.len(), "{json}");
    }
    assert!(Raw::plain(b"a\\nb").utf8().eq(*b"a\\nb"));
}

#[test]
fn numbers_keep_their_sign_and_size() {
    assert_eq!(number("18446744073709551615"), Some(Number::Unsigned(u64::MAX)));
    assert_eq!(number("-5"), Some(Number::Negative(-5)));
    assert_eq!(number("1.5e3"), Some(Number::Float(1500.0)));
    assert_eq!(number("1e999"), Some(Number::Float(f64::INFINITY)));
    assert_eq!(number("-18446744073709551616"), Some(Number::Float(-18_446_744_073_709_551_616.0)));
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    let nested = |depth: usize| "[".repeat(depth) + "0" + &"]".repeat(depth);
    assert!(is_valid(nested(128)) && !is_valid(nested(129)));
    assert!(!is_valid("[".repeat(100_000)));
}
