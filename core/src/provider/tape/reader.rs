//! Tapes as sources of events.

use super::{Tape, Token};
use crate::provider::{
    json::{Malformed, Raw, Reader, Value},
    lenient::{Fields, Fill, Many, Object, Room, number_of, reset},
    source::Source,
};

/// Reads a tape from its begin.
///
/// It has one piece of code for all objects, members and elements: a tape is read where being small comes first.
#[derive(Debug)]
pub(crate) struct TapeReader<'t> {
    tape: &'t Tape,
    pub(super) at: usize,
}

impl<'t> TapeReader<'t> {
    /// Reads from the token at that place on.
    pub(super) fn new(tape: &'t Tape, at: usize) -> Self {
        Self { tape, at }
    }

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

    #[expect(
        clippy::inline_always,
        reason = "every value of every event goes through it, also where code is made small"
    )]
    #[inline(always)]
    fn next(&mut self) -> Result<Token, Malformed> {
        let token = self.tape.tokens.get(self.at).copied().ok_or(Malformed)?;
        self.at = self.at.saturating_add(1);
        Ok(token)
    }

    /// Whether the innermost object or array ends here; the end is left behind.
    #[expect(
        clippy::inline_always,
        reason = "every value of every event goes through it, also where code is made small"
    )]
    #[inline(always)]
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
