//! Numbers.

use super::float::nearest;
use super::{Malformed, Reader};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Unsigned(u64),
    Negative(i64),
    /// One with a fraction or an exponent, or out of the range of integers; infinite when it is out of range of floats.
    Float(f64),
}

impl<'de> Reader<'de> {
    /// Reads a number.
    pub(in crate::provider) fn number(&mut self) -> Result<Number, Malformed> {
        let (text, integral) = self.number_text()?;
        // Digits that cannot overflow.
        if integral && text.len() <= 18 && text.first() != Some(&b'-') {
            return Ok(Number::Unsigned(
                text.iter().fold(0, |value, digit| value * 10 + u64::from(digit.wrapping_sub(b'0'))),
            ));
        }
        long_number(text, integral).ok_or(Malformed)
    }

    /// Reads the text of a number, and whether it has neither fraction nor exponent.
    #[inline]
    pub(super) fn number_text(&mut self) -> Result<(&'de [u8], bool), Malformed> {
        let text = self.rest;
        if let [b'-', rest @ ..] = self.rest {
            self.rest = rest;
        }
        let leading_zero = self.rest.first() == Some(&b'0');
        if self.digits()? > 1 && leading_zero {
            return Err(Malformed);
        }
        let mut integral = true;
        if let [b'.', rest @ ..] = self.rest {
            integral = false;
            self.rest = rest;
            self.digits()?;
        }
        if let [b'e' | b'E', rest @ ..] = self.rest {
            integral = false;
            self.rest = if let [b'+' | b'-', rest @ ..] = rest { rest } else { rest };
            self.digits()?;
        }
        let text = text.get(..text.len() - self.rest.len()).ok_or(Malformed)?;
        Ok((text, integral))
    }

    /// Skips digits, at least one, and says how many.
    #[inline]
    fn digits(&mut self) -> Result<usize, Malformed> {
        let mut rest = self.rest;
        while let [b'0'..=b'9', tail @ ..] = rest {
            rest = tail;
        }
        let count = self.rest.len() - rest.len();
        self.rest = rest;
        if count == 0 { Err(Malformed) } else { Ok(count) }
    }
}

fn long_number(text: &[u8], integral: bool) -> Option<Number> {
    if integral {
        let integer = core::str::from_utf8(text).ok()?;
        if let Ok(value) = integer.parse() {
            return Some(Number::Unsigned(value));
        }
        if let Ok(value) = integer.parse() {
            return Some(Number::Negative(value));
        }
    }
    nearest(text).map(Number::Float)
}
