//! Binary64 numbers become their logarithms, exponentials, sines and cosines: the same bits on
//! every machine, without a branch, so that a loop over them becomes vector instructions.
//!
//! Only additions, multiplications, divisions and bit operations are used, each correctly rounded
//! by IEEE 754, and never a platform's libm. The series are as long as binary32 samples need: relative
//! errors stay below 1e-9, a sixtieth of what the rounding of a sample to binary32 adds.

use std::f64::consts::{LOG2_E, SQRT_2, TAU};

/// ln 2 in two parts; the first has 32 trailing zeros, so that its product with an exponent is
/// exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_0000_0000);
/// ln 2 less [`LN_2_HIGH`].
const LN_2_LOW: f64 = f64::from_bits(0x3e9f_df47_3de6_af28);

/// Adding this to a number below 2^51 in magnitude leaves its nearest integer in the low bits.
const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

/// Evaluates a polynomial, highest coefficient first.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut sum = coefficients[0];
    for c in &coefficients[1..] {
        sum = sum * x + c;
    }
    sum
}

/// Returns the natural logarithm of a positive normal number.
#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    const HALF_ROOT: u64 = (SQRT_2 / 2.0).to_bits();
    const MAGIC: u64 = 0x4330_0000_0000_0000; // 2^52, whose low bits hold an integer
    let steps = x.to_bits().wrapping_sub(HALF_ROOT) >> 52;
    // x = m·2^e with √½ ≤ m < √2, and the exponent wraps around below 1.
    let m = f64::from_bits(x.to_bits().wrapping_sub(steps << 52));
    let wrapped = (steps + 1024) & 0xfff;
    let e = f64::from_bits(MAGIC | wrapped) - (f64::from_bits(MAGIC) + 1024.0);
    // ln m = 2·artanh(s) for s = (m − 1)/(m + 1), |s| < 0.172; the next term is below 6e-11.
    let s = (m - 1.0) / (m + 1.0);
    let series = [1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0];
    let s2 = s * s;
    let tail = 2.0 * s * s2 * polynomial(s2, series);
    e * LN_2_HIGH + (2.0 * s + (tail + e * LN_2_LOW))
}

/// Returns e to a power of −700 to 700; a power beyond that is taken for the nearest of them.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let shifted = x * LOG2_E + TO_INTEGER;
    let k = shifted - TO_INTEGER;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // |r| ≤ ln(2)/2: the first term left out is below 4e-12.
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    scale * (1.0 + r * (1.0 + r * exp_tail(r)))
}

/// Returns e^x − 1, near 0 as precise as elsewhere.
#[inline(always)]
pub(super) fn exp_minus_1(x: f64) -> f64 {
    let near = x * (1.0 + x * exp_tail(x));
    if x.abs() < 0.25 { near } else { exp(x) - 1.0 }
}

/// (e^x − 1 − x)/x² for small x.
#[inline(always)]
fn exp_tail(x: f64) -> f64 {
    let series = [
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ];
    polynomial(x, series)
}

/// Returns sine and cosine of `turns` whole turns, for 0 ≤ `turns` ≤ 1.
#[inline(always)]
pub(super) fn sin_cos_turns(turns: f64) -> (f64, f64) {
    let shifted = turns * 4.0 + TO_INTEGER;
    let quarter = shifted.to_bits();
    // An eighth of a turn at most is left, exactly.
    let angle = (turns - (shifted - TO_INTEGER) * 0.25) * TAU;
    let a2 = angle * angle;
    let sines = [
        1.0 / 6_227_020_800.0,
        -1.0 / 39_916_800.0,
        1.0 / 362_880.0,
        -1.0 / 5_040.0,
        1.0 / 120.0,
        -1.0 / 6.0,
    ];
    let cosines =
        [1.0 / 479_001_600.0, -1.0 / 3_628_800.0, 1.0 / 40_320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5];
    let sine = angle + angle * a2 * polynomial(a2, sines);
    let cosine = 1.0 + a2 * polynomial(a2, cosines);
    let odd = quarter & 1 == 1;
    let (s, c) = (if odd { cosine } else { sine }, if odd { sine } else { cosine });
    let sine_sign = (quarter & 2) << 62;
    let cosine_sign = (quarter.wrapping_add(1) & 2) << 62;
    (f64::from_bits(s.to_bits() ^ sine_sign), f64::from_bits(c.to_bits() ^ cosine_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a function against the `libm` crate, an implementation of its own.
    fn agrees(ours: f64, theirs: f64, x: f64) {
        let error = (ours - theirs).abs();
        assert!(error <= 1e-9 * theirs.abs(), "{x:e}: {ours:e} {theirs:e}");
    }

    #[test]
    fn logarithms_agree_with_libm() {
        for i in 1..200_000_u32 {
            for x in [f64::from(i) / 1e5, f64::from(i) * 2f64.powi(-60), f64::from(i) * 1e200] {
                agrees(ln(x), libm::log(x), x);
            }
        }
        assert_eq!(ln(1.0), 0.0);
        agrees(ln(f64::MIN_POSITIVE), libm::log(f64::MIN_POSITIVE), f64::MIN_POSITIVE);
    }

    #[test]
    fn exponentials_agree_with_libm() {
        for i in -70_000..=70_000_i32 {
            let x = f64::from(i) / 100.0;
            agrees(exp(x), libm::exp(x), x);
            let small = f64::from(i) / 1e7;
            agrees(exp_minus_1(small), libm::expm1(small), small);
            agrees(exp_minus_1(x / 10.0), libm::expm1(x / 10.0), x);
        }
        assert_eq!((exp(0.0), exp(-1e9), exp(1e9)), (1.0, exp(-700.0), exp(700.0)));
    }

    #[test]
    fn sines_and_cosines_agree_with_libm() {
        for i in 0..=100_000_i32 {
            let turns = f64::from(i) / 1e5;
            let (sine, cosine) = sin_cos_turns(turns);
            assert!((sine - libm::sin(turns * TAU)).abs() < 1e-9, "{turns}: {sine}");
            assert!((cosine - libm::cos(turns * TAU)).abs() < 1e-9, "{turns}: {cosine}");
        }
        let quarters = [0.0, 0.25, 0.5, 0.75, 1.0].map(sin_cos_turns);
        let exact = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (0.0, 1.0)];
        assert_eq!(quarters, exact);
    }
}
