//! Numbers over their scales, a chunk at a time.
//!
//! A quotient must round as the exact one does, in every way and with the same counts. There are four
//! ways, tried in this order:
//!
//! * A reciprocal that is a power of two is multiplied by in binary32, exactly, as long as the
//!   quotient is in the normal range.
//! * With other scales, what decides a rounding to `p` digits is on which side the quotient lies of a
//!   number `g` of at most `p + 1` digits. The product with the reciprocal in binary32 is within 3
//!   ulps of the quotient. With few digits that is near such a number once in a million, and what is
//!   near is divided as in the last way. Many of a chunk are where numbers are multiples of their scale;
//!   then the chunk goes on to the next way.
//! * The product in binary64 is within 2 ulps. Unless the quotient is `g`, the dividend differs from
//!   `g` times the scale, of `D` digits, by a unit in the last place of one of them. While
//!   `p + 1 + D ≤ 43` that is more than 2^-44 of it, and so 256 ulps. Hence to the nearest
//!   multiple of 256 ulps the product is `g` exactly if the quotient is, and otherwise on the same
//!   side of it; rounded to odd it stays there in binary32, which has two digits more than `g`.
//! * Everything else is divided in binary64, rounding to odd; see [`division`](super::super::division).
//!
//! Stochastic rounding compares more digits, so it goes the first or the last way.

use super::super::{
    Counts, Plan, Real,
    direct::{Direct, flushed},
    division::to_odd,
    lane::{Float, Lane},
    slice::narrowed,
};
use super::{
    limits::{Clip, DIVISOR, Limits},
    part::{Part, divisor, is_special, reciprocal},
    pass::{Encoded, Kept, Pass, Rounded, Rounds, Seen, Use},
    room::{Form, Room, Scratch},
};

/// Returns the code of a power of two.
const fn code_of_power(exponent: i64) -> u64 {
    (exponent + 1023).cast_unsigned() << 52
}

/// What the scales of a chunk are like.
#[derive(Clone, Copy)]
pub(super) struct Divisors {
    /// The digits of the scale that has most.
    pub digits: u32,
    /// The largest scale.
    largest: f64,
    /// Whether some are special.
    has_special: bool,
}

impl Divisors {
    /// Looks at scales; `None` if some are negative, or so small or large that a quotient could leave
    /// the range of binary64.
    #[inline(always)]
    pub(super) fn of(scales: &[f64]) -> Option<Self> {
        let (mut all, mut special) = (0u64, 0u64);
        // Codes of positive numbers are ordered as the numbers are, and below those of negative ones.
        let (mut least, mut largest) = (u64::MAX, 0u64);
        for scale in scales {
            let code = divisor(*scale).to_bits();
            all |= code;
            least = least.min(code);
            largest = largest.max(code);
            special |= u64::from(is_special(*scale));
        }
        let is_in_range = least >= code_of_power(-200) && largest <= code_of_power(200);
        is_in_range.then_some(Self {
            digits: f64::MANTISSA_DIGITS - (all | u64::HIDDEN).trailing_zeros(),
            largest: f64::from_bits(largest),
            has_special: special != 0,
        })
    }

    /// Whether the quotient of a binary32 number may be smaller than that, and too small for a normal
    /// one.
    #[inline(always)]
    fn may_vanish<R: Real>(&self, source: &[R]) -> bool {
        if self.largest <= 1.0 {
            return false;
        }
        let least = source.iter().fold(u32::MAX, |least, x| {
            least.min(narrowed((*x).into()).code().magnitude().minus(1))
        });
        let least = f64::from(f32::from_code(least.min(u32::INFINITY - 1) + 1));
        least < self.largest * f64::from(f32::MIN_POSITIVE)
    }
}

/// Divides each number by its scale in lanes; `None` if they cannot hold all the quotients, which
/// are undefined then. Returns where the quotients are, and what must be added to their counts.
#[inline(always)]
pub(in super::super) fn divide<R: Real>(
    plan: &Plan,
    source: &[R],
    part: Part<'_>,
    room: &mut Room,
) -> Option<(Form, Counts)> {
    let division = Division::new(plan, source, part)?;
    let Room { narrow, wide, numbers, scratch } = room;
    let (narrow, wide) = (&mut narrow[..source.len()], &mut wide[..source.len()]);
    let by_product = if division.divisors.digits > division.limits.narrow {
        None
    } else if R::PRECISION == f32::MANTISSA_DIGITS {
        division.by_product(scratch, narrow, wide)
    } else if are_narrow(source, numbers) {
        let Division { limits, divisors, .. } = division;
        let source = &numbers[..source.len()];
        Division { limits, divisors, source, part }.by_product(scratch, narrow, wide)
    } else {
        None
    };
    let has_special = division.divisors.has_special;
    if let Some(mut counts) = by_product {
        if has_special {
            counts += part.set_zeros(source, narrow);
        }
        return Some((Form::Narrow, counts));
    }
    let is_held = division.divisors.digits <= division.limits.wide
        && division.by_division(&mut scratch.wide, wide);
    is_held.then(|| {
        let counts = if has_special { part.set_zeros(source, wide) } else { Counts::default() };
        (Form::Wide, counts)
    })
}

/// Divides each number by its scale and projects the quotient, in one pass; `None` if lanes cannot,
/// and the codes are undefined then.
#[inline(always)]
pub(in super::super) fn encode<R: Real>(
    plan: &Plan,
    source: &[R],
    part: Part<'_>,
    codes: &mut [u8],
    room: &mut Room,
) -> Option<Counts> {
    let division = Division::new(plan, source, part)?;
    division.at_once(plan, &mut room.scratch, codes, Encoded)
}

/// Divides each number by its scale and rounds the quotient to `room.numbers`, in one pass; `None` if
/// lanes cannot, and the numbers are undefined then.
#[inline(always)]
pub(in super::super) fn round<R: Real>(
    plan: &Plan,
    source: &[R],
    part: Part<'_>,
    room: &mut Room,
) -> Option<Counts> {
    let division = Division::new(plan, source, part)?;
    division.at_once(plan, &mut room.scratch, &mut room.numbers[..source.len()], Rounded)
}

/// Whether some numbers are finite and binary32 has them all; writes them.
#[inline(always)]
pub(super) fn are_narrow<R: Real>(source: &[R], numbers: &mut [f32]) -> bool {
    let mut are_narrow = true;
    for (x, number) in source.iter().zip(numbers) {
        let x: f64 = (*x).into();
        *number = narrowed(x);
        are_narrow &= number.is_finite() & (f64::from(*number) == x);
    }
    are_narrow
}

/// Numbers to be divided by their scales.
#[derive(Clone, Copy)]
struct Division<'a, R> {
    limits: Limits,
    divisors: Divisors,
    source: &'a [R],
    part: Part<'a>,
}

impl<'a, R: Real> Division<'a, R> {
    #[inline(always)]
    fn new(plan: &Plan, source: &'a [R], part: Part<'a>) -> Option<Self> {
        Some(Self { limits: plan.limits, divisors: Divisors::of(part.values)?, source, part })
    }

    /// Divides binary32 numbers by multiplication; returns the counts of those that were clipped, or
    /// `None` if some quotients are not held.
    #[inline(always)]
    fn by_product(
        &self,
        scratch: &mut Scratch,
        quotients: &mut [f32],
        wide: &mut [f64],
    ) -> Option<Counts> {
        if self.divisors.may_vanish(self.source) {
            return None;
        }
        let clip = self.limits.clip.filter(|_| !self.divisors.has_special);
        let clip = clip.unwrap_or(Clip::NOWHERE);
        if let Some(products) = self.products(scratch)
            && let Some(seen) = self.run::<true, _>(products, clip, quotients, Kept)
        {
            return Some(seen.counts());
        }
        self.spread(reciprocal, &mut scratch.wide, wide);
        let products = &mut scratch.factors[..self.source.len()];
        for ((x, reciprocal), product) in self.source.iter().zip(wide).zip(&mut *products) {
            *product = to_narrow_odd((*x).into() * *reciprocal);
        }
        scratch.narrow.fill(1.0);
        let pass = Pass::new(clip, 0);
        let seen = pass.run::<true, _, _>(products, &scratch.narrow, quotients, Kept)?;
        Some(seen.counts())
    }

    /// Divides in binary64, rounding to odd.
    #[inline(always)]
    fn by_division(&self, scales: &mut [f64], quotients: &mut [f64]) -> bool {
        const LEAST: u64 = code_of_power(-800);
        const LARGEST: u64 = code_of_power(800);
        self.spread(divisor, scales, quotients);
        let mut are_held = true;
        for (x, quotient) in self.source.iter().zip(quotients) {
            let x: f64 = (*x).into();
            let magnitude = x.code().magnitude();
            let stays = magnitude.minus(1) >= u64::INFINITY - 1;
            are_held &= stays | (magnitude.minus(LEAST) < LARGEST - LEAST);
            *quotient = f64::from_code(u64::select(stays, x.code(), to_odd(x, *quotient).code()));
        }
        are_held
    }

    /// Puts every quotient to use, if the lanes can do all in one pass.
    #[inline(always)]
    fn at_once<U: Rounds>(
        &self,
        plan: &Plan,
        scratch: &mut Scratch,
        places: &mut [U::Place],
        to: fn(Direct) -> U,
    ) -> Option<Counts> {
        let (clip, direct) = (self.limits.clip?, plan.direct?);
        let is_ordinary = direct.is_ordinary() && R::PRECISION == f32::MANTISSA_DIGITS;
        let are_divided = self.divisors.digits <= self.limits.narrow && !self.divisors.has_special;
        if !is_ordinary || !are_divided || self.divisors.may_vanish(self.source) {
            return None;
        }
        let (products, to) = (self.products(scratch)?, to(direct));
        if !plan.counts() {
            self.run::<false, _>(products, clip, places, to)?;
            return Some(Counts { elements: self.source.len() as u64, ..Counts::default() });
        }
        let seen = self.run::<true, _>(products, clip, places, to)?;
        let [zeros, subnormal] = to.small(places);
        let flushed = match seen.zeros {
            Some(were_zero) => zeros - were_zero,
            None => flushed(zeros, self.source),
        };
        let elements = self.source.len() as u64;
        Some(Counts { elements, flushed, subnormal, ..seen.counts() })
    }

    /// Returns the products in binary32 that serve for quotients; `None` if none do.
    #[inline(always)]
    fn products<'b>(&self, scratch: &'b mut Scratch) -> Option<Products<'b>> {
        let below = match self.limits.below {
            _ if self.divisors.digits == 1 => 0,
            // The reciprocal of a larger scale is subnormal.
            Some(below)
                if self.divisors.digits <= DIVISOR
                    && self.divisors.largest <= 1.0 / f64::from(f32::MIN_POSITIVE) =>
            {
                below
            }
            _ => return None,
        };
        let scales = &mut scratch.narrow[..self.part.values.len()];
        for (factor, scale) in scales.iter_mut().zip(self.part.values) {
            *factor = narrowed(reciprocal(*scale));
        }
        let reciprocals = &mut scratch.factors[..self.source.len()];
        self.part.spread(scales, reciprocals);
        Some(Products { reciprocals, below })
    }

    /// Multiplies, and puts the quotients to use; `None` if some products do not serve.
    #[inline(always)]
    fn run<const COUNT: bool, U: Use>(
        &self,
        products: Products<'_>,
        clip: Clip,
        places: &mut [U::Place],
        to: U,
    ) -> Option<Seen> {
        let Products { reciprocals, below } = products;
        let pass = Pass::new(clip, below);
        if below == 0 {
            return pass.run::<COUNT, _, _>(self.source, reciprocals, places, to);
        }
        let exact =
            |i: usize| narrowed_to_odd(to_odd(self.source[i].into(), divisor(self.part.at(i))));
        pass.run_near(self.source, reciprocals, places, to, exact)
    }

    /// Writes what belongs to each number, as a function of its scale.
    #[inline(always)]
    fn spread(&self, of: fn(f64) -> f64, scales: &mut [f64], places: &mut [f64]) {
        let scales = &mut scales[..self.part.values.len()];
        for (value, scale) in scales.iter_mut().zip(self.part.values) {
            *value = of(*scale);
        }
        self.part.spread(scales, places);
    }
}

/// How the quotients of binary32 numbers are had by products.
#[derive(Clone, Copy)]
struct Products<'a> {
    reciprocals: &'a [f32],
    /// Bits of which no quotient may have nearly all alike; 0 where products are exact.
    below: u32,
}

/// Rounds to the nearest multiple of 256 ulps, and then to odd in binary32.
#[inline(always)]
fn to_narrow_odd(x: f64) -> f32 {
    narrowed_to_odd(f64::from_bits(x.to_bits().wrapping_add(0x80) & !0xff))
}

/// Rounds to odd in binary32.
#[inline(always)]
fn narrowed_to_odd(x: f64) -> f32 {
    const BELOW: u64 = (1 << (f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS)) - 1;
    let sticky = (x.to_bits() & BELOW) + BELOW;
    narrowed(f64::from_bits((x.to_bits() | sticky) & !BELOW))
}
