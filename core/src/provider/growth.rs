//! Text that a stream repeats from its beginning in every event, or brings piece by piece, where nothing says which.

use serde::{Deserialize, Serialize};

use super::lenient::Str;

/// How much of a text is new in each event.
///
/// Of the text so far it knows the length and a fingerprint of the beginning. An event that begins with all of it is
/// taken to repeat it. Where the text is short that may be chance, as of the pieces `1` and `10`: such a repetition
/// proves nothing yet, and what was left out for it is made good when a later piece does not repeat.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Growth {
    manner: Manner,
    /// Bytes of the text so far, if it is repeated.
    length: usize,
    /// Fingerprint of its beginning.
    beginning: u64,
    /// Bytes taken for a repetition so far.
    left_out: usize,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
enum Manner {
    #[default]
    Unproven,
    Pieces,
    Repeating,
}

impl Growth {
    /// Bytes that are new in the text of one event, which may be in several parts.
    pub(super) fn new_bytes<'a>(&mut self, parts: impl Iterator<Item = Str<'a>> + Clone) -> usize {
        let length = parts.clone().map(Str::len).sum();
        if length == 0 || self.manner == Manner::Pieces {
            return length;
        }
        let repeats = length >= self.length && fingerprint(parts.clone(), self.length) == self.beginning;
        let new = match self.manner {
            _ if repeats || self.length == 0 => {
                self.left_out = self.left_out.saturating_add(self.length);
                if self.length >= PROOF_BYTES {
                    self.manner = Manner::Repeating;
                }
                length - self.length
            }
            // The text is another one.
            Manner::Repeating => length,
            _ => {
                self.manner = Manner::Pieces;
                return length.saturating_add(self.left_out);
            }
        };
        if self.length < BEGINNING_BYTES || !repeats {
            self.beginning = fingerprint(parts, length);
        }
        self.length = length;
        new
    }
}

/// Bytes that two pieces do not begin with by chance.
const PROOF_BYTES: usize = 32;

/// Bytes whose fingerprint is taken, so that no event costs more the longer the text is.
const BEGINNING_BYTES: usize = 64;

/// The 64-bit FNV-1a hash of the first bytes, no more than [`BEGINNING_BYTES`].
fn fingerprint<'a>(parts: impl Iterator<Item = Str<'a>>, length: usize) -> u64 {
    let bytes = parts.flat_map(Str::utf8).take(length.min(BEGINNING_BYTES));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::iter::once;

    use super::super::json::fill_from_slice;
    use super::*;

    fn of(texts: &[&str]) -> Vec<usize> {
        let mut growth = Growth::default();
        let new = |text: &&str| {
            // The state survives being stored between events.
            growth = serde_json::from_str(&serde_json::to_string(&growth).unwrap()).unwrap();
            let json = serde_json::to_string(text).unwrap();
            let mut text = Str::default();
            fill_from_slice(&mut text, json.as_bytes()).unwrap();
            growth.new_bytes(once(text))
        };
        texts.iter().map(new).collect()
    }

    #[test]
    fn pieces_are_new_as_a_whole() {
        assert_eq!(of(&["Hel", "lo", "", "lo", "lo, there"]), [3, 2, 0, 2, 9]);
    }

    #[test]
    fn of_a_repeated_text_the_end_is_new() {
        assert_eq!(of(&["", "Hi", "Hi", "Hi\n\"you\"", "", "Hi\n\"you\" é"]), [0, 2, 0, 6, 0, 3]);
        let long = "0123456789".repeat(20);
        let texts: Vec<&str> = (1..=20).map(|tens| long.get(..tens * 10).unwrap()).collect();
        assert_eq!(of(&texts), [10; 20]);
    }

    #[test]
    fn what_chance_left_out_is_made_good() {
        // Nothing of the second "ha" is new if it is a repetition; the third piece shows that it was none.
        assert_eq!(of(&["ha", "ha", "ha!", " fun", "ny"]), [2, 0, 1, 4 + 4, 2]);
        assert_eq!(of(&["1", "10", "2"]), [1, 1, 1 + 1]);
    }

    #[test]
    fn another_text_may_begin_once_repetition_is_proven() {
        let (long, other) = ("a".repeat(40), "b".repeat(50));
        let more: String = long.clone() + "a";
        assert_eq!(of(&[&long, &more, &other, &other, "b"]), [40, 1, 50, 0, 1]);
    }

    #[test]
    fn parts_are_one_text() {
        let (mut one, mut other) = (Str::default(), Str::default());
        fill_from_slice(&mut one, b"\"ab\"").unwrap();
        fill_from_slice(&mut other, b"\"c\"").unwrap();
        let mut growth = Growth::default();
        assert_eq!(growth.new_bytes(once(one)), 2);
        assert_eq!(growth.new_bytes([one, other].into_iter()), 1);
    }
}
