//! Texts inside of texts.
//!
//! The standard library looks for a text with a search that is never quadratic, in many times the code and with tables of
//! Unicode for its panics. What is looked for here is a few characters long. A single character is looked for with the
//! standard library.

use alloc::string::String;

/// The first place where `part` begins.
pub(crate) fn find(text: &str, part: &str) -> Option<usize> {
    let text = text.as_bytes();
    (0..=text.len()).find(|&at| begins_at(text, at, part))
}

/// The last place where `part` begins.
pub(crate) fn rfind(text: &str, part: &str) -> Option<usize> {
    let text = text.as_bytes();
    (0..=text.len()).rev().find(|&at| begins_at(text, at, part))
}

/// What is before and behind the first `part`.
pub(crate) fn split_once<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    around(text, find(text, part)?, part)
}

/// What is before and behind the last `part`.
pub(crate) fn rsplit_once<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    around(text, rfind(text, part)?, part)
}

/// The text with another one in place of every `part`, which is not empty.
pub(crate) fn replace(text: &str, part: &str, with: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = split_once(rest, part) {
        out.push_str(before);
        out.push_str(with);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn begins_at(text: &[u8], at: usize, part: &str) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(part.as_bytes()))
}

fn around<'a>(text: &'a str, at: usize, part: &str) -> Option<(&'a str, &'a str)> {
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, rest.strip_prefix(part)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_as_by_the_standard_library() {
        for text in ["", "a", "aa", "aba", "://", "x://y://z", "é%3Aé%3A", "%3%3A", "no", "ééé"] {
            for part in ["a", "aa", "ab", "://", "%3A", "é", "éé", "longer than any text"] {
                assert_eq!(find(text, part), text.find(part), "{part} in {text}");
                assert_eq!(rfind(text, part), text.rfind(part), "{part} in {text}");
                assert_eq!(split_once(text, part), text.split_once(part), "{part} in {text}");
                assert_eq!(rsplit_once(text, part), text.rsplit_once(part), "{part} in {text}");
                assert_eq!(replace(text, part, "-"), text.replace(part, "-"), "{part} in {text}");
            }
        }
    }
}
