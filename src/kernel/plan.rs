//! A format and a projection become the numbers that a kernel reads: the plan.

use super::scalar::Target;
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
        Self { facts: *format.facts(), projection: *projection }
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
