//! The search for secrets in whatever comes out.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};

use crate::secrets::{Secrets, by_byte, escaped, percent};

/// Something that came out.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by tests, field by field")]
pub struct Output {
    /// What wrote it: one of the outlets that `allowed` may name.
    pub outlet: String,
    /// Whether the configuration asked for error messages.
    pub with_messages: bool,
    /// What was written.
    pub bytes: Vec<u8>,
}

/// A secret that came out where it may not.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Leak {
    /// Name of the secret.
    pub secret: String,
    /// How it was spelled there.
    pub spelling: &'static str,
    /// What wrote it.
    pub outlet: String,
    /// What stands around it.
    pub around: String,
}

/// Finds every secret in every spelling, also half of one.
#[derive(Debug)]
pub struct Search<'a> {
    secrets: &'a Secrets,
    needles: AhoCorasick,
    meanings: Vec<(&'a str, &'static str)>,
}

impl<'a> Search<'a> {
    /// A search for all secrets.
    ///
    /// # Panics
    /// When the list of secrets is too long.
    pub fn new(secrets: &'a Secrets) -> Self {
        let (mut needles, mut meanings) = (Vec::new(), Vec::new());
        for (name, value) in secrets.iter() {
            let (first, second) = value.split_at(value.len() / 2);
            for half in [first, second] {
                for (spelling, needle) in spellings(half) {
                    needles.push(needle);
                    meanings.push((name, spelling));
                }
            }
        }
        let needles = AhoCorasick::builder().ascii_case_insensitive(true).build(needles);
        Self { secrets, needles: needles.expect("the needles are few"), meanings }
    }

    /// The secrets in an output that may not be there, each once per spelling. Takes down which entries of `allowed` were
    /// made use of.
    pub fn leaks(&self, output: &Output, used: &mut BTreeSet<usize>) -> BTreeSet<Leak> {
        let mut told = BTreeSet::new();
        let mut leaks = BTreeSet::new();
        for (secret, spelling, at) in self.matches(&output.bytes) {
            if !told.insert((secret, spelling)) {
                continue;
            }
            if let Some(allowed) = self.secrets.allowed(secret, &output.outlet, output.with_messages) {
                used.insert(allowed);
                continue;
            }
            let around = output.bytes.get(at.saturating_sub(80)..output.bytes.len().min(at + 40)).unwrap_or_default();
            let around = String::from_utf8_lossy(around).into_owned();
            leaks.insert(Leak { secret: secret.into(), spelling, outlet: output.outlet.clone(), around });
        }
        leaks
    }

    /// Names of the secrets in some bytes, allowed or not.
    pub fn found(&self, bytes: &[u8]) -> BTreeSet<&'a str> {
        self.matches(bytes).map(|(secret, ..)| secret).collect()
    }

    /// The reasons of `allowed` that nothing made use of: places that nothing comes out of any more.
    pub fn unused(&self, used: &BTreeSet<usize>) -> Vec<&str> {
        let all = self.secrets.allowed.iter().enumerate();
        all.filter(|(at, _)| !used.contains(at)).map(|(_, allowed)| allowed.why.as_str()).collect()
    }

    fn matches(&self, bytes: &[u8]) -> impl Iterator<Item = (&'a str, &'static str, usize)> {
        self.needles.find_overlapping_iter(bytes).map(|found| {
            let (secret, spelling) = self.meanings[found.pattern().as_usize()];
            (secret, spelling, found.start())
        })
    }
}

/// How text may be written. It has letters and digits only, so that base64 is the same for URLs.
fn spellings(text: &str) -> Vec<(&'static str, String)> {
    let numbers = |separator: &str| text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(separator);
    let mut spellings = vec![
        ("plain", text.into()),
        ("JSON escapes", escaped(text)),
        ("percent", percent(text)),
        ("hexadecimal", by_byte(text, |byte| format!("{byte:02x}"))),
        ("bytes", numbers(", ")),
        ("bytes", numbers(",")),
        ("bytes", numbers(",\n")),
    ];
    // Where in a group of three bytes the text begins changes how it is written; what its neighbours take part in is cut.
    for (before, cut) in [(0, 0), (1, 2), (2, 3)] {
        let encoded = BASE64.encode([&vec![0; before], text.as_bytes()].concat());
        let whole = (before + text.len()) / 3 * 4;
        spellings.push(("base64", encoded[cut..whole].into()));
    }
    spellings
}
