//! Blocks under powers of two in one loop: each block's largest magnitude, the power that follows from
//! it, and what becomes of its quotients.
//!
//! The loop is for finite blocks under scales of at most 1, whose quotients are exact.

use std::{hint::black_box, marker::PhantomData};

use super::super::{
    Counts, InstructionSet, Plan, Real,
    direct::{Direct, flushed},
    lane::{Float, Lane},
    slice::narrowed,
};
use super::{
    Power,
    blocks::BLOCK,
    limits::Clip,
    pass::{Encoded, Rounded, Use},
};
use crate::format::catalogue::E8M0;

/// Elements that lanes count apart: as many as the widest registers hold.
const LANES: usize = 16;

/// What becomes of quotients.
trait Become: Copy {
    /// What is written.
    type Place;
    /// Whether that hides which results are small.
    const HIDES: bool;

    /// Writes what becomes of a magnitude under the sign of a code and a scale; returns the magnitude
    /// before it is scaled.
    fn put(self, magnitude: u32, signed: u32, scale: f32, place: &mut Self::Place) -> u32;
}

impl Become for Encoded {
    type Place = u8;

    const HIDES: bool = false;

    #[inline(always)]
    fn put(self, magnitude: u32, signed: u32, _: f32, code: &mut u8) -> u32 {
        Use::put(self, magnitude, signed, code)
    }
}

/// Rounded quotients are multiplied by their scales.
#[derive(Clone, Copy)]
struct Multiplied<R>(Direct, PhantomData<R>);

impl<R: Real> Become for Multiplied<R> {
    type Place = R;

    const HIDES: bool = true;

    #[inline(always)]
    fn put(self, magnitude: u32, signed: u32, scale: f32, number: &mut R) -> u32 {
        let mut rounded = 0.0;
        let result = Rounded(self.0).put(magnitude, signed, &mut rounded);
        *number = R::from_f64((rounded * scale).into());
        result
    }
}

/// What the pass must know.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Blocks {
    direct: Direct,
    clip: Clip,
    /// How far a power is below its magnitude's own.
    below: i32,
    /// The trailing bits above which it is the next, as binary32 has them.
    trailing: u32,
    counts: bool,
    /// Never one that this machine lacks: the doors rely on it.
    instruction_set: InstructionSet,
}

/// What lanes count.
#[derive(Clone, Copy, Default)]
struct Tally {
    inexact: [u32; LANES],
    overflow: [u32; LANES],
    small: [u32; LANES],
    zeros: [u32; LANES],
}

impl Blocks {
    /// Returns the loop of a rounding, if there is one.
    pub(super) fn new(plan: &Plan, power: Power) -> Option<Self> {
        let (direct, clip) = (plan.direct?, plan.limits.clip?);
        // A subnormal magnitude has the least power.
        let is_ordinary = direct.is_ordinary() && plan.limits.narrow > 0 && power.below > 0;
        let (counts, instruction_set) = (plan.counts(), plan.instruction_set());
        let trailing = power.trailing >> (f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS);
        let (below, trailing) = (power.below, u32::try_from(trailing).ok()?);
        let blocks = Self { direct, clip, below, trailing, counts, instruction_set };
        is_ordinary.then_some(blocks)
    }

    pub(in super::super) const fn instruction_set(&self) -> InstructionSet {
        self.instruction_set
    }

    /// Encodes a chunk; `None` if it is not for the pass, and what is written is undefined then.
    #[inline(always)]
    pub(in super::super) fn encode<R: Real>(
        self,
        source: &[R],
        powers: &mut [u32],
        codes: &mut [u8],
    ) -> Option<Counts> {
        let to = Encoded(self.direct);
        if !self.counts {
            return self.run::<false, _, _>(source, powers, codes, to);
        }
        let counts = self.run::<true, _, _>(source, powers, codes, to)?;
        let [zeros, subnormal] = self.direct.small(codes);
        Some(Counts { flushed: flushed(zeros, source), subnormal, ..counts })
    }

    /// Rounds a chunk; `None` if it is not for the pass, and what is written is undefined then.
    #[inline(always)]
    pub(in super::super) fn quantize<R: Real>(
        self,
        source: &[R],
        powers: &mut [u32],
        rounded: &mut [R],
    ) -> Option<Counts> {
        let to = Multiplied(self.direct, PhantomData);
        if self.counts {
            self.run::<true, _, _>(source, powers, rounded, to)
        } else {
            self.run::<false, _, _>(source, powers, rounded, to)
        }
    }

    #[inline(always)]
    fn run<const COUNT: bool, R: Real, B: Become>(
        self,
        source: &[R],
        powers: &mut [u32],
        places: &mut [B::Place],
        to: B,
    ) -> Option<Counts> {
        let (sources, short) = source.as_chunks::<BLOCK>();
        if R::PRECISION != f32::MANTISSA_DIGITS || !short.is_empty() {
            return None;
        }
        // Apart, or else the compiler does not keep them in registers.
        let Tally { mut inexact, mut overflow, mut small, mut zeros } = Tally::default();
        let (one, mut largest) = (black_box(1), 0);
        let blocks = sources.iter().zip(places.as_chunks_mut::<BLOCK>().0);
        for ((source, places), power) in blocks.zip(powers) {
            let top = source
                .iter()
                .fold(0, |top: u32, x| top.max_signed(narrowed((*x).into()).code().magnitude()));
            largest = largest.max_signed(top);
            *power = self.power(top);
            let (scale, reciprocal) = (scale(*power), reciprocal(*power));
            let lanes = source.as_chunks::<LANES>().0.iter();
            for (source, places) in lanes.zip(places.as_chunks_mut::<LANES>().0) {
                for i in 0..LANES {
                    let code = (narrowed(source[i].into()) * reciprocal).code();
                    let magnitude = code.magnitude();
                    let clipped = magnitude.min(self.clip.largest);
                    let result = to.put(clipped, code, scale, &mut places[i]);
                    if COUNT {
                        let one_if = |condition| u32::select(condition, one, 0);
                        inexact[i] = inexact[i].plus(one_if(result != magnitude));
                        overflow[i] = overflow[i].plus(one_if(magnitude >= self.clip.overflow));
                        if B::HIDES {
                            small[i] = small[i].plus(one_if(result < self.direct.least_normal()));
                            zeros[i] = zeros[i].plus(one_if(result == 0));
                        }
                    }
                }
            }
        }
        if largest >= u32::INFINITY || self.power(largest) > ONE {
            return None;
        }
        Some(Tally { inexact, overflow, small, zeros }.counts(source))
    }

    /// Returns the code of the power of two for a largest magnitude, which is finite.
    #[inline(always)]
    fn power(&self, largest: u32) -> u32 {
        let is_above = largest & (u32::HIDDEN - 1) > self.trailing;
        let power = (largest >> u32::TRAILING).cast_signed() - self.below;
        (power + i32::from(is_above)).max(0).cast_unsigned()
    }
}

/// The code of the scale 1.
const ONE: u32 = E8M0.bias().cast_unsigned();

/// Returns the number of a code that is at most [`ONE`].
#[inline(always)]
fn scale(power: u32) -> f32 {
    f32::from_code(if power == 0 { u32::HIDDEN >> 1 } else { power << u32::TRAILING })
}

/// Returns what division by the number of a code multiplies by.
#[inline(always)]
fn reciprocal(power: u32) -> f32 {
    f32::from_code((2 * ONE).wrapping_sub(power) << u32::TRAILING)
}

impl Tally {
    #[inline(always)]
    fn counts<R: Real>(&self, source: &[R]) -> Counts {
        let total = |lanes: &[u32; LANES]| lanes.iter().map(|count| u64::from(*count)).sum::<u64>();
        let (zeros, small) = (total(&self.zeros), total(&self.small));
        Counts {
            elements: source.len() as u64,
            inexact: total(&self.inexact),
            overflow: total(&self.overflow),
            flushed: flushed(zeros, source),
            subnormal: small - zeros,
            ..Counts::default()
        }
    }
}
