//! Numbers as text: rows of columns, one number a line or separated by commas or spaces.
//!
//! A number stands for its exact value until it is rounded, once. Blank lines and what follows a
//! `#` are skipped.

use std::{
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use super::{
    Container, ContainerError, Element, Hints, Order, Source, Tensor, Writing, limits,
    source::{Body, Input, Opened, Sequential},
};
use crate::{codec::Unpacked, text::literal};

/// Numbers in lines, separated by spaces.
pub static TEXT: Container = Container {
    name: "text",
    extensions: &["txt"],
    magic: |_| false,
    open: |opened, hints| open(opened, hints, &TEXT),
    writing: Writing::Text(" "),
    source: "numpy.savetxt",
};

/// Numbers in lines, separated by commas.
pub static CSV: Container = Container {
    name: "csv",
    extensions: &["csv"],
    magic: |_| false,
    open: |opened, hints| open(opened, hints, &CSV),
    writing: Writing::Text(","),
    source: "RFC 4180, numbers only",
};

/// Reads rows of numbers.
pub struct Numbers<R> {
    path: PathBuf,
    reader: R,
    /// Lines read.
    line: u64,
    /// Numbers in the first row, which every other must have.
    columns: Option<usize>,
    buffer: Vec<u8>,
}

impl<R: BufRead> Numbers<R> {
    /// Reads from the first line; the path is for errors.
    pub(super) fn new(path: &Path, reader: R) -> Self {
        Self { path: path.to_owned(), reader, line: 0, columns: None, buffer: Vec::new() }
    }

    /// Appends the next row's numbers; `false` at the end.
    ///
    /// # Errors
    ///
    /// [`ContainerError::Data`] with the line, if it is no row of as many numbers as the first.
    pub fn next_row(&mut self, numbers: &mut Vec<Unpacked>) -> Result<bool, ContainerError> {
        let before = numbers.len();
        while numbers.len() == before {
            if !self.next_line()? {
                return Ok(false);
            }
            let line =
                std::str::from_utf8(&self.buffer).map_err(|_| self.wrong("is not UTF-8 text"))?;
            let line = line.split('#').next().unwrap_or_default().trim();
            let fields: Box<dyn Iterator<Item = &str>> = if line.is_empty() {
                Box::new(std::iter::empty())
            } else if line.contains(',') {
                Box::new(line.split(',').map(str::trim))
            } else {
                Box::new(line.split_whitespace())
            };
            for field in fields {
                let number = literal::parse_number(field);
                numbers.push(number.map_err(|error| self.wrong(&error.to_string()))?);
            }
        }
        let found = numbers.len() - before;
        let expected = *self.columns.get_or_insert(found);
        if found != expected {
            return Err(self.wrong(&format!("{found} numbers, where the first row has {expected}")));
        }
        Ok(true)
    }

    fn next_line(&mut self) -> Result<bool, ContainerError> {
        self.buffer.clear();
        self.line += 1;
        let mut limited = self.reader.by_ref().take(limits::MAX_LINE_BYTES + 1);
        let read = limited.read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|error| ContainerError::io("read", &self.path, error))?;
        limits::check("its length", read as u64, limits::limit!(MAX_LINE_BYTES))
            .map_err(|what| self.wrong(&what))?;
        Ok(read > 0)
    }

    fn wrong(&self, what: &str) -> ContainerError {
        ContainerError::data(&self.path, format!("line {}: {what}", self.line))
    }
}

impl<R> std::fmt::Debug for Numbers<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Numbers")
            .field("path", &self.path)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Opens text; a file is read once through, so that its shape is known and every line is right.
fn open(opened: Opened, hints: &Hints, kind: &'static Container) -> Result<Source, ContainerError> {
    let mut tensor = Tensor {
        name: String::new(),
        dtype: hints.from.as_ref().map_or("text", |from| from.name()).to_owned(),
        element: Element::Literal,
        shape: Vec::new(),
        order: Order::C,
        offset: 0,
        bytes: None,
    };
    let body = match opened.input {
        Input::Stream(stream) => Body::Stream(Some(stream).into()),
        Input::File(file, bytes) => {
            let reader = BufReader::new(Sequential { file: &file, offset: 0 });
            tensor.shape = shape(Numbers::new(&opened.path, reader))?;
            tensor.bytes = Some(bytes);
            Body::File(file)
        }
    };
    let tensors = vec![tensor];
    Ok(Source { path: opened.path, kind, tensors, metadata: Vec::new(), faults: Vec::new(), body })
}

/// Counts rows and columns; a single column is one dimension.
fn shape(mut numbers: Numbers<impl BufRead>) -> Result<Vec<u64>, ContainerError> {
    let (mut row, mut rows) = (Vec::new(), 0u64);
    while numbers.next_row(&mut row)? {
        rows += 1;
        row.clear();
    }
    Ok(match numbers.columns {
        None | Some(1) => vec![rows],
        Some(columns) => vec![rows, columns as u64],
    })
}

/// Writes a number, and what follows it in rows of `columns` numbers.
///
/// # Errors
///
/// Those of the writer.
pub fn write_number(
    out: &mut impl io::Write,
    number: &str,
    index: u64,
    columns: u64,
    separator: &str,
) -> io::Result<()> {
    let ends = (index + 1).is_multiple_of(columns);
    write!(out, "{number}{}", if ends { "\n" } else { separator })
}
