//! Slices into slices, one element at a time through the codec: what every lane form must equal,
//! and what runs where no lane form reaches.

use super::codes::{Codes, Word, with_slice};
use super::lane::Float;
use super::slice::{Sink, Source};
use super::{Counts, Dither, Real};
use crate::codec::{Flags, Kind, Projected, Projection, Unpacked, decode, project};
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
        *counts += self.counts(x, projected);
        projected.code as u64
    }

    /// Returns the counts of one number and what the codec made of it.
    pub(super) fn counts(&self, x: &Unpacked, projected: Projected) -> Counts {
        let result = decode(&self.format, projected.code);
        let raised = |flag| u64::from(projected.flags.contains(flag));
        let is_subnormal = result.kind == Kind::Finite && result.exponent < self.format.emin();
        Counts {
            elements: 1,
            inexact: raised(Flags::INEXACT),
            overflow: raised(Flags::OVERFLOW),
            flushed: u64::from(
                matches!(x.kind, Kind::Finite | Kind::Infinity) && result.kind == Kind::Zero,
            ),
            subnormal: u64::from(is_subnormal),
            nan_in: u64::from(x.kind == Kind::Nan),
            inf_in: u64::from(x.kind == Kind::Infinity),
            lost: u64::from(x.is_finite() && !result.is_finite()),
            refused: raised(Flags::REFUSED),
        }
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
