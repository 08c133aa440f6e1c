//! What one pass over a slice saw: counters that add up in any order.

use crate::codec::{Flags, Kind, Projected, Unpacked, decode};
use crate::format::Format;

/// The counts of one pass; those of several passes are added with `+=`.
///
/// An input may be counted more than once: a value that overflows to infinity is inexact, overflow
/// and lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Elements read.
    pub elements: u64,
    /// Results that differ from the input.
    pub inexact: u64,
    /// Finite inputs whose rounded value lies beyond the largest finite one, saturated or not.
    pub overflow: u64,
    /// Nonzero inputs that became zero.
    pub flushed: u64,
    /// Results that are subnormal in the format.
    pub subnormal: u64,
    /// NaN inputs.
    pub nan_in: u64,
    /// Infinite inputs.
    pub inf_in: u64,
    /// Finite inputs whose result is infinite or NaN.
    pub lost: u64,
    /// NaN inputs that the format cannot hold and the policies refuse: their codes are not to be
    /// used.
    pub refused: u64,
}

impl Counts {
    /// Returns the counts of one number and what the codec made of it.
    pub fn of(format: &Format, x: &Unpacked, projected: Projected) -> Self {
        let result = decode(format, projected.code);
        let raised = |flag| u64::from(projected.flags.contains(flag));
        let became_zero = x.kind != Kind::Zero && x.kind != Kind::Nan && result.kind == Kind::Zero;
        let is_subnormal = result.kind == Kind::Finite && result.exponent < format.emin();
        Self {
            elements: 1,
            inexact: raised(Flags::INEXACT),
            overflow: raised(Flags::OVERFLOW),
            flushed: u64::from(became_zero),
            subnormal: u64::from(is_subnormal),
            nan_in: u64::from(x.kind == Kind::Nan),
            inf_in: u64::from(x.kind == Kind::Infinity),
            lost: u64::from(x.is_finite() && !result.is_finite()),
            refused: raised(Flags::REFUSED),
        }
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.elements += other.elements;
        self.inexact += other.inexact;
        self.overflow += other.overflow;
        self.flushed += other.flushed;
        self.subnormal += other.subnormal;
        self.nan_in += other.nan_in;
        self.inf_in += other.inf_in;
        self.lost += other.lost;
        self.refused += other.refused;
    }
}
