//! Counts, amounts and flags.

use super::Fill;
use crate::provider::json::{Malformed, Number, Value};
use crate::provider::source::Source;
use crate::time::{MAX_SAFE_INTEGER, Nanos};

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

impl<'de> Fill<'de> for Count {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        let value = match reader.value()? {
            Value::Null => {
                *self = Self::Absent;
                return Ok(());
            }
            Value::Number(Number::Unsigned(value)) => Some(value).filter(|&value| value <= MAX_SAFE_INTEGER),
            Value::Number(Number::Negative(value)) => u64::try_from(value).ok(),
            Value::Number(Number::Float(value)) => whole(value),
            Value::Bool(_) | Value::String(_) | Value::Nested => None,
        };
        *self = value.map_or(Self::Rejected, Self::Valid);
        Ok(())
    }
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

impl From<Number> for Decimal {
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, the limit of the type")]
    fn from(number: Number) -> Self {
        let value = match number {
            Number::Unsigned(value) => value as f64,
            Number::Negative(value) => value as f64,
            Number::Float(value) => value,
        };
        Self((value >= 0.0 && value.is_finite()).then_some(value))
    }
}

impl<'de> Fill<'de> for Decimal {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        *self = match reader.value()? {
            Value::Number(number) => Self::from(number),
            _ => Self::default(),
        };
        Ok(())
    }
}

/// A flag, set only by `true` itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::provider) struct Flag(pub(in crate::provider) bool);

impl<'de> Fill<'de> for Flag {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = matches!(reader.value()?, Value::Bool(true));
        Ok(())
    }
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
