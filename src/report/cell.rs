//! The parts of a table: cells that hold a value and its text, columns, rows.

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::number;

/// What a piece of text is, from which its colour follows.
///
/// Colour never carries information alone: the text says the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// Of less interest.
    Dim,
    /// As hoped for.
    Good,
    /// Worse than it should be.
    Warning,
    /// Wrong or lost.
    Bad,
    /// The sign bit.
    Sign,
    /// The exponent field.
    Exponent,
    /// The significand field.
    Significand,
}

impl Role {
    /// Every role, in the order of its number.
    pub(super) const ALL: [Self; 9] = [
        Self::Plain,
        Self::Heading,
        Self::Dim,
        Self::Good,
        Self::Warning,
        Self::Bad,
        Self::Sign,
        Self::Exponent,
        Self::Significand,
    ];

    /// Returns the terminal style.
    pub const fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Plain => style,
            Self::Heading => style.bold(),
            Self::Dim => style.dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warning | Self::Exponent => AnsiColor::Yellow.on_default(),
            Self::Bad | Self::Sign => AnsiColor::Red.on_default(),
            Self::Significand => AnsiColor::Cyan.on_default(),
        }
    }
}

/// A piece of text with a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text; control characters in it are escaped when it is shown.
    pub text: String,
    /// What it is.
    pub role: Role,
}

impl Span {
    /// Returns a piece of text with a role.
    pub fn new(text: impl Into<String>, role: Role) -> Self {
        Self { text: text.into(), role }
    }

    /// Returns a piece of text with no role.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Role::Plain)
    }
}

/// Returns the text of some spans, without their roles.
pub fn line_of(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}

/// Returns a number as a JSON value: a non-finite one is the string `inf`, `-inf` or `nan`.
///
/// ```
/// use fpx::report::value_of;
/// assert_eq!(value_of(0.5).to_string(), "0.5");
/// assert_eq!(value_of(f64::NEG_INFINITY), "-inf");
/// ```
pub fn value_of(x: f64) -> Value {
    if x.is_finite() { Value::from(x) } else { Value::from(number::shortest(x)) }
}

/// A value for machines and its text for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What JSON and CSV hold.
    pub value: Value,
    /// What the table shows.
    pub spans: Vec<Span>,
}

impl Cell {
    /// Returns a cell.
    pub fn new(value: impl Into<Value>, text: impl Into<String>) -> Self {
        Self::spans(value, vec![Span::plain(text)])
    }

    /// Returns a cell whose text has several roles.
    pub fn spans(value: impl Into<Value>, spans: Vec<Span>) -> Self {
        Self { value: value.into(), spans }
    }

    /// Returns a cell that is the same text for machines and people.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(text.clone(), text)
    }

    /// Returns a count, shown with thousands separated.
    pub fn count(n: u64) -> Self {
        Self::new(n, number::grouped(n))
    }

    /// Returns a number whose text the caller chose.
    pub fn number(x: f64, text: impl Into<String>) -> Self {
        Self::new(value_of(x), text)
    }

    /// Returns the cell of something that does not exist: null, shown as `-`.
    pub fn absent() -> Self {
        Self::new(Value::Null, "-")
    }

    /// Gives all of the text one role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.spans.iter_mut().for_each(|span| span.role = role);
        self
    }
}

/// How the texts of a column line up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// At their first characters.
    #[default]
    Left,
    /// At their last characters.
    Right,
    /// At the decimal points; a number without one as if it ended in one.
    Point,
}

/// Which outputs a column is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// All of them.
    #[default]
    Everywhere,
    /// Tables and Markdown: a view of what other columns hold.
    Screen,
    /// JSON, JSON lines and CSV.
    Data,
    /// JSON and JSON lines: nested values that no flat file holds.
    Json,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// The field name in JSON and CSV.
    pub key: String,
    /// One or two lines, the unit on the last.
    pub heading: String,
    /// How texts line up.
    pub align: Align,
    /// Where the column appears.
    pub place: Place,
    /// Whether long texts may be broken over several lines.
    pub wraps: bool,
}

impl Column {
    /// Returns a left-aligned column that appears everywhere.
    pub fn new(key: impl Into<String>, heading: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            heading: heading.into(),
            align: Align::Left,
            place: Place::Everywhere,
            wraps: false,
        }
    }

    /// Aligns at the last characters.
    #[must_use]
    pub fn right(self) -> Self {
        Self { align: Align::Right, ..self }
    }

    /// Aligns at the decimal points.
    #[must_use]
    pub fn point(self) -> Self {
        Self { align: Align::Point, ..self }
    }

    /// Lets long texts break over several lines where the screen is narrow.
    #[must_use]
    pub fn wraps(self) -> Self {
        Self { wraps: true, ..self }
    }

    /// Restricts the column to some outputs.
    #[must_use]
    pub fn place(self, place: Place) -> Self {
        Self { place, ..self }
    }
}

/// A row of a table.
#[derive(Clone, Debug)]
pub enum Row {
    /// One cell a column.
    Cells(Vec<Cell>),
    /// A line that sets the following rows apart; data formats leave it out.
    Rule,
}

/// Columns and rows.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// Returns a table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    ///
    /// If there is not one cell a column.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns.len(), "one cell a column");
        self.rows.push(Row::Cells(cells));
    }

    /// Adds a line between rows.
    pub fn push_rule(&mut self) {
        self.rows.push(Row::Rule);
    }

    /// Returns the cells of each row.
    pub fn cells(&self) -> impl Iterator<Item = &[Cell]> {
        self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells.as_slice()),
            Row::Rule => None,
        })
    }
}
