//! Events taken down, value by value, before they are read.

mod reader;
mod scribe;

use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed as _, Deserializer};

use self::reader::TapeReader;
use self::scribe::Scribe;
use super::json::{Malformed, Number};
use super::lenient::Slot;
use super::protocol::Protocol;
use super::source::{DynSource as _, Held};
use super::spelling::{Spelling, is_of_wrapper};

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
    spelling: Spelling,
    /// Where the event begins: behind what a library wraps it in.
    start: usize,
}

#[derive(Clone, Copy, Debug)]
enum Token {
    Object,
    Array,
    /// Of the innermost object or array.
    End,
    /// Name of the member that follows.
    Name(Span),
    Text(Span),
    Number(Number),
    Bool(bool),
    Null,
}

/// Bytes of [`Tape::text`].
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
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

    /// Whether the event was wrapped in an event of a server that sends events.
    pub(in crate::provider) fn is_wrapped(&self) -> bool {
        self.start > 0
    }

    /// Whether an event was taken down, and could be read.
    pub(in crate::provider) fn is_readable(&self) -> bool {
        !self.tokens.is_empty()
    }

    fn clear(&mut self) {
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
    fn wrapped(&self) -> Option<usize> {
        let mut tape = TapeReader::new(self, 0);
        let mut start = None;
        let is_event = tape.members(|tape, name| match name {
            b"data" if tape.begins(b'{') => {
                start = Some(tape.at);
                tape.skip_value()
            }
            _ if is_of_wrapper(name) => tape.skip_value(),
            _ => Err(Malformed),
        });
        start.filter(|_| is_event.is_ok())
    }

    /// Puts the name of a member down as the wire spells it.
    fn push_name(&mut self, name: &[u8]) -> Result<(), Malformed> {
        let name = match self.spelling {
            Spelling::Wire => self.append(name)?,
            other => self.append(other.to_wire(name, &mut [0; _]))?,
        };
        self.push(Token::Name(name))
    }

    #[inline]
    fn push(&mut self, token: Token) -> Result<(), Malformed> {
        if self.tokens.len() >= TOKEN_LIMIT {
            return Err(Malformed);
        }
        self.tokens.push(token);
        Ok(())
    }

    fn append(&mut self, text: &[u8]) -> Result<Span, Malformed> {
        let start = self.text.len();
        let end = start.saturating_add(text.len());
        if end > TEXT_LIMIT {
            return Err(Malformed);
        }
        self.text.extend_from_slice(text);
        Ok(Span { start, end })
    }

    #[inline]
    fn text_of(&self, span: Span) -> &[u8] {
        self.text.get(span.start..span.end).unwrap_or_default()
    }
}

impl Held for Tape {
    fn fill<'a>(&'a self, slot: &mut dyn Slot<'a>) -> Result<(), Malformed> {
        slot.fill_slot(&mut TapeReader::new(self, self.start))
    }
}

/// Room for values that is kept from one event to the next.
const KEPT_TOKENS: usize = 1 << 12;

/// Room for bytes of text that is kept from one event to the next.
const KEPT_TEXT: usize = 64 << 10;

/// Values of one event that are taken down.
const TOKEN_LIMIT: usize = 1 << 20;

/// Bytes of text of one event that are taken down.
const TEXT_LIMIT: usize = 16 << 20;
