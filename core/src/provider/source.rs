//! Where a decoder reads a provider event from: JSON text, or what a host holds as its own objects.
//!
//! Payload structs are filled through [`Source`]; both kinds have the same values, members and elements. JSON is read in
//! place. A host's objects come through any `serde` deserializer onto a [`Tape`], without becoming JSON text on the way.

use alloc::vec::Vec;
use core::fmt;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json::{Malformed, Number, Raw, Reader, Value};
use super::lenient::{Fields, Fill, Many, Object, Room, Slot as _, number_of, reset};
use super::protocol::Protocol;

/// The next value of an event, and what is in it.
pub(in crate::provider) trait Source<'de>: Sized {
    /// Reads a value of any type; one that has members or elements is left behind.
    fn value(&mut self) -> Result<Value<'de>, Malformed>;

    /// Reads a string; a value of another type is empty.
    fn text(&mut self) -> Result<Raw<'de>, Malformed>;

    /// Skips one value.
    fn skip_value(&mut self) -> Result<(), Malformed>;

    /// Goes through the members of the object that comes next. `each` is called with a name and reads the value.
    fn members(&mut self, each: impl FnMut(&mut Self, &[u8]) -> Result<(), Malformed>) -> Result<(), Malformed>;

    /// Goes through the elements of the array that comes next. `each` reads one.
    fn elements(&mut self, each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed>;

    /// The first byte that the next value has as JSON; of a number, any digit.
    fn peek(&mut self) -> Option<u8>;

    /// Whether the next value begins with that byte, as JSON.
    fn begins(&mut self, first: u8) -> bool {
        self.peek() == Some(first)
    }

    /// Reads the fields of an object; a value of another type has none.
    fn object<T: Object<'de> + Fill<'de>>(&mut self, object: &mut T) -> Result<(), Malformed>;

    /// Reads the elements of a list; a lone object is a list of one, any other value an empty one.
    fn list<T: Many<'de>>(&mut self, list: &mut T) -> Result<(), Malformed>;

    /// Reads an object where there may be none; a value of another type is none.
    fn optional<T: Many<'de>>(&mut self, object: &mut T) -> Result<(), Malformed>;
}

impl<'de> Source<'de> for Reader<'de> {
    #[inline]
    fn value(&mut self) -> Result<Value<'de>, Malformed> {
        Reader::value(self)
    }

    #[inline]
    fn text(&mut self) -> Result<Raw<'de>, Malformed> {
        Reader::text(self)
    }

    #[inline]
    fn skip_value(&mut self) -> Result<(), Malformed> {
        Reader::skip_value(self)
    }

    #[inline]
    fn members(&mut self, each: impl FnMut(&mut Self, &[u8]) -> Result<(), Malformed>) -> Result<(), Malformed> {
        Reader::members(self, each)
    }

    #[inline]
    fn elements(&mut self, each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        Reader::elements(self, each)
    }

    #[inline]
    fn peek(&mut self) -> Option<u8> {
        Reader::peek(self)
    }

    #[inline]
    fn object<T: Object<'de> + Fill<'de>>(&mut self, object: &mut T) -> Result<(), Malformed> {
        if *object.present() {
            // The key is repeated: nothing of the earlier value may show through.
            *object = T::default();
        }
        if Reader::peek(self) != Some(b'{') {
            return Reader::skip_value(self);
        }
        *object.present() = true;
        Reader::members(self, |reader, name| object.fill_member(reader, name))
    }

    #[inline]
    fn list<T: Many<'de>>(&mut self, list: &mut T) -> Result<(), Malformed> {
        list.clear();
        match Reader::peek(self) {
            Some(b'[') => Reader::elements(self, |reader| list.fill_next(reader)),
            Some(b'{') => list.fill_next(self),
            _ => Reader::skip_value(self),
        }
    }

    #[inline]
    fn optional<T: Many<'de>>(&mut self, object: &mut T) -> Result<(), Malformed> {
        object.clear();
        if Reader::peek(self) == Some(b'{') { object.fill_next(self) } else { Reader::skip_value(self) }
    }
}

/// One event, from either source.
#[derive(Clone, Copy, Debug)]
pub(in crate::provider) enum Input<'a> {
    #[cfg(any(feature = "in-place", test))]
    Json(&'a [u8]),
    Tape(&'a Tape),
}

impl<'a> Input<'a> {
    /// Reads the event over a default value; `None` when it cannot be read.
    #[inline]
    pub(in crate::provider) fn fill<T: Fill<'a>>(self, value: &mut T) -> Option<()> {
        match self {
            #[cfg(any(feature = "in-place", test))]
            Self::Json(document) => super::json::fill_from_slice(value, document),
            Self::Tape(tape) => value.fill_slot(&mut tape.reader()).ok(),
        }
    }
}

#[cfg(any(feature = "in-place", test))]
impl<'a> From<&'a [u8]> for Input<'a> {
    fn from(json: &'a [u8]) -> Self {
        Self::Json(json)
    }
}

/// Where JSON text goes before it is read; nowhere when it is read in place.
#[cfg(feature = "in-place")]
pub(in crate::provider) type Scratch = ();
#[cfg(not(feature = "in-place"))]
pub(in crate::provider) type Scratch = Tape;

/// JSON text as an event; `None` for what can be seen to be no JSON.
#[cfg(feature = "in-place")]
#[inline]
#[expect(clippy::unnecessary_wraps, reason = "the text is looked at when it is read")]
pub(in crate::provider) fn json_input<'a>(json: &'a [u8], (): &'a mut Scratch) -> Option<Input<'a>> {
    Some(Input::Json(json))
}

/// JSON text as an event; `None` for what is no JSON.
#[cfg(not(feature = "in-place"))]
pub(in crate::provider) fn json_input<'a>(json: &[u8], tape: &'a mut Scratch) -> Option<Input<'a>> {
    tape.take_down_json(json).ok()?;
    Some(Input::Tape(tape))
}

/// Reads as much of a JSON document as there is: what stands before a cut is in place, too.
#[cfg(feature = "in-place")]
pub(in crate::provider) fn fill_cut<'a, T: Fill<'a>>(value: &mut T, json: &'a [u8], (): &'a mut Scratch) {
    let _ = super::json::fill_from_slice(value, json);
}

/// Reads as much of a JSON document as there is: what stands before a cut is in place, too.
#[cfg(not(feature = "in-place"))]
pub(in crate::provider) fn fill_cut<'a, T: Fill<'a>>(value: &mut T, json: &[u8], tape: &'a mut Scratch) {
    let _ = tape.take_down_json(json);
    let _ = Input::Tape(tape).fill(value);
}

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
        if de::DeserializeSeed::deserialize(Scribe { tape: self, depth: 0 }, event).is_err() {
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
        let mut tape = TapeReader { tape: self, at: 0 };
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
        TapeReader { tape: self, at: self.start }
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

/// Levels of one event that are taken down, as many as JSON text may have.
const DEPTH_LIMIT: u32 = 128;

/// Writes one value, and what is in it, onto the tape.
struct Scribe<'t> {
    tape: &'t mut Tape,
    depth: u32,
}

/// What a limit refuses is an error of the deserializer.
fn allowed<T, E: de::Error>(result: Result<T, Malformed>) -> Result<T, E> {
    result.map_err(|Malformed| E::custom("an event that is too large"))
}

impl Scribe<'_> {
    fn below<E: de::Error>(&mut self) -> Result<Scribe<'_>, E> {
        if self.depth >= DEPTH_LIMIT {
            return Err(E::custom("an event nested too deep"));
        }
        Ok(Scribe { depth: self.depth.saturating_add(1), tape: self.tape })
    }
}

impl<'de> de::DeserializeSeed<'de> for Scribe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scribe<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event of a provider")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        allowed(self.tape.push(Token::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        let number = u64::try_from(value).map_or(Number::Negative(value), Number::Unsigned);
        allowed(self.tape.push(Token::Number(number)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        allowed(self.tape.push(Token::Number(Number::Unsigned(value))))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        allowed(self.tape.push(Token::Number(Number::Float(value))))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        let span = allowed(self.tape.append(value.as_bytes()))?;
        allowed(self.tape.push(Token::Text(span)))
    }

    fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<(), E> {
        let text = &mut self.tape.text;
        let start = text.len();
        let end = start.saturating_add(value.len().div_ceil(3).saturating_mul(4));
        if end > TEXT_LIMIT {
            return Err(E::custom("an event of too much text"));
        }
        text.resize(end, 0);
        let _ = STANDARD.encode_slice(value, text.get_mut(start..).unwrap_or_default());
        allowed(self.tape.push(Token::Text(Span { start, end })))
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        allowed(self.tape.push(Token::Null))
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        allowed(self.tape.push(Token::Array))?;
        while elements.next_element_seed(self.below()?)?.is_some() {}
        allowed(self.tape.push(Token::End))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        allowed(self.tape.push(Token::Object))?;
        while let Some(()) = members.next_key_seed(Name(self.tape))? {
            members.next_value_seed(self.below()?)?;
        }
        allowed(self.tape.push(Token::End))
    }
}

/// Writes the name of a member onto the tape.
struct Name<'t>(&'t mut Tape);

impl<'de> de::DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<(), E> {
        let Self(tape) = self;
        let span = allowed(tape.append(name.as_bytes()))?;
        allowed(tape.push_name(span))
    }

    fn visit_bytes<E: de::Error>(self, name: &[u8]) -> Result<(), E> {
        self.visit_str(core::str::from_utf8(name).map_err(E::custom)?)
    }
}

/// Reads a tape from its begin.
///
/// It has one piece of code for all objects, members and elements: a tape is read where being small comes first.
#[derive(Debug)]
pub(crate) struct TapeReader<'t> {
    tape: &'t Tape,
    at: usize,
}

impl<'t> TapeReader<'t> {
    fn fill_fields(&mut self, object: &mut dyn Fields<'t>) -> Result<(), Malformed> {
        if *object.present() {
            // The key is repeated: nothing of the earlier value may show through.
            reset(object);
        }
        if self.peek() != Some(b'{') {
            return self.skip_value();
        }
        *object.present() = true;
        let (tape, names) = (self.tape, object.names());
        self.next()?;
        while !self.ends() {
            let Token::Name(name) = self.next()? else { return Err(Malformed) };
            match number_of(names, tape.text_of(name)).and_then(|number| object.field(number)) {
                Some(field) => field.fill_slot(self)?,
                None => self.skip_value()?,
            }
        }
        Ok(())
    }

    fn fill_room(&mut self, room: &mut dyn Room<'t>, is_list: bool) -> Result<(), Malformed> {
        room.clear();
        if is_list && self.begins(b'[') {
            self.next()?;
            while !self.ends() {
                self.fill_next(room)?;
            }
            Ok(())
        } else if self.begins(b'{') {
            self.fill_next(room)
        } else {
            self.skip_value()
        }
    }

    fn fill_next(&mut self, room: &mut dyn Room<'t>) -> Result<(), Malformed> {
        match room.next() {
            Some(place) => place.fill_slot(self),
            None => self.skip_value(),
        }
    }

    #[expect(clippy::type_complexity, reason = "a name for it would say less than the signature")]
    pub(crate) fn each_member(
        &mut self,
        each: &mut dyn FnMut(&mut Self, &[u8]) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let tape = self.tape;
        let Token::Object = self.next()? else { return Err(Malformed) };
        while !self.ends() {
            let Token::Name(span) = self.next()? else { return Err(Malformed) };
            each(self, tape.text_of(span))?;
        }
        Ok(())
    }

    pub(crate) fn each_element(
        &mut self,
        each: &mut dyn FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let Token::Array = self.next()? else { return Err(Malformed) };
        while !self.ends() {
            each(self)?;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Token, Malformed> {
        let token = self.tape.tokens.get(self.at).copied().ok_or(Malformed)?;
        self.at = self.at.saturating_add(1);
        Ok(token)
    }

    /// Whether the innermost object or array ends here; the end is left behind.
    fn ends(&mut self) -> bool {
        let ends = matches!(self.tape.tokens.get(self.at), Some(Token::End));
        if ends {
            self.at = self.at.saturating_add(1);
        }
        ends
    }

    /// Leaves behind what is in an object or array that has been entered.
    fn leave(&mut self) -> Result<(), Malformed> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Token::Object | Token::Array => depth = depth.saturating_add(1),
                Token::End => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'t> Source<'t> for TapeReader<'t> {
    fn value(&mut self) -> Result<Value<'t>, Malformed> {
        Ok(match self.next()? {
            Token::Null => Value::Null,
            Token::Bool(value) => Value::Bool(value),
            Token::Number(number) => Value::Number(number),
            Token::Digits(span) => Value::Number(Reader { rest: self.tape.text_of(span) }.number()?),
            Token::Text(span) => Value::String(Raw::plain(self.tape.text_of(span))),
            Token::Object | Token::Array => {
                self.leave()?;
                Value::Nested
            }
            Token::End | Token::Name(_) => return Err(Malformed),
        })
    }

    fn text(&mut self) -> Result<Raw<'t>, Malformed> {
        Ok(match self.value()? {
            Value::String(text) => text,
            _ => Raw::default(),
        })
    }

    fn skip_value(&mut self) -> Result<(), Malformed> {
        match self.next()? {
            Token::Object | Token::Array => self.leave(),
            Token::End | Token::Name(_) => Err(Malformed),
            _ => Ok(()),
        }
    }

    fn members(&mut self, mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.each_member(&mut each)
    }

    fn elements(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.each_element(&mut each)
    }

    fn peek(&mut self) -> Option<u8> {
        Some(match self.tape.tokens.get(self.at)? {
            Token::Object => b'{',
            Token::Array => b'[',
            Token::Text(_) | Token::Name(_) => b'"',
            Token::Number(_) | Token::Digits(_) => b'0',
            Token::Bool(true) => b't',
            Token::Bool(false) => b'f',
            Token::Null => b'n',
            Token::End => return None,
        })
    }

    fn begins(&mut self, first: u8) -> bool {
        self.peek() == Some(first)
    }

    #[inline]
    fn object<T: Object<'t> + Fill<'t>>(&mut self, object: &mut T) -> Result<(), Malformed> {
        self.fill_fields(object)
    }

    #[inline]
    fn list<T: Many<'t>>(&mut self, list: &mut T) -> Result<(), Malformed> {
        self.fill_room(list, true)
    }

    #[inline]
    fn optional<T: Many<'t>>(&mut self, object: &mut T) -> Result<(), Malformed> {
        self.fill_room(object, false)
    }
}
