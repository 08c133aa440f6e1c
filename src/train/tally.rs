//! Tensors on their way into a format become counts: what was flushed, what saturated, how large
//! and how small the numbers were.

use super::slots::Slots;
use crate::{block::spec::Spec, kernel::Counts};

/// What a tensor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What layers read and return.
    Activations,
    /// What matrix products read of the weights.
    Weights,
    /// Gradients.
    Gradients,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Activations, Self::Weights, Self::Gradients];

    /// Returns the role's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activations => "activations",
            Self::Weights => "weights",
            Self::Gradients => "gradients",
        }
    }

    /// Returns the role's format under a policy.
    pub const fn spec(self, slots: &Slots) -> &Spec {
        match self {
            Self::Activations => &slots.activations,
            Self::Weights => &slots.weights,
            Self::Gradients => &slots.gradients,
        }
    }
}

/// What the tensors of each role went through.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tallies([Tally; Role::ALL.len()]);

impl std::ops::Index<Role> for Tallies {
    type Output = Tally;

    fn index(&self, role: Role) -> &Tally {
        &self.0[role as usize]
    }
}

impl std::ops::IndexMut<Role> for Tallies {
    fn index_mut(&mut self, role: Role) -> &mut Tally {
        &mut self.0[role as usize]
    }
}

/// What one role's tensors went through.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Nonzero finite numbers that were rounded.
    pub numbers: u64,
    /// Those that became zero.
    pub flushed: u64,
    /// Those whose rounded value lay beyond the largest finite one.
    pub saturated: u64,
    /// The largest finite magnitude seen, rounded or not.
    pub largest: f32,
}

impl Tally {
    /// Adds one tensor: what it held before, and what its rounding counted.
    pub fn add(&mut self, survey: Survey, counts: Counts) {
        self.numbers += survey.numbers;
        self.flushed += counts.flushed;
        self.saturated += counts.overflow;
        self.largest = self.largest.max(survey.largest);
    }

    /// Returns the share of numbers that became zero, if there were any numbers.
    pub fn flushed_share(&self) -> Option<f64> {
        share(self.flushed, self.numbers)
    }

    /// Returns the share of numbers beyond the largest finite one, if there were any numbers.
    pub fn saturated_share(&self) -> Option<f64> {
        share(self.saturated, self.numbers)
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.numbers += other.numbers;
        self.flushed += other.flushed;
        self.saturated += other.saturated;
        self.largest = self.largest.max(other.largest);
    }
}

/// Returns a fraction of one, if there is anything to be a fraction of.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn share(count: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| count as f64 / total as f64)
}

/// Returns a number of examples or outputs as a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub const fn to_f64(count: usize) -> f64 {
    count as f64
}

/// What a tensor holds, before it is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Survey {
    /// Nonzero finite numbers.
    pub numbers: u64,
    /// The largest finite magnitude.
    pub largest: f32,
}

/// The code of infinity in binary32: magnitudes below it are finite.
const INFINITY: u32 = 0x7f80_0000;

impl Survey {
    /// Looks at each number once.
    ///
    /// ```
    /// use fpx::train::tally::Survey;
    /// let survey = Survey::of(&[0.0, -3.0, 2.0, f32::INFINITY]);
    /// assert_eq!((survey.numbers, survey.largest), (2, 3.0));
    /// ```
    pub fn of(numbers: &[f32]) -> Self {
        let (mut nonzero, mut largest) = (0, 0);
        // Magnitudes are ordered as their codes are, and integers have no rounding or NaN to mind.
        for chunk in numbers.chunks(1 << 16) {
            let mut in_chunk = 0u32;
            for x in chunk {
                let magnitude = x.to_bits() & i32::MAX.cast_unsigned();
                let finite = if magnitude < INFINITY { magnitude } else { 0 };
                in_chunk += u32::from(finite != 0);
                largest = finite.max(largest);
            }
            nonzero += u64::from(in_chunk);
        }
        Self { numbers: nonzero, largest: f32::from_bits(largest) }
    }
}

/// How many gradients lie in each binade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binades {
    /// Counts by biased binary32 exponent: 0 holds zeros and subnormals, 255 infinities and NaNs.
    counts: Vec<u64>,
}

impl Default for Binades {
    fn default() -> Self {
        Self { counts: vec![0; 256] }
    }
}

impl Binades {
    /// Counts each number under the exponent of its leading bit.
    pub fn record(&mut self, numbers: &[f32]) {
        for x in numbers {
            self.counts[(x.to_bits() >> 23 & 0xff) as usize] += 1;
        }
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
    }

    /// Returns the count of magnitudes in `[2^exponent, 2^(exponent + 1))`, for exponents of normal
    /// binary32 numbers.
    pub fn at(&self, exponent: i32) -> u64 {
        let biased =
            usize::try_from(exponent + 127).ok().filter(|biased| (1..255).contains(biased));
        biased.map_or(0, |biased| self.counts[biased])
    }

    /// Returns the count of zeros and of magnitudes below 2^-126.
    pub fn zeros(&self) -> u64 {
        self.counts[0]
    }

    /// Returns the count of all numbers.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the least and the largest exponent that occur, if any does.
    pub fn range(&self) -> Option<(i32, i32)> {
        let occurs = |exponent: &i32| self.at(*exponent) > 0;
        Some(((-126..128).find(occurs)?, (-126..128).rfind(occurs)?))
    }
}
