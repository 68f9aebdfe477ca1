//! The faults that a plan is made of, and where in a body they come.

use crate::params::parse;

/// What happens to one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The stream stops at [`At`]; the HTTP body ends properly.
    Cut,
    /// The connection is closed at [`At`], inside the HTTP body.
    Drop,
    /// A line that is longer than any event, and no end of line.
    EndlessLine,
    /// The protocol's error event at [`At`], then the end of the body.
    ErrorFrame,
    /// Nothing more comes at [`At`], until the client gives up.
    Hang,
    /// The answer.
    Ok,
    /// Comments or pings, then the end of the body.
    PingsOnly,
    /// The connection is reset at [`At`].
    Reset,
    /// An HTTP error with that status.
    Status(u16),
}

impl Fault {
    /// Reads a word of a plan.
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        if let Some((_, fault)) = WORDS.iter().find(|(known, _)| *known == word) {
            return Ok(*fault);
        }
        match word.parse() {
            Ok(status) if (400..600).contains(&status) => Ok(Self::Status(status)),
            _ => {
                let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
                Err(format!("a plan has {} or a status from 400 to 599, not `{word}`", words.join(", ")))
            }
        }
    }

    /// The word of the plan.
    pub(crate) fn word(self) -> String {
        if let Self::Status(status) = self {
            return status.to_string();
        }
        WORDS.iter().find(|(_, fault)| *fault == self).map_or_else(String::new, |(word, _)| (*word).into())
    }
}

const WORDS: [(&str, Fault); 8] = [
    ("ok", Fault::Ok),
    ("cut", Fault::Cut),
    ("drop", Fault::Drop),
    ("reset", Fault::Reset),
    ("error-frame", Fault::ErrorFrame),
    ("endless-line", Fault::EndlessLine),
    ("pings-only", Fault::PingsOnly),
    ("hang", Fault::Hang),
];

/// A place in a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum At {
    /// After that many bytes of the body.
    Byte(u64),
    /// Before the first byte of the response.
    Head,
    /// After that many visible pieces.
    Visible(usize),
}

impl At {
    /// Reads `head`, a number of bytes, or a number of visible pieces followed by `c`.
    pub(crate) fn parse(value: &str) -> Result<Self, String> {
        if value == "head" {
            return Ok(Self::Head);
        }
        let place = match value.strip_suffix('c') {
            Some(pieces) => parse("at", pieces).map(Self::Visible),
            None => parse("at", value).map(Self::Byte),
        };
        place.map_err(|_| format!("`at` takes `head`, a number of bytes (120) or of pieces (2c), not `{value}`"))
    }
}
