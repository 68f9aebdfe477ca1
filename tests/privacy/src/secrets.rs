//! The secrets, how they are spelled, and which of them may come out where.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;

/// What `secrets.json` holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    schema: String,
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "secrets")]
    by_name: BTreeMap<String, Secret>,
    pub(crate) allowed: Vec<Allowed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    value: String,
    #[serde(rename = "what")]
    _what: String,
}

/// Secrets that may come out somewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowed {
    secrets: Which,
    /// Of every outlet.
    #[serde(default)]
    everywhere: bool,
    /// Of every outlet, where the configuration asks for error messages.
    #[serde(default)]
    with_messages: bool,
    /// Of these outlets.
    #[serde(default)]
    outlets: Vec<String>,
    pub(crate) why: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Which {
    /// Only the word `all`.
    All(String),
    Named(Vec<String>),
}

impl Secrets {
    /// Reads the file.
    ///
    /// # Panics
    /// When it cannot be read, or contradicts itself.
    pub fn load() -> Self {
        let secrets: Self = serde_json::from_str(include_str!("../secrets.json")).expect("secrets.json can be read");
        assert_eq!(secrets.schema, "llmspan.privacy/1");
        for allowed in &secrets.allowed {
            match &allowed.secrets {
                Which::All(word) => assert_eq!(word, "all"),
                Which::Named(names) => names.iter().for_each(|name| {
                    secrets.value(name);
                }),
            }
            assert!(allowed.why.len() > 20, "a reason is missing");
        }
        secrets
    }

    /// The value of a secret: letters and digits, so that it looks the same in URLs, headers and JSON.
    ///
    /// # Panics
    /// When there is no such secret.
    pub fn value(&self, name: &str) -> &str {
        &self.by_name.get(name).unwrap_or_else(|| panic!("there is no secret `{name}`")).value
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_name.iter().map(|(name, secret)| (name.as_str(), secret.value.as_str()))
    }

    /// Puts secrets in the places of a template: `{{name}}` in four spellings, `{{name|plain}}`, `{{name|base64}}`,
    /// `{{name|percent}}` in one, `{{name|1}}` and `{{name|2}}` by halves.
    ///
    /// # Panics
    /// When a place names no secret.
    pub fn spell(&self, template: &str) -> String {
        let mut places = template.split("{{");
        let mut parts = vec![String::from(places.next().unwrap_or_default())];
        for part in places {
            let (place, rest) = part.split_once("}}").expect("a place is closed");
            let (name, spelling) = place.split_once('|').unwrap_or((place, ""));
            let value = self.value(name);
            let (first, second) = value.split_at(value.len() / 2);
            parts.push(match spelling {
                "" => format!("{value} {} {} {}", escaped(value), BASE64.encode(value), percent(value)),
                "plain" => value.into(),
                "base64" => BASE64.encode(value),
                "percent" => percent(value),
                "1" => first.into(),
                "2" => second.into(),
                other => panic!("there is no spelling `{other}`"),
            });
            parts.push(rest.into());
        }
        parts.concat()
    }

    /// The place in the list of what allows a secret to come out there.
    pub(crate) fn allowed(&self, secret: &str, outlet: &str, with_messages: bool) -> Option<usize> {
        self.allowed.iter().position(|allowed| {
            let is_meant = match &allowed.secrets {
                Which::All(_) => true,
                Which::Named(names) => names.iter().any(|name| name == secret),
            };
            let is_there = allowed.everywhere
                || with_messages && allowed.with_messages
                || allowed.outlets.iter().any(|allowed| allowed == outlet);
            is_meant && is_there
        })
    }
}

/// As JSON may write any character.
pub(crate) fn escaped(text: &str) -> String {
    by_byte(text, |byte| format!("\\u{byte:04x}"))
}

pub(crate) fn percent(text: &str) -> String {
    by_byte(text, |byte| format!("%{byte:02X}"))
}

pub(crate) fn by_byte(text: &str, write: fn(u8) -> String) -> String {
    text.bytes().map(write).collect::<Vec<_>>().concat()
}
