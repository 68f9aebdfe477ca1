//! Amounts of money.
#![warn(clippy::as_conversions, clippy::arithmetic_side_effects)]

use alloc::{format, string::String};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::shape::{Shape, Value, scalars};
use crate::{
    fields::{Mismatch, Read, Write},
    provider::JsonReader,
};

/// An amount in nano-units (1e-9) of a currency. In JSON a decimal string such as `"0.00048"`.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Money(u64);

impl Money {
    /// Makes an amount from nano-units.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The amount in nano-units.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The amount in whole units, as the nearest float. For names that want a number; sums stay in [`Money`].
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "the definition of the value as a float")]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_UNIT as f64
    }

    /// The sum of two amounts, saturating.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of `self` without `other`; zero when `other` is larger.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Writes the decimal without trailing zeros.
    fn write_decimal(self, out: &mut String) {
        (self.0 / NANOS_PER_UNIT).write(out);
        let mut rest = self.0 % NANOS_PER_UNIT;
        if rest > 0 {
            out.push('.');
        }
        while rest > 0 {
            rest = rest.saturating_mul(10);
            (rest / NANOS_PER_UNIT).write(out);
            rest %= NANOS_PER_UNIT;
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write_decimal(&mut text);
        f.write_str(&text)
    }
}

impl FromStr for Money {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, ParseMoneyError> {
        let (units, rest) = text.split_once('.').unwrap_or((text, ""));
        if rest.len() > 9 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseMoneyError);
        }
        let rest: u64 = format!("{rest:0<9}").parse().map_err(|_| ParseMoneyError)?;
        units
            .parse::<u64>()
            .ok()
            .and_then(|units| units.checked_mul(NANOS_PER_UNIT))
            .and_then(|nanos| nanos.checked_add(rest))
            .map(Self)
            .ok_or(ParseMoneyError)
    }
}

/// The text is no decimal amount with at most nine places.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ParseMoneyError;

impl fmt::Display for ParseMoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a decimal amount with at most nine places")
    }
}

impl core::error::Error for ParseMoneyError {}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_u64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            u64::deserialize(deserializer).map(Self)
        }
    }
}

scalars!(Money);

const NANOS_PER_UNIT: u64 = 1_000_000_000;

impl Write for Money {
    fn write(&self, out: &mut String) {
        out.push('"');
        self.write_decimal(out);
        out.push('"');
    }
}

impl Read for Money {
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        *self = reader.str()?.parse().map_err(|_| Mismatch::new("a decimal string was expected"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_amount_is_a_decimal_without_trailing_zeros() {
        for (nanos, text) in [(0, "0"), (480_000, "0.00048"), (1_000_000_000, "1"), (1_500_000_001, "1.500000001")] {
            assert_eq!(Money::from_nanos(nanos).to_string(), text);
            assert_eq!(text.parse::<Money>().unwrap(), Money::from_nanos(nanos));
        }
        for bad in ["", "-1", "1.0000000001", "1e3", "x", "1.-5"] {
            assert!(bad.parse::<Money>().is_err(), "{bad}");
        }
    }
}
