//! The framer of one attempt.

use serde::{Deserialize, Serialize};

use super::json::Json;
use super::ndjson::Ndjson;
use super::sse::Sse;

/// How the bytes of a response are cut into frames.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Framing {
    /// JSON objects one after the other; usually a single one, the whole body.
    Json,
    /// The elements of one top-level JSON array.
    JsonArray,
    /// One JSON value per line.
    Ndjson,
    /// Server-sent events.
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
    /// One event of a stream.
    Event {
        /// The event name of a server-sent event, where it has one.
        name: Option<&'a str>,
        /// The payload, usually JSON text. Not checked to be UTF-8.
        data: &'a [u8],
    },
    /// The stream ended inside a JSON body or array, or the body is no JSON.
    Incomplete,
    /// A comment line of a server-sent event stream.
    KeepAlive,
    /// A frame longer than the cap went by and was skipped.
    TooLong,
}

/// Cuts the bytes of one response into frames.
///
/// The first bytes decide between a stream and a JSON body: servers answer a streaming request with a plain body when
/// it fails, or when they do not stream. So a framer made for [`Framing::Sse`] or one of the JSON framings turns to
/// [`Framing::Json`] when the first byte that is no space is `{`, and to [`Framing::JsonArray`] when it is `[`.
///
/// The frames are the same however the bytes are split. Its state can be stored and taken up again between two reads.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Framer {
    frame_limit: usize,
    body_limit: usize,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
enum State {
    Start {
        framing: Framing,
        /// Bytes of a byte order mark that have been seen.
        mark: usize,
        /// Whether space has been dropped from the line that comes first.
        indented: bool,
    },
    Json(Json),
    JsonArray(Json),
    Ndjson(Ndjson),
    Sse(Sse),
}

impl Framer {
    /// Makes a framer that skips events longer than `frame_limit` bytes and whole bodies longer than `body_limit`.
    pub fn new(framing: Framing, frame_limit: usize, body_limit: usize) -> Self {
        Self { frame_limit, body_limit, state: State::Start { framing, mark: 0, indented: false } }
    }

    /// Takes the next frame out of `input`, which is advanced past what has been consumed.
    ///
    /// `None` means that `input` is used up and more bytes are needed.
    pub fn next_frame<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Frame<'a>> {
        if let State::Start { framing, mark, indented } = &mut self.state {
            let first = skip_mark_and_space(*framing, mark, indented, input)?;
            self.state = State::begin(*framing, first, *indented);
        }
        match &mut self.state {
            State::Start { .. } => None,
            State::Json(json) => json.next_frame(input, self.body_limit),
            State::JsonArray(json) => json.next_frame(input, self.frame_limit),
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
            State::Start { .. } => None,
            State::Json(json) | State::JsonArray(json) => json.finish(),
            State::Ndjson(lines) => lines.finish(),
            State::Sse(sse) => sse.finish(self.frame_limit),
        }
    }

    /// The framing found by the first bytes; the one asked for as long as there are none.
    pub fn framing(&self) -> Framing {
        match &self.state {
            State::Start { framing, .. } => *framing,
            State::Json(_) => Framing::Json,
            State::JsonArray(_) => Framing::JsonArray,
            State::Ndjson(_) => Framing::Ndjson,
            State::Sse(_) => Framing::Sse,
        }
    }
}

impl State {
    fn begin(framing: Framing, first: u8, indented: bool) -> Self {
        match (framing, first) {
            (Framing::Ndjson, _) => Self::Ndjson(Ndjson::default()),
            (_, b'{') => Self::Json(Json::values()),
            (_, b'[') => Self::JsonArray(Json::array()),
            // A space before a field name makes it another, unknown field.
            (Framing::Sse, _) if indented => Self::Sse(Sse::in_ignored_line()),
            (Framing::Sse, _) => Self::Sse(Sse::default()),
            (Framing::Json | Framing::JsonArray, _) => Self::Json(Json::values()),
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
            Frame::Event { name: Some(name), data } => format!("{name}={}", String::from_utf8_lossy(data)),
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
        check(Framing::Sse, "data : 1\nDATA: 2\ndatas: 3\n data: 4\ndat\n\n", &[]);
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
