//! A decimal `digits × 10^exponent` or a ratio of integers becomes a datum, exactly.
//!
//! The powers of ten are split: `10^q = 5^q × 2^q`, and the 2 only shifts. For up to 19 digits the
//! product or quotient with `5^|q|` is formed in 192 bits:
//!
//! - `0 ≤ q ≤ 55`: `5^q` fits 128 bits, and the product is exact.
//! - `−27 ≤ q < 0`: `5^−q` fits 63 bits, and the quotient is exact up to its remainder.
//! - otherwise the result has more than 128 bits, so it is certainly inexact, and a power of five
//!   truncated to 128 bits bounds it from both sides; its leading bits are kept if both bounds agree
//!   on them, which fails once in 2^60 or so.
//!
//! Everything else goes through big integers.

use std::sync::LazyLock;

use num_bigint::BigUint;

use crate::codec::{Kind, Unpacked};

/// Beyond this power of ten every format overflows or underflows: the widest exponent range is 15
/// bits around a bias of 65,536, which ends below 10^±29,600.
const MAX_DECIMAL_EXPONENT: i64 = 40_000;
/// Significant digits that are read; a boundary between codes has at most 46,000, so the rest only
/// says whether the number lies on it or above.
const MAX_DIGITS: usize = 60_000;
/// The binary exponent that stands for "beyond every format".
const BEYOND: i32 = 1 << 20;

/// A power of five `significand × 2^exponent`, truncated to 128 bits.
struct PowerOfFive {
    significand: u128,
    exponent: i32,
}

/// The powers for which the 192-bit product serves.
const TABLED: std::ops::RangeInclusive<i32> = -420..=400;

static POWERS_OF_FIVE: LazyLock<Vec<PowerOfFive>> = LazyLock::new(|| {
    TABLED
        .map(|q| {
            let power = BigUint::from(5u32).pow(q.unsigned_abs());
            let one = BigUint::from(1u32);
            let x = if q >= 0 { ratio(&power, &one) } else { ratio(&one, &power) };
            PowerOfFive { significand: x.significand, exponent: x.exponent - 127 }
        })
        .collect()
});

/// Returns `integer × 10^exponent`, positive.
pub(super) fn from_integer(integer: u64, exponent: i64) -> Unpacked {
    if integer == 0 {
        return Unpacked::zero(false);
    }
    let Some(q) = clamped(exponent, 0) else { return beyond(exponent) };
    if (-27..0).contains(&q) {
        return divided(integer, 5u64.pow(q.unsigned_abs()), q);
    }
    multiplied(integer, q).unwrap_or_else(|| from_big(&BigUint::from(integer), exponent))
}

/// Returns the decimal with these ASCII digits times `10^exponent`, positive.
pub(super) fn from_digits(digits: &[u8], exponent: i64) -> Unpacked {
    let kept = &digits[..digits.len().min(MAX_DIGITS)];
    let cut = digits.len() - kept.len();
    let integer = BigUint::parse_bytes(kept, 10).unwrap_or_default();
    let exponent = exponent.saturating_add(i64::try_from(cut).unwrap_or(i64::MAX));
    let mut x = from_big(&integer, exponent);
    x.sticky |= x.kind == Kind::Finite && digits[kept.len()..].iter().any(|&d| d != b'0');
    x
}

/// Returns `integer × 10^exponent` by big integers.
fn from_big(integer: &BigUint, exponent: i64) -> Unpacked {
    if integer.bits() == 0 {
        return Unpacked::zero(false);
    }
    let digits = i64::try_from(integer.bits() * 3 / 10).unwrap_or(i64::MAX);
    let Some(q) = clamped(exponent, digits) else {
        return beyond(exponent.saturating_add(digits));
    };
    let power = BigUint::from(5u32).pow(q.unsigned_abs());
    let x = if q >= 0 {
        ratio(&(integer * power), &BigUint::from(1u32))
    } else {
        ratio(integer, &power)
    };
    Unpacked { exponent: x.exponent + q, ..x }
}

/// Returns the exponent of an integer with that many digits if some format can hold the number.
fn clamped(exponent: i64, digits: i64) -> Option<i32> {
    let magnitude = exponent.saturating_add(digits).saturating_abs();
    i32::try_from(exponent).ok().filter(|_| magnitude <= MAX_DECIMAL_EXPONENT)
}

/// A nonzero number too large or too small for every format.
fn beyond(exponent: i64) -> Unpacked {
    let exponent = if exponent < 0 { -BEYOND } else { BEYOND };
    Unpacked { exponent, sticky: true, ..Unpacked::scaled(false, 1, 0) }
}

/// Returns `integer / five_power × 2^exponent`; the remainder is the sticky bit.
fn divided(integer: u64, five_power: u64, exponent: i32) -> Unpacked {
    let (n, d) = (integer.leading_zeros(), five_power.leading_zeros());
    let (numerator, divisor) = (integer << n, u128::from(five_power << d));
    // One bit less if the quotient would need 129.
    let carry = u32::from(u128::from(numerator) >= divisor);
    let first = u128::from(numerator) << (64 - carry);
    let high = first / divisor;
    let second = (first - high * divisor) << 64;
    let low = second / divisor;
    let significand = high << 64 | low;
    let shift = (d.cast_signed() - n.cast_signed()) + carry.cast_signed() - 128;
    let x = Unpacked::scaled(false, significand, shift + exponent);
    Unpacked { sticky: second != low * divisor, ..x }
}

/// Returns `integer × 10^q` by a tabled power of five, if its leading bits are certain.
fn multiplied(integer: u64, q: i32) -> Option<Unpacked> {
    /// Powers up to this one are exact in 128 bits.
    const EXACT: i32 = 55;
    /// Bits kept of an inexact product, 118: any boundary between codes has at most 114.
    const KEPT_MASK: u128 = !0 << 10;
    let power = POWERS_OF_FIVE.get(usize::try_from(q - TABLED.start()).ok()?)?;
    let shift = integer.leading_zeros();
    let integer = u128::from(integer << shift);
    let low = integer * (power.significand & u128::from(u64::MAX));
    let high = integer * (power.significand >> 64) + (low >> 64);
    // The product is `high × 2^64 + low`, of 191 or 192 bits.
    let low = low << 64;
    let exponent = power.exponent + q + 64 - shift.cast_signed();
    let exact = (0..=EXACT).contains(&q);
    let spare = high.leading_zeros();
    let significand = high << spare | if spare == 0 { 0 } else { low >> (128 - spare) };
    if exact {
        let x = Unpacked::scaled(false, significand, exponent - spare.cast_signed());
        return Some(Unpacked { sticky: low << spare != 0, ..x });
    }
    // The truncated power is short by less than 1, so the product by less than 2^64: one unit of
    // `high`, at most two units of `significand`.
    let certain = significand & KEPT_MASK;
    if significand.wrapping_add(4) & KEPT_MASK != certain {
        return None;
    }
    let x = Unpacked::scaled(false, certain, exponent - spare.cast_signed());
    Some(Unpacked { sticky: true, ..x })
}

/// Returns `numerator / denominator`, both positive.
pub(super) fn ratio(numerator: &BigUint, denominator: &BigUint) -> Unpacked {
    let bits = |x: &BigUint| i64::try_from(x.bits()).unwrap_or(i64::MAX);
    // The quotient then has 129 or 130 bits.
    let shift = bits(denominator) - bits(numerator) + 129;
    let (numerator, denominator) = if shift >= 0 {
        (numerator << shift.unsigned_abs(), denominator.clone())
    } else {
        (numerator.clone(), denominator << shift.unsigned_abs())
    };
    let quotient = &numerator / &denominator;
    let remainder = &numerator % &denominator;
    let excess = quotient.bits() - 128;
    let leading = &quotient >> excess;
    let sticky = remainder.bits() != 0 || (&leading << excess) != quotient;
    let significand = u128::try_from(&leading).unwrap_or(u128::MAX);
    let exponent = i32::try_from(i64::try_from(excess).unwrap_or(0) - shift).unwrap_or(BEYOND);
    Unpacked { sticky, ..Unpacked::scaled(false, significand, exponent) }
}
