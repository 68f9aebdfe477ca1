//! Strings, measured in place and built only when kept.

use alloc::borrow::Cow;
use alloc::string::String;

use super::{Malformed, Reader};

/// A string between its quotes: valid UTF-8 with valid escapes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw<'de> {
    pub(super) bytes: &'de [u8],
    /// By how many bytes the escapes are longer than what they stand for; 0 when there are none.
    excess: usize,
}

impl<'de> Raw<'de> {
    /// A string that is what it is, without escapes.
    pub(in crate::provider) fn plain(text: &'de [u8]) -> Self {
        Self { bytes: text, excess: 0 }
    }

    /// The UTF-8 bytes of the string.
    #[inline]
    pub(in crate::provider) fn len(self) -> usize {
        self.bytes.len() - self.excess
    }

    #[inline]
    pub(in crate::provider) fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    #[inline]
    pub(super) fn has_escapes(self) -> bool {
        self.excess > 0
    }

    /// The string itself.
    #[inline]
    pub(crate) fn text(self) -> Cow<'de, str> {
        let raw = core::str::from_utf8(self.bytes).unwrap_or_default();
        if self.has_escapes() { Cow::Owned(build(raw)) } else { Cow::Borrowed(raw) }
    }

    /// The UTF-8 bytes of the string one by one, escapes decoded as they come.
    pub(in crate::provider) fn utf8(self) -> impl Iterator<Item = u8> {
        let mut rest = self.bytes;
        // What is left of a decoded character, its next byte lowest. No byte but the first of a character is 0.
        let mut pending = 0_u32;
        core::iter::from_fn(move || {
            if pending == 0 {
                let (&byte, after) = rest.split_first()?;
                rest = after;
                // Text that a host holds has no escapes, but may have backslashes.
                if byte != b'\\' || !self.has_escapes() {
                    return Some(byte);
                }
                let (character, after) = unescape(rest)?;
                rest = after;
                let mut encoded = [0; 4];
                character.encode_utf8(&mut encoded);
                pending = u32::from_le_bytes(encoded);
            }
            let [byte, ..] = pending.to_le_bytes();
            pending >>= 8;
            Some(byte)
        })
    }

    /// The UTF-8 bytes of the string, which nobody has to check again.
    #[inline]
    pub(in crate::provider) fn bytes(self) -> Cow<'de, [u8]> {
        if self.has_escapes() { Cow::Owned(self.text().into_owned().into_bytes()) } else { Cow::Borrowed(self.bytes) }
    }

    /// Whether this is that string.
    #[inline]
    pub(in crate::provider) fn is(self, text: &str) -> bool {
        if self.has_escapes() { self.text() == text } else { self.bytes == text.as_bytes() }
    }
}

impl<'de> Reader<'de> {
    /// Reads a string from its opening quote.
    #[expect(
        clippy::inline_always,
        reason = "every string of every event is read by it, also where code is made small"
    )]
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Raw<'de>, Malformed> {
        if let Some(bytes) = self.plain_string() {
            return Ok(Raw { bytes, excess: 0 });
        }
        self.string_with_escapes()
    }

    /// Reads a string that is all ASCII and has no escapes; nothing is consumed of another one.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Option<&'de [u8]> {
        let [b'"', text @ ..] = self.rest else { return None };
        let mut rest = text;
        while let Some((word, after)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            let hits = (special_bytes(word) | word) & HIGH;
            if hits != 0 {
                let end = rest.get(first_byte(hits)..)?;
                let [b'"', after @ ..] = end else { return None };
                self.rest = after;
                return text.get(..text.len() - end.len());
            }
            rest = after;
        }
        self.plain_string_at_end()
    }

    /// Reads a plain string whose closing quote is among the last 7 bytes of the document.
    #[cold]
    #[inline(never)]
    fn plain_string_at_end(&mut self) -> Option<&'de [u8]> {
        let [b'"', text @ ..] = self.rest else { return None };
        let (words, tail) = text.as_chunks::<8>();
        let index = tail.iter().position(|&byte| is_special(byte) || !byte.is_ascii())?;
        let [b'"', after @ ..] = tail.get(index..)? else { return None };
        self.rest = after;
        text.get(..words.len() * 8 + index)
    }

    /// Reads any string from its opening quote.
    fn string_with_escapes(&mut self) -> Result<Raw<'de>, Malformed> {
        let [b'"', text @ ..] = self.rest else { return Err(Malformed) };
        let mut rest = text;
        let mut excess = 0;
        let mut seen = 0;
        loop {
            // Escapes come in runs.
            if !matches!(rest, [b'"' | b'\\', ..]) {
                rest = special(rest, &mut seen);
            }
            match rest {
                [b'"', after @ ..] => {
                    let bytes = text.get(..text.len() - rest.len()).ok_or(Malformed)?;
                    self.rest = after;
                    if seen & HIGH != 0 && core::str::from_utf8(bytes).is_err() {
                        return Err(Malformed);
                    }
                    return Ok(Raw { bytes, excess });
                }
                // By far the most frequent ones.
                [b'\\', b'"' | b'\\' | b'n' | b't', after @ ..] => {
                    rest = after;
                    excess += 1;
                }
                [b'\\', escaped @ ..] => {
                    let (after, length) = escape(escaped).ok_or(Malformed)?;
                    excess += rest.len() - after.len() - length;
                    rest = after;
                }
                // A control character, or the end.
                _ => return Err(Malformed),
            }
        }
    }
}

/// What begins with the first quote, backslash or control character; nothing when there is none. Sets high bits in
/// `seen` when a byte that is not ASCII comes before it, and sometimes when one comes a few bytes after it.
#[inline]
pub(super) fn special<'b>(bytes: &'b [u8], seen: &mut u64) -> &'b [u8] {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        *seen |= word;
        let hits = special_bytes(word) & !word & HIGH;
        if hits != 0 {
            return rest.get(first_byte(hits)..).unwrap_or_default();
        }
        rest = after;
    }
    while let [byte, after @ ..] = rest
        && !is_special(*byte)
    {
        *seen |= u64::from(*byte);
        rest = after;
    }
    rest
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// Sets the high bit of each byte of a word that is a quote, a backslash or a control character. Right up to the first
/// such byte, and wherever it is ASCII.
#[inline]
fn special_bytes(word: u64) -> u64 {
    // Quotes are brought next to the control characters, so that one subtraction borrows for both. Borrows only reach
    // bytes behind a hit.
    let below = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    below | backslash
}

/// Which of the bytes is the first whose high bit is set.
#[inline]
fn first_byte(hits: u64) -> usize {
    // At most 8.
    (hits.trailing_zeros() / 8) as usize
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// What follows a valid escape, given from behind the backslash, and the UTF-8 bytes that it stands for.
fn escape(bytes: &[u8]) -> Option<(&[u8], usize)> {
    match bytes {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..] => Some((after, 1)),
        [b'u', digits @ ..] => {
            let (character, after) = unescape_unicode(digits)?;
            Some((after, character.len_utf8()))
        }
        _ => None,
    }
}

/// The character that an escape stands for, given from behind the backslash, and what follows the escape.
fn unescape(bytes: &[u8]) -> Option<(char, &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    let character = match kind {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unicode(rest),
        other => char::from(other),
    };
    Some((character, rest))
}

/// A pair of surrogates is one character. Half a pair is U+FFFD.
fn unescape_unicode(bytes: &[u8]) -> Option<(char, &[u8])> {
    let (first, rest) = hex(bytes)?;
    if let 0xD800..=0xDBFF = first
        && let Some((low @ 0xDC00..=0xDFFF, after)) = rest.strip_prefix(b"\\u").and_then(hex)
    {
        let scalar = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
        return Some((char::from_u32(scalar)?, after));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), rest))
}

fn hex(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<4>()?;
    let [first, second, third, fourth] = digits.map(hex_digit);
    let value = (first << 12) | (second << 8) | (third << 4) | fourth;
    // Bits that only what is no digit sets.
    (value <= 0xFFFF).then_some((value, rest))
}

/// The value of a digit; too large a value for what is none.
#[inline]
fn hex_digit(digit: u8) -> u32 {
    match digit {
        b'0'..=b'9' => u32::from(digit - b'0'),
        b'a'..=b'f' => u32::from(digit - b'a') + 10,
        b'A'..=b'F' => u32::from(digit - b'A') + 10,
        _ => 0x1_0000,
    }
}

fn build(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let Some((character, after)) = unescape(escaped.as_bytes()) else { break };
        text.push(character);
        rest = escaped.get(escaped.len() - after.len()..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}
