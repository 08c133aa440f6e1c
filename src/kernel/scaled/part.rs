//! Scales, each of a run of elements, become what belongs to every element of a chunk.

use std::{hint::black_box, ops::Range};

use super::super::{
    Counts, Real,
    lane::{Float, Lane},
};
use super::Scales;

/// The scales of a chunk.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Part<'a> {
    /// The scale of each run.
    pub(super) values: &'a [f64],
    /// Elements of a run.
    size: usize,
    /// Elements of the first run.
    first: usize,
}

impl<'a> Part<'a> {
    /// Returns the scales of some elements.
    pub(super) fn of(scales: Scales<'a>, elements: &Range<usize>) -> Self {
        let Scales { values, size } = scales;
        let runs = elements.start / size..elements.end.div_ceil(size);
        Self { values: &values[runs], size, first: size - elements.start % size }
    }

    /// Returns the scale of an element.
    pub(super) fn at(self, element: usize) -> f64 {
        self.values[(element + self.size - self.first) / self.size]
    }

    /// Writes the value of each element, given that of each scale. The usual sizes of blocks are known
    /// to the compiler.
    #[inline(always)]
    pub(super) fn spread<T: Copy>(self, values: &[T], places: &mut [T]) {
        match self.size {
            1 => places.copy_from_slice(values),
            16 if self.first == 16 => spread_known::<T, 16>(values, places),
            32 if self.first == 32 => spread_known::<T, 32>(values, places),
            _ => {
                let (mut rest, mut length) = (places, self.first);
                for value in values {
                    let (run, after) = rest.split_at_mut(length.min(rest.len()));
                    run.fill(*value);
                    (rest, length) = (after, self.size);
                }
            }
        }
    }

    /// Sets the quotients by scales of zero and NaN, which the lanes do not divide by: zeros.
    /// Returns the counts that the lanes do not see then.
    #[inline(always)]
    pub(super) fn set_zeros<R: Real, F: Float>(self, source: &[R], quotients: &mut [F]) -> Counts {
        let mut counts = Counts::default();
        let mut start = 0;
        for (i, value) in self.values.iter().enumerate() {
            let end = (self.first + i * self.size).min(source.len());
            let run = start..end;
            start = end;
            if !is_special(*value) {
                continue;
            }
            for (x, quotient) in source[run.clone()].iter().zip(&mut quotients[run]) {
                let x: f64 = (*x).into();
                let is_finite = u64::from(x.is_finite());
                if value.is_nan() {
                    counts.inexact += is_finite;
                    counts.lost += is_finite;
                    counts.nan_in += u64::from(x.is_nan());
                    counts.inf_in += u64::from(x.is_infinite());
                    *quotient = F::from_code(F::Word::ZERO);
                } else if x.is_finite() {
                    counts.inexact += u64::from(x != 0.0);
                    counts.flushed += u64::from(x != 0.0);
                    *quotient = F::from_code(quotient.code().sign());
                }
            }
        }
        counts
    }
}

#[inline(always)]
fn spread_known<T: Copy, const SIZE: usize>(values: &[T], places: &mut [T]) {
    const AT_ONCE: usize = 4;
    let (groups, _) = values.as_chunks::<AT_ONCE>();
    let mut places = places.chunks_exact_mut(AT_ONCE * SIZE);
    let mut done = 0;
    for (values, group) in groups.iter().zip(&mut places) {
        // Opaque, or else the compiler takes many runs at a time and scatters.
        for (run, value) in group.as_chunks_mut::<SIZE>().0.iter_mut().zip(black_box(values)) {
            *run = [*value; SIZE];
        }
        done += AT_ONCE;
    }
    for (run, value) in places.into_remainder().chunks_mut(SIZE).zip(&values[done..]) {
        run.fill(*value);
    }
}

/// Whether what is divided by a scale is zero whatever it is.
#[inline(always)]
pub(super) fn is_special(scale: f64) -> bool {
    scale.is_nan() || scale.to_bits() == 0
}

/// Returns what the lanes divide by.
#[inline(always)]
pub(super) fn divisor(scale: f64) -> f64 {
    if is_special(scale) { 1.0 } else { scale }
}

/// Returns what the lanes multiply by instead.
#[inline(always)]
pub(super) fn reciprocal(scale: f64) -> f64 {
    divisor(scale).recip()
}
