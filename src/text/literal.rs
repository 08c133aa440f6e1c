//! What people type becomes a [`Literal`]: a number, a named constant, or a bit pattern.
//!
//! Numbers are decimals of any length (`3.14159`, `-1e-40`, `.5`, `1_000`), hex floats
//! (`0x1.8p-3`), fractions (`1/3`), powers (`2^-24`), infinities and NaNs. The result stands for the
//! exact value; the one rounding happens in [`project`](crate::codec::project()).
//!
//! ```
//! use fpx::{codec::{Projection, project}, format::F16, text::literal::parse_number};
//! let x = parse_number("1.00048828125090949470177292823791503906250").unwrap();
//! assert_eq!(project(&F16, &Projection::default(), &x).code, 0x3c01); // 3c00 through binary64
//! ```

use super::reader::{Reader, Result};
use crate::{
    codec::{QUIET_BIT, Unpacked, decode},
    format::Format,
};

/// A constant whose value depends on the format at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant {
    /// The largest finite number.
    Max,
    /// The least positive normal number.
    MinNormal,
    /// The least positive subnormal number.
    MinSubnormal,
    /// The difference between 1 and the next number up.
    Epsilon,
    /// A quiet NaN with this payload, right-aligned below the quiet bit.
    Nan(u128),
}

/// What a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// A number, exactly, or a NaN.
    Number(Unpacked),
    /// A named constant of the format at hand.
    Constant {
        /// Whether a minus stood before it.
        negative: bool,
        /// Which one.
        constant: Constant,
    },
    /// A bit pattern.
    Code(Pattern),
}

/// A bit pattern as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The integer.
    pub code: u128,
    /// The bits written: four a hex digit, or what Verilog's `N'` states.
    pub written_width: u32,
    /// Whether the width was stated rather than counted.
    pub width_is_stated: bool,
}

/// Why a text is not a literal. Offsets are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// There is no text.
    #[error("a number is expected, found nothing")]
    Empty,
    /// Something other than what the grammar allows.
    #[error("'{text}' is not a number: {expected} expected at byte {at}, found {found}")]
    Unexpected {
        /// The text, shortened for display.
        text: String,
        /// Where.
        at: usize,
        /// What stands there.
        found: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A pattern with more than 128 significant bits, or more than its stated width.
    #[error("bit pattern '{text}' does not fit {width} bits")]
    TooWide {
        /// The text, shortened for display.
        text: String,
        /// The limit.
        width: u32,
    },
    /// A power or fraction whose terms are too large to compute.
    #[error("'{text}' is too large to compute: {limit}")]
    TooLarge {
        /// The text, shortened for display.
        text: String,
        /// What is allowed.
        limit: &'static str,
    },
    /// A fraction with a zero below the line.
    #[error("'{text}' divides by zero")]
    DivisionByZero {
        /// The text, shortened for display.
        text: String,
    },
}

/// Reads a literal.
///
/// ```
/// use fpx::text::literal::{Literal, parse};
/// let Literal::Code(pattern) = parse("16'h3c00").unwrap() else { panic!() };
/// assert_eq!((pattern.code, pattern.written_width), (0x3c00, 16));
/// ```
///
/// # Errors
///
/// [`LiteralError`], with the byte offset of what was not understood.
pub fn parse(text: &str) -> Result<Literal> {
    let reader = Reader::new(text);
    let (negative, start) = reader.sign();
    let body = &text[start..];
    if body.is_empty() {
        return Err(if text.is_empty() {
            LiteralError::Empty
        } else {
            reader.unexpected(start, "a digit")
        });
    }
    if let Some(word) = word(body, negative) {
        return Ok(word);
    }
    if let Some(payload) = strip_prefix_ignoring_case(body, "nan:") {
        return reader.nan(negative, text.len() - payload.len());
    }
    if let Some(pattern) = reader.pattern(start)? {
        if start > 0 {
            return Err(reader.unexpected(0, "no sign before a bit pattern; a number"));
        }
        return Ok(Literal::Code(pattern));
    }
    let x = reader.number(start)?;
    Ok(Literal::Number(Unpacked { negative, ..x }))
}

/// Reads a number, refusing bit patterns and named constants.
///
/// # Errors
///
/// As [`parse`]; a pattern or a constant is unexpected at byte 0.
pub fn parse_number(text: &str) -> Result<Unpacked> {
    match parse(text)? {
        Literal::Number(x) => Ok(x),
        Literal::Constant { .. } | Literal::Code(_) => {
            Err(Reader::new(text).unexpected(0, "a decimal or hex float"))
        }
    }
}

/// Reads bare hex digits as a code, `_` allowed between them; `0x` and Verilog forms are read too, but
/// `0b10` is the hex code b10.
///
/// # Errors
///
/// [`LiteralError`], for an `x` or `z` of a simulator as for any other character.
pub fn parse_code(text: &str) -> Result<Pattern> {
    let reader = Reader::new(text);
    if text.is_empty() {
        return Err(LiteralError::Empty);
    }
    let stated = if reader.is_prefix(0, b'x') { reader.pattern(0)? } else { reader.verilog(0)? };
    stated.map_or_else(|| reader.digits_of(0, text.len(), 4), Ok)
}

/// The words that need no parsing.
fn word(body: &str, negative: bool) -> Option<Literal> {
    let is = |word: &str| body.eq_ignore_ascii_case(word);
    let constant = |constant| Some(Literal::Constant { negative, constant });
    if is("inf") || is("infinity") {
        return Some(Literal::Number(Unpacked::infinity(negative)));
    }
    if is("nan") {
        return Some(Literal::Number(Unpacked::nan(negative, QUIET_BIT)));
    }
    if is("snan") {
        // The least payload that keeps every IEEE format's signalling NaN from being infinity.
        return Some(Literal::Number(Unpacked::nan(negative, QUIET_BIT >> 1)));
    }
    match body {
        "max" => constant(Constant::Max),
        "min_normal" => constant(Constant::MinNormal),
        "min_subnormal" => constant(Constant::MinSubnormal),
        "eps" => constant(Constant::Epsilon),
        _ => None,
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

impl Constant {
    /// Returns the constant's value in a format.
    ///
    /// Where the format has no normal or no subnormal number, its least positive number stands in. Of
    /// a payload that is too wide, the leading bits are kept.
    pub fn value(self, format: &Format) -> Unpacked {
        let decoded = |magnitude| decode(format, format.code(false, magnitude));
        match self {
            Self::Max => decoded(format.largest_finite()),
            Self::MinNormal => decoded(format.least_normal().unwrap_or(format.least_positive())),
            Self::MinSubnormal => decoded(format.least_positive()),
            Self::Nan(payload) => {
                let payload_width = format.trailing_width().saturating_sub(1);
                let excess = (128 - payload.leading_zeros()).saturating_sub(payload_width);
                let aligned = (payload >> excess).checked_shl(127 - payload_width).unwrap_or(0);
                Unpacked::nan(false, QUIET_BIT | aligned)
            }
            Self::Epsilon => Unpacked::scaled(false, 1, -format.trailing_width().cast_signed()),
        }
    }
}
