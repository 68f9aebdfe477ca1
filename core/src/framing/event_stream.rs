//! AWS event streams: binary messages of headers and a payload, each with two checksums.
//!
//! A message is `total length (4) · headers length (4) · CRC of these 8 bytes (4) · headers · payload · CRC of all before
//! it (4)`, big-endian, CRC-32 of ISO-HDLC. A header is `name length (1) · name · value type (1) · value`. Source: Amazon
//! Transcribe developer guide, "Event stream encoding", and the Smithy specification `vnd.amazon.eventstream`.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use serde::{Deserialize, Serialize};

use super::buffer::{Buffer, Piece};
use super::framer::Frame;

/// Cuts a body into messages and checks both checksums of each.
///
/// The length of a message is believed only after the checksum over it. Where a checksum fails nothing that follows can be
/// found again, so that the rest of the body is left unread.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct EventStream {
    message: Buffer,
    place: Place,
    lent: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
enum Place {
    /// In a message, the bytes of which so far are in the buffer.
    #[default]
    Message,
    /// In a message longer than the cap, with as many bytes to come.
    Oversized(usize),
    /// Behind a checksum that failed.
    Lost,
}

impl EventStream {
    pub(super) fn next_frame<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8], limit: usize) -> Option<Frame<'a>> {
        let message = match self.step(input, limit)? {
            Step::Message(Piece::Input(message)) => message,
            Step::Message(Piece::Buffered) => self.message.as_slice(),
            Step::TooLong => return Some(Frame::TooLong),
            Step::Corrupt => return Some(Frame::Corrupt),
        };
        let Some(message) = Message::checked(message) else {
            self.place = Place::Lost;
            return Some(Frame::Corrupt);
        };
        Some(message.frame())
    }

    /// Says whether the stream ended inside a message.
    pub(super) fn finish(&mut self) -> Option<Frame<'_>> {
        self.forget_lent();
        let incomplete = match self.place {
            Place::Message => !self.message.is_empty(),
            // What was too long has been told already.
            Place::Oversized(_) | Place::Lost => false,
        };
        self.message.clear();
        self.place = Place::Lost;
        incomplete.then_some(Frame::Incomplete)
    }

    /// The next message that is complete, not checked but for its length.
    fn step<'i>(&mut self, input: &mut &'i [u8], limit: usize) -> Option<Step<'i>> {
        self.forget_lent();
        match self.place {
            Place::Message => {}
            Place::Oversized(rest) => self.skip(rest, input),
            Place::Lost => *input = &[],
        }
        if input.is_empty() {
            return None;
        }
        if self.message.is_empty()
            && let Some(prelude) = input.first_chunk()
        {
            let Some(length) = message_length(prelude) else { return Some(self.corrupt(input)) };
            if length > limit {
                return Some(self.too_long(length, input));
            }
            if let Some((message, rest)) = input.split_at_checked(length) {
                *input = rest;
                return Some(Step::Message(Piece::Input(message)));
            }
        }
        self.gather(PRELUDE, input);
        let length = message_length(self.message.as_slice().first_chunk()?);
        let Some(length) = length else { return Some(self.corrupt(input)) };
        if length > limit {
            let rest = length.saturating_sub(self.message.as_slice().len());
            return Some(self.too_long(rest, input));
        }
        self.gather(length, input);
        if self.message.as_slice().len() < length {
            return None;
        }
        self.lent = true;
        Some(Step::Message(Piece::Buffered))
    }

    /// Takes bytes until the buffer holds `length` of them.
    fn gather(&mut self, length: usize, input: &mut &[u8]) {
        let missing = length.saturating_sub(self.message.as_slice().len()).min(input.len());
        if missing > 0
            && let Some((bytes, rest)) = input.split_at_checked(missing)
        {
            self.message.push(bytes, length);
            *input = rest;
        }
    }

    fn too_long(&mut self, rest: usize, input: &mut &[u8]) -> Step<'static> {
        self.message.clear();
        self.skip(rest, input);
        Step::TooLong
    }

    /// Leaves out the rest of a message that is too long, as far as it is there.
    fn skip(&mut self, rest: usize, input: &mut &[u8]) {
        let skipped = rest.min(input.len());
        *input = input.get(skipped..).unwrap_or_default();
        self.place = if skipped < rest { Place::Oversized(rest.saturating_sub(skipped)) } else { Place::Message };
    }

    fn corrupt(&mut self, input: &mut &[u8]) -> Step<'static> {
        *input = &[];
        self.message.clear();
        self.place = Place::Lost;
        Step::Corrupt
    }

    pub(super) fn forget_lent(&mut self) {
        if self.lent {
            self.message.clear();
            self.lent = false;
        }
    }
}

enum Step<'i> {
    Message(Piece<'i>),
    TooLong,
    Corrupt,
}

/// The length of a message by its prelude, unless that is damaged.
fn message_length(prelude: &[u8; PRELUDE]) -> Option<usize> {
    let (lengths, checksum) = prelude.split_at_checked(8)?;
    if CRC.checksum(lengths).to_be_bytes() != checksum {
        return None;
    }
    let (total, headers) = lengths.split_at_checked(4)?;
    let (total, headers) = (number(total)?, number(headers)?);
    (total >= headers.checked_add(OVERHEAD)?).then_some(total)
}

/// A message whose checksums hold.
#[derive(Clone, Copy, Debug)]
struct Message<'a> {
    headers: &'a [u8],
    payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// Splits a message of the length that its prelude names.
    fn checked(message: &'a [u8]) -> Option<Self> {
        let (checked, checksum) = message.split_last_chunk::<4>()?;
        if CRC.checksum(checked).to_be_bytes() != *checksum {
            return None;
        }
        let headers_length = number(checked.get(4..8)?)?;
        let (headers, payload) = checked.get(PRELUDE..)?.split_at_checked(headers_length)?;
        Some(Self { headers, payload })
    }

    /// What the message is, by its headers. One whose headers cannot be read is counted as damaged; where the next message
    /// begins is known all the same.
    fn frame(self) -> Frame<'a> {
        self.by_headers().unwrap_or(Frame::Corrupt)
    }

    fn by_headers(self) -> Option<Frame<'a>> {
        let mut rest = self.headers;
        let mut values = [None; HEADERS.len()];
        while !rest.is_empty() {
            let header = Header::take(&mut rest)?;
            // A `match` on the names would be compiled to a comparison of every byte.
            let place = HEADERS.iter().position(|name| name.as_bytes() == header.name);
            if let Some(value) = place.and_then(|place| values.get_mut(place)) {
                *value = Some(header.text);
            }
        }
        let [event, message_type, exception, code, text] = values;
        let string = |bytes: Option<&'a [u8]>| core::str::from_utf8(bytes.unwrap_or_default()).ok();
        Some(if message_type == Some(b"exception") {
            Frame::Exception { name: string(exception)?, data: self.payload }
        } else if message_type == Some(b"error") {
            Frame::Error { code: string(code)?, message: string(text)? }
        } else {
            Frame::Event { name: event, data: self.payload }
        })
    }
}

/// One header, with its value where that is a string. Not checked to be UTF-8.
#[derive(Clone, Copy, Debug)]
struct Header<'a> {
    name: &'a [u8],
    text: &'a [u8],
}

impl<'a> Header<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let (&name_length, after) = rest.split_first()?;
        let (name, after) = after.split_at_checked(usize::from(name_length))?;
        let (&kind, after) = after.split_first()?;
        let (length, after) = match kind {
            // True, false; byte, short, integer, long; bytes, string; timestamp; UUID.
            0 | 1 => (0, after),
            2 => (1, after),
            3 => (2, after),
            4 => (4, after),
            5 | 8 => (8, after),
            6 | STRING => {
                let (length, after) = after.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*length)), after)
            }
            9 => (16, after),
            _ => return None,
        };
        let (value, after) = after.split_at_checked(length)?;
        *rest = after;
        Some(Self { name, text: if kind == STRING { value } else { &[] } })
    }
}

fn number(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()
}

/// Bytes of the two lengths and their checksum.
const PRELUDE: usize = 12;

/// Bytes of a message without headers and payload.
const OVERHEAD: usize = PRELUDE + 4;

/// Names of the headers that say what a message is.
const HEADERS: [&str; 5] = [":event-type", ":message-type", ":exception-type", ":error-code", ":error-message"];

/// Type of a header's value that is a string.
const STRING: u8 = 7;

/// Lookup tables of 16 KiB make it several times faster; in a browser the size counts more.
#[cfg(not(target_arch = "wasm32"))]
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
#[cfg(target_arch = "wasm32")]
static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);
