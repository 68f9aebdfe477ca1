//! Which protocol a response speaks, by what HTTP alone tells.

mod address;
mod rules;
mod shape;
#[cfg(test)]
mod tests;

pub(super) use self::address::Address;
use self::rules::{Verdict, verdict};
use super::{Protocol, Tape, source::Input, spelling::unwrapped};
use crate::framing::Framing;

/// What a response speaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Detected {
    /// The protocol of its events.
    pub protocol: Protocol,
    /// How its bytes are cut into events.
    pub framing: Framing,
}

impl Protocol {
    /// Finds the protocol of a response, for callers that see nothing but HTTP: proxies and hooks around a client.
    ///
    /// `url` is the address of the request, absolute or from its path on; `headers` are those of the response, in any case;
    /// `first_bytes` are the first bytes of its body, decompressed, of which up to 2 KiB are looked at. Each of them may be
    /// empty. `None` means that the response is no answer of a model in a known protocol: embeddings, lists of models, files,
    /// audio and batches among others.
    ///
    /// The end of the path decides, whatever a gateway puts before it; then the shape of the first event. Where a path is
    /// common to several protocols, a shape that speaks for another one wins:
    ///
    /// - `/responses`, `/api/chat`, `/api/generate`, `/generate` and `/v1/generate` are used by many servers. A stream of
    ///   server-sent events at `/api/chat` is no Ollama.
    /// - `/chat/completions` is [`Protocol::OpenAiChat`] at every host but Mistral's; the two differ in what they add to the
    ///   same shape.
    /// - What `InvokeModel` of Bedrock answers has the shape of the model's own protocol: only the path tells it apart.
    /// - `/responses/{id}` and `/chat/completions/{id}` give back an answer that was counted before, and are none.
    ///
    /// Without the feature `protocols` nothing but chat and text completions is found.
    ///
    /// The framing follows the content type, then the first byte, then the protocol.
    ///
    /// # Examples
    /// ```
    /// use llmspan_core::{framing::Framing, provider::Protocol};
    ///
    /// let headers = [("content-type", "text/event-stream; charset=utf-8")];
    /// let detected = Protocol::detect("https://gateway.example/anthropic/v1/messages?beta=true", headers, b"").unwrap();
    /// assert_eq!((detected.protocol, detected.framing), (Protocol::AnthropicMessages, Framing::Sse));
    ///
    /// let body = br#"{"id":"c1","object":"chat.completion","choices":[]}"#;
    /// let detected = Protocol::detect("/llm", [], body).unwrap();
    /// assert_eq!((detected.protocol, detected.framing), (Protocol::OpenAiChat, Framing::Json));
    ///
    /// assert_eq!(Protocol::detect("/v1/embeddings", [], b""), None);
    /// ```
    pub fn detect<'a>(
        url: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        first_bytes: &[u8],
    ) -> Option<Detected> {
        let mut media = Media::Unknown;
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("content-type") {
                media = Media::of(value);
            } else if name.eq_ignore_ascii_case("x-vercel-ai-ui-message-stream") && value.trim() == "v1" {
                return Some(Detected { protocol: Self::VercelUiMessage, framing: Framing::Sse });
            }
        }
        let start = shape::trim_start(first_bytes.get(..WINDOW).unwrap_or(first_bytes));
        let address = Address::parse(url);
        let (protocol, framing) = match verdict(&address) {
            Verdict::Firm(protocol) => (protocol, address.framing(protocol)),
            Verdict::Whole(protocol) => (protocol, Framing::Json),
            Verdict::Weak(protocol) => {
                let other = shape::protocol(start);
                if other.is_none() && protocol == Self::OllamaChat && media == Media::EventText {
                    return None;
                }
                let protocol = other.unwrap_or(protocol);
                (protocol, protocol.framing())
            }
            Verdict::Unknown => {
                let protocol = rules::at_host(&address, shape::protocol(start)?);
                (protocol, protocol.framing())
            }
            Verdict::Not => return None,
        };
        Some(Detected {
            protocol,
            framing: media.framing(start).or_else(|| shape::framing(start, protocol)).unwrap_or(framing),
        })
    }

    /// Finds the protocol of one event, given as JSON text, as [`Tape::detect`] does of an object.
    ///
    /// ```
    /// use llmspan_core::provider::Protocol;
    ///
    /// let json = r#"{"id": "c1", "object": "chat.completion.chunk", "choices": []}"#;
    /// assert_eq!(Protocol::detect_event(json), Some(Protocol::OpenAiChat));
    /// assert_eq!(Protocol::detect_event(&json[..20]), None, "no JSON");
    /// ```
    pub fn detect_event(json: &str) -> Option<Self> {
        let (event, json) = (unwrapped(json.as_bytes()), json.as_bytes());
        shape::protocol_of(Input::Json(event.unwrap_or(json)), event.is_some())
    }
}

/// Whether data is the JSON of one event, and not the bytes of a response: an object with nothing behind it. A line of a
/// response has its line feed.
///
/// ```
/// use llmspan_core::provider::is_event;
///
/// assert!(is_event(br#"{"choices": []}"#));
/// assert!(!is_event(b"data: {}\n\n") && !is_event(b"{}\n") && !is_event(b""));
/// ```
pub fn is_event(data: &[u8]) -> bool {
    data.trim_ascii_start().first() == Some(&b'{') && data.last() == Some(&b'}')
}

impl Tape {
    /// Finds the protocol of the event that was taken down, by its shape: for callers that are handed a stream of objects and not
    /// told whose. `None` when it has no shape that is known; a ping, say, or an object of another kind.
    pub fn detect(&self) -> Option<Protocol> {
        shape::protocol_of(Input::Held(self), self.is_wrapped())
    }
}

/// What an address alone tells of the response that it will give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated {
    pub(super) protocol: Protocol,
    /// Whether it will be a stream, where that is a matter of the path.
    pub(super) stream: Option<bool>,
}

/// What an address tells; `None` when it tells nothing.
pub(super) fn stated(address: &Address<'_>) -> Option<Stated> {
    let (protocol, is_whole) = match verdict(address) {
        Verdict::Firm(protocol) | Verdict::Weak(protocol) => (protocol, false),
        Verdict::Whole(protocol) => (protocol, true),
        Verdict::Unknown | Verdict::Not => return None,
    };
    let stream = if is_whole { Some(false) } else { rules::streams(address) };
    Some(Stated { protocol, stream })
}

/// Bytes of a body that are looked at.
const WINDOW: usize = 2048;

/// What a content type says of the framing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Media {
    EventBinary,
    EventText,
    Json,
    Lines,
    Unknown,
}

impl Media {
    fn of(content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let is_one_of = |kinds: &[&str]| kinds.iter().any(|known| kind.eq_ignore_ascii_case(known));
        if is_one_of(&["text/event-stream"]) {
            Self::EventText
        } else if is_one_of(&["application/vnd.amazon.eventstream"]) {
            Self::EventBinary
        } else if is_one_of(&[
            "application/x-ndjson",
            "application/ndjson",
            "application/stream+json",
            "application/jsonl",
        ]) {
            Self::Lines
        } else if is_one_of(&["application/json"]) {
            Self::Json
        } else {
            Self::Unknown
        }
    }

    fn framing(self, start: &[u8]) -> Option<Framing> {
        match self {
            Self::EventBinary => Some(Framing::EventStream),
            Self::EventText => Some(Framing::Sse),
            Self::Json if start.first() == Some(&b'[') => Some(Framing::JsonArray),
            Self::Json => Some(Framing::Json),
            Self::Lines => Some(Framing::Ndjson),
            Self::Unknown => None,
        }
    }
}
