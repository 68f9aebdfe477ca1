//! Tapes as sources of events.

use super::{Tape, Token};
use crate::provider::{
    json::{Malformed, Raw, Value},
    source::{DynSource, EachElement, EachMember},
    spelling::Spelling,
};

/// Reads a tape from its begin.
#[derive(Debug)]
pub(in crate::provider) struct TapeReader<'t> {
    tape: &'t Tape,
    pub(super) at: usize,
}

impl<'t> TapeReader<'t> {
    /// Reads from the token at that place on.
    pub(super) fn new(tape: &'t Tape, at: usize) -> Self {
        Self { tape, at }
    }

    pub(super) fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, &'t [u8]) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let tape = self.tape;
        let Token::Object = self.next()? else { return Err(Malformed) };
        while !self.ends() {
            let Token::Name(span) = self.next()? else { return Err(Malformed) };
            each(self, tape.text_of(span))?;
        }
        Ok(())
    }

    #[inline]
    fn next(&mut self) -> Result<Token, Malformed> {
        let token = self.tape.tokens.get(self.at).copied().ok_or(Malformed)?;
        self.at = self.at.saturating_add(1);
        Ok(token)
    }

    /// Whether the innermost object or array ends here; the end is left behind.
    #[inline]
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

impl<'t> DynSource<'t> for TapeReader<'t> {
    fn value(&mut self) -> Result<Value<'t>, Malformed> {
        Ok(match self.next()? {
            Token::Null => Value::Null,
            Token::Bool(value) => Value::Bool(value),
            Token::Number(number) => Value::Number(number),
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

    fn each_member(&mut self, each: &mut EachMember<'_, 't>) -> Result<(), Malformed> {
        self.members(|reader, name| each(reader, name))
    }

    fn each_element(&mut self, each: &mut EachElement<'_, 't>) -> Result<(), Malformed> {
        let Token::Array = self.next()? else { return Err(Malformed) };
        while !self.ends() {
            each(self)?;
        }
        Ok(())
    }

    fn peek(&mut self) -> Option<u8> {
        Some(match self.tape.tokens.get(self.at)? {
            Token::Object => b'{',
            Token::Array => b'[',
            Token::Text(_) | Token::Name(_) => b'"',
            Token::Number(_) => b'0',
            Token::Bool(true) => b't',
            Token::Bool(false) => b'f',
            Token::Null => b'n',
            Token::End => return None,
        })
    }

    /// Names were respelled when they were taken down.
    fn spelling(&self) -> Spelling {
        Spelling::Wire
    }
}
