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

use num_bigint::BigUint;

use super::decimal;
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

type Result<T> = std::result::Result<T, LiteralError>;

/// Characters of a text that an error repeats.
const SHOWN: usize = 60;

/// The text of an error: whole if short, else its beginning.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
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
    let reader = Reader { text, bytes: text.as_bytes() };
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
            Err(Reader { text, bytes: text.as_bytes() }.unexpected(0, "a decimal or hex float"))
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
    let reader = Reader { text, bytes: text.as_bytes() };
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

/// A text and its bytes, for the parts of the grammar.
struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
}

/// A scanned run of decimal or hexadecimal digits with a point.
struct Digits {
    /// The first significant digits as an integer.
    leading: u128,
    /// Significant digits beyond those, and whether one of them is not zero.
    dropped: i64,
    dropped_nonzero: bool,
    /// Digits after the point.
    places: i64,
    /// Where the scan stopped.
    end: usize,
}

impl Reader<'_> {
    fn unexpected(&self, at: usize, expected: &'static str) -> LiteralError {
        let found = self.text.get(at..).and_then(|rest| rest.chars().next());
        let found =
            found.map_or_else(|| "its end".to_owned(), |c| format!("'{}'", c.escape_debug()));
        LiteralError::Unexpected { text: shown(self.text), at, found, expected }
    }

    /// Reads a sign and returns it with where the rest begins; U+2212 is a minus.
    fn sign(&self) -> (bool, usize) {
        match self.bytes {
            [b'-', ..] => (true, 1),
            [b'+', ..] => (false, 1),
            [0xe2, 0x88, 0x92, ..] => (true, 3),
            _ => (false, 0),
        }
    }

    /// Reads digits of a base with an optional point; `_` may stand between two digits.
    fn scan(&self, start: usize, base: u8, capacity: u32) -> Result<Digits> {
        let value = |b: u8| (b as char).to_digit(u32::from(base)).map(u128::from);
        let mut digits =
            Digits { leading: 0, dropped: 0, dropped_nonzero: false, places: 0, end: start };
        let (mut point, mut any, mut significant) = (false, false, 0u32);
        while let Some(&byte) = self.bytes.get(digits.end) {
            if let Some(digit) = value(byte) {
                any = true;
                digits.places += i64::from(point);
                if significant < capacity {
                    digits.leading = digits.leading * u128::from(base) + digit;
                    significant += u32::from(digits.leading != 0);
                } else {
                    digits.dropped += 1;
                    digits.dropped_nonzero |= digit != 0;
                }
            } else if byte == b'.' && !point {
                point = true;
            } else if byte == b'_' {
                let next = self.bytes.get(digits.end + 1).copied().and_then(value);
                let previous = digits.end.checked_sub(1).and_then(|i| value(self.bytes[i]));
                if next.is_none() || previous.is_none() {
                    return Err(self.unexpected(digits.end, "a digit on both sides of '_'"));
                }
            } else {
                break;
            }
            digits.end += 1;
        }
        if any { Ok(digits) } else { Err(self.unexpected(digits.end, "a digit")) }
    }

    /// Reads an optional exponent after one of two letters; a huge one saturates.
    fn exponent(&self, at: usize, letters: [u8; 2]) -> Result<(i64, usize)> {
        if !self.bytes.get(at).is_some_and(|b| letters.contains(b)) {
            return Ok((0, at));
        }
        let negative = self.bytes.get(at + 1) == Some(&b'-');
        let signed = negative || self.bytes.get(at + 1) == Some(&b'+');
        let start = at + 1 + usize::from(signed);
        let mut end = start;
        let mut exponent = 0i64;
        while let Some(digit) = self.bytes.get(end).filter(|b| b.is_ascii_digit()) {
            exponent = exponent.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
            end += 1;
        }
        if end == start {
            return Err(self.unexpected(end, "a digit of the exponent"));
        }
        Ok((if negative { -exponent } else { exponent }, end))
    }

    /// Reads a decimal, and returns where it ends.
    fn decimal(&self, start: usize) -> Result<(Unpacked, usize)> {
        /// Decimal digits that always fit 64 bits.
        const CAPACITY: u32 = 19;
        let digits = self.scan(start, 10, CAPACITY)?;
        let (exponent, end) = self.exponent(digits.end, *b"eE")?;
        let exponent = exponent.saturating_sub(digits.places);
        let x = if digits.dropped_nonzero {
            let all: Vec<u8> =
                self.bytes[start..digits.end].iter().copied().filter(u8::is_ascii_digit).collect();
            let zeros = all.iter().take_while(|&&d| d == b'0').count();
            decimal::from_digits(&all[zeros..], exponent)
        } else {
            #[expect(clippy::cast_possible_truncation, reason = "19 digits fit 64 bits")]
            decimal::from_integer(digits.leading as u64, exponent.saturating_add(digits.dropped))
        };
        Ok((x, end))
    }

    /// Reads a hex float, decimal, fraction or power to the end of the text.
    fn number(&self, start: usize) -> Result<Unpacked> {
        if self.is_prefix(start, b'x') {
            return self.hex_float(start + 2);
        }
        let (x, end) = self.decimal(start)?;
        match self.bytes.get(end) {
            None => Ok(x),
            Some(b'/') => self.fraction(start, end),
            Some(b'^') => self.power(start, end),
            Some(_) => Err(self.unexpected(end, "a digit, a point or an exponent")),
        }
    }

    fn is_prefix(&self, start: usize, letter: u8) -> bool {
        self.bytes.get(start) == Some(&b'0')
            && self.bytes.get(start + 1).is_some_and(|b| b.eq_ignore_ascii_case(&letter))
    }

    fn hex_float(&self, start: usize) -> Result<Unpacked> {
        let digits = self.scan(start, 16, 31)?;
        if !self.bytes.get(digits.end).is_some_and(|b| b.eq_ignore_ascii_case(&b'p')) {
            return Err(self.unexpected(digits.end, "a hex digit or the 'p' of an exponent"));
        }
        let (exponent, end) = self.exponent(digits.end, *b"pP")?;
        if end < self.bytes.len() {
            return Err(self.unexpected(end, "a digit of the exponent"));
        }
        let shift = digits.dropped.saturating_sub(digits.places).saturating_mul(4);
        let exponent = exponent.saturating_add(shift).clamp(-1 << 24, 1 << 24);
        let exponent = i32::try_from(exponent).unwrap_or_default();
        let x = Unpacked::scaled(false, digits.leading, exponent);
        Ok(Unpacked { sticky: digits.dropped_nonzero, ..x })
    }

    /// Reads the digits of `start..end` as an integer, refusing anything else.
    fn integer(&self, start: usize, end: usize) -> Result<BigUint> {
        /// Digits of a term of a fraction, or of the base of a power.
        const MAX_TERM: usize = 10_000;
        if let Some(i) = (start..end).find(|&i| !self.bytes[i].is_ascii_digit()) {
            return Err(self.unexpected(i, "a digit of an integer"));
        }
        if end - start > MAX_TERM {
            let limit = "an integer here has at most 10000 digits";
            return Err(LiteralError::TooLarge { text: shown(self.text), limit });
        }
        BigUint::parse_bytes(&self.bytes[start..end], 10)
            .ok_or_else(|| self.unexpected(end, "a digit"))
    }

    fn fraction(&self, start: usize, slash: usize) -> Result<Unpacked> {
        let numerator = self.integer(start, slash)?;
        let denominator = self.integer(slash + 1, self.bytes.len())?;
        if denominator.bits() == 0 {
            return Err(LiteralError::DivisionByZero { text: shown(self.text) });
        }
        if numerator.bits() == 0 {
            return Ok(Unpacked::zero(false));
        }
        Ok(decimal::ratio(&numerator, &denominator))
    }

    fn power(&self, start: usize, caret: usize) -> Result<Unpacked> {
        /// Bits of a power: every format's range is far below.
        const MAX_BITS: u64 = 1 << 20;
        let base = self.integer(start, caret)?;
        let negative = self.bytes.get(caret + 1) == Some(&b'-');
        let exponent = self.integer(caret + 1 + usize::from(negative), self.bytes.len())?;
        if base.bits() == 0 && negative && exponent.bits() > 0 {
            return Err(LiteralError::DivisionByZero { text: shown(self.text) });
        }
        let too_large = || LiteralError::TooLarge {
            text: shown(self.text),
            limit: "a power may have at most 2^20 bits",
        };
        let exponent = u32::try_from(exponent).map_err(|_| too_large())?;
        if base.bits().saturating_mul(u64::from(exponent)) > MAX_BITS {
            return Err(too_large());
        }
        let power = base.pow(exponent);
        let one = BigUint::from(1u32);
        Ok(match (power.bits(), negative) {
            (0, _) => Unpacked::zero(false),
            (_, false) => decimal::ratio(&power, &one),
            (_, true) => decimal::ratio(&one, &power),
        })
    }

    /// Reads a NaN's payload.
    fn nan(&self, negative: bool, start: usize) -> Result<Literal> {
        /// Payload bits of a binary128 NaN, below its quiet bit.
        const PAYLOAD_WIDTH: u32 = 111;
        let rest = Reader { text: &self.text[start..], bytes: &self.bytes[start..] };
        let payload = match rest.pattern(0) {
            Ok(Some(pattern)) if pattern.code >> PAYLOAD_WIDTH == 0 => pattern.code,
            Ok(None) | Err(_) => return Err(self.unexpected(start, "a payload such as 0x12")),
            Ok(Some(_)) => {
                return Err(LiteralError::TooWide { text: shown(self.text), width: PAYLOAD_WIDTH });
            }
        };
        Ok(Literal::Constant { negative, constant: Constant::Nan(payload) })
    }

    /// Reads a bit pattern if the text has the shape of one: `0x3c00`, `0b0_01111`, `16'h3c00`.
    fn pattern(&self, start: usize) -> Result<Option<Pattern>> {
        let end = self.bytes.len();
        if self.is_prefix(start, b'x') {
            let is_float = self.bytes[start..].iter().any(|b| matches!(b, b'p' | b'P' | b'.'));
            return if is_float { Ok(None) } else { self.digits_of(start + 2, end, 4).map(Some) };
        }
        if self.is_prefix(start, b'b') {
            return self.digits_of(start + 2, end, 1).map(Some);
        }
        self.verilog(start)
    }

    /// Reads Verilog's `N'hDIGITS` or `NhDIGITS`, and `N'bDIGITS`.
    fn verilog(&self, start: usize) -> Result<Option<Pattern>> {
        let size_end =
            start + self.bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
        let quoted = self.bytes.get(size_end) == Some(&b'\'');
        let letter = size_end + usize::from(quoted);
        let bits_a_digit = match self.bytes.get(letter) {
            Some(b'h' | b'H') => 4,
            Some(b'b' | b'B') if quoted => 1,
            Some(_) if quoted => return Err(self.unexpected(letter, "the base h or b")),
            _ => return Ok(None),
        };
        if size_end == start {
            return Err(self.unexpected(start, "a width"));
        }
        let width = self.text[start..size_end].parse().unwrap_or(u32::MAX);
        let pattern = self.digits_of(letter + 1, self.bytes.len(), bits_a_digit)?;
        if !(1..=128).contains(&width) || (width < 128 && pattern.code >> width != 0) {
            return Err(LiteralError::TooWide { text: shown(self.text), width: width.min(128) });
        }
        Ok(Some(Pattern { written_width: width, width_is_stated: true, ..pattern }))
    }

    /// Reads digits of 1 or 4 bits each, `_` allowed between them.
    fn digits_of(&self, start: usize, end: usize, bits_a_digit: u32) -> Result<Pattern> {
        let (mut code, mut count) = (0u128, 0u32);
        for i in start..end {
            let byte = self.bytes[i];
            if byte == b'_' && i > start && i + 1 < end {
                continue;
            }
            let digit = (byte as char).to_digit(1 << bits_a_digit).ok_or_else(|| {
                self.unexpected(i, if bits_a_digit == 4 { "a hex digit" } else { "a binary digit" })
            })?;
            if code.leading_zeros() < bits_a_digit {
                return Err(LiteralError::TooWide { text: shown(self.text), width: 128 });
            }
            code = code << bits_a_digit | u128::from(digit);
            count += 1;
        }
        if count == 0 {
            return Err(self.unexpected(end, "a digit"));
        }
        let written_width = count.saturating_mul(bits_a_digit);
        Ok(Pattern { code, written_width, width_is_stated: false })
    }
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
