//! Numbers over scales, and products with them, one element at a time through the codec: what the
//! lanes must equal, and what runs where they do not reach.

use super::super::{Counts, Dither, Real, codes::Word, scalar::Target};
use super::part::Part;
use crate::codec::{Kind, Unpacked, decode, project_over};

impl Target {
    /// Projects each number over its scale.
    pub(super) fn encode_scaled<R: Real, W: Word>(
        &self,
        source: &[R],
        part: Part<'_>,
        codes: &mut [W],
        dither: Dither,
    ) -> Counts {
        let mut counts = Counts::default();
        for (i, (x, code)) in source.iter().zip(codes).enumerate() {
            let random = dither.bits(dither.first + i as u64);
            *code = W::from_code(self.divide((*x).into(), &part.at(i), random, &mut counts));
        }
        counts
    }

    /// Multiplies the number of each code by its scale.
    pub(super) fn decode_scaled<R: Real, W: Word>(
        &self,
        codes: &[W],
        part: Part<'_>,
        numbers: &mut [R],
    ) {
        for (i, (code, x)) in codes.iter().zip(numbers).enumerate() {
            *x = self.multiply(code.code(), &part.at(i));
        }
    }

    /// Rounds each number to a multiple of its scale.
    pub(super) fn quantize_scaled<R: Real>(
        &self,
        source: &[R],
        part: Part<'_>,
        rounded: &mut [R],
        dither: Dither,
    ) -> Counts {
        let mut codes = vec![0u64; source.len()];
        let counts = self.encode_scaled(source, part, &mut codes, dither);
        self.decode_scaled(&codes, part, rounded);
        counts
    }

    /// Projects a number over its scale.
    #[expect(clippy::cast_possible_truncation, reason = "the format has at most 64 bits")]
    fn divide(&self, x: f64, scale: &Unpacked, random: u32, counts: &mut Counts) -> u64 {
        let x = Unpacked::from_f64(x);
        let projection = self.projection.with_random(random);
        let projected = project_over(&self.format, &projection, &x, scale);
        let mut seen = Counts::of(&self.format, &x, projected);
        if scale.kind == Kind::Nan {
            let finite = u64::from(x.is_finite());
            (seen.inexact, seen.lost) = (finite, finite);
            (seen.flushed, seen.subnormal) = (0, 0);
        }
        *counts += seen;
        projected.code as u64
    }

    /// Multiplies what a code stands for by its scale.
    fn multiply<R: Real>(&self, code: u64, scale: &Unpacked) -> R {
        match scale.kind {
            Kind::Nan => R::NAN,
            Kind::Zero | Kind::Finite | Kind::Infinity => {
                R::nearest(&decode(&self.format, code.into()).times(scale))
            }
        }
    }
}
