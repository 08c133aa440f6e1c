//! Random bits as a function of (seed, stream, index): no state, so that any chunk on any thread
//! draws what a single pass would.
//!
//! An index is split in two. Its high half is hashed with seed and stream by `SplitMix64` into a
//! [`Key`], once for 2^32 elements; its low half is then mixed with the key by a 32-bit permutation
//! of three multiplications, cheap enough for one draw an element in a vector register.

mod distribution;
mod elementary;

pub use distribution::{DISTRIBUTIONS, Distribution, DistributionError, Family};

/// The random bits of one stream, such as one tensor, under one seed.
///
/// ```
/// use fpx::random::Stream;
/// let stream = Stream::new(0, 3);
/// assert_eq!(stream.bits(17), Stream::new(0, 3).bits(17));
/// assert_ne!(stream.bits(17), stream.bits(18));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    mixed: u64,
}

/// What 2^32 neighbouring elements of a stream share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    first: u32,
    second: u32,
}

/// The increment of `SplitMix64`: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the low half of an index is multiplied by: [`GOLDEN`] for 32 bits, made odd.
const STEP: u32 = 0x9e37_79b1;

/// The finalizer of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014).
const fn mix(z: u64) -> u64 {
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

impl Stream {
    /// Returns the stream of a seed and a stream number.
    pub const fn new(seed: u64, stream: u64) -> Self {
        let seeded = mix(seed.wrapping_add(GOLDEN));
        Self { mixed: mix(seeded ^ stream.wrapping_mul(GOLDEN).rotate_left(32)) }
    }

    /// Returns what elements with this high half of the index share.
    #[expect(clippy::cast_possible_truncation, reason = "a key is the two halves of a word")]
    pub const fn key(self, high: u32) -> Key {
        let key = mix(self.mixed.wrapping_add((high as u64 + 1).wrapping_mul(GOLDEN)));
        Key { first: key as u32, second: (key >> 32) as u32 }
    }

    /// Returns the 32 random bits of an element.
    #[expect(clippy::cast_possible_truncation, reason = "an index is split in halves")]
    pub const fn bits(self, index: u64) -> u32 {
        self.key((index >> 32) as u32).bits(index as u32)
    }
}

impl Key {
    /// Returns the 32 random bits of the element with this low half of the index.
    ///
    /// For a fixed key this is a permutation of the 32-bit integers: each step can be undone.
    #[inline(always)]
    pub const fn bits(self, low: u32) -> u32 {
        self.mix(low.wrapping_mul(STEP))
    }

    /// Returns the bits of the element with this low half of the index and of those that follow,
    /// without the multiplication that tells elements apart.
    #[inline(always)]
    pub fn draws(self, low: u32) -> impl Iterator<Item = u32> {
        let mut multiple = low.wrapping_mul(STEP);
        std::iter::repeat_with(move || {
            let bits = self.mix(multiple);
            multiple = multiple.wrapping_add(STEP);
            bits
        })
    }

    #[inline(always)]
    const fn mix(self, multiple: u32) -> u32 {
        let x = multiple ^ self.first;
        let x = (x ^ x >> 16).wrapping_mul(0x7feb_352d).wrapping_add(self.second);
        let x = (x ^ x >> 15).wrapping_mul(0x846c_a68b);
        x ^ x >> 16
    }
}
