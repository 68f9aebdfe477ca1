//! Error messages, made fit to be kept.

use alloc::string::String;

use crate::{
    limits::{MESSAGE_BYTES, cut},
    search::{find, rfind},
};

/// Strips control characters, replaces credentials by `***` and cuts to the cap.
///
/// Credentials are the user part of a URL, the values of URL parameters that carry keys, whatever follows `Bearer` or
/// `Basic`, and words that begin like API keys (`sk-…`, `AIza…`); also where a URL or JSON text has them encoded.
pub(crate) fn clean(message: &str) -> String {
    // Redaction never lengthens a word by more than the mark; reading four caps' worth is enough to fill one.
    let message = cut(message, MESSAGE_BYTES.saturating_mul(4));
    let mut plain = String::with_capacity(message.len());
    for c in message.chars() {
        if c.is_whitespace() {
            plain.push(' ');
        } else if !c.is_control() {
            plain.push(c);
        }
    }

    let mut out = String::with_capacity(plain.len());
    let mut after_scheme = false;
    for (at, word) in plain.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        if after_scheme && !word.is_empty() {
            out.push_str(MARK);
            after_scheme = false;
            continue;
        }
        redact_word(word, &mut out);
        if !word.is_empty() {
            let bare = word.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or(word);
            after_scheme = bare.eq_ignore_ascii_case("bearer") || bare.eq_ignore_ascii_case("basic") && word != "basic";
        }
    }
    cut(&out, MESSAGE_BYTES).into()
}

/// Stands for a credential.
const MARK: &str = "***";

/// Beginnings of API keys. What follows them is dropped up to the end of the key.
const KEY_PREFIXES: [&str; 8] = ["sk-", "sk_", "AIza", "gsk_", "xai-", "hf_", "AKIA", "ghp_"];

/// URL parameters whose value is a credential, in lower case.
const KEY_PARAMETERS: [&str; 10] =
    ["key", "api_key", "api-key", "apikey", "token", "access_token", "sig", "signature", "password", "secret"];

/// What stands between a parameter and its value, and what ends that value: as in a URL, in a URL inside of a URL, and in JSON
/// text that escapes more than it has to.
const EQUALS: [(&str, &[&str]); 3] = [
    ("=", &["&", "#", "\"", "'", ")"]),
    ("%3D", &["%26", "%23", "%22", "&", "\"", "'", ")"]),
    ("\\u003d", &["\\", "\"", "'", ")"]),
];

/// What stands before the user part of a URL, written in the same ways.
const SCHEME_ENDS: [&str; 3] = ["://", "%3A%2F%2F", ":\\/\\/"];

/// Schemes of a header with a credential behind them, and no blank but what stands for one in a URL.
const ENCODED_SCHEMES: [&str; 4] = ["bearer%20", "bearer+", "basic%20", "basic+"];

fn redact_word(word: &str, out: &mut String) {
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let at_boundary = is_boundary(out);
        if let Some(end) = SCHEME_ENDS.iter().find(|end| starts_with_ignore_case(rest, end)) {
            let (end, after) = rest.split_at_checked(end.len()).unwrap_or((rest, ""));
            out.push_str(end);
            rest = skip_user_part(after, out);
        } else if at_boundary && let Some(prefix) = KEY_PREFIXES.iter().find(|prefix| starts_key(rest, prefix)) {
            out.push_str(prefix.get(..2).unwrap_or_default());
            out.push_str(MARK);
            rest = rest.trim_start_matches(is_key_character);
        } else if at_boundary && let Some((name, ends)) = starts_parameter(rest) {
            let (name, value) = rest.split_at_checked(name).unwrap_or((rest, ""));
            out.push_str(name);
            out.push_str(MARK);
            rest = from_first(value, ends);
        } else if at_boundary
            && let Some(scheme) = ENCODED_SCHEMES.iter().find(|scheme| starts_with_ignore_case(rest, scheme))
        {
            let (scheme, value) = rest.split_at_checked(scheme.len()).unwrap_or((rest, ""));
            out.push_str(scheme);
            out.push_str(MARK);
            rest = from_first(value, &["&", "#", "\"", "'", ")", ","]);
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
}

/// Whether a name may begin after the text: it ends in no letter or digit but those of an encoded sign.
fn is_boundary(text: &str) -> bool {
    let is_encoded = |begin: &str, digits: usize| {
        let at = text.len().checked_sub(begin.len().saturating_add(digits));
        let code = at.and_then(|at| text.get(at..)).and_then(|end| end.strip_prefix(begin));
        code.is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    text.chars().next_back().is_none_or(|last| !last.is_ascii_alphanumeric())
        || is_encoded("%", 2)
        || is_encoded("\\u", 4)
}

/// Whether the text starts with a parameter that is a credential: how long its name is with the sign behind it, and what ends its
/// value.
fn starts_parameter(text: &str) -> Option<(usize, &'static [&'static str])> {
    let after_name = |name: &&str| text.get(name.len()..).filter(|_| starts_with_ignore_case(text, name));
    KEY_PARAMETERS.iter().find_map(|name| {
        let after = after_name(name)?;
        let (sign, ends) = EQUALS.iter().find(|(sign, _)| starts_with_ignore_case(after, sign))?;
        Some((name.len().saturating_add(sign.len()), *ends))
    })
}

/// The text from the first of these on; nothing when there is none.
fn from_first<'a>(text: &'a str, ends: &[&str]) -> &'a str {
    ends.iter().filter_map(|end| find(text, end)).min().and_then(|at| text.get(at..)).unwrap_or_default()
}

/// After `://`: drops `user:password@`, when there is one before the path.
fn skip_user_part<'a>(after: &'a str, out: &mut String) -> &'a str {
    let path = from_first(after, &["/", "?", "#", "\\", "%2F", "%2f", "%3F", "%3f", "%23"]);
    let authority = after.strip_suffix(path).unwrap_or(after);
    match ["@", "%40"].iter().filter_map(|at| rfind(authority, at)).max() {
        Some(at) => {
            out.push_str(MARK);
            after.get(at..).unwrap_or_default()
        }
        None => after,
    }
}

fn starts_key(text: &str, prefix: &str) -> bool {
    // A word such as `sk-` alone, or `hf_hub`, is no key: keys are long.
    const SHORTEST_KEY: usize = 12;
    text.starts_with(prefix) && text.chars().take_while(|c| is_key_character(*c)).count() >= SHORTEST_KEY
}

fn is_key_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*')
}

fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_replaced() {
        for (message, expected) in [
            ("no route to https://me:hunter2@api.example.com/v1?x=1", "no route to https://***@api.example.com/v1?x=1"),
            ("Authorization: Bearer abc.def.ghi rejected", "Authorization: Bearer *** rejected"),
            ("Incorrect API key provided: sk-proj-abcdefghijklmnop.", "Incorrect API key provided: sk***."),
            (
                "GET https://x.test/v1?key=AIzaSyA1234567890&alt=sse failed",
                "GET https://x.test/v1?key=***&alt=sse failed",
            ),
            (
                "to=https%3A%2F%2Fme%3Ahunter2%40a.test%2Fv1%3Fkey%3Dabc%26x%3D1",
                "to=https%3A%2F%2F***%40a.test%2Fv1%3Fkey%3D***%26x%3D1",
            ),
            (r#"{"url":"https:\/\/me:hunter2@a.test\/v1"}"#, r#"{"url":"https:\/\/***@a.test\/v1"}"#),
            (r#""/v1?x=1\u0026key\u003dabc\u0026x=1""#, r#""/v1?x=1\u0026key\u003d***\u0026x=1""#),
            ("key=a%26b&x=1 failed", "key=***&x=1 failed"),
            ("authorization=Bearer%20abc.def&x=1", "authorization=Bearer%20***&x=1"),
            ("the key is missing, token limit", "the key is missing, token limit"),
            ("the task-list is empty", "the task-list is empty"),
            ("a basic plan", "a basic plan"),
        ] {
            assert_eq!(clean(message), expected);
        }
    }

    #[test]
    fn control_characters_go_and_the_rest_is_cut_on_a_boundary() {
        assert_eq!(clean("a\u{0}b\nc\u{1b}[31m"), "ab c[31m");
        let long = clean(&"é".repeat(2_000));
        assert_eq!(long.len(), MESSAGE_BYTES);
    }
}
