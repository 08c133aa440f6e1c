//! A distribution, a seed and an index become samples, compiled for each instruction set.

use super::{InstructionSet, instruction_set};
use crate::random::Distribution;

/// Writes the samples of `seed` with indices from `first` on: [`Distribution::fill`], faster.
///
/// ```
/// use fpx::{kernel::sample, random::Distribution};
/// let mut samples = [0f32; 40];
/// sample(&Distribution::default(), 0, 0, &mut samples);
/// let mut expected = [0f32; 40];
/// Distribution::default().fill(0, 0, &mut expected);
/// assert_eq!(samples, expected);
/// ```
#[expect(unsafe_code, reason = "calls of #[target_feature] functions after detection")]
pub fn sample(distribution: &Distribution, seed: u64, first: u64, samples: &mut [f32]) {
    match instruction_set().unwrap_or(InstructionSet::Baseline) {
        // SAFETY: the instruction set in use was found on this machine.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { sample_avx512(distribution, seed, first, samples) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { sample_avx2(distribution, seed, first, samples) },
        _ => distribution.fill(seed, first, samples),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sample_avx2(distribution: &Distribution, seed: u64, first: u64, samples: &mut [f32]) {
    distribution.fill(seed, first, samples);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn sample_avx512(distribution: &Distribution, seed: u64, first: u64, samples: &mut [f32]) {
    distribution.fill(seed, first, samples);
}
