//! The oracle of block formats: every element code is tried, with exact integers, from the documents
//! alone. It takes nothing from `fpx`.

use std::cmp::Ordering;

use num_bigint::BigInt;

/// Fraction bits of a [`fixed`] number: more than any product here has.
const FRACTION: u32 = 700;

/// A binary64 number as an integer over 2^[`FRACTION`]; exact, as all inputs are above 2^-400.
pub(crate) fn fixed(x: f64) -> BigInt {
    let code = x.to_bits();
    let (biased, trailing) = (code >> 52 & 0x7ff, code & ((1 << 52) - 1));
    assert!(biased < 0x7ff, "{x} is no number");
    let significand = if biased == 0 { trailing } else { trailing | 1 << 52 };
    let shift = biased.max(1).cast_signed() - 1075 + i64::from(FRACTION);
    assert!(significand == 0 || shift >= 0, "{x} needs more fraction bits");
    let magnitude = BigInt::from(significand) << shift.max(0);
    if x < 0.0 { -magnitude } else { magnitude }
}

/// The code of the E4M3 number nearest to a positive `dividend / divisor`, ties to even, saturating.
pub(crate) fn e4m3_quotient(dividend: f64, divisor: &BigInt) -> u64 {
    let e4m3 = Element::of("e4m3fn");
    e4m3.nearest(&(fixed(dividend) << FRACTION), divisor, "rne", false) as u64
}

/// What elements are: their magnitudes in order of their codes, and how a sign is coded.
pub(crate) struct Element {
    trailing: i32,
    pub(crate) magnitudes: Vec<f64>,
    sign: Sign,
}

enum Sign {
    Bit(u64),
    TwosComplement,
}

impl Element {
    /// Floating-point elements: exponent bits, trailing bits, bias, and the code of the largest.
    fn float([exponent, trailing]: [u32; 2], bias: i32, largest: u64) -> Self {
        let value = |code: u64| {
            let field = i32::try_from(code >> trailing).unwrap();
            let fraction = (code & ((1 << trailing) - 1)) as f64 / f64::from(1u32 << trailing);
            match field {
                0 => fraction * f64::from(1 - bias).exp2(),
                _ => (1.0 + fraction) * f64::from(field - bias).exp2(),
            }
        };
        Self {
            trailing: trailing.cast_signed(),
            magnitudes: (0..=largest).map(value).collect(),
            sign: Sign::Bit(1 << (exponent + trailing)),
        }
    }

    /// The elements of a block format, by its name or that of its element.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "mxfp8_e4m3" | "e4m3fn" => Self::float([4, 3], 7, 0x7e),
            "mxfp8_e5m2" | "e5m2" => Self::float([5, 2], 15, 0x7b),
            "mxfp6_e3m2" => Self::float([3, 2], 3, 0x1f),
            "mxfp6_e2m3" => Self::float([2, 3], 1, 0x1f),
            "mxfp4" | "nvfp4" => Self::float([2, 1], 1, 0x7),
            "bf16" => Self::float([8, 7], 127, 0x7f7f),
            "e3m0" => Self::float([3, 0], 3, 0x7),
            "mxint8" => Self {
                trailing: 6,
                magnitudes: (0..=127).map(|k| f64::from(k) / 64.0).collect(),
                sign: Sign::TwosComplement,
            },
            _ => panic!("{name} has no oracle"),
        }
    }

    pub(crate) fn largest(&self) -> f64 {
        self.magnitudes[self.magnitudes.len() - 1]
    }

    /// The exponent of the largest number.
    pub(crate) fn emax(&self) -> i32 {
        (-300..300).rev().find(|&e| f64::from(e).exp2() <= self.largest()).unwrap()
    }

    /// The number of a code.
    pub(crate) fn value(&self, code: u64) -> f64 {
        match self.sign {
            Sign::Bit(sign) => {
                let magnitude = self.magnitudes[usize::try_from(code & (sign - 1)).unwrap()];
                if code & sign == 0 { magnitude } else { -magnitude }
            }
            Sign::TwosComplement => f64::from(u8::try_from(code).unwrap().cast_signed()) / 64.0,
        }
    }

    fn signed(&self, negative: bool, magnitude: usize) -> u64 {
        let magnitude = magnitude as u64;
        match self.sign {
            _ if !negative => magnitude,
            Sign::Bit(sign) => sign | magnitude,
            Sign::TwosComplement => magnitude.wrapping_neg() & 0xff,
        }
    }

    /// The code of `x / scale`, saturating; `scale` is positive.
    pub(crate) fn code(&self, x: f64, scale: f64, mode: &str) -> u64 {
        let negative = x.is_sign_negative();
        let dividend = fixed(x.abs()) << FRACTION;
        self.signed(negative, self.nearest(&dividend, &fixed(scale), mode, negative))
    }

    /// The place of `dividend / divisor`, both positive, among the magnitudes; `dividend` is over
    /// the square of what `divisor` is over.
    fn nearest(&self, dividend: &BigInt, divisor: &BigInt, mode: &str, negative: bool) -> usize {
        let times = |place: usize| fixed(self.magnitudes[place]) * divisor;
        let above = self.magnitudes.partition_point(|&m| fixed(m) * divisor <= *dividend);
        let below = above - 1;
        if above == self.magnitudes.len() || times(below) == *dividend {
            return below;
        }
        let (to_below, to_above) = (dividend - times(below), times(above) - dividend);
        let away = match (mode, to_above.cmp(&to_below)) {
            ("rtz", _) => false,
            ("rup", _) => !negative,
            ("rdn", _) => negative,
            ("rto", _) => below % 2 == 0,
            (_, Ordering::Less) | ("rna", Ordering::Equal) => true,
            (_, Ordering::Greater) => false,
            // With one significand digit both neighbours of a tie are odd: the larger wins, but zero
            // is even.
            ("rne", Ordering::Equal) if self.trailing == 0 => below != 0,
            ("rne", Ordering::Equal) => below % 2 == 1,
            _ => panic!("{mode} is no mode"),
        };
        if away { above } else { below }
    }

    /// The exponent of the E8M0 scale of a positive largest magnitude, within its range.
    pub(crate) fn scale_exponent(&self, rule: &str, amax: f64) -> i32 {
        let amax = fixed(amax);
        let power = |e: i32| fixed(1.0) << 300 >> (300 - e);
        let floor = |x: &BigInt| (-300..300).rev().find(|&e| power(e) <= *x).unwrap();
        let exponent = match rule {
            "floor" => floor(&amax) - self.emax(),
            "ceil" => (-300..300).find(|&e| power(e) >= amax).unwrap() - self.emax(),
            "rceil" => {
                let largest = fixed(self.largest());
                (-300..300).find(|&e| &largest << 300 >> (300 - e) >= amax).unwrap()
            }
            // Rounded to the element's precision, half up: the leading bit and `trailing` more.
            "even" => {
                let quantum = power(floor(&amax) - self.trailing);
                let twice: BigInt = &amax * 2 + &quantum;
                let rounded = twice / (&quantum * 2) * &quantum;
                floor(&rounded) - self.emax()
            }
            _ => panic!("{rule} is no rule"),
        };
        exponent.clamp(-127, 127)
    }
}

/// Whether `got` is the binary32 number nearest to a positive `dividend / divisor`, ties to even.
pub(crate) fn is_quotient(got: f32, dividend: f64, divisor: &BigInt) -> bool {
    is_nearest(got, &(fixed(dividend) << FRACTION), divisor)
}

/// As [`is_quotient`], with infinity in place of 2^128; `dividend` is over the square of what
/// `divisor` is over.
fn is_nearest(got: f32, dividend: &BigInt, divisor: &BigInt) -> bool {
    let at = |code: u32| {
        let x = f32::from_bits(code);
        if x.is_finite() { f64::from(x) } else { 128f64.exp2() }
    };
    let distance = |code: u32| {
        let difference = fixed(at(code)) * divisor - dividend;
        if difference < BigInt::ZERO { -difference } else { difference }
    };
    let code = got.to_bits();
    let neighbours = [code.checked_sub(1), (code < 0x7f80_0000).then_some(code + 1)];
    neighbours.into_iter().flatten().all(|other| match distance(code).cmp(&distance(other)) {
        Ordering::Less => true,
        Ordering::Equal => code.is_multiple_of(2),
        Ordering::Greater => false,
    })
}

/// Whether `got` is a number times a positive scale, rounded once to binary32.
pub(crate) fn is_product(got: f32, number: f64, scale: f64) -> bool {
    let product = fixed(number.abs()) * fixed(scale);
    got.is_sign_negative() == number.is_sign_negative()
        && is_nearest(got.abs(), &product, &fixed(1.0))
}
