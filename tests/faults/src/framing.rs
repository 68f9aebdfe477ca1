//! How events become bytes.

use crc::{CRC_32_ISO_HDLC, Crc};

use crate::{bodies::Event, schedule::Mark};

/// The framing of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framing {
    /// Elements of one JSON array.
    Array,
    /// `application/vnd.amazon.eventstream`.
    AwsEventStream,
    /// Server-sent events with a number, and the HTTP status as a comment.
    Dashscope,
    /// A JSON object per line.
    Lines,
    /// Server-sent events.
    Sse,
}

impl Framing {
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Array => "application/json; charset=UTF-8",
            Self::AwsEventStream => "application/vnd.amazon.eventstream",
            Self::Dashscope => "text/event-stream;charset=UTF-8",
            Self::Lines => "application/x-ndjson",
            Self::Sse => "text/event-stream; charset=utf-8",
        }
    }

    /// The bytes of event `index`, from 0.
    pub(crate) fn frame(self, event: &Event, index: usize) -> Vec<u8> {
        let data = &event.data;
        match self {
            Self::Array => format!("{}{data}", if index == 0 { "[" } else { "\n,\n" }).into_bytes(),
            Self::AwsEventStream => aws_message(event),
            Self::Dashscope => {
                let (name, status) = if event.holds(Mark::Error) { ("error", 429) } else { ("result", 200) };
                format!("id:{}\nevent:{name}\n:HTTP_STATUS/{status}\ndata:{data}\n\n", index + 1).into_bytes()
            }
            Self::Lines => format!("{data}\n").into_bytes(),
            Self::Sse => match event.name {
                Some(name) => format!("event: {name}\ndata: {data}\n\n").into_bytes(),
                None => format!("data: {data}\n\n").into_bytes(),
            },
        }
    }

    /// What comes behind the last event.
    pub(crate) const fn closing(self) -> Option<&'static [u8]> {
        match self {
            Self::Array => Some(b"]\n"),
            Self::AwsEventStream | Self::Dashscope | Self::Lines | Self::Sse => None,
        }
    }

    /// The begin of an event that never ends.
    pub(crate) fn endless(self, size: usize) -> Vec<u8> {
        let begin: &[u8] = match self {
            Self::Array => b"[{\"filler\":\"",
            // A message that says it has 16 MiB, which is within what AWS allows.
            Self::AwsEventStream => b"",
            Self::Dashscope | Self::Sse => b"data: {\"filler\":\"",
            Self::Lines => b"{\"filler\":\"",
        };
        let mut bytes = if self == Self::AwsEventStream { aws_prelude(16 << 20, 0).to_vec() } else { begin.to_vec() };
        bytes.resize(bytes.len().max(size), b'a');
        bytes
    }
}

/// A message of an AWS event stream, with its two checksums.
fn aws_message(event: &Event) -> Vec<u8> {
    let name = event.name.unwrap_or("chunk");
    let (kind, name_header) =
        if event.holds(Mark::Error) { ("exception", ":exception-type") } else { ("event", ":event-type") };
    let mut headers = Vec::new();
    for (header, value) in [(name_header, name), (":content-type", "application/json"), (":message-type", kind)] {
        headers.push(u8::try_from(header.len()).unwrap_or(u8::MAX));
        headers.extend(header.as_bytes());
        headers.push(STRING);
        headers.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = event.data.as_bytes();
    // Prelude and its checksum have 12 bytes, the checksum of the message 4.
    let total = 12 + headers.len() + payload.len() + 4;
    let mut message = aws_prelude(u32::try_from(total).unwrap_or(u32::MAX), headers.len()).to_vec();
    message.extend(headers);
    message.extend(payload);
    message.extend(CRC_32.checksum(&message).to_be_bytes());
    message
}

fn aws_prelude(total: u32, headers: usize) -> [u8; 12] {
    let mut prelude = [0; 12];
    prelude[..4].copy_from_slice(&total.to_be_bytes());
    prelude[4..8].copy_from_slice(&u32::try_from(headers).unwrap_or(u32::MAX).to_be_bytes());
    let checksum = CRC_32.checksum(&prelude[..8]);
    prelude[8..].copy_from_slice(&checksum.to_be_bytes());
    prelude
}

const CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The type of a header's value.
const STRING: u8 = 7;
