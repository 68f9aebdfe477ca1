//! A request and its answers, with secrets in them.

use std::collections::BTreeMap;

use llmspan_core::provider::Protocol;
use serde::Deserialize;
use serde_json::Value;

use crate::{frames::frame, secrets::Secrets};

/// A request in one protocol, and what may come back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// The protocol.
    pub protocol: Protocol,
    /// Address of the request.
    pub url: String,
    /// Headers of the request.
    pub request_headers: Vec<(String, String)>,
    /// Body of the request.
    pub request: String,
    /// Headers of every response.
    pub response_headers: Vec<(String, String)>,
    /// The events of a stream as they are on the wire.
    pub frames: Vec<Vec<u8>>,
    /// The same events as JSON text, as an SDK hands them out.
    pub events: Vec<String>,
    /// The answer as one body.
    pub whole: String,
    /// The body of an error.
    pub error: String,
    /// An error inside a stream.
    pub error_frame: Vec<u8>,
    /// An error body that is no JSON.
    pub error_page: String,
    /// Kinds of content that the record of the stream has to count.
    pub shows: Vec<String>,
}

impl Exchange {
    /// Headers of a response, as the host gets them.
    pub fn response_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.response_headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Headers of the request.
    pub fn request_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.request_headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The exchanges of `exchanges.json`: at least one in every protocol.
///
/// # Panics
/// When the file cannot be read, or lacks a protocol.
pub fn exchanges(secrets: &Secrets) -> Vec<Exchange> {
    let file: File = serde_json::from_str(include_str!("../exchanges.json")).expect("exchanges.json can be read");
    assert_eq!(file.schema, "llmspan.privacy.exchanges/1");
    for protocol in Protocol::ALL {
        assert!(file.exchanges.iter().any(|raw| raw.protocol == *protocol), "{protocol} has no exchange");
    }
    file.exchanges.iter().map(|raw| file.exchange(raw, secrets)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    #[serde(rename = "about")]
    _about: String,
    url: String,
    request_headers: BTreeMap<String, String>,
    response_headers: BTreeMap<String, String>,
    error_page: String,
    exchanges: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    protocol: Protocol,
    framing: String,
    path: String,
    #[serde(rename = "whole_path")]
    _whole_path: String,
    headers: BTreeMap<String, String>,
    request: Value,
    stream: Vec<Value>,
    whole: Value,
    error: Value,
    error_event: Value,
    shows: Vec<String>,
}

impl File {
    fn exchange(&self, raw: &Raw, secrets: &Secrets) -> Exchange {
        let spell = |text: &str| secrets.spell(text);
        let pairs = |headers: &BTreeMap<String, String>| -> Vec<(String, String)> {
            headers.iter().map(|(name, value)| (name.clone(), spell(value))).collect()
        };
        let separator = if raw.path.contains('?') { "&" } else { "?" };
        let url = self.url.replace("{host}", "models.example.com").replace("{path}", &raw.path);
        let frames = raw.stream.iter().enumerate();
        Exchange {
            protocol: raw.protocol,
            url: spell(&url.replace("{separator}", separator)),
            request_headers: [pairs(&self.request_headers), pairs(&raw.headers)].concat(),
            request: spell(&raw.request.to_string()),
            response_headers: pairs(&self.response_headers),
            frames: frames.map(|(index, event)| frame(&raw.framing, event, index, spell)).collect(),
            events: raw.stream.iter().map(|event| spell(&event_object(raw.protocol, event))).collect(),
            whole: spell(&raw.whole.to_string()),
            error: spell(&raw.error.to_string()),
            error_frame: frame(&raw.framing, &raw.error_event, 1, spell),
            error_page: spell(&self.error_page),
            shows: raw.shows.clone(),
        }
    }
}

/// An event as SDKs hand it out: those of Bedrock have the name of the event around it.
fn event_object(protocol: Protocol, event: &Value) -> String {
    match (protocol, event.get("event").and_then(Value::as_str)) {
        (Protocol::BedrockConverse, Some(name)) => serde_json::json!({name: event["data"]}).to_string(),
        (_, Some(_)) => event["data"].to_string(),
        (_, None) => event.to_string(),
    }
}
