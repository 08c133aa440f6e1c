//! A seed becomes the random choices of one run, each use with streams of its own.
//!
//! Nothing keeps a state: what a use draws depends on the seed, on which of its kind it is (the
//! parameter, the epoch) and on the index, and on nothing else.

use crate::random::Stream;

/// What random bits are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The initial values of a parameter.
    Initial,
    /// The order of the examples in an epoch.
    Order,
    /// Stochastic rounding on the way into a matrix product, one stream a tensor.
    Cast,
    /// Stochastic rounding of the gradient that the optimizer reads.
    Gradient,
    /// Stochastic rounding of the optimizer's state.
    State,
    /// Stochastic rounding of a parameter's updates.
    Update,
    /// The signs of the Hadamard transform.
    Signs,
    /// Inputs of the dot products of the `accumulate` lesson.
    Products,
}

/// Returns the stream of the `number`-th thing of a use.
pub fn stream(seed: u64, purpose: Use, number: usize) -> Stream {
    Stream::new(seed, (purpose as u64 + 1) << 32 | number as u64)
}

/// Returns a number uniform in [0, 1), a multiple of 2^-24.
#[expect(clippy::cast_precision_loss, reason = "24 bits are exact in binary32")]
pub fn unit(stream: Stream, index: u64) -> f32 {
    (stream.bits(index) >> 8) as f32 / 16_777_216.0
}

/// Returns the numbers below `count` in a random order (Fisher and Yates).
///
/// ```
/// use fpx::train::random::{Use, shuffled, stream};
/// let mut order = shuffled(stream(0, Use::Order, 1), 100);
/// assert_ne!(order[..3], [0, 1, 2]);
/// order.sort_unstable();
/// assert!(order.into_iter().eq(0..100));
/// ```
pub fn shuffled(stream: Stream, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let choices = last as u64 + 1;
        let chosen = (u64::from(stream.bits(last as u64)) * choices) >> 32;
        order.swap(last, chosen as usize);
    }
    order
}
