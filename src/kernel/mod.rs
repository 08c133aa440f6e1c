//! Slices become slices: the codec in bulk.
//!
//! Every function here equals [`codec::project`](crate::codec::project()) or
//! [`codec::decode`](crate::codec::decode) element by element, bit for bit, at any length.
//!
//! ```
//! use fpx::{codec::Projection, format::E4M3FN, kernel::{Codes, Dither, Plan, encode_f32}};
//! let mut codes = [0u8; 3];
//! let plan = Plan::new(&E4M3FN, &Projection::default());
//! let counts = encode_f32(&plan, &[1.0, 0.3, 1e9], Codes::U8(&mut codes), Dither::default());
//! assert_eq!(codes, [0x38, 0x2a, 0x7f]);
//! assert_eq!((counts.inexact, counts.overflow, counts.lost), (2, 1, 1));
//! ```

mod codes;
mod counts;
mod direct;
pub mod division;
mod doors;
mod encode;
mod gemm;
mod instruction_set;
mod lane;
mod mode;
mod plan;
mod processor;
mod real;
mod round;
mod sampler;
mod scalar;
mod scaled;
mod settle;
mod slice;
mod statistics;

pub use codes::{Codes, CodesRef};
pub use counts::Counts;
pub use gemm::{Gemm, View};
pub use instruction_set::{InstructionSet, InstructionSetError, instruction_set};
pub use plan::Plan;
pub use real::Real;
pub use sampler::sample;
pub use scaled::{
    BLOCK, Power, Scales, decode_powers, decode_scaled, encode_blocks, encode_powers,
    encode_scaled, largest_finite, largest_finite_magnitudes, largest_magnitudes, quantize_blocks,
    quantize_scaled,
};
pub use statistics::{
    ElementError, Grid, LANES, LARGEST, Lanes, Largest, Quanta, Sums, TOTALS, Total,
};

use crate::random::Stream;
use slice::{Sink, Source};

/// The random bits of stochastic rounding: element `i` of a slice draws `stream.bits(first + i)`.
///
/// A slice that is the continuation of another goes on at `first` plus its length, so that the
/// result does not depend on how the elements are cut into slices. Other roundings ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dither {
    /// The stream, one a tensor.
    pub stream: Stream,
    /// The index of the first element of the slice.
    pub first: u64,
}

impl Default for Dither {
    fn default() -> Self {
        Self { stream: Stream::new(0, 0), first: 0 }
    }
}

impl Dither {
    const fn bits(&self, index: u64) -> u32 {
        self.stream.bits(index)
    }

    /// Returns the bits of a slice that begins so many elements later.
    const fn after(self, elements: usize) -> Self {
        Self { first: self.first + elements as u64, ..self }
    }
}

/// Projects each number of `source` and writes its code.
///
/// # Panics
///
/// If the slices differ in length, or the plan's codes do not fit the integers.
pub fn encode_f32(plan: &Plan, source: &[f32], codes: Codes<'_>, dither: Dither) -> Counts {
    check(plan, source.len(), codes.len(), codes.width());
    if plan.direct.is_some() {
        return doors::encode(plan, source, codes, dither);
    }
    doors::project(plan, Source::F32(source), Sink::Codes(codes), dither)
}

/// Projects each number of `source` and writes its code; the rounding is one, from binary64.
///
/// # Panics
///
/// If the slices differ in length, or the plan's codes do not fit the integers.
pub fn encode_f64(plan: &Plan, source: &[f64], codes: Codes<'_>, dither: Dither) -> Counts {
    check(plan, source.len(), codes.len(), codes.width());
    doors::project(plan, Source::F64(source), Sink::Codes(codes), dither)
}

/// Decodes each code of the plan's format.
///
/// A number that binary32 does not have is rounded to nearest, ties to even; NaNs become quiet and
/// keep their sign and leading payload bits.
///
/// # Panics
///
/// If the slices differ in length, or the plan's codes do not fit the integers.
///
/// ```
/// use fpx::{codec::Projection, format::E5M2, kernel::{CodesRef, Plan, decode_f32}};
/// let mut numbers = [0.0; 2];
/// let plan = Plan::new(&E5M2, &Projection::default());
/// decode_f32(&plan, CodesRef::U8(&[0x3c, 0xfb]), &mut numbers);
/// assert_eq!(numbers, [1.0, -57344.0]);
/// ```
pub fn decode_f32(plan: &Plan, codes: CodesRef<'_>, numbers: &mut [f32]) {
    check(plan, numbers.len(), codes.len(), codes.width());
    doors::decode(plan, codes, numbers);
}

/// Rounds each number of `source` to the plan's format and writes the rounded number.
///
/// This is [`encode_f32`] followed by [`decode_f32`]: "fake quantisation". A NaN that the policies
/// refuse becomes zero.
///
/// # Panics
///
/// If the slices differ in length.
///
/// ```
/// use fpx::{codec::Projection, format::E4M3FN, kernel::{Dither, Plan, quantize}};
/// let mut rounded = [0.0; 2];
/// let plan = Plan::new(&E4M3FN, &Projection::default());
/// let counts = quantize(&plan, &[0.3, 1.0], &mut rounded, Dither::default());
/// assert_eq!((rounded, counts.inexact), ([0.3125, 1.0], 1));
/// ```
pub fn quantize(plan: &Plan, source: &[f32], rounded: &mut [f32], dither: Dither) -> Counts {
    assert_eq!(source.len(), rounded.len(), "one result an element");
    doors::project(plan, Source::F32(source), Sink::Numbers(rounded), dither)
}

/// Rounds each number to the plan's format, in place; see [`quantize`].
pub fn quantize_in_place(plan: &Plan, numbers: &mut [f32], dither: Dither) -> Counts {
    const BLOCK: usize = 1024;
    let mut counts = Counts::default();
    let mut buffer = [0.0; BLOCK];
    for (block, first) in numbers.chunks_mut(BLOCK).zip((dither.first..).step_by(BLOCK)) {
        let source = &mut buffer[..block.len()];
        source.copy_from_slice(block);
        counts += quantize(plan, source, block, Dither { first, ..dither });
    }
    counts
}

fn check(plan: &Plan, elements: usize, codes: usize, width: u32) {
    assert_eq!(elements, codes, "one code an element");
    assert!(plan.width() <= width, "codes of {} bits do not fit {width}", plan.width());
}
