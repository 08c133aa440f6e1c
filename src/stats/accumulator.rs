//! Blocks of inputs and results become [`Statistics`].

use super::{ExactSum, Histogram, MAX_WIDTH, UsedCodes};
use crate::kernel::{Counts, ElementError, LARGEST, Lanes, Quanta, Real, TOTALS, Total};

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

    /// Moves to the first of some elements (index, input, value) with this value, if there is one.
    #[expect(clippy::float_cmp, reason = "the same operations on the same element")]
    fn find(&mut self, value: f64, mut elements: impl Iterator<Item = (u64, f64, f64)>) {
        if let Some((index, input, _)) = elements.find(|(_, _, own)| *own == value) {
            *self = Self { value, input, index };
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

impl Histograms {
    fn both(&mut self) -> [&mut Histogram; 2] {
        [&mut self.inputs, &mut self.errors]
    }
}

/// What is known of the errors of some elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// What the rounding counted.
    pub counts: Counts,
    /// The largest finite magnitude of the inputs.
    pub max_input: f64,
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
    /// The codes seen; `None` for a format whose codes are too many.
    pub used: Option<UsedCodes>,
    /// Histograms, if they were asked for.
    pub histograms: Option<Histograms>,
    /// How many scales have which code; `None` where there is no scale, or it has too many bits.
    pub scales: Option<Histogram>,
}

impl Statistics {
    /// Returns the statistics of no element under a target whose codes have `width` bits.
    pub fn new(width: u32) -> Self {
        Self { used: UsedCodes::new(width), ..Self::default() }
    }

    /// Adds histograms, at the price of a slower pass.
    #[must_use]
    pub fn with_histograms(self) -> Self {
        Self { histograms: Some(Histograms::default()), ..self }
    }

    /// Adds the statistics of other elements under the same target.
    pub fn merge(&mut self, other: &Self) {
        self.counts += other.counts;
        self.max_input = self.max_input.max(other.max_input);
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
        if let (Some(scales), Some(other)) = (&mut self.scales, &other.scales) {
            scales.merge(other);
        }
    }

    /// Returns a sum, rounded once.
    pub fn total(&self, total: Total) -> f64 {
        self.totals[total as usize].to_f64()
    }
}

/// What one worker needs while it reads a chunk; used for one target after the other.
#[derive(Clone, Debug)]
pub struct Pass {
    lanes: Lanes,
    /// A mark a code.
    marks: Vec<u8>,
    /// Inputs and errors by the exponent fields of binary64.
    fields: [Vec<u64>; 2],
}

/// Exponent fields of binary64.
const FIELDS: usize = 1 << 11;

impl Default for Pass {
    fn default() -> Self {
        let fields = [vec![0; FIELDS], vec![0; FIELDS]];
        Self { lanes: Lanes::default(), marks: vec![0; 1 << MAX_WIDTH], fields }
    }
}

impl Pass {
    /// Adds the next block of a chunk, whose first element has a global index.
    ///
    /// # Panics
    ///
    /// If the slices differ in length.
    pub fn block<X: Real, R: Real>(
        &mut self,
        statistics: &mut Statistics,
        quanta: Quanta,
        first: u64,
        (inputs, results): (&[X], &[R]),
    ) {
        self.lanes.add(quanta, inputs, results);
        for (which, value) in self.lanes.largest().into_iter().enumerate() {
            let maximum = &mut statistics.largest[which];
            if maximum.yields_to(value, first) {
                let elements = inputs.iter().zip(results).enumerate().zip(first..);
                maximum.find(
                    value,
                    elements.map(|((i, (x, r)), index)| {
                        let x = (*x).into();
                        let scale = quanta.scales.map_or(1.0, |scales| scales[i]);
                        let error = ElementError::of(quanta.grid, scale, x, (*r).into());
                        (index, x, error.candidates()[which])
                    }),
                );
            }
        }
        if let Some(histograms) = &mut statistics.histograms {
            for (x, r) in inputs.iter().zip(results) {
                let (x, r): (f64, f64) = ((*x).into(), (*r).into());
                for ((fields, histogram), x) in
                    self.fields.iter_mut().zip(histograms.both()).zip([x, r - x])
                {
                    match (x.to_bits() >> 52) as usize % FIELDS {
                        0 => histogram.add(x),
                        field => fields[field] += 1,
                    }
                }
            }
        }
    }

    /// Marks the codes of a block, each of at most [`MAX_WIDTH`] bits.
    pub fn mark<C: Copy + PartialEq + Into<usize>>(&mut self, codes: &[C]) {
        let (groups, tail) = codes.as_chunks::<64>();
        for group in groups {
            // Numbers in order have the same code for long; looking is cheaper than marking.
            if group.iter().fold(0, |differ, code| differ | u8::from(*code != group[0])) != 0 {
                self.mark_each(group.iter().copied());
            } else {
                self.marks[group[0].into()] = 1;
            }
        }
        self.mark_each(tail.iter().copied());
    }

    /// Marks codes that do not lie in a row.
    pub fn mark_each<C: Into<usize>>(&mut self, codes: impl Iterator<Item = C>) {
        for code in codes {
            self.marks[code.into()] = 1;
        }
    }

    /// Ends a chunk: its sums are now added exactly.
    pub fn end(&mut self, statistics: &mut Statistics) {
        let sums = std::mem::take(&mut self.lanes).sums();
        statistics.summed += sums.summed;
        statistics.nonzero += sums.nonzero;
        statistics.exact += sums.exact;
        statistics.totals.iter_mut().zip(sums.totals).for_each(|(total, sum)| total.add(sum));
        if let Some(used) = &mut statistics.used {
            used.take(&mut self.marks);
        }
        if let Some(histograms) = &mut statistics.histograms {
            for (fields, histogram) in self.fields.iter_mut().zip(histograms.both()) {
                // The last field is that of infinities and NaNs.
                for (exponent, count) in (-1023..1024).zip(fields.iter()) {
                    if *count > 0 {
                        histogram.count(exponent, *count);
                    }
                }
                fields.fill(0);
            }
        }
    }
}
