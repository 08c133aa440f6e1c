//! Blocks of inputs and results become [`Statistics`].

use super::{ExactSum, Histogram, UsedCodes};
use crate::kernel::{Counts, ElementError, Grid, LARGEST, Lanes, Real, TOTALS, Total};

/// The largest value of a quantity and the first element that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Maximum {
    /// The value; 0 if there was none.
    pub value: f64,
    /// The input there.
    pub input: f64,
    /// Its index in the whole input.
    pub index: u64,
}

impl Maximum {
    /// Whether a value at an index comes before this one: it is larger, or the same and earlier.
    #[expect(clippy::float_cmp, reason = "the same value is found again in other chunks")]
    fn yields_to(&self, value: f64, index: u64) -> bool {
        value > self.value || (value == self.value && value > 0.0 && index < self.index)
    }

    fn merge(&mut self, other: &Self) {
        if self.yields_to(other.value, other.index) {
            *self = *other;
        }
    }
}

/// Histograms of inputs and of errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histograms {
    /// Of the inputs' magnitudes.
    pub inputs: Histogram,
    /// Of the errors' magnitudes.
    pub errors: Histogram,
}

/// What is known of the errors of some elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// What the rounding counted.
    pub counts: Counts,
    /// Elements in the sums: those whose input and result are finite.
    pub summed: u64,
    /// Those of them that are not zero.
    pub nonzero: u64,
    /// Those of them without an error.
    pub exact: u64,
    /// The sums, by [`Total`].
    pub totals: [ExactSum; TOTALS],
    /// The maxima, by [`Largest`](crate::kernel::Largest).
    pub largest: [Maximum; LARGEST],
    /// The codes seen; `None` for a format whose codes are too many or are none.
    pub used: Option<UsedCodes>,
    /// Histograms, if they were asked for.
    pub histograms: Option<Histograms>,
}

impl Statistics {
    /// Adds the statistics of other elements under the same target.
    pub fn merge(&mut self, other: &Self) {
        self.counts += other.counts;
        self.summed += other.summed;
        self.nonzero += other.nonzero;
        self.exact += other.exact;
        self.totals.iter_mut().zip(&other.totals).for_each(|(a, b)| a.merge(b));
        self.largest.iter_mut().zip(&other.largest).for_each(|(a, b)| a.merge(b));
        if let (Some(used), Some(other)) = (&mut self.used, &other.used) {
            used.merge(other);
        }
        if let (Some(histograms), Some(other)) = (&mut self.histograms, &other.histograms) {
            histograms.inputs.merge(&other.inputs);
            histograms.errors.merge(&other.errors);
        }
    }

    /// Returns a sum, rounded once.
    pub fn total(&self, total: Total) -> f64 {
        self.totals[total as usize].to_f64()
    }
}

/// Statistics in the making.
#[derive(Clone, Debug)]
pub struct Accumulator {
    statistics: Statistics,
    lanes: Lanes,
    /// A mark a code of the current chunk.
    marks: Vec<u8>,
}

impl Accumulator {
    /// Returns empty statistics of a target whose codes have `width` bits, 0 if it has no codes of
    /// its own.
    pub fn new(width: u32) -> Self {
        let used = if width == 0 { None } else { UsedCodes::new(width) };
        let marks = if used.is_some() { vec![0; 1 << width] } else { Vec::new() };
        Self {
            statistics: Statistics { used, ..Statistics::default() },
            lanes: Lanes::default(),
            marks,
        }
    }

    /// Makes histograms too, at the price of a slower pass.
    #[must_use]
    pub fn with_histograms(mut self) -> Self {
        self.statistics.histograms = Some(Histograms::default());
        self
    }

    /// Adds what the rounding of a block counted.
    pub fn count(&mut self, counts: Counts) {
        self.statistics.counts += counts;
    }

    /// Adds the next block of the current chunk, which begins at a global index.
    ///
    /// # Panics
    ///
    /// If the slices differ in length.
    pub fn block<X: Real, R: Real>(&mut self, grid: Grid, first: u64, inputs: &[X], results: &[R]) {
        self.lanes.add(grid, inputs, results);
        for (which, value) in self.lanes.largest().into_iter().enumerate() {
            if self.statistics.largest[which].yields_to(value, first) {
                self.locate(which, value, grid, first, inputs, results);
            }
        }
        if let Some(histograms) = &mut self.statistics.histograms {
            for (x, r) in inputs.iter().zip(results) {
                let (x, r): (f64, f64) = ((*x).into(), (*r).into());
                histograms.inputs.add(x);
                histograms.errors.add(r - x);
            }
        }
    }

    /// Finds the first element of a block with the value, if it is in this block.
    #[expect(clippy::float_cmp, reason = "the same operations on the same element")]
    fn locate<X: Real, R: Real>(
        &mut self,
        which: usize,
        value: f64,
        grid: Grid,
        first: u64,
        inputs: &[X],
        results: &[R],
    ) {
        let mut elements = inputs.iter().zip(results).zip(first..);
        let found = elements.find(|((x, r), _)| {
            ElementError::of(grid, (**x).into(), (**r).into()).candidates()[which] == value
        });
        if let Some(((x, _), index)) = found {
            self.statistics.largest[which] = Maximum { value, input: (*x).into(), index };
        }
    }

    /// Marks the codes of a block.
    ///
    /// # Panics
    ///
    /// If a code is wider than the target's.
    pub fn mark<C: Copy + Into<usize>>(&mut self, codes: &[C]) {
        for code in codes {
            self.marks[(*code).into()] = 1;
        }
    }

    /// Ends a chunk, whose sums are now added exactly.
    pub fn end_chunk(&mut self) {
        let sums = std::mem::take(&mut self.lanes).sums();
        let statistics = &mut self.statistics;
        statistics.summed += sums.summed;
        statistics.nonzero += sums.nonzero;
        statistics.exact += sums.exact;
        statistics.totals.iter_mut().zip(sums.totals).for_each(|(total, sum)| total.add(sum));
        if let Some(used) = &mut statistics.used {
            used.take(&mut self.marks);
        }
    }

    /// Returns the statistics of all ended chunks.
    pub fn into_statistics(self) -> Statistics {
        self.statistics
    }
}
