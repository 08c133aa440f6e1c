//! Memory that one worker uses again and again: bytes that can be seen as numbers, and back.

use std::ops::Range;

use zerocopy::{FromBytes, IntoBytes, KnownLayout};

use super::scales::index;
use crate::{
    codec::Unpacked,
    container::{Cells, Span},
    kernel::{Codes, CodesRef},
};

/// Bytes aligned for every number of up to 64 bits.
#[derive(Debug, Default)]
pub(crate) struct Buffer(Vec<u64>);

impl Buffer {
    /// Returns `length` bytes, whose contents are those of the last use.
    pub(crate) fn bytes(&mut self, length: usize) -> &mut [u8] {
        let words = length.div_ceil(size_of::<u64>());
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
        &mut self.0.as_mut_bytes()[..length]
    }

    /// Returns room for `length` numbers, whose contents are those of the last use.
    pub(crate) fn numbers<T: FromBytes + IntoBytes>(&mut self, length: usize) -> &mut [T]
    where
        [T]: KnownLayout,
    {
        let bytes = self.bytes(length * size_of::<T>());
        <[T]>::mut_from_bytes(bytes).expect("a buffer is aligned for 64 bits and has this length")
    }

    /// Returns room for codes in words of `size` bytes.
    pub(crate) fn codes(&mut self, size: usize, length: usize) -> Codes<'_> {
        match size {
            1 => Codes::U8(self.numbers(length)),
            2 => Codes::U16(self.numbers(length)),
            4 => Codes::U32(self.numbers(length)),
            _ => Codes::U64(self.numbers(length)),
        }
    }

    /// Returns the codes in words of `size` bytes that were written last.
    pub(crate) fn codes_ref(&mut self, size: usize, length: usize) -> CodesRef<'_> {
        match size {
            1 => CodesRef::U8(self.numbers(length)),
            2 => CodesRef::U16(self.numbers(length)),
            4 => CodesRef::U32(self.numbers(length)),
            _ => CodesRef::U64(self.numbers(length)),
        }
    }
}

/// The memory of one worker.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Bytes as they were read.
    pub(crate) input: Buffer,
    /// Dense codes taken apart, then the codes that are written.
    pub(crate) codes: Buffer,
    /// Numbers of binary32.
    pub(crate) narrow: Buffer,
    /// Numbers of binary64.
    pub(crate) wide: Buffer,
    /// Numbers that neither holds.
    pub(crate) exact: Vec<Unpacked>,
    /// What is written, where it is not the codes as they are.
    pub(crate) output: Vec<u8>,
}

/// Where bytes of a file are read to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// [`Workspace::input`].
    Input,
    /// [`Workspace::narrow`], which they are the numbers of.
    Narrow,
    /// [`Workspace::wide`], which they are the numbers of.
    Wide,
}

impl Workspace {
    /// Returns the bytes where a file is read to.
    pub(crate) fn landing(&mut self, landing: Landing, bytes: usize) -> &mut [u8] {
        match landing {
            Landing::Input => self.input.bytes(bytes),
            Landing::Narrow => self.narrow.bytes(bytes),
            Landing::Wide => self.wide.bytes(bytes),
        }
    }
}

/// Reverses the bytes of each element.
pub(crate) fn swap_bytes(bytes: &mut [u8], size: usize) {
    bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
}

/// Turns words of the machine into little-endian ones, or back.
pub(crate) fn little_endian(bytes: &mut [u8], size: usize) {
    if cfg!(target_endian = "big") {
        swap_bytes(bytes, size);
    }
}

/// Takes codes of 4 or 6 bits apart, one a byte; the first is in the low bits.
pub(crate) fn unpack(dense: &[u8], bits: u32, codes: &mut [u8]) {
    if bits == 4 {
        for (pair, byte) in codes.chunks_mut(2).zip(dense) {
            pair[0] = byte & 0xf;
            if let Some(second) = pair.get_mut(1) {
                *second = byte >> 4;
            }
        }
        return;
    }
    for (four, three) in codes.chunks_mut(4).zip(dense.chunks(3)) {
        let word = three.iter().rev().fold(0u32, |word, &byte| word << 8 | u32::from(byte));
        for (code, at) in four.iter_mut().zip([0, 6, 12, 18]) {
            *code = low_byte(word >> at & 0x3f);
        }
    }
}

/// Takes the 4-bit codes of a range of elements apart, whose bytes begin with those of the first.
pub(crate) fn unpack_cells(cells: &Cells, elements: &Range<u64>, bytes: &[u8], codes: &mut [u8]) {
    each_run(cells, elements, |run, at| {
        let length = run.len();
        unpack(&bytes[at..at + length.div_ceil(2)], 4, &mut codes[run]);
    });
}

/// Puts the 4-bit codes of a range of elements together; what a cell does not need is zero.
pub(crate) fn pack_cells(cells: &Cells, elements: &Range<u64>, codes: &[u8], dense: &mut Vec<u8>) {
    dense.clear();
    each_run(cells, elements, |run, at| {
        dense.resize(at, 0);
        extend_packed(&codes[run], 4, dense);
    });
    let span = Span::Cells(*cells);
    dense.resize(span.bytes(elements).map_or(0, |bytes| index(bytes.end - bytes.start)), 0);
}

/// Visits the elements of each cell in a range, and the byte on which they begin, both counted from
/// the start of the range.
fn each_run(cells: &Cells, elements: &Range<u64>, mut visit: impl FnMut(Range<usize>, usize)) {
    let byte = |element| Span::Cells(*cells).byte(element).expect("ranges begin on bytes");
    let first = byte(elements.start);
    let mut next = elements.start;
    while next < elements.end {
        let end = cells.end(next).min(elements.end);
        let run = index(next - elements.start)..index(end - elements.start);
        visit(run, index(byte(next) - first));
        next = end;
    }
}

/// Puts codes of 4 or 6 bits together; bits left over in the last byte are zero.
pub(crate) fn pack(codes: &[u8], bits: u32, dense: &mut Vec<u8>) {
    dense.clear();
    extend_packed(codes, bits, dense);
}

fn extend_packed(codes: &[u8], bits: u32, dense: &mut Vec<u8>) {
    if bits == 4 {
        dense.extend(codes.chunks(2).map(|pair| pair[0] | pair.get(1).map_or(0, |c| c << 4)));
        return;
    }
    for four in codes.chunks(4) {
        let word = four.iter().rev().fold(0u32, |word, &code| word << 6 | u32::from(code));
        let bytes = (four.len() * 6).div_ceil(8);
        dense.extend_from_slice(&word.to_le_bytes()[..bytes]);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the value is below 256")]
fn low_byte(value: u32) -> u8 {
    value as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_puts_the_first_code_in_the_low_bits() {
        let mut dense = Vec::new();
        pack(&[0x1, 0x2, 0x3], 4, &mut dense);
        assert_eq!(dense, [0x21, 0x03]);
        pack(&[0x3f, 0, 0x3f, 0, 1], 6, &mut dense);
        assert_eq!(dense, [0x3f, 0xf0, 0x03, 0x01]);
    }

    #[test]
    fn cells_begin_on_bytes_and_their_rest_is_zero() {
        // Rows of 7 in blocks of 3, of two bytes each.
        let cells = Cells::nibbles(7, 3);
        let codes: Vec<u8> = (1..15).collect();
        let mut dense = Vec::new();
        pack_cells(&cells, &(0..14), &codes, &mut dense);
        let row = |first: u8| {
            let at = |i: u8| first + i;
            [at(0) | at(1) << 4, at(2), at(3) | at(4) << 4, at(5), at(6), 0]
        };
        assert_eq!(dense, [row(1), row(8)].concat());
        let mut back = vec![0xff; 14];
        unpack_cells(&cells, &(0..14), &dense, &mut back);
        assert_eq!(back, codes);
        let mut back = vec![0xff; 5];
        unpack_cells(&cells, &(5..10), &dense[3..], &mut back);
        assert_eq!(back, codes[5..10]);
    }

    #[test]
    fn unpacking_undoes_packing() {
        for bits in [4, 6] {
            for length in 0..20 {
                let codes: Vec<u8> =
                    (0..length).map(|i: u8| i.wrapping_mul(37) % (1 << bits)).collect();
                let mut dense = Vec::new();
                pack(&codes, bits, &mut dense);
                assert_eq!(dense.len(), (codes.len() * bits as usize).div_ceil(8));
                let mut back = vec![0xff; codes.len()];
                unpack(&dense, bits, &mut back);
                assert_eq!(back, codes);
            }
        }
    }
}
