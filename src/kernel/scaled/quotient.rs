//! Numbers over their scales, a chunk at a time, and products with them: the part of scaled work
//! that the plain kernels do not do.
//!
//! A quotient goes on to the plain kernels, so it must round as the exact one does, in every way and
//! with the same counts. There are four ways, tried in this order:
//!
//! * A reciprocal that is a power of two is multiplied by in binary32, exactly, as long as the
//!   quotient is in the normal range.
//! * With other scales, what decides a rounding to `p` digits is on which side the quotient lies of a
//!   number `g` of at most `p + 1` digits. The product with the reciprocal in binary32 is within 3
//!   ulps of the quotient. With few digits that is near such a number once in a million, and the
//!   products of a chunk serve if none is.
//! * The product in binary64 is within 2 ulps. Unless the quotient is `g`, the dividend differs from
//!   `g` times the scale, of `D` digits, by a unit in the last place of one of them. While
//!   `p + 1 + D ≤ 43` that is more than 2^-44 of it, and so 256 ulps. Hence to the nearest
//!   multiple of 256 ulps the product is `g` exactly if the quotient is, and otherwise on the same
//!   side of it; rounded to odd it stays there in binary32, which has two digits more than `g`.
//! * Everything else is divided in binary64, rounding to odd; see [`division`](super::super::division).
//!
//! Stochastic rounding compares more digits, so it goes the first or the last way.

use std::hint::black_box;

use super::super::{
    Counts, Plan, Real,
    division::to_odd,
    lane::{Float, Lane},
    slice::narrowed,
};
use super::{
    limits::{Clip, Limits},
    part::{Part, divisor, is_special},
    room::{Form, Room},
};

/// Returns the code of a power of two.
const fn code_of_power(exponent: i64) -> u64 {
    (exponent + 1023).cast_unsigned() << 52
}

/// What the scales of a chunk are like.
#[derive(Clone, Copy)]
struct Divisors {
    /// The digits of the scale that has most.
    digits: u32,
    /// The largest scale.
    largest: f64,
    /// Whether some are special.
    has_special: bool,
}

impl Divisors {
    /// Looks at scales; `None` if some are negative, or so small or large that a quotient could leave
    /// the range of binary64.
    #[inline(always)]
    fn of(scales: &[f64]) -> Option<Self> {
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
    let limits = plan.limits;
    let divisors = Divisors::of(part.values)?;
    let Room { narrow, wide, scales, numbers } = room;
    let (narrow, wide) = (&mut narrow[..source.len()], &mut wide[..source.len()]);
    let by_product = if divisors.digits > limits.narrow {
        None
    } else if R::PRECISION == f32::MANTISSA_DIGITS {
        by_product(&limits, &divisors, source, part, scales, narrow, wide)
    } else if are_narrow(source, numbers) {
        let source = &numbers[..source.len()];
        by_product(&limits, &divisors, source, part, scales, narrow, wide)
    } else {
        None
    };
    let (form, mut counts) = if let Some(counts) = by_product {
        (Form::Narrow, counts)
    } else if divisors.digits <= limits.wide && by_division(source, part, wide) {
        (Form::Wide, Counts::default())
    } else {
        return None;
    };
    if divisors.has_special {
        counts += match form {
            Form::Narrow => part.set_zeros(source, narrow),
            Form::Wide => part.set_zeros(source, wide),
        };
    }
    Some((form, counts))
}

/// Whether binary32 has all of some numbers; writes them.
#[inline(always)]
fn are_narrow<R: Real>(source: &[R], numbers: &mut [f32]) -> bool {
    let mut differ = 0u64;
    for (x, number) in source.iter().zip(numbers) {
        let x: f64 = (*x).into();
        *number = narrowed(x);
        differ |= f64::from(*number).to_bits() ^ x.to_bits();
    }
    differ == 0
}

/// Divides binary32 numbers by multiplication; returns the counts of those that were clipped, or
/// `None` if some quotients are not held.
#[inline(always)]
fn by_product<R: Real>(
    limits: &Limits,
    divisors: &Divisors,
    source: &[R],
    part: Part<'_>,
    reciprocals: &mut [f32],
    quotients: &mut [f32],
    wide: &mut [f64],
) -> Option<Counts> {
    if divisors.may_vanish(source) {
        return None;
    }
    let clip = limits.clip.filter(|_| !divisors.has_special);
    for (reciprocal, scale) in reciprocals.iter_mut().zip(part.values) {
        *reciprocal = narrowed(divisor(*scale).recip());
    }
    let each = reciprocals[..part.values.len()].iter().copied();
    let by_reciprocal = |x: R, reciprocal: f32| narrowed(x.into()) * reciprocal;
    if divisors.digits == 1 {
        part.spread(each, quotients);
        return clipped(clip, None, source, quotients, by_reciprocal);
    }
    // The reciprocal of a larger scale is subnormal.
    if limits.below.is_some() && divisors.largest <= 1.0 / f64::from(f32::MIN_POSITIVE) {
        part.spread(each, quotients);
        let counts = clipped(clip, limits.below, source, quotients, by_reciprocal);
        if counts.is_some() {
            return counts;
        }
    }
    part.spread(part.values.iter().map(|scale| divisor(*scale).recip()), wide);
    for ((x, reciprocal), quotient) in source.iter().zip(wide).zip(&mut *quotients) {
        *quotient = to_narrow_odd((*x).into() * *reciprocal);
    }
    clipped(clip, None, source, quotients, |_, quotient| quotient)
}

/// Makes quotients of what belongs to each number, and clips them; `None` if some are no finite
/// numbers, or are within 3 ulps of a number whose bits `below` are zero.
#[inline(always)]
fn clipped<R: Real>(
    clip: Option<Clip>,
    below: Option<u32>,
    source: &[R],
    quotients: &mut [f32],
    divide: impl Fn(R, f32) -> f32,
) -> Option<Counts> {
    let clip = clip.unwrap_or(Clip::NOWHERE);
    // A number the compiler does not know: it then counts with one masked addition.
    let one = black_box(1u32);
    let (mut inexact, mut overflow, mut largest, mut nearest) = (0u32, 0u32, 0u32, u32::MAX);
    for (x, quotient) in source.iter().zip(quotients) {
        let code = divide(*x, *quotient).code();
        let magnitude = code.magnitude();
        largest = largest.max_signed(magnitude);
        if let Some(below) = below {
            let distance = u32::select(magnitude == 0, below, code.plus(3) & below);
            nearest = nearest.min(distance);
        }
        let is_clipped = magnitude > clip.largest;
        inexact = inexact.plus(u32::select(is_clipped, one, 0));
        overflow = overflow.plus(u32::select(magnitude >= clip.overflow, one, 0));
        let code = u32::select(is_clipped, clip.largest | code.sign(), code);
        *quotient = f32::from_code(code);
    }
    let (inexact, overflow) = (inexact.into(), overflow.into());
    let are_held = largest < u32::INFINITY && nearest > 6;
    are_held.then_some(Counts { inexact, overflow, ..Counts::default() })
}

/// Rounds to the nearest multiple of 256 ulps, and then to odd in binary32.
#[inline(always)]
fn to_narrow_odd(x: f64) -> f32 {
    const BELOW: u64 = (1 << (f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS)) - 1;
    let code = x.to_bits().wrapping_add(0x80);
    let sticky = (code & BELOW & !0xff) + BELOW;
    narrowed(f64::from_bits((code | sticky) & !BELOW))
}

/// Divides in binary64, rounding to odd.
#[inline(always)]
fn by_division<R: Real>(source: &[R], part: Part<'_>, quotients: &mut [f64]) -> bool {
    const LEAST: u64 = code_of_power(-800);
    const LARGEST: u64 = code_of_power(800);
    part.spread(part.values.iter().map(|scale| divisor(*scale)), quotients);
    let mut are_held = true;
    for (x, quotient) in source.iter().zip(quotients) {
        let x: f64 = (*x).into();
        let magnitude = x.code().magnitude();
        let stays = magnitude.minus(1) >= u64::INFINITY - 1;
        are_held &= stays | (magnitude.minus(LEAST) < LARGEST - LEAST);
        *quotient = f64::from_code(u64::select(stays, x.code(), to_odd(x, *quotient).code()));
    }
    are_held
}

/// Multiplies `room.numbers` by their scales, rounding once; returns whether lanes can do it.
#[inline(always)]
pub(in super::super) fn multiply<R: Real>(
    plan: &Plan,
    part: Part<'_>,
    room: &mut Room,
    products: &mut [R],
) -> bool {
    let Some(exact) = plan.limits.exact else {
        return false;
    };
    // The only rounding of a product that is exact in binary64 is the one to `R`.
    let is_exact = || Divisors::of(part.values).is_some_and(|divisors| divisors.digits <= exact);
    if R::PRECISION < f64::MANTISSA_DIGITS && !is_exact() {
        return false;
    }
    let scales = &mut room.wide[..products.len()];
    part.spread(part.values.iter().copied(), scales);
    for ((product, number), scale) in products.iter_mut().zip(&room.numbers).zip(scales) {
        let number = f64::from(*number);
        let exact = number * *scale;
        let keeps_nan = number.is_nan() & !scale.is_nan();
        let nan = if keeps_nan { R::from_f64(number) } else { R::NAN };
        *product = if exact.is_nan() { nan } else { R::from_f64(exact) };
    }
    true
}
