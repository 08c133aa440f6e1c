//! Products of numbers with their scales, a chunk at a time.

use super::super::{CodesRef, Plan, Real, codes::with_slice, lane::Float, slice};
use super::{
    part::Part,
    quotient::{Divisors, are_narrow},
    room::{Room, Scratch},
};

/// Decodes each code and multiplies it by its scale, rounding once; returns whether lanes can do it.
#[inline(always)]
pub(in super::super) fn decode<R: Real>(
    plan: &Plan,
    codes: CodesRef<'_>,
    part: Part<'_>,
    room: &mut Room,
    products: &mut [R],
) -> bool {
    if let Some(lanes) = plan.narrow
        && let Some(factors) = factors(part, &mut room.scratch, products)
        && with_slice!(codes, CodesRef, codes => lanes.coder.decode_times(codes, factors, products))
    {
        return true;
    }
    slice::decode(plan, codes, &mut room.numbers[..products.len()]);
    multiply(plan, part, room, products)
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
    let Room { wide, numbers, scratch, .. } = room;
    let numbers = &numbers[..products.len()];
    if let Some(factors) = factors(part, scratch, products) {
        for ((product, number), scale) in products.iter_mut().zip(numbers).zip(factors) {
            *product = times::<R, f32>(*number, *scale);
        }
        return true;
    }
    // The only rounding of a product that is exact in binary64 is the one to `R`.
    let is_exact = || Divisors::of(part.values).is_some_and(|divisors| divisors.digits <= exact);
    if R::PRECISION < f64::MANTISSA_DIGITS && !is_exact() {
        return false;
    }
    let scales = &mut wide[..products.len()];
    part.spread(part.values, scales);
    for ((product, number), scale) in products.iter_mut().zip(numbers).zip(scales) {
        *product = times::<R, f64>((*number).into(), *scale);
    }
    true
}

/// Returns the scale of each product, if products and scales are of binary32.
#[inline(always)]
fn factors<'a, R: Real>(
    part: Part<'_>,
    scratch: &'a mut Scratch,
    products: &[R],
) -> Option<&'a [f32]> {
    let Scratch { narrow, factors, .. } = scratch;
    if R::PRECISION != f32::MANTISSA_DIGITS || !are_narrow(part.values, narrow) {
        return None;
    }
    let factors = &mut factors[..products.len()];
    part.spread(&narrow[..part.values.len()], factors);
    Some(factors)
}

/// Returns a product that no infinity makes, rounded; a NaN stays what it is, but under a scale that
/// is NaN.
#[inline(always)]
fn times<R: Real, F: Real + Float>(number: F, scale: F) -> R {
    let (number, scale, product) = (number.into(), scale.into(), (number * scale).into());
    let keeps_nan = number.is_nan() & !scale.is_nan();
    let nan = if keeps_nan { R::from_f64(number) } else { R::NAN };
    if product.is_nan() { nan } else { R::from_f64(product) }
}
