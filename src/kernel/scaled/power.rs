//! Largest magnitudes become powers of two, as codes of E8M0, and such codes numbers.

use super::super::doors;
use crate::format::{F64, catalogue::E8M0};

/// How a power of two follows from a largest magnitude `2^e · s`: it is `2^(e − below)`, or the next
/// where the significand `s` is above a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    /// How far the power is below the magnitude's own.
    pub below: i32,
    /// The trailing bits of the threshold's significand, as binary64 has them.
    pub trailing: u64,
}

const TRAILING: u32 = f64::MANTISSA_DIGITS - 1;
const NAN: u32 = 0xff;
const LARGEST: i32 = 0xfe;

/// Writes the code of the power of two for each magnitude, the nearest that E8M0 has: the least for
/// zero, and NaN for an infinity or a NaN.
pub fn encode_powers(power: Power, largest: &[f64], codes: &mut [u32]) {
    doors::encode_powers(power, largest, codes);
}

/// Writes the number of each code of E8M0, which is in the low 8 bits; 0xff is NaN.
pub fn decode_powers(codes: &[u32], numbers: &mut [f64]) {
    doors::decode_powers(codes, numbers);
}

#[inline(always)]
pub(in super::super) fn encode(power: Power, largest: &[f64], codes: &mut [u32]) {
    let bias = E8M0.bias() - F64.bias() - power.below;
    for (x, code) in largest.iter().zip(codes) {
        let code_of_x = x.to_bits();
        let field = (code_of_x >> TRAILING) as i32;
        let is_above = code_of_x & ((1 << TRAILING) - 1) > power.trailing;
        // What is not normal is zero, or so small that its power is the least.
        let nearest = (field + bias + i32::from(is_above)).clamp(0, LARGEST);
        *code = if x.is_finite() { nearest.cast_unsigned() } else { NAN };
    }
}

#[inline(always)]
pub(in super::super) fn decode(codes: &[u32], numbers: &mut [f64]) {
    let bias = (F64.bias() - E8M0.bias()).cast_unsigned();
    for (code, number) in codes.iter().zip(numbers) {
        let code = code & NAN;
        let power = f64::from_bits(u64::from(code + bias) << TRAILING);
        *number = if code == NAN { f64::NAN } else { power };
    }
}
