//! Blocks under powers of two, in one pass over memory: each block's largest magnitude, the power
//! that follows from it, and the codes or the rounded numbers.
//!
//! The pass is for finite blocks under scales of at most 1, whose quotients are exact. A chunk with
//! others goes step by step.

use std::{hint::black_box, marker::PhantomData};

use super::super::{
    Codes, Counts, Dither, InstructionSet, Plan, Real,
    direct::{Direct, flushed},
    doors,
    lane::{Float, Lane},
    slice::narrowed,
};
use super::{
    Power, Scales, decode_powers, encode_powers, encode_scaled, largest_magnitudes,
    limits::Clip,
    pass::{Encoded, Rounded, Use},
    quantize_scaled,
    room::CHUNK,
};

/// Elements of a block.
pub const BLOCK: usize = 32;
/// Elements that lanes count apart: as many as the widest registers hold.
const LANES: usize = 16;

/// Writes the code of each block's power of two, and the codes of its elements over that; `None` if
/// the rounding has no such pass. The last block may be short.
///
/// # Panics
///
/// If there is not one power a block and one code a number.
pub fn encode_blocks<R: Real>(
    plan: &Plan,
    power: Power,
    source: &[R],
    powers: &mut [u32],
    codes: &mut [u8],
    dither: Dither,
) -> Option<Counts> {
    assert_eq!(source.len().div_ceil(BLOCK), powers.len(), "one power a block");
    super::super::check(plan, source.len(), codes.len(), u8::BITS);
    let mut counts = Counts::default();
    let blocks = Blocks::new(plan, power)?;
    let chunks = source.chunks(CHUNK).zip(powers.chunks_mut(CHUNK / BLOCK));
    for ((source, powers), (codes, first)) in
        chunks.zip(codes.chunks_mut(CHUNK).zip((0..).step_by(CHUNK)))
    {
        let seen = doors::encode_blocks(blocks, source, powers, codes);
        counts += seen.unwrap_or_else(|| {
            let mut values = [0.0; CHUNK / BLOCK];
            let scales = find(power, source, powers, &mut values);
            encode_scaled(plan, source, scales, Codes::U8(codes), dither.after(first))
        });
    }
    Some(plan.counted(counts))
}

/// Rounds each number to a multiple of its block's power of two; `None` if the rounding has no such
/// pass. The last block may be short.
///
/// # Panics
///
/// If there is not one result a number.
pub fn quantize_blocks<R: Real>(
    plan: &Plan,
    power: Power,
    source: &[R],
    powers: &mut [u32],
    rounded: &mut [R],
    dither: Dither,
) -> Option<Counts> {
    assert_eq!(source.len().div_ceil(BLOCK), powers.len(), "one power a block");
    assert_eq!(source.len(), rounded.len(), "one result a number");
    let mut counts = Counts::default();
    let blocks = Blocks::new(plan, power)?;
    let chunks = source.chunks(CHUNK).zip(powers.chunks_mut(CHUNK / BLOCK));
    for ((source, powers), (rounded, first)) in
        chunks.zip(rounded.chunks_mut(CHUNK).zip((0..).step_by(CHUNK)))
    {
        let seen = doors::quantize_blocks(blocks, source, powers, rounded);
        counts += seen.unwrap_or_else(|| {
            let mut values = [0.0; CHUNK / BLOCK];
            let scales = find(power, source, powers, &mut values);
            quantize_scaled(plan, source, scales, rounded, dither.after(first))
        });
    }
    Some(plan.counted(counts))
}

/// Finds the powers of a chunk, step by step.
fn find<'a, R: Real>(
    power: Power,
    source: &[R],
    powers: &mut [u32],
    values: &'a mut [f64; CHUNK / BLOCK],
) -> Scales<'a> {
    let mut largest = [0.0; CHUNK / BLOCK];
    let (largest, values) = (&mut largest[..powers.len()], &mut values[..powers.len()]);
    largest_magnitudes(source, BLOCK, largest);
    encode_powers(power, largest, powers);
    decode_powers(powers, values);
    Scales { values, size: BLOCK }
}

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
    fn new(plan: &Plan, power: Power) -> Option<Self> {
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
const ONE: u32 = 127;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::{Overflow, Projection},
        format,
        random::Stream,
    };

    /// The numbers of a chunk: of the binades from an exponent on, some zero, some negative.
    fn numbers(exponent: u32) -> Vec<f32> {
        let random = |i| Stream::new(exponent.into(), 7).bits(i);
        let number = |i| {
            let trailing_and_sign = random(2 * i) & 0x807f_ffff;
            let field = exponent + random(2 * i + 1) % 7;
            f32::from_bits(trailing_and_sign | field << 23)
        };
        (0..CHUNK as u64).map(|i| if i % 50 == 0 { 0.0 } else { number(i) }).collect()
    }

    /// Compares a chunk with what the codec makes of it under the same powers; returns whether the
    /// pass was for it.
    fn check(name: &str, power: Power, source: &[f32]) -> bool {
        let format = format::parse(name).unwrap().format;
        let projection = Projection { overflow: Overflow::Saturate, ..Projection::default() };
        let plan = Plan::new(&format, &projection);
        let mut powers = vec![0; source.len().div_ceil(BLOCK)];
        let mut values = [0.0; CHUNK / BLOCK];
        let scales = find(power, source, &mut powers, &mut values);
        let (mut codes, mut multiples) = (vec![0u8; source.len()], vec![0f32; source.len()]);
        let part = super::super::Part::of(scales, &(0..source.len()));
        let dither = Dither::default();
        let counts = plan.target().encode_scaled(source, part, &mut codes, dither);
        plan.target().decode_scaled(&codes, part, &mut multiples);
        let mut is_for_the_pass = true;
        for set in InstructionSet::found() {
            let plan = plan.on(set).unwrap();
            let blocks = Blocks::new(&plan, power).unwrap();
            let (mut found, mut bytes) = (powers.clone(), codes.clone());
            found.fill(0);
            bytes.fill(0);
            let seen = doors::encode_blocks(blocks, source, &mut found, &mut bytes);
            is_for_the_pass &= seen.is_some();
            let seen = encode_blocks(&plan, power, source, &mut found, &mut bytes, dither);
            assert_eq!((seen, &found, &bytes), (Some(counts), &powers, &codes), "{name} {set:?}");
            let plan_without = plan.without_counts();
            bytes.fill(0);
            encode_blocks(&plan_without, power, source, &mut found, &mut bytes, dither);
            assert_eq!(bytes, codes, "{name} {set:?} without counts");
            for (plan, expected) in [(plan, Some(counts)), (plan_without, None)] {
                let mut rounded = vec![0f32; source.len()];
                let seen = quantize_blocks(&plan, power, source, &mut found, &mut rounded, dither);
                let same = rounded.iter().zip(&multiples).all(|(x, y)| x.to_bits() == y.to_bits());
                assert!(same, "{name} {set:?}");
                assert!(expected.is_none_or(|_| seen == expected), "{name} {set:?}: {seen:?}");
            }
        }
        is_for_the_pass
    }

    #[test]
    fn chunks_are_the_codecs_and_ordinary_ones_take_one_pass() {
        for (name, below) in [("e4m3fn", 8), ("e5m2", 15), ("e2m1fn", 2), ("e3m2fn", 4)] {
            for trailing in [u64::MAX >> 12, 0, 3 << 50] {
                let power = Power { below, trailing };
                for exponent in [0, 1, 5, 60, 120, 126, 200, 246] {
                    let source = numbers(exponent);
                    let is_small = exponent + 6 < 127 + u32::try_from(below).unwrap();
                    assert!(check(name, power, &source) || !is_small, "{name} from {exponent}");
                    check(name, power, &source[..777]);
                }
                let mut source = numbers(120);
                source[100] = f32::NAN;
                assert!(!check(name, power, &source));
                source[100] = f32::INFINITY;
                assert!(!check(name, power, &source));
            }
        }
    }
}
