//! The numbers of the machine that inputs and results are held in.

use crate::codec::{Projection, Unpacked, project};
use crate::format::F32;

/// A number of an input or a result.
pub trait Real: Copy + Into<f64> {
    /// Bits of a significand.
    const PRECISION: u32;

    /// The number 0.
    const ZERO: Self;

    /// What does not belong in any sum.
    const NAN: Self;

    /// Returns the number nearest to a datum, ties to even.
    fn nearest(x: &Unpacked) -> Self;

    /// Returns the number nearest to another, ties to even.
    fn from_f64(x: f64) -> Self;
}

impl Real for f32 {
    const PRECISION: u32 = Self::MANTISSA_DIGITS;
    const ZERO: Self = 0.0;
    const NAN: Self = Self::NAN;

    #[expect(clippy::cast_possible_truncation, reason = "a binary32 code has 32 bits")]
    fn nearest(x: &Unpacked) -> Self {
        Self::from_bits(project(&F32, &Projection::default(), x).code as u32)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the nearest number is asked for")]
    fn from_f64(x: f64) -> Self {
        x as Self
    }
}

impl Real for f64 {
    const PRECISION: u32 = Self::MANTISSA_DIGITS;
    const ZERO: Self = 0.0;
    const NAN: Self = Self::NAN;

    fn nearest(x: &Unpacked) -> Self {
        x.to_f64()
    }

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
}
