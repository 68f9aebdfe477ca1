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
    pub(in crate::provider) fn to_wire<'n>(self, name: &'n [u8], room: &'n mut NameRoom) -> &'n [u8] {
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
    fn respell(self, name: &[u8], room: &mut NameRoom) -> Option<usize> {
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

/// Room for a name: no name that is looked for is longer.
pub(in crate::provider) type NameRoom = [u8; 64];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(spelling: Spelling, name: &str, wire: &str) {
        let mut room = [0; _];
        assert_eq!(core::str::from_utf8(spelling.to_wire(name.as_bytes(), &mut room)), Ok(wire));
    }

    #[test]
    fn names_are_those_of_the_wire() {
        check(Spelling::Wire, "content_block_delta", "content_block_delta");
        check(Spelling::Snake, "content_block_delta", "contentBlockDelta");
        check(Spelling::Snake, "contentBlockDelta", "contentBlockDelta");
        check(Spelling::Snake, "__type", "__type");
        check(Spelling::Snake, "a_", "a_");
        check(Spelling::Snake, "a_1_b", "a_1B");
        check(Spelling::Snake, "a__b", "a_B");
        check(Spelling::Camel, "finishReason", "finish_reason");
        check(Spelling::Camel, "finish_reason", "finish_reason");
        check(Spelling::Camel, "", "");
        // No more than there is room for.
        check(Spelling::Camel, &"aB".repeat(21), &"a_b".repeat(21));
        check(Spelling::Camel, &"aB".repeat(22), &"aB".repeat(22));
        check(Spelling::Snake, &"abc_".repeat(40), &"abc_".repeat(40));
    }

    #[test]
    fn an_event_is_taken_out_of_what_wraps_it() {
        for wrapper in [
            r#"{"data":{"a":[1]}}"#,
            r#" { "id" : "7", "event" : null, "data" : {"a":[1]} , "retry":5} "#,
            r#"{"d\u0061ta":{"a":[1]}}"#,
            r#"{"data":{},"data":{"a":[1]}}"#,
        ] {
            assert_eq!(unwrapped(wrapper.as_bytes()).map(str_of), Some(r#"{"a":[1]}"#), "{wrapper}");
        }
        for own in
            ["", "{}", "[]", r#"{"data":"text"}"#, r#"{"data":{},"object":"x"}"#, r#"{"data":{}} x"#, r#"{"data":{"#]
        {
            assert_eq!(unwrapped(own.as_bytes()).map(str_of), None, "{own}");
        }
    }

    fn str_of(bytes: &[u8]) -> &str {
        core::str::from_utf8(bytes).unwrap()
    }
}
