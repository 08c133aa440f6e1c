//! Inputs become answers, one after the other, in constant memory.

use std::io::{self, BufRead, Write};

use super::{
    emit::Writer,
    numbers::{Converter, Input, InputError},
};
use crate::{format::Format, text::render};

/// The longest line that is read, in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// Why a stream ended early. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// An input that is not from a line has no answer.
    #[error(transparent)]
    Argument(InputError),
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
    /// Reading failed.
    #[error("standard input: {0}")]
    Read(io::Error),
    /// Writing failed.
    #[error(transparent)]
    Write(io::Error),
}

/// Lines without comments and blanks, with their numbers.
pub(super) struct Lines<R> {
    source: R,
    line: String,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, line: String::new(), number: 0 }
    }

    /// Returns the next line that says something, without surrounding blanks, and its number.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &str)>, StreamError> {
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

/// What was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streamed {
    /// Answers written.
    pub answers: u64,
    /// Answers that would be others if the input were not held in `from` first.
    pub held_differs: u64,
}

/// Where inputs come from.
pub enum Source<'a> {
    /// A number that has been read.
    Number(Input<'a>),
    /// Lines of numbers.
    Lines(Box<dyn BufRead + 'a>),
    /// Codes of a format.
    Codes(&'a Format, Box<dyn Iterator<Item = u128> + 'a>),
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(input) => f.debug_tuple("Number").field(input).finish(),
            Self::Lines(_) => f.debug_tuple("Lines").finish_non_exhaustive(),
            Self::Codes(format, _) => f.debug_tuple("Codes").field(format).finish_non_exhaustive(),
        }
    }
}

/// Answers on their way out.
struct Answering<'a> {
    converter: &'a Converter<'a>,
    writer: &'a mut Writer<'a>,
    out: &'a mut dyn Write,
    /// Inputs answered so far, which is the position of the next.
    position: u64,
    streamed: Streamed,
}

impl Answering<'_> {
    /// Writes the answer of one input in every target; `fail` says where the input stands.
    fn answer(
        &mut self,
        input: &Input,
        fail: impl Fn(InputError) -> StreamError,
    ) -> Result<(), StreamError> {
        for target in 0..self.converter.config().targets.len() {
            let answer = self.converter.answer(input, target, self.position).map_err(&fail)?;
            self.streamed.answers += 1;
            self.streamed.held_differs += u64::from(answer.without_holding.is_some());
            self.writer.answer(self.out, input, target, &answer).map_err(StreamError::Write)?;
        }
        self.position += 1;
        Ok(())
    }

    fn lines(&mut self, source: impl BufRead) -> Result<(), StreamError> {
        let mut lines = Lines::new(source);
        while let Some((line, text)) = lines.next()? {
            let fail = |error| StreamError::Input { line, error };
            let input = self.converter.read(text).map_err(fail)?;
            self.answer(&input, fail)?;
        }
        Ok(())
    }

    fn source(&mut self, source: Source) -> Result<(), StreamError> {
        match source {
            Source::Number(input) => self.answer(&input, StreamError::Argument),
            Source::Lines(source) => self.lines(source),
            Source::Codes(format, mut codes) => codes.try_for_each(|code| {
                let text = render::hex(format, code);
                self.answer(&Input::code(&text, format, code), StreamError::Argument)
            }),
        }
    }
}

/// Writes the answers of every source, and what comes before the first and after the last.
///
/// # Errors
///
/// [`StreamError`]; the answers before the bad input have been written, and the output is whole.
pub fn run<'a>(
    converter: &'a Converter<'a>,
    writer: &'a mut Writer<'a>,
    sources: Vec<Source<'a>>,
    out: &'a mut dyn Write,
) -> Result<Streamed, StreamError> {
    writer.open(out).map_err(StreamError::Write)?;
    let mut answering =
        Answering { converter, writer, out, position: 0, streamed: Streamed::default() };
    let result = sources.into_iter().try_for_each(|source| answering.source(source));
    let Answering { writer, out, streamed, .. } = answering;
    writer.close(out).map_err(StreamError::Write)?;
    result.map(|()| streamed)
}
