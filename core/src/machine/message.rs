//! Error messages, made fit to be kept.

use alloc::string::String;

use crate::limits::{MESSAGE_BYTES, cut};

/// Strips control characters, replaces credentials by `***` and cuts to the cap.
///
/// Credentials are the user part of a URL, the values of URL parameters that carry keys, whatever follows `Bearer` or
/// `Basic`, and words that begin like API keys (`sk-…`, `AIza…`).
pub(crate) fn clean(message: &str) -> String {
    // Redaction never lengthens a word by more than the mark; reading four caps' worth is enough to fill one.
    let message = cut(message, MESSAGE_BYTES.saturating_mul(4));
    let plain: String =
        message.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()).collect();

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
const KEY_PARAMETERS: [&str; 9] =
    ["key=", "api_key=", "api-key=", "apikey=", "token=", "access_token=", "sig=", "signature=", "password="];

fn redact_word(word: &str, out: &mut String) {
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let at_boundary = out.chars().next_back().is_none_or(|last| !last.is_ascii_alphanumeric());
        if let Some(after) = rest.strip_prefix("://") {
            out.push_str("://");
            rest = skip_user_part(after, out);
        } else if at_boundary && let Some(prefix) = KEY_PREFIXES.iter().find(|prefix| starts_key(rest, prefix)) {
            out.push_str(prefix.get(..2).unwrap_or_default());
            out.push_str(MARK);
            rest = rest.trim_start_matches(is_key_character);
        } else if at_boundary
            && let Some(parameter) = KEY_PARAMETERS.iter().find(|name| starts_with_ignore_case(rest, name))
        {
            out.push_str(rest.get(..parameter.len()).unwrap_or_default());
            out.push_str(MARK);
            rest = rest
                .get(parameter.len()..)
                .unwrap_or_default()
                .trim_start_matches(|c| !matches!(c, '&' | '#' | '"' | '\'' | ')'));
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
}

/// After `://`: drops `user:password@`, when there is one before the path.
fn skip_user_part<'a>(after: &'a str, out: &mut String) -> &'a str {
    let authority_end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let authority = after.get(..authority_end).unwrap_or_default();
    match authority.rfind('@') {
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
