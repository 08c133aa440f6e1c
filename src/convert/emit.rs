//! Answers become lines of one of the output kinds.

use std::{fmt::Write as _, io};

use serde_json::{Map, Value, json};

use super::numbers::{Answer, Config, Input};
use crate::{
    format::Format,
    report::{Cell, Column, Encoder, Place, Syntax, answer, line_of},
    text::render,
};

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emit {
    /// Aligned columns for people.
    #[default]
    Table,
    /// The code, `0x` and hex digits.
    Bits,
    /// The code's hex digits.
    Hex,
    /// The value.
    Values,
    /// Rows for machines.
    Rows(Syntax),
    /// Berkeley TestFloat: input code, result code, flags.
    Testfloat,
    /// Verilog's `$readmemh`.
    Readmemh,
    /// A C array.
    C,
}

/// An output kind's row: its name, what it is, and whether it holds one target only.
#[derive(Debug)]
pub struct EmitRow {
    /// The kind.
    pub emit: Emit,
    /// The name given to `--emit`.
    pub name: &'static str,
    /// Whether only one target makes sense.
    pub one_target: bool,
    /// Whether scales have a place in it.
    pub scales: bool,
}

/// Every output kind.
pub static EMITS: &[EmitRow] = &[
    EmitRow { emit: Emit::Table, name: "table", one_target: false, scales: true },
    EmitRow { emit: Emit::Bits, name: "bits", one_target: false, scales: true },
    EmitRow { emit: Emit::Hex, name: "hex", one_target: false, scales: true },
    EmitRow { emit: Emit::Values, name: "values", one_target: false, scales: true },
    EmitRow { emit: Emit::Rows(Syntax::Json), name: "json", one_target: false, scales: true },
    EmitRow { emit: Emit::Rows(Syntax::Jsonl), name: "jsonl", one_target: false, scales: true },
    EmitRow { emit: Emit::Rows(Syntax::Csv), name: "csv", one_target: false, scales: true },
    EmitRow {
        emit: Emit::Rows(Syntax::Markdown),
        name: "markdown",
        one_target: false,
        scales: true,
    },
    EmitRow { emit: Emit::Testfloat, name: "testfloat", one_target: true, scales: false },
    EmitRow { emit: Emit::Readmemh, name: "readmemh", one_target: true, scales: false },
    EmitRow { emit: Emit::C, name: "c", one_target: true, scales: false },
];

impl Emit {
    /// Returns the row of this kind.
    pub fn row(self) -> &'static EmitRow {
        EMITS.iter().find(|row| row.emit == self).unwrap_or(&EMITS[0])
    }
}

/// Returns the row of one answer, a cell a column of [`answer::columns`].
pub fn cells(config: &Config, input: &Input, target: usize, answer: &Answer) -> Vec<Cell> {
    let spec = &config.targets[target];
    answer::Answer {
        input: input.text,
        from: input.held_in.map(|(format, _)| format.name()),
        to: &spec.to_string(),
        format: &spec.format,
        code: answer.code,
        stored: None,
        error: answer.error(&spec.format),
        flags: answer.flags,
    }
    .cells()
}

/// Returns what decided the answers, for the `options` of JSON.
pub fn options(config: &Config) -> Map<String, Value> {
    let targets: Vec<String> = config.targets.iter().map(ToString::to_string).collect();
    let from = config.from.as_ref().map(Format::name);
    let mut options =
        Map::from_iter([("from".to_owned(), json!(from)), ("to".to_owned(), json!(targets))]);
    options.extend(answer::rounding_options(&config.projection, config.seed));
    options
}

/// Writes answers as they come, in constant memory.
pub struct Writer<'a> {
    config: &'a Config,
    emit: Emit,
    columns: &'a [Column],
    encoder: Option<Encoder<'a>>,
    line: String,
    rows: u64,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("emit", &self.emit).field("rows", &self.rows).finish()
    }
}

/// Widths of a streamed table's columns: input, format, code, value, error, ulp.
const WIDTHS: [usize; 6] = [22, 9, 11, 22, 10, 7];

impl<'a> Writer<'a> {
    /// Returns a writer of answers with these [`answer::columns`].
    pub fn new(config: &'a Config, emit: Emit, columns: &'a [Column]) -> Self {
        let encoder = match emit {
            Emit::Rows(syntax) => Some(Encoder::new(syntax, columns)),
            Emit::Table
            | Emit::Bits
            | Emit::Hex
            | Emit::Values
            | Emit::Testfloat
            | Emit::Readmemh
            | Emit::C => None,
        };
        Self { config, emit, columns, encoder, line: String::new(), rows: 0 }
    }

    /// Writes what comes before the first answer.
    ///
    /// # Errors
    ///
    /// As `out` does.
    pub fn open(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        self.line.clear();
        if let Some(encoder) = &self.encoder {
            self.line = encoder.open("convert", &options(self.config));
        }
        let target = &self.config.targets[0];
        match self.emit {
            Emit::Table => {
                self.line = self.config.modes() + "\n\n";
                let headings: Vec<_> = self
                    .columns
                    .iter()
                    .filter(|c| c.place == Place::Everywhere)
                    .map(|c| c.heading.clone())
                    .collect();
                self.fixed_line(&headings);
            }
            Emit::Readmemh => {
                let _ = writeln!(self.line, "// {} codes, {} bits", target, target.format.width());
            }
            Emit::C => {
                let bytes = target.format.storage_bytes().min(8);
                let name = identifier(&target.to_string());
                let _ = writeln!(self.line, "static const uint{}_t {name}[] = {{", bytes * 8);
            }
            Emit::Bits | Emit::Hex | Emit::Values | Emit::Rows(_) | Emit::Testfloat => {}
        }
        out.write_all(self.line.as_bytes())
    }

    /// Writes one answer.
    ///
    /// # Errors
    ///
    /// As `out` does.
    pub fn answer(
        &mut self,
        out: &mut dyn io::Write,
        input: &Input,
        target: usize,
        answer: &Answer,
    ) -> io::Result<()> {
        self.line.clear();
        self.rows += 1;
        let format = &self.config.targets[target].format;
        match self.emit {
            Emit::Bits | Emit::Hex => {
                if self.emit == Emit::Bits {
                    self.line.push_str("0x");
                }
                push_hex(&mut self.line, format, answer.code);
            }
            Emit::Values => self.line.push_str(&render::value(format, answer.code)),
            Emit::Testfloat => self.testfloat(format, input, answer),
            Emit::Readmemh => {
                push_hex(&mut self.line, format, answer.code);
                let _ = write!(self.line, " // {}", input.text);
            }
            Emit::C => self.c_element(format, input, answer.code),
            Emit::Table => {
                let cells = cells(self.config, input, target, answer);
                let shown =
                    cells.iter().zip(self.columns).filter(|(_, c)| c.place == Place::Everywhere);
                let texts: Vec<_> = shown.map(|(cell, _)| line_of(&cell.spans)).collect();
                self.fixed_line(&texts);
                return out.write_all(self.line.as_bytes());
            }
            Emit::Rows(_) => {
                let cells = cells(self.config, input, target, answer);
                if let Some(encoder) = &mut self.encoder {
                    self.line = encoder.row(&cells);
                }
                return out.write_all(self.line.as_bytes());
            }
        }
        self.line.push('\n');
        out.write_all(self.line.as_bytes())
    }

    /// Writes what comes after the last answer.
    ///
    /// # Errors
    ///
    /// As `out` does.
    pub fn close(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        if let Some(encoder) = &self.encoder {
            out.write_all(encoder.close().as_bytes())?;
        }
        if self.emit == Emit::C {
            out.write_all(b"};\n")?;
        }
        Ok(())
    }

    fn testfloat(&mut self, format: &Format, input: &Input, answer: &Answer) {
        if let Some((from, code)) = input.held_in {
            push_hex(&mut self.line, from, code);
            self.line.push(' ');
        }
        push_hex(&mut self.line, format, answer.code);
        let _ = write!(self.line, " {:02x}", answer.flags.testfloat());
        self.line.make_ascii_uppercase();
    }

    fn c_element(&mut self, format: &Format, input: &Input, code: u128) {
        let suffix = if format.storage_bytes() == 8 { "u" } else { "" };
        self.line.push_str("    0x");
        push_hex(&mut self.line, format, code);
        let _ = write!(self.line, "{suffix}, /* {} */", input.text.replace("*/", "* /"));
    }

    /// Writes texts in columns of fixed width; what is too long pushes the rest aside.
    fn fixed_line(&mut self, texts: &[String]) {
        for (i, text) in texts.iter().enumerate() {
            let width = WIDTHS.get(i).copied().unwrap_or(0);
            let _ = write!(self.line, "{text:<width$}  ");
        }
        self.line.truncate(self.line.trim_end().len());
        self.line.push('\n');
    }
}

/// Writes a code's hex digits; the integer printer of the standard library is slower on 128 bits.
fn push_hex(line: &mut String, format: &Format, code: u128) {
    for i in (0..format.hex_digits()).rev() {
        let digit = (code >> (4 * i) & 0xf) as u8;
        line.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
    }
}

/// Turns a target's name into a C identifier.
fn identifier(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("fpx_{}", name.chars().map(safe).collect::<String>())
}
