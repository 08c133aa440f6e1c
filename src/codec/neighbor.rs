//! The arithmetic of ordered codes: the next number up and down, the quantum, the distance in
//! codes, and the reals that round to a code.

use std::cmp::Ordering;

use super::{Kind, Projection, Unpacked, decode, decode::magnitude, project};
use crate::format::Format;

/// A code's place on the format's number line: +0 and −0 are both 0, and the next number up is one
/// more. NaNs have none.
///
/// A format without zero (E8M0) counts from 0 as well, since its code 0 is its least number.
fn ordinal(format: &Format, code: u128) -> Option<i128> {
    let x = decode(format, code);
    if x.kind == Kind::Nan {
        return None;
    }
    let magnitude = magnitude(format, code).cast_signed();
    Some(if x.negative { -magnitude } else { magnitude })
}

/// Returns the code at an ordinal, or `None` beyond the largest number or infinity.
fn at_ordinal(format: &Format, ordinal: i128) -> Option<u128> {
    let negative = ordinal < 0;
    let top = format.largest_finite() + u128::from(format.has_infinity());
    let exists = ordinal.unsigned_abs() <= top && (format.is_signed() || !negative);
    exists.then(|| format.code(negative, ordinal.unsigned_abs()))
}

/// Returns the code of the least number above a code's, −0 counting as +0 (IEEE 754-2019 §5.3.1).
///
/// `None` above infinity, above the largest number of a format without infinity, and for a NaN.
///
/// ```
/// use fpx::{codec::neighbor::next_up, format::F16};
/// assert_eq!(next_up(&F16, 0x8000), Some(0x0001)); // −0 → the least subnormal
/// assert_eq!(next_up(&F16, 0x7bff), Some(0x7c00)); // 65504 → ∞
/// ```
pub fn next_up(format: &Format, code: u128) -> Option<u128> {
    at_ordinal(format, ordinal(format, code)? + 1)
}

/// Returns the code of the greatest number below a code's; see [`next_up`].
pub fn next_down(format: &Format, code: u128) -> Option<u128> {
    at_ordinal(format, ordinal(format, code)? - 1)
}

/// Returns how many steps of [`next_up`] lead from `from` to `to`; `None` if one is a NaN.
pub fn distance(format: &Format, from: u128, to: u128) -> Option<i128> {
    Some(ordinal(format, to)? - ordinal(format, from)?)
}

/// Returns the exponent of the quantum of a finite datum in a format: `2^(max(e, emin) − P + 1)` is
/// the ulp in which fpx reports errors (IEEE 754-2019 §3.3).
///
/// At a power of two it is the spacing above, twice the spacing below. Zero and everything below
/// `emin` have the quantum of the subnormals. `None` for an infinity or a NaN.
///
/// ```
/// use fpx::codec::{Unpacked, neighbor::quantum_exponent};
/// use fpx::format::E4M3FN;
/// assert_eq!(quantum_exponent(&E4M3FN, &Unpacked::from_f32(448.0)), Some(5));
/// ```
pub fn quantum_exponent(format: &Format, x: &Unpacked) -> Option<i32> {
    match x.kind {
        Kind::Zero => Some(format.least_quantum_exponent()),
        Kind::Finite => Some(x.exponent.max(format.emin()) - format.trailing_width().cast_signed()),
        Kind::Infinity | Kind::Nan => None,
    }
}

/// One end of an [`Interval`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The real number, or an infinity where the interval has no end.
    pub at: Unpacked,
    /// Whether that number itself rounds to the code.
    pub closed: bool,
}

/// The reals that round to one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The lower end.
    pub low: End,
    /// The upper end.
    pub high: End,
}

/// Returns the reals that `projection` rounds to `code`; for stochastic rounding, those that may.
/// `None` for a NaN, and for a code that no real rounds to.
///
/// ```
/// use fpx::codec::{Projection, neighbor::interval};
/// use fpx::format::E4M3FN;
/// let top = interval(&E4M3FN, &Projection::default(), 0x7e).unwrap();
/// assert_eq!((top.low.at.to_f64(), top.high.at.to_f64(), top.high.closed), (432.0, 464.0, true));
/// ```
pub fn interval(format: &Format, projection: &Projection, code: u128) -> Option<Interval> {
    let x = decode(format, code);
    if x.kind == Kind::Nan {
        return None;
    }
    let line = Line { format, projection, code };
    let (low, high) = if x.kind == Kind::Zero {
        (line.outer(true, None, first(format, true)), line.outer(false, None, first(format, false)))
    } else {
        let m = magnitude(format, code);
        let inner = line.inner(x.negative, m);
        let outer = line.outer(x.negative, Some(m), grid(format, x.negative, m + 1));
        if x.negative { (outer, inner) } else { (inner, outer) }
    };
    let is_empty = low.at == high.at && !low.closed && x.kind != Kind::Finite;
    (!is_empty).then_some(Interval { low, high })
}

/// The number at a magnitude of the grid, continued one step above the largest finite number.
fn grid(format: &Format, negative: bool, magnitude: u128) -> Unpacked {
    if magnitude <= format.largest_finite() {
        return decode(format, format.code(negative, magnitude));
    }
    let below = decode(format, format.code(negative, format.largest_finite()));
    let quantum = Unpacked::scaled(negative, 1, quantum_exponent(format, &below).unwrap_or(0));
    add_magnitudes(&below, &quantum)
}

/// The least number of a sign, or the zero itself where that sign has none.
fn first(format: &Format, negative: bool) -> Unpacked {
    if negative && !format.is_signed() {
        return Unpacked::zero(false);
    }
    grid(format, negative, 1)
}

/// Adds two finite data of one sign whose sum has at most 128 bits.
fn add_magnitudes(a: &Unpacked, b: &Unpacked) -> Unpacked {
    let (large, small) = if a.cmp_magnitude(b) == Ordering::Less { (b, a) } else { (a, b) };
    if small.kind == Kind::Zero {
        return *large;
    }
    let aligned =
        small.significand >> (large.exponent - small.exponent + 1).cast_unsigned().min(127);
    let sum = (large.significand >> 1) + aligned;
    Unpacked::scaled(large.negative, sum, large.exponent - 126)
}

/// Half the sum of two finite data of one sign.
fn midpoint(a: &Unpacked, b: &Unpacked) -> Unpacked {
    let sum = add_magnitudes(a, b);
    Unpacked { exponent: sum.exponent - 1, ..sum }
}

/// A code and the rounding whose preimage is sought, a side at a time.
struct Line<'a> {
    format: &'a Format,
    projection: &'a Projection,
    code: u128,
}

impl Line<'_> {
    /// Whether a real may round to the code: with stochastic rounding, for some random bits.
    fn reaches(&self, x: &Unpacked) -> bool {
        let with = |random| {
            let code = project(self.format, &self.projection.with_random(random), x).code;
            decode(self.format, code) == decode(self.format, self.code)
                || (decode(self.format, code).kind == Kind::Zero
                    && decode(self.format, self.code).kind == Kind::Zero)
        };
        with(0) || (self.projection.rounding.mode.is_stochastic() && with(u32::MAX))
    }

    /// Whether the reals just above a datum in magnitude round to the code.
    fn reaches_above(&self, x: &Unpacked) -> bool {
        let mut above = *x;
        if x.kind == Kind::Zero {
            above = Unpacked::scaled(x.negative, 1, self.format.least_quantum_exponent() - 40);
        }
        // A step that stochastic rounding can see: its fraction is then above 2^-32 of a quantum.
        above.significand |= 1 << 100_u32.min(126 - self.format.precision());
        self.reaches(&Unpacked { sticky: true, ..above })
    }

    fn end(&self, at: Unpacked) -> End {
        End { at, closed: self.reaches(&at) }
    }

    /// The end toward zero of a nonzero code's interval.
    fn inner(&self, negative: bool, m: u128) -> End {
        if m == 0 {
            // E8M0's least number: everything positive below rounds to it.
            return End { at: Unpacked::zero(false), closed: false };
        }
        let below = grid(self.format, negative, m - 1);
        let below = if m == 1 && self.format.has_zero() { Unpacked::zero(negative) } else { below };
        let own = grid(self.format, negative, m);
        let middle = midpoint(&below, &own);
        self.end(if self.reaches_above(&below) {
            below
        } else if self.reaches_above(&middle) {
            middle
        } else {
            own
        })
    }

    /// The end away from zero of a code's interval; `m` is `None` for zero.
    fn outer(&self, negative: bool, m: Option<u128>, above: Unpacked) -> End {
        let beyond = Unpacked { exponent: 1 << 24, ..Unpacked::scaled(negative, 1, 0) };
        if self.reaches(&beyond) {
            return End {
                at: Unpacked::infinity(negative),
                closed: self.reaches(&Unpacked::infinity(negative)),
            };
        }
        let own = match m {
            Some(m) => grid(self.format, negative, m),
            None => Unpacked::zero(negative),
        };
        if above.kind == Kind::Zero {
            return self.end(own);
        }
        let middle = midpoint(&own, &above);
        self.end(if self.reaches_above(&middle) {
            above
        } else if self.reaches_above(&own) {
            middle
        } else {
            own
        })
    }
}
