//! Where a decoder reads a provider event from: JSON text, or what a host holds as its own objects.
//!
//! Payload structs are filled through [`Source`]; both kinds have the same values, members and elements. JSON is read in
//! place. A host's objects come through any `serde` deserializer onto a [`Tape`], without becoming JSON text on the way.

use super::json::{Malformed, Raw, Reader, Value};
use super::lenient::{Fill, Many, Object, Slot as _};
use super::tape::Tape;

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
