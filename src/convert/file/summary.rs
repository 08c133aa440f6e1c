//! What a conversion found out, as plain numbers.

use std::{path::PathBuf, time::Duration};

use super::plan::Why;
use crate::{container::Order, kernel::Counts};

/// What was done to a file or folder.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The input.
    pub path: PathBuf,
    /// Tensors in the input.
    pub tensors: u64,
    /// Tensors whose elements were converted.
    pub converted: u64,
    /// Tensors copied as they are, and why.
    pub copied: Copied,
    /// Bytes of the input's tensors.
    pub bytes_in: u64,
    /// Bytes of the output, headers included; what they would be, if nothing is written.
    pub bytes_out: u64,
    /// What happened to the elements of the converted tensors.
    pub counts: Counts,
    /// What was found of the scales of the converted tensors.
    pub scales: ScaleCounts,
    /// The first finite element that became infinite or NaN.
    pub lost: Option<Lost>,
    /// Remarks for people.
    pub notes: Vec<String>,
    /// The conditions of `fail_on` that were met: then nothing was kept.
    pub failed: Vec<Watched>,
    /// Whether there is an output now.
    pub is_written: bool,
    /// How long it took.
    pub duration: Duration,
}

/// How many scales were found, and of what sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScaleCounts {
    /// All of them.
    pub all: u64,
    /// Those of fewer elements than the others have.
    pub short: u64,
    /// Those that are NaN, because of a NaN or an infinity among their elements.
    pub nan: u64,
    /// Those that are zero, so that all of their elements are.
    pub zero: u64,
}

impl std::ops::AddAssign for ScaleCounts {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.short += other.short;
        self.nan += other.nan;
        self.zero += other.zero;
    }
}

/// How many tensors were copied, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Not floating-point numbers.
    pub not_float: u64,
    /// Left out by the globs.
    pub left_out: u64,
    /// Fewer than two dimensions, for a target of fewer than 16 bits.
    pub few_dimensions: u64,
    /// Scales.
    pub scales: u64,
}

impl Copied {
    /// Returns how many were copied in all.
    pub const fn total(&self) -> u64 {
        self.not_float + self.left_out + self.few_dimensions + self.scales
    }

    pub(super) fn count(&mut self, why: Why) {
        match why {
            Why::NotFloat => self.not_float += 1,
            Why::LeftOut => self.left_out += 1,
            Why::FewDimensions => self.few_dimensions += 1,
            Why::Scale => self.scales += 1,
        }
    }
}

/// A finite element that became infinite or NaN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The tensor's name; empty if it has none.
    pub tensor: String,
    /// The element's index.
    pub index: Vec<u64>,
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.tensor.is_empty() {
            write!(f, "tensor {} ", crate::container::quote(&self.tensor))?;
        }
        write!(f, "element {}", crate::container::show_shape(&self.index))
    }
}

/// Returns the index of an element of a tensor of this shape, from its position.
pub(super) fn index_of(mut element: u64, shape: &[u64], order: Order) -> Vec<u64> {
    let mut take = |&length: &u64| {
        let here = element % length.max(1);
        element /= length.max(1);
        here
    };
    if order == Order::Fortran {
        return shape.iter().map(take).collect();
    }
    let mut index: Vec<u64> = shape.iter().rev().map(&mut take).collect();
    index.reverse();
    if index.is_empty() { vec![element] } else { index }
}

/// A condition under which nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// A finite element left the finite range, saturated or not.
    Overflow,
    /// A nonzero element became zero.
    Flushed,
    /// A NaN was read, or a finite element became infinite or NaN.
    Nan,
    /// An element changed its value.
    Inexact,
}

impl Watched {
    /// Every condition with its name.
    pub const ALL: [(&str, Self); 4] = [
        ("overflow", Self::Overflow),
        ("flushed", Self::Flushed),
        ("nan", Self::Nan),
        ("inexact", Self::Inexact),
    ];

    /// Returns the condition's name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, watched)| *watched == self).map_or("", |(name, _)| name)
    }

    /// Returns how many elements meet it.
    pub const fn elements(self, counts: &Counts) -> u64 {
        match self {
            Self::Overflow => counts.overflow,
            Self::Flushed => counts.flushed,
            Self::Nan => counts.nan_in + counts.lost,
            Self::Inexact => counts.inexact,
        }
    }
}
