//! The one error type of the crate.
//!
//! An [`Error`] means that the API was misused or that serialized input could not be read. What a server sends, however
//! broken, is never an `Error`: it is counted in the record's diagnostics.

use alloc::{boxed::Box, format, string::String};
use core::fmt;

/// Why an operation of this crate failed.
pub struct Error {
    kind: ErrorKind,
    detail: Box<str>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<Box<str>>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable code of the error, the same in every language: [`ErrorKind::code`].
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).field("detail", &self.detail).finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ErrorKind::InvalidConfig => "invalid configuration",
            ErrorKind::InvalidEvent => "invalid event",
            ErrorKind::InvalidRecord => "invalid record",
            ErrorKind::InvalidSnapshot => "invalid snapshot",
            ErrorKind::TooLarge => "input too large",
            ErrorKind::UnknownCall => "unknown call",
            ErrorKind::UnknownProfile => "unknown profile",
            ErrorKind::UnknownProtocol => "unknown protocol",
            ErrorKind::UnsupportedVersion => "unsupported version of the wire format",
        };
        if self.detail.is_empty() { f.write_str(kind) } else { write!(f, "{kind}: {}", self.detail) }
    }
}

impl core::error::Error for Error {}

/// The classes of [`Error`]. Each has a stable code that bindings pass on unchanged.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A configuration value is out of its range or contradicts another.
    InvalidConfig,
    /// An event could not be read: not in the form of the event log.
    InvalidEvent,
    /// A serialized record could not be read.
    InvalidRecord,
    /// A snapshot could not be read.
    InvalidSnapshot,
    /// Serialized input is larger than its cap.
    TooLarge,
    /// No call with this id is open.
    UnknownCall,
    /// No profile has this name.
    UnknownProfile,
    /// No protocol has this name.
    UnknownProtocol,
    /// The version byte names a version that this release does not read.
    UnsupportedVersion,
}

impl ErrorKind {
    /// The stable code, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidConfig => "invalid_config",
            Self::InvalidEvent => "invalid_event",
            Self::InvalidRecord => "invalid_record",
            Self::InvalidSnapshot => "invalid_snapshot",
            Self::TooLarge => "too_large",
            Self::UnknownCall => "unknown_call",
            Self::UnknownProfile => "unknown_profile",
            Self::UnknownProtocol => "unknown_protocol",
            Self::UnsupportedVersion => "unsupported_version",
        }
    }
}

/// The text of a `serde` error without the value that it quotes, which may be content: an event log holds prompts and answers, and
/// hosts write errors to their logs. Names of fields stay.
///
/// # Examples
/// ```
/// use llmspan_core::error::without_values;
///
/// let text = "invalid type: string \"how are you\", expected u64 at line 1 column 9";
/// assert_eq!(without_values(text), "invalid type: string, expected u64 at line 1 column 9");
/// assert_eq!(without_values("unknown variant `hello`, expected `text`"), "unknown variant, expected `text`");
/// assert_eq!(without_values("unknown field `x`, expected `y`"), "unknown field `x`, expected `y`");
/// ```
pub fn without_values(text: &str) -> String {
    for (what, quote) in [("string", '"'), ("unknown variant", '`')] {
        let Some((before, quoted)) = text.split_once(&format!("{what} {quote}")) else { continue };
        // A value may hold the same words: its end is the last of them.
        let expected = quoted.rsplit_once(&format!("{quote}, expected ")).map(|(_, expected)| expected);
        return match expected {
            Some(expected) => format!("{before}{what}, expected {expected}"),
            None => format!("{before}{what}"),
        };
    }
    text.into()
}
