//! What is measured: samples, every code of a format, or the tensors of files, in chunks.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{SweepError, numbers::Buffer, target::fits};
use crate::{
    codec::{Projection, decode},
    container::{
        Shard,
        reading::{chunks::Chunks, scales::index, weights::Weight},
    },
    format::{F32, F64, Format},
    kernel::{self, Plan},
    random::Distribution,
    stats::CHUNK,
};

/// The widest format whose every code is tried.
const MAX_EXHAUSTIVE: u32 = 32;

/// Where the elements of a tensor come from.
#[derive(Debug)]
pub(super) enum Data<'a> {
    /// The samples of a seed.
    Samples(Distribution, u64),
    /// The codes of a format, in order.
    Codes(Format),
    /// A file.
    File(Box<Weight<'a>>),
}

impl Data<'_> {
    /// Returns the element type of a file's tensor, and its bytes if they are known.
    pub(super) fn stored(&self) -> Option<(&str, Option<u64>)> {
        match self {
            Self::File(weight) => Some((weight.dtype(), weight.bytes())),
            Self::Samples(..) | Self::Codes(_) => None,
        }
    }
}

/// What is measured as one: a tensor, or what stands for one.
#[derive(Debug)]
pub(super) struct Tensor<'a> {
    /// Its name, if it is one of several.
    pub(super) name: Option<String>,
    /// Its elements; `None` for a stream, whose length is known at its end.
    pub(super) elements: Option<u64>,
    /// Its dimensions, outermost first.
    pub(super) shape: Vec<u64>,
    /// The stream of its random bits.
    pub(super) number: u64,
    /// Where the elements come from.
    pub(super) data: Data<'a>,
}

impl<'a> Tensor<'a> {
    fn flat(elements: u64, data: Data<'a>) -> Self {
        Self { name: None, elements: Some(elements), shape: vec![elements], number: 0, data }
    }

    /// Returns samples.
    pub(super) fn samples(distribution: Distribution, seed: u64, samples: u64) -> Self {
        Self::flat(samples, Data::Samples(distribution, seed))
    }

    /// Returns a tensor of a file.
    pub(super) fn weight(weight: Weight<'a>) -> Self {
        Self {
            name: Some(weight.name.clone()),
            elements: weight.elements,
            shape: weight.shape.clone(),
            number: weight.number,
            data: Data::File(Box::new(weight)),
        }
    }

    /// Returns every code of a format.
    pub(super) fn exhaustive(format: &Format) -> Result<Self, SweepError> {
        if format.width() > MAX_EXHAUSTIVE || !fits(format, &F64) {
            return Err(SweepError::TooWideSource(format.name().to_owned()));
        }
        Ok(Self::flat(1 << format.width(), Data::Codes(format.clone())))
    }

    /// Returns the number of chunks.
    pub(super) const fn chunks(&self) -> u64 {
        match self.elements {
            Some(elements) => elements.div_ceil(CHUNK),
            None => 0,
        }
    }
}

/// Chunks of a tensor handed out to several workers.
pub(super) struct Feed<'a> {
    tensor: &'a Tensor<'a>,
    /// The share of the chunks that is read, all tensors' chunks being numbered together.
    shard: Shard,
    /// The number of the tensor's first chunk.
    first: u64,
    next: AtomicU64,
    chunks: Option<Chunks<'a>>,
}

impl<'a> Feed<'a> {
    /// Returns the chunks of a tensor whose first has this number among all tensors' chunks.
    pub(super) fn new(
        tensor: &'a Tensor<'a>,
        shard: Shard,
        first: u64,
    ) -> Result<Self, SweepError> {
        let chunks = match &tensor.data {
            Data::File(weight) => Some(weight.chunks(CHUNK)?),
            Data::Samples(..) | Data::Codes(_) => None,
        };
        Ok(Self { tensor, shard, first, next: AtomicU64::new(0), chunks })
    }

    /// Reads the next chunk; returns its elements, or `None` after the last.
    pub(super) fn next(&self, buffer: &mut Buffer) -> Result<Option<Range<u64>>, SweepError> {
        loop {
            let (chunk, elements) = match (&self.tensor.data, &self.chunks) {
                (Data::File(weight), Some(chunks)) => {
                    let Some((chunk, lane)) = weight.next(chunks, &mut buffer.workspace)? else {
                        return Ok(None);
                    };
                    buffer.landed(lane, index(chunk.elements.end - chunk.elements.start));
                    (chunk.number, chunk.elements)
                }
                (data, _) => {
                    let turn = self.next.fetch_add(1, Ordering::Relaxed);
                    let chunks = self.tensor.chunks();
                    if turn >= chunks {
                        return Ok(None);
                    }
                    // In the order of codes every chunk would hold the largest error so far.
                    let chunk = match data {
                        Data::Codes(_) => reversed(turn, chunks),
                        Data::Samples(..) | Data::File(_) => turn,
                    };
                    let end = self.tensor.elements.unwrap_or(0).min((chunk + 1) * CHUNK);
                    let elements = chunk * CHUNK..end;
                    if self.shard.contains(self.first + chunk) {
                        read(data, elements.clone(), buffer);
                    }
                    (chunk, elements)
                }
            };
            if self.shard.contains(self.first + chunk) {
                return Ok(Some(elements));
            }
        }
    }
}

/// Reverses the bits of a number below a power of two.
const fn reversed(number: u64, power: u64) -> u64 {
    match power.trailing_zeros() {
        0 => number,
        bits => number.reverse_bits() >> (u64::BITS - bits),
    }
}

fn read(data: &Data, elements: Range<u64>, buffer: &mut Buffer) {
    let count = index(elements.end - elements.start);
    match data {
        Data::File(_) => {}
        Data::Samples(distribution, seed) => {
            kernel::sample(distribution, *seed, elements.start, buffer.narrow(count));
        }
        Data::Codes(format) if *format == F32 => {
            let first = code(elements.start);
            for (x, i) in buffer.narrow(count).iter_mut().zip(0..) {
                *x = f32::from_bits(first + i);
            }
        }
        Data::Codes(format) if fits(format, &F32) => {
            let codes: Vec<u32> = elements.map(code).collect();
            let plan = Plan::new(format, &Projection::default());
            kernel::decode_f32(&plan, codes.as_slice().into(), buffer.narrow(count));
        }
        Data::Codes(format) => {
            for (x, code) in buffer.wide(count).iter_mut().zip(elements) {
                *x = decode(format, code.into()).to_f64();
            }
        }
    }
}

/// The code with a number; it has at most [`MAX_EXHAUSTIVE`] bits.
#[expect(clippy::cast_possible_truncation, reason = "at most 32 bits")]
const fn code(number: u64) -> u32 {
    number as u32
}
