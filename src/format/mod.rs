//! A name becomes a [`Format`]: how codes map to numbers.
//!
//! A format is a descriptor, not a type: a handful of independent facts, from which everything
//! else is derived. The named formats are the rows of the [catalogue]; any other IEEE-like,
//! finite or P3109 format is built from its name by the [grammar](self::parse).
//!
//! One fact carries the design: the magnitude part of a code, read as an integer, is ordered as
//! the magnitudes are. So "largest finite" is one integer, overflow is one comparison, and the
//! next number up is an increment.
//!
//! ```
//! let e4m3fn = fpx::format::parse("float8_e4m3fn").unwrap().format;
//! assert_eq!((e4m3fn.name(), e4m3fn.width(), e4m3fn.bias()), ("e4m3fn", 8, 7));
//! ```

mod alias;
pub mod catalogue;
mod grammar;
mod suggest;

pub use alias::{FormatError, Parsed, parse};
pub use catalogue::{BF16, CATALOGUE, E4M3FN, E5M2, F16, F32, F64, Row};
pub use grammar::p3109_names;
pub use suggest::nearest;

use std::borrow::Cow;

/// Whether codes have a sign bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// The most significant bit is the sign.
    Signed,
    /// There is no sign bit and no negative number.
    Unsigned,
}

/// Whether there are infinities (P3109's domain).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// One infinity for each sign there is, just above the largest finite code.
    Extended,
    /// No infinities.
    Finite,
}

/// Which codes are NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nan {
    /// None.
    Absent,
    /// An exponent field of ones with a nonzero trailing significand (IEEE 754).
    AboveInfinity,
    /// The magnitude of all ones, with either sign.
    AllOnes,
    /// The code that would be −0 (FNUZ, P3109 signed).
    NegativeZero,
}

/// Which zeros there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Zeros {
    /// +0 and −0.
    Both,
    /// Only one, without a sign.
    One,
    /// No zero at all (E8M0).
    Absent,
}

/// What the exponent field 0 holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Underflow {
    /// Zero and the subnormal numbers: gradual underflow.
    Gradual,
    /// One more binade of normal numbers, but for the codes that are zero.
    Abrupt,
}

/// Where the leading significand bit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Hidden: implied by the exponent field.
    Hidden,
    /// Stored, between the exponent and the trailing significand (x87).
    Explicit,
}

/// Which neighbour is even when a tie is rounded to even and there is one significand bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// By the significand: both neighbours are odd and the larger one wins (IEEE 754-2019 §4.3.1).
    Significand,
    /// By the code (P3109 4.0, `CodeIsEven`).
    Code,
}

/// The class of a code (IEEE 754-2019 §5.7.2, the signs apart).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// ±0.
    Zero,
    /// Below the least normal number, and not zero.
    Subnormal,
    /// Full precision.
    Normal,
    /// ±∞.
    Infinity,
    /// A quiet NaN.
    QuietNan,
    /// A signalling NaN.
    SignalingNan,
}

impl Class {
    /// Returns the class in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Subnormal => "subnormal",
            Self::Normal => "normal",
            Self::Infinity => "infinity",
            Self::QuietNan => "quiet NaN",
            Self::SignalingNan => "signalling NaN",
        }
    }
}

/// How codes map to numbers: the independent facts of one format.
///
/// Equality compares the facts, not the name.
#[derive(Clone, Debug)]
pub struct Format {
    name: Cow<'static, str>,
    facts: Facts,
}

/// The independent facts: everything but the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    /// Bits in a code, 2 to 128.
    pub width: u32,
    /// Significand bits, the leading one included, 1 to 113.
    pub precision: u32,
    /// What is subtracted from the exponent field.
    pub bias: i32,
    /// Sign bit or none.
    pub sign: Sign,
    /// Infinities or none.
    pub domain: Domain,
    /// NaN codes.
    pub nan: Nan,
    /// Zeros.
    pub zeros: Zeros,
    /// The exponent field 0.
    pub underflow: Underflow,
    /// The leading significand bit.
    pub layout: Layout,
    /// Ties with one significand bit.
    pub parity: Parity,
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}

impl Eq for Format {}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Format {
    /// Returns the format with these facts under a static name.
    pub(crate) const fn row(name: &'static str, facts: Facts) -> Self {
        Self { name: Cow::Borrowed(name), facts }
    }

    /// Returns the format with these facts under a name made at run time.
    pub(crate) fn named(name: String, facts: Facts) -> Self {
        Self { name: Cow::Owned(name), facts }
    }

    /// Returns the canonical name, which [`parse`] reads back.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the independent facts.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Returns the bits in a code.
    pub const fn width(&self) -> u32 {
        self.facts.width
    }

    /// Returns the significand bits, the leading one included.
    pub const fn precision(&self) -> u32 {
        self.facts.precision
    }

    /// Returns the exponent bias.
    pub const fn bias(&self) -> i32 {
        self.facts.bias
    }

    /// Whether there is a sign bit.
    pub const fn is_signed(&self) -> bool {
        matches!(self.facts.sign, Sign::Signed)
    }

    /// Whether there are infinities.
    pub const fn has_infinity(&self) -> bool {
        matches!(self.facts.domain, Domain::Extended)
    }

    /// Whether there is a NaN.
    pub const fn has_nan(&self) -> bool {
        !matches!(self.facts.nan, Nan::Absent)
    }

    /// Whether there is a zero.
    pub const fn has_zero(&self) -> bool {
        !matches!(self.facts.zeros, Zeros::Absent)
    }

    /// Whether there is a −0 beside the +0.
    pub const fn has_negative_zero(&self) -> bool {
        self.is_signed() && matches!(self.facts.zeros, Zeros::Both)
    }

    /// Whether there are subnormal numbers.
    pub const fn has_subnormals(&self) -> bool {
        matches!(self.facts.underflow, Underflow::Gradual) && self.trailing_width() > 0
    }

    /// Returns the stored significand bits below the leading one.
    pub const fn trailing_width(&self) -> u32 {
        self.facts.precision - 1
    }

    /// Returns the bits of the exponent field.
    pub const fn exponent_width(&self) -> u32 {
        let explicit = matches!(self.facts.layout, Layout::Explicit) as u32;
        self.facts.width - self.is_signed() as u32 - self.trailing_width() - explicit
    }

    /// Returns the bits of exponent and trailing significand together.
    pub const fn magnitude_width(&self) -> u32 {
        self.exponent_width() + self.trailing_width()
    }

    /// Returns the magnitude of all ones.
    const fn magnitude_mask(&self) -> u128 {
        u128::MAX >> (128 - self.magnitude_width())
    }

    /// Returns the mask of all code bits.
    pub const fn code_mask(&self) -> u128 {
        u128::MAX >> (128 - self.facts.width)
    }

    /// Returns the sign bit of a code, 0 for an unsigned format.
    pub const fn sign_mask(&self) -> u128 {
        (self.is_signed() as u128) << (self.facts.width - 1)
    }

    /// Returns the magnitude of the largest finite number, as an integer with a hidden leading bit.
    pub const fn largest_finite(&self) -> u128 {
        let infinities = self.has_infinity() as u128;
        match self.facts.nan {
            Nan::Absent | Nan::NegativeZero => self.magnitude_mask() - infinities,
            Nan::AllOnes => self.magnitude_mask() - 1 - infinities,
            Nan::AboveInfinity => {
                let ones = self.magnitude_mask() >> self.trailing_width();
                (ones << self.trailing_width()) - infinities
            }
        }
    }

    /// Returns the least exponent field of the grid of finite numbers: 1 where field 0 is subnormal.
    pub(crate) const fn least_biased(&self) -> i32 {
        matches!(self.facts.underflow, Underflow::Gradual) as i32
    }

    /// Returns the exponent field of a magnitude.
    #[expect(clippy::cast_possible_truncation, reason = "an exponent field has at most 15 bits")]
    pub(crate) const fn biased(&self, magnitude: u128) -> i32 {
        (magnitude >> self.trailing_width()) as i32
    }

    /// Returns the exponent field of a code.
    pub const fn biased_exponent(&self, code: u128) -> i32 {
        let unsigned = code & self.code_mask() & !self.sign_mask();
        let stored_leading = matches!(self.facts.layout, Layout::Explicit) as u32;
        self.biased(unsigned >> stored_leading)
    }

    /// Returns the exponent of the least normal number.
    pub const fn emin(&self) -> i32 {
        self.least_biased() - self.facts.bias
    }

    /// Returns the exponent of the largest finite number; that of the subnormals if there are no
    /// normal numbers.
    pub const fn emax(&self) -> i32 {
        let biased = self.biased(self.largest_finite());
        if biased > self.least_biased() { biased - self.facts.bias } else { self.emin() }
    }

    /// Returns the exponent of the last bit of a subnormal number: the least quantum is 2 to this.
    pub const fn least_quantum_exponent(&self) -> i32 {
        self.emin() - self.trailing_width().cast_signed()
    }

    /// Returns the magnitude of the least positive number; 0 for E8M0, whose code 0 is a number.
    pub const fn least_positive(&self) -> u128 {
        self.has_zero() as u128
    }

    /// Returns the magnitude of the least normal number, if there is a normal number.
    pub const fn least_normal(&self) -> Option<u128> {
        let least = match self.facts.underflow {
            Underflow::Gradual => 1 << self.trailing_width(),
            Underflow::Abrupt => self.least_positive(),
        };
        if least <= self.largest_finite() { Some(least) } else { None }
    }

    /// Returns the hex digits that show a code.
    pub const fn hex_digits(&self) -> usize {
        self.facts.width.div_ceil(4) as usize
    }

    /// Returns the bytes of one element of this format stored alone: 1, 2, 4, 8 or 16.
    pub const fn storage_bytes(&self) -> usize {
        (self.facts.width.div_ceil(8) as usize).next_power_of_two()
    }

    /// Returns a magnitude as a code of the given sign, inserting the leading bit where it is stored.
    ///
    /// Without a sign, or for the zero of a format that has only one, the sign is dropped.
    pub(crate) const fn code(&self, negative: bool, magnitude: u128) -> u128 {
        let has_sign = magnitude != 0 || self.has_negative_zero();
        let sign = if negative && has_sign { self.sign_mask() } else { 0 };
        match self.facts.layout {
            Layout::Hidden => sign | magnitude,
            Layout::Explicit => {
                let trailing_width = self.trailing_width();
                let biased = magnitude >> trailing_width;
                let leading = (biased != 0) as u128;
                let trailing = magnitude & ((1 << trailing_width) - 1);
                sign | biased << (trailing_width + 1) | leading << trailing_width | trailing
            }
        }
    }
}
