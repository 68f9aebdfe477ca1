//! Points in time and lengths of time, in nanoseconds.
//!
//! The engine never reads a clock: every [`Timestamp`] comes from its caller. Wall-clock times exist only as
//! [`UnixNanos`], derived from one anchor per call; they are never subtracted from each other.
#![warn(clippy::as_conversions, clippy::arithmetic_side_effects)]

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point on the caller's monotonic clock, in nanoseconds since an origin of the caller's choice.
///
/// Two timestamps are comparable only when they come from the same clock.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Makes a timestamp from nanoseconds since the clock's origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Makes a timestamp from milliseconds since the clock's origin; saturates past `u64` nanoseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// Nanoseconds since the clock's origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero when `earlier` is the later one.
    pub const fn saturating_since(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }

    /// The timestamp `nanos` after this one; saturates at the end of the clock.
    pub const fn saturating_add(self, nanos: Nanos) -> Self {
        Self(self.0.saturating_add(nanos.0))
    }
}

/// A length of time in nanoseconds.
///
/// In JSON it is an integer up to 2^53, a decimal string above, so that no reader loses digits.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Nanos(u64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Makes a length of time from nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Makes a length of time from milliseconds; saturates past `u64` nanoseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// Makes a length of time from seconds; saturates past `u64` nanoseconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SECOND))
    }

    /// Whole nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, the rest cut off.
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// Seconds as a float: nanoseconds divided by 1e9.
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "the definition of the value in seconds")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND as f64
    }

    /// The sum of two lengths, saturating.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of `self` without `other`; zero when `other` is longer.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Serialize for Nanos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_wide(self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_wide(deserializer).map(Self)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_wide(self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_wide(deserializer).map(Self)
    }
}

/// A wall-clock time: nanoseconds since 1970-01-01T00:00:00Z.
///
/// In JSON it is always a decimal string, because today's values are above 2^53.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixNanos(u64);

impl UnixNanos {
    /// Makes a wall-clock time from nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The wall-clock time `nanos` after this one; saturates at the end of `u64`.
    pub const fn saturating_add(self, nanos: Nanos) -> Self {
        Self(self.0.saturating_add(nanos.0))
    }
}

impl Serialize for UnixNanos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(&self.0) } else { serializer.serialize_u64(self.0) }
    }
}

impl<'de> Deserialize<'de> for UnixNanos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_wide(deserializer).map(Self)
    }
}

/// The largest integer that every JSON reader keeps exactly: 2^53.
pub const MAX_SAFE_INTEGER: u64 = 1 << 53;

const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

fn serialize_wide<S: Serializer>(value: u64, serializer: S) -> Result<S::Ok, S::Error> {
    if value > MAX_SAFE_INTEGER && serializer.is_human_readable() {
        serializer.collect_str(&value)
    } else {
        serializer.serialize_u64(value)
    }
}

fn deserialize_wide<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Wide;

    impl de::Visitor<'_> for Wide {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an unsigned integer or a decimal string of one")
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
            Ok(value)
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<u64, E> {
            value.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(value), &self))
        }
    }

    if deserializer.is_human_readable() { deserializer.deserialize_any(Wide) } else { u64::deserialize(deserializer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_values_are_strings_in_json() {
        assert_eq!(serde_json::to_string(&Nanos::from_nanos(MAX_SAFE_INTEGER)).unwrap(), "9007199254740992");
        let wide = Nanos::from_nanos(u64::MAX);
        let text = serde_json::to_string(&wide).unwrap();
        assert_eq!(text, "\"18446744073709551615\"");
        assert_eq!(serde_json::from_str::<Nanos>(&text).unwrap(), wide);
        assert_eq!(serde_json::to_string(&UnixNanos::from_nanos(5)).unwrap(), "\"5\"");
    }

    #[test]
    fn milliseconds_are_cut_and_seconds_are_not() {
        let value = Nanos::from_nanos(234_567_891);
        assert_eq!(value.as_millis(), 234);
        assert!((value.as_secs_f64() - 0.234_567_891).abs() < 1e-12);
    }

    #[test]
    fn time_never_runs_negative() {
        let early = Timestamp::from_nanos(5);
        let late = Timestamp::from_nanos(9);
        assert_eq!(early.saturating_since(late), Nanos::ZERO);
        assert_eq!(late.saturating_since(early), Nanos::from_nanos(4));
    }
}
