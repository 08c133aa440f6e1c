//! Rows and columns with units become an aligned table, CSV, JSON, JSON lines or Markdown; series
//! become SVG and terminal charts.
//!
//! A job returns a [`Report`]: its options, its rows with everything that was measured, and the
//! blocks of the screen for people. Every cell carries its value for machines beside its text for
//! people, and the text carries [`Role`]s, not colours. Nothing here prints: text output holds ANSI
//! sequences, which the printer strips where colour is off.
//!
//! ```
//! use fpx::report::{Block, Cell, Column, Emit, Report, Screen, Syntax, Table};
//! let mut rows = Table::new([Column::new("format", "format"), Column::new("flushed", "flushed\nto zero").right()]);
//! rows.push([Cell::text("bf16"), Cell::count(12_345)]);
//! let report = Report::new("error-sweep", rows).with(Block::line("a title"));
//! let csv = report.render(Emit::Data(Syntax::Csv), Screen::default());
//! assert_eq!(csv, "format,flushed\nbf16,12345\n");
//! ```

pub mod answer;
pub mod blocks;
pub mod catalogue;
mod cell;
pub mod chart;
mod emit;
pub mod number;
pub mod plot;
pub mod svg;
mod text;

pub use cell::{Align, Cell, Column, Place, Role, Row, Span, Table, line_of, value_of};
pub use emit::{Emit, Encoder, Syntax, UnknownEmit};
pub use text::{escape, paint};

use serde_json::{Map, Value};

/// One part of what people see.
#[derive(Clone, Debug)]
pub enum Block {
    /// A line of text; with no spans, a blank line.
    Line(Vec<Span>),
    /// The visible columns of the report's rows, or its view of them.
    Rows,
    /// Another view of the rows.
    Table(Table),
    /// A picture as wide as the screen.
    Chart(plot::Chart),
    /// What to type next: shown on a terminal only.
    Hint(Vec<Span>),
}

impl Block {
    /// Returns a plain line.
    pub fn line(text: impl Into<String>) -> Self {
        Self::Line(vec![Span::plain(text)])
    }

    /// Returns an empty line.
    pub const fn blank() -> Self {
        Self::Line(Vec::new())
    }

    /// Returns a line of what to type next.
    pub fn hint(text: impl Into<String>) -> Self {
        Self::Hint(vec![Span::new(text, Role::Dim)])
    }
}

/// Where the text goes: how wide it may be, and whether someone is there to read hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns of characters; a wider table is split into several.
    pub width: usize,
    /// Whether [`Block::Hint`]s are shown.
    pub hints: bool,
}

impl Default for Screen {
    /// 100 columns and no hints, as in a pipe.
    fn default() -> Self {
        Self { width: 100, hints: false }
    }
}

/// What a job found out.
#[derive(Clone, Debug)]
pub struct Report {
    /// The subcommand, which also names the JSON schema: `fpx.<command>/1`.
    pub command: &'static str,
    /// All options that decided the numbers.
    pub options: Map<String, Value>,
    /// Every row and every column.
    pub rows: Table,
    /// What tables and Markdown show instead of the rows, if that is other columns or rows.
    pub view: Option<Table>,
    /// What people see, in order.
    pub blocks: Vec<Block>,
}

impl Report {
    /// Returns a report of these rows, with no options and nothing on the screen.
    pub fn new(command: &'static str, rows: Table) -> Self {
        Self { command, options: Map::new(), rows, view: None, blocks: Vec::new() }
    }

    /// Adds a block to the screen.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Records an option that decided the numbers.
    #[must_use]
    pub fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the whole report as text that ends in a line feed.
    pub fn render(&self, emit: Emit, screen: Screen) -> String {
        match emit {
            Emit::Table => self.render_screen(screen),
            Emit::Data(syntax) => {
                let table = if syntax == Syntax::Markdown { self.view() } else { &self.rows };
                let mut encoder = Encoder::new(syntax, &table.columns);
                let mut out = encoder.open(self.command, &self.options);
                for row in table.cells() {
                    out += &encoder.row(row);
                }
                out + &encoder.close()
            }
        }
    }

    fn view(&self) -> &Table {
        self.view.as_ref().unwrap_or(&self.rows)
    }

    fn render_screen(&self, screen: Screen) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            match block {
                Block::Line(spans) => out += &(text::wrapped(spans, screen.width) + "\n"),
                Block::Rows => out += &text::table(self.view(), screen.width),
                Block::Table(table) => out += &text::table(table, screen.width),
                Block::Chart(chart) => {
                    for line in chart::lines(chart, screen.width) {
                        out += &(paint(&line) + "\n");
                    }
                }
                Block::Hint(spans) if screen.hints => {
                    out += &(text::wrapped(spans, screen.width) + "\n");
                }
                Block::Hint(_) => {}
            }
        }
        out
    }
}
