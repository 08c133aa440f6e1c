//! Binary16 by the processor's own conversions, which x86-64 has with F16C and AVX-512.
//!
//! They round to nearest, ties to even, as their operand says and not as the control register does,
//! keep subnormals, and make NaNs quiet with their leading payload bits: as the codec does.

use super::direct::Sight;
use super::instruction_set::InstructionSet;

/// Whether an instruction set converts binary16.
#[inline(always)]
pub(super) fn has_binary16(set: InstructionSet) -> bool {
    cfg!(target_arch = "x86_64") && set != InstructionSet::Baseline
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vectors are loaded and stored, and calls follow detection")]
mod x86_64 {
    use std::arch::x86_64::{
        _MM_FROUND_TO_NEAREST_INT, _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi32,
        _mm256_andnot_ps, _mm256_castps_si256, _mm256_cmpeq_epi32, _mm256_cvtph_ps,
        _mm256_cvtps_ph, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_max_epu32, _mm256_set1_epi32,
        _mm256_set1_ps, _mm256_setzero_si256, _mm256_storeu_ps, _mm256_storeu_si256, _mm512_abs_ps,
        _mm512_castps_si512, _mm512_cmpneq_epi32_mask, _mm512_cvtph_ps, _mm512_cvtps_ph,
        _mm512_loadu_ps, _mm512_mask_add_epi32, _mm512_max_epu32, _mm512_reduce_add_epi32,
        _mm512_reduce_max_epu32, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_ps,
    };

    use super::{InstructionSet, Sight};

    /// Runs `$step` on groups of so many elements of both slices, the last filled up with zeros.
    macro_rules! grouped {
        ($size:literal, $from:ident: $x_type:ty, $to:ident: $y_type:ty, |$x:ident, $y:ident| $step:expr) => {
            let ((groups, rest), (results, last)) =
                ($from.as_chunks::<$size>(), $to.as_chunks_mut::<$size>());
            for ($x, $y) in groups.iter().zip(results) {
                $step;
            }
            if !rest.is_empty() {
                let ($x, $y) =
                    (&mut [<$x_type>::default(); $size], &mut [<$y_type>::default(); $size]);
                $x[..rest.len()].copy_from_slice(rest);
                $step;
                last.copy_from_slice(&$y[..rest.len()]);
            }
        };
    }

    pub(in super::super) fn encode_binary16<const COUNT: bool>(
        set: InstructionSet,
        source: &[f32],
        codes: &mut [u16],
    ) -> Sight {
        if set == InstructionSet::Avx512 {
            // SAFETY: the instruction set was found on this machine.
            unsafe { encode_avx512::<COUNT>(source, codes) }
        } else {
            // SAFETY: as above.
            unsafe { encode_avx2::<COUNT>(source, codes) }
        }
    }

    pub(in super::super) fn decode_binary16(
        set: InstructionSet,
        codes: &[u16],
        numbers: &mut [f32],
    ) {
        if set == InstructionSet::Avx512 {
            // SAFETY: the instruction set was found on this machine.
            unsafe { decode_avx512(codes, numbers) }
        } else {
            // SAFETY: as above.
            unsafe { decode_avx2(codes, numbers) }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")]
    fn encode_avx512<const COUNT: bool>(source: &[f32], codes: &mut [u16]) -> Sight {
        let (one, mut top) = (_mm512_set1_epi32(1), _mm512_setzero_si512());
        let mut inexact = _mm512_setzero_si512();
        grouped!(16, source: f32, codes: u16, |x, y| {
            // SAFETY: there are 16 numbers.
            let x = unsafe { _mm512_loadu_ps(x.as_ptr()) };
            let code = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x);
            // SAFETY: there is room for 16 codes.
            unsafe { _mm256_storeu_si256(y.as_mut_ptr().cast(), code) };
            top = _mm512_max_epu32(top, _mm512_castps_si512(_mm512_abs_ps(x)));
            if COUNT {
                let rounded = _mm512_castps_si512(_mm512_cvtph_ps(code));
                let differs = _mm512_cmpneq_epi32_mask(rounded, _mm512_castps_si512(x));
                inexact = _mm512_mask_add_epi32(inexact, differs, inexact, one);
            }
        });
        let inexact = _mm512_reduce_add_epi32(inexact).cast_unsigned();
        Sight { top: _mm512_reduce_max_epu32(top), inexact }
    }

    #[target_feature(enable = "avx2,f16c")]
    fn encode_avx2<const COUNT: bool>(source: &[f32], codes: &mut [u16]) -> Sight {
        let (sign, one) = (_mm256_set1_ps(-0.0), _mm256_set1_epi32(1));
        let mut top = _mm256_setzero_si256();
        let mut inexact = _mm256_setzero_si256();
        grouped!(8, source: f32, codes: u16, |x, y| {
            // SAFETY: there are 8 numbers.
            let x = unsafe { _mm256_loadu_ps(x.as_ptr()) };
            let code = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x);
            // SAFETY: there is room for 8 codes.
            unsafe { _mm_storeu_si128(y.as_mut_ptr().cast(), code) };
            top = _mm256_max_epu32(top, _mm256_castps_si256(_mm256_andnot_ps(sign, x)));
            if COUNT {
                let rounded = _mm256_castps_si256(_mm256_cvtph_ps(code));
                let is_exact = _mm256_cmpeq_epi32(rounded, _mm256_castps_si256(x));
                inexact = _mm256_add_epi32(inexact, _mm256_add_epi32(is_exact, one));
            }
        });
        let [top, inexact] = [top, inexact].map(|words| {
            let mut lanes = [0u32; 8];
            // SAFETY: there is room for 8 words.
            unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), words) };
            lanes
        });
        Sight { top: top.into_iter().fold(0, u32::max), inexact: inexact.into_iter().sum() }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")]
    fn decode_avx512(codes: &[u16], numbers: &mut [f32]) {
        grouped!(16, codes: u16, numbers: f32, |x, y| {
            // SAFETY: there are 16 codes.
            let numbers = _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(x.as_ptr().cast()) });
            // SAFETY: there is room for 16 numbers.
            unsafe { _mm512_storeu_ps(y.as_mut_ptr(), numbers) };
        });
    }

    #[target_feature(enable = "avx2,f16c")]
    fn decode_avx2(codes: &[u16], numbers: &mut [f32]) {
        grouped!(8, codes: u16, numbers: f32, |x, y| {
            // SAFETY: there are 8 codes.
            let numbers = _mm256_cvtph_ps(unsafe { _mm_loadu_si128(x.as_ptr().cast()) });
            // SAFETY: there is room for 8 numbers.
            unsafe { _mm256_storeu_ps(y.as_mut_ptr(), numbers) };
        });
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::{decode_binary16, encode_binary16};

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn encode_binary16<const COUNT: bool>(
    _: InstructionSet,
    _: &[f32],
    _: &mut [u16],
) -> Sight {
    unreachable!("only x86-64 converts binary16 here")
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn decode_binary16(_: InstructionSet, _: &[u16], _: &mut [f32]) {
    unreachable!("only x86-64 converts binary16 here")
}
