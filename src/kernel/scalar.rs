//! Slices into slices, one element at a time through the codec: what every lane form must equal,
//! and what runs where no lane form reaches.

use super::codes::{Codes, Word, with_slice};
use super::lane::Float;
use super::slice::{Sink, Source};
use super::{Counts, Dither, Real};
use crate::codec::{Projection, Unpacked, decode, project};
use crate::format::Format;

/// A format and how to round to it.
pub(super) struct Target {
    /// The format; its width is at most 64 bits.
    pub format: Format,
    /// The rounding and the policies.
    pub projection: Projection,
}

impl Target {
    /// Projects each number of `source`.
    pub(super) fn project(&self, source: Source<'_>, sink: Sink<'_>, dither: Dither) -> Counts {
        match (source, sink) {
            (Source::F32(source), Sink::Numbers(rounded)) => self.quantize(source, rounded, dither),
            (Source::F64(source), Sink::Numbers(rounded)) => self.quantize(source, rounded, dither),
            (Source::F32(source), Sink::Codes(codes)) => {
                with_slice!(codes, Codes, codes => self.encode(source, codes, dither))
            }
            (Source::F64(source), Sink::Codes(codes)) => {
                with_slice!(codes, Codes, codes => self.encode(source, codes, dither))
            }
        }
    }

    fn encode<F: Float, W: Word>(&self, source: &[F], codes: &mut [W], dither: Dither) -> Counts {
        let mut counts = Counts::default();
        for ((x, code), index) in source.iter().zip(codes).zip(dither.first..) {
            *code = W::from_code(self.project_one(&x.unpacked(), dither.bits(index), &mut counts));
        }
        counts
    }

    fn quantize<F: Float>(&self, source: &[F], rounded: &mut [f32], dither: Dither) -> Counts {
        let mut counts = Counts::default();
        for ((x, y), index) in source.iter().zip(rounded).zip(dither.first..) {
            let code = self.project_one(&x.unpacked(), dither.bits(index), &mut counts);
            *y = decode_one(&self.format, code);
        }
        counts
    }

    #[expect(clippy::cast_possible_truncation, reason = "the format has at most 64 bits")]
    fn project_one(&self, x: &Unpacked, random: u32, counts: &mut Counts) -> u64 {
        let projected = project(&self.format, &self.projection.with_random(random), x);
        *counts += Counts::of(&self.format, x, projected);
        projected.code as u64
    }
}

/// Returns the number a code stands for, to the nearest binary32 number.
pub(super) fn decode_one(format: &Format, code: u64) -> f32 {
    Real::nearest(&decode(format, code.into()))
}

/// Decodes each code.
pub(super) fn decode_slice<W: Word>(format: &Format, codes: &[W], numbers: &mut [f32]) {
    for (code, x) in codes.iter().zip(numbers) {
        *x = decode_one(format, code.code());
    }
}
