//! A format and a rounding become what lanes can do of scaled work.

use super::super::lane::Lane;
use crate::codec::{Flags, Projected, Projection, Unpacked, decode, project};
use crate::format::{F32, Format};

/// What a plan says of scaled work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Limits {
    /// The most digits of scales by which numbers can be divided in binary32 lanes; 0 if by none.
    pub(super) narrow: u32,
    /// The same of binary64 lanes.
    pub(super) wide: u32,
    /// The most digits of scales that products with binary32 numbers of the format are exact for in
    /// binary64; `None` if binary32 does not have all of its numbers.
    pub(super) exact: Option<u32>,
    /// The bits of a binary32 code that are zero in all numbers of one digit more than the format
    /// has, if there are so many that few quotients have nearly all of them alike.
    pub(super) below: Option<u32>,
    /// Where quotients in binary32 are clipped, if they are.
    pub(super) clip: Option<Clip>,
}

/// The most digits of a divisor that [`to_odd`](super::super::division::to_odd) takes.
pub(super) const DIVISOR: u32 = 35;

impl Limits {
    /// Returns the limits of a rounding that has lanes of binary32, of binary64.
    pub(in super::super) fn new(
        format: &Format,
        projection: &Projection,
        [has_narrow, has_wide]: [bool; 2],
    ) -> Self {
        let precision = format.precision();
        let is_stochastic = projection.rounding.mode.is_stochastic();
        // Random bits are compared with the 33 digits that follow those that are kept.
        let compared = precision + if is_stochastic { 33 } else { 1 };
        let by_reciprocal = !is_stochastic && compared + 2 <= f32::MANTISSA_DIGITS;
        let by_division = compared < f64::MANTISSA_DIGITS;
        // A subnormal quotient that is not exact must be too small to matter.
        let is_small = decode(format, format.least_positive()).exponent > F32.emin() + 2;
        let by_reciprocal = by_reciprocal && is_small;
        let limit = |has_lanes: bool, has_others: bool, others: u32| match (has_lanes, has_others) {
            // Under a scale of zero or NaN, the lanes are given zeros.
            _ if !has_lanes || !format.has_zero() => 0,
            (_, true) => others,
            (_, false) => 1,
        };
        Self {
            narrow: limit(has_narrow, by_reciprocal, 42 - precision.min(41)),
            wide: limit(has_wide, by_division, DIVISOR),
            exact: has_narrow.then(|| f64::MANTISSA_DIGITS - precision),
            below: (precision <= 5).then(|| (u32::HIDDEN >> precision) - 1),
            clip: if has_narrow { Clip::new(format, projection) } else { None },
        }
    }
}

/// Where every number of a rounding saturates, whatever its sign: the magnitudes, as codes of
/// binary32.
///
/// Quotients above the largest number are made that number before they are rounded. Blocks have some
/// as a rule, and the plain kernels take a step of its own for any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clip {
    /// The largest finite number.
    pub(super) largest: u32,
    /// The least number that overflows.
    pub(super) overflow: u32,
}

impl Clip {
    /// Where nothing is clipped.
    pub(super) const NOWHERE: Self = Self { largest: u32::INFINITY, overflow: u32::INFINITY };

    /// Returns where a rounding saturates; `None` if it does not, or not at one magnitude.
    fn new(format: &Format, projection: &Projection) -> Option<Self> {
        if projection.rounding.mode.is_stochastic() {
            return None;
        }
        let largest = u32::nearest(&decode(format, format.largest_finite()));
        let saturates = |code: &u32| {
            let x = Unpacked::from_f32(f32::from_bits(*code));
            let Projected { code, flags } = project(format, projection, &x);
            let becomes = decode(format, code);
            let is_largest = u32::nearest(&becomes.magnitude()) == largest;
            is_largest && becomes.negative == x.negative && flags.contains(Flags::OVERFLOW)
        };
        // A mode may begin to overflow just above the largest number, halfway to what would be the
        // next, just above that, and there.
        let half = u32::HIDDEN >> format.trailing_width() >> 1;
        let candidates = [largest + 1, largest + half, largest + half + 1, largest + 2 * half];
        let overflow = candidates.into_iter().find(saturates)?;
        // Both signs must overflow from the same magnitude on.
        let below = candidates.into_iter().filter(|code| *code < overflow);
        let is_same = saturates(&(overflow | u32::SIGN))
            && below.into_iter().all(|code| !saturates(&(code | u32::SIGN)));
        (is_same && overflow < u32::INFINITY).then_some(Self { largest, overflow })
    }
}
