//! AWS messages with right checksums, which random bytes never have.

use crc::{CRC_32_ISO_HDLC, Crc};
use llmspan_core::framing::Framing;
use llmspan_runner::fuzz::Choices;

use crate::frames::{Caps, Owned, frames};

/// Builds messages from the data, and expects each to be what its headers say, or nothing behind one that was damaged.
pub(crate) fn check(choices: Choices, mut data: &[u8]) {
    let caps = Caps::of(choices);
    let (mut body, mut expected, mut lost) = (Vec::new(), Vec::new(), false);
    while let Some(script) = Script::take(&mut data) {
        let mut message = script.message();
        let damage = script.damage(message.len(), body.is_empty());
        if let Some((at, bits)) = damage {
            message[at] ^= bits;
        }
        if !lost {
            let prelude_is_damaged = damage.is_some_and(|(at, _)| at < PRELUDE);
            expected.push(if prelude_is_damaged {
                Owned::Corrupt
            } else if message.len() > caps.frame {
                Owned::TooLong
            } else if damage.is_some() {
                Owned::Corrupt
            } else {
                script.frame()
            });
            // The checksum of a message that is skipped is not looked at.
            lost = prelude_is_damaged || (damage.is_some() && message.len() <= caps.frame);
        }
        body.extend_from_slice(&message);
    }
    assert_eq!(frames(Framing::EventStream, caps, &[&body]), expected, "{caps:?}");
    assert_eq!(frames(Framing::EventStream, caps, &choices.pieces(&body)), expected, "in pieces, {caps:?}");
    if body.len() <= SHORT {
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(frames(Framing::EventStream, caps, &bytes), expected, "one byte at a time, {caps:?}");
    }
}

/// The message of a type with one name, as services send them.
pub(crate) fn message(kind: &str, name: &str, payload: &[u8]) -> Vec<u8> {
    let mut headers = Vec::new();
    push_text(&mut headers, ":message-type", kind.as_bytes());
    let header = if kind == "exception" { ":exception-type" } else { ":event-type" };
    push_text(&mut headers, header, name.as_bytes());
    assembled(&headers, payload)
}

/// What a part of the data says of one message.
#[derive(Clone, Copy, Debug)]
struct Script<'a> {
    shape: u8,
    /// Type of a header's value that is of no interest, with bytes for it.
    other: u8,
    /// Value of the headers that are of interest, maybe no UTF-8.
    text: &'a [u8],
    payload: &'a [u8],
    damage: Option<(u16, u8)>,
}

impl<'a> Script<'a> {
    fn take(data: &mut &'a [u8]) -> Option<Self> {
        let (&[shape, other, text, payload, place, bits], rest) = data.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(usize::from(text & 31))?;
        // The high bits make it long without the input being so.
        let (payload, rest) = rest.split_at_checked(usize::from(payload).min(rest.len()))?;
        *data = rest;
        let damage = (shape & 0x40 != 0 && bits != 0).then_some((u16::from(place), bits));
        Some(Self { shape, other, text, payload, damage })
    }

    fn message(self) -> Vec<u8> {
        let mut headers = Vec::new();
        let value: &[u8] = &[b'v'; 16];
        let (kind, length) = self.other_header();
        if self.shape & 0x08 != 0 {
            headers.extend_from_slice(b"\x05other");
            headers.push(kind);
            if let 6 | 7 = kind {
                headers.extend_from_slice(&[0, 16]);
            }
            headers.extend_from_slice(&value[..length]);
        }
        let types = [Some("event"), Some("exception"), Some("error"), None];
        if let Some(kind) = types[usize::from(self.shape & 3)] {
            push_text(&mut headers, ":message-type", kind.as_bytes());
        }
        for (bit, name) in [(0x04, ":event-type"), (0x10, ":exception-type"), (0x20, ":error-code")] {
            if self.shape & bit != 0 {
                push_text(&mut headers, name, self.text);
            }
        }
        if self.shape & 0x80 != 0 {
            push_text(&mut headers, ":error-message", self.text);
        }
        assembled(&headers, self.payload)
    }

    fn frame(self) -> Owned {
        if self.shape & 0x08 != 0 && self.other_header().0 > LAST_TYPE {
            return Owned::Corrupt;
        }
        let text = |bit: u8| {
            let text = if self.shape & bit == 0 { &[] } else { self.text };
            String::from_utf8(text.into()).ok()
        };
        match self.shape & 3 {
            1 => text(0x10).map_or(Owned::Corrupt, |name| Owned::Exception(name, self.payload.into())),
            2 => text(0x20).zip(text(0x80)).map_or(Owned::Corrupt, |(code, text)| Owned::Error(code, text)),
            _ => Owned::Event((self.shape & 0x04 != 0).then(|| self.text.into()), self.payload.into()),
        }
    }

    /// Type and bytes of the header that is of no interest.
    fn other_header(self) -> (u8, usize) {
        let kind = self.other % (LAST_TYPE + 2);
        (kind, [0, 0, 1, 2, 4, 8, 16, 16, 8, 16, 0][usize::from(kind)])
    }

    /// Where the message is damaged, and which bits of it. The first byte of a body says what kind of body it is.
    fn damage(self, length: usize, first: bool) -> Option<(usize, u8)> {
        let (place, bits) = self.damage?;
        let at = usize::from(place) % length;
        (at > 0 || !first).then_some((at, bits))
    }
}

fn assembled(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let number = |length: usize| u32::try_from(length).expect("a short message").to_be_bytes();
    let mut out = Vec::new();
    out.extend_from_slice(&number(PRELUDE + headers.len() + payload.len() + 4));
    out.extend_from_slice(&number(headers.len()));
    out.extend_from_slice(&CRC.checksum(&out).to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&CRC.checksum(&out).to_be_bytes());
    out
}

fn push_text(headers: &mut Vec<u8>, name: &str, value: &[u8]) {
    headers.push(u8::try_from(name.len()).expect("a short name"));
    headers.extend_from_slice(name.as_bytes());
    headers.push(7);
    headers.extend_from_slice(&u16::try_from(value.len()).expect("a short value").to_be_bytes());
    headers.extend_from_slice(value);
}

/// Bytes of the two lengths and their checksum.
const PRELUDE: usize = 12;

/// The last type that a header's value can have.
const LAST_TYPE: u8 = 9;

/// Bodies that are also fed byte by byte.
const SHORT: usize = 512;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
