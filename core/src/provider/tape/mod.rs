//! Events taken down, value by value, before they are read.

mod reader;
mod scribe;

use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed as _, Deserializer};

pub(crate) use self::reader::TapeReader;
use self::scribe::Scribe;
use super::json::{Malformed, Number};
use super::protocol::Protocol;
use super::source::Source as _;

/// Scratch space for a provider event that a host holds as its own objects.
///
/// A host keeps one and hands it to [`Decoder::decode_value`](super::Decoder::decode_value) again and again: once it has
/// grown to the size of an event it allocates no more. It holds the event until the next one is taken down; room beyond
/// 64 KiB of text is given back then.
#[derive(Clone, Default)]
pub struct Tape {
    /// Empty when the event could not be read.
    tokens: Vec<Token>,
    /// The bytes of all strings, each valid UTF-8, with whatever between them.
    text: Vec<u8>,
    pub(in crate::provider) spelling: Spelling,
    /// Where the event begins: behind what a library wraps it in.
    start: usize,
}

/// How the names of members are spelled, beside the spelling of the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::provider) enum Spelling {
    /// As on the wire.
    #[default]
    Wire,
    /// Like `content_block_delta`, where the wire has `contentBlockDelta`.
    Snake,
    /// Like `finishReason`, where the wire has `finish_reason`.
    Camel,
}

impl Spelling {
    /// How libraries spell the names of that protocol, besides as the wire does.
    fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::BedrockConverse | Protocol::VercelUiMessage => Self::Snake,
            Protocol::CohereChat | Protocol::MistralChat => Self::Camel,
            _ => Self::Wire,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(in crate::provider) enum Token {
    Object,
    Array,
    /// Of the innermost object or array.
    End,
    /// Name of the member that follows.
    Name(Span),
    Text(Span),
    /// Of an object of a host.
    Number(Number),
    /// As it stands in JSON text: most are never asked for.
    Digits(Span),
    Bool(bool),
    Null,
}

/// Bytes of [`Tape::text`].
#[derive(Clone, Copy, Debug)]
pub(in crate::provider) struct Span {
    pub(in crate::provider) start: usize,
    pub(in crate::provider) end: usize,
}

/// Without the event, which is content: hosts write what they hold to their logs.
impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tokens, text, spelling, start: _ } = self;
        let mut tape = f.debug_struct("Tape");
        tape.field("values", &tokens.len()).field("text_bytes", &text.len()).field("spelling", spelling).finish()
    }
}

impl Tape {
    /// Takes an event down in place of the one before.
    ///
    /// Members may be named in `snake_case` where the protocol has `camelCase` on the wire, as the objects of Python
    /// libraries are, and the other way round where libraries of JavaScript do that. An event of a server that sends events
    /// may be handed over as such: then the event is the object in its member `data`. Bytes become base64 text, as on the
    /// wire. What the deserializer refuses is decoded as an event that cannot be read.
    pub fn take_down<'de, D: Deserializer<'de>>(&mut self, protocol: Protocol, event: D) {
        self.clear();
        self.spelling = Spelling::of(protocol);
        if Scribe::new(self).deserialize(event).is_err() {
            self.clear();
        }
        self.start = self.wrapped().unwrap_or_default();
    }

    /// Takes the JSON text of an object of a host down, as [`take_down`](Self::take_down) does with the object.
    pub(crate) fn take_down_object(&mut self, protocol: Protocol, json: &[u8]) {
        if self.take_down_json_of(Spelling::of(protocol), json).is_err() {
            self.clear();
        }
        self.start = self.wrapped().unwrap_or_default();
    }

    /// Whether JSON text of a library's object, read as the wire's own, could be misread.
    pub(crate) fn is_needed(protocol: Protocol, json: &[u8]) -> bool {
        Spelling::of(protocol) == Spelling::Camel || json.starts_with(br#"{"data":{"#)
    }

    /// Whether the event was wrapped in an event of a server that sends events.
    pub(in crate::provider) fn is_wrapped(&self) -> bool {
        self.start > 0
    }

    /// Whether an event was taken down, and could be read.
    pub(in crate::provider) fn is_readable(&self) -> bool {
        !self.tokens.is_empty()
    }

    pub(in crate::provider) fn clear(&mut self) {
        self.tokens.clear();
        self.text.clear();
        self.spelling = Spelling::Wire;
        self.start = 0;
        self.tokens.shrink_to(KEPT_TOKENS);
        self.text.shrink_to(KEPT_TEXT);
    }

    /// The event, if it is nothing but a string.
    pub(in crate::provider) fn lone_text(&self) -> Option<&[u8]> {
        match self.tokens.as_slice() {
            [Token::Text(span)] => Some(self.text_of(*span)),
            _ => None,
        }
    }

    /// Where the event begins that is wrapped in one with the fields of server-sent events, `data` among them.
    ///
    /// The WHATWG's HTML standard, section 9.2.6, names the fields.
    fn wrapped(&self) -> Option<usize> {
        let mut tape = TapeReader::new(self, 0);
        let mut start = None;
        let is_event = tape.members(|tape, name| match name {
            b"data" if tape.peek() == Some(b'{') => {
                start = Some(tape.at);
                tape.skip_value()
            }
            _ if [&b"event"[..], b"id", b"retry"].contains(&name) => tape.skip_value(),
            _ => Err(Malformed),
        });
        start.filter(|_| is_event.is_ok())
    }

    /// Reads the tape from the begin of its event.
    pub(crate) fn reader(&self) -> TapeReader<'_> {
        TapeReader::new(self, self.start)
    }

    /// Puts the name of a member down as the wire spells it.
    pub(in crate::provider) fn push_name(&mut self, name: Span) -> Result<(), Malformed> {
        let is_other = match self.spelling {
            Spelling::Wire => false,
            // A name that begins with an underscore is no word: `__type` of AWS.
            Spelling::Snake => {
                matches!(self.text_of(name), [first, rest @ ..] if *first != b'_' && rest.contains(&b'_'))
            }
            Spelling::Camel => self.text_of(name).iter().any(u8::is_ascii_uppercase),
        };
        let name = if is_other { self.respelled(name)? } else { name };
        self.push(Token::Name(name))
    }

    /// A name in the other spelling, behind the rest of the text.
    fn respelled(&mut self, name: Span) -> Result<Span, Malformed> {
        let start = self.text.len();
        for at in name.start..name.end {
            let byte = self.text.get(at).copied().ok_or(Malformed)?;
            if self.spelling == Spelling::Camel {
                if byte.is_ascii_uppercase() {
                    self.text.push(b'_');
                }
                self.text.push(byte.to_ascii_lowercase());
            } else if at > name.start && byte.is_ascii_lowercase() && self.text.last() == Some(&b'_') {
                self.text.pop();
                self.text.push(byte.to_ascii_uppercase());
            } else {
                // An underscore that no letter follows stays.
                self.text.push(byte);
            }
        }
        let end = self.text.len();
        if end > TEXT_LIMIT { Err(Malformed) } else { Ok(Span { start, end }) }
    }

    #[expect(
        clippy::inline_always,
        reason = "every value of every event goes through it, also where code is made small"
    )]
    #[inline(always)]
    pub(in crate::provider) fn push(&mut self, token: Token) -> Result<(), Malformed> {
        if self.tokens.len() >= TOKEN_LIMIT {
            return Err(Malformed);
        }
        self.tokens.push(token);
        Ok(())
    }

    pub(in crate::provider) fn append(&mut self, text: &[u8]) -> Result<Span, Malformed> {
        let start = self.text.len();
        let end = start.saturating_add(text.len());
        if end > TEXT_LIMIT {
            return Err(Malformed);
        }
        self.text.extend_from_slice(text);
        Ok(Span { start, end })
    }

    #[expect(
        clippy::inline_always,
        reason = "every value of every event goes through it, also where code is made small"
    )]
    #[inline(always)]
    fn text_of(&self, span: Span) -> &[u8] {
        self.text.get(span.start..span.end).unwrap_or_default()
    }
}

/// Room for values that is kept from one event to the next.
const KEPT_TOKENS: usize = 1 << 12;

/// Room for bytes of text that is kept from one event to the next.
const KEPT_TEXT: usize = 64 << 10;

/// Values of one event that are taken down.
const TOKEN_LIMIT: usize = 1 << 20;

/// Bytes of text of one event that are taken down.
pub(in crate::provider) const TEXT_LIMIT: usize = 16 << 20;
