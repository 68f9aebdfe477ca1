//! Ids of traces and spans, and the ids of a call's inner spans.

use core::fmt;

use crate::record::Record;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $bytes:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Makes an id from its bytes; `None` when all of them are zero, which W3C Trace Context calls invalid.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// Reads an id from hex digits of either case; `None` for another length, other characters or all zeros.
            pub fn from_hex(digits: &str) -> Option<Self> {
                let mut bytes = [0_u8; $bytes];
                let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
                if pairs.len() != bytes.len() || !rest.is_empty() {
                    return None;
                }
                for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
                    *byte = (nibble(*high)? << 4) | nibble(*low)?;
                }
                Self::from_bytes(bytes)
            }

            /// The bytes, most significant first.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            /// Writes hex digits in lower case.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id! {
    /// Id of a trace: 16 bytes, never all zero.
    TraceId, 16
}

id! {
    /// Id of a span: 8 bytes, never all zero.
    SpanId, 8
}

/// What an inner span of a call is, for [`child_span_id`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ChildSpan {
    /// The attempt with this number, from 1.
    Attempt(u32),
    /// The wait at this place of [`Record::waits`], from 0.
    Wait(u32),
    /// The phase at this place of [`Record::phases`], from 0.
    Phase(u32),
    /// The attempt at this place of [`Record::attempts`], from 0, where the numbers of a record do not increase. Records of
    /// this engine have none.
    UnnumberedAttempt(u32),
}

/// The id of an inner span of a call: a function of the call's ids and of what the span is, nothing else.
///
/// A host can compute the id of an attempt before its request leaves and send it along as `traceparent`; the exported
/// span will have the same id.
///
/// The 24 bytes of trace id and span id go through 64-bit FNV-1a, which gives a seed. The id is the output of `SplitMix64`
/// at `seed + position * 0x9e3779b97f4a7c15` (wrapping), big endian, where `position` is 1, 2, 3 or 4 (attempt, wait,
/// phase, unnumbered attempt) times 2^32 plus the number or place. All positions of a call have different ids. Where an
/// id would be zero or the call's own, 2^62 is added to the position; where it still would, 2^63.
pub fn child_span_id(trace_id: TraceId, span_id: SpanId, child: ChildSpan) -> SpanId {
    let seed = fnv1a(trace_id.as_bytes().iter().chain(span_id.as_bytes()));
    let (role, ordinal) = match child {
        ChildSpan::Attempt(number) => (1, number),
        ChildSpan::Wait(place) => (2, place),
        ChildSpan::Phase(place) => (3, place),
        ChildSpan::UnnumberedAttempt(place) => (4, place),
    };
    id_at(seed, (role << 32) | u64::from(ordinal), span_id)
}

fn id_at(seed: u64, position: u64, refused: SpanId) -> SpanId {
    [0, 1 << 62, 1 << 63]
        .into_iter()
        .map(|beyond| split_mix(seed.wrapping_add((position | beyond).wrapping_mul(SPLIT_MIX_GAMMA))))
        .filter_map(|id| SpanId::from_bytes(id.to_be_bytes()))
        .find(|id| *id != refused)
        // Three different ids, of which two are refused: one is always left.
        .unwrap_or(refused)
}

/// The ids that a record itself carries, where they are valid.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnIds {
    pub(super) trace: Option<TraceId>,
    pub(super) span: Option<SpanId>,
    pub(super) parent: Option<SpanId>,
}

impl OwnIds {
    pub(super) fn of(record: &Record) -> Self {
        let span = |digits: &Option<_>| digits.as_deref().and_then(SpanId::from_hex);
        Self {
            trace: record.trace_id.as_deref().and_then(TraceId::from_hex),
            span: span(&record.span_id),
            parent: span(&record.parent_span_id),
        }
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
const SPLIT_MIX_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Fowler, Noll, Vo: 64-bit FNV-1a.
fn fnv1a<'a>(bytes: impl Iterator<Item = &'a u8>) -> u64 {
    bytes.fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// The output function of `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
fn split_mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixing_functions_are_the_published_ones() {
        assert_eq!(fnv1a(b"".iter()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a".iter()), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar".iter()), 0x8594_4171_f739_67e8);
        // The first outputs of SplitMix64 seeded with 0 and with 1234567.
        assert_eq!(split_mix(SPLIT_MIX_GAMMA), 0xe220_a839_7b1d_cdaf);
        assert_eq!(split_mix(1_234_567_u64.wrapping_add(SPLIT_MIX_GAMMA)), 6_457_827_717_110_365_317);
    }
    #[test]
    fn no_id_is_zero_or_that_of_the_call() {
        // The finalizer maps 0 to 0, and nothing else.
        let position = (1 << 32) | 7;
        let to_zero = 0_u64.wrapping_sub(SPLIT_MIX_GAMMA.wrapping_mul(position));
        let call = SpanId([1; 8]);
        let other = id_at(to_zero, position, call);
        assert_eq!(other.as_bytes(), &split_mix(SPLIT_MIX_GAMMA << 62).to_be_bytes());
        assert_ne!(id_at(to_zero, position, other), other, "both refusals at one position");
        let plain = id_at(1, position, call);
        assert_ne!(id_at(1, position, plain), plain);
    }
}
