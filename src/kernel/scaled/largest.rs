//! Runs of numbers become their largest magnitudes.

use super::super::{
    Real, doors,
    lane::{Float, Lane},
    slice::narrowed,
};

/// Raises each of `largest` to the largest magnitude of its run of `size` elements, NaN being the
/// largest of all.
///
/// # Panics
///
/// If there is not one place for each run.
pub fn largest_magnitudes<R: Real>(source: &[R], size: usize, largest: &mut [f64]) {
    largest_by(source, size, largest, false);
}

/// As [`largest_magnitudes`], passing over NaNs and infinities.
///
/// # Panics
///
/// If there is not one place for each run.
pub fn largest_finite_magnitudes<R: Real>(source: &[R], size: usize, largest: &mut [f64]) {
    largest_by(source, size, largest, true);
}

/// Returns the largest finite magnitude, 0 if there is none.
///
/// ```
/// use fpx::kernel::largest_finite;
/// assert_eq!(largest_finite(&[1.5f32, -2.0, f32::INFINITY, f32::NAN]), 2.0);
/// ```
pub fn largest_finite<R: Real>(numbers: &[R]) -> f64 {
    let mut largest = [0.0];
    if !numbers.is_empty() {
        largest_finite_magnitudes(numbers, numbers.len(), &mut largest);
    }
    largest[0]
}

fn largest_by<R: Real>(source: &[R], size: usize, largest: &mut [f64], finite: bool) {
    assert_eq!(source.len().div_ceil(size), largest.len(), "one place a run");
    if !source.is_empty() {
        doors::raise(source, size, largest, finite);
    }
}

/// Raises the largest magnitudes, of all numbers or of the finite ones.
#[inline(always)]
pub(in super::super) fn raise<R: Real>(
    source: &[R],
    size: usize,
    largest: &mut [f64],
    finite: bool,
) {
    if R::PRECISION == f32::MANTISSA_DIGITS {
        raise_in(source, size, largest, finite, |x: R| narrowed(x.into()).code());
    } else {
        raise_in(source, size, largest, finite, |x: R| x.into().code());
    }
}

#[inline(always)]
fn raise_in<R: Real, W: Lane>(
    source: &[R],
    size: usize,
    largest: &mut [f64],
    finite: bool,
    code: impl Fn(R) -> W + Copy,
) where
    f64: From<W::Float>,
{
    // Magnitudes are ordered as their codes are, NaNs above infinity.
    let magnitude = |x: R| code(x).magnitude();
    let finite_magnitude = |x: R| W::select(magnitude(x) < W::INFINITY, magnitude(x), W::ZERO);
    if !finite {
        raise_by(source, size, largest, magnitude);
    } else if source.len() > size {
        raise_by(source, size, largest, finite_magnitude);
    } else {
        // Most slices are finite, and need no select.
        let mut whole = [0.0];
        raise_by(source, size, &mut whole, magnitude);
        if whole[0].is_finite() {
            largest[0] = largest[0].max(whole[0]);
        } else {
            raise_by(source, size, largest, finite_magnitude);
        }
    }
}

/// Numbers that are folded at a time where runs are short.
const CHUNK: usize = 1024;

#[inline(always)]
fn raise_by<R: Copy, W: Lane>(
    source: &[R],
    size: usize,
    largest: &mut [f64],
    magnitude: impl Fn(R) -> W + Copy,
) where
    f64: From<W::Float>,
{
    let raise = |largest: &mut f64, magnitude: W| {
        let magnitude = f64::from(W::Float::from_code(magnitude));
        *largest = f64::from_bits(largest.to_bits().max(magnitude.to_bits()));
    };
    if size == 1 {
        source.iter().zip(largest).for_each(|(x, largest)| raise(largest, magnitude(*x)));
        return;
    }
    let mut rest = (source, largest);
    if size == 16 || size == 32 {
        // Neighbours of all runs at once, again and again: a run alone is too short for a register.
        let (mut even, mut odd) = ([W::ZERO; CHUNK / 2], [W::ZERO; CHUNK / 4]);
        let (chunks, _) = rest.0.as_chunks::<CHUNK>();
        for chunk in chunks {
            fold_pairs(chunk, magnitude, &mut even);
            fold_pairs(&even, |x| x, &mut odd);
            fold_pairs(&odd, |x| x, &mut even[..CHUNK / 8]);
            fold_pairs(&even[..CHUNK / 8], |x| x, &mut odd[..CHUNK / 16]);
            let mut folded = &odd[..CHUNK / 16];
            if size == 32 {
                fold_pairs(folded, |x| x, &mut even[..CHUNK / 32]);
                folded = &even[..CHUNK / 32];
            }
            let (places, after) = rest.1.split_at_mut(CHUNK / size);
            for (largest, folded) in places.iter_mut().zip(folded) {
                raise(largest, *folded);
            }
            rest = (&rest.0[CHUNK..], after);
        }
    }
    for (run, largest) in rest.0.chunks(size).zip(rest.1) {
        let folded = run.iter().fold(W::ZERO, |largest, x| largest.max_signed(magnitude(*x)));
        raise(largest, folded);
    }
}

/// Writes the larger of each two neighbours.
#[inline(always)]
fn fold_pairs<R: Copy, W: Lane>(pairs: &[R], magnitude: impl Fn(R) -> W, larger: &mut [W]) {
    for (pair, larger) in pairs.as_chunks::<2>().0.iter().zip(larger) {
        *larger = magnitude(pair[0]).max_signed(magnitude(pair[1]));
    }
}
