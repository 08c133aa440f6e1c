//! Projection: a real number becomes the code of a format.
//!
//! Every conversion in fpx ends here, whatever it began as. The steps are those of the P3109
//! interim report 4.0 (§4.7.3 to §4.7.6), done on integers:
//!
//! 1. keep the leading `precision` bits of the significand, fewer once the exponent is below `emin`;
//! 2. ask the rounding mode about the bits dropped, and add one if it says away;
//! 3. add the exponent field, so that a carry out of the significand *is* the next exponent;
//! 4. compare with the largest finite magnitude, and apply the overflow policy.
//!
//! Step 4 is a single comparison because a magnitude, read as an integer, is ordered as the numbers
//! are. Rounding comes before the overflow test: 464 is not an overflow in e4m3fn, because it
//! rounds to 448.

use super::{
    Kind, NanPolicy, NanTo, Overflow, Projection, Rounding, Subnormals, Tail, Tininess, Unpacked,
    rounding::Decides, unpacked::QUIET_BIT,
};
use crate::format::{Format, Nan, Parity, Underflow};

/// The exceptions of one operation, in Berkeley TestFloat's bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// No exception.
    pub const NONE: Self = Self(0);
    /// The result is not the exact value.
    pub const INEXACT: Self = Self(1);
    /// The result is tiny and inexact.
    pub const UNDERFLOW: Self = Self(2);
    /// The rounded value lies beyond the largest finite one.
    pub const OVERFLOW: Self = Self(4);
    /// The operation has no usefully definable result, such as a signalling NaN's.
    pub const INVALID: Self = Self(16);
    /// A NaN met a format without one and [`NanTo::Error`]: the code is not to be used. Not an
    /// IEEE flag.
    pub const REFUSED: Self = Self(128);

    const NAMED: [(Self, &'static str); 5] = [
        (Self::INEXACT, "inexact"),
        (Self::UNDERFLOW, "underflow"),
        (Self::OVERFLOW, "overflow"),
        (Self::INVALID, "invalid"),
        (Self::REFUSED, "refused"),
    ];

    /// Whether every flag of `other` is raised.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns TestFloat's two hex digits' worth: inexact 1, underflow 2, overflow 4, invalid 16.
    pub const fn testfloat(self) -> u8 {
        self.0 & 0x1f
    }

    /// Returns the names of the raised flags.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// A code and the exceptions raised in finding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Projected {
    /// The code.
    pub code: u128,
    /// The exceptions.
    pub flags: Flags,
}

/// Rounds a datum to a format, once, and returns its code.
///
/// NaNs, infinities, zeros and overflow follow the policies of `projection`; a NaN that the policies
/// refuse raises [`Flags::REFUSED`].
///
/// ```
/// use fpx::codec::{Overflow, Projection, Unpacked, project};
/// use fpx::format::E4M3FN;
/// let saturating = Projection { overflow: Overflow::Saturate, ..Projection::default() };
/// let x = Unpacked::from_f32(465.0);
/// assert_eq!(project(&E4M3FN, &Projection::default(), &x).code, 0x7f); // NaN
/// assert_eq!(project(&E4M3FN, &saturating, &x).code, 0x7e); // 448
/// ```
pub fn project(format: &Format, projection: &Projection, x: &Unpacked) -> Projected {
    match x.kind {
        Kind::Nan => project_nan(format, projection, x),
        Kind::Infinity | Kind::Finite if x.negative && !format.is_signed() => {
            negative_in_unsigned(format, projection, x)
        }
        Kind::Infinity => project_infinity(format, projection, x.negative),
        Kind::Zero if format.has_zero() => {
            Projected { code: format.code(x.negative, 0), flags: Flags::NONE }
        }
        Kind::Zero => negative_in_unsigned(format, projection, x),
        Kind::Finite => project_finite(format, projection, x),
    }
}

fn project_finite(format: &Format, projection: &Projection, x: &Unpacked) -> Projected {
    let rounded = round(format, projection, x);
    let mut flags = if rounded.inexact { Flags::INEXACT } else { Flags::NONE };
    if rounded.magnitude > format.largest_finite() {
        flags |= Flags::OVERFLOW | Flags::INEXACT;
        let saturates = projection.overflow != Overflow::Ieee
            || !projection.rounding.mode.overflows_to_infinity(x.negative);
        return if saturates {
            Projected { code: format.code(x.negative, format.largest_finite()), flags }
        } else {
            Projected { code: infinity_or_nan(format, x.negative), flags }
        };
    }
    let mut magnitude = rounded.magnitude;
    if rounded.inexact && is_tiny(format, projection, x) {
        flags |= Flags::UNDERFLOW;
    }
    let is_subnormal = magnitude != 0 && magnitude >> format.trailing_width() == 0;
    if projection.subnormals == Subnormals::Flush && format.has_subnormals() && is_subnormal {
        magnitude = 0;
        flags |= Flags::UNDERFLOW | Flags::INEXACT;
    }
    Projected { code: format.code(x.negative, magnitude), flags }
}

/// A magnitude on the format's grid, continued above the largest finite one.
struct Rounded {
    magnitude: u128,
    inexact: bool,
}

/// Rounds a finite magnitude to the format's grid as if its exponents had no upper bound.
fn round(format: &Format, projection: &Projection, x: &Unpacked) -> Rounded {
    let trailing_width = format.trailing_width();
    let biased = x.exponent.saturating_add(format.bias());
    if biased > 1 << format.exponent_width() {
        return Rounded { magnitude: format.largest_finite() + 1, inexact: true };
    }
    if format.facts().underflow == Underflow::Abrupt && is_below_least(format, x) {
        return round_below_least(format, projection, x);
    }
    let least_biased = format.least_biased();
    let dropped_width =
        127 - trailing_width + least_biased.saturating_sub(biased).max(0).cast_unsigned();
    let (kept, fraction) = split(x.significand, dropped_width);
    let field = u128::from(biased.max(least_biased).cast_unsigned()) << trailing_width;
    let magnitude = kept.wrapping_add(field).wrapping_sub(1 << trailing_width);
    let rest = Discarded {
        fraction,
        sticky: x.sticky,
        odd_significand: kept & 1 == 1,
        odd_code: magnitude & 1 == 1,
    };
    let away = goes_away(format, projection, x.negative, rest);
    Rounded { magnitude: magnitude + u128::from(away), inexact: fraction != 0 || x.sticky }
}

/// Splits a significand into the bits above `dropped_width` and the ones below, left-aligned.
///
/// Beyond 128 dropped bits the fraction has leading zeros and loses its last bits. That cannot be
/// seen: the leading bit keeps it from vanishing, and it is less than a half whatever follows.
fn split(significand: u128, dropped_width: u32) -> (u128, u128) {
    match dropped_width {
        0..128 => (significand >> dropped_width, significand << (128 - dropped_width)),
        128..256 => (0, significand >> (dropped_width - 128)),
        _ => (0, 1),
    }
}

/// What a rounding discards, and the parity of what it keeps.
#[derive(Clone, Copy)]
struct Discarded {
    /// The leading 128 bits, left-aligned: the first is worth half a quantum.
    fraction: u128,
    /// Whether anything below them is set.
    sticky: bool,
    /// Whether the kept significand is odd.
    odd_significand: bool,
    /// Whether the code without rounding is odd.
    odd_code: bool,
}

/// Asks the rounding mode whether the magnitude moves away from zero.
fn goes_away(format: &Format, projection: &Projection, negative: bool, rest: Discarded) -> bool {
    let Rounding { mode, random_bits } = projection.rounding;
    let odd = match (mode.decides, format.facts().parity) {
        (Decides::ByChance, _) => return chance(projection.random, random_bits, rest.fraction),
        (Decides::BySignificand, Parity::Significand) => rest.odd_significand,
        (Decides::ByCode, _) | (_, Parity::Code) => rest.odd_code,
    };
    let sticky = rest.sticky || rest.fraction << 1 != 0;
    mode.away(Tail { negative, odd, half: rest.fraction >> 127 == 1, sticky })
}

/// P3109's `StochasticB`: away iff `floor(ν·2^(N+1)) + 2R + 1 ≥ 2^(N+1)` with ν the fraction.
#[expect(clippy::cast_possible_truncation, reason = "at most 33 bits are left")]
fn chance(random: u32, random_bits: u32, fraction: u128) -> bool {
    let threshold = 1u64 << (random_bits + 1);
    let random = u64::from(random) & (threshold / 2 - 1);
    let fraction = (fraction >> (127 - random_bits)) as u64;
    fraction + 2 * random + 1 >= threshold
}

/// Whether a magnitude is below the least positive number of a format without subnormals.
fn is_below_least(format: &Format, x: &Unpacked) -> bool {
    x.cmp_magnitude(&super::decode(format, format.least_positive())).is_lt()
}

/// Rounds between zero and the least positive number; to the latter where there is no zero.
fn round_below_least(format: &Format, projection: &Projection, x: &Unpacked) -> Rounded {
    if !format.has_zero() {
        return Rounded { magnitude: 0, inexact: true };
    }
    let (fraction, sticky) = quotient(x, &super::decode(format, format.least_positive()));
    let rest = Discarded { fraction, sticky, odd_significand: false, odd_code: false };
    let away = goes_away(format, projection, x.negative, rest);
    Rounded { magnitude: u128::from(away), inexact: true }
}

/// Returns the leading bits of `x / divisor`, which is below 1, left-aligned, by long division.
fn quotient(x: &Unpacked, divisor: &Unpacked) -> (u128, bool) {
    const BITS: u32 = 40; // more than the 33 that stochastic rounding reads
    let leading_zeros = divisor.exponent.saturating_sub(x.exponent).cast_unsigned();
    let (mut rest, mut bits) = (x.significand, 0u128);
    // The first step compares without doubling: it finds the bit worth 2^-leading_zeros.
    let mut carry = 0;
    for _ in 0..BITS {
        let fits = carry == 1 || rest >= divisor.significand;
        if fits {
            rest = rest.wrapping_sub(divisor.significand);
        }
        bits = bits << 1 | u128::from(fits);
        carry = rest >> 127;
        rest <<= 1;
    }
    let sticky = rest != 0 || carry != 0 || x.sticky;
    let position = 128 - BITS + 1;
    if leading_zeros < position { (bits << (position - leading_zeros), sticky) } else { (0, true) }
}

/// Whether a nonzero finite datum is tiny: below the least normal number by the rule asked for.
fn is_tiny(format: &Format, projection: &Projection, x: &Unpacked) -> bool {
    if x.exponent > format.emin() {
        return false;
    }
    let Some(least_normal) = format.least_normal() else { return true };
    let least_normal = super::decode(format, format.code(false, least_normal));
    if x.cmp_magnitude(&least_normal).is_ge() {
        return false;
    }
    if x.exponent < format.emin() - 1 {
        return true; // No rounding more than doubles a number.
    }
    match projection.tininess {
        Tininess::Before => true,
        Tininess::After => !rounds_to_normal(format, projection, x, &least_normal),
    }
}

/// Whether a datum below the least normal number reaches it when rounded with unbounded exponent.
fn rounds_to_normal(
    format: &Format,
    projection: &Projection,
    x: &Unpacked,
    least_normal: &Unpacked,
) -> bool {
    if !format.has_zero() {
        return false;
    }
    let (kept, fraction) = split(x.significand, 128 - format.precision());
    let odd_significand = kept & 1 == 1;
    // With one significand bit, the parity of a code is that of its exponent field, below 1 as well.
    let odd_code = if format.precision() == 1 {
        (x.exponent + format.bias()) & 1 == 1
    } else {
        odd_significand
    };
    let rest = Discarded { fraction, sticky: x.sticky, odd_significand, odd_code };
    let away = goes_away(format, projection, x.negative, rest);
    let quantum_exponent = x.exponent - format.trailing_width().cast_signed();
    let rounded = Unpacked::scaled(false, kept + u128::from(away), quantum_exponent);
    rounded.cmp_magnitude(least_normal).is_ge()
}

/// An infinity where there is one, else a NaN, else the largest finite value.
fn infinity_or_nan(format: &Format, negative: bool) -> u128 {
    if format.has_infinity() {
        format.code(negative, format.largest_finite() + 1)
    } else if format.has_nan() {
        nan_code(format, negative, QUIET_BIT)
    } else {
        format.code(negative, format.largest_finite())
    }
}

fn project_infinity(format: &Format, projection: &Projection, negative: bool) -> Projected {
    let code = match projection.overflow {
        Overflow::Saturate => format.code(negative, format.largest_finite()),
        Overflow::Ieee | Overflow::SaturateFinite => infinity_or_nan(format, negative),
    };
    Projected { code, flags: Flags::NONE }
}

/// A value that an unsigned format cannot hold: a negative one, or a zero where there is none.
fn negative_in_unsigned(format: &Format, projection: &Projection, x: &Unpacked) -> Projected {
    let saturates = match projection.overflow {
        Overflow::Ieee => false,
        Overflow::Saturate => true,
        Overflow::SaturateFinite => x.kind != Kind::Infinity,
    };
    let code = if saturates || !format.has_nan() { 0 } else { nan_code(format, false, QUIET_BIT) };
    Projected { code, flags: Flags::INVALID }
}

fn project_nan(format: &Format, projection: &Projection, x: &Unpacked) -> Projected {
    let signaling = if x.is_signaling() { Flags::INVALID } else { Flags::NONE };
    if format.has_nan() {
        let code = match projection.nan {
            NanPolicy::Keep => nan_code(format, x.negative, x.significand),
            NanPolicy::Canonical => nan_code(format, false, QUIET_BIT),
        };
        return Projected { code, flags: signaling };
    }
    match projection.nan_to {
        NanTo::Error => Projected { code: 0, flags: Flags::INVALID | Flags::REFUSED },
        NanTo::Zero => Projected { code: 0, flags: Flags::INVALID },
        NanTo::Max => {
            let code = format.code(x.negative, format.largest_finite());
            Projected { code, flags: Flags::INVALID }
        }
    }
}

/// Returns the quiet NaN with the leading bits of a left-aligned trailing field.
fn nan_code(format: &Format, negative: bool, trailing: u128) -> u128 {
    let trailing_width = format.trailing_width();
    match format.facts().nan {
        Nan::AboveInfinity => {
            let ones = (1u128 << format.exponent_width()) - 1;
            let payload = (trailing | QUIET_BIT) >> (128 - trailing_width);
            format.code(negative, ones << trailing_width | payload)
        }
        Nan::AllOnes => {
            let magnitude = (1u128 << format.magnitude_width()) - 1;
            format.code(negative, magnitude)
        }
        Nan::NegativeZero => format.sign_mask(),
        Nan::Absent => unreachable!("a NaN code is asked for only where there is one"),
    }
}
