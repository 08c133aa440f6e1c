//! What one pass over a slice saw: counters that add up in any order.

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
