//! The numbers of the machine that inputs and results are held in.

use super::instruction_set::compiled;
use crate::codec::{Projection, Unpacked, project};
use crate::format::F32;

/// Lanes of a maximum.
const LANES: usize = 16;

/// A number of an input or a result.
pub trait Real: Copy + Into<f64> {
    /// Bits of a significand.
    const PRECISION: u32;

    /// What does not belong in any sum.
    const NAN: Self;

    /// Returns the number nearest to a datum, ties to even.
    fn nearest(x: &Unpacked) -> Self;

    /// Returns the number nearest to another, ties to even.
    fn from_f64(x: f64) -> Self;

    /// Returns the largest finite magnitude, 0 if there is none.
    fn largest_finite(numbers: &[Self]) -> f64;
}

/// Magnitudes are ordered as their codes are, and integers have a vector maximum.
macro_rules! largest_finite {
    () => {
        #[inline(always)]
        fn largest_finite(numbers: &[Self]) -> f64 {
            let finite = |x: &Self| {
                let code = x.abs().to_bits();
                if code < Self::INFINITY.to_bits() { code } else { 0 }
            };
            let (groups, tail) = numbers.as_chunks::<LANES>();
            let mut lanes = [0; LANES];
            for group in groups {
                for (lane, x) in lanes.iter_mut().zip(group) {
                    *lane = finite(x).max(*lane);
                }
            }
            let rest = tail.iter().map(finite).max().unwrap_or(0);
            Self::from_bits(lanes.into_iter().fold(rest, Ord::max)).into()
        }
    };
}

impl Real for f32 {
    const PRECISION: u32 = Self::MANTISSA_DIGITS;
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

    largest_finite!();
}

impl Real for f64 {
    const PRECISION: u32 = Self::MANTISSA_DIGITS;
    const NAN: Self = Self::NAN;

    fn nearest(x: &Unpacked) -> Self {
        x.to_f64()
    }

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }

    largest_finite!();
}

compiled! {
    /// Returns the largest finite magnitude, 0 if there is none.
    ///
    /// ```
    /// use fpx::kernel::largest_finite;
    /// assert_eq!(largest_finite(&[1.5f32, -2.0, f32::INFINITY, f32::NAN]), 2.0);
    /// ```
    pub fn largest_finite<R: Real>(numbers: &[R]) -> f64 {
        R::largest_finite(numbers)
    }
}
