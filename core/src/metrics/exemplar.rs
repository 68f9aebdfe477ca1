//! Examples: which call a bucket counts.

use crate::{record::Record, time::UnixNanos};

/// A call that a bucket counts, by its trace.
///
/// A bucket keeps one: that of the call that ended last by its wall clock. Of calls that ended together, or without a wall
/// clock, it is the one with the larger value, then the larger ids. So neither chance nor the order of merging decides.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Exemplar {
    at: Option<UnixNanos>,
    value: u64,
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

impl Exemplar {
    /// The exemplar of a call, not of a value yet; `None` unless the record has a valid trace id and span id.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let trace_id = parse(record.trace_id.as_deref()?)?;
        let span_id = parse(record.span_id.as_deref()?)?;
        Some(Self { at: record.end_unix_ns, value: 0, trace_id, span_id })
    }

    pub(super) const fn with_value(self, value: u64) -> Self {
        Self { value, ..self }
    }

    /// The observed value in base units.
    pub(super) const fn base_value(&self) -> u64 {
        self.value
    }

    /// Wall-clock end of the call; `None` without an anchor.
    pub const fn at(&self) -> Option<UnixNanos> {
        self.at
    }

    /// Trace of the call, never all zero.
    pub const fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// Span of the call, never all zero.
    pub const fn span_id(&self) -> [u8; 8] {
        self.span_id
    }
}

/// Reads exactly `2 * N` hex digits that are not all zero.
fn parse<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes().chunks_exact(2);
    if digits.len() != N || !digits.remainder().is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits) {
        for digit in pair {
            let digit = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(digit).ok()?;
        }
    }
    (bytes != [0; N]).then_some(bytes)
}
