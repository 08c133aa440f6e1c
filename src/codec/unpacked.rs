//! The hub between formats: a floating-point datum taken apart.
//!
//! Every literal and every code becomes an [`Unpacked`], and every result leaves through
//! [`project`](crate::codec::project()). N formats are therefore N rows, not N² conversions. The
//! significand has 128 bits, enough for binary128 (113) with room for the round bit, and one sticky
//! bit stands for everything below, so that a rounding from here is a rounding from the exact value.

/// What kind of datum an [`Unpacked`] is (IEEE 754-2019 §5.7.2, without the signs).
///
/// Whether a finite datum is normal or subnormal depends on a format: ask
/// [`Format::class`](crate::format::Format::class).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Zero of either sign.
    Zero,
    /// A nonzero real number.
    Finite,
    /// An infinity of either sign.
    Infinity,
    /// Not a number, quiet or signalling.
    Nan,
}

/// A datum: sign, kind, and for a finite one `significand × 2^(exponent − 127)` plus less than one
/// unit of the significand's last bit if `sticky`.
///
/// A finite significand is normalised: bit 127, worth `2^exponent`, is set. The significand of a
/// NaN is its trailing field, left-aligned, so that bit 127 is the quiet bit and the payload
/// follows. Zeros and infinities have a significand and an exponent of 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unpacked {
    /// The sign bit: set for −0, for negative numbers, and for NaNs that carry it.
    pub negative: bool,
    /// What the other fields mean.
    pub kind: Kind,
    /// The exponent of the leading bit of a finite datum.
    pub exponent: i32,
    /// The leading 128 bits of a finite datum, or the left-aligned trailing field of a NaN.
    pub significand: u128,
    /// Whether the exact value lies strictly above `significand` in magnitude.
    pub sticky: bool,
}

/// The bit of a NaN's left-aligned trailing field that makes it quiet (IEEE 754-2019 §6.2.1).
pub const QUIET_BIT: u128 = 1 << 127;

impl Unpacked {
    /// Returns a zero of the given sign.
    pub const fn zero(negative: bool) -> Self {
        Self { negative, kind: Kind::Zero, exponent: 0, significand: 0, sticky: false }
    }

    /// Returns an infinity of the given sign.
    pub const fn infinity(negative: bool) -> Self {
        Self { negative, kind: Kind::Infinity, exponent: 0, significand: 0, sticky: false }
    }

    /// Returns a NaN with a left-aligned trailing field; it is quiet if [`QUIET_BIT`] is set.
    pub const fn nan(negative: bool, trailing: u128) -> Self {
        Self { negative, kind: Kind::Nan, exponent: 0, significand: trailing, sticky: false }
    }

    /// Returns ±`integer × 2^quantum_exponent`, which may be zero.
    ///
    /// ```
    /// use fpx::codec::Unpacked;
    /// let x = Unpacked::scaled(false, 3, -1); // 1.5
    /// assert_eq!((x.exponent, x.significand >> 126), (0, 0b11));
    /// ```
    pub const fn scaled(negative: bool, integer: u128, quantum_exponent: i32) -> Self {
        if integer == 0 {
            return Self::zero(negative);
        }
        let leading = integer.leading_zeros();
        Self {
            negative,
            kind: Kind::Finite,
            exponent: quantum_exponent + 127 - leading.cast_signed(),
            significand: integer << leading,
            sticky: false,
        }
    }

    /// Returns the value of a binary32 number, exactly.
    pub const fn from_f32(x: f32) -> Self {
        Self::from_fields(x.to_bits() as u64, 23, 8)
    }

    /// Returns the value of a binary64 number, exactly.
    pub const fn from_f64(x: f64) -> Self {
        Self::from_fields(x.to_bits(), 52, 11)
    }

    /// Decodes an IEEE interchange code of one of the two hardware types.
    #[expect(clippy::cast_possible_truncation, reason = "an exponent field has at most 11 bits")]
    const fn from_fields(code: u64, trailing_width: u32, exponent_width: u32) -> Self {
        let negative = code >> (trailing_width + exponent_width) & 1 == 1;
        let trailing = (code & ((1 << trailing_width) - 1)) as u128;
        let ones = (1 << exponent_width) - 1;
        let biased = (code >> trailing_width & ones) as i32;
        let quantum_exponent = 2 - (1i32 << (exponent_width - 1)) - trailing_width.cast_signed();
        if biased == ones as i32 {
            if trailing == 0 {
                return Self::infinity(negative);
            }
            return Self::nan(negative, trailing << (128 - trailing_width));
        }
        if biased == 0 {
            return Self::scaled(negative, trailing, quantum_exponent);
        }
        Self::scaled(negative, trailing | 1 << trailing_width, quantum_exponent + biased - 1)
    }

    /// Returns the same datum without its sign.
    #[must_use]
    pub const fn magnitude(&self) -> Self {
        Self { negative: false, ..*self }
    }

    /// Whether this is a NaN whose quiet bit is clear.
    pub const fn is_signaling(&self) -> bool {
        matches!(self.kind, Kind::Nan) && self.significand & QUIET_BIT == 0
    }

    /// Whether this is a zero or a nonzero real number.
    pub const fn is_finite(&self) -> bool {
        matches!(self.kind, Kind::Zero | Kind::Finite)
    }

    /// Compares the magnitudes of two finite data.
    ///
    /// Two data that are equal but for a sticky bit compare by it; two sticky data with equal
    /// significands compare equal, their order being unknown.
    pub fn cmp_magnitude(&self, other: &Self) -> std::cmp::Ordering {
        let key = |x: &Self| {
            let nonzero = x.kind == Kind::Finite;
            (nonzero, if nonzero { x.exponent } else { 0 }, x.significand, x.sticky)
        };
        key(self).cmp(&key(other))
    }

    /// Returns the nearest binary64 number, ties to even; a NaN stays one.
    ///
    /// ```
    /// use fpx::codec::Unpacked;
    /// assert_eq!(Unpacked::scaled(true, 5, -2).to_f64(), -1.25);
    /// ```
    #[expect(clippy::cast_possible_truncation, reason = "a binary64 code has 64 bits")]
    pub fn to_f64(&self) -> f64 {
        let format = &crate::format::F64;
        let code = super::project(format, &super::Projection::default(), self).code;
        f64::from_bits(code as u64)
    }
}
