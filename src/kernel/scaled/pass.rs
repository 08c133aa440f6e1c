//! Numbers times factors, in one pass: each quotient is clipped, handed on, and what became of it is
//! counted.

use std::hint::black_box;

use super::super::{
    Counts, Real,
    codes::Word,
    direct::Direct,
    lane::{Float, Lane},
    slice::narrowed,
};
use super::limits::Clip;

/// What is made of quotients.
pub(super) trait Use: Copy {
    /// Whether quotients are rounded.
    const ROUNDS: bool;

    /// What is written.
    type Place;

    /// Writes what becomes of a magnitude under the sign of a code; returns its magnitude.
    fn put(self, magnitude: u32, signed: u32, place: &mut Self::Place) -> u32;
}

/// A [`Use`] that rounds.
pub(super) trait Rounds: Use {
    /// Counts the zeros and the subnormal numbers that quotients became.
    fn small(self, places: &[Self::Place]) -> [u64; 2];
}

/// Quotients are kept, for others to round.
#[derive(Clone, Copy)]
pub(super) struct Kept;

impl Use for Kept {
    const ROUNDS: bool = false;

    type Place = f32;

    #[inline(always)]
    fn put(self, magnitude: u32, signed: u32, place: &mut f32) -> u32 {
        *place = f32::from_code(magnitude | signed.sign());
        magnitude
    }
}

/// Quotients become codes.
#[derive(Clone, Copy)]
pub(super) struct Encoded(pub Direct);

impl Use for Encoded {
    const ROUNDS: bool = true;

    type Place = u8;

    #[inline(always)]
    fn put(self, magnitude: u32, signed: u32, code: &mut u8) -> u32 {
        let (encoded, rounded) = self.0.summed(magnitude, signed);
        *code = u8::from_code(encoded.into());
        rounded
    }
}

impl Rounds for Encoded {
    #[inline(always)]
    fn small(self, codes: &[u8]) -> [u64; 2] {
        self.0.small(codes)
    }
}

/// Quotients are rounded.
#[derive(Clone, Copy)]
pub(super) struct Rounded(pub Direct);

impl Use for Rounded {
    const ROUNDS: bool = true;

    type Place = f32;

    #[inline(always)]
    fn put(self, magnitude: u32, signed: u32, number: &mut f32) -> u32 {
        let (_, rounded) = self.0.summed(magnitude, signed);
        *number = f32::from_code(rounded | signed.sign());
        rounded
    }
}

impl Rounds for Rounded {
    #[inline(always)]
    fn small(self, numbers: &[f32]) -> [u64; 2] {
        self.0.small_numbers(numbers)
    }
}

/// What a pass must know.
#[derive(Clone, Copy)]
pub(super) struct Pass {
    clip: Clip,
    /// Bits of which it is noted how near they come to all zeros.
    below: u32,
    /// 1, as a number the compiler does not know: it then counts with one masked addition.
    one: u32,
}

/// What a pass saw.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// Results that differ from the quotient.
    inexact: u64,
    /// Quotients that overflow.
    overflow: u64,
    /// Quotients that are zero, if they were looked for.
    pub zeros: Option<u64>,
}

impl Seen {
    /// Returns the counts of results that differ and of quotients that overflow.
    pub(super) fn counts(&self) -> Counts {
        let Self { inexact, overflow, .. } = *self;
        Counts { inexact, overflow, ..Counts::default() }
    }
}

impl Pass {
    /// Returns a pass that clips quotients, and looks whether some have bits `below` that are nearly
    /// all alike.
    #[inline(always)]
    pub(super) fn new(clip: Clip, below: u32) -> Self {
        Self { clip, below, one: black_box(1) }
    }

    /// Multiplies each number by its factor and puts the clipped quotient to use; `None` if some
    /// quotient is not finite.
    #[inline(always)]
    pub(super) fn run<const COUNT: bool, R: Real, U: Use>(
        self,
        source: &[R],
        factors: &[f32],
        places: &mut [U::Place],
        to: U,
    ) -> Option<Seen> {
        let Self { clip, one, .. } = self;
        let (mut largest, mut inexact, mut overflow) = (0u32, 0u32, 0u32);
        for ((x, factor), place) in source.iter().zip(factors).zip(places) {
            let code = quotient(*x, *factor);
            let magnitude = code.magnitude();
            largest = largest.max_signed(magnitude);
            let result = to.put(magnitude.min(clip.largest), code, place);
            if COUNT {
                inexact = inexact.plus(u32::select(result != magnitude, one, 0));
                overflow = overflow.plus(u32::select(magnitude >= clip.overflow, one, 0));
            }
        }
        let seen = Seen { inexact: inexact.into(), overflow: overflow.into(), zeros: None };
        (largest < u32::INFINITY).then_some(seen)
    }

    /// As [`run`](Self::run), where products are within 3 ulps of quotients. Those that are near a
    /// number whose bits `below` are zero give way to the `exact` quotient, rounded to odd; `None` too
    /// if they are many.
    ///
    /// Scales of many digits make few quotients that are zero, overflow or are near such a number, so
    /// only chunks with some are looked at again.
    #[inline(always)]
    pub(super) fn run_near<R: Real, U: Use>(
        self,
        source: &[R],
        factors: &[f32],
        places: &mut [U::Place],
        to: U,
        exact: impl Fn(usize) -> f32,
    ) -> Option<Seen> {
        let Self { clip, below, one } = self;
        let (mut largest, mut nearest, mut clipped) = (0u32, u32::MAX, 0u32);
        for ((x, factor), place) in source.iter().zip(factors).zip(&mut *places) {
            let code = quotient(*x, *factor);
            let magnitude = code.magnitude();
            largest = largest.max_signed(magnitude);
            nearest = nearest.min(distance(magnitude, below));
            to.put(magnitude.min(clip.largest), code, place);
            if !U::ROUNDS {
                clipped = clipped.plus(u32::select(magnitude > clip.largest, one, 0));
            }
        }
        if largest >= u32::INFINITY {
            return None;
        }
        if nearest <= NEAR_BY || largest >= clip.overflow {
            return self.look_again(source, factors, places, to, exact);
        }
        // What is rounded is near every number of the format.
        let inexact = if U::ROUNDS { source.len() as u64 } else { clipped.into() };
        Some(Seen { inexact, overflow: 0, zeros: Some(0) })
    }

    /// Counts a chunk in which some quotients are near, zero or overflow, and mends those that are near.
    #[inline(always)]
    fn look_again<R: Real, U: Use>(
        self,
        source: &[R],
        factors: &[f32],
        places: &mut [U::Place],
        to: U,
        exact: impl Fn(usize) -> f32,
    ) -> Option<Seen> {
        let Self { clip, below, .. } = self;
        let distance = |magnitude: u32| distance(magnitude.max(TINY), below);
        let least_inexact = if U::ROUNDS { 1 } else { clip.largest + 1 };
        let (mut seen, mut nonzero, mut left) = (Seen::default(), 0, MOST_NEAR);
        let some = source.chunks(AT_ONCE).zip(factors.chunks(AT_ONCE));
        for (start, (source, factors)) in (0..).step_by(AT_ONCE).zip(some) {
            let mut magnitudes = [0; AT_ONCE];
            let magnitudes = &mut magnitudes[..source.len()];
            let (mut nearest, mut exact_results) = (u32::MAX, 0);
            for ((x, factor), magnitude) in source.iter().zip(factors).zip(&mut *magnitudes) {
                *magnitude = quotient(*x, *factor).magnitude();
                nearest = nearest.min(distance(*magnitude));
            }
            if nearest <= NEAR_BY {
                for (i, magnitude) in (start..).zip(&mut *magnitudes) {
                    if distance(*magnitude) <= NEAR_BY {
                        left = left.checked_sub(1)?;
                        let code = exact(i).code();
                        *magnitude = code.magnitude();
                        let clipped = (*magnitude).min(clip.largest);
                        let result = to.put(clipped, code, &mut places[i]);
                        exact_results += u64::from(U::ROUNDS && result == *magnitude);
                    }
                }
            }
            seen.inexact += count_from(least_inexact, magnitudes) - exact_results;
            seen.overflow += count_from(clip.overflow, magnitudes);
            nonzero += count_from(1, magnitudes);
        }
        Some(Seen { zeros: Some(places.len() as u64 - nonzero), ..seen })
    }
}

/// Numbers of which it is found at once whether some are near.
const AT_ONCE: usize = 64;
/// Quotients that are taken for themselves in a chunk, at most.
const MOST_NEAR: u32 = 16;
/// What zero and all less is taken for: they become zero, however far they are from it.
const TINY: u32 = 1 << 17;
/// The [`distance`] of a number that is 3 ulps larger.
const NEAR_BY: u32 = 6;

/// Returns how many ulps a magnitude is above a number whose bits `below` are zero, plus 3.
#[inline(always)]
fn distance(magnitude: u32, below: u32) -> u32 {
    magnitude.plus(3) & below
}

/// Returns how many magnitudes are not less than one.
#[inline(always)]
fn count_from(least: u32, magnitudes: &[u32]) -> u64 {
    magnitudes.iter().map(|magnitude| u32::from(*magnitude >= least)).sum::<u32>().into()
}

/// Returns the code of a number times a factor.
#[inline(always)]
fn quotient<R: Real>(x: R, factor: f32) -> u32 {
    (narrowed(x.into()) * factor).code()
}
