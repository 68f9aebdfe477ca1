//! Names of members as libraries spell them, and events that libraries wrap.

use super::json::{Malformed, Reader};
use super::protocol::Protocol;

/// How the names of members are spelled, beside the spelling of the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::provider) enum Spelling {
    /// As on the wire.
    #[default]
    Wire,
    /// Like `content_block_delta`, where the wire has `contentBlockDelta`.
    Snake,
    /// Like `finishReason`, where the wire has `finish_reason`.
    Camel,
}

impl Spelling {
    /// How libraries spell the names of that protocol, besides as the wire does.
    pub(in crate::provider) fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::BedrockConverse | Protocol::VercelUiMessage => Self::Snake,
            Protocol::CohereChat | Protocol::MistralChat => Self::Camel,
            _ => Self::Wire,
        }
    }

    /// A name as the wire spells it; `room` holds one that is spelled in another way.
    pub(in crate::provider) fn to_wire<'n>(self, name: &'n [u8], room: &'n mut Room) -> &'n [u8] {
        let is_other = match self {
            Self::Wire => false,
            // A name that begins with an underscore is no word: `__type` of AWS.
            Self::Snake => matches!(name, [first, rest @ ..] if *first != b'_' && rest.contains(&b'_')),
            Self::Camel => name.iter().any(u8::is_ascii_uppercase),
        };
        let length = if is_other { self.respell(name, room) } else { None };
        length.and_then(|length| room.get(..length)).unwrap_or(name)
    }

    /// How long the name is in the other spelling; `None` when it is longer than any name that is looked for.
    fn respell(self, name: &[u8], room: &mut Room) -> Option<usize> {
        let mut length = 0;
        let mut put = |byte: u8| {
            *room.get_mut(length)? = byte;
            length += 1;
            Some(())
        };
        let mut rest = name;
        while let [byte, after @ ..] = rest {
            rest = after;
            match after {
                // An underscore that no letter follows stays.
                [next, behind @ ..] if self == Self::Snake && *byte == b'_' && next.is_ascii_lowercase() => {
                    put(next.to_ascii_uppercase())?;
                    rest = behind;
                }
                _ => {
                    if self == Self::Camel && byte.is_ascii_uppercase() {
                        put(b'_')?;
                        put(byte.to_ascii_lowercase())?;
                    } else {
                        put(*byte)?;
                    }
                }
            }
        }
        Some(length)
    }
}

/// Room for a name.
pub(in crate::provider) type Room = [u8; 64];

/// Whether a member is one of an event that wraps another one.
///
/// The WHATWG's HTML standard, section 9.2.6, names the fields of server-sent events.
pub(in crate::provider) fn is_of_wrapper(name: &[u8]) -> bool {
    [&b"event"[..], b"id", b"retry"].contains(&name)
}

/// The event that is the object in the member `data` of an event with the fields of server-sent events.
pub(in crate::provider) fn unwrapped(json: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(json);
    let mut data = None;
    let is_event = reader.members(|reader, name| match name {
        b"data" if reader.begins(b'{') => {
            let from = reader.rest;
            reader.skip_value()?;
            data = from.get(..from.len().saturating_sub(reader.rest.len()));
            Ok(())
        }
        _ if is_of_wrapper(name) => reader.skip_value(),
        _ => Err(Malformed),
    });
    data.filter(|_| is_event.is_ok() && reader.peek().is_none())
}
