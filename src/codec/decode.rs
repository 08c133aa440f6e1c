//! A code becomes the datum it stands for. Nothing is rounded.

use super::{Kind, Unpacked, unpacked::QUIET_BIT};
use crate::format::{Class, Format, Layout, Nan, Underflow};

/// Decodes a code.
///
/// Bits above the format's width are ignored. A format with one NaN gives a positive or negative
/// quiet NaN with no payload; a code that x87 calls invalid gives a signalling NaN (see [`defect`]).
///
/// ```
/// use fpx::{codec::decode, format::E5M2};
/// assert_eq!(decode(&E5M2, 0x7b).to_f64(), 57344.0);
/// ```
pub fn decode(format: &Format, code: u128) -> Unpacked {
    let negative = code & format.sign_mask() != 0;
    let magnitude = magnitude(format, code);
    let largest = format.largest_finite();
    let trailing_width = format.trailing_width();
    let trailing = magnitude & ((1 << trailing_width) - 1);
    if defect(format, code) == Some(Defect::Invalid) {
        return Unpacked::nan(negative, trailing << (128 - trailing_width) & !QUIET_BIT);
    }
    if magnitude > largest {
        return special(format, negative, magnitude, trailing);
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
    let biased = format.biased(magnitude);
    let quantum_exponent = biased - format.bias() - trailing_width.cast_signed();
    if biased == 0 && format.facts().underflow == Underflow::Gradual {
        return Unpacked::scaled(negative, trailing, quantum_exponent + 1);
    }
    Unpacked::scaled(negative, trailing | 1 << trailing_width, quantum_exponent)
}

/// Decodes a magnitude above the largest finite one.
fn special(format: &Format, negative: bool, magnitude: u128, trailing: u128) -> Unpacked {
    if format.has_infinity() && magnitude == format.largest_finite() + 1 {
        return Unpacked::infinity(negative);
    }
    match format.facts().nan {
        Nan::AboveInfinity => Unpacked::nan(negative, trailing << (128 - format.trailing_width())),
        Nan::Absent | Nan::AllOnes | Nan::NegativeZero => Unpacked::nan(negative, QUIET_BIT),
    }
}

/// Returns the exponent and trailing significand of a code, without sign and stored leading bit.
///
/// A pseudo-denormal gets the exponent field 1, which has the same value.
pub(super) fn magnitude(format: &Format, code: u128) -> u128 {
    let unsigned = code & format.code_mask() & !format.sign_mask();
    match format.facts().layout {
        Layout::Hidden => unsigned,
        Layout::Explicit => {
            let trailing_width = format.trailing_width();
            let trailing = unsigned & ((1 << trailing_width) - 1);
            let leading = unsigned >> trailing_width & 1;
            let biased = (unsigned >> (trailing_width + 1)).max(leading);
            biased << trailing_width | trailing
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
    match (format.biased_exponent(code) == 0, leading) {
        (true, true) => Some(Defect::PseudoDenormal),
        (false, false) => Some(Defect::Invalid),
        (true, false) | (false, true) => None,
    }
}

impl Format {
    /// Returns the class of a code.
    ///
    /// ```
    /// use fpx::format::{Class, E4M3FN};
    /// assert_eq!(E4M3FN.class(0x07), Class::Subnormal);
    /// assert_eq!(E4M3FN.class(0x7f), Class::QuietNan);
    /// ```
    pub fn class(&self, code: u128) -> Class {
        let x = decode(self, code);
        match x.kind {
            Kind::Zero => Class::Zero,
            Kind::Infinity => Class::Infinity,
            Kind::Nan if x.is_signaling() => Class::SignalingNan,
            Kind::Nan => Class::QuietNan,
            Kind::Finite if x.exponent < self.emin() => Class::Subnormal,
            Kind::Finite => Class::Normal,
        }
    }
}
