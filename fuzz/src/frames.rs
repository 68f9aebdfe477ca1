//! Frames are the same however the bytes are cut, and none is longer than its cap.

use llmspan_core::framing::{Frame, Framer, Framing};
use llmspan_runner::fuzz::Choices;

/// The caps of a framer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) frame: usize,
    pub(crate) body: usize,
}

impl Caps {
    /// Small ones, so that inputs reach them.
    pub(crate) fn of(choices: Choices) -> Self {
        Self { frame: 8 << (choices.caps & 7), body: 8 << (choices.caps >> 3 & 7) }
    }
}

/// A frame that outlives its read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Owned {
    Body(Vec<u8>),
    Compressed,
    Corrupt,
    Error(String, String),
    Event(Option<Vec<u8>>, Vec<u8>),
    Exception(String, Vec<u8>),
    Incomplete,
    KeepAlive,
    TooLong,
}

impl Owned {
    fn of(frame: &Frame<'_>) -> Self {
        match *frame {
            Frame::Body { data } => Self::Body(data.into()),
            Frame::Compressed => Self::Compressed,
            Frame::Corrupt => Self::Corrupt,
            Frame::Error { code, message } => Self::Error(code.into(), message.into()),
            Frame::Event { name, data } => Self::Event(name.map(Vec::from), data.into()),
            Frame::Exception { name, data } => Self::Exception(name.into(), data.into()),
            Frame::Incomplete => Self::Incomplete,
            Frame::KeepAlive => Self::KeepAlive,
            Frame::TooLong => Self::TooLong,
            _ => panic!("the target does not know {frame:?}"),
        }
    }

    /// Bytes of the frame that a cap bounds.
    fn len(&self) -> usize {
        match self {
            Self::Body(data) | Self::Event(_, data) | Self::Exception(_, data) => data.len(),
            Self::Error(code, message) => code.len() + message.len(),
            Self::Compressed | Self::Corrupt | Self::Incomplete | Self::KeepAlive | Self::TooLong => 0,
        }
    }
}

pub(crate) fn check(framing: Framing, choices: Choices, data: &[u8]) {
    let caps = Caps::of(choices);
    let whole = frames(framing, caps, &[data]);
    for frame in &whole {
        let cap = if matches!(frame, Owned::Body(_)) { caps.body } else { caps.frame };
        assert!(frame.len() <= cap, "a frame past its cap of {cap}: {frame:?}");
    }
    assert_eq!(frames(framing, caps, &choices.pieces(data)), whole, "in pieces, not whole");
    if data.len() <= SHORT {
        let bytes: Vec<&[u8]> = data.chunks(1).collect();
        assert_eq!(frames(framing, caps, &bytes), whole, "one byte at a time, not whole");
    }
}

/// The frames of a body that comes in pieces. Behind each piece the framer is stored and taken up again.
pub(crate) fn frames(framing: Framing, caps: Caps, pieces: &[&[u8]]) -> Vec<Owned> {
    let mut framer = Framer::new(framing, caps.frame, caps.body);
    let mut out = Vec::new();
    for piece in pieces {
        let mut read = *piece;
        let before = out.len();
        while let Some(frame) = framer.next_frame(&mut read) {
            out.push(Owned::of(&frame));
            assert!(out.len() - before <= piece.len() + 1, "more frames than bytes");
        }
        assert!(read.is_empty(), "a read that is not used up");
        framer = stored(&framer, caps);
    }
    for _ in 0..MOST_AT_THE_END {
        let Some(frame) = framer.finish() else {
            assert_eq!(framer.finish(), None, "a frame behind the end");
            return out;
        };
        out.push(Owned::of(&frame));
    }
    panic!("the end does not end: {out:?}");
}

/// The framer out of its compact form, which is as long as what it buffers.
fn stored(framer: &Framer, caps: Caps) -> Framer {
    let bytes = postcard::to_allocvec(framer).expect("a framer can be written");
    let cap = caps.frame.max(caps.body) + BESIDE_THE_FRAME;
    assert!(bytes.len() <= cap, "{} bytes kept, the cap is {cap}", bytes.len());
    postcard::from_bytes(&bytes).expect("a framer can be read")
}

/// Inputs that are also fed byte by byte.
const SHORT: usize = 512;

/// A comment, an event and the word that the rest is incomplete.
const MOST_AT_THE_END: usize = 3;

/// Bytes that a framer keeps beside an incomplete frame: the name of an event, and its own state.
const BESIDE_THE_FRAME: usize = 128;
