//! Rows become CSV, JSON, JSON lines or Markdown, one at a time, so that a stream needs no memory.

use serde_json::{Map, Value};

use super::{Align, Cell, Column, Place, cell::line_of, number, text::escape};

/// How rows are written for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// One object: schema, command, options, rows.
    Json,
    /// One object a row.
    Jsonl,
    /// RFC 4180, with a header line and line feeds.
    Csv,
    /// A pipe table of the visible columns.
    Markdown,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emit {
    /// Aligned text for people.
    #[default]
    Table,
    /// Rows for machines.
    Data(Syntax),
}

impl Emit {
    /// Every kind, the default first.
    pub const ALL: [Self; 5] = [
        Self::Table,
        Self::Data(Syntax::Json),
        Self::Data(Syntax::Jsonl),
        Self::Data(Syntax::Csv),
        Self::Data(Syntax::Markdown),
    ];

    /// Returns the name given to `--emit`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Data(Syntax::Json) => "json",
            Self::Data(Syntax::Jsonl) => "jsonl",
            Self::Data(Syntax::Csv) => "csv",
            Self::Data(Syntax::Markdown) => "markdown",
        }
    }
}

/// No kind of output has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown --emit '{0}': expected table, json, jsonl, csv or markdown")]
pub struct UnknownEmit(String);

impl std::str::FromStr for Emit {
    type Err = UnknownEmit;

    fn from_str(text: &str) -> Result<Self, UnknownEmit> {
        let found = Self::ALL.into_iter().find(|emit| emit.name() == text);
        found.ok_or_else(|| UnknownEmit(text.to_owned()))
    }
}

/// Writes rows one after the other: [`open`](Self::open), [`row`](Self::row)s,
/// [`close`](Self::close).
#[derive(Debug)]
pub struct Encoder<'a> {
    syntax: Syntax,
    columns: &'a [Column],
    rows: u64,
}

impl<'a> Encoder<'a> {
    /// Returns an encoder of rows with these columns.
    pub const fn new(syntax: Syntax, columns: &'a [Column]) -> Self {
        Self { syntax, columns, rows: 0 }
    }

    /// The columns of this syntax, with what belongs to each.
    fn select<'b, T>(&self, items: &'b [T]) -> impl Iterator<Item = (&'a Column, &'b T)> {
        let syntax = self.syntax;
        self.columns.iter().zip(items).filter(move |(column, _)| match (column.place, syntax) {
            (Place::Everywhere, _) | (Place::Json, Syntax::Json | Syntax::Jsonl) => true,
            (Place::Screen, _) => syntax == Syntax::Markdown,
            (Place::Data, _) => syntax != Syntax::Markdown,
            (Place::Json, Syntax::Csv | Syntax::Markdown) => false,
        })
    }

    /// Returns what comes before the first row.
    pub fn open(&self, command: &str, options: &Map<String, Value>) -> String {
        let columns = || self.select(self.columns).map(|(column, _)| column);
        match self.syntax {
            Syntax::Jsonl => String::new(),
            Syntax::Json => format!(
                "{{\"schema\":\"fpx.{command}/1\",\"command\":\"{command}\",\"options\":{},\"rows\":[",
                Value::Object(options.clone())
            ),
            Syntax::Csv => comma_line(columns().map(|column| column.key.clone())),
            Syntax::Markdown => {
                let rule = columns().map(|column| match column.align {
                    Align::Left => "---".to_owned(),
                    Align::Right | Align::Point => "--:".to_owned(),
                });
                pipe_line(columns().map(|c| c.heading.replace('\n', " "))) + &pipe_line(rule)
            }
        }
    }

    /// Returns one row.
    ///
    /// # Panics
    ///
    /// If there is not one cell a column.
    pub fn row(&mut self, cells: &[Cell]) -> String {
        assert_eq!(cells.len(), self.columns.len(), "one cell a column");
        let separator = if self.rows > 0 { ",\n" } else { "\n" };
        self.rows += 1;
        match self.syntax {
            Syntax::Json => separator.to_owned() + &self.object(cells),
            Syntax::Jsonl => self.object(cells) + "\n",
            Syntax::Csv => comma_line(self.select(cells).map(|(_, cell)| flat(&cell.value))),
            Syntax::Markdown => pipe_line(self.select(cells).map(|(_, c)| line_of(&c.spans))),
        }
    }

    /// Returns what comes after the last row.
    pub fn close(&self) -> String {
        match self.syntax {
            Syntax::Json if self.rows > 0 => "\n]}\n".to_owned(),
            Syntax::Json => "]}\n".to_owned(),
            Syntax::Jsonl | Syntax::Csv | Syntax::Markdown => String::new(),
        }
    }

    fn object(&self, cells: &[Cell]) -> String {
        let fields =
            self.select(cells).map(|(column, cell)| (column.key.clone(), cell.value.clone()));
        Value::Object(fields.collect()).to_string()
    }
}

/// A value as one field of a flat file: nothing for null, a list joined by spaces. What could steer
/// a terminal is escaped, as in JSON.
fn flat(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.split('\n').map(escape).collect::<Vec<_>>().join("\n"),
        Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(" "),
        Value::Number(x) if x.is_f64() => number::shortest(x.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn comma_line(fields: impl Iterator<Item = String>) -> String {
    let quoted = fields.map(|field| {
        if field.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

fn pipe_line(fields: impl Iterator<Item = String>) -> String {
    let escaped = fields.map(|field| escape(&field.replace('\n', " ")).replace('|', "\\|"));
    format!("| {} |\n", escaped.collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::super::{Block, Report, Screen, Table};
    use super::*;

    fn report() -> Report {
        let mut rows = Table::new([
            Column::new("name", "name"),
            Column::new("n", "count\nof all").right(),
            Column::new("x", "x").place(Place::Data),
            Column::new("bar", "bar").place(Place::Screen),
            Column::new("state", "state").place(Place::Json),
        ]);
        let state = Value::from(vec![1, 2]);
        rows.push([
            Cell::text("a \"b\", c|d"),
            Cell::count(1234),
            Cell::number(f64::INFINITY, "inf"),
            Cell::text("##"),
            Cell::new(state.clone(), ""),
        ]);
        rows.push_rule();
        rows.push([
            Cell::text("e\nf"),
            Cell::absent(),
            Cell::number(0.1, "0.1"),
            Cell::text("#"),
            Cell::new(state, ""),
        ]);
        Report::new("test", rows).option("seed", 0).with(Block::Rows)
    }

    fn render(syntax: Syntax) -> String {
        report().render(Emit::Data(syntax), Screen::default())
    }

    #[test]
    fn csv_quotes_as_rfc_4180_says() {
        let expected = "name,n,x\n\"a \"\"b\"\", c|d\",1234,inf\n\"e\nf\",,0.1\n";
        assert_eq!(render(Syntax::Csv), expected);
    }

    #[test]
    fn json_parses_back_and_holds_no_bare_infinity() {
        let value: Value = serde_json::from_str(&render(Syntax::Json)).unwrap();
        assert_eq!(value["schema"], "fpx.test/1");
        assert_eq!(value["options"]["seed"], 0);
        assert_eq!(value["rows"][0]["x"], "inf");
        assert_eq!(value["rows"][0]["n"], 1234);
        assert_eq!(value["rows"][1]["n"], Value::Null);
        assert_eq!(value["rows"][1]["state"][1], 2);
        assert!(value["rows"][0].get("bar").is_none());
    }

    #[test]
    fn json_without_rows_is_json() {
        let empty = Report::new("test", Table::new([Column::new("a", "a")]));
        let text = empty.render(Emit::Data(Syntax::Json), Screen::default());
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["rows"], Value::Array(vec![]));
    }

    #[test]
    fn json_lines_are_the_rows_of_json() {
        let value: Value = serde_json::from_str(&render(Syntax::Json)).unwrap();
        let lines: Vec<Value> =
            render(Syntax::Jsonl).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(value["rows"], Value::Array(lines));
    }

    #[test]
    fn markdown_escapes_pipes_and_keeps_one_line_a_row() {
        let expected = "| name | count of all | bar |\n| --- | --: | --- |\n\
                        | a \"b\", c\\|d | 1,234 | ## |\n| e f | - | # |\n";
        assert_eq!(render(Syntax::Markdown), expected);
    }

    #[test]
    fn names_are_read_back() {
        for emit in Emit::ALL {
            assert_eq!(emit.name().parse(), Ok(emit));
        }
        assert!("xml".parse::<Emit>().unwrap_err().to_string().contains("'xml'"));
    }
}
