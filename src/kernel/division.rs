//! Division whose result can still be rounded once: binary64, rounded to odd.
//!
//! A quotient of two floating-point numbers rarely ends, so what is rounded to a narrow format is
//! its binary64 neighbour. Were that the nearest one, some quotients would be rounded twice. Rounded
//! to odd it keeps, in its last bit, whether anything was cut off, and every later rounding to at
//! most 51 bits gives what the exact quotient would (Boldo and Melquiond, IEEE TC 57, 2008).

/// Divides two numbers, rounding to odd: an inexact quotient is the neighbour with the odd code.
///
/// Exact for divisors of at most 35 significant bits, such as a float32 or a product of one with an
/// 8-bit number, as long as neither the quotient nor 2^-106 of the dividend leaves the normal range
/// of binary64. A zero or a non-finite operand gives what division gives.
///
/// ```
/// use fpx::kernel::division::to_odd;
/// assert_eq!(to_odd(3.0, 2.0), 1.5);
/// assert_eq!(to_odd(1.0, 3.0).to_bits() & 1, 1);
/// ```
#[inline(always)]
pub fn to_odd(dividend: f64, divisor: f64) -> f64 {
    let quotient = dividend / divisor;
    let remainder = remainder(dividend, divisor, quotient);
    let code = quotient.to_bits();
    // Zero for an exact quotient, and NaN where an infinity or a zero divisor took part.
    let is_inexact = remainder.abs() > 0.0;
    // The remainder has the dividend's sign if the quotient lies below the exact one in magnitude.
    let is_above = (remainder.to_bits() ^ dividend.to_bits()) >> 63;
    // An even code moves one up, or one down and so to the odd code below.
    let odd = code.wrapping_sub(is_above) | 1;
    f64::from_bits(if is_inexact && code & 1 == 0 { odd } else { code })
}

/// Returns `dividend − quotient × divisor`, exactly: the quotient in three parts of at most 18 bits,
/// so that every product has at most 53, and every difference cancels from the top.
#[inline(always)]
fn remainder(dividend: f64, divisor: f64, quotient: f64) -> f64 {
    /// The bits below the first 18, and below the first 36, of a significand of 53.
    const BELOW_FIRST: u64 = (1 << 35) - 1;
    const BELOW_SECOND: u64 = (1 << 17) - 1;
    let first = f64::from_bits(quotient.to_bits() & !BELOW_FIRST);
    let second = f64::from_bits(quotient.to_bits() & !BELOW_SECOND) - first;
    let third = quotient - first - second;
    dividend - first * divisor - second * divisor - third * divisor
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "results are compared to the last bit, and significands have 53 bits"
)]
mod tests {
    use num_bigint::BigInt;

    use super::*;
    use crate::random::Stream;

    /// The integer and the exponent of a finite number.
    fn integer(x: f64) -> (BigInt, i32) {
        let biased = i32::try_from(x.to_bits() >> 52 & 0x7ff).unwrap();
        let significand = (x.to_bits() & ((1 << 52) - 1)) | 1 << 52;
        let significand = BigInt::from(significand);
        (if x < 0.0 { -significand } else { significand }, biased - 1075)
    }

    /// Compares the magnitude of q with that of x / d, exactly.
    fn compare(q: f64, x: f64, d: f64) -> std::cmp::Ordering {
        let ((q, eq), (x, ex), (d, ed)) = (integer(q.abs()), integer(x.abs()), integer(d.abs()));
        let shift = |n: BigInt, by: i32| n << u32::try_from(by).unwrap();
        let least = ex.min(eq + ed);
        shift(q * d, eq + ed - least).cmp(&shift(x, ex - least))
    }

    #[test]
    fn the_quotient_is_exact_or_the_odd_neighbour() {
        let stream = Stream::new(1, 2);
        let draw = |i: u64, bits: u32, exponents: u64| {
            let random = u64::from(stream.bits(2 * i)) << 32 | u64::from(stream.bits(2 * i + 1));
            let significand = (random >> 11 | 1 << 52) >> (53 - bits) << (53 - bits);
            let exponent = i32::try_from(random % exponents).unwrap() - 52;
            let sign = if random & 1 == 0 { 1.0 } else { -1.0 };
            sign * (significand as f64) * f64::from(exponent).exp2()
        };
        let mut inexact = 0;
        for i in 0..200_000 {
            // Dividends of float32 and binary64, divisors of up to 35 bits.
            let x = draw(2 * i, [24, 53][usize::try_from(i % 2).unwrap()], 200);
            let d = draw(2 * i + 1, [3, 24, 28, 35][usize::try_from(i / 2 % 4).unwrap()], 100);
            let q = to_odd(x, d);
            if compare(q, x, d).is_ne() {
                inexact += 1;
                assert_eq!(q.to_bits() & 1, 1, "{x:e} / {d:e}");
                let (below, above) = (q.to_bits() - 1, q.to_bits() + 1);
                assert!(compare(f64::from_bits(below), x, d).is_lt(), "{x:e} / {d:e}");
                assert!(compare(f64::from_bits(above), x, d).is_gt(), "{x:e} / {d:e}");
            }
        }
        assert!(inexact > 150_000, "{inexact} inexact quotients are a test");
    }

    #[test]
    fn what_is_no_number_stays_what_division_makes_it() {
        assert_eq!(to_odd(f64::INFINITY, 3.0), f64::INFINITY);
        assert_eq!(to_odd(-0.0, 3.0).to_bits(), (-0.0f64).to_bits());
        assert!(to_odd(f64::NAN, 3.0).is_nan());
        assert_eq!(to_odd(1.0, f64::INFINITY), 0.0);
    }
}
