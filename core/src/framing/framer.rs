//! The framer of one attempt.

use serde::{Deserialize, Serialize};

#[cfg(feature = "protocols")]
use super::event_stream::EventStream;
use super::json::Json;
#[cfg(feature = "protocols")]
use super::ndjson::Ndjson;
use super::sse::Sse;

/// How the bytes of a response are cut into frames.
///
/// Without the feature `protocols` there are neither AWS messages nor lines of JSON: such a stream is read as server-sent
/// events, of which it has none.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Framing {
    /// Messages of `application/vnd.amazon.eventstream`, both checksums of which are checked.
    EventStream,
    /// JSON objects one after the other; usually a single one, the whole body.
    Json,
    /// The elements of one top-level JSON array.
    JsonArray,
    /// One JSON value per line.
    Ndjson,
    /// Server-sent events.
    #[default]
    Sse,
}

/// One piece of a response that has a meaning of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// A whole JSON body, as of an answer that does not stream.
    Body {
        /// The JSON text.
        data: &'a [u8],
    },
    /// The body is compressed (gzip, zlib or zstd) and nobody decompressed it. Nothing more comes of it.
    Compressed,
    /// A message whose checksum or headers are wrong. Behind a wrong checksum nothing more comes.
    Corrupt,
    /// An error in the words of an AWS event stream itself, not of the service that sends it.
    Error {
        /// Its class, such as `InternalFailure`.
        code: &'a str,
        /// Text for people.
        message: &'a str,
    },
    /// One event of a stream.
    Event {
        /// The event name of a server-sent event or the event type of an AWS message, where there is one.
        ///
        /// Not checked to be UTF-8.
        name: Option<&'a [u8]>,
        /// The payload, usually JSON text. Not checked to be UTF-8.
        data: &'a [u8],
    },
    /// An error that the service reports through an AWS event stream.
    Exception {
        /// Its class, such as `throttlingException`.
        name: &'a str,
        /// The payload, usually JSON text.
        data: &'a [u8],
    },
    /// The stream ended inside a JSON body or array or inside an AWS message, or it is nothing that was expected: no JSON,
    /// no server-sent events.
    Incomplete,
    /// A comment line of a server-sent event stream.
    KeepAlive,
    /// A frame longer than the cap went by and was skipped.
    TooLong,
}

/// Cuts the bytes of one response into frames.
///
/// The first bytes decide between a stream and a JSON body: servers answer a streaming request with a plain body when
/// it fails, or when they do not stream. So a framer, unless it was made for [`Framing::Ndjson`], turns to
/// [`Framing::Json`] when the first byte that is no space is `{`, and to [`Framing::JsonArray`] when it is `[`. A body that
/// begins as only compressed data does is not read.
///
/// The frames are the same however the bytes are split. Its state can be stored and taken up again between two reads.
///
/// What is stored holds no bytes of an event that was given out; of one that has come in part it has to hold that part.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(into = "Stored")]
pub struct Framer {
    frame_limit: usize,
    body_limit: usize,
    state: State,
}

/// A framer without the bytes that it lent out and keeps until the next read.
#[derive(Serialize)]
struct Stored {
    frame_limit: usize,
    body_limit: usize,
    state: State,
}

impl From<Framer> for Stored {
    fn from(Framer { frame_limit, body_limit, mut state }: Framer) -> Self {
        match &mut state {
            State::Start { .. } | State::Compressed(_) => {}
            #[cfg(feature = "protocols")]
            State::EventStream(messages) => messages.forget_lent(),
            State::Json(json) | State::JsonArray(json) => json.forget_lent(),
            #[cfg(feature = "protocols")]
            State::Ndjson(lines) => lines.forget_lent(),
            State::Sse(sse) => sse.forget_lent(),
        }
        Self { frame_limit, body_limit, state }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
enum State {
    Start {
        framing: Framing,
        /// Bytes of a byte order mark that have been seen.
        mark: usize,
        /// Whether space has been dropped from the line that comes first.
        indented: bool,
        /// A first byte of which the next one tells whether it is text.
        held: Option<u8>,
    },
    /// In a compressed body; whether that is still to be told.
    Compressed(bool),
    #[cfg(feature = "protocols")]
    EventStream(EventStream),
    Json(Json),
    JsonArray(Json),
    #[cfg(feature = "protocols")]
    Ndjson(Ndjson),
    Sse(Sse),
}

impl Framer {
    /// Makes a framer that skips events longer than `frame_limit` bytes and whole bodies longer than `body_limit`.
    pub fn new(framing: Framing, frame_limit: usize, body_limit: usize) -> Self {
        Self { frame_limit, body_limit, state: State::Start { framing, mark: 0, indented: false, held: None } }
    }

    /// Takes the next frame out of `input`, which is advanced past what has been consumed.
    ///
    /// `None` means that `input` is used up and more bytes are needed.
    pub fn next_frame<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Frame<'a>> {
        if input.is_empty() {
            return None;
        }
        if let State::Start { .. } = self.state {
            self.start(input)?;
        }
        match &mut self.state {
            State::Start { .. } => None,
            State::Compressed(untold) => {
                *input = &[];
                core::mem::take(untold).then_some(Frame::Compressed)
            }
            #[cfg(feature = "protocols")]
            State::EventStream(messages) => messages.next_frame(input, self.frame_limit),
            State::Json(json) => json.next_frame(input, self.body_limit),
            State::JsonArray(json) => json.next_frame(input, self.frame_limit),
            #[cfg(feature = "protocols")]
            State::Ndjson(lines) => lines.next_frame(input, self.frame_limit),
            State::Sse(sse) => sse.next_frame(input, self.frame_limit),
        }
    }

    /// Takes what the end of the stream leaves: an event without its blank line, a line without its line end, or the
    /// word that a body is not complete.
    ///
    /// To be called until it returns `None`.
    pub fn finish(&mut self) -> Option<Frame<'_>> {
        match &mut self.state {
            State::Start { held, .. } => held.take().map(|_| Frame::Incomplete),
            State::Compressed(_) => None,
            #[cfg(feature = "protocols")]
            State::EventStream(messages) => messages.finish(),
            State::Json(json) | State::JsonArray(json) => json.finish(),
            #[cfg(feature = "protocols")]
            State::Ndjson(lines) => lines.finish(),
            State::Sse(sse) => sse.finish(self.frame_limit),
        }
    }

    /// The framing found by the first bytes; the one asked for as long as there are none. A compressed body has that of
    /// bytes of unknown meaning, [`Framing::Json`].
    pub fn framing(&self) -> Framing {
        match &self.state {
            State::Start { framing, .. } => *framing,
            #[cfg(feature = "protocols")]
            State::EventStream(_) => Framing::EventStream,
            State::Json(_) | State::Compressed(_) => Framing::Json,
            State::JsonArray(_) => Framing::JsonArray,
            #[cfg(feature = "protocols")]
            State::Ndjson(_) => Framing::Ndjson,
            State::Sse(_) => Framing::Sse,
        }
    }

    /// Decides by the first bytes how to go on; `None` as long as they are too few.
    fn start(&mut self, input: &mut &[u8]) -> Option<()> {
        let State::Start { framing, mark, indented, held } = &mut self.state else { return Some(()) };
        if held.is_none() {
            let first = skip_mark_and_space(*framing, mark, indented, input)?;
            if !compressed_begin(first).is_empty() {
                *held = Some(first);
                *input = input.get(1..)?;
            }
        }
        let Some(first) = *held else {
            let first = *input.first()?;
            self.state = State::begin(*framing, first, *indented);
            return Some(());
        };
        if compressed_begin(first).contains(input.first()?) {
            self.state = State::Compressed(true);
            return Some(());
        }
        self.state = State::begin(*framing, first, *indented);
        // A frame does not end with its first byte.
        self.next_frame(&mut [first].as_slice());
        Some(())
    }
}

impl State {
    fn begin(framing: Framing, first: u8, indented: bool) -> Self {
        match (framing, first) {
            #[cfg(feature = "protocols")]
            (Framing::Ndjson, _) => Self::Ndjson(Ndjson::default()),
            // No text begins with NUL, but an AWS message of less than 16 MiB does.
            #[cfg(feature = "protocols")]
            (_, 0) => Self::EventStream(EventStream::default()),
            (_, b'{') => Self::Json(Json::values()),
            (_, b'[') => Self::JsonArray(Json::array()),
            // A space before a field name makes it another, unknown field.
            (Framing::Sse, _) if indented => Self::Sse(Sse::in_ignored_line()),
            (Framing::Sse, _) => Self::Sse(Sse::default()),
            #[cfg(feature = "protocols")]
            (Framing::EventStream, _) => Self::EventStream(EventStream::default()),
            (Framing::Json | Framing::JsonArray, _) => Self::Json(Json::values()),
            #[cfg(not(feature = "protocols"))]
            (Framing::EventStream | Framing::Ndjson, _) => Self::Sse(Sse::default()),
        }
    }
}

/// Drops a byte order mark and the space before the first byte that says something, and returns that byte.
///
/// Some servers send blanks and blank lines as a keep-alive before a plain body.
fn skip_mark_and_space(framing: Framing, mark: &mut usize, indented: &mut bool, input: &mut &[u8]) -> Option<u8> {
    while let Some((&byte, rest)) = input.split_first() {
        if BYTE_ORDER_MARK.get(*mark) == Some(&byte) {
            *mark += 1;
            // Until the mark is complete its bytes are nothing that a line could start with.
            *indented = *mark != BYTE_ORDER_MARK.len();
        } else if framing != Framing::Ndjson && byte.is_ascii_whitespace() {
            *mark = BYTE_ORDER_MARK.len();
            *indented = !matches!(byte, b'\n' | b'\r');
        } else {
            return Some(byte);
        }
        *input = rest;
    }
    None
}

/// Second bytes that make the first one the begin of compressed data: gzip (RFC 1952), zlib (RFC 1950, without `^` behind
/// the `x`, which may be text), zstd (RFC 8878). Brotli has no mark of its own; it shows as a body without an event.
fn compressed_begin(first: u8) -> &'static [u8] {
    match first {
        0x1F => &[0x8B],
        0x28 => &[0xB5],
        0x78 => &[0x01, 0x9C, 0xDA],
        _ => &[],
    }
}

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use alloc::{format, vec};

    use super::*;

    fn show(frame: &Frame<'_>) -> String {
        match frame {
            Frame::Body { data } => format!("body {}", String::from_utf8_lossy(data)),
            Frame::Event { name: None, data } => String::from_utf8_lossy(data).to_string(),
            Frame::Event { name: Some(name), data } => {
                format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(data))
            }
            Frame::Compressed => "compressed".to_string(),
            Frame::Corrupt => "corrupt".to_string(),
            Frame::Error { code, message } => format!("error {code}: {message}"),
            Frame::Exception { name, data } => format!("exception {name}={}", String::from_utf8_lossy(data)),
            Frame::Incomplete => "incomplete".to_string(),
            Frame::KeepAlive => "keep-alive".to_string(),
            Frame::TooLong => "too long".to_string(),
        }
    }

    fn frames_of(framing: Framing, input: &[u8], size: usize, limit: usize) -> Vec<String> {
        let mut framer = Framer::new(framing, limit, limit);
        let mut seen = Vec::new();
        for read in input.chunks(size) {
            // Each read is a new slice, and the state survives being stored between reads.
            framer = serde_json::from_str(&serde_json::to_string(&framer).unwrap()).unwrap();
            let mut read = read;
            while let Some(frame) = framer.next_frame(&mut read) {
                seen.push(show(&frame));
            }
            assert!(read.is_empty());
        }
        while let Some(frame) = framer.finish() {
            seen.push(show(&frame));
        }
        seen
    }

    #[track_caller]
    fn check(framing: Framing, input: &str, expected: &[&str]) {
        for size in (1..=input.len().max(1)).rev() {
            assert_eq!(frames_of(framing, input.as_bytes(), size, 32), expected, "in reads of {size}: {input:?}");
        }
    }

    #[test]
    fn line_ends_of_every_kind_are_one() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = "data: 1\n: note\n\nevent: x\ndata:2\nid: 5\ndata: 3\n\ndata\n\ndata:  4\n\nretry: 3\n\n"
                .replace('\n', end);
            check(Framing::Sse, &stream, &["keep-alive", "1", "x=2\n3", "", " 4"]);
        }
        check(Framing::Sse, "data: 1\r\n\rdata: 2\n\r\n", &["1", "2"]);
    }

    #[test]
    fn a_cr_at_the_end_of_a_read_ends_the_line() {
        let mut framer = Framer::new(Framing::Sse, 32, 32);
        let mut read: &[u8] = b"data: 1\r\n\r";
        assert_eq!(framer.next_frame(&mut read), Some(Frame::Event { name: None, data: b"1" }));
        let mut read: &[u8] = b"\ndata: 2\r";
        assert_eq!(framer.next_frame(&mut read), None);
        let mut read: &[u8] = b"\r";
        assert_eq!(framer.next_frame(&mut read), Some(Frame::Event { name: None, data: b"2" }));
    }

    #[test]
    fn events_need_data_and_fields_need_their_exact_name() {
        check(Framing::Sse, "event: ping\n\nevent: a\nevent: b\ndata: 1\n\n", &["b=1"]);
        check(Framing::Sse, "data : 1\nDATA: 2\ndatas: 3\n data: 4\ndat\n\ndata: 5\n\n", &["5"]);
        check(Framing::Sse, "event: x\nevent:\ndata: 1\n\n", &["1"]);
    }

    #[test]
    fn byte_order_mark_and_blank_lines_come_first() {
        check(Framing::Sse, "\u{feff}data: 1\n\n", &["1"]);
        check(Framing::Sse, "\n\ndata: 1\n\n", &["1"]);
        check(Framing::Sse, "  data: 1\ndata: 2\n\n", &["2"]);
        check(Framing::Ndjson, "\u{feff}{}\n", &["{}"]);
    }

    #[test]
    fn the_last_event_may_lack_its_end() {
        check(Framing::Sse, "data: 1\n\nevent: e\ndata: 2", &["1", "e=2"]);
        check(Framing::Sse, "data: 1\n", &["1"]);
        check(Framing::Sse, "data: 1\n: x", &["keep-alive", "1"]);
        check(Framing::Sse, "", &[]);
    }

    #[test]
    fn a_frame_past_the_cap_is_skipped_once() {
        let long = "x".repeat(40);
        check(Framing::Sse, &format!("data: {long}\n\ndata: 1\n\n"), &["too long", "1"]);
        check(Framing::Sse, &format!("data: a\ndata: {long}\ndata: b\n\ndata: 1\n\n"), &["too long", "1"]);
        check(Framing::Ndjson, &format!("{long}\n1\n"), &["too long", "1"]);
        check(Framing::Json, &format!("{{\"a\":\"{long}\"}} {{}}"), &["too long", "body {}"]);
        check(Framing::Sse, &format!("{long}: 1\ndata: 2\n\n"), &["2"]);
    }

    #[test]
    fn lines_are_frames_unless_blank() {
        check(Framing::Ndjson, "{\"a\":1}\r\n\n  \n{\"b\":2}\n{\"c\":3}", &["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]);
    }

    #[test]
    fn a_body_in_place_of_a_stream_is_found() {
        let body = " \n{\"a\": [\"}\\\"]\"],\n \"b\":{}}\n";
        check(Framing::Sse, body, &["body {\"a\": [\"}\\\"]\"],\n \"b\":{}}"]);
        check(Framing::Sse, "{\"a\":1}{\"b\":2}", &["body {\"a\":1}", "body {\"b\":2}"]);
        check(Framing::Sse, "{\"a\":1", &["incomplete"]);
        check(Framing::Json, "no json", &["incomplete"]);
    }

    #[test]
    fn a_body_that_is_no_stream_is_told_once() {
        for body in ["<html>\n<body>", "Not Found", "x", "\u{1}\u{2}: \n", "dat", "data : 1\n\n"] {
            check(Framing::Sse, body, &["incomplete"]);
        }
        for body in ["id: 1\n\n", "retry: 3000\n", "event: x\n\n", "\n\n\n", " \n"] {
            check(Framing::Sse, body, &[]);
        }
        check(Framing::Sse, "what: 1\n: note\n", &["keep-alive", "incomplete"]);
        check(Framing::Sse, "what: 1\ndata: 2\n\n", &["2"]);
    }

    #[test]
    fn compressed_bodies_are_not_read() {
        for begin in [b"\x1f\x8b\x08", b"\x28\xb5\x2f", b"\x78\x9c\x4b"] {
            for framing in [Framing::EventStream, Framing::Json, Framing::Ndjson, Framing::Sse] {
                let body = [begin.as_slice(), b"\ndata: 1\n\n{}"].concat();
                for size in 1..=body.len() {
                    assert_eq!(frames_of(framing, &body, size, 32), ["compressed"], "{begin:?} in reads of {size}");
                }
            }
        }
        check(Framing::Sse, "x: 1\ndata: 2\n\n", &["2"]);
        check(Framing::Ndjson, "(x\n", &["(x"]);
    }

    /// An AWS message with string headers.
    fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
        let mut block = Vec::new();
        for (name, value) in headers {
            block.push(u8::try_from(name.len()).unwrap());
            block.extend_from_slice(name.as_bytes());
            block.push(7);
            block.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
            block.extend_from_slice(value.as_bytes());
        }
        let mut message = Vec::new();
        message.extend_from_slice(&u32::try_from(16 + block.len() + payload.len()).unwrap().to_be_bytes());
        message.extend_from_slice(&u32::try_from(block.len()).unwrap().to_be_bytes());
        message.extend_from_slice(&crc.checksum(&message).to_be_bytes());
        message.extend_from_slice(&block);
        message.extend_from_slice(payload.as_bytes());
        message.extend_from_slice(&crc.checksum(&message).to_be_bytes());
        message
    }

    fn event(name: &str, payload: &str) -> Vec<u8> {
        message(&[(":message-type", "event"), (":event-type", name)], payload)
    }

    #[track_caller]
    fn check_messages(body: &[u8], limit: usize, expected: &[&str]) {
        for framing in [Framing::EventStream, Framing::Sse] {
            for size in (1..=body.len()).rev() {
                assert_eq!(frames_of(framing, body, size, limit), expected, "in reads of {size}");
            }
        }
    }

    #[test]
    fn aws_messages_are_events_by_their_headers() {
        let body = [
            event("chunk", "{\"a\":1}"),
            message(&[(":message-type", "exception"), (":exception-type", "slow")], "{}"),
            message(&[(":message-type", "error"), (":error-code", "E"), (":error-message", "m")], ""),
            event("end", ""),
        ];
        check_messages(&body.concat(), 256, &["chunk={\"a\":1}", "exception slow={}", "error E: m", "end="]);
        check_messages(&body.concat()[..70], 256, &["chunk={\"a\":1}", "incomplete"]);
        check(Framing::EventStream, "{\"message\":1}", &["body {\"message\":1}"]);
    }

    #[test]
    fn a_message_with_a_wrong_checksum_ends_the_reading() {
        let good = event("a", "1");
        for at in 0..good.len() {
            // The first byte tells the framing, too.
            let mut bad = good.clone();
            bad[at] ^= if at == 0 { 0x01 } else { 0x80 };
            let body = [&good[..], &bad, &good].concat();
            check_messages(&body, 256, &["a=1", "corrupt"]);
        }
    }

    #[test]
    fn a_message_past_the_cap_is_skipped_once() {
        let long = event("a", &"x".repeat(200));
        let body = [&event("a", "1")[..], &long, &event("a", "2")].concat();
        check_messages(&body, 128, &["a=1", "too long", "a=2"]);
        check_messages(&[&event("a", "1")[..], &long[..90]].concat(), 128, &["a=1", "too long"]);
    }

    #[test]
    fn headers_of_every_type_are_passed_over() {
        let sizes: [(u8, &[u8]); 10] = [
            (0, &[]),
            (1, &[]),
            (2, &[9]),
            (3, &[9; 2]),
            (4, &[9; 4]),
            (5, &[9; 8]),
            (6, &[0, 1, 9]),
            (7, &[0, 1, b'x']),
            (8, &[9; 8]),
            (9, &[9; 16]),
        ];
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
        let with_headers = |block: &[u8]| {
            let mut message = vec![0, 0, 0, u8::try_from(16 + block.len()).unwrap(), 0, 0, 0];
            message.push(u8::try_from(block.len()).unwrap());
            message.extend_from_slice(&crc.checksum(&message).to_be_bytes());
            message.extend_from_slice(block);
            message.extend_from_slice(&crc.checksum(&message).to_be_bytes());
            message
        };
        let mut block = Vec::new();
        for (kind, value) in sizes {
            block.extend_from_slice(&[1, b'h', kind]);
            block.extend_from_slice(value);
        }
        block.extend_from_slice(b"\x0b:event-type\x07\x00\x01e");
        check_messages(&with_headers(&block), 256, &["e="]);
        // One that cannot be read costs only its message.
        let exception = b"\x0d:message-type\x07\x00\x09exception\x0f:exception-type\x07\x00\x01\xff";
        for bad in [&b"\x05ab"[..], b"\x01h\x0a", b"\x01h\x07\x00\x09x", exception] {
            check_messages(&[with_headers(bad), event("a", "1")].concat(), 256, &["corrupt", "a=1"]);
        }
    }

    #[test]
    fn elements_of_an_array_are_events() {
        check(Framing::Sse, "[{\"a\":\"]\"}\n,\r\n{\"b\":[1]}]\n", &["{\"a\":\"]\"}", "{\"b\":[1]}"]);
        check(Framing::JsonArray, "[]", &[]);
        check(Framing::JsonArray, "[{}", &["{}", "incomplete"]);
        check(Framing::JsonArray, "{\"error\":1}", &["body {\"error\":1}"]);
    }

    #[test]
    fn the_framing_found_is_told() {
        let mut framer = Framer::new(Framing::Sse, 32, 32);
        assert_eq!(framer.framing(), Framing::Sse);
        let mut read: &[u8] = b"[";
        assert_eq!(framer.next_frame(&mut read), None);
        assert_eq!(framer.framing(), Framing::JsonArray);
        assert_eq!(vec![Frame::Incomplete], framer.finish().into_iter().collect::<Vec<_>>());
    }
}
