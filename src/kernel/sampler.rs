//! A distribution, a seed and an index become samples, compiled for each instruction set.

use super::instruction_set::compiled;
use crate::random::Distribution;

compiled! {
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
    pub fn sample(distribution: &Distribution, seed: u64, first: u64, samples: &mut [f32]) {
        distribution.fill(seed, first, samples);
    }
}
