//! JSON bodies: values one after the other, or the elements of one top-level array.

use memchr::memchr2;
use serde::{Deserialize, Serialize};

use super::buffer::{Buffer, Piece};
use super::framer::Frame;

/// Cuts a body into its top-level objects, or into the elements of its top-level array.
///
/// It finds the end of a value by brackets and strings alone; whether the value is valid JSON is for its reader to say.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Json {
    value: Buffer,
    scan: Scan,
    place: Place,
    lent: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Place {
    /// Between top-level values.
    Top,
    /// Where the opening bracket of the array is expected.
    BeforeArray,
    /// Between the elements of the array.
    InArray,
    /// Behind the closing bracket of the array.
    AfterArray,
    /// In text that is no JSON.
    Garbage,
    /// The end of the stream has been reported.
    Finished,
}

impl Json {
    pub(super) fn values() -> Self {
        Self::starting_at(Place::Top)
    }

    pub(super) fn array() -> Self {
        Self::starting_at(Place::BeforeArray)
    }

    fn starting_at(place: Place) -> Self {
        Self { value: Buffer::default(), scan: Scan::default(), place, lent: false }
    }

    pub(super) fn next_frame<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8], limit: usize) -> Option<Frame<'a>> {
        let piece = self.step(input, limit)?;
        let data = match piece {
            Some(Piece::Input(value)) => value,
            Some(Piece::Buffered) => self.value.as_slice(),
            None => return Some(Frame::TooLong),
        };
        Some(if self.place == Place::Top { Frame::Body { data } } else { Frame::Event { name: None, data } })
    }

    pub(super) fn finish(&mut self) -> Option<Frame<'_>> {
        self.forget_lent();
        let complete = self.scan == Scan::default()
            && matches!(self.place, Place::Top | Place::BeforeArray | Place::AfterArray | Place::Finished);
        self.value.clear();
        self.scan = Scan::default();
        self.place = Place::Finished;
        (!complete).then_some(Frame::Incomplete)
    }

    /// The next value, or `Some(None)` for one that was too long.
    #[expect(clippy::option_option, reason = "outer: is there a frame; inner: are its bytes at hand")]
    fn step<'i>(&mut self, input: &mut &'i [u8], limit: usize) -> Option<Option<Piece<'i>>> {
        self.forget_lent();
        if self.scan == Scan::default() {
            self.skip_to_value(input);
        }
        if input.is_empty() {
            return None;
        }
        let Some(length) = self.scan.advance(input) else {
            self.value.push(input, limit);
            *input = &[];
            return None;
        };
        let (value, rest) = input.split_at_checked(length)?;
        *input = rest;
        if self.value.is_empty() && !self.value.is_overflowed() {
            return Some((value.len() <= limit).then_some(Piece::Input(value)));
        }
        self.value.push(value, limit);
        self.lent = true;
        Some((!self.value.is_overflowed()).then_some(Piece::Buffered))
    }

    /// Drops what lies between values. Afterwards `input` is empty or starts with an opening bracket.
    fn skip_to_value(&mut self, input: &mut &[u8]) {
        while let Some((&byte, rest)) = input.split_first() {
            match (self.place, byte) {
                (Place::Top | Place::InArray, b'{' | b'[') => return,
                (Place::BeforeArray, b'[') => self.place = Place::InArray,
                (Place::InArray, b']') => self.place = Place::AfterArray,
                (Place::Top | Place::BeforeArray, byte) if !byte.is_ascii_whitespace() => {
                    self.place = Place::Garbage;
                }
                _ => {}
            }
            *input = rest;
        }
    }

    pub(super) fn forget_lent(&mut self) {
        if self.lent {
            self.value.clear();
            self.lent = false;
        }
    }
}

impl Scan {
    /// Goes on through a value; its length within `input` when it ends there.
    fn advance(&mut self, input: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                let found = input.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest))?;
                at += found;
                if input.get(at) == Some(&b'\\') {
                    self.escaped = true;
                } else {
                    self.in_string = false;
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        None
    }
}
