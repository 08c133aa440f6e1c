//! The float32 scale of a tensor, a channel or a tile, from its largest magnitude.

use super::division;
use crate::{
    codec::{Overflow, Projection, decode, project},
    format::{F32, Format},
};

/// The widest element that is scaled: its largest number is then an exact divisor.
pub const MAX_WIDTH: u32 = 32;

/// Returns the scale under which `largest` becomes the format's largest finite number: the quotient,
/// rounded once to nearest float32.
///
/// Nothing to scale (0) has scale 1. A quotient too small for a float32 becomes the least one, under
/// which every element is still in range.
///
/// # Errors
///
/// The quotient, if it exceeds every float32.
///
/// ```
/// use fpx::{block::float_scale::scale, format::E4M3FN};
/// assert_eq!(scale(&E4M3FN, 3.5), Ok(0.0078125));
/// assert_eq!(scale(&E4M3FN, 0.0), Ok(1.0));
/// ```
#[expect(clippy::cast_possible_truncation, reason = "a binary32 code has 32 bits")]
pub fn scale(format: &Format, largest: f64) -> Result<f32, f64> {
    if largest == 0.0 {
        return Ok(1.0);
    }
    let quotient = division::to_odd(largest, decode(format, format.largest_finite()).to_f64());
    let x = crate::codec::Unpacked::from_f64(quotient);
    let scale = f32::from_bits(project(&F32, &Projection::default(), &x).code as u32);
    let least = f32::from_bits(1);
    if scale.is_finite() { Ok(scale.max(least)) } else { Err(quotient) }
}

/// Returns how elements are rounded once they are scaled. The rounding of the scale itself may leave
/// the largest one just above the finite range, where it saturates; infinities follow the policy.
pub fn projection(given: &Projection) -> Projection {
    let overflow = match given.overflow {
        Overflow::Ieee => Overflow::SaturateFinite,
        other @ (Overflow::Saturate | Overflow::SaturateFinite) => other,
    };
    Projection { overflow, ..*given }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codec::Unpacked, format::E4M3FN};

    #[test]
    fn the_largest_element_becomes_the_largest_number() {
        let least = f64::from(f32::from_bits(1));
        for largest in [1.0, 0.1, 448.0, 1e-30, 3e38, least, 1000.0 * least, 1e40] {
            let scale = scale(&E4M3FN, largest).unwrap();
            let element = Unpacked::from_f64(division::to_odd(largest, scale.into()));
            let code = project(&E4M3FN, &projection(&Projection::default()), &element).code;
            // Among the least scales of float32 the quotient is smaller.
            assert!(code == 0x7e || largest < 448.0 * least, "{largest:e} gives {code:#x}");
        }
        assert!(scale(&E4M3FN, 1e300).is_err());
        assert_eq!(scale(&E4M3FN, least), Ok(f32::from_bits(1)));
    }
}
