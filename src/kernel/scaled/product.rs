//! Products of numbers with their scales, a chunk at a time.

use super::super::{Plan, Real, lane::Float};
use super::{
    part::Part,
    quotient::{Divisors, are_narrow},
    room::{Room, Scratch},
};

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
    let Room { wide, numbers, scratch: Scratch { narrow: scales, factors, .. }, .. } = room;
    let numbers = &numbers[..products.len()];
    if R::PRECISION == f32::MANTISSA_DIGITS && are_narrow(part.values, scales) {
        let factors = &mut factors[..products.len()];
        part.spread(&scales[..part.values.len()], factors);
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

/// Returns a product that no infinity makes, rounded; a NaN stays what it is, but under a scale that
/// is NaN.
#[inline(always)]
fn times<R: Real, F: Real + Float>(number: F, scale: F) -> R {
    let (number, scale, product) = (number.into(), scale.into(), (number * scale).into());
    let keeps_nan = number.is_nan() & !scale.is_nan();
    let nan = if keeps_nan { R::from_f64(number) } else { R::NAN };
    if product.is_nan() { nan } else { R::from_f64(product) }
}
