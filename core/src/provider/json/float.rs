//! Decimals to floats.
//!
//! By a library that is a quarter of the code and tables of the standard library's: a browser loads them.

/// The float nearest to a JSON number, ties to even; infinite when it is out of range. `None` for what is no decimal.
pub(super) fn nearest(text: &[u8]) -> Option<f64> {
    let (is_negative, text) = text.strip_prefix(b"-").map_or((false, text), |text| (true, text));
    let end = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
    let (number, exponent) = text.split_at_checked(end)?;
    let exponent = exponent.get(1..).map_or(Some(0), integer)?;
    let mut parts = number.splitn(2, |byte| *byte == b'.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
    if !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let whole = trim_start(whole);
    let places = fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last.saturating_add(1));
    let value = minimal_lexical::parse_float::<f64, _, _>(whole.iter(), fraction.iter().take(places), exponent);
    Some(if is_negative { -value } else { value })
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

/// A decimal integer, saturating far beyond every exponent of a float.
fn integer(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_i32, |value, byte| {
        byte.is_ascii_digit().then(|| (value * 10 + i32::from(byte - b'0')).min(1_000_000))
    })?;
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;
    use crate::random::Random;

    #[track_caller]
    fn check(text: &str) {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(nearest(text.as_bytes()).unwrap().to_bits(), expected.to_bits(), "{text}");
    }

    #[test]
    fn hard_decimals_are_read_as_by_the_standard_library() {
        for text in [
            "0",
            "-0",
            "0.0",
            "0e99999999999",
            "1",
            "0.1",
            "123456789012345678",
            "9007199254740993",
            "9007199254740992.5",
            "9007199254740993.00000000000000000000000000000000000000000000000000001",
            "1e22",
            "1e23",
            "8.5e22",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1.8e308",
            "1e309",
            "1e99999999",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.5e-324",
            "1e-400",
            "1e-99999999",
            "2.2250738585072014e-308",
            "2.2250738585072011e-308",
            "2.225073858507201e-308",
            "4.9406564584124654e-324",
            "6.631236846766476e-316",
            "3.2378839133029012895883524125015321748630094390742e-319",
            "0.000669",
            "5.684341886080801486968994140625e-14",
            "1.00000000000000011102230246251565404236316680908203125",
            "1.00000000000000011102230246251565404236316680908203124",
            "1.00000000000000011102230246251565404236316680908203126",
            "100000000000000016777215",
            "100000000000000016777216",
            "-1.5E+3",
            "179769313486231580793728971405301e276",
        ] {
            check(text);
        }
        let long: String = core::iter::once('1').chain(core::iter::repeat_n('0', 900)).collect();
        check(&format!("{long}1e-900"));
        check(&format!("0.{long}7"));
        for bad in ["x", "1e", "1e+", "1ex", "--1"] {
            assert!(nearest(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn random_decimals_are_read_as_by_the_standard_library() {
        let mut random = Random::new(0x2545_F491_4F6C_DD1D);
        for _ in 0..4_000 {
            let value = f64::from_bits(random.next());
            if value.is_finite() {
                check(&format!("{value:e}"));
                check(&format!("{value:.20e}"));
            }
            let exponent = i32::try_from(random.next() % 60).unwrap() - 30;
            check(&format!("{}.{}e{exponent}", random.next() % 100_000, random.next()));
        }
        // Ties between two floats, and decimals next to them.
        for _ in 0..500 {
            let value = f64::from_bits((random.next() >> 12) | (0x3F0 << 52) | ((random.next() % 64) << 52));
            let digits = format!("{value:.200e}");
            let up = f64::from_bits(value.to_bits() + 1);
            check(&digits);
            check(&format!("{:.60}", f64::midpoint(value, up)));
        }
    }
}
