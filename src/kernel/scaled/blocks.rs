//! Blocks under powers of two become codes or rounded numbers, in one pass over memory where they are
//! ordinary and step by step where they are not.

use super::super::{Codes, Counts, Dither, Plan, Real, check, doors};
use super::{
    Power, Scales, decode_powers, encode_powers, encode_scaled, largest_magnitudes, once::Blocks,
    quantize_scaled, room::CHUNK,
};

/// Elements of a block.
pub const BLOCK: usize = 32;

/// Writes the code of each block's power of two in E8M0, and the codes of its elements over that (OCP
/// MX 1.0 §6.3). The last block may be short.
///
/// A block with a NaN or an infinity has the power NaN and elements of code 0; one of zeros has the
/// least power. `None`, and nothing is written, if the rounding has no such pass: it has to be to
/// nearest even and to saturate, in a format with zeros of both signs.
///
/// # Panics
///
/// If there is not one power a block and one code a number, or the format is wider than 8 bits.
///
/// ```
/// use fpx::{
///     codec::{Overflow, Projection},
///     format::catalogue::E2M1FN,
///     kernel::{Plan, Power, encode_blocks},
/// };
/// let saturating = Projection { overflow: Overflow::Saturate, ..Projection::default() };
/// let plan = Plan::new(&E2M1FN, &saturating);
/// // The power of a magnitude's own binade, over that of the largest element, 6.
/// let power = Power { below: 2, trailing: u64::MAX >> 12 };
/// let (mut powers, mut codes) = ([0], [0; 4]);
/// let source = [1.0f32, 0.3, -6.0, 0.0];
/// let counts = encode_blocks(&plan, power, &source, &mut powers, &mut codes);
/// assert_eq!((powers, codes, counts.unwrap().inexact), ([127], [2, 1, 15, 0], 1));
/// ```
pub fn encode_blocks<R: Real>(
    plan: &Plan,
    power: Power,
    source: &[R],
    powers: &mut [u32],
    codes: &mut [u8],
) -> Option<Counts> {
    check(plan, source.len(), codes.len(), u8::BITS);
    let by_step = |source: &[R], scales: Scales<'_>, codes: &mut [u8]| {
        encode_scaled(plan, source, scales, Codes::U8(codes), Dither::default())
    };
    by_chunk(plan, power, source, powers, codes, doors::encode_blocks, by_step)
}

/// Rounds each number to a multiple of its block's power of two, as [`encode_blocks`] would store it;
/// writes the powers too. A block with a NaN or an infinity becomes NaN.
///
/// # Panics
///
/// If there is not one power a block and one result a number.
pub fn quantize_blocks<R: Real>(
    plan: &Plan,
    power: Power,
    source: &[R],
    powers: &mut [u32],
    rounded: &mut [R],
) -> Option<Counts> {
    assert_eq!(source.len(), rounded.len(), "one result a number");
    let by_step = |source: &[R], scales: Scales<'_>, rounded: &mut [R]| {
        quantize_scaled(plan, source, scales, rounded, Dither::default())
    };
    by_chunk(plan, power, source, powers, rounded, doors::quantize_blocks, by_step)
}

/// Does a job a chunk at a time, at once where that can be done and by step where not.
fn by_chunk<R: Real, P>(
    plan: &Plan,
    power: Power,
    source: &[R],
    powers: &mut [u32],
    places: &mut [P],
    at_once: impl Fn(Blocks, &[R], &mut [u32], &mut [P]) -> Option<Counts>,
    by_step: impl Fn(&[R], Scales<'_>, &mut [P]) -> Counts,
) -> Option<Counts> {
    assert_eq!(source.len().div_ceil(BLOCK), powers.len(), "one power a block");
    let blocks = Blocks::new(plan, power)?;
    let mut counts = Counts::default();
    let chunks = source.chunks(CHUNK).zip(powers.chunks_mut(CHUNK / BLOCK));
    for ((source, powers), places) in chunks.zip(places.chunks_mut(CHUNK)) {
        counts += at_once(blocks, source, powers, places).unwrap_or_else(|| {
            let mut values = [0.0; CHUNK / BLOCK];
            by_step(source, find(power, source, powers, &mut values), places)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::InstructionSet;
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
            let seen = encode_blocks(&plan, power, source, &mut found, &mut bytes);
            assert_eq!((seen, &found, &bytes), (Some(counts), &powers, &codes), "{name} {set:?}");
            let plan_without = plan.without_counts();
            bytes.fill(0);
            encode_blocks(&plan_without, power, source, &mut found, &mut bytes);
            assert_eq!(bytes, codes, "{name} {set:?} without counts");
            for (plan, expected) in [(plan, Some(counts)), (plan_without, None)] {
                let mut rounded = vec![0f32; source.len()];
                let seen = quantize_blocks(&plan, power, source, &mut found, &mut rounded);
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
