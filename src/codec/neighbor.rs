//! The arithmetic of ordered codes: the next number up and down, the quantum, the distance in
//! codes, and the reals that round to a code.

use super::{Kind, Projection, Subnormals, Unpacked, decode, decode::magnitude, project};
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
///
/// Between numbers of opposite sign binary128 has distances that no `i128` holds: these saturate.
pub fn distance(format: &Format, from: u128, to: u128) -> Option<i128> {
    Some(ordinal(format, to)?.saturating_sub(ordinal(format, from)?))
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
/// The ends are exact, but for stochastic rounding with so many random bits that an end has more
/// than 128: it is then rounded into the interval.
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
    let m = magnitude(format, code);
    if m == 0 {
        // The zero, or E8M0's least number, to which no negative number need round.
        let zero = Unpacked::zero(false);
        let at_zero = End { at: zero, closed: line.reaches(&zero) };
        let side = |negative| line.outer(negative, 0).unwrap_or(at_zero);
        return Some(Interval { low: side(true), high: side(false) });
    }
    let (inner, outer) = (line.inner(x.negative, m)?, line.outer(x.negative, m)?);
    let (low, high) = if x.negative { (outer, inner) } else { (inner, outer) };
    Some(Interval { low, high })
}

/// The number at a magnitude of the grid, continued one step above the largest finite number.
fn grid(format: &Format, negative: bool, magnitude: u128) -> Unpacked {
    if magnitude == 0 && format.has_zero() {
        return Unpacked::zero(negative);
    }
    if magnitude <= format.largest_finite() {
        return decode(format, format.code(negative, magnitude));
    }
    let below = grid(format, negative, format.largest_finite());
    let (integer, quantum_exponent) = match below.kind {
        Kind::Finite => {
            let leading = below.exponent.max(format.emin());
            let quantum_exponent = leading - format.trailing_width().cast_signed();
            (below.significand >> (127 - below.exponent + quantum_exponent), quantum_exponent)
        }
        Kind::Zero | Kind::Infinity | Kind::Nan => (0, format.least_quantum_exponent()),
    };
    Unpacked::scaled(negative, integer + 1, quantum_exponent)
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
        let own = decode(self.format, self.code);
        let with = |random| {
            let code = project(self.format, &self.projection.with_random(random), x).code;
            let got = decode(self.format, code);
            got == own || (got.kind == Kind::Zero && own.kind == Kind::Zero)
        };
        with(0) || (self.projection.rounding.mode.is_stochastic() && with(u32::MAX))
    }

    /// Whether the reals just above a datum in magnitude round to the code.
    fn reaches_above(&self, x: &Unpacked) -> bool {
        let far_below_everything = Unpacked::scaled(x.negative, 1, -(1 << 24));
        self.reaches(&match x.kind {
            Kind::Zero => far_below_everything,
            Kind::Finite | Kind::Infinity | Kind::Nan => Unpacked { sticky: true, ..*x },
        })
    }

    /// Appends the numbers from one magnitude to the next at which a rounding may change its mind:
    /// the two, their midpoint, and for stochastic rounding where chance begins and ends.
    fn cell(&self, negative: bool, m: u128) -> Vec<Unpacked> {
        let (low, high) = (grid(self.format, negative, m), grid(self.format, negative, m + 1));
        let aligned = match low.kind {
            Kind::Finite => low.significand >> (high.exponent - low.exponent).cast_unsigned(),
            Kind::Zero | Kind::Infinity | Kind::Nan => 0,
        };
        let gap = high.significand - aligned;
        let at = |significand| Unpacked::scaled(negative, significand, high.exponent - 127);
        let middle = at(aligned + gap / 2);
        if !self.projection.rounding.mode.is_stochastic() {
            return vec![low, middle, high];
        }
        // `chance` sees a fraction of 2^-(N+1) and more; a datum has room for this many bits.
        let room = 126 - self.format.precision();
        let least = gap >> (self.projection.rounding.random_bits + 1).min(room);
        vec![low, at(aligned + least), middle, at(high.significand - least), high]
    }

    /// The numbers near a magnitude other than zero, in order of magnitude.
    fn near(&self, negative: bool, m: u128) -> Vec<Unpacked> {
        let mut points = self.cell(negative, m - 1);
        if m <= self.format.largest_finite() {
            points.pop();
            points.extend(self.cell(negative, m));
        }
        points
    }

    /// The end toward zero of a nonzero code's interval, if any real rounds to it.
    fn inner(&self, negative: bool, m: u128) -> Option<End> {
        self.near(negative, m).into_iter().find_map(|at| {
            let closed = self.reaches(&at);
            (closed || self.reaches_above(&at)).then_some(End { at, closed })
        })
    }

    /// The end away from zero of a code's interval, if any real of this sign or zero rounds to it.
    fn outer(&self, negative: bool, m: u128) -> Option<End> {
        let beyond = Unpacked { exponent: 1 << 24, ..Unpacked::scaled(negative, 1, 0) };
        if self.reaches(&beyond) {
            let at = Unpacked::infinity(negative);
            return Some(End { at, closed: self.reaches(&at) });
        }
        let points = match m {
            0 if negative && !self.format.is_signed() => vec![Unpacked::zero(false)],
            0 => self.cell(negative, self.last_zero()),
            m => self.near(negative, m),
        };
        (0..points.len()).rev().find_map(|i| {
            let closed = self.reaches(&points[i]);
            let is_end = closed || (i > 0 && self.reaches_above(&points[i - 1]));
            is_end.then_some(End { at: points[i], closed })
        })
    }

    /// The largest magnitude that becomes zero once it is rounded: with `--subnormals flush`, the
    /// largest subnormal one.
    fn last_zero(&self) -> u128 {
        match self.projection.subnormals {
            Subnormals::Flush if self.format.has_subnormals() => {
                ((1 << self.format.trailing_width()) - 1).min(self.format.largest_finite())
            }
            Subnormals::Keep | Subnormals::Flush => 0,
        }
    }
}
