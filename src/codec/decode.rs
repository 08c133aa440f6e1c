//! A code becomes the datum it stands for. Nothing is rounded.

use super::{Unpacked, unpacked::QUIET_BIT};
use crate::format::{Format, Layout, Nan, Underflow};

/// Decodes a code.
///
/// Bits above the format's width are ignored. A format with one NaN gives a positive or negative
/// quiet NaN with no payload; a code that x87 calls invalid gives a NaN (see [`defect`]).
///
/// ```
/// use fpx::{codec::decode, format::E5M2};
/// assert_eq!(decode(&E5M2, 0x7b).to_f64(), 57344.0);
/// ```
pub fn decode(format: &Format, code: u128) -> Unpacked {
    let negative = code & format.sign_mask() != 0;
    let magnitude = magnitude(format, code);
    let largest = format.largest_finite();
    if magnitude > largest || defect(format, code) == Some(Defect::Invalid) {
        return special(format, negative, magnitude);
    }
    if negative && magnitude == 0 {
        match format.facts().nan {
            Nan::NegativeZero => return Unpacked::nan(false, QUIET_BIT),
            Nan::Absent | Nan::AboveInfinity | Nan::AllOnes => {
                return Unpacked::zero(format.has_negative_zero());
            }
        }
    }
    if magnitude == 0 && format.has_zero() {
        return Unpacked::zero(negative);
    }
    let trailing_width = format.trailing_width();
    let biased = format.biased(magnitude);
    let trailing = magnitude & ((1 << trailing_width) - 1);
    let quantum_exponent = biased - format.bias() - trailing_width.cast_signed();
    if biased == 0 && format.facts().underflow == Underflow::Gradual {
        // A pseudo-denormal of x87 stores the leading bit with an exponent field of 0.
        let leading = u128::from(defect(format, code).is_some()) << trailing_width;
        return Unpacked::scaled(negative, trailing | leading, quantum_exponent + 1);
    }
    Unpacked::scaled(negative, trailing | 1 << trailing_width, quantum_exponent)
}

/// Decodes a magnitude above the largest finite one.
fn special(format: &Format, negative: bool, magnitude: u128) -> Unpacked {
    if format.has_infinity() && magnitude == format.largest_finite() + 1 {
        return Unpacked::infinity(negative);
    }
    let trailing_width = format.trailing_width();
    match format.facts().nan {
        Nan::AboveInfinity => {
            let trailing = magnitude & ((1 << trailing_width) - 1);
            // x87's invalid codes with an exponent field that is not all ones are quiet NaNs here.
            let quiet = if magnitude > format.largest_finite() { 0 } else { QUIET_BIT };
            Unpacked::nan(negative, trailing << (128 - trailing_width) | quiet)
        }
        Nan::Absent | Nan::AllOnes | Nan::NegativeZero => Unpacked::nan(negative, QUIET_BIT),
    }
}

/// Returns the exponent and trailing significand of a code, without sign and stored leading bit.
pub(crate) fn magnitude(format: &Format, code: u128) -> u128 {
    let unsigned = code & format.code_mask() & !format.sign_mask();
    match format.facts().layout {
        Layout::Hidden => unsigned,
        Layout::Explicit => {
            let trailing_width = format.trailing_width();
            let trailing = unsigned & ((1 << trailing_width) - 1);
            unsigned >> (trailing_width + 1) << trailing_width | trailing
        }
    }
}

/// What is odd about a code whose leading bit is stored (Intel SDM vol. 1 §8.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A leading bit with an exponent field of 0: a number, read as if the field were 1.
    PseudoDenormal,
    /// A missing leading bit: an unnormal, pseudo-infinity or pseudo-NaN, which is invalid.
    Invalid,
}

/// Returns what is odd about a code; `None` for every code of a format that hides the leading bit.
pub fn defect(format: &Format, code: u128) -> Option<Defect> {
    if format.facts().layout == Layout::Hidden {
        return None;
    }
    let trailing_width = format.trailing_width();
    let leading = code >> trailing_width & 1 == 1;
    let biased_is_zero = magnitude(format, code) >> trailing_width == 0;
    match (biased_is_zero, leading) {
        (true, true) => Some(Defect::PseudoDenormal),
        (false, false) => Some(Defect::Invalid),
        (true, false) | (false, true) => None,
    }
}
