//! Where a decoder reads a provider event from: JSON text, or what a host holds as its own objects.
//!
//! Payload structs are filled through [`Source`]; all kinds have the same values, members and elements. JSON is read in
//! place. A host's objects come through any `serde` deserializer onto a [`Tape`](super::Tape), without becoming JSON text on the
//! way.

use core::fmt;

#[cfg(feature = "fast-decode")]
use super::json::fill_from_slice;
use super::json::{Malformed, Raw, Reader, Value};
use super::lenient::{Fields, Fill, Many, Object, Room, Slot, number_of, reset};
use super::spelling::Spelling;

/// The next value of an event, of whatever kind the source is.
pub(in crate::provider) trait DynSource<'de> {
    /// Reads a value of any type; one that has members or elements is left behind.
    fn value(&mut self) -> Result<Value<'de>, Malformed>;

    /// Reads a string; a value of another type is empty.
    fn text(&mut self) -> Result<Raw<'de>, Malformed>;

    /// Skips one value.
    fn skip_value(&mut self) -> Result<(), Malformed>;

    /// The first byte that the next value has as JSON; of a number, any digit.
    fn peek(&mut self) -> Option<u8>;

    /// Whether the next value begins with that byte, as JSON.
    #[inline]
    fn begins(&mut self, first: u8) -> bool {
        matches!(self.peek(), Some(byte) if byte == first)
    }

    /// See [`Source::members`]. Names are as they stand there.
    fn each_member(&mut self, each: &mut EachMember<'_, 'de>) -> Result<(), Malformed>;

    /// See [`Source::elements`].
    fn each_element(&mut self, each: &mut EachElement<'_, 'de>) -> Result<(), Malformed>;

    /// How names are spelled.
    fn spelling(&self) -> Spelling;
}

/// A source of whatever kind, for code that is the same for all of them: small, and not as fast.
pub(in crate::provider) type AnySource<'de> = dyn DynSource<'de> + 'de;
pub(in crate::provider) type EachMember<'e, 'de> = dyn FnMut(&mut AnySource<'de>, &[u8]) -> Result<(), Malformed> + 'e;
pub(in crate::provider) type EachElement<'e, 'de> = dyn FnMut(&mut AnySource<'de>) -> Result<(), Malformed> + 'e;

/// A source, and how objects and lists are read from it.
pub(in crate::provider) trait Source<'de>: DynSource<'de> {
    /// Goes through the members of the object that comes next. `each` is called with a name and reads the value.
    fn members(&mut self, each: impl FnMut(&mut Self, &[u8]) -> Result<(), Malformed>) -> Result<(), Malformed>;

    /// Goes through the elements of the array that comes next. `each` reads one.
    fn elements(&mut self, each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed>;

    /// Reads the fields of an object; a value of another type has none.
    fn object<T: Object<'de> + Fill<'de>>(&mut self, object: &mut T) -> Result<(), Malformed>;

    /// Reads the elements of a list; a lone object is a list of one, any other value an empty one.
    fn list<T: Many<'de>>(&mut self, list: &mut T) -> Result<(), Malformed>;

    /// Reads an object where there may be none; a value of another type is none.
    fn optional<T: Many<'de>>(&mut self, object: &mut T) -> Result<(), Malformed>;
}

impl<'de> DynSource<'de> for Reader<'de> {
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
    fn peek(&mut self) -> Option<u8> {
        Reader::peek(self)
    }

    fn each_member(&mut self, each: &mut EachMember<'_, 'de>) -> Result<(), Malformed> {
        self.members_in_place(|reader, name| each(reader, name))
    }

    fn each_element(&mut self, each: &mut EachElement<'_, 'de>) -> Result<(), Malformed> {
        self.elements_in_place(|reader| each(reader))
    }

    fn spelling(&self) -> Spelling {
        self.spelling
    }
}

impl<'de> Source<'de> for Reader<'de> {
    #[inline]
    fn members(&mut self, each: impl FnMut(&mut Self, &[u8]) -> Result<(), Malformed>) -> Result<(), Malformed> {
        Reader::members(self, each)
    }

    #[inline]
    fn elements(&mut self, each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        Reader::elements(self, each)
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

impl<'de> Source<'de> for AnySource<'de> {
    fn members(&mut self, mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), Malformed>) -> Result<(), Malformed> {
        match self.spelling() {
            Spelling::Wire => self.each_member(&mut each),
            other => self.each_member(&mut |source, name| each(source, other.to_wire(name, &mut [0; _]))),
        }
    }

    fn elements(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.each_element(&mut each)
    }

    #[inline]
    fn object<T: Object<'de> + Fill<'de>>(&mut self, object: &mut T) -> Result<(), Malformed> {
        fill_fields(self, object)
    }

    #[inline]
    fn list<T: Many<'de>>(&mut self, list: &mut T) -> Result<(), Malformed> {
        fill_room(self, list, true)
    }

    #[inline]
    fn optional<T: Many<'de>>(&mut self, object: &mut T) -> Result<(), Malformed> {
        fill_room(self, object, false)
    }
}

fn fill_fields<'de>(source: &mut AnySource<'de>, object: &mut dyn Fields<'de>) -> Result<(), Malformed> {
    if *object.present() {
        // The key is repeated: nothing of the earlier value may show through.
        reset(object);
    }
    if !source.begins(b'{') {
        return source.skip_value();
    }
    *object.present() = true;
    let names = object.names();
    source.members(|source, name| match number_of(names, name).and_then(|number| object.field(number)) {
        Some(field) => field.fill_slot(source),
        None => source.skip_value(),
    })
}

fn fill_room<'de>(source: &mut AnySource<'de>, room: &mut dyn Room<'de>, is_list: bool) -> Result<(), Malformed> {
    room.clear();
    match source.peek() {
        Some(b'[') if is_list => source.each_element(&mut |source| fill_next(source, room)),
        Some(b'{') => fill_next(source, room),
        _ => source.skip_value(),
    }
}

fn fill_next<'de>(source: &mut AnySource<'de>, room: &mut dyn Room<'de>) -> Result<(), Malformed> {
    match room.next() {
        Some(place) => place.fill_slot(source),
        None => source.skip_value(),
    }
}

/// An event that is held in some other form than JSON text.
pub(in crate::provider) trait Held: fmt::Debug {
    /// Reads the event into a slot.
    fn fill<'a>(&'a self, slot: &mut dyn Slot<'a>) -> Result<(), Malformed>;
}

/// One event, from either source.
#[derive(Clone, Copy, Debug)]
pub(in crate::provider) enum Input<'a> {
    /// As the wire has it.
    Json(&'a [u8]),
    /// An object of a library as JSON text, with its names in that spelling.
    Object(Spelling, &'a [u8]),
    /// What does without this has no code for it.
    Held(&'a dyn Held),
}

impl<'a> Input<'a> {
    /// Reads the event over a default value; `None` when it cannot be read. What stands before an error is in place, too.
    #[inline]
    pub(in crate::provider) fn fill<T: Fill<'a>>(self, value: &mut T) -> Option<()> {
        match self {
            #[cfg(feature = "fast-decode")]
            Self::Json(document) => fill_from_slice(value, document),
            _ => self.fill_slot(value),
        }
    }

    fn fill_slot(self, slot: &mut dyn Slot<'a>) -> Option<()> {
        let mut reader = match self {
            Self::Json(document) => Reader::new(document),
            Self::Object(spelling, document) => Reader { rest: document, spelling },
            Self::Held(event) => return event.fill(slot).ok(),
        };
        slot.fill_slot(&mut reader).ok()?;
        reader.peek().is_none().then_some(())
    }
}

impl<'a> From<&'a [u8]> for Input<'a> {
    fn from(json: &'a [u8]) -> Self {
        Self::Json(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::lenient::{Count, Decimal, List, Str, Text, object};

    object! {
        struct Sample<'a> {
            "text" => text: Text,
            "name" | "other" => name: Str<'a>,
            "count" => count: Count,
            "cost" => cost: Decimal,
            "inner" => inner: Inner,
            "list" => list: List<Inner, 1>,
        }
    }

    object! {
        struct Inner { "n" => n: Count, "text" => text: Text }
    }

    /// Everything that a document says, read by code for this object and by code for all of them.
    #[track_caller]
    fn check(document: &str, is_valid: bool) {
        let (mut reader, mut made) = (Reader::new(document.as_bytes()), Sample::default());
        let is_made = made.fill(&mut reader).is_ok() && reader.peek().is_none();
        let mut general = Sample::default();
        let is_filled = Input::Json(document.as_bytes()).fill_slot(&mut general).is_some();
        assert_eq!((is_made, is_filled), (is_valid, is_valid), "{document}");
        let show = |sample: &Sample<'_>| {
            let Sample { present, text, name, count, cost, inner, list } = sample;
            let items: alloc::vec::Vec<_> = list.0.iter().map(|item| (item.n, item.text.bytes)).collect();
            let (name, inner) = (name.text().into_owned(), (inner.present, inner.n, inner.text.bytes));
            alloc::format!("{present} {} {name} {count:?} {cost:?} {inner:?} {items:?}", text.bytes)
        };
        assert_eq!(show(&general), show(&made), "{document}");
    }

    #[test]
    fn both_ways_to_read_say_the_same() {
        for document in [
            "{}",
            r#" {"text": "a\u00e9\n\ud83d\ude00", "name": "n\"", "count": 3, "cost": 0.000669, "inner": {"n": 1}} "#,
            r#"{"name": "a", "other": "b", "count": 12.0, "cost": 1e300, "list": [{"n": 1}, {"text": "xy"}, 3]}"#,
            r#"{"inner": {"n": 1, "text": "x"}, "inner": {"n": 2}, "inner": null, "count": -1}"#,
            r#"{"inner": {"n": 1}, "inner": [], "list": {"n": 5}, "text": {"text": "deep"}, "name": true}"#,
            r#"{"list": [{"n": 1}], "list": null, "count": "3", "\u0063ount": 4, "unknown": [[{"a": [1, 2]}], null]}"#,
            r#""text""#,
            "[1, 2]",
            "3",
            "null",
        ] {
            check(document, true);
        }
        // What stands before the error is there all the same.
        for document in [
            "",
            "nul",
            "{",
            r#"{"count": 1, "text": "a"#,
            r#"{"text": "a\x"}"#,
            r#"{"inner": {"n": 1}, "count": 01}"#,
            r#"{"count": 1,}"#,
            r#"{"count": 1} x"#,
            r#"{"list": [{"n": 1}, {"n": 2"#,
            "{\"text\": \"a\u{1}\"}",
        ] {
            check(document, false);
        }
    }
}
