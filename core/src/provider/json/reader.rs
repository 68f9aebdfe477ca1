//! Values, members and elements.

use alloc::borrow::Cow;

use super::{Number, Raw};
#[cfg(any(feature = "fast-decode", test))]
use crate::provider::lenient::Fill;
use crate::provider::spelling::Spelling;

/// Reads one JSON document over a default value; `None` when it is no valid JSON or no valid UTF-8.
#[cfg(any(feature = "fast-decode", test))]
#[inline]
pub(in crate::provider) fn fill_from_slice<'de, T: Fill<'de>>(value: &mut T, document: &'de [u8]) -> Option<()> {
    let mut reader = Reader::new(document);
    value.fill(&mut reader).ok()?;
    reader.peek().is_none().then_some(())
}

/// Whether a text is a JSON document.
pub(crate) fn is_json(text: &str) -> bool {
    let mut reader = Reader::new(text.as_bytes());
    reader.skip_value().is_ok() && reader.peek().is_none()
}

/// The document cannot be read. Nobody asks why: it is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Malformed;

/// Outside of strings valid JSON is ASCII, so only strings are checked to be UTF-8, and only those that are not ASCII.
#[derive(Debug)]
pub(crate) struct Reader<'de> {
    pub(in crate::provider) rest: &'de [u8],
    /// How names are spelled; those who go through members have to ask.
    pub(in crate::provider) spelling: Spelling,
}

/// A value; one that has members or elements is checked and left behind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'de> {
    Null,
    Bool(bool),
    Number(Number),
    String(Raw<'de>),
    Nested,
}

impl<'de> Reader<'de> {
    /// Reads a document from its begin.
    #[inline]
    pub(crate) fn new(document: &'de [u8]) -> Self {
        Self { rest: document, spelling: Spelling::Wire }
    }

    /// Reads a value of any type.
    pub(crate) fn value(&mut self) -> Result<Value<'de>, Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'"' => self.string().map(Value::String),
            b'{' | b'[' => self.skip_nested().map(|()| Value::Nested),
            b'n' => self.literal(b"null").map(|()| Value::Null),
            b't' => self.literal(b"true").map(|()| Value::Bool(true)),
            b'f' => self.literal(b"false").map(|()| Value::Bool(false)),
            _ => self.number().map(Value::Number),
        }
    }

    /// Reads a string; a value of another type is an error.
    pub(crate) fn str(&mut self) -> Result<Cow<'de, str>, Malformed> {
        match self.value()? {
            Value::String(text) => Ok(text.text()),
            _ => Err(Malformed),
        }
    }

    /// Reads a string; a value of another type is empty.
    #[inline]
    pub(in crate::provider) fn text(&mut self) -> Result<Raw<'de>, Malformed> {
        if self.begins(b'"') {
            return self.string();
        }
        self.skip_value()?;
        Ok(Raw::default())
    }

    /// Skips one value, checking that it is valid.
    pub(crate) fn skip_value(&mut self) -> Result<(), Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' => self.skip_nested(),
            b'n' => self.literal(b"null"),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            _ => self.number_text().map(|_| ()),
        }
    }

    /// Reads a value as the text that it is.
    pub(crate) fn text_of_value(&mut self) -> Result<&'de str, Malformed> {
        self.peek();
        let text = self.rest;
        self.skip_value()?;
        let text = text.get(..text.len().saturating_sub(self.rest.len())).unwrap_or_default();
        core::str::from_utf8(text).map_err(|_| Malformed)
    }

    /// Goes through the members of the object that comes next. `each` is called with a name and reads the value.
    #[inline]
    pub(crate) fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if cfg!(feature = "fast-decode") { self.members_in_place(each) } else { self.members_of_any(&mut each) }
    }

    /// One piece of code, where it is to be small, for all that need not be fast.
    #[expect(clippy::type_complexity, reason = "a name for it would say less than the signature")]
    #[inline(never)]
    fn members_of_any(
        &mut self,
        each: &mut dyn FnMut(&mut Self, &[u8]) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.members_in_place(each)
    }

    #[inline]
    pub(in crate::provider) fn members_in_place(
        &mut self,
        mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.expect(b'{')?;
        if self.begins(b'}') {
            return self.expect(b'}');
        }
        loop {
            let built;
            let name = if let Some(name) = self.plain_name() {
                name
            } else {
                built = self.name()?.text();
                built.as_bytes()
            };
            each(self, name)?;
            if !self.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    /// Goes through the elements of the array that comes next. `each` reads one.
    #[inline]
    pub(crate) fn elements(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if cfg!(feature = "fast-decode") { self.elements_in_place(each) } else { self.elements_of_any(&mut each) }
    }

    /// One piece of code, where it is to be small, for all that need not be fast.
    #[inline(never)]
    fn elements_of_any(&mut self, each: &mut dyn FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.elements_in_place(each)
    }

    #[inline]
    pub(in crate::provider) fn elements_in_place(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.expect(b'[')?;
        if self.begins(b']') {
            return self.expect(b']');
        }
        loop {
            each(self)?;
            if !self.goes_on(b']')? {
                return Ok(());
            }
        }
    }

    /// The first byte that is no space, not consumed.
    #[expect(clippy::inline_always, reason = "every byte between values is seen by it, also where code is made small")]
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.rest {
            [byte, ..] if *byte > b' ' => Some(*byte),
            _ => self.skip_space(),
        }
    }

    /// Whether the next value begins with that byte.
    #[inline]
    pub(crate) fn begins(&mut self, first: u8) -> bool {
        // A comparison of two options is a call where code is made small.
        matches!(self.peek(), Some(byte) if byte == first)
    }

    #[cold]
    #[inline(never)]
    fn skip_space(&mut self) -> Option<u8> {
        while let [b' ' | b'\n' | b'\t' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    #[expect(clippy::inline_always, reason = "every byte between values is seen by it, also where code is made small")]
    #[inline(always)]
    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if !matches!(self.rest, [byte, ..] if *byte == wanted) {
            self.skip_space();
        }
        match self.rest {
            [byte, rest @ ..] if *byte == wanted => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(Malformed),
        }
    }

    /// Whether there is one more member or element, the comma before it consumed; else the closing bracket is.
    #[expect(clippy::inline_always, reason = "every byte between values is seen by it, also where code is made small")]
    #[inline(always)]
    pub(super) fn goes_on(&mut self, closing: u8) -> Result<bool, Malformed> {
        if !matches!(self.rest, [byte, ..] if *byte == b',' || *byte == closing) {
            self.skip_space();
        }
        match self.rest {
            [b',', rest @ ..] => {
                self.rest = rest;
                Ok(true)
            }
            [byte, rest @ ..] if *byte == closing => {
                self.rest = rest;
                Ok(false)
            }
            _ => Err(Malformed),
        }
    }

    /// Reads the name of a member and the colon behind it, unless it is to be read by [`Self::name`].
    fn plain_name(&mut self) -> Option<&'de [u8]> {
        if !matches!(self.rest, [b'"', ..]) {
            self.skip_space();
        }
        let name = self.plain_string()?;
        if self.expect(b':').is_err() {
            // Nothing is what `name` cannot read either.
            self.rest = &[];
            return None;
        }
        Some(name)
    }

    /// Reads the name of a member and the colon behind it.
    #[cold]
    fn name(&mut self) -> Result<Raw<'de>, Malformed> {
        if !self.begins(b'"') {
            return Err(Malformed);
        }
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    #[inline]
    fn literal<const N: usize>(&mut self, word: &[u8; N]) -> Result<(), Malformed> {
        self.rest = self.rest.strip_prefix(word).ok_or(Malformed)?;
        Ok(())
    }

    fn skip_name(&mut self) -> Result<(), Malformed> {
        if self.plain_name().is_none() {
            self.name()?;
        }
        Ok(())
    }

    /// Skips an object or an array.
    fn skip_nested(&mut self) -> Result<(), Malformed> {
        // One bit per open container, set for an object.
        let mut stack = 0_u128;
        let mut depth = 0_u32;
        loop {
            match self.peek().ok_or(Malformed)? {
                opening @ (b'{' | b'[') => {
                    self.expect(opening)?;
                    let object = opening == b'{';
                    let closing = if object { b'}' } else { b']' };
                    if self.begins(closing) {
                        self.expect(closing)?;
                    } else {
                        depth += 1;
                        if depth > u128::BITS {
                            return Err(Malformed);
                        }
                        stack = stack << 1 | u128::from(object);
                        if object {
                            self.skip_name()?;
                        }
                        continue;
                    }
                }
                _ => self.skip_scalar()?,
            }
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let object = stack & 1 == 1;
                if self.goes_on(if object { b'}' } else { b']' })? {
                    if object {
                        self.skip_name()?;
                    }
                    break;
                }
                stack >>= 1;
                depth -= 1;
            }
        }
    }

    fn skip_scalar(&mut self) -> Result<(), Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'"' => self.string().map(|_| ()),
            b'n' => self.literal(b"null"),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            _ => self.number_text().map(|_| ()),
        }
    }
}
