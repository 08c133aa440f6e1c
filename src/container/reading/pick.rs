//! Single elements of a tensor, wherever they are.

use std::{io::Read, ops::Range, os::unix::fs::FileExt};

use super::scales::index;
use crate::{
    codec::Unpacked,
    container::{Blocks, ContainerError, Endian, Feed, Source, Span},
};

/// Where in the bytes of a tensor its codes lie.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stride {
    /// Bits of a code, at most 128.
    pub(crate) bits: u64,
    /// The order of a code's bytes.
    pub(crate) endian: Endian,
    pub(crate) places: Places,
}

/// Which codes are meant, and where each begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Places {
    /// Elements that follow each other.
    Span(Span),
    /// Elements with their scales among them.
    Blocks(Blocks, Span),
    /// The scales among the elements.
    Scales(Blocks),
}

impl Stride {
    /// Codes of so many bits that follow each other without gaps.
    pub(crate) fn even(bits: u64, endian: Endian) -> Self {
        Self { bits, endian, places: Places::Span(Span::Bits(bits)) }
    }

    /// The first bit of a code.
    fn first(&self, number: u64) -> Option<u64> {
        match &self.places {
            Places::Span(Span::Bits(bits)) => number.checked_mul(*bits),
            Places::Span(span @ Span::Cells(_)) => match span.byte(number) {
                Some(byte) => Some(8 * byte),
                None => Some(8 * span.byte(number.checked_sub(1)?)? + 4),
            },
            Places::Blocks(blocks, span) => {
                let within = number % blocks.elements;
                let (scale, at) = (within / blocks.scaled, within % blocks.scaled);
                let half = blocks.scaled / 2;
                let byte = blocks.scales() + scale * half + at % half;
                Some(8 * (span.byte(number - within)? + byte) + 4 * (at / half))
            }
            Places::Scales(blocks) => {
                let (block, within) = (number / blocks.scales(), number % blocks.scales());
                Some(8 * (block * blocks.bytes() + within))
            }
        }
    }

    /// The bytes that a code touches.
    fn bytes(&self, number: u64) -> Option<Range<u64>> {
        let first = self.first(number)?;
        let end = first.checked_add(self.bits)?;
        Some(first / 8..end.div_ceil(8))
    }

    /// The bits of a code among the bytes that it touches.
    fn code(&self, number: u64, bytes: &[u8]) -> u128 {
        let join = |code: u128, &byte: &u8| code << 8 | u128::from(byte);
        let code = match self.endian {
            Endian::Little => bytes.iter().rev().fold(0, join),
            Endian::Big => bytes.iter().fold(0, join),
        };
        let within = self.first(number).unwrap_or_default() % 8;
        (code >> within) & (u128::MAX >> (128 - self.bits))
    }
}

/// Reads the bits of some elements of the tensor at a place in the list.
///
/// # Errors
///
/// If the file cannot be read, or ends before one of the elements.
pub(crate) fn codes(
    source: &Source,
    tensor: usize,
    stride: &Stride,
    elements: &[u64],
) -> Result<Vec<u128>, ContainerError> {
    let bytes = source.tensors[tensor].bytes.unwrap_or(u64::MAX);
    let range = |&element: &u64| {
        let range = stride.bytes(element).filter(|range| range.end <= bytes);
        range.ok_or_else(|| ends_early(source, element))
    };
    let ranges = elements.iter().map(range).collect::<Result<Vec<_>, _>>()?;
    let mut codes = vec![0; elements.len()];
    let mut buffer = [0; size_of::<u128>() + 1];
    match source.feed(tensor)? {
        Feed::At(file, offset) => {
            for (i, range) in ranges.iter().enumerate() {
                let buffer = &mut buffer[..index(range.end - range.start)];
                let place = offset.saturating_add(range.start);
                file.read_exact_at(buffer, place).map_err(|error| source.read_error(error))?;
                codes[i] = stride.code(elements[i], buffer);
            }
        }
        Feed::Stream(mut stream) => {
            // A stream is read once: its elements in their order, whose bytes neighbours share.
            let mut order: Vec<usize> = (0..elements.len()).collect();
            order.sort_unstable_by_key(|&i| elements[i]);
            let (mut position, mut byte) = (0, [0]);
            let mut last: Option<usize> = None;
            for i in order {
                if let Some(same) = last.filter(|&last| elements[last] == elements[i]) {
                    codes[i] = codes[same];
                    continue;
                }
                let range = ranges[i].clone();
                let length = index(range.end - range.start);
                for (at, slot) in range.zip(&mut buffer) {
                    if at >= position {
                        let skip = &mut stream.by_ref().take(at - position);
                        std::io::copy(skip, &mut std::io::sink())
                            .and_then(|_| stream.read_exact(&mut byte))
                            .map_err(|error| source.read_error(error))?;
                        position = at + 1;
                    }
                    *slot = byte[0];
                }
                codes[i] = stride.code(elements[i], &buffer[..length]);
                last = Some(i);
            }
        }
        Feed::Numbers(_) => return Err(ends_early(source, 0)),
    }
    Ok(codes)
}

/// Reads some elements of a tensor that is text.
///
/// # Errors
///
/// As [`codes`].
pub(crate) fn numbers(
    source: &Source,
    tensor: usize,
    elements: &[u64],
) -> Result<Vec<Unpacked>, ContainerError> {
    let Feed::Numbers(mut rows) = source.feed(tensor)? else { return Ok(Vec::new()) };
    let mut found = vec![None; elements.len()];
    let (mut row, mut first) = (Vec::new(), 0u64);
    while found.contains(&None) && rows.next_row(&mut row)? {
        for (slot, &element) in found.iter_mut().zip(elements) {
            let within = element.checked_sub(first).and_then(|at| usize::try_from(at).ok());
            *slot = slot.or(within.and_then(|at| row.get(at).copied()));
        }
        first += row.len() as u64;
        row.clear();
    }
    let element =
        |(x, &element): (Option<Unpacked>, &u64)| x.ok_or_else(|| ends_early(source, element));
    found.into_iter().zip(elements).map(element).collect()
}

fn ends_early(source: &Source, element: u64) -> ContainerError {
    ContainerError::data(&source.path, format!("ends before element {element} of the tensor"))
}
