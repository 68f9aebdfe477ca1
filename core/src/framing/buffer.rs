//! A byte buffer that does not grow past a cap.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The parts of a frame that came with earlier reads.
///
/// Past the cap the content is dropped and the buffer only remembers that the frame was too long.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Buffer {
    /// Appends, unless that makes the frame longer than `limit` bytes.
    pub(super) fn push(&mut self, bytes: &[u8], limit: usize) {
        if self.overflowed {
            return;
        }
        let needed = self.bytes.len().saturating_add(bytes.len());
        if needed > limit {
            self.bytes.clear();
            self.overflowed = true;
            return;
        }
        if needed > self.bytes.capacity() {
            // Doubling, as `Vec` does by itself, but never past the cap.
            let target = self.bytes.capacity().saturating_mul(2).max(needed).min(limit);
            self.bytes.reserve_exact(target.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Marks the frame as too long without having seen it through the buffer.
    pub(super) fn overflow(&mut self) {
        self.bytes.clear();
        self.overflowed = true;
    }

    /// Forgets the frame and keeps the memory for the next one.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.overflowed = false;
    }

    pub(super) fn is_overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

/// Without the bytes, which are content: hosts write what they hold to their logs.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("length", &self.bytes.len()).field("overflowed", &self.overflowed).finish()
    }
}

/// Where the bytes of a finished frame are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'i> {
    /// In the read that is being consumed.
    Input(&'i [u8]),
    /// In the framer's buffer.
    Buffered,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_not_shown() {
        let mut buffer = Buffer::default();
        buffer.push(b"secret", 100);
        assert_eq!(std::format!("{buffer:?}"), "Buffer { length: 6, overflowed: false }");
    }

    #[test]
    fn memory_stays_under_the_cap() {
        let mut buffer = Buffer::default();
        for _ in 0..9 {
            buffer.push(b"0123456789", 100);
        }
        assert_eq!(buffer.as_slice().len(), 90);
        assert!(buffer.bytes.capacity() <= 100);
        buffer.push(b"0123456789a", 100);
        assert!(buffer.is_overflowed() && buffer.is_empty());
        buffer.clear();
        buffer.push(b"next", 100);
        assert_eq!(buffer.as_slice(), b"next");
    }
}
