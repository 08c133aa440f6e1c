//! The whole-slice loops, written once and compiled for each instruction set.
//!
//! A slice is taken in blocks that stay in the first cache: round the block, look whether any
//! element concerns a policy, settle or only count, encode. Each step is one plain loop that the
//! compiler turns into vector instructions.

use std::ops::Range;

use super::codes::{Codes, CodesRef, with_slice};
use super::encode::Coder;
use super::lane::{Float, Lane};
use super::mode::{Away, Directed, Even, EvenBySum, Family, Kernel, Odd, Stochastic, Truncated};
use super::round::{Low, Rounder};
use super::scalar;
use super::settle::{Edges, Seen};
use super::{Counts, Dither, Plan};
use crate::codec::Projection;
use crate::format::Format;
use crate::random::Key;

/// Elements of a block: its buffers, at most 16 KiB, share the first cache with what they hold.
const BLOCK: usize = 1024;

/// Where numbers come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

/// Where projected numbers go.
#[derive(Debug)]
pub(super) enum Sink<'a> {
    /// Their codes.
    Codes(Codes<'a>),
    /// The numbers themselves.
    Numbers(&'a mut [f32]),
}

/// Room for the numbers of a block, on the boundaries of the widest registers.
#[repr(align(64))]
struct Buffer<F>([F; BLOCK]);

/// A rounding to one format in lanes `W`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lanes<W> {
    rounder: Rounder<W>,
    edges: Edges<W>,
    coder: Coder<W>,
}

/// What a block needs beside its numbers.
#[derive(Clone, Copy)]
struct Draw {
    /// The random bits of the element `i` are `key.bits(low + i)`.
    key: Key,
    low: u32,
    /// Whether to count.
    counts: bool,
}

impl<W: Lane> Lanes<W> {
    /// Returns the lane form of a rounding, or `None` if there is none.
    pub(super) fn new(format: &Format, projection: &Projection) -> Option<Self> {
        let low = Low::of::<W>(format)?;
        let rounder = Rounder::new(format, projection, low)?;
        let edges = Edges::new(format, projection);
        Some(Self { rounder, edges, coder: Coder::new(format, low) })
    }

    /// Rounds and settles a block; returns whether it may hold infinities and NaNs.
    #[inline(always)]
    fn project(
        &self,
        source: &[W::Float],
        rounded: &mut [W::Float],
        draw: Draw,
        counts: &mut Counts,
    ) -> bool {
        let seen = match self.rounder.family {
            Family::Away => self.round::<Away>(source, rounded, draw),
            Family::Even => self.round::<Even>(source, rounded, draw),
            Family::EvenBySum => self.round::<EvenBySum>(source, rounded, draw),
            Family::Truncated => self.round::<Truncated>(source, rounded, draw),
            Family::Directed => self.round::<Directed>(source, rounded, draw),
            Family::Odd => self.round::<Odd>(source, rounded, draw),
            Family::Stochastic => self.round::<Stochastic<false>>(source, rounded, draw),
            Family::AllRandom => self.round::<Stochastic<true>>(source, rounded, draw),
        };
        let concerned = self.edges.concern(&seen);
        *counts += if concerned {
            self.edges.settle(source, rounded)
        } else {
            Edges::counts(source.len(), &seen)
        };
        concerned
    }

    #[inline(always)]
    fn round<K: Kernel>(
        &self,
        source: &[W::Float],
        rounded: &mut [W::Float],
        draw: Draw,
    ) -> Seen<W> {
        if draw.counts {
            self.pass::<K, true>(source, rounded, draw)
        } else {
            self.pass::<K, false>(source, rounded, draw)
        }
    }

    #[inline(always)]
    fn pass<K: Kernel, const COUNT: bool>(
        &self,
        source: &[W::Float],
        rounded: &mut [W::Float],
        draw: Draw,
    ) -> Seen<W> {
        let Self { rounder, edges, .. } = *self;
        let mut seen = Seen::nothing();
        for ((x, y), random) in source.iter().zip(rounded).zip(draw.key.draws(draw.low)) {
            let result = K::round(&rounder, x.code(), random);
            edges.note::<COUNT>(&mut seen, x.code(), result);
            *y = W::Float::from_code(result);
        }
        seen
    }

    /// Writes the codes of a projected block.
    #[inline(always)]
    fn encode(
        &self,
        rounded: &[W::Float],
        codes: &mut Codes<'_>,
        block: Range<usize>,
        concerned: bool,
    ) {
        with_slice!(codes, Codes, codes => {
            let codes = &mut codes[block];
            if concerned {
                self.coder.encode::<true, _>(rounded, codes);
            } else {
                self.coder.encode::<false, _>(rounded, codes);
            }
        });
    }
}

/// Cuts a slice into blocks that share a [`Key`] and, but for the first, start on the boundary of a
/// register.
struct Blocks {
    start: usize,
    length: usize,
    /// Elements of the first block.
    first: usize,
    dither: Dither,
    counts: bool,
}

impl Blocks {
    fn of<F>(plan: &Plan, source: &[F], dither: Dither) -> Self {
        let register = 64 / size_of::<F>();
        let behind = (register - source.as_ptr().align_offset(64) % register) % register;
        let first = BLOCK - behind;
        Self { start: 0, length: source.len(), first, dither, counts: plan.counts() }
    }
}

impl Iterator for Blocks {
    type Item = (Range<usize>, Draw);

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "an index is split in halves")]
    fn next(&mut self) -> Option<Self::Item> {
        if self.start == self.length {
            return None;
        }
        let index = self.dither.first.wrapping_add(self.start as u64);
        let low = index as u32;
        let draw =
            Draw { key: self.dither.stream.key((index >> 32) as u32), low, counts: self.counts };
        let most = if self.start == 0 { self.first } else { BLOCK };
        let room = usize::try_from(u32::MAX - low).unwrap_or(usize::MAX).saturating_add(1);
        let block = self.start..self.start + most.min(room).min(self.length - self.start);
        self.start = block.end;
        Some((block, draw))
    }
}

/// Projects each number of `source`, in lanes where there is a lane form.
#[inline(always)]
pub(super) fn project(plan: &Plan, source: Source<'_>, sink: Sink<'_>, dither: Dither) -> Counts {
    let counts = match (&plan.narrow, &plan.wide, source) {
        (Some(lanes), _, Source::F32(source)) => narrow(plan, lanes, source, sink, dither),
        (_, Some(lanes), source) => wide(plan, lanes, source, sink, dither),
        (_, None, source) => plan.target().project(source, sink, dither),
    };
    plan.counted(counts)
}

/// Projects binary32 numbers in lanes of binary32.
#[inline(always)]
fn narrow(
    plan: &Plan,
    lanes: &Lanes<u32>,
    source: &[f32],
    mut sink: Sink<'_>,
    dither: Dither,
) -> Counts {
    let mut counts = Counts::default();
    let mut buffer = Buffer([0.0; BLOCK]);
    for (block, draw) in Blocks::of(plan, source, dither) {
        let source = &source[block.clone()];
        let rounded = match &mut sink {
            Sink::Numbers(numbers) => &mut numbers[block.clone()],
            Sink::Codes(_) => &mut buffer.0[..source.len()],
        };
        let concerned = lanes.project(source, rounded, draw, &mut counts);
        if let Sink::Codes(codes) = &mut sink {
            lanes.encode(&buffer.0[..source.len()], codes, block, concerned);
        }
    }
    counts
}

/// Projects numbers in lanes of binary64, which hold the binary32 ones exactly.
#[inline(always)]
fn wide(
    plan: &Plan,
    lanes: &Lanes<u64>,
    source: Source<'_>,
    mut sink: Sink<'_>,
    dither: Dither,
) -> Counts {
    let mut counts = Counts::default();
    let (mut wide, mut rounded) = (Buffer([0.0; BLOCK]), Buffer([0.0; BLOCK]));
    let blocks = match source {
        Source::F32(source) => Blocks::of(plan, source, dither),
        Source::F64(source) => Blocks::of(plan, source, dither),
    };
    for (block, draw) in blocks {
        let source = match source {
            Source::F64(source) => &source[block.clone()],
            Source::F32(source) => {
                let source = &source[block.clone()];
                for (wide, x) in wide.0.iter_mut().zip(source) {
                    *wide = f64::from(*x);
                }
                &wide.0[..source.len()]
            }
        };
        let rounded = &mut rounded.0[..source.len()];
        let concerned = lanes.project(source, rounded, draw, &mut counts);
        match &mut sink {
            Sink::Codes(codes) => lanes.encode(rounded, codes, block, concerned),
            Sink::Numbers(numbers) => {
                for (number, x) in numbers[block].iter_mut().zip(rounded) {
                    *number = narrowed(*x);
                }
            }
        }
    }
    counts
}

/// Decodes each code, in lanes where there is a lane form.
#[inline(always)]
pub(super) fn decode(plan: &Plan, codes: CodesRef<'_>, numbers: &mut [f32]) {
    with_slice!(codes, CodesRef, codes => match (&plan.narrow, &plan.wide) {
        (Some(lanes), _) => lanes.coder.decode(codes, numbers, |x| x),
        (None, Some(lanes)) => lanes.coder.decode(codes, numbers, narrowed),
        (None, None) => scalar::decode_slice(&plan.target().format, codes, numbers),
    });
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "rounded to nearest where it is not exact")]
pub(super) fn narrowed(x: f64) -> f32 {
    x as f32
}
