//! Numbers.

use alloc::string::String;
use core::fmt::{self, Write};

/// Writes an integer.
pub(super) fn write_unsigned(out: &mut String, value: u64) {
    // A string takes all that is written to it.
    let _ = write!(out, "{value}");
}

/// Writes the shortest decimal that reads as the same float, in the form that `serde_json` has: with an exponent from 1e16
/// on and below 1e-5, else with at least one place. What is no number is `null`.
pub(crate) fn write_float(out: &mut dyn Write, value: f64) -> fmt::Result {
    if !value.is_finite() {
        return out.write_str("null");
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value);
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => {
            out.write_str(digits)?;
            out.write_str("e+")?;
            out.write_str(exponent)
        }
        _ => out.write_str(text),
    }
}

/// The shortest decimal that reads as the same float, without an exponent and without `.0`. Nothing for what is no number.
pub(crate) fn plain(value: f64) -> Option<String> {
    let mut text = String::new();
    if !value.is_finite() {
        return None;
    }
    // A string takes all that is written to it.
    let _ = write_float(&mut text, value);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = if fraction == "0" { "" } else { fraction };
    let exponent: i32 = exponent.parse().ok()?;
    let shift = usize::try_from(exponent.unsigned_abs()).ok()?;
    let zeros = |count: usize| core::iter::repeat_n('0', count);
    let mut plain = String::from(sign);
    if exponent < 0 {
        plain.push_str("0.");
        plain.extend(zeros(shift.saturating_sub(whole.len())));
        plain.push_str(whole);
        plain.push_str(fraction);
    } else {
        plain.push_str(whole);
        let (before, after) = fraction.split_at_checked(shift).unwrap_or((fraction, ""));
        plain.push_str(before);
        plain.extend(zeros(shift.saturating_sub(before.len())));
        if !after.is_empty() {
            plain.push('.');
            plain.push_str(after);
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::random::Random;

    #[track_caller]
    fn check(value: f64) {
        let mut out = String::new();
        write_float(&mut out, value).unwrap();
        assert_eq!(out, serde_json::to_string(&value).unwrap());
        // Of two that are equally short and equally near, the standard library takes another one.
        let expected = value.is_finite().then(|| value.to_string());
        assert_eq!(plain(value).map(|text| text.len()), expected.map(|text| text.len()), "{value:e}");
        let read: Option<f64> = plain(value).map(|text| text.parse().unwrap());
        assert_eq!(read.map(f64::to_bits), value.is_finite().then(|| value.to_bits()));
    }

    #[test]
    fn floats_are_written_as_by_serde_json() {
        for value in [
            0.0,
            -0.0,
            1.0,
            -1.5,
            0.1,
            0.3,
            1e15,
            1e16,
            123_456_789_012_345_680.0,
            1e17,
            0.0001,
            0.00001,
            1.2e-5,
            1e-6,
            1e-7,
            5e-324,
            f64::MAX,
            f64::MIN_POSITIVE,
            2.225_073_858_507_201e-308,
            9_007_199_254_740_992.0,
            5.684_341_886_080_802e-14,
            500.0,
            87.65,
            1e23,
            9.5e-5,
            f64::NAN,
            f64::INFINITY,
            12345.678,
            99_999_999_999_999_990.0,
            0.1 + 0.2,
        ] {
            check(value);
        }
        let mut random = Random::new(0x2545_F491_4F6C_DD1D);
        for _ in 0..2_000 {
            check(f64::from_bits(random.next()));
            let wide = i32::try_from(random.next() % 2_000_000).unwrap();
            check(f64::from(wide) / 100.0);
        }
        for exponent in -1074..1024 {
            check(2.0_f64.powi(exponent));
        }
    }
}
