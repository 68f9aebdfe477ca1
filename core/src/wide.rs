//! Division of integers of 128 bits.
//!
//! What the compiler brings along for it is large, and little here is divided that 64 bits do not hold.

/// The quotient, rounded down; `u64::MAX` when it is larger. The divisor is neither zero nor above 2^127.
pub(crate) fn divide(dividend: u128, divisor: u128) -> u64 {
    if let (Ok(dividend), Ok(divisor)) = (u64::try_from(dividend), u64::try_from(divisor)) {
        return dividend.checked_div(divisor).unwrap_or(u64::MAX);
    }
    let mut quotient = 0_u128;
    let mut rest = 0_u128;
    for bit in (0..u128::BITS).rev() {
        rest = (rest << 1) | ((dividend >> bit) & 1);
        quotient <<= 1;
        if rest >= divisor {
            rest = rest.wrapping_sub(divisor);
            quotient |= 1;
        }
    }
    u64::try_from(quotient).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn quotients_are_those_of_the_language() {
        let mut random = Random::new(0x9E37_79B9_7F4A_7C15);
        for _ in 0..2_000 {
            let dividend = (u128::from(random.next()) << 64 | u128::from(random.next())) >> (random.next() % 128);
            let divisor = ((u128::from(random.next()) + u128::from(random.next())) >> (random.next() % 60)).max(1);
            let expected = u64::try_from(dividend / divisor).unwrap_or(u64::MAX);
            assert_eq!(divide(dividend, divisor), expected, "{dividend} / {divisor}");
        }
        assert_eq!(divide(u128::MAX, 1), u64::MAX);
        assert_eq!(divide(u128::MAX, 1 << 127), 1);
    }
}
