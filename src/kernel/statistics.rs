//! Pairs of an input and its rounded result become sums and maxima of errors, in one pass.
//!
//! All arithmetic is binary64, one IEEE operation at a time, in 16 lanes whatever the instruction
//! set: element i of a chunk belongs to lane i mod 16. So the same bits come out everywhere.

use crate::codec::{Projection, Unpacked, project};
use crate::format::F32;

use super::{InstructionSet, instruction_set};

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
    /// Returns the error of a result.
    #[inline(always)]
    pub fn of(grid: Grid, input: f64, result: f64) -> Self {
        let error = result - input;
        // The difference is finite only if both are, short of an overflow of binary64 itself.
        let belongs = error.abs() < f64::INFINITY;
        let error = if belongs { error } else { 0.0 };
        let magnitude = if belongs { input.abs() } else { 0.0 };
        let relative = if magnitude > 0.0 { error.abs() / magnitude } else { 0.0 };
        let ulps = error.abs() * grid.reciprocal(magnitude);
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

/// A number of an input or a result.
pub trait Real: Copy + Into<f64> {
    /// Bits of a significand.
    const PRECISION: u32;

    /// What does not belong in any sum.
    const NAN: Self;

    /// Returns the number nearest to a datum, ties to even.
    fn nearest(x: &Unpacked) -> Self;

    /// Returns the number nearest to another, ties to even.
    fn from_f64(x: f64) -> Self;
}

impl Real for f32 {
    const PRECISION: u32 = Self::MANTISSA_DIGITS;
    const NAN: Self = Self::NAN;

    #[expect(clippy::cast_possible_truncation, reason = "a binary32 code has 32 bits")]
    fn nearest(x: &Unpacked) -> Self {
        Self::from_bits(project(&F32, &Projection::default(), x).code as u32)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the nearest number is asked for")]
    fn from_f64(x: f64) -> Self {
        x as Self
    }
}

impl Real for f64 {
    const PRECISION: u32 = Self::MANTISSA_DIGITS;
    const NAN: Self = Self::NAN;

    fn nearest(x: &Unpacked) -> Self {
        x.to_f64()
    }

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
}

/// Elements that are counted in 32 bits before the counts are widened.
const COUNTED: usize = 1 << 16;

type Lane = [f64; LANES];

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
    /// lanes.add(Grid::new(-6, 3), &[1.03f32, 300.0, f32::INFINITY], &[1.0f32, 288.0, f32::INFINITY]);
    /// let sums = lanes.sums();
    /// assert_eq!((sums.summed, sums.largest[0]), (2, 12.0));
    /// ```
    #[expect(unsafe_code, reason = "calls of #[target_feature] functions after detection")]
    pub fn add<X: Real, R: Real>(&mut self, grid: Grid, inputs: &[X], results: &[R]) {
        assert_eq!(inputs.len(), results.len(), "one result an input");
        match instruction_set().unwrap_or(InstructionSet::Baseline) {
            // SAFETY: the instruction set in use was found on this machine.
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => unsafe { add_avx512(self, grid, inputs, results) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => unsafe { add_avx2(self, grid, inputs, results) },
            _ => self.add_portable(grid, inputs, results),
        }
    }

    #[inline(always)]
    fn add_portable<X: Real, R: Real>(&mut self, grid: Grid, inputs: &[X], results: &[R]) {
        self.count(inputs, results);
        let (input_groups, input_tail) = inputs.as_chunks::<LANES>();
        let (result_groups, result_tail) = results.as_chunks::<LANES>();
        // A copy, which the compiler keeps in registers.
        let mut lanes = self.clone();
        for (x, r) in input_groups.iter().zip(result_groups) {
            lanes.add_group(grid, x, r);
        }
        if !input_tail.is_empty() {
            let (mut x, mut r) = ([X::NAN; LANES], [R::NAN; LANES]);
            x[..input_tail.len()].copy_from_slice(input_tail);
            r[..input_tail.len()].copy_from_slice(result_tail);
            lanes.add_group(grid, &x, &r);
        }
        *self = lanes;
    }

    /// Counts in a loop of its own, which has twice the lanes where the numbers are binary32.
    #[inline(always)]
    #[expect(clippy::float_cmp, reason = "no error is equality")]
    fn count<X: Real, R: Real>(&mut self, inputs: &[X], results: &[R]) {
        for (inputs, results) in inputs.chunks(COUNTED).zip(results.chunks(COUNTED)) {
            let (mut summed, mut nonzero, mut exact) = (0u32, 0u32, 0u32);
            for (x, r) in inputs.iter().zip(results) {
                let (x, r): (f64, f64) = ((*x).into(), (*r).into());
                let belongs =
                    u32::from(x.abs() < f64::INFINITY) & u32::from(r.abs() < f64::INFINITY);
                summed += belongs;
                nonzero += belongs & u32::from(x != 0.0);
                exact += belongs & u32::from(x == r);
            }
            self.summed += u64::from(summed);
            self.nonzero += u64::from(nonzero);
            self.exact += u64::from(exact);
        }
    }

    #[inline(always)]
    fn add_group<X: Real, R: Real>(&mut self, grid: Grid, x: &[X; LANES], r: &[R; LANES]) {
        for i in 0..LANES {
            let e = ElementError::of(grid, x[i].into(), r[i].into());
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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_avx2<X: Real, R: Real>(lanes: &mut Lanes, grid: Grid, inputs: &[X], results: &[R]) {
    lanes.add_portable(grid, inputs, results);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn add_avx512<X: Real, R: Real>(lanes: &mut Lanes, grid: Grid, inputs: &[X], results: &[R]) {
    lanes.add_portable(grid, inputs, results);
}
