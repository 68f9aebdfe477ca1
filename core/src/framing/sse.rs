//! Server-sent events, by the rules of the WHATWG HTML standard, "9.2.6 Interpreting an event stream".

use alloc::vec::Vec;

use memchr::memchr2;
use serde::{Deserialize, Serialize};

use super::buffer::{Buffer, Piece};
use super::framer::Frame;

/// Cuts a stream into events and comments.
///
/// One leniency beside the standard: an event that the end of the stream leaves unterminated is dispatched, because
/// some servers and most recorders drop the last blank line.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Sse {
    /// How far the line is known that earlier reads left unfinished.
    line: Line,
    /// The field name of an unfinished line, as long as no colon has come.
    field: Vec<u8>,
    name: Buffer,
    data: Buffer,
    /// Whether `data` holds any `data` line; such a line may be empty.
    has_data: bool,
    /// A CR ended the last line, and an LF right after it belongs to the same line end.
    after_cr: bool,
    /// The buffers were lent out with the last frame and can be reused.
    lent: bool,
    /// What the lines so far say of the whole.
    sense: Sense,
}

/// Whether the body is a stream of events at all: an HTML page or compressed bytes have lines too.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
enum Sense {
    /// Only fields without effect so far, or nothing.
    #[default]
    Open,
    /// There are lines that no server-sent event has, and no event so far. A comment proves nothing: any line may begin with
    /// a colon.
    Doubtful,
    /// An event came, or the doubt has been told.
    Settled,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
enum Line {
    /// No colon yet.
    #[default]
    Field,
    Comment,
    /// In the value of `data`, where one leading space is still to be dropped.
    DataStart,
    Data,
    NameStart,
    Name,
    /// In a field of no interest.
    Ignored,
}

impl Sse {
    /// A stream whose first line is of no interest.
    pub(super) fn in_ignored_line() -> Self {
        Self { line: Line::Ignored, ..Self::default() }
    }

    pub(super) fn next_frame<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8], limit: usize) -> Option<Frame<'a>> {
        let emit = self.step(input, limit)?;
        self.settle(&emit);
        Some(self.frame(emit))
    }

    pub(super) fn finish(&mut self, limit: usize) -> Option<Frame<'_>> {
        self.forget_lent();
        self.after_cr = false;
        let emit = self.end_line(limit).or_else(|| self.dispatch(Borrowed::default()));
        let Some(emit) = emit else {
            let sense = core::mem::replace(&mut self.sense, Sense::Settled);
            return (sense == Sense::Doubtful).then_some(Frame::Incomplete);
        };
        self.settle(&emit);
        Some(self.frame(emit))
    }

    fn settle(&mut self, emit: &Emit<'_>) {
        if !matches!(emit, Emit::Comment) {
            self.sense = Sense::Settled;
        }
    }

    fn frame<'a>(&'a self, emit: Emit<'a>) -> Frame<'a> {
        match emit {
            Emit::Comment => Frame::KeepAlive,
            Emit::TooLong => Frame::TooLong,
            Emit::Event { name, data } => {
                let name = match name {
                    Piece::Input(name) => name,
                    Piece::Buffered => self.name.as_slice(),
                };
                let data = match data {
                    Piece::Input(data) => data,
                    Piece::Buffered => self.data.as_slice(),
                };
                Frame::Event { name: Some(name).filter(|name| !name.is_empty()), data }
            }
        }
    }

    fn step<'i>(&mut self, input: &mut &'i [u8], limit: usize) -> Option<Emit<'i>> {
        self.forget_lent();
        let mut event = Borrowed::default();
        loop {
            if self.after_cr
                && let Some((&first, rest)) = input.split_first()
            {
                self.after_cr = false;
                if first == b'\n' {
                    *input = rest;
                }
            }
            let Some((line, rest, ended_by_cr)) = split_line(input) else {
                self.keep(event, limit);
                self.feed(input, limit);
                *input = &[];
                return None;
            };
            *input = rest;
            self.after_cr = ended_by_cr;
            if self.line != Line::Field || !self.field.is_empty() {
                self.feed(line, limit);
                if let Some(emit) = self.end_line(limit) {
                    return Some(emit);
                }
                continue;
            }
            match Field::of(line) {
                Field::Blank => {
                    if let Some(emit) = self.dispatch(event) {
                        return Some(emit);
                    }
                    event = Borrowed::default();
                }
                Field::Comment => {
                    self.keep(event, limit);
                    return Some(Emit::Comment);
                }
                Field::Data(value) if event.data.is_none() && !self.has_data => {
                    if value.len() > limit {
                        self.has_data = true;
                        self.data.overflow();
                    } else {
                        event.data = Some(value);
                    }
                }
                Field::Data(value) => {
                    self.keep(event, limit);
                    event = Borrowed::default();
                    self.begin_data(limit);
                    self.data.push(value, limit);
                }
                Field::Name(value) => {
                    self.name.clear();
                    event.name = Some(value).filter(|name| name.len() <= NAME_LIMIT);
                }
                Field::Other(name) => {
                    if !is_field(name) {
                        self.doubt();
                    }
                }
            }
        }
    }

    fn doubt(&mut self) {
        if self.sense == Sense::Open {
            self.sense = Sense::Doubtful;
        }
    }

    /// Takes a part of a line: the rest of the read, or what a line had left open.
    fn feed(&mut self, mut bytes: &[u8], limit: usize) {
        while self.line == Line::Field {
            let Some((&byte, rest)) = bytes.split_first() else { return };
            bytes = rest;
            if byte == b':' {
                self.begin_value(limit);
            } else if self.field.len() < LONGEST_FIELD {
                self.field.push(byte);
            } else {
                self.field.clear();
                self.line = Line::Ignored;
                self.doubt();
            }
        }
        if bytes.is_empty() {
            return;
        }
        if let Line::DataStart | Line::NameStart = self.line {
            self.line = if self.line == Line::DataStart { Line::Data } else { Line::Name };
            bytes = bytes.strip_prefix(b" ").unwrap_or(bytes);
        }
        match self.line {
            Line::Data => self.data.push(bytes, limit),
            Line::Name => self.name.push(bytes, NAME_LIMIT),
            _ => {}
        }
    }

    fn begin_value(&mut self, limit: usize) {
        self.line = match self.field.as_slice() {
            b"" => Line::Comment,
            b"data" => {
                self.begin_data(limit);
                Line::DataStart
            }
            b"event" => {
                self.name.clear();
                Line::NameStart
            }
            name => {
                if !is_field(name) {
                    self.doubt();
                }
                Line::Ignored
            }
        };
        self.field.clear();
    }

    /// Begins one more line of data; the lines of one event are joined with LF.
    fn begin_data(&mut self, limit: usize) {
        if self.has_data {
            self.data.push(b"\n", limit);
        }
        self.has_data = true;
    }

    /// Ends a line that earlier reads began.
    fn end_line(&mut self, limit: usize) -> Option<Emit<'static>> {
        let line = core::mem::take(&mut self.line);
        if line == Line::Field && !self.field.is_empty() {
            // A line without a colon is a field with an empty value.
            if self.field == b"data" {
                self.begin_data(limit);
            } else if self.field == b"event" {
                self.name.clear();
            } else if !is_field(&self.field) {
                self.doubt();
            }
            self.field.clear();
        }
        (line == Line::Comment).then_some(Emit::Comment)
    }

    /// Ends the event; nothing comes of one without data.
    fn dispatch<'i>(&mut self, event: Borrowed<'i>) -> Option<Emit<'i>> {
        self.lent = true;
        if self.data.is_overflowed() {
            return Some(Emit::TooLong);
        }
        let data = match event.data {
            Some(data) => Piece::Input(data),
            None if self.has_data => Piece::Buffered,
            None => {
                self.forget_lent();
                return None;
            }
        };
        let name = event.name.map_or(Piece::Buffered, Piece::Input);
        Some(Emit::Event { name, data })
    }

    /// Copies what the event has so far out of the read.
    fn keep(&mut self, event: Borrowed<'_>, limit: usize) {
        if let Some(name) = event.name {
            self.name.clear();
            self.name.push(name, NAME_LIMIT);
        }
        if let Some(data) = event.data {
            self.has_data = true;
            self.data.push(data, limit);
        }
    }

    pub(super) fn forget_lent(&mut self) {
        if self.lent {
            self.name.clear();
            self.data.clear();
            self.has_data = false;
            self.lent = false;
        }
    }
}

/// What an event has so far, borrowed from the read.
#[derive(Clone, Copy, Debug, Default)]
struct Borrowed<'i> {
    name: Option<&'i [u8]>,
    data: Option<&'i [u8]>,
}

#[derive(Clone, Copy, Debug)]
enum Emit<'i> {
    Event { name: Piece<'i>, data: Piece<'i> },
    Comment,
    TooLong,
}

enum Field<'i> {
    Blank,
    Comment,
    Data(&'i [u8]),
    Name(&'i [u8]),
    /// With the name of the field, or all of a line without a colon.
    Other(&'i [u8]),
}

impl<'i> Field<'i> {
    fn of(line: &'i [u8]) -> Self {
        if let Some(value) = line.strip_prefix(b"data:") {
            return Self::Data(value.strip_prefix(b" ").unwrap_or(value));
        }
        if let Some(value) = line.strip_prefix(b"event:") {
            return Self::Name(value.strip_prefix(b" ").unwrap_or(value));
        }
        match line {
            b"" => Self::Blank,
            b"data" => Self::Data(b""),
            b"event" => Self::Name(b""),
            [b':', ..] => Self::Comment,
            _ => Self::Other(line.split(|&byte| byte == b':').next().unwrap_or_default()),
        }
    }
}

/// Whether the standard knows a field of that name.
fn is_field(name: &[u8]) -> bool {
    [&b"data"[..], b"event", b"id", b"retry"].contains(&name)
}

/// The first line, what follows it, and whether a CR at the very end of the read ended it.
fn split_line(input: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    // The blank line behind each event.
    if let [b'\n', rest @ ..] = input {
        return Some((&[], rest, false));
    }
    let end = memchr2(b'\n', b'\r', input)?;
    let (line, rest) = input.split_at_checked(end)?;
    let (&terminator, rest) = rest.split_first()?;
    if terminator == b'\n' {
        return Some((line, rest, false));
    }
    Some((line, rest.strip_prefix(b"\n").unwrap_or(rest), rest.is_empty()))
}

/// The longest field name of interest is `event`.
const LONGEST_FIELD: usize = 5;

/// Event names are short words; a longer one is none.
const NAME_LIMIT: usize = 64;
