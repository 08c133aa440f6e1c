//! Slices of numbers that share scales become codes of their quotients, and back: every run of
//! `size` elements has one scale.
//!
//! A code is the projection of `x / scale`, rounded once from the exact quotient; a number is
//! `code × scale`, rounded once. The scales are binary64 numbers, which hold every
//! E8M0 scale, every binary32 scale and every product of an E4M3 and a binary32 scale exactly.
//!
//! A NaN scale makes all of its numbers NaN; their codes are 0. Under a scale of 0 every finite
//! number becomes a zero of its sign.

mod blocks;
pub(super) mod largest;
mod limits;
mod once;
mod part;
mod pass;
pub(super) mod power;
pub(super) mod product;
pub(super) mod quotient;
mod room;
mod scalar;

pub use blocks::{BLOCK, encode_blocks, quantize_blocks};
pub use largest::{largest_finite, largest_finite_magnitudes, largest_magnitudes};
pub(super) use limits::Limits;
pub(super) use once::Blocks;
pub(super) use part::Part;
pub use power::{Power, decode_powers, encode_powers};
pub(super) use room::{Form, Room};

use std::ops::Range;

use super::{Codes, CodesRef, Counts, Dither, Plan, Real, codes::with_slice, doors};
use room::CHUNK;

/// The scales of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales<'a> {
    /// `values[i]` belongs to the elements from `i · size` on.
    pub values: &'a [f64],
    /// Elements a scale; the last scale may have fewer.
    pub size: usize,
}

impl<'a> Scales<'a> {
    /// Panics unless there is a scale for each element and none more.
    fn check(&self, elements: usize) {
        assert_eq!(elements.div_ceil(self.size), self.values.len(), "one scale a run");
    }

    /// Cuts a slice into chunks: the elements, and their scales.
    fn chunks(self, elements: usize) -> impl Iterator<Item = (Range<usize>, Part<'a>)> {
        (0..elements).step_by(CHUNK).map(move |start| {
            let chunk = start..(start + CHUNK).min(elements);
            (chunk.clone(), Part::of(self, &chunk))
        })
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
    mut codes: Codes<'_>,
    dither: Dither,
) -> Counts {
    scales.check(source.len());
    super::check(plan, source.len(), codes.len(), codes.width());
    let mut counts = Counts::default();
    for (chunk, part) in scales.chunks(source.len()) {
        let (source, dither) = (&source[chunk.clone()], dither.after(chunk.start));
        let mut codes = codes.range(chunk);
        let in_lanes = Room::with(|room| {
            if let Codes::U8(codes) = &mut codes
                && let Some(counts) = doors::encode_quotients(plan, source, part, codes, room)
            {
                return Some(counts);
            }
            let (form, unseen) = doors::divide(plan, source, part, room)?;
            Some(room.encode(plan, form, codes.range(0..source.len()), dither) + unseen)
        });
        counts += in_lanes.unwrap_or_else(|| {
            with_slice!(codes, Codes, codes => {
                plan.target().encode_scaled(source, part, codes, dither)
            })
        });
    }
    plan.counted(counts)
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
    for (chunk, part) in scales.chunks(numbers.len()) {
        let (codes, numbers) = (codes.range(chunk.clone()), &mut numbers[chunk]);
        let in_lanes = Room::with(|room| doors::decode_scaled(plan, codes, part, room, numbers));
        if !in_lanes {
            with_slice!(codes, CodesRef, codes => plan.target().decode_scaled(codes, part, numbers));
        }
    }
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
    let mut counts = Counts::default();
    for (chunk, part) in scales.chunks(source.len()) {
        let (source, rounded) = (&source[chunk.clone()], &mut rounded[chunk.clone()]);
        let dither = dither.after(chunk.start);
        let in_lanes = Room::with(|room| {
            let seen = doors::round_quotients(plan, source, part, room).or_else(|| {
                let (form, unseen) = doors::divide(plan, source, part, room)?;
                Some(room.round(plan, form, source.len(), dither) + unseen)
            })?;
            doors::multiply(plan, part, room, rounded).then_some(seen)
        });
        counts += in_lanes
            .unwrap_or_else(|| plan.target().quantize_scaled(source, part, rounded, dither));
    }
    plan.counted(counts)
}
