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
