//! A format and a projection become the numbers that a kernel reads: the plan.

use super::Counts;
use super::instruction_set::{InstructionSet, InstructionSetError};
use super::scalar::Target;
use super::scaled::Limits;
use super::slice::Lanes;
use crate::codec::Projection;
use crate::format::{Facts, Format};

/// What a kernel needs to know of a format and of how to round to it, worked out once.
///
/// ```
/// use fpx::{codec::Projection, format::E4M3FN, kernel::Plan};
/// assert_eq!(Plan::new(&E4M3FN, &Projection::default()).width(), 8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    facts: Facts,
    projection: Projection,
    /// Whether the kernels count more than the elements.
    counts: bool,
    /// Never one that this machine lacks: the doors rely on it.
    instruction_set: InstructionSet,
    /// The lanes for binary32 sources.
    pub(super) narrow: Option<Lanes<u32>>,
    /// The lanes for binary64 sources, and for binary32 ones where there are no others.
    pub(super) wide: Option<Lanes<u64>>,
    /// Which scaled work lanes can do.
    pub(super) limits: Limits,
}

impl Plan {
    /// Returns the plan of rounding to a format. `projection.random` is not read: see
    /// [`Dither`](super::Dither).
    ///
    /// # Panics
    ///
    /// If the format is wider than 64 bits.
    pub fn new(format: &Format, projection: &Projection) -> Self {
        assert!(format.width() <= 64, "kernels hold codes of at most 64 bits");
        let (narrow, wide) = (Lanes::new(format, projection), Lanes::new(format, projection));
        Self {
            facts: *format.facts(),
            projection: *projection,
            counts: true,
            instruction_set: super::instruction_set().unwrap_or(InstructionSet::Baseline),
            limits: Limits::new(format, projection, [narrow.is_some(), wide.is_some()]),
            narrow,
            wide,
        }
    }

    /// Returns the same plan for kernels that count elements and nothing else, which is faster.
    #[must_use]
    pub const fn without_counts(self) -> Self {
        Self { counts: false, ..self }
    }

    /// Whether the kernels are to count.
    pub(super) const fn counts(&self) -> bool {
        self.counts
    }

    /// Returns what the kernels are to have counted.
    pub(super) fn counted(&self, counts: Counts) -> Counts {
        if self.counts { counts } else { Counts { elements: counts.elements, ..Counts::default() } }
    }

    /// Returns the same plan for another instruction set; the results are the same.
    ///
    /// # Errors
    ///
    /// [`InstructionSetError::Missing`] if this machine lacks it.
    pub fn on(self, instruction_set: InstructionSet) -> Result<Self, InstructionSetError> {
        instruction_set.check()?;
        Ok(Self { instruction_set, ..self })
    }

    /// Returns the instruction set that the kernels will use; this machine has it.
    pub(super) const fn instruction_set(&self) -> InstructionSet {
        self.instruction_set
    }

    /// Returns the bits of a code.
    pub const fn width(&self) -> u32 {
        self.facts.width
    }

    /// Returns the same rounding for the codec.
    pub(super) fn target(&self) -> Target {
        Target { format: Format::row("", self.facts), projection: self.projection }
    }
}
