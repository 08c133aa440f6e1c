//! Someone else's answers become the list of those that differ from fpx's.

use std::{
    fmt,
    io::{self, BufRead},
};

use super::{
    numbers::{Converter, InputError},
    stream::{Lines, StreamError},
};
use crate::{
    report::{Cell, Column},
    text::{literal, render},
};

/// Why a check ended early. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A line cannot be read, or its input has no answer.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A line does not have two or three words.
    #[error("line {line}: found {words}, `input expected [flags]` is expected")]
    Words {
        /// Its number.
        line: u64,
        /// How many words it has, in words.
        words: String,
    },
    /// A line expects something that is no code.
    #[error("line {line}: the expected {what}: {error}")]
    Expected {
        /// Its number.
        line: u64,
        /// The code or the flags.
        what: &'static str,
        /// Why.
        error: literal::LiteralError,
    },
}

/// What a check found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Lines compared.
    pub lines: u64,
    /// Lines that differ in code or flags.
    pub differences: u64,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: u64| if n == 1 { "" } else { "s" };
        match self.differences {
            0 => f.write_str("no difference")?,
            n => write!(f, "{n} difference{}", plural(n))?,
        }
        write!(f, " in {} line{}", self.lines, plural(self.lines))
    }
}

/// A line whose answer is another. Codes and flags are hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line, counted from 1.
    pub line: u64,
    /// Its input, as written.
    pub input: String,
    /// The code it expects, as written.
    pub expected: String,
    /// fpx's code.
    pub got: String,
    /// The flags it expects, as written, and fpx's; `None` if it expects none.
    pub flags: Option<(String, String)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, input, expected, got, .. } = self;
        match &self.flags {
            None => write!(f, "line {line}: input {input} expected {expected} got {got}"),
            Some((wanted, had)) => write!(
                f,
                "line {line}: input {input} expected {expected} flags {wanted} got {got} flags {had}"
            ),
        }
    }
}

impl Difference {
    /// Returns the columns of [`cells`](Self::cells).
    pub fn columns() -> Vec<Column> {
        let names = ["line", "input", "expected", "expected_flags", "got", "got_flags"];
        names.map(|name| Column::new(name, name)).into()
    }

    /// Returns a cell a column of [`columns`](Self::columns).
    pub fn cells(&self) -> Vec<Cell> {
        let (wanted, had) = match &self.flags {
            Some((wanted, had)) => (Cell::text(wanted.as_str()), Cell::text(had.as_str())),
            None => (Cell::absent(), Cell::absent()),
        };
        vec![
            Cell::new(self.line, self.line.to_string()),
            Cell::text(self.input.as_str()),
            Cell::text(self.expected.as_str()),
            wanted,
            Cell::text(self.got.as_str()),
            had,
        ]
    }
}

/// Compares each line's expected code, and flags if it has them, with the answer of its input in the
/// first target, and calls `report` for each difference.
///
/// # Errors
///
/// [`CheckError`]; the differences before the bad line have been reported.
pub fn run(
    converter: &Converter,
    source: impl BufRead,
    mut report: impl FnMut(&Difference) -> io::Result<()>,
) -> Result<Checked, CheckError> {
    let mut lines = Lines::new(source);
    let mut checked = Checked::default();
    while let Some((line, text)) = lines.next()? {
        let difference = compare(converter, line, text, checked.lines)?;
        checked.lines += 1;
        if let Some(difference) = difference {
            checked.differences += 1;
            report(&difference).map_err(StreamError::Write)?;
        }
    }
    Ok(checked)
}

/// Compares one line; `position` counts the lines compared before it.
fn compare(
    converter: &Converter,
    line: u64,
    text: &str,
    position: u64,
) -> Result<Option<Difference>, CheckError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (input, expected, flags) = match words[..] {
        [input, expected] => (input, expected, None),
        [input, expected, flags] => (input, expected, Some(flags)),
        [_] => return Err(CheckError::Words { line, words: "one word".to_owned() }),
        _ => return Err(CheckError::Words { line, words: format!("{} words", words.len()) }),
    };
    let code = |what, text| match literal::parse_code(text) {
        Ok(pattern) => Ok(pattern.code),
        Err(error) => Err(CheckError::Expected { line, what, error }),
    };
    let expected_code = code("code", expected)?;
    let expected_flags = flags.map(|flags| code("flags", flags)).transpose()?;
    let fail = |error: InputError| StreamError::Input { line, error };
    let read = converter.read(input).map_err(fail)?;
    let answer = converter.answer(&read, 0, position).map_err(fail)?;
    let got_flags = answer.flags.testfloat();
    let flags_agree = expected_flags.is_none_or(|flags| flags == u128::from(got_flags));
    if answer.code == expected_code && flags_agree {
        return Ok(None);
    }
    let format = &converter.config().targets[0].format;
    Ok(Some(Difference {
        line,
        input: input.to_owned(),
        expected: expected.to_owned(),
        got: render::hex(format, answer.code),
        flags: flags.map(|flags| (flags.to_owned(), format!("{got_flags:02x}"))),
    }))
}
