//! Exact numbers of a metric.

use core::fmt;

/// An exact amount in the unit of a metric. It is never negative, and never infinite or NaN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quantity {
    base: u128,
    scale: u64,
}

impl Quantity {
    /// An amount of `base` units, of which `scale` (a power of ten) make one unit of the metric.
    pub(super) const fn new(base: u128, scale: u64) -> Self {
        Self { base, scale: if scale == 0 { 1 } else { scale } }
    }

    /// The amount as a float: correctly rounded up to 2^53 base units (104 days in nanoseconds), within two roundings above.
    #[expect(clippy::cast_precision_loss, reason = "the definition of the value as a float")]
    pub fn as_f64(self) -> f64 {
        const EXACT: u128 = 1 << 53;
        let scale = u128::from(self.scale);
        if self.base <= EXACT {
            return self.base as f64 / self.scale as f64;
        }
        (self.base / scale) as f64 + (self.base % scale) as f64 / self.scale as f64
    }

    /// The amount as an integer, for metrics that count things; `None` for other units and above `i64::MAX`.
    pub fn as_count(self) -> Option<i64> {
        if self.scale == 1 { i64::try_from(self.base).ok() } else { None }
    }

    /// The digits before and after the point, the latter without trailing zeros, as a number and how many digits it has.
    fn parts(self) -> (u128, u128, usize) {
        let scale = u128::from(self.scale);
        let (whole, mut rest) = (self.base / scale, self.base % scale);
        let mut digits = usize::try_from(self.scale.ilog10()).unwrap_or_default();
        while digits > 0 && rest % 10 == 0 {
            rest /= 10;
            digits = digits.saturating_sub(1);
        }
        (whole, rest, digits)
    }

    /// Writes the bound of a bucket: always with a point or an exponent, as `%g` of Go would with `.0` added, which is the
    /// canonical form of OpenMetrics 1.0.
    pub(super) fn write_bound(self, out: &mut impl fmt::Write) -> fmt::Result {
        let (whole, rest, digits) = self.parts();
        if whole >= 1_000_000 {
            // d.ddde+XX
            let exponent = whole.ilog10();
            let lead = 10_u128.checked_pow(exponent).unwrap_or(1);
            let mut tail = whole % lead;
            let mut width = usize::try_from(exponent).unwrap_or_default();
            write!(out, "{}", whole / lead)?;
            if digits > 0 {
                write!(out, ".{tail:0width$}{rest:0digits$}")?;
            } else if tail > 0 {
                while tail % 10 == 0 {
                    tail /= 10;
                    width = width.saturating_sub(1);
                }
                write!(out, ".{tail:0width$}")?;
            }
            return write!(out, "e+{exponent:02}");
        }
        if whole == 0 && rest > 0 {
            // Go writes d.ddde-XX below 0.0001.
            let leading = digits.saturating_sub(usize::try_from(rest.ilog10()).unwrap_or_default());
            if leading > 4 {
                let lead = 10_u128.pow(rest.ilog10());
                let (first, tail) = (rest / lead, rest % lead);
                let width = usize::try_from(rest.ilog10()).unwrap_or_default();
                write!(out, "{first}")?;
                if tail > 0 {
                    write!(out, ".{tail:0width$}")?;
                }
                return write!(out, "e-{leading:02}");
            }
        }
        if digits == 0 { write!(out, "{whole}.0") } else { write!(out, "{whole}.{rest:0digits$}") }
    }
}

/// The exact decimal, without an exponent and without trailing zeros.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest, digits) = self.parts();
        if digits == 0 { write!(f, "{whole}") } else { write!(f, "{whole}.{rest:0digits$}") }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    #[test]
    fn values_are_exact_decimals() {
        for (base, scale, text) in [
            (0, 1_000_000_000, "0"),
            (1, 1_000_000_000, "0.000000001"),
            (2_250_000_000, 1_000_000_000, "2.25"),
            (1_500_000, 1_000_000, "1.5"),
            (7, 1, "7"),
            (u128::from(u64::MAX), 1_000_000_000, "18446744073.709551615"),
            (u128::MAX, 1, "340282366920938463463374607431768211455"),
        ] {
            assert_eq!(Quantity::new(base, scale).to_string(), text);
        }
    }

    #[test]
    fn floats_are_the_nearest_ones() {
        assert_eq!(Quantity::new(10_000_000, 1_000_000_000).as_f64().to_bits(), 0.01_f64.to_bits());
        assert_eq!(Quantity::new(81_920_000_000, 1_000_000_000).as_f64().to_bits(), 81.92_f64.to_bits());
        assert!((Quantity::new(u128::from(u64::MAX), 1_000_000_000).as_f64() - 18_446_744_073.709_55).abs() < 1e-5);
        assert!(Quantity::new(u128::MAX, 1).as_f64().is_finite());
    }

    /// Expected texts from Go's `strconv.FormatFloat(x, 'g', -1, 64)` with `.0` added where there is no point or exponent.
    #[test]
    fn bounds_are_canonical() {
        for (base, scale, text) in [
            (0, 1, "0.0"),
            (1, 1, "1.0"),
            (16_384, 1, "16384.0"),
            (262_144, 1, "262144.0"),
            (999_999, 1, "999999.0"),
            (1_000_000, 1, "1e+06"),
            (1_048_576, 1, "1.048576e+06"),
            (67_108_864, 1, "6.7108864e+07"),
            (10_000_000, 1_000_000_000, "0.01"),
            (81_920_000_000, 1_000_000_000, "81.92"),
            (100_000, 1_000_000_000, "0.0001"),
            (120_000, 1_000_000_000, "0.00012"),
            (12_000, 1_000_000_000, "1.2e-05"),
            (10_000, 1_000_000_000, "1e-05"),
            (1_234_567_500_000_000, 1_000_000_000, "1.2345675e+06"),
            (1_000_000_500_000_000, 1_000_000_000, "1.0000005e+06"),
        ] {
            let mut out = String::new();
            Quantity::new(base, scale).write_bound(&mut out).unwrap();
            assert_eq!(out, text);
        }
    }
}
