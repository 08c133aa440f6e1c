//! A number of the machine becomes one lane: its code, in an unsigned word that vector registers
//! hold, with the few operations that the kernels need.

use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Not, Shl, Shr, Sub};

use crate::codec::{Projection, Unpacked, project};
use crate::format::{F32, F64, Format};

/// A floating-point number of the machine.
pub(super) trait Float:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// The word that holds its code.
    type Word: Lane<Float = Self>;

    /// Returns the code.
    fn code(self) -> Self::Word;

    /// Returns the number with a code.
    fn from_code(code: Self::Word) -> Self;

    /// Returns the exact value.
    fn unpacked(self) -> Unpacked;
}

/// A word that holds the code of a [`Float`]. Its arithmetic wraps.
pub(super) trait Lane:
    Copy
    + Ord
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
{
    /// The number whose code this is.
    type Float: Float<Word = Self>;

    const ZERO: Self;
    const ONE: Self;
    /// Bits of the word.
    const BITS: u32;
    /// Bits of the trailing significand.
    const TRAILING: u32;
    /// The sign bit.
    const SIGN: Self;
    /// The leading significand bit, which a code does not show: the last bit of its exponent.
    const HIDDEN: Self;
    /// The magnitude of infinity.
    const INFINITY: Self;

    fn plus(self, other: Self) -> Self;

    fn minus(self, other: Self) -> Self;

    /// Shifts right by a number of bits that differs from lane to lane; 0 beyond the width.
    fn shifted_right(self, bits: Self) -> Self;

    /// Shifts right by a number of bits that differs from lane to lane, below the width.
    fn wrapping_shifted_right(self, bits: Self) -> Self;

    /// Returns the greater of two words read as two's complement.
    fn max_signed(self, other: Self) -> Self;

    /// Returns the lesser of two words read as two's complement.
    fn min_signed(self, other: Self) -> Self;

    /// Whether the sign bit is set.
    #[inline(always)]
    fn is_negative(self) -> bool {
        self & Self::SIGN != Self::ZERO
    }

    /// Returns a word, zero-extended or cut off.
    fn from_u32(word: u32) -> Self;

    /// Returns the low bits of a word.
    fn from_u64(word: u64) -> Self;

    /// Returns the word, zero-extended.
    fn widened(self) -> u64;

    /// Returns a word, sign-extended.
    fn from_signed(word: i32) -> Self;

    /// Returns the low bits of a word.
    fn from_code(code: u128) -> Self;

    /// Returns the code of the number nearest to `x`; one that keeps a NaN's payload.
    fn nearest(x: &Unpacked) -> Self {
        Self::from_code(project(Self::format(), &Projection::default(), x).code)
    }

    /// Returns the format of the number.
    fn format() -> &'static Format;

    /// Returns one of two words.
    #[inline(always)]
    fn select(condition: bool, yes: Self, no: Self) -> Self {
        if condition { yes } else { no }
    }

    /// Returns the magnitude: the code without its sign.
    #[inline(always)]
    fn magnitude(self) -> Self {
        self & !Self::SIGN
    }

    /// Returns the sign bit alone.
    #[inline(always)]
    fn sign(self) -> Self {
        self & Self::SIGN
    }
}

macro_rules! lanes {
    ($($word:ident $float:ident $unpack:ident $format:ident $trailing:literal $(#[$narrows:meta])?;)*) => { $(
        impl Float for $float {
            type Word = $word;

            #[inline(always)]
            fn code(self) -> $word {
                self.to_bits()
            }

            #[inline(always)]
            fn from_code(code: $word) -> Self {
                Self::from_bits(code)
            }

            fn unpacked(self) -> Unpacked {
                Unpacked::$unpack(self)
            }
        }

        impl Lane for $word {
            type Float = $float;

            const ZERO: Self = 0;
            const ONE: Self = 1;
            const BITS: u32 = Self::BITS;
            const TRAILING: u32 = $trailing;
            const SIGN: Self = 1 << (Self::BITS - 1);
            const HIDDEN: Self = 1 << $trailing;
            const INFINITY: Self = $float::INFINITY.to_bits();

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn shifted_right(self, bits: Self) -> Self {
                if bits < Self::BITS.into() { self >> bits } else { 0 }
            }

            #[inline(always)]
            fn wrapping_shifted_right(self, bits: Self) -> Self {
                self >> (bits & (Self::from_u32(Self::BITS) - 1))
            }

            #[inline(always)]
            fn max_signed(self, other: Self) -> Self {
                self.cast_signed().max(other.cast_signed()).cast_unsigned()
            }

            #[inline(always)]
            fn min_signed(self, other: Self) -> Self {
                self.cast_signed().min(other.cast_signed()).cast_unsigned()
            }

            #[inline(always)]
            fn from_u32(word: u32) -> Self {
                word.into()
            }

            $(#[$narrows])?
            #[inline(always)]
            fn from_u64(word: u64) -> Self {
                word as Self
            }

            #[inline(always)]
            fn widened(self) -> u64 {
                self.into()
            }

            fn from_signed(word: i32) -> Self {
                Self::from_code(i128::from(word).cast_unsigned())
            }

            #[expect(clippy::cast_possible_truncation, reason = "the low bits are asked for")]
            fn from_code(code: u128) -> Self {
                code as Self
            }

            fn format() -> &'static Format {
                &$format
            }
        }
    )* };
}

lanes! {
    u32 f32 from_f32 F32 23 #[expect(clippy::cast_possible_truncation, reason = "the low bits are asked for")];
    u64 f64 from_f64 F64 52;
}
