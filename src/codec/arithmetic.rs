//! Two data become their product or quotient: how a shared scale is applied, without a rounding.

use super::{Flags, Kind, Projected, Projection, Unpacked, project, unpacked::QUIET_BIT};
use crate::format::Format;

/// Rounds a datum over a scale to a format, once, and returns its code.
///
/// Under a scale of zero every finite datum becomes a zero of its sign; a NaN scale makes numbers
/// NaN whatever the code, which is 0.
pub(crate) fn project_over(
    format: &Format,
    projection: &Projection,
    x: &Unpacked,
    scale: &Unpacked,
) -> Projected {
    match (scale.kind, x.kind) {
        (Kind::Nan, _) => Projected { code: 0, flags: Flags::NONE },
        (Kind::Zero, Kind::Finite) => {
            let Projected { code, flags } =
                project(format, projection, &Unpacked::zero(x.negative));
            Projected { code, flags: flags | Flags::INEXACT | Flags::UNDERFLOW }
        }
        (Kind::Zero, Kind::Zero) => project(format, projection, x),
        _ => project(format, projection, &x.over(scale)),
    }
}

impl Unpacked {
    /// Returns the exact product: its leading 128 bits, and whether anything lies below them.
    ///
    /// NaNs, infinities and zeros follow IEEE 754-2019 §6 and §7.2. Operands with sticky bits stand
    /// for their significands.
    pub(crate) fn times(&self, other: &Self) -> Self {
        let negative = self.negative != other.negative;
        match (self.kind, other.kind) {
            (Kind::Nan, _) => *self,
            (_, Kind::Nan) => *other,
            (Kind::Infinity, Kind::Zero) | (Kind::Zero, Kind::Infinity) => {
                Self::nan(false, QUIET_BIT)
            }
            (Kind::Infinity, _) | (_, Kind::Infinity) => Self::infinity(negative),
            (Kind::Zero, _) | (_, Kind::Zero) => Self::zero(negative),
            (Kind::Finite, Kind::Finite) => {
                let (high, low) = wide_product(self.significand, other.significand);
                let product = Self::leading(high, low, self.exponent + other.exponent + 1);
                Self { negative, ..product }
            }
        }
    }

    /// Returns the exact quotient: its leading 128 bits, and whether anything lies below them.
    ///
    /// NaNs, infinities and zeros follow IEEE 754-2019 §6 and §7.2. Operands with sticky bits stand
    /// for their significands.
    ///
    /// # Panics
    ///
    /// If the divisor's significand has more than 64 bits.
    pub(crate) fn over(&self, divisor: &Self) -> Self {
        let negative = self.negative != divisor.negative;
        match (self.kind, divisor.kind) {
            (Kind::Nan, _) => *self,
            (_, Kind::Nan) => *divisor,
            (Kind::Infinity, Kind::Infinity) | (Kind::Zero, Kind::Zero) => {
                Self::nan(false, QUIET_BIT)
            }
            (Kind::Infinity, _) | (_, Kind::Zero) => Self::infinity(negative),
            (Kind::Zero, _) | (_, Kind::Infinity) => Self::zero(negative),
            (Kind::Finite, Kind::Finite) => {
                let trailing_zeros = divisor.significand.trailing_zeros();
                let d = divisor.significand >> trailing_zeros;
                assert!(d >> 64 == 0, "a divisor has at most 64 significand bits");
                // Two steps of 128 and 64 quotient bits; each remainder is below d.
                let (high, rest) = (self.significand / d, (self.significand % d) << 64);
                let (low, rest) = ((rest / d) << 64, rest % d);
                let exponent =
                    self.exponent - divisor.exponent + 127 - trailing_zeros.cast_signed();
                let quotient = Self::leading(high, low, exponent);
                Self { negative, sticky: quotient.sticky || rest != 0, ..quotient }
            }
        }
    }

    /// Returns `high.low × 2^(exponent − 127)`, `low` being the 128 bits below `high`, which has at
    /// least 64 bits.
    fn leading(high: u128, low: u128, exponent: i32) -> Self {
        let spare = high.leading_zeros();
        let (carried, lost) =
            if spare == 0 { (0, low) } else { (low >> (128 - spare), low << spare) };
        Self {
            negative: false,
            kind: Kind::Finite,
            exponent: exponent - spare.cast_signed(),
            significand: high << spare | carried,
            sticky: lost != 0,
        }
    }
}

/// Returns the high and the low half of a product.
const fn wide_product(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a_high, a_low, b_high, b_low) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let low = a_low * b_low;
    let cross = a_high * b_low + (low >> 64);
    let middle = a_low * b_high + (cross & LOW);
    (a_high * b_high + (cross >> 64) + (middle >> 64), middle << 64 | low & LOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;

    /// The value as an integer over 2^600, without its sign.
    fn integer(x: &Unpacked) -> BigUint {
        BigUint::from(x.significand) << (x.exponent - 127 + 600).cast_unsigned()
    }

    fn operands() -> Vec<Unpacked> {
        let wide = |n: u128, e| Unpacked::scaled(n & 1 == 1, n, e);
        let mut all = vec![
            Unpacked::from_f32(1.0),
            Unpacked::from_f32(-3.0),
            Unpacked::from_f32(f32::MAX),
            Unpacked::from_f32(f32::from_bits(1)),
            Unpacked::from_f64(0.1),
            wide(u64::MAX.into(), -100),
            wide((u64::MAX - 2).into(), 3),
            wide(0x8000_0000_0000_0001, 0),
        ];
        all.extend((1..40u64).map(|i| wide(i.wrapping_mul(0x9e37_79b9_7f4a_7c15).into(), -60)));
        all
    }

    #[test]
    fn products_and_quotients_are_exact_to_their_sticky_bit() {
        for a in operands() {
            for b in operands() {
                let unit =
                    |x: &Unpacked| BigUint::from(1u8) << (x.exponent - 127 + 600).cast_unsigned();
                let product = a.times(&b);
                assert_eq!(product.negative, a.negative != b.negative);
                assert_eq!(product.significand >> 127, 1);
                let (got, exact) = (integer(&product) << 600, integer(&a) * integer(&b));
                let below = exact - &got;
                assert!(below < unit(&product) << 600);
                assert_eq!(below != BigUint::ZERO, product.sticky, "{a:?} {b:?}");

                let quotient = a.over(&b);
                assert_eq!(quotient.significand >> 127, 1);
                // q·b ≤ a·2^600 < (q + unit)·b, all over 2^1200.
                let (scaled, a) = (integer(&quotient) * integer(&b), integer(&a) << 600);
                assert_eq!(scaled != a, quotient.sticky);
                assert!(scaled <= a && &scaled + unit(&quotient) * integer(&b) > a);
            }
        }
    }

    #[test]
    fn special_operands_follow_ieee_754() {
        let zero = Unpacked::zero(true);
        let infinity = Unpacked::infinity(false);
        let nan = Unpacked::nan(true, QUIET_BIT | 1 << 100);
        let two = Unpacked::from_f32(-2.0);
        assert_eq!(zero.times(&infinity).kind, Kind::Nan);
        assert_eq!(two.times(&infinity), Unpacked::infinity(true));
        assert_eq!(two.times(&zero), Unpacked::zero(false));
        assert_eq!(two.times(&nan), nan);
        assert_eq!(zero.over(&zero).kind, Kind::Nan);
        assert_eq!(infinity.over(&infinity).kind, Kind::Nan);
        assert_eq!(two.over(&zero), infinity);
        assert_eq!(two.over(&infinity), Unpacked::zero(true));
        assert_eq!(zero.over(&two), Unpacked::zero(false));
        assert_eq!(nan.over(&zero), nan);
    }
}
