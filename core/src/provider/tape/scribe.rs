//! Objects of a host onto a tape, through any `serde` deserializer.

use core::fmt;

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Span, TEXT_LIMIT, Tape, Token};
use crate::provider::json::{Malformed, Number};

/// Writes one value, and what is in it, onto the tape.
pub(super) struct Scribe<'t> {
    tape: &'t mut Tape,
    depth: u32,
}

/// What a limit refuses is an error of the deserializer.
fn allowed<T, E: de::Error>(result: Result<T, Malformed>) -> Result<T, E> {
    result.map_err(|Malformed| E::custom("an event that is too large"))
}

impl<'t> Scribe<'t> {
    pub(super) fn new(tape: &'t mut Tape) -> Self {
        Self { tape, depth: 0 }
    }
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
        allowed(tape.push_name(name.as_bytes()))
    }

    fn visit_bytes<E: de::Error>(self, name: &[u8]) -> Result<(), E> {
        self.visit_str(core::str::from_utf8(name).map_err(E::custom)?)
    }
}

/// Levels of one event that are taken down, as many as JSON text may have.
const DEPTH_LIMIT: u32 = 128;
