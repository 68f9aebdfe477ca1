//! Counts, amounts and flags.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{absent, fill_by_value};
use crate::provider::json::MEASURED;
use crate::time::{MAX_SAFE_INTEGER, Nanos};

fill_by_value!(Count, Decimal, Flag);

/// A count: a whole number from 0 to 2^53.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::provider) enum Count {
    /// Not given, or null.
    #[default]
    Absent,
    Valid(u64),
    /// Negative, fractional, too large, or no number at all.
    Rejected,
}

impl Count {
    pub(in crate::provider) fn value(self) -> Option<u64> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Absent | Self::Rejected => None,
        }
    }

    /// The value; adds 1 to `rejected` when it was not acceptable.
    pub(in crate::provider) fn tally(self, rejected: &mut u32) -> Option<u64> {
        if self == Self::Rejected {
            *rejected = rejected.saturating_add(1);
        }
        self.value()
    }

    /// The value as an index.
    pub(in crate::provider) fn index(self) -> Option<u32> {
        u32::try_from(self.value()?).ok()
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MEASURED, CountVisitor)
    }
}

struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
        Ok(if value <= MAX_SAFE_INTEGER { Count::Valid(value) } else { Count::Rejected })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Count, E> {
        u64::try_from(value).map_or(Ok(Count::Rejected), |value| self.visit_u64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Count, E> {
        Ok(whole(value).map_or(Count::Rejected, Count::Valid))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Count, E> {
        Ok(Count::Rejected)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Count, E> {
        Ok(Count::Rejected)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Count, E> {
        Ok(Count::Rejected)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Count, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Count, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Count::Rejected)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Count::Rejected)
    }

    absent! { null }
}

/// A number with a fraction: seconds or dollars. Absent when it is negative or beyond 2^53 in its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::provider) struct Decimal(Option<f64>);

impl Decimal {
    /// The number in billionths of its unit, rounded.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "the value is checked to lie within 0 and 2^53 billionths"
    )]
    pub(in crate::provider) fn billionths(self) -> Option<u64> {
        let scaled = self.0? * 1e9 + 0.5;
        (scaled < MAX_SAFE_INTEGER as f64).then_some(scaled as u64)
    }

    /// The number of seconds as a length of time.
    pub(in crate::provider) fn seconds(self) -> Option<Nanos> {
        self.billionths().map(Nanos::from_nanos)
    }

    /// The number of milliseconds as a length of time.
    pub(in crate::provider) fn millis(self) -> Option<Nanos> {
        Self(Some(self.0? / 1e3)).seconds()
    }
}

impl From<f64> for Decimal {
    fn from(value: f64) -> Self {
        Self((value >= 0.0 && value.is_finite()).then_some(value))
    }
}

impl From<u64> for Decimal {
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, the limit of the type")]
    fn from(value: u64) -> Self {
        Self(Some(value as f64))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor)
    }
}

struct DecimalVisitor;

impl<'de> Visitor<'de> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Decimal, E> {
        Ok(Decimal::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Decimal, E> {
        u64::try_from(value).map_or(Ok(Decimal(None)), |value| self.visit_u64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Decimal, E> {
        Ok(Decimal::from(value))
    }

    absent! { bool str bytes null list object }
}

/// A flag, set only by `true` itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::provider) struct Flag(pub(in crate::provider) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flag")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(value))
    }

    absent! { number str bytes null list object }
}

/// The integer that a float is, from 0 to 2^53.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the value is checked to lie within 0 and 2^53, and the comparison asks for identity"
)]
pub(in crate::provider) fn whole(value: f64) -> Option<u64> {
    if !(0.0..=MAX_SAFE_INTEGER as f64).contains(&value) {
        return None;
    }
    let integer = value as u64;
    (integer as f64 == value).then_some(integer)
}
