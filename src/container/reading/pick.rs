//! Single elements of a tensor, wherever they are.

use std::{io::Read, ops::Range, os::unix::fs::FileExt};

use super::scales::index;
use crate::{
    codec::Unpacked,
    container::{ContainerError, Endian, Feed, Source},
};

/// How the elements of a tensor lie one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stride {
    /// Bits from one element to the next, at most 128.
    pub(crate) bits: u64,
    /// The order of an element's bytes.
    pub(crate) endian: Endian,
}

impl Stride {
    /// The bytes that an element touches.
    fn bytes(self, element: u64) -> Option<Range<u64>> {
        let first = element.checked_mul(self.bits)?;
        let end = first.checked_add(self.bits)?;
        Some(first / 8..end.div_ceil(8))
    }

    /// The bits of an element among the bytes that it touches.
    fn code(self, element: u64, bytes: &[u8]) -> u128 {
        let join = |code: u128, &byte: &u8| code << 8 | u128::from(byte);
        let code = match self.endian {
            Endian::Little => bytes.iter().rev().fold(0, join),
            Endian::Big => bytes.iter().fold(0, join),
        };
        let within = element.wrapping_mul(self.bits) % 8;
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
    stride: Stride,
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
