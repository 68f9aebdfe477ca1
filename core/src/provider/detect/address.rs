//! The parts of a URL that tell about its API.

use crate::framing::Framing;
use crate::provider::Protocol;
use crate::search::{rsplit_once, split_once};

/// A URL in parts, none of them decoded.
#[derive(Clone, Copy, Debug)]
pub(in crate::provider) struct Address<'a> {
    /// Empty when the URL has none.
    host: &'a str,
    /// Digits, or empty.
    port: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Address<'a> {
    /// Takes an absolute URL, one without its scheme, or only a path.
    pub(in crate::provider) fn parse(url: &'a str) -> Self {
        let url = url.split('#').next().unwrap_or_default().trim();
        let (before, query) = url.split_once('?').unwrap_or((url, ""));
        let is_scheme = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let without_scheme = match split_once(before, "://") {
            Some((scheme, rest)) if is_scheme(scheme) => Some(rest),
            _ => before.strip_prefix("//"),
        };
        // Without a scheme the first name is a host when it looks like one.
        let is_host =
            |text: &str| !text.starts_with('/') && text.split('/').next().is_some_and(|name| name.contains('.'));
        let (authority, path) = match without_scheme.or_else(|| is_host(before).then_some(before)) {
            Some(rest) => rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "")),
            None => ("", before),
        };
        let place = authority.rsplit('@').next().unwrap_or_default();
        // An address of version 6 stands in brackets and has colons of its own.
        let end_of_host = place.rfind(']').map_or(0, |at| at.saturating_add(1));
        let (literal, rest) = place.split_at_checked(end_of_host).unwrap_or(("", place));
        let (name, port) = rest.split_once(':').unwrap_or((rest, ""));
        Self { host: if literal.is_empty() { name } else { literal }, port, path, query }
    }

    /// The host as it is written; empty when the URL has none.
    pub(in crate::provider) fn host(&self) -> &'a str {
        self.host
    }

    /// The port that the URL names.
    pub(in crate::provider) fn port(&self) -> Option<u16> {
        self.port.parse().ok()
    }

    /// The path, without the query.
    pub(in crate::provider) fn path(&self) -> &'a str {
        self.path
    }

    /// Whether the host is that one, or below it.
    pub(in crate::provider) fn is_at(&self, domain: &str) -> bool {
        let at = self.host.len().checked_sub(domain.len());
        let Some((before, end)) = at.and_then(|at| self.host.split_at_checked(at)) else { return false };
        end.eq_ignore_ascii_case(domain) && (before.is_empty() || before.ends_with('.'))
    }

    /// The segments of the path from its end, without empty ones.
    pub(in crate::provider) fn segments(&self) -> impl Iterator<Item = &'a str> {
        self.path.rsplit('/').filter(|segment| !segment.is_empty())
    }

    /// Whether the path ends in these segments, `*` standing for any.
    pub(in crate::provider) fn ends_with(&self, tail: &[&str]) -> bool {
        let mut segments = self.segments();
        tail.iter()
            .rev()
            .all(|wanted| segments.next().is_some_and(|segment| *wanted == "*" || segment.eq_ignore_ascii_case(wanted)))
    }

    /// The method behind the colon of Google's custom methods, as in `models/gemini:generateContent`.
    pub(in crate::provider) fn method(&self) -> Option<&'a str> {
        let last = self.segments().next()?;
        let split = last.rsplit_once(':').or_else(|| rsplit_once(last, "%3A")).or_else(|| rsplit_once(last, "%3a"));
        split.map(|(_, method)| method)
    }

    /// Whether the path names the publisher of a model at Vertex.
    pub(in crate::provider) fn is_of_publisher(&self, publisher: &str) -> bool {
        let mut behind = "";
        for segment in self.segments() {
            if segment == "publishers" && behind == publisher {
                return true;
            }
            behind = segment;
        }
        false
    }

    /// How the protocol is framed at this address, unless the response says otherwise.
    pub(in crate::provider) fn framing(&self, protocol: Protocol) -> Framing {
        let is_array = Protocol::ALL_ARE_DECODED
            && self.method() == Some("streamGenerateContent")
            && self.query.split('&').all(|pair| pair != "alt=sse");
        if is_array { Framing::JsonArray } else { protocol.framing() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        for (url, host, port, path, query) in [
            ("https://a.example:8080/v1/x?y=1#z", "a.example", Some(8080), "/v1/x", "y=1"),
            ("HTTP://user:p@A.example", "A.example", None, "", ""),
            ("//a.example/x", "a.example", None, "/x", ""),
            ("a.example/v1/x/", "a.example", None, "/v1/x/", ""),
            ("/v1/x?to=https://b.example/y", "", None, "/v1/x", "to=https://b.example/y"),
            ("v1/x", "", None, "v1/x", ""),
            ("http://[::1]:80/x", "[::1]", Some(80), "/x", ""),
            ("http://[::1]/x", "[::1]", None, "/x", ""),
            ("http://a.example:99999/", "a.example", None, "/", ""),
            ("", "", None, "", ""),
        ] {
            let address = Address::parse(url);
            assert_eq!((address.host, address.port(), address.path, address.query), (host, port, path, query), "{url}");
        }
    }

    #[test]
    fn a_host_is_whole_names() {
        let is_at = |host: &str| Address::parse(host).is_at("mistral.ai");
        assert!(is_at("https://API.Mistral.AI/v1") && is_at("https://mistral.ai"));
        assert!(!is_at("https://notmistral.ai/v1") && !is_at("https://mistral.ai.example/v1") && !is_at("/v1"));
    }
}
