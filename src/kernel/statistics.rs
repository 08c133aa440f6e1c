//! Pairs of an input and its rounded result become sums and maxima of errors, in one pass.
//!
//! All arithmetic is binary64, one IEEE operation at a time, in 16 lanes whatever the instruction
//! set: element i of a chunk belongs to lane i mod 16. So the same bits come out everywhere.

use super::instruction_set::compiled;
use super::real::Real;

/// Lanes of the sums.
pub const LANES: usize = 16;

/// How the quantum of a format follows from the exponent of a number: `2^(max(e, emin) − t)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The biased binary64 exponent of `emin`, in place.
    least: u64,
    /// The biased exponent of `2^t` and the bias again, in place.
    scale: u64,
}

const BIAS: i64 = 1023;
const EXPONENT: u64 = 0x7ff0_0000_0000_0000;

impl Grid {
    /// Returns the grid of a format.
    ///
    /// Where `t − emin` exceeds what binary64 can scale by, `emin` is taken to be higher: a format
    /// so wide has no error at such small numbers but for inputs below 2^-950.
    pub fn new(emin: i32, trailing_width: u32) -> Self {
        let t = i64::from(trailing_width);
        let emin = i64::from(emin).clamp(t - BIAS + 1, BIAS);
        Self {
            least: (emin + BIAS).cast_unsigned() << 52,
            scale: (2 * BIAS + t).cast_unsigned() << 52,
        }
    }

    /// Returns the reciprocal of the quantum at a finite magnitude.
    #[inline(always)]
    fn reciprocal(self, magnitude: f64) -> f64 {
        let exponent = (magnitude.to_bits() & EXPONENT).max(self.least);
        f64::from_bits(self.scale.wrapping_sub(exponent))
    }
}

/// The quanta in which the errors of a slice are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quanta<'a> {
    /// The grid of the format.
    pub grid: Grid,
    /// The scale of each element, where results are multiples of scales: a quantum is then that of
    /// the quotient, times the scale.
    pub scales: Option<&'a [f64]>,
}

impl From<Grid> for Quanta<'_> {
    fn from(grid: Grid) -> Self {
        Self { grid, scales: None }
    }
}

/// What is summed over the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Errors.
    Error,
    /// Magnitudes of errors.
    Absolute,
    /// Squares of errors.
    Squared,
    /// Squares of inputs.
    Signal,
    /// Magnitudes of errors over those of inputs, where these are not zero.
    Relative,
    /// Magnitudes of errors in ulps.
    Ulps,
}

/// How many [`Total`]s there are.
pub const TOTALS: usize = 6;

/// Of what the largest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Largest {
    /// The magnitude of an error.
    Absolute,
    /// That over the input's magnitude.
    Relative,
    /// That in ulps.
    Ulps,
}

/// How many [`Largest`] there are.
pub const LARGEST: usize = 3;

/// Sums and maxima of the errors of some elements.
///
/// An element belongs here if input and result are both finite; its error is result less input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Elements that belong here.
    pub summed: u64,
    /// Those whose input is not zero.
    pub nonzero: u64,
    /// Those whose error is zero.
    pub exact: u64,
    /// The sums, by [`Total`].
    pub totals: [f64; TOTALS],
    /// The maxima, by [`Largest`].
    pub largest: [f64; LARGEST],
}

/// The error of one element, or zeros if it does not belong in the sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElementError {
    magnitude: f64,
    error: f64,
    relative: f64,
    ulps: f64,
}

impl ElementError {
    /// Returns the error of a result under a scale; plain results have scale 1.
    #[inline(always)]
    pub fn of(grid: Grid, scale: f64, input: f64, result: f64) -> Self {
        Self::under::<true, false>(grid, scale, input, result)
    }

    /// Returns the same: without `SCALED` the scale is 1, and with `FLUSHED` every number is finite
    /// and every result zero, so that a relative error takes no division.
    #[inline(always)]
    fn under<const SCALED: bool, const FLUSHED: bool>(
        grid: Grid,
        scale: f64,
        input: f64,
        result: f64,
    ) -> Self {
        let error = if FLUSHED { -input } else { result - input };
        // The difference is finite only if both are, short of an overflow of binary64 itself.
        let belongs = FLUSHED || error.abs() < f64::INFINITY;
        let error = if belongs { error } else { 0.0 };
        let magnitude = if belongs { input.abs() } else { 0.0 };
        let relative = if FLUSHED { 1.0 } else { error.abs() / magnitude };
        let relative = if magnitude > 0.0 { relative } else { 0.0 };
        let ulps = if SCALED {
            let scale = scale.abs();
            let ulps = error.abs() / scale * grid.reciprocal(magnitude / scale);
            // Under a scale of zero or NaN there is no quantum.
            if scale > 0.0 && scale < f64::INFINITY { ulps } else { 0.0 }
        } else {
            error.abs() * grid.reciprocal(magnitude)
        };
        Self { magnitude, error, relative, ulps }
    }

    /// Returns what it adds to each [`Total`].
    #[inline(always)]
    fn totals(&self) -> [f64; TOTALS] {
        let squared = self.error * self.error;
        let signal = self.magnitude * self.magnitude;
        [self.error, self.error.abs(), squared, signal, self.relative, self.ulps]
    }

    /// Returns what may be the [`Largest`].
    #[inline(always)]
    pub fn candidates(&self) -> [f64; LARGEST] {
        [self.error.abs(), self.relative, self.ulps]
    }
}

/// Elements that are counted in 32 bits before the counts are widened.
const COUNTED: usize = 1 << 16;

type Lane = [f64; LANES];

/// What a slice is made of.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Elements that belong in the sums.
    summed: u64,
    /// Those whose result is zero.
    zeros: u64,
}

/// The sums of a chunk while it is read.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    summed: u64,
    nonzero: u64,
    exact: u64,
    totals: [Lane; TOTALS],
    largest: [Lane; LARGEST],
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

impl Lanes {
    /// Adds the next elements of the chunk.
    ///
    /// All calls but the last of a chunk must bring a multiple of [`LANES`] elements.
    ///
    /// # Panics
    ///
    /// If the slices differ in length.
    ///
    /// ```
    /// use fpx::kernel::{Grid, Lanes};
    /// let mut lanes = Lanes::default();
    /// let quanta = Grid::new(-6, 3).into();
    /// lanes.add(quanta, &[1.03f32, 300.0, f32::INFINITY], &[1.0f32, 288.0, f32::INFINITY]);
    /// let sums = lanes.sums();
    /// assert_eq!((sums.summed, sums.largest[0]), (2, 12.0));
    /// ```
    pub fn add<X: Real, R: Real>(&mut self, quanta: Quanta, inputs: &[X], results: &[R]) {
        assert_eq!(inputs.len(), results.len(), "one result an input");
        match quanta.scales {
            None => add(self, quanta.grid, inputs, results),
            Some(scales) => {
                assert_eq!(inputs.len(), scales.len(), "one scale an input");
                add_scaled(self, quanta.grid, scales, inputs, results);
            }
        }
    }

    #[inline(always)]
    fn add_portable<const SCALED: bool, X: Real, R: Real>(
        &mut self,
        grid: Grid,
        scales: &[f64],
        inputs: &[X],
        results: &[R],
    ) {
        let seen = self.count(inputs, results);
        // What is shorter gives the same sums, bit by bit.
        let is_flushed = !SCALED && seen.zeros == inputs.len() as u64;
        match seen.summed {
            0 => {}
            _ if is_flushed => {
                self.add_groups::<SCALED, true, X, R>(grid, scales, inputs, results);
            }
            _ => self.add_groups::<SCALED, false, X, R>(grid, scales, inputs, results),
        }
    }

    #[inline(always)]
    fn add_groups<const SCALED: bool, const FLUSHED: bool, X: Real, R: Real>(
        &mut self,
        grid: Grid,
        scales: &[f64],
        inputs: &[X],
        results: &[R],
    ) {
        let (input_groups, input_tail) = inputs.as_chunks::<LANES>();
        let (result_groups, result_tail) = results.as_chunks::<LANES>();
        let (scale_groups, scale_tail) = scales.as_chunks::<LANES>();
        let ones = [1.0; LANES];
        // A copy, which the compiler keeps in registers.
        let mut lanes = self.clone();
        for (i, (x, r)) in input_groups.iter().zip(result_groups).enumerate() {
            let scales = if SCALED { &scale_groups[i] } else { &ones };
            lanes.add_group::<SCALED, FLUSHED, X, R>(grid, scales, x, r);
        }
        if !input_tail.is_empty() {
            let (mut x, mut r, mut scales) = ([X::NAN; LANES], [R::NAN; LANES], ones);
            x[..input_tail.len()].copy_from_slice(input_tail);
            r[..input_tail.len()].copy_from_slice(result_tail);
            scales[..scale_tail.len()].copy_from_slice(scale_tail);
            // What fills the group up belongs in no sum, which only the general form looks at.
            lanes.add_group::<SCALED, false, X, R>(grid, &scales, &x, &r);
        }
        *self = lanes;
    }

    /// Counts in a loop of its own, which has twice the lanes where the numbers are binary32.
    #[inline(always)]
    #[expect(clippy::float_cmp, reason = "no error is equality")]
    fn count<X: Real, R: Real>(&mut self, inputs: &[X], results: &[R]) -> Seen {
        let mut seen = Seen::default();
        for (inputs, results) in inputs.chunks(COUNTED).zip(results.chunks(COUNTED)) {
            let (mut summed, mut nonzero, mut exact, mut zeros) = (0u32, 0u32, 0u32, 0u32);
            for (x, r) in inputs.iter().zip(results) {
                let (x, r): (f64, f64) = ((*x).into(), (*r).into());
                let belongs =
                    u32::from(x.abs() < f64::INFINITY) & u32::from(r.abs() < f64::INFINITY);
                summed += belongs;
                nonzero += belongs & u32::from(x != 0.0);
                exact += belongs & u32::from(x == r);
                zeros += belongs & u32::from(r == 0.0);
            }
            seen.summed += u64::from(summed);
            seen.zeros += u64::from(zeros);
            self.nonzero += u64::from(nonzero);
            self.exact += u64::from(exact);
        }
        self.summed += seen.summed;
        seen
    }

    #[inline(always)]
    fn add_group<const SCALED: bool, const FLUSHED: bool, X: Real, R: Real>(
        &mut self,
        grid: Grid,
        scales: &[f64; LANES],
        x: &[X; LANES],
        r: &[R; LANES],
    ) {
        for i in 0..LANES {
            let (x, r) = (x[i].into(), r[i].into());
            let e = ElementError::under::<SCALED, FLUSHED>(grid, scales[i], x, r);
            for (lane, x) in self.totals.iter_mut().zip(e.totals()) {
                lane[i] += x;
            }
            for (lane, x) in self.largest.iter_mut().zip(e.candidates()) {
                lane[i] = larger(x, lane[i]);
            }
        }
    }

    /// Folds the lanes, neighbours first.
    pub fn sums(&self) -> Sums {
        let Self { summed, nonzero, exact, totals, .. } = *self;
        let totals = totals.map(|lane| fold(lane, |a, b| a + b));
        Sums { summed, nonzero, exact, totals, largest: self.largest() }
    }

    /// Returns the largest so far.
    pub fn largest(&self) -> [f64; LARGEST] {
        self.largest.map(|lane| fold(lane, larger))
    }
}

/// Folds a power of two of lanes as a balanced tree.
fn fold(mut lane: Lane, join: impl Fn(f64, f64) -> f64) -> f64 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lane[i] = join(lane[2 * i], lane[2 * i + 1]);
        }
    }
    lane[0]
}

compiled! {
    fn add<X: Real, R: Real>(lanes: &mut Lanes, grid: Grid, inputs: &[X], results: &[R]) {
        lanes.add_portable::<false, X, R>(grid, &[], inputs, results);
    }
}

compiled! {
    fn add_scaled<X: Real, R: Real>(
        lanes: &mut Lanes, grid: Grid, scales: &[f64], inputs: &[X], results: &[R]
    ) {
        lanes.add_portable::<true, X, R>(grid, scales, inputs, results);
    }
}
