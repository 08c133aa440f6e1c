//! The oracle: an answer found by search, with exact fractions, from the documents alone.
//!
//! It shares no code with `codec`. A [`Spec`] is a format written down once more from its
//! specification; [`Spec::value`] reads a code; an [`Oracle`] lists every value of a target and the
//! midpoints between them, and finds where a number falls by binary search. Policies follow IEEE
//! 754-2019 §7, OCP OFP8 1.0 and P3109 4.0. From `fpx` it takes only the names of policies.

mod specs;

use std::cmp::Ordering;

use fpx::codec::{NanPolicy, NanTo, Overflow, Projection, Subnormals, Tininess};
use num_bigint::BigUint;

use specs::{Even, NanCodes, ZeroCodes};
pub(crate) use specs::{Spec, catalogue, custom, p3109_up_to};

/// A magnitude `integer · 2^exponent`, or infinitesimally more if `above`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Magnitude {
    pub(crate) integer: u128,
    pub(crate) exponent: i32,
    pub(crate) above: bool,
}

impl Magnitude {
    pub(crate) const fn new(integer: u128, exponent: i32) -> Self {
        Self { integer, exponent, above: false }
    }

    /// The exponent of the leading bit.
    fn leading(&self) -> i32 {
        self.exponent + 127 - self.integer.leading_zeros().cast_signed()
    }

    /// Compares two magnitudes exactly; `above` breaks a tie.
    pub(crate) fn cmp(&self, other: &Self) -> Ordering {
        let key = |x: &Self| match x.integer {
            0 => (i32::MIN, 0, x.above),
            integer => (x.leading(), integer << integer.leading_zeros(), x.above),
        };
        key(self).cmp(&key(other))
    }

    /// The integer over a smaller exponent.
    fn over(&self, exponent: i32) -> BigUint {
        BigUint::from(self.integer) << (self.exponent - exponent).cast_unsigned()
    }

    /// Half the sum of two magnitudes whose integers fit the smaller exponent of the two.
    fn midpoint(&self, other: &Self) -> Self {
        let (low, high) = if self.integer == 0 { (self, other) } else { (other, self) };
        if low.integer == 0 {
            return Self::new(high.integer, high.exponent - 1);
        }
        let exponent = self.exponent.min(other.exponent);
        let at = |x: &Self| x.integer << (x.exponent - exponent).cast_unsigned();
        Self::new(at(self) + at(other), exponent - 1)
    }
}

/// What a code stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    /// A NaN with the `width` bits of its trailing field.
    Nan {
        negative: bool,
        trailing: u128,
        width: u32,
    },
    Infinity {
        negative: bool,
    },
    /// A zero or a number.
    Real {
        negative: bool,
        magnitude: Magnitude,
    },
}

/// The five classes that values tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueClass {
    Nan,
    Infinity,
    Zero,
    Subnormal,
    Normal,
}

impl Spec {
    const fn trailing_mask(&self) -> u128 {
        (1 << self.trailing) - 1
    }

    pub(crate) const fn width(&self) -> u32 {
        self.signed as u32 + self.exponent + self.trailing
    }

    pub(crate) const fn precision(&self) -> u32 {
        self.trailing + 1
    }

    /// The codes of the format.
    pub(crate) const fn codes(&self) -> std::ops::Range<u128> {
        0..1 << self.width()
    }

    const fn sign_bit(&self) -> u128 {
        if self.signed { 1 << (self.width() - 1) } else { 0 }
    }

    const fn ones(&self) -> u128 {
        (1 << (self.exponent + self.trailing)) - 1
    }

    /// The magnitude field of the infinities.
    const fn infinity_field(&self) -> Option<u128> {
        if !self.infinity {
            return None;
        }
        Some(match self.nan {
            NanCodes::Ieee => self.ones() - self.trailing_mask(),
            NanCodes::AllOnes => self.ones() - 1,
            NanCodes::SignBit | NanCodes::None => self.ones(),
        })
    }

    fn is_nan_code(&self, code: u128) -> bool {
        let field = code & self.ones();
        match self.nan {
            NanCodes::None => false,
            NanCodes::AllOnes => field == self.ones(),
            NanCodes::SignBit => code == self.sign_bit(),
            NanCodes::Ieee => {
                field >> self.trailing == (1 << self.exponent) - 1
                    && field & self.trailing_mask() != 0
            }
        }
    }

    /// The least normal number, were there one: 2 to `emin`, or the least number if field 0 is normal.
    fn least_normal(&self) -> Magnitude {
        match (self.subnormals, self.zero) {
            (true, _) => Magnitude::new(1, 1 - self.bias),
            (false, ZeroCodes::None) => Magnitude::new(1, -self.bias),
            (false, _) => self.magnitude(1),
        }
    }

    /// The magnitude of a field that is neither infinite nor NaN.
    fn magnitude(&self, field: u128) -> Magnitude {
        let biased = i32::try_from(field >> self.trailing).unwrap();
        let trailing = field & self.trailing_mask();
        let last_place = -self.bias - self.trailing.cast_signed();
        if field == 0 && self.zero != ZeroCodes::None {
            Magnitude::new(0, 0)
        } else if biased == 0 && self.subnormals {
            Magnitude::new(trailing, last_place + 1)
        } else {
            Magnitude::new(trailing + self.trailing_mask() + 1, last_place + biased)
        }
    }

    /// Reads a code.
    pub(crate) fn value(&self, code: u128) -> Value {
        let negative = self.signed && code & self.sign_bit() != 0;
        let field = code & self.ones();
        if self.is_nan_code(code) {
            return match self.nan {
                NanCodes::Ieee => Value::Nan {
                    negative,
                    trailing: field & self.trailing_mask(),
                    width: self.trailing,
                },
                // A single NaN has no payload, and P3109's and FNUZ's have no sign.
                NanCodes::None | NanCodes::AllOnes | NanCodes::SignBit => Value::Nan {
                    negative: negative && self.nan != NanCodes::SignBit,
                    trailing: 1,
                    width: 1,
                },
            };
        }
        if Some(field) == self.infinity_field() {
            return Value::Infinity { negative };
        }
        let magnitude = self.magnitude(field);
        let signless_zero = magnitude.integer == 0 && self.zero != ZeroCodes::Both;
        Value::Real { negative: negative && !signless_zero, magnitude }
    }

    pub(crate) fn class(&self, code: u128) -> ValueClass {
        match self.value(code) {
            Value::Nan { .. } => ValueClass::Nan,
            Value::Infinity { .. } => ValueClass::Infinity,
            Value::Real { magnitude, .. } if magnitude.integer == 0 => ValueClass::Zero,
            Value::Real { magnitude, .. } if magnitude.cmp(&self.least_normal()).is_lt() => {
                ValueClass::Subnormal
            }
            Value::Real { .. } => ValueClass::Normal,
        }
    }

    /// The NaN that a NaN input becomes, or the one of an overflow.
    fn nan_code(&self, negative: bool, trailing: u128, width: u32) -> Option<u128> {
        let sign = if negative { self.sign_bit() } else { 0 };
        Some(match self.nan {
            NanCodes::None => return None,
            NanCodes::SignBit => self.sign_bit(),
            NanCodes::AllOnes => sign | self.ones(),
            NanCodes::Ieee => {
                let payload = if width > self.trailing {
                    trailing >> (width - self.trailing)
                } else {
                    trailing << (self.trailing - width)
                };
                let quiet = 1 << (self.trailing - 1);
                sign | (self.ones() - self.trailing_mask()) | quiet | payload
            }
        })
    }

    fn quiet_nan(&self, negative: bool) -> Option<u128> {
        self.nan_code(negative, 1, 1)
    }
}

/// A rounding mode as the oracle decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    NearestEven,
    NearestAway,
    TowardZero,
    Up,
    Down,
    Odd,
    /// P3109's `StochasticB` with so many random bits, which are `random`.
    Stochastic {
        bits: u32,
        random: u32,
    },
}

impl Mode {
    pub(crate) fn of(projection: &Projection) -> Self {
        match projection.rounding.mode.name {
            "rne" => Self::NearestEven,
            "rna" => Self::NearestAway,
            "rtz" => Self::TowardZero,
            "rup" => Self::Up,
            "rdn" => Self::Down,
            "rto" => Self::Odd,
            "sr" => Self::Stochastic {
                bits: projection.rounding.random_bits,
                random: projection.random,
            },
            name => panic!("the oracle does not know '{name}'"),
        }
    }
}

/// Where a magnitude falls among the values of a target.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// On the value at this index.
    On(usize),
    /// Strictly between the values at this index and the next; compared with the midpoint.
    Between(usize, Ordering),
    /// Below the least value of a format without zero.
    BelowLeast,
    /// At or beyond the first value that the exponent range excludes.
    Beyond,
}

/// A target with all its magnitudes.
pub(crate) struct Oracle {
    pub(crate) spec: Spec,
    /// The finite magnitudes, by their field, and then the first one beyond.
    magnitudes: Vec<Magnitude>,
    /// The midpoint of each magnitude and the next.
    midpoints: Vec<Magnitude>,
}

/// An answer: `None` for a NaN refused by [`NanTo::Error`]; flags in TestFloat's bits.
pub(crate) type Answer = (Option<u128>, u8);

const INEXACT: u8 = 1;
const UNDERFLOW: u8 = 2;
const OVERFLOW: u8 = 4;
const INVALID: u8 = 16;

impl Oracle {
    pub(crate) fn new(spec: Spec) -> Self {
        let fields = (0..=spec.ones())
            .take_while(|field| Some(*field) != spec.infinity_field())
            .filter(|field| spec.nan == NanCodes::SignBit || !spec.is_nan_code(*field));
        let mut magnitudes: Vec<Magnitude> = fields.map(|field| spec.magnitude(field)).collect();
        let last = magnitudes[magnitudes.len() - 1];
        let least_quantum = 1 - spec.bias - spec.trailing.cast_signed();
        magnitudes.push(match last.integer {
            0 => Magnitude::new(1, least_quantum),
            integer => Magnitude::new(integer + 1, last.exponent),
        });
        let midpoints = magnitudes.windows(2).map(|pair| pair[0].midpoint(&pair[1])).collect();
        Self { spec, magnitudes, midpoints }
    }

    /// The finite magnitudes and the first beyond, in order.
    pub(crate) fn magnitudes(&self) -> &[Magnitude] {
        &self.magnitudes
    }

    /// The midpoints of neighbours, in order.
    pub(crate) fn midpoints(&self) -> &[Magnitude] {
        &self.midpoints
    }

    fn beyond(&self) -> usize {
        self.magnitudes.len() - 1
    }

    /// The index of the largest finite magnitude, which is its field.
    pub(crate) fn largest(&self) -> u128 {
        self.beyond() as u128 - 1
    }

    fn place(&self, x: &Magnitude) -> Place {
        let above = self.magnitudes.partition_point(|value| value.cmp(x).is_le());
        if above == 0 {
            return Place::BelowLeast;
        }
        let below = above - 1;
        if below == self.beyond() {
            Place::Beyond
        } else if self.magnitudes[below].cmp(x).is_eq() {
            Place::On(below)
        } else {
            Place::Between(below, x.cmp(&self.midpoints[below]))
        }
    }

    /// Whether the value at an index is even, for a tie.
    fn is_even(&self, index: usize) -> bool {
        match (self.spec.precision(), self.spec.even) {
            // With one significand digit every value but zero is odd (IEEE 754-2019 §4.3.1).
            (1, Even::Significand) => index == 0 && self.spec.zero != ZeroCodes::None,
            _ => index.is_multiple_of(2),
        }
    }

    /// Whether `x`, between the values at `below` and above it, goes to the one above.
    fn goes_above(
        &self,
        x: &Magnitude,
        below: usize,
        half: Ordering,
        negative: bool,
        mode: Mode,
    ) -> bool {
        match mode {
            Mode::NearestEven => half.is_gt() || (half.is_eq() && !self.is_even(below)),
            Mode::NearestAway => half.is_ge(),
            Mode::TowardZero => false,
            Mode::Up => !negative,
            Mode::Down => negative,
            Mode::Odd => below.is_multiple_of(2),
            Mode::Stochastic { bits, random } => {
                let whole = BigUint::from(1u32) << (bits + 1);
                let random = random & u32::MAX >> (32 - bits);
                self.scaled_fraction(x, below, bits + 1) + 2 * u64::from(random) + 1u32 >= whole
            }
        }
    }

    /// `floor(ν · 2^bits)` with ν the place of `x` between two neighbours, 0 to 1.
    fn scaled_fraction(&self, x: &Magnitude, below: usize, bits: u32) -> BigUint {
        let (low, high) = (&self.magnitudes[below], &self.magnitudes[below + 1]);
        let low = if low.integer == 0 { &Magnitude::new(0, high.exponent) } else { low };
        let exponent = x.exponent.min(low.exponent).min(high.exponent);
        ((x.over(exponent) - low.over(exponent)) << bits)
            / (high.over(exponent) - low.over(exponent))
    }

    /// The random numbers on either side of which `StochasticB` changes its mind about `x`.
    pub(crate) fn telling_randoms(&self, x: &Magnitude, bits: u32) -> Vec<u32> {
        let all = u64::from(u32::MAX >> (32 - bits));
        let mut randoms = vec![0, all];
        if let Place::Between(below, _) = self.place(x) {
            let scaled = u64::try_from(self.scaled_fraction(x, below, bits + 1)).unwrap();
            let first = (1u64 << bits) - scaled.div_ceil(2);
            randoms.extend([first.saturating_sub(1), first, first + 1]);
        }
        randoms.into_iter().filter(|r| *r <= all).map(|r| u32::try_from(r).unwrap()).collect()
    }

    /// Whether `x`, rounded to the precision with no least exponent, is still below the least normal.
    fn is_tiny_after(&self, x: &Magnitude, negative: bool, mode: Mode) -> bool {
        let precision = self.spec.precision();
        let exponent = x.leading() - self.spec.trailing.cast_signed();
        let dropped = exponent - x.exponent;
        let integer = BigUint::from(x.integer);
        let (kept, rest, half) = if dropped <= 0 {
            (integer << dropped.unsigned_abs(), BigUint::ZERO, BigUint::from(1u32))
        } else {
            let dropped = dropped.unsigned_abs();
            let kept = &integer >> dropped;
            let rest = (integer - (&kept << dropped)) << 1;
            (kept, rest, BigUint::from(1u32) << dropped)
        };
        let inexact = rest != BigUint::ZERO || x.above;
        let beyond_half = if rest == half && x.above { Ordering::Greater } else { rest.cmp(&half) };
        let kept_is_odd = kept.bit(0);
        let code_is_odd =
            if precision == 1 { (x.leading() + self.spec.bias) & 1 == 1 } else { kept_is_odd };
        let tie_goes_up = if self.spec.even == Even::Code { code_is_odd } else { kept_is_odd };
        let up = match mode {
            Mode::NearestEven => beyond_half.is_gt() || (beyond_half.is_eq() && tie_goes_up),
            Mode::NearestAway => beyond_half.is_ge(),
            Mode::TowardZero => false,
            Mode::Up => inexact && !negative,
            Mode::Down => inexact && negative,
            Mode::Odd => inexact && !code_is_odd,
            Mode::Stochastic { bits, random } => {
                let random = random & u32::MAX >> (32 - bits);
                let scaled = (rest << bits) / &half; // `rest` is doubled
                scaled + 2 * u64::from(random) + 1u32 >= BigUint::from(1u32) << (bits + 1)
            }
        };
        let rounded = Magnitude::new(u128::try_from(kept + u32::from(up)).unwrap(), exponent);
        rounded.cmp(&self.spec.least_normal()).is_lt()
    }

    fn code(&self, negative: bool, field: u128) -> u128 {
        let signless_zero = field == 0 && self.spec.zero == ZeroCodes::One;
        field | if negative && !signless_zero { self.spec.sign_bit() } else { 0 }
    }

    fn largest_code(&self, negative: bool) -> u128 {
        self.code(negative, self.largest())
    }

    /// Infinity, else NaN, else the largest finite value.
    fn infinity_code(&self, negative: bool) -> u128 {
        match self.spec.infinity_field() {
            Some(field) => self.code(negative, field),
            None => self.spec.quiet_nan(negative).unwrap_or_else(|| self.largest_code(negative)),
        }
    }

    /// What `value` becomes.
    pub(crate) fn project(&self, projection: &Projection, value: &Value) -> Answer {
        let zero_does_not_fit = self.spec.zero == ZeroCodes::None;
        match *value {
            Value::Nan { negative, trailing, width } => {
                self.project_nan(projection, negative, trailing, width)
            }
            Value::Infinity { negative: true } if !self.spec.signed => {
                self.unrepresentable(projection.overflow == Overflow::Saturate)
            }
            Value::Infinity { negative } => match projection.overflow {
                Overflow::Saturate => (Some(self.largest_code(negative)), 0),
                Overflow::Ieee | Overflow::SaturateFinite => {
                    (Some(self.infinity_code(negative)), 0)
                }
            },
            Value::Real { magnitude: Magnitude { integer: 0, above: false, .. }, .. }
                if zero_does_not_fit =>
            {
                self.unrepresentable(projection.overflow != Overflow::Ieee)
            }
            Value::Real { negative, magnitude: Magnitude { integer: 0, above: false, .. } } => {
                (Some(self.code(negative && self.spec.signed, 0)), 0)
            }
            Value::Real { negative: true, .. } if !self.spec.signed => {
                self.unrepresentable(projection.overflow != Overflow::Ieee)
            }
            Value::Real { negative, magnitude } => {
                self.project_real(projection, negative, &magnitude)
            }
        }
    }

    fn unrepresentable(&self, saturates: bool) -> Answer {
        let nan = self.spec.quiet_nan(false).filter(|_| !saturates);
        (Some(nan.unwrap_or(0)), INVALID)
    }

    fn project_nan(
        &self,
        projection: &Projection,
        negative: bool,
        trailing: u128,
        width: u32,
    ) -> Answer {
        let is_signaling = trailing >> (width - 1) == 0;
        let kept = match projection.nan {
            NanPolicy::Keep => self.spec.nan_code(negative, trailing, width),
            NanPolicy::Canonical => self.spec.quiet_nan(false),
        };
        if let Some(code) = kept {
            return (Some(code), if is_signaling { INVALID } else { 0 });
        }
        let code = match projection.nan_to {
            NanTo::Error => None,
            NanTo::Zero => Some(0),
            NanTo::Max => Some(self.largest_code(negative && self.spec.signed)),
        };
        (code, INVALID)
    }

    fn project_real(&self, projection: &Projection, negative: bool, x: &Magnitude) -> Answer {
        let mode = Mode::of(projection);
        let (index, inexact) = match self.place(x) {
            Place::On(index) => (index, false),
            Place::BelowLeast => return (Some(self.code(negative, 0)), UNDERFLOW | INEXACT),
            Place::Beyond => (self.beyond(), true),
            Place::Between(below, half) => {
                let up = self.goes_above(x, below, half, negative, mode);
                (below + usize::from(up), true)
            }
        };
        if index == self.beyond() {
            let to_infinity = match mode {
                Mode::NearestEven | Mode::NearestAway | Mode::Stochastic { .. } => true,
                Mode::TowardZero | Mode::Odd => false,
                Mode::Up => !negative,
                Mode::Down => negative,
            };
            let code = if projection.overflow == Overflow::Ieee && to_infinity {
                self.infinity_code(negative)
            } else {
                self.largest_code(negative)
            };
            return (Some(code), OVERFLOW | INEXACT);
        }
        let mut flags = u8::from(inexact) * INEXACT;
        let is_tiny = x.cmp(&self.spec.least_normal()).is_lt()
            && match projection.tininess {
                Tininess::Before => true,
                Tininess::After => self.is_tiny_after(x, negative, mode),
            };
        if inexact && is_tiny {
            flags |= UNDERFLOW;
        }
        let field = index as u128;
        if projection.subnormals == Subnormals::Flush
            && self.spec.class(field) == ValueClass::Subnormal
        {
            return (Some(self.code(negative, 0)), UNDERFLOW | INEXACT);
        }
        (Some(self.code(negative, field)), flags)
    }
}
