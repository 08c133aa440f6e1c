//! What is measured: samples, every code of a format, or the tensors of files, in chunks.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{SweepError, numbers::Buffer, target::fits};
use crate::{
    codec::{Projection, decode},
    format::{F32, F64, Format},
    kernel::{self, Plan},
    random::Distribution,
    stats::CHUNK,
};

/// The widest format whose every code is tried.
const MAX_EXHAUSTIVE: u32 = 32;

/// A share of all chunks: those whose number leaves this remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which share, from 1.
    pub index: u64,
    /// How many shares there are.
    pub count: u64,
}

impl Shard {
    /// All chunks.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    const fn contains(self, chunk: u64) -> bool {
        chunk % self.count == self.index - 1
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Where the elements of a tensor come from.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// The samples of a seed.
    Samples(Distribution, u64),
    /// The codes of a format, in order.
    Codes(Format),
}

/// What is measured as one: a tensor, or what stands for one.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    /// Its elements.
    pub(super) elements: u64,
    /// Where they come from.
    pub(super) data: Data,
}

impl Tensor {
    /// Returns samples.
    pub(super) fn samples(distribution: Distribution, seed: u64, samples: u64) -> Self {
        Self { elements: samples, data: Data::Samples(distribution, seed) }
    }

    /// Returns every code of a format.
    pub(super) fn exhaustive(format: &Format) -> Result<Self, SweepError> {
        if format.width() > MAX_EXHAUSTIVE || !fits(format, &F64) {
            return Err(SweepError::TooWideSource(format.name().to_owned()));
        }
        Ok(Self { elements: 1 << format.width(), data: Data::Codes(format.clone()) })
    }

    /// Returns the number of chunks.
    pub(super) const fn chunks(&self) -> u64 {
        self.elements.div_ceil(CHUNK)
    }
}

/// Chunks of a tensor handed out to several workers.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    tensor: &'a Tensor,
    /// The share of the chunks that is read, all tensors' chunks being numbered together.
    shard: Shard,
    /// The number of the tensor's first chunk.
    first: u64,
    next: AtomicU64,
}

impl<'a> Feed<'a> {
    /// Returns the chunks of a tensor whose first has this number among all tensors' chunks.
    pub(super) const fn new(tensor: &'a Tensor, shard: Shard, first: u64) -> Self {
        Self { tensor, shard, first, next: AtomicU64::new(0) }
    }

    /// Reads the next chunk; returns its elements, or `None` after the last.
    pub(super) fn next(&self, buffer: &mut Buffer) -> Option<Range<u64>> {
        loop {
            let chunk = self.next.fetch_add(1, Ordering::Relaxed);
            if chunk >= self.tensor.chunks() {
                return None;
            }
            if self.shard.contains(self.first + chunk) {
                let start = chunk * CHUNK;
                let elements = start..self.tensor.elements.min(start + CHUNK);
                read(&self.tensor.data, elements.clone(), buffer);
                return Some(elements);
            }
        }
    }
}

fn read(data: &Data, elements: Range<u64>, buffer: &mut Buffer) {
    // A chunk fits any memory.
    let count = usize::try_from(elements.end - elements.start).unwrap_or(0);
    match data {
        Data::Samples(distribution, seed) => {
            kernel::sample(distribution, *seed, elements.start, buffer.narrow(count));
        }
        Data::Codes(format) if *format == F32 => {
            for (x, code) in buffer.narrow(count).iter_mut().zip(codes(elements)) {
                *x = f32::from_bits(code);
            }
        }
        Data::Codes(format) if fits(format, &F32) => {
            let codes: Vec<u32> = codes(elements).collect();
            let plan = Plan::new(format, &Projection::default());
            kernel::decode_f32(&plan, codes.as_slice().into(), buffer.narrow(count));
        }
        Data::Codes(format) => {
            for (x, code) in buffer.wide(count).iter_mut().zip(codes(elements)) {
                *x = decode(format, code.into()).to_f64();
            }
        }
    }
}

/// The codes of a range, which have at most [`MAX_EXHAUSTIVE`] bits.
#[expect(clippy::cast_possible_truncation, reason = "at most 32 bits")]
fn codes(elements: Range<u64>) -> impl Iterator<Item = u32> {
    elements.map(|code| code as u32)
}
