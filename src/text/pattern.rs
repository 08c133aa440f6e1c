//! Bit patterns: `0x3c00`, `0b0_01111`, `16'h3c00`.

use super::{
    literal::{LiteralError, Pattern},
    reader::{Reader, Result, shown},
};

impl Reader<'_> {
    /// Reads a bit pattern if the text has the shape of one: `0x3c00`, `0b0_01111`, `16'h3c00`.
    pub(super) fn pattern(&self, start: usize) -> Result<Option<Pattern>> {
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
    pub(super) fn verilog(&self, start: usize) -> Result<Option<Pattern>> {
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
    pub(super) fn digits_of(&self, start: usize, end: usize, bits_a_digit: u32) -> Result<Pattern> {
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
