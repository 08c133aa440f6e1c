//! The parts of the number grammar: signs, digits, exponents, and the numbers made of them.

use num_bigint::BigUint;

use super::{
    decimal,
    literal::{Constant, Literal, LiteralError},
};
use crate::codec::Unpacked;

pub(super) type Result<T> = std::result::Result<T, LiteralError>;

/// Characters of a text that an error repeats.
const SHOWN: usize = 60;

/// The text of an error: whole if short, else its beginning, on one line and harmless to a terminal.
pub(super) fn shown(text: &str) -> String {
    let (start, rest) = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => (&text[..end], "…"),
        None => (text, ""),
    };
    let mut shown = String::new();
    for c in start.chars() {
        if c.is_control() {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    shown + rest
}

/// A text and its bytes, for the parts of the grammar.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
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

impl<'a> Reader<'a> {
    /// Returns a reader of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes() }
    }

    pub(super) fn unexpected(&self, at: usize, expected: &'static str) -> LiteralError {
        let found = self.text.get(at..).and_then(|rest| rest.chars().next());
        let found =
            found.map_or_else(|| "its end".to_owned(), |c| format!("'{}'", c.escape_debug()));
        LiteralError::Unexpected { text: shown(self.text), at, found, expected }
    }

    /// Reads a sign and returns it with where the rest begins; U+2212 is a minus.
    pub(super) fn sign(&self) -> (bool, usize) {
        match self.bytes {
            [b'-', ..] => (true, 1),
            [b'+', ..] => (false, 1),
            [0xe2, 0x88, 0x92, ..] => (true, 3),
            _ => (false, 0),
        }
    }

    /// Reads digits of a base with an optional point; `_` may stand between two digits.
    fn scan<const BASE: u32>(&self, start: usize, capacity: u32) -> Result<Digits> {
        let value = |b: u8| (b as char).to_digit(BASE).map(u128::from);
        let mut digits =
            Digits { leading: 0, dropped: 0, dropped_nonzero: false, places: 0, end: start };
        let (mut point, mut any, mut significant) = (false, false, 0u32);
        while let Some(&byte) = self.bytes.get(digits.end) {
            if let Some(digit) = value(byte) {
                any = true;
                digits.places += i64::from(point);
                if significant < capacity {
                    digits.leading = digits.leading * u128::from(BASE) + digit;
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
        let digits = self.scan::<10>(start, CAPACITY)?;
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
    pub(super) fn number(&self, start: usize) -> Result<Unpacked> {
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

    pub(super) fn is_prefix(&self, start: usize, letter: u8) -> bool {
        self.bytes.get(start) == Some(&b'0')
            && self.bytes.get(start + 1).is_some_and(|b| b.eq_ignore_ascii_case(&letter))
    }

    fn hex_float(&self, start: usize) -> Result<Unpacked> {
        let digits = self.scan::<16>(start, 31)?;
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
    pub(super) fn nan(&self, negative: bool, start: usize) -> Result<Literal> {
        /// Payload bits of a binary128 NaN, below its quiet bit.
        const PAYLOAD_WIDTH: u32 = 111;
        let rest = Reader::new(&self.text[start..]);
        let payload = match rest.pattern(0) {
            Ok(Some(pattern)) if pattern.code >> PAYLOAD_WIDTH == 0 => pattern.code,
            Ok(None) | Err(_) => return Err(self.unexpected(start, "a payload such as 0x12")),
            Ok(Some(_)) => {
                return Err(LiteralError::TooWide { text: shown(self.text), width: PAYLOAD_WIDTH });
            }
        };
        Ok(Literal::Constant { negative, constant: Constant::Nan(payload) })
    }
}
