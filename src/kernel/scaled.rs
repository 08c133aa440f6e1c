//! Slices of numbers that share scales become codes of their quotients, and back: every run of
//! `size` elements has one scale.
//!
//! A code is the projection of `x / scale`, rounded once from the exact quotient; a number is
//! `code × scale`, rounded once. The scales are binary64 numbers, which hold every
//! E8M0 scale, every binary32 scale and every product of an E4M3 and a binary32 scale exactly.
//!
//! A NaN scale makes all of its numbers NaN; their codes are 0. Under a scale of 0 every finite
//! number becomes a zero of its sign.

use super::{
    Codes, CodesRef, Counts, Dither, Plan, Real,
    codes::{Word, with_slice},
    scalar::Target,
};
use crate::codec::{Kind, Unpacked, decode, project_over};

/// The scales of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales<'a> {
    /// `values[i]` belongs to the elements from `i · size` on.
    pub values: &'a [f64],
    /// Elements a scale; the last scale may have fewer.
    pub size: usize,
}

impl Scales<'_> {
    /// Panics unless there is a scale for each element and none more.
    fn check(&self, elements: usize) {
        assert_eq!(elements.div_ceil(self.size), self.values.len(), "one scale a run");
    }

    /// Returns the scale of an element.
    fn at(&self, element: usize) -> Unpacked {
        Unpacked::from_f64(self.values[element / self.size])
    }
}

/// Raises each of `largest` to the largest magnitude of its run of `size` elements, NaN being the
/// largest of all.
///
/// # Panics
///
/// If there is not one place for each run.
pub fn largest_magnitudes<R: Real>(source: &[R], size: usize, largest: &mut [f64]) {
    largest_by(source, size, largest, |magnitude| magnitude);
}

/// As [`largest_magnitudes`], passing over NaNs and infinities.
///
/// # Panics
///
/// If there is not one place for each run.
pub fn largest_finite_magnitudes<R: Real>(source: &[R], size: usize, largest: &mut [f64]) {
    largest_by(source, size, largest, |magnitude| {
        if magnitude < f64::INFINITY.to_bits() { magnitude } else { 0 }
    });
}

fn largest_by<R: Real>(source: &[R], size: usize, largest: &mut [f64], keep: impl Fn(u64) -> u64) {
    assert_eq!(source.len().div_ceil(size), largest.len(), "one place a run");
    for (run, largest) in source.chunks(size).zip(largest) {
        // Magnitudes are ordered as their codes are, NaNs above infinity.
        let magnitudes = run.iter().map(|&x| keep(x.into().abs().to_bits()));
        *largest = f64::from_bits(magnitudes.fold(largest.to_bits(), u64::max));
    }
}

/// Projects each number over its scale.
///
/// # Panics
///
/// If the slices do not fit one another, or the plan's codes do not fit the integers.
pub fn encode_scaled<R: Real>(
    plan: &Plan,
    source: &[R],
    scales: Scales<'_>,
    codes: Codes<'_>,
    dither: Dither,
) -> Counts {
    scales.check(source.len());
    super::check(plan, source.len(), codes.len(), codes.width());
    with_slice!(codes, Codes, codes => {
        let (target, mut counts) = (plan.target(), Counts::default());
        for (i, (x, code)) in source.iter().zip(codes).enumerate() {
            let random = dither.bits(dither.first + i as u64);
            *code = Word::from_code(target.divide((*x).into(), &scales.at(i), random, &mut counts));
        }
        counts
    })
}

/// Decodes each code and multiplies it by its scale, rounding once, to nearest even.
///
/// # Panics
///
/// If the slices do not fit one another, or the plan's codes do not fit the integers.
pub fn decode_scaled<R: Real>(
    plan: &Plan,
    codes: CodesRef<'_>,
    scales: Scales<'_>,
    numbers: &mut [R],
) {
    scales.check(numbers.len());
    super::check(plan, numbers.len(), codes.len(), codes.width());
    with_slice!(codes, CodesRef, codes => {
        let target = plan.target();
        for (i, (code, x)) in codes.iter().zip(numbers).enumerate() {
            *x = target.multiply(code.code(), &scales.at(i));
        }
    });
}

/// Rounds each number to a multiple of its scale: [`encode_scaled`] followed by [`decode_scaled`].
///
/// # Panics
///
/// If the slices do not fit one another.
pub fn quantize_scaled<R: Real>(
    plan: &Plan,
    source: &[R],
    scales: Scales<'_>,
    rounded: &mut [R],
    dither: Dither,
) -> Counts {
    scales.check(source.len());
    assert_eq!(source.len(), rounded.len(), "one result an element");
    let (target, mut counts) = (plan.target(), Counts::default());
    for (i, (x, rounded)) in source.iter().zip(rounded).enumerate() {
        let (scale, random) = (scales.at(i), dither.bits(dither.first + i as u64));
        *rounded = target.multiply(target.divide((*x).into(), &scale, random, &mut counts), &scale);
    }
    counts
}

impl Target {
    /// Projects a number over its scale.
    #[expect(clippy::cast_possible_truncation, reason = "the format has at most 64 bits")]
    fn divide(&self, x: f64, scale: &Unpacked, random: u32, counts: &mut Counts) -> u64 {
        let x = Unpacked::from_f64(x);
        let projection = self.projection.with_random(random);
        let projected = project_over(&self.format, &projection, &x, scale);
        let mut seen = Counts::of(&self.format, &x, projected);
        if scale.kind == Kind::Nan {
            let finite = u64::from(x.is_finite());
            (seen.inexact, seen.lost) = (finite, finite);
            (seen.flushed, seen.subnormal) = (0, 0);
        }
        *counts += seen;
        projected.code as u64
    }

    /// Multiplies what a code stands for by its scale.
    fn multiply<R: Real>(&self, code: u64, scale: &Unpacked) -> R {
        match scale.kind {
            Kind::Nan => R::NAN,
            Kind::Zero | Kind::Finite | Kind::Infinity => {
                R::nearest(&decode(&self.format, code.into()).times(scale))
            }
        }
    }
}
