//! Readings line by line, their fields lined up so that bf16 is seen to be the top of f32.

use super::numbers::{Config, Formats, Reading};
use crate::{
    codec::{Error, Unpacked, decode, neighbor},
    format::{CATALOGUE, Format},
    report::{Block, Cell, Column, Place, Report, Role, Span, Table, answer, number},
    text::{literal, render},
};

/// Exact values with more characters than this are shown as their shortest decimal.
const MAX_EXACT: usize = 60;
/// Significand fields longer than this are cut short.
const MAX_FIELD: usize = 30;

/// Returns the columns of the data formats: those of an answer, and what only inspection tells.
pub(super) fn data_columns() -> Vec<Column> {
    let mut columns: Vec<_> = answer::columns().into_iter().map(|c| c.place(Place::Data)).collect();
    let names = [
        "class",
        "sign",
        "exponent",
        "biased_exponent",
        "significand",
        "shortest",
        "ulp",
        "previous",
        "next",
        "interval_low",
        "interval_high",
        "interval_low_closed",
        "interval_high_closed",
    ];
    columns.extend(names.map(|name| Column::new(name, name).place(Place::Data)));
    columns
}

/// Returns the columns of the screen.
fn screen_columns(layout: Layout) -> Vec<Column> {
    [
        Column::new("input", "input"),
        Column::new("format", "format"),
        Column::new("bits", layout.line("s", "exponent", "significand")),
        Column::new("code", "code"),
        Column::new("exact_value", "exact value").wraps(),
        Column::new("errors", "relative, ulp"),
    ]
    .map(|column| column.place(Place::Screen))
    .into()
}

/// Widths that line the parts of cells up from row to row.
#[derive(Clone, Copy)]
struct Layout {
    exponent: usize,
    relative: usize,
}

impl Layout {
    fn of<'a>(readings: impl Iterator<Item = &'a Reading>) -> Self {
        let mut layout = Self { exponent: "exponent".len(), relative: 0 };
        for reading in readings {
            let exponent = reading.format().exponent_width() as usize;
            layout.exponent = layout.exponent.max(exponent);
            layout.relative = layout.relative.max(relative(&reading.error()).len());
        }
        layout
    }

    /// The three fields under each other.
    fn fields(self, sign: &str, exponent: &str, significand: &str) -> [String; 3] {
        let width = self.exponent;
        [format!("{sign:<1} "), format!("{exponent:<width$} "), significand.to_owned()]
    }

    fn line(self, sign: &str, exponent: &str, significand: &str) -> String {
        self.fields(sign, exponent, significand).concat()
    }
}

/// Returns a table with one row, or several, of everything known about each reading.
pub(super) fn rows(readings: &[Reading]) -> Table {
    let layout = Layout::of(readings.iter());
    let mut table = Table::new(data_columns().into_iter().chain(screen_columns(layout)));
    for reading in readings {
        table.push(data_cells(reading).into_iter().chain(screen_cells(reading, layout)));
    }
    table
}

pub(super) fn data_cells(reading: &Reading) -> Vec<Cell> {
    let (format, code) = (reading.format(), reading.code);
    let x = decode(format, code);
    let mut cells = answer::Answer {
        input: &reading.text,
        from: reading.is_code().then_some(format.name()),
        to: &reading.spec.to_string(),
        format,
        code,
        stored: None,
        error: reading.error(),
        flags: reading.flags,
    }
    .cells();
    let fields = render::fields(format, code);
    let quantum = neighbor::quantum_exponent(format, &x).map(|q| Unpacked::scaled(false, 1, q));
    let code_cell = |code: Option<u128>| {
        code.map_or_else(Cell::absent, |code| {
            Cell::text(format!("0x{}", render::hex(format, code)))
        })
    };
    let interval = neighbor::interval(format, &reading.projection, code);
    let text = |x: Option<Unpacked>| x.map_or_else(Cell::absent, |x| Cell::text(render::exact(&x)));
    let closed = |x: Option<bool>| x.map_or_else(Cell::absent, |x| Cell::new(x, x.to_string()));
    let exponent = render::odd_integer(&x).map(|_| x.exponent.max(format.emin()));
    cells.extend([
        Cell::text(format.class(code).name()),
        Cell::new(u8::from(x.negative), fields.sign),
        exponent.map_or_else(Cell::absent, |e| Cell::new(e, e.to_string())),
        Cell::new(format.biased_exponent(code), String::new()),
        Cell::text(fields.leading + &fields.trailing),
        Cell::text(render::shortest(format, code)),
        text(quantum),
        code_cell(neighbor::next_down(format, code)),
        code_cell(neighbor::next_up(format, code)),
        text(interval.map(|i| i.low.at)),
        text(interval.map(|i| i.high.at)),
        closed(interval.map(|i| i.low.closed)),
        closed(interval.map(|i| i.high.closed)),
    ]);
    cells
}

fn screen_cells(reading: &Reading, layout: Layout) -> Vec<Cell> {
    let (format, code) = (reading.format(), reading.code);
    let fields = render::fields(format, code);
    let significand = shortened(fields.leading + &fields.trailing);
    let texts = layout.fields(&fields.sign, &fields.exponent, &significand);
    let roles = [Role::Sign, Role::Exponent, Role::Significand];
    let bits = texts.into_iter().zip(roles).map(|(text, role)| Span::new(text, role)).collect();
    vec![
        Cell::text(reading.text.as_str()),
        Cell::text(reading.spec.to_string()),
        Cell::spans(serde_json::Value::Null, bits),
        Cell::text(format!("0x{}", render::hex(format, code))),
        Cell::text(exact_or_shortest(format, code)),
        errors(&reading.error(), layout),
    ]
}

/// The relative error and the error in ulps.
fn errors(error: &Error, layout: Layout) -> Cell {
    if error.is_zero() {
        return Cell::text("exact").role(Role::Good);
    }
    let (relative, ulp) = (relative(error), signed(error.ulp, number::fixed(error.ulp, 2)));
    Cell::text(format!("{relative:<width$} {ulp}", width = layout.relative))
}

pub(super) fn relative(error: &Error) -> String {
    signed(error.relative, number::scientific(error.relative, 2))
}

/// Puts the sign of a positive number before its text.
pub(super) fn signed(x: f64, text: String) -> String {
    if x > 0.0 { format!("+{text}") } else { text }
}

/// A field as it is if it is short, else its first bits and how many there are.
fn shortened(bits: String) -> String {
    if bits.len() <= MAX_FIELD {
        bits
    } else {
        format!("{}..({})", &bits[..MAX_FIELD - 7], bits.len())
    }
}

/// Returns the exact value if it is short enough for a table or a power of two, else the shortest,
/// marked by `~`.
pub(super) fn exact_or_shortest(format: &Format, code: u128) -> String {
    let exact = render::exact(&decode(format, code));
    if exact.len() <= MAX_EXACT {
        return exact;
    }
    // A power of two is exact, however small.
    if let Some((1, exponent)) = render::odd_integer(&decode(format, code)) {
        let sign = if decode(format, code).negative { "-" } else { "" };
        return format!("{sign}2^{exponent}");
    }
    let short = render::value(format, code);
    if short.len() < exact.len()
        && !literal::parse_number(&short).is_ok_and(|x| x == decode(format, code))
    {
        format!("~{short}")
    } else {
        short
    }
}

/// Returns the report of several readings.
pub(super) fn report(config: &Config, readings: &[Reading]) -> Report {
    let mut table = rows(readings);
    let one_input = config.inputs.len() == 1;
    let all_codes = readings.iter().all(Reading::is_code);
    for column in &mut table.columns {
        let hidden = match column.key.as_str() {
            "input" => one_input && column.place == Place::Screen,
            "errors" => all_codes,
            _ => false,
        };
        if hidden {
            column.place = Place::Json;
        }
    }
    drop_hidden(&mut table);
    let mut report = Report::new("inspect", table)
        .with(Block::Line(title(config, readings)))
        .with(Block::blank())
        .with(Block::Rows);
    if let Some(also) = also(config, readings) {
        report = report.with(Block::line(also));
    }
    for hint in hints(config, readings) {
        report = report.with(Block::hint(hint));
    }
    report
}

/// Takes columns that only some screen shows out of the report altogether.
pub(super) fn drop_hidden(table: &mut Table) {
    let keep: Vec<bool> = table.columns.iter().map(|c| c.place != Place::Json).collect();
    let mut kept = keep.iter();
    table.columns.retain(|_| *kept.next().unwrap_or(&true));
    for row in &mut table.rows {
        if let crate::report::Row::Cells(cells) = row {
            let mut kept = keep.iter();
            cells.retain(|_| *kept.next().unwrap_or(&true));
        }
    }
}

fn title(config: &Config, readings: &[Reading]) -> Vec<Span> {
    let modes = format!("rounded once, {}", config.projection);
    let [text] = &config.inputs[..] else {
        let all_codes = readings.iter().all(Reading::is_code);
        let title = if all_codes { "codes, read as they are".to_owned() } else { modes };
        return vec![Span::plain(title)];
    };
    let rest = match (&config.formats, readings.first()) {
        (Formats::Given(_), Some(reading)) if reading.is_code() => {
            format!("a code of {}", reading.format())
        }
        (formats, Some(reading)) if reading.is_code() => {
            let width = reading.format().width();
            let (which, hint) = match formats {
                Formats::All => ("every", ""),
                Formats::Usual | Formats::Given(_) => ("every common", " (--format names one)"),
            };
            format!("{width} bits; read in {which} {width}-bit format{hint}")
        }
        (_, Some(reading)) if reading.exact.sticky => {
            format!("no binary format holds it exactly; {modes}")
        }
        _ => modes,
    };
    vec![Span::new(text.clone(), Role::Heading), Span::plain(format!("   {rest}"))]
}

/// The formats of a pattern's width that are not common.
fn also(config: &Config, readings: &[Reading]) -> Option<String> {
    let ([_], Formats::Usual) = (&config.inputs[..], &config.formats) else { return None };
    let first = readings.first().filter(|reading| reading.is_code())?;
    let others: Vec<&str> = CATALOGUE
        .iter()
        .map(|row| &row.format)
        .filter(|format| format.width() == first.format().width())
        .filter(|&format| readings.iter().all(|reading| reading.format() != format))
        .map(Format::name)
        .collect();
    (!others.is_empty()).then(|| format!("also    {}: --format all", others.join(", ")))
}

/// What to type next.
fn hints(config: &Config, readings: &[Reading]) -> Vec<String> {
    let ([text], Formats::Usual) = (&config.inputs[..], &config.formats) else { return Vec::new() };
    let Some(format) = readings.iter().map(Reading::format).nth(readings.len() / 2) else {
        return Vec::new();
    };
    vec![
        String::new(),
        format!(
            "in full: fpx inspect {text} --format {format} · step by step: --explain · all formats: --format all"
        ),
    ]
}
