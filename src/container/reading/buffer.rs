//! Memory that one worker uses again and again: bytes that can be seen as numbers, and back.

use zerocopy::{FromBytes, IntoBytes, KnownLayout};

use crate::{
    codec::Unpacked,
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

/// Puts codes of 4 or 6 bits together; bits left over in the last byte are zero.
pub(crate) fn pack(codes: &[u8], bits: u32, dense: &mut Vec<u8>) {
    dense.clear();
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
