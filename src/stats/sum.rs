//! Binary64 numbers become their sum, exactly, in any order.

use num_bigint::{BigInt, Sign};
use serde_json::Value;

use super::StateError;
use crate::codec::Unpacked;

/// The exponent of binary64's least quantum, in whose units sums are held.
const UNIT: i32 = -1074;

/// A sum of binary64 numbers, as an integer of any length.
///
/// ```
/// use fpx::stats::ExactSum;
/// let mut sum = ExactSum::default();
/// for x in [1e300, 1e-300, -1e300] {
///     sum.add(x);
/// }
/// assert_eq!(sum.to_f64(), 1e-300);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExactSum {
    /// The sum; not read once `overflowed` is set.
    units: BigInt,
    /// Set by a term that is not finite: the sum is then infinite.
    overflowed: bool,
}

impl ExactSum {
    /// Adds a number; one that is not finite makes the sum infinite for good.
    pub fn add(&mut self, x: f64) {
        if x == 0.0 {
            return;
        }
        if !x.is_finite() {
            self.overflowed = true;
            return;
        }
        let biased = x.to_bits() >> 52 & 0x7ff;
        let trailing = x.to_bits() & ((1 << 52) - 1);
        let (significand, shift) =
            if biased == 0 { (trailing, 0) } else { (trailing | 1 << 52, biased - 1) };
        let units = BigInt::from(significand) << shift;
        if x < 0.0 {
            self.units -= units;
        } else {
            self.units += units;
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.units += &other.units;
        self.overflowed |= other.overflowed;
    }

    /// Returns the sum, rounded once to nearest, ties to even.
    #[expect(clippy::cast_possible_truncation, reason = "shorter than 2^31 bits")]
    pub fn to_f64(&self) -> f64 {
        if self.overflowed {
            return f64::INFINITY;
        }
        let magnitude = self.units.magnitude();
        let excess = magnitude.bits().saturating_sub(126);
        let mut leading = u128::try_from(magnitude >> excess).unwrap_or(u128::MAX);
        // What is cut off only matters by being there.
        leading = leading << 1 | u128::from(excess > magnitude.trailing_zeros().unwrap_or(0));
        let negative = self.units.sign() == Sign::Minus;
        Unpacked::scaled(negative, leading, excess as i32 - 1 + UNIT).to_f64()
    }

    /// Returns the sum as `hex × 2^exponent`, without trailing zeros.
    pub(super) fn state(&self) -> Value {
        if self.overflowed {
            return "inf".into();
        }
        let zeros = self.units.trailing_zeros().unwrap_or(0);
        let exponent = i64::from(UNIT) + zeros.cast_signed();
        format!("{:x}p{exponent}", &self.units >> zeros).into()
    }
}

impl TryFrom<&Value> for ExactSum {
    type Error = StateError;

    fn try_from(state: &Value) -> Result<Self, StateError> {
        let text = state.as_str().ok_or(StateError)?;
        if text == "inf" {
            return Ok(Self { overflowed: true, ..Self::default() });
        }
        let (digits, exponent) = text.split_once('p').ok_or(StateError)?;
        let units = BigInt::parse_bytes(digits.as_bytes(), 16).ok_or(StateError)?;
        let exponent: i32 = exponent.parse().map_err(|_| StateError)?;
        let shift = exponent.checked_sub(UNIT).and_then(|shift| u32::try_from(shift).ok());
        // Far above the sum of as many of the largest numbers as there can be.
        let shift = shift.filter(|shift| *shift <= 4_000).ok_or(StateError)?;
        Ok(Self { units: units << shift, overflowed: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of very different sizes and both signs.
    fn terms() -> Vec<f64> {
        let bits = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xbfff_ffff_ffff_ffff;
        (0..1000).map(|i| f64::from_bits(bits(i))).collect()
    }

    #[test]
    fn the_order_of_terms_does_not_matter() {
        let mut forward = ExactSum::default();
        for x in terms() {
            forward.add(x);
        }
        let (mut odd, mut even) = (ExactSum::default(), ExactSum::default());
        for (i, x) in terms().iter().enumerate().rev() {
            if i % 2 == 0 { even.add(*x) } else { odd.add(*x) }
        }
        odd.merge(&even);
        assert_eq!(forward, odd);
    }

    #[test]
    fn sums_are_rounded_once() {
        let sum = |terms: &[f64]| {
            let mut sum = ExactSum::default();
            for x in terms {
                sum.add(*x);
            }
            sum.to_f64()
        };
        let half_ulp = 2f64.powi(-53);
        assert_eq!(sum(&[1.0, half_ulp]), 1.0);
        assert_eq!(sum(&[1.0, half_ulp, f64::from_bits(1)]), 1.0 + 2.0 * half_ulp);
        assert_eq!(sum(&[-1.0, -half_ulp, -f64::from_bits(1)]), -1.0 - 2.0 * half_ulp);
        assert_eq!(sum(&[1.0, half_ulp, -f64::from_bits(1)]), 1.0);
        assert_eq!(sum(&[f64::from_bits(3), -f64::from_bits(1)]), f64::from_bits(2));
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!((sum(&[]), sum(&[0.1; 10])), (0.0, 1.0 + f64::EPSILON / 4.0));
        assert_eq!(sum(&[1.0, f64::INFINITY]), f64::INFINITY);
    }

    #[test]
    fn states_read_back() {
        let mut sum = ExactSum::default();
        assert_eq!(ExactSum::try_from(&sum.state()), Ok(sum.clone()));
        for x in terms() {
            sum.add(x);
            assert_eq!(ExactSum::try_from(&sum.state()), Ok(sum.clone()));
        }
        sum.add(f64::NAN);
        assert_eq!(ExactSum::try_from(&sum.state()).map(|sum| sum.to_f64()), Ok(f64::INFINITY));
        for bad in ["", "1", "xp0", "1p", "1p-1075", "1p99999999999", "p"] {
            assert_eq!(ExactSum::try_from(&Value::from(bad)), Err(StateError), "{bad}");
        }
    }
}
