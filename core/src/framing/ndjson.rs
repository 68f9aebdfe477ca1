//! Newline-delimited JSON: one value per line.

use memchr::memchr;
use serde::{Deserialize, Serialize};

use super::buffer::{Buffer, Piece};
use super::framer::Frame;

/// Splits at LF; a CR before it and blank lines are dropped.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Ndjson {
    line: Buffer,
    lent: bool,
}

impl Ndjson {
    pub(super) fn next_frame<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8], limit: usize) -> Option<Frame<'a>> {
        match self.step(input, limit)? {
            Line::Whole(Piece::Input(line)) => Some(Frame::Event { name: None, data: trim(line) }),
            Line::Whole(Piece::Buffered) => Some(Frame::Event { name: None, data: trim(self.line.as_slice()) }),
            Line::TooLong => Some(Frame::TooLong),
        }
    }

    pub(super) fn finish(&mut self) -> Option<Frame<'_>> {
        self.forget_lent();
        self.lent = true;
        if self.line.is_overflowed() {
            Some(Frame::TooLong)
        } else if trim(self.line.as_slice()).is_empty() {
            None
        } else {
            Some(Frame::Event { name: None, data: trim(self.line.as_slice()) })
        }
    }

    fn step<'i>(&mut self, input: &mut &'i [u8], limit: usize) -> Option<Line<'i>> {
        self.forget_lent();
        while let Some(end) = memchr(b'\n', input) {
            let (line, rest) = input.split_at_checked(end)?;
            *input = rest.get(1..).unwrap_or_default();
            if self.line.is_empty() && !self.line.is_overflowed() {
                if line.len() > limit {
                    return Some(Line::TooLong);
                }
                if !trim(line).is_empty() {
                    return Some(Line::Whole(Piece::Input(line)));
                }
                continue;
            }
            self.line.push(line, limit);
            if self.line.is_overflowed() {
                self.lent = true;
                return Some(Line::TooLong);
            }
            if trim(self.line.as_slice()).is_empty() {
                self.line.clear();
                continue;
            }
            self.lent = true;
            return Some(Line::Whole(Piece::Buffered));
        }
        self.line.push(input, limit);
        *input = &[];
        None
    }

    pub(super) fn forget_lent(&mut self) {
        if self.lent {
            self.line.clear();
            self.lent = false;
        }
    }
}

enum Line<'i> {
    Whole(Piece<'i>),
    TooLong,
}

fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}
