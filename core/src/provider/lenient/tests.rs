//! What the lenient types make of odd input.

use super::*;
use crate::provider::json::fill_from_slice;

object! {
    struct Sample<'a> {
        "id" => id: Str<'a>,
        "text" | "alias" => text: Text,
        "count" => count: Count,
        "items" => items: List<Item, 2>,
        "cost" => cost: Decimal,
        "any" => any: Payload,
        "code" => code: Code<'a>,
    }
}

object! {
    struct Item { "n" => n: Count }
}

fn sample(json: &str) -> Sample<'_> {
    let mut sample = Sample::default();
    fill_from_slice(&mut sample, json.as_bytes()).unwrap();
    sample
}

#[test]
fn fields_of_unexpected_types_are_absent() {
    for odd in ["null", "true", "-3", "1e999", "{}", "[]", "[[{}]]", "{\"a\":{\"b\":[1]}}"] {
        let json = alloc::format!(
            "{{\"id\":{odd},\"text\":{odd},\"items\":{odd},\"cost\":\"1\",\"code\":false,\"later\":{odd},\"count\":7}}"
        );
        let read = sample(&json);
        assert!(read.present && read.id.is_empty() && read.text.bytes == 0, "{odd}");
        assert!(read.cost.billionths().is_none() && read.code.label().is_none());
        assert_eq!(read.count, Count::Valid(7));
    }
    assert!(!sample("[1]").present);
    assert!(!sample("null").present);
}

#[test]
fn counts_are_whole_numbers_up_to_2_to_the_53() {
    for (json, expected) in [
        ("0", Count::Valid(0)),
        ("12.0", Count::Valid(12)),
        ("1e3", Count::Valid(1000)),
        ("9007199254740992", Count::Valid(1 << 53)),
        ("9007199254740993", Count::Rejected),
        ("99999999999999999999999", Count::Rejected),
        ("1e999", Count::Rejected),
        ("-1", Count::Rejected),
        ("1.5", Count::Rejected),
        ("\"12\"", Count::Rejected),
        ("true", Count::Rejected),
        ("{}", Count::Rejected),
        ("null", Count::Absent),
    ] {
        let mut count = Count::default();
        fill_from_slice(&mut count, json.as_bytes()).unwrap();
        assert_eq!(count, expected, "{json}");
    }
}

#[test]
fn text_is_measured_without_its_escapes() {
    let read = sample("{\"text\":\"a\\n\\u00e9\",\"any\":\"x\\ty\",\"id\":\"a\\tb\"}");
    assert_eq!((read.text.bytes, read.any.bytes), (4, 3));
    assert_eq!(read.id.text(), "a\tb");
    assert!(read.id.is("a\tb") && !read.id.is("a\\tb"));
    assert!(sample("{\"any\":{\"x\":1}}").any.filled && !sample("{\"any\":{}}").any.filled);
    assert!(sample("{\"any\":[0]}").any.filled && !sample("{\"any\":[]}").any.filled);
}

#[test]
fn names_may_have_escapes() {
    assert_eq!(sample("{\"t\\u0065xt\":\"abc\"}").text.bytes, 3);
}

#[test]
fn the_last_of_a_repeated_key_holds() {
    assert_eq!(sample("{\"text\":\"abc\",\"text\":\"\",\"alias\":\"ab\"}").text.bytes, 2);
}

#[test]
fn list_elements_of_unexpected_types_are_empty() {
    let read = sample("{\"items\":[{\"n\":1},null,\"x\",{\"n\":2}]}");
    let counts: alloc::vec::Vec<_> = read.items.0.iter().map(|item| item.n.value()).collect();
    assert_eq!(counts, [Some(1), None, None, Some(2)]);
}

#[test]
fn decimals_become_billionths() {
    assert_eq!(sample("{\"cost\":0.000669}").cost.billionths(), Some(669_000));
    assert_eq!(sample("{\"cost\":2}").cost.billionths(), Some(2_000_000_000));
    assert_eq!(sample("{\"cost\":1e300}").cost.billionths(), None);
    assert_eq!(sample("{\"cost\":-1}").cost.billionths(), None);
}
