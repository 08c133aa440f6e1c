//! Lines become answers, one after the other, in constant memory; or a check of someone's answers.

use std::io::{self, BufRead, Write};

use super::{
    emit::Writer,
    numbers::{Converter, InputError},
};
use crate::text::{literal, render};

/// The longest line that is read, in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// Why a stream ended early. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A line has no answer.
    #[error("line {line}: {error}")]
    Input {
        /// Its number.
        line: u64,
        /// Why.
        error: InputError,
    },
    /// A line is longer than [`MAX_LINE`].
    #[error("line {0} is longer than {MAX_LINE} bytes")]
    TooLong(u64),
    /// A line is not text.
    #[error("line {0} is not text: one number a line is expected")]
    Binary(u64),
    /// A line of a check does not have two or three words.
    #[error("line {0}: `input expected [flags]` is expected")]
    CheckLine(u64),
    /// A line of a check expects something that is no code.
    #[error("line {line}: the expected code: {error}")]
    Expected {
        /// Its number.
        line: u64,
        /// Why.
        error: literal::LiteralError,
    },
    /// Reading failed.
    #[error("standard input: {0}")]
    Read(io::Error),
    /// Writing failed.
    #[error(transparent)]
    Write(io::Error),
}

/// Lines without comments and blanks, with their numbers.
struct Lines<R> {
    source: R,
    line: String,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(source: R) -> Self {
        Self { source, line: String::new(), number: 0 }
    }

    /// Returns the next line that says something, without surrounding blanks, and its number.
    fn next(&mut self) -> Result<Option<(u64, &str)>, StreamError> {
        loop {
            if !self.read()? {
                return Ok(None);
            }
            let (start, end) = content(&self.line);
            if start < end {
                return Ok(Some((self.number, &self.line[start..end])));
            }
        }
    }

    /// Reads one line into the buffer; false at the end.
    fn read(&mut self) -> Result<bool, StreamError> {
        let mut bytes = std::mem::take(&mut self.line).into_bytes();
        bytes.clear();
        let mut limited = io::Read::take(&mut self.source, MAX_LINE as u64 + 1);
        let read = limited.read_until(b'\n', &mut bytes).map_err(StreamError::Read)?;
        self.number += 1;
        if read > MAX_LINE {
            return Err(StreamError::TooLong(self.number));
        }
        self.line = String::from_utf8(bytes)
            .ok()
            .filter(|line| !line.contains('\0'))
            .ok_or(StreamError::Binary(self.number))?;
        Ok(read > 0)
    }
}

/// Returns where a line's content begins and ends, without comment and surrounding blanks.
fn content(line: &str) -> (usize, usize) {
    let comment = line.bytes().enumerate().position(|(i, byte)| {
        byte == b'#' || (byte == b'/' && line.as_bytes().get(i + 1) == Some(&b'/'))
    });
    let content = line[..comment.unwrap_or(line.len())].trim_end();
    (content.len() - content.trim_start().len(), content.len())
}

/// What a stream held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streamed {
    /// Answers written.
    pub answers: u64,
    /// Answers that would be others if the input were not held in `from` first.
    pub held_differs: u64,
}

/// Writes the answers of every line; `position` counts inputs over several streams.
///
/// # Errors
///
/// [`StreamError`]; what came before the bad line has been written.
pub fn run(
    converter: &Converter,
    writer: &mut Writer,
    source: impl BufRead,
    out: &mut dyn Write,
    position: &mut u64,
) -> Result<Streamed, StreamError> {
    let mut lines = Lines::new(source);
    let mut streamed = Streamed::default();
    while let Some((line, text)) = lines.next()? {
        let fail = |error| StreamError::Input { line, error };
        let input = converter.read(text).map_err(fail)?;
        for target in 0..converter.config().targets.len() {
            let answer = converter.answer(&input, target, *position).map_err(fail)?;
            streamed.answers += 1;
            streamed.held_differs += u64::from(answer.without_holding.is_some());
            writer.answer(out, &input, target, &answer).map_err(StreamError::Write)?;
        }
        *position += 1;
    }
    Ok(streamed)
}

/// What a check found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Lines compared.
    pub lines: u64,
    /// Lines that differ in code or flags.
    pub differences: u64,
}

/// Compares each line's expected code, and flags if it has them, with the answer of its input.
///
/// # Errors
///
/// [`StreamError`]; the differences before the bad line have been written.
pub fn check(
    converter: &Converter,
    source: impl BufRead,
    out: &mut dyn Write,
) -> Result<Checked, StreamError> {
    let format = &converter.config().targets[0].format;
    let mut lines = Lines::new(source);
    let mut checked = Checked::default();
    while let Some((line, text)) = lines.next()? {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (input, expected, flags) = match words[..] {
            [input, expected] => (input, expected, None),
            [input, expected, flags] => (input, expected, Some(flags)),
            _ => return Err(StreamError::CheckLine(line)),
        };
        let code =
            |text| literal::parse_code(text).map_err(|error| StreamError::Expected { line, error });
        let expected_code = code(expected)?.code;
        let expected_flags = flags.map(code).transpose()?.map(|pattern| pattern.code);
        let answer = converter
            .read(input)
            .and_then(|input| converter.answer(&input, 0, checked.lines))
            .map_err(|error| StreamError::Input { line, error })?;
        checked.lines += 1;
        let got_flags = u128::from(answer.flags.testfloat());
        if answer.code == expected_code && expected_flags.is_none_or(|flags| flags == got_flags) {
            continue;
        }
        checked.differences += 1;
        let got = render::hex(format, answer.code);
        let shown_flags = |flags: u128| format!(" flags {flags:02x}");
        let (wanted, had) = match expected_flags {
            Some(flags) => (shown_flags(flags), shown_flags(got_flags)),
            None => (String::new(), String::new()),
        };
        writeln!(out, "line {line}: input {input} expected {expected}{wanted} got {got}{had}")
            .map_err(StreamError::Write)?;
    }
    Ok(checked)
}
