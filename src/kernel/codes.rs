//! Slices of codes, one code in the low bits of one unsigned integer.

use std::ops::{BitAnd, Range};

use half::slice::HalfFloatSliceExt;

/// Where codes are written.
///
/// The slices of `half`'s types are slices of 16-bit codes:
///
/// ```
/// use fpx::{codec::Projection, format::BF16, kernel::{Dither, Plan, encode_f32}};
/// let mut weights = [half::bf16::ZERO; 2];
/// let plan = Plan::new(&BF16, &Projection::default());
/// encode_f32(&plan, &[1.5, -2.0], weights.as_mut_slice().into(), Dither::default());
/// assert_eq!(weights, [half::bf16::from_f32(1.5), half::bf16::from_f32(-2.0)]);
/// ```
#[derive(Debug)]
pub enum Codes<'a> {
    /// Formats of up to 8 bits.
    U8(&'a mut [u8]),
    /// Formats of up to 16 bits.
    U16(&'a mut [u16]),
    /// Formats of up to 32 bits.
    U32(&'a mut [u32]),
    /// Formats of up to 64 bits.
    U64(&'a mut [u64]),
}

/// Where codes are read. Bits above the format's width are ignored.
#[derive(Clone, Copy, Debug)]
pub enum CodesRef<'a> {
    /// Formats of up to 8 bits.
    U8(&'a [u8]),
    /// Formats of up to 16 bits.
    U16(&'a [u16]),
    /// Formats of up to 32 bits.
    U32(&'a [u32]),
    /// Formats of up to 64 bits.
    U64(&'a [u64]),
}

/// Runs an expression with the slice of either enum, whatever its word.
macro_rules! with_slice {
    ($codes:expr, $enum:ident, $slice:ident => $run:expr) => {
        match $codes {
            $enum::U8($slice) => $run,
            $enum::U16($slice) => $run,
            $enum::U32($slice) => $run,
            $enum::U64($slice) => $run,
        }
    };
}
pub(super) use with_slice;

/// An unsigned integer that holds a code.
pub(super) trait Word: Copy + Ord + BitAnd<Output = Self> {
    /// Bits of the integer.
    const BITS: u32;

    /// Returns the low bits of a code, which fits.
    fn from_code(code: u64) -> Self;

    /// Returns the code.
    fn code(self) -> u64;
}

macro_rules! words {
    ($($(#[$narrows:meta])* $word:ident $variant:ident;)*) => { $(
        impl Word for $word {
            const BITS: u32 = <$word>::BITS;

            #[inline(always)]
            $(#[$narrows])*
            fn from_code(code: u64) -> Self {
                code as Self
            }

            #[inline(always)]
            fn code(self) -> u64 {
                self.into()
            }
        }

        impl<'a> From<&'a mut [$word]> for Codes<'a> {
            fn from(codes: &'a mut [$word]) -> Self {
                Self::$variant(codes)
            }
        }

        impl<'a> From<&'a [$word]> for CodesRef<'a> {
            fn from(codes: &'a [$word]) -> Self {
                Self::$variant(codes)
            }
        }
    )* };
}

words! {
    #[expect(clippy::cast_possible_truncation, reason = "the code fits")] u8 U8;
    #[expect(clippy::cast_possible_truncation, reason = "the code fits")] u16 U16;
    #[expect(clippy::cast_possible_truncation, reason = "the code fits")] u32 U32;
    u64 U64;
}

macro_rules! halves {
    ($($half:ident),*) => { $(
        impl<'a> From<&'a mut [half::$half]> for Codes<'a> {
            fn from(numbers: &'a mut [half::$half]) -> Self {
                Self::U16(numbers.reinterpret_cast_mut())
            }
        }

        impl<'a> From<&'a [half::$half]> for CodesRef<'a> {
            fn from(numbers: &'a [half::$half]) -> Self {
                Self::U16(numbers.reinterpret_cast())
            }
        }
    )* };
}

halves!(f16, bf16);

fn bits<W: Word>(_: &[W]) -> u32 {
    W::BITS
}

impl Codes<'_> {
    /// Returns the places of a range.
    ///
    /// # Panics
    ///
    /// If the range ends beyond the last place.
    pub fn range(&mut self, range: Range<usize>) -> Codes<'_> {
        with_slice!(self, Self, codes => (&mut codes[range]).into())
    }

    /// Replaces each code.
    pub fn map(&mut self, change: impl Fn(u64) -> u64) {
        with_slice!(self, Self, codes => {
            for code in codes.iter_mut() {
                *code = Word::from_code(change(code.code()));
            }
        });
    }

    /// Returns how many codes there is room for.
    pub fn len(&self) -> usize {
        with_slice!(self, Self, codes => codes.len())
    }

    /// Returns the bits of each integer.
    pub(super) fn width(&self) -> u32 {
        with_slice!(self, Self, codes => bits(codes))
    }

    /// Whether there is room for none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl CodesRef<'_> {
    /// Returns the codes of a range.
    ///
    /// # Panics
    ///
    /// If the range ends beyond the last code.
    #[must_use]
    pub fn range(&self, range: Range<usize>) -> Self {
        with_slice!(self, Self, codes => codes[range].into())
    }

    /// Returns the codes in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map(|i| with_slice!(self, Self, codes => codes[i].code()))
    }

    /// Returns how many codes there are.
    pub fn len(&self) -> usize {
        with_slice!(self, Self, codes => codes.len())
    }

    /// Returns the bits of each integer.
    pub(super) fn width(&self) -> u32 {
        with_slice!(self, Self, codes => bits(codes))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
