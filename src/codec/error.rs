//! A result beside the exact value: the error, absolute, relative and in ulps.

use super::{Kind, Unpacked, decode, neighbor::quantum_exponent};
use crate::format::Format;

/// The error of one result, `decoded − exact`.
///
/// All three are infinite or NaN where the result is and the exact value is not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Error {
    /// The difference.
    pub absolute: f64,
    /// The difference over the quantum of the exact value in the format.
    pub ulp: f64,
    /// The difference over the exact value; 0 where both are zero.
    pub relative: f64,
}

impl Error {
    /// No error.
    pub const ZERO: Self = Self { absolute: 0.0, ulp: 0.0, relative: 0.0 };

    /// Returns the error of a code as the result of `exact`.
    ///
    /// Two equal infinities, and two NaNs, have no error.
    ///
    /// ```
    /// use fpx::{codec::{Error, Unpacked}, format::F16};
    /// let error = Error::of(&F16, &Unpacked::from_f64(2049.0), 0x6800); // 2048
    /// assert_eq!((error.absolute, error.ulp), (-1.0, -0.5));
    /// ```
    pub fn of(format: &Format, exact: &Unpacked, code: u128) -> Self {
        let result = decode(format, code);
        let both = |kind| result.kind == kind && exact.kind == kind;
        if both(Kind::Nan) || (both(Kind::Infinity) && result.negative == exact.negative) {
            return Self::ZERO;
        }
        if !result.is_finite() || !exact.is_finite() {
            let x =
                if exact.is_finite() { result.to_f64() } else { result.to_f64() - exact.to_f64() };
            return Self { absolute: x, ulp: x, relative: x };
        }
        let difference = subtract(&result, exact);
        if difference.kind == Kind::Zero {
            return Self::ZERO;
        }
        let quantum = quantum_exponent(format, exact).unwrap_or(0);
        let scaled = |exponent: i32| Unpacked { exponent, ..difference }.to_f64();
        // Quotients of significands in [1, 2), so that neither operand leaves binary64's range.
        let relative = match exact.kind {
            Kind::Finite => {
                let quotient = scaled(0) / Unpacked { exponent: 0, ..*exact }.to_f64();
                let unpacked = Unpacked::from_f64(quotient);
                let exponent = unpacked.exponent + difference.exponent - exact.exponent;
                Unpacked { exponent, ..unpacked }.to_f64()
            }
            Kind::Zero | Kind::Infinity | Kind::Nan => f64::INFINITY,
        };
        Self { absolute: difference.to_f64(), ulp: scaled(difference.exponent - quantum), relative }
    }

    /// Whether the result is the exact value; only the relative error never underflows.
    pub fn is_zero(&self) -> bool {
        self.relative == 0.0
    }
}

/// Returns `a − b` of two finite data, cut off to 128 bits.
///
/// The operands' sticky bits count as less than the difference of their significands; where those
/// are equal, the difference is half a unit of the last bit.
fn subtract(a: &Unpacked, b: &Unpacked) -> Unpacked {
    let minus_b = Unpacked { negative: !b.negative, ..*b };
    if a.kind == Kind::Zero || b.kind == Kind::Zero {
        return if b.kind == Kind::Zero { *a } else { minus_b };
    }
    let (large, small) =
        if a.cmp_magnitude(&minus_b).is_ge() { (a, &minus_b) } else { (&minus_b, a) };
    // 256 bits, one of them for a carry, the larger operand at the top.
    let wide = |x: &Unpacked| {
        let shift = (large.exponent - x.exponent).cast_unsigned().min(255) + 1;
        let sticky = u128::from(x.sticky) << 127 >> 1;
        match shift {
            0..128 => (x.significand >> shift, x.significand << (128 - shift) | sticky >> shift),
            128 => (0, x.significand),
            _ => (0, x.significand >> (shift - 128)),
        }
    };
    let (large_high, large_low) = wide(large);
    let (small_high, small_low) = wide(small);
    let (high, low) = if a.negative == minus_b.negative {
        let (low, carry) = large_low.overflowing_add(small_low);
        (large_high + small_high + u128::from(carry), low)
    } else {
        let (low, borrow) = large_low.overflowing_sub(small_low);
        (large_high - small_high - u128::from(borrow), low)
    };
    let exponent = large.exponent - 126;
    if high == 0 {
        return Unpacked::scaled(large.negative, low, exponent - 128);
    }
    let spare = high.leading_zeros();
    let significand = if spare == 0 { high } else { high << spare | low >> (128 - spare) };
    Unpacked::scaled(large.negative, significand, exponent - spare.cast_signed())
}
