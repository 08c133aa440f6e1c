//! The catalogue becomes a report: one row a format, with everything that is derived.

use serde_json::{Value, json};

use super::{Block, Cell, Column, Place, Report, Role, Span, Table, answer, number};
use crate::{
    block::{
        rows::{BLOCKS, BlockRow, ScaleKind},
        spec::{Scaling, Spec},
    },
    codec::{Kind, Unpacked, decode},
    format::{CATALOGUE, Format, Row, Zeros},
    text::{literal::Constant, render},
};

/// The widest format whose values are all listed in JSON.
const MAX_LISTED_WIDTH: u32 = 8;

/// Returns the report of these targets, or of the whole catalogue if there are none.
pub fn report(specs: &[Spec]) -> Report {
    let mut table = Table::new(columns());
    if specs.is_empty() {
        for row in CATALOGUE {
            table.push(cells(&row.format, row.format.name()));
        }
        let blocks = BLOCKS.iter().map(|row| Block::line(block_line(row)));
        let mut report = Report::new("formats", table)
            .with(Block::Rows)
            .with(Block::blank())
            .with(Block::line("block formats: elements under a shared scale"));
        report.blocks.extend(blocks);
        return report.with(Block::blank()).with(Block::line(
            "families: eXmY[:bias=N :fn :fnuz :finite :unsigned :nosub ...], binary{K}p{P}{s|u}{e|f} (P3109)",
        ));
    }
    for spec in specs {
        table.push(cells(&spec.format, &spec.to_string()));
    }
    let mut report = Report::new("formats", table).with(Block::Rows);
    for spec in specs {
        report.blocks.extend(remarks(spec));
    }
    report
}

fn columns() -> Vec<Column> {
    let data = |name: &str| Column::new(name, name).place(Place::Data);
    vec![
        Column::new("name", "name"),
        Column::new("width", "bits").right(),
        Column::new("fields", "s/e/m").place(Place::Screen),
        data("signed"),
        data("exponent_width"),
        data("trailing_width"),
        data("precision"),
        Column::new("bias", "bias").right(),
        data("emin"),
        data("emax"),
        Column::new("largest_finite", "largest\nfinite").right(),
        Column::new("least_normal", "least\nnormal").right(),
        Column::new("least_subnormal", "least\nsubnormal").right(),
        Column::new("epsilon", "epsilon").right(),
        data("decimal_digits"),
        data("finite_values"),
        data("infinities"),
        data("nan_codes"),
        Column::new("specials", "specials").place(Place::Screen),
        data("zeros"),
        data("subnormals"),
        data("aliases"),
        data("good_for"),
        data("weak_at"),
        data("source"),
        Column::new("values", "values").place(Place::Json),
    ]
}

/// The row of a format in the catalogue; a format of a grammar has none.
fn row_of(format: &Format) -> Option<&'static Row> {
    CATALOGUE.iter().find(|row| row.format == *format)
}

fn cells(format: &Format, name: &str) -> Vec<Cell> {
    let row = row_of(format);
    let text = |text: Option<&str>| text.map_or_else(Cell::absent, Cell::text);
    let sign = u32::from(format.is_signed());
    let (e, m) = (format.exponent_width(), format.trailing_width());
    let largest = code_cell(format, Some(format.largest_finite()));
    let subnormal = format.has_subnormals().then(|| format.least_positive());
    let signs = u64::from(sign) + 1;
    let zeros = match format.facts().zeros {
        Zeros::Both if format.is_signed() => 2,
        Zeros::Both | Zeros::One => 1,
        Zeros::Absent => 0,
    };
    vec![
        Cell::text(name),
        integer(format.width()),
        Cell::text(format!("{sign}/{e}/{m}")),
        Cell::new(format.is_signed(), format.is_signed().to_string()),
        integer(e),
        integer(m),
        integer(format.precision()),
        integer(format.bias()),
        integer(format.emin()),
        integer(format.emax()),
        largest,
        code_cell(format, format.least_normal()),
        code_cell(format, subnormal),
        number_cell(format, &Constant::Epsilon.value(format)),
        digits(format),
        finite_values(format),
        integer(if format.has_infinity() { signs } else { 0 }),
        nan_codes(format),
        Cell::text(specials(format)),
        integer(zeros),
        Cell::new(format.has_subnormals(), String::new()),
        Cell::new(row.map_or_else(Vec::new, |row| row.aliases.to_vec()), String::new()),
        text(row.map(|row| row.good_for)),
        text(row.map(|row| row.weak_at)),
        text(row.map(|row| row.source)),
        values(format),
    ]
}

fn integer(n: impl Into<Value> + ToString + Copy) -> Cell {
    Cell::new(n, n.to_string())
}

fn code_cell(format: &Format, magnitude: Option<u128>) -> Cell {
    magnitude.map_or_else(Cell::absent, |magnitude| {
        number_cell(format, &decode(format, format.code(false, magnitude)))
    })
}

/// A number as its exact value for machines and a power of two or a few digits for people.
fn number_cell(format: &Format, x: &Unpacked) -> Cell {
    let short = match render::odd_integer(x) {
        Some((1, e)) if !(-4..=10).contains(&e) => format!("2^{e}"),
        _ if (-5..20).contains(&x.exponent) && render::exact(x).len() < 9 => render::exact(x),
        _ if x.exponent.abs() < 1000 => number::significant(x.to_f64(), 5),
        _ => {
            let code = crate::codec::project(format, &crate::codec::Projection::default(), x).code;
            let value = render::value(format, code);
            let (digits, exponent) = value.split_once('e').unwrap_or((&value, "0"));
            format!("{}e{exponent}", &digits[..digits.len().min(6)])
        }
    };
    let nearest = x.to_f64();
    let value: Value =
        if Unpacked::from_f64(nearest) == *x { nearest.into() } else { render::exact(x).into() };
    Cell::new(value, short)
}

/// Decimal digits that survive a round trip through the format: `floor((P − 1) · log10 2)`.
fn digits(format: &Format) -> Cell {
    // 30103/100000 is log10 2 to within 2e-9, so the floor is right for every P up to 113.
    integer(u64::from(format.precision() - 1) * 30_103 / 100_000)
}

fn finite_values(format: &Format) -> Cell {
    let magnitudes = format.largest_finite() + 1 - u128::from(format.has_zero());
    let signed = magnitudes << u32::from(format.is_signed());
    let zeros = u128::from(format.has_zero());
    match u64::try_from(signed + zeros) {
        Ok(count) => Cell::count(count),
        Err(_) => Cell::text((signed + zeros).to_string()),
    }
}

/// The NaN codes as ranges of hex codes.
fn nan_codes(format: &Format) -> Cell {
    let infinity = u128::from(format.has_infinity());
    let first = format.largest_finite() + 1 + infinity;
    let last = format.code_mask() & !format.sign_mask();
    let hex = |code| format!("0x{}", render::hex(format, code));
    let range = |sign: u128| {
        let (first, last) = (sign | first, sign | last);
        if first == last { hex(first) } else { format!("{}-{}", hex(first), hex(last)) }
    };
    let is_zero = decode(format, format.sign_mask()).kind == Kind::Nan;
    let ranges: Vec<String> = match (format.has_nan(), is_zero && format.is_signed()) {
        (false, _) => Vec::new(),
        (true, true) => vec![hex(format.sign_mask())],
        (true, false) if format.is_signed() => vec![range(0), range(format.sign_mask())],
        (true, false) => vec![range(0)],
    };
    Cell::new(ranges.clone(), ranges.join(" "))
}

fn specials(format: &Format) -> String {
    let mut words = Vec::new();
    if format.has_infinity() {
        words.push("inf");
    }
    if format.has_nan() {
        words.push("NaN");
    }
    if !format.has_zero() {
        words.push("no zero");
    } else if format.is_signed() && !format.has_negative_zero() {
        words.push("no -0");
    }
    if format.trailing_width() > 0 && !format.has_subnormals() {
        words.push("no subnormals");
    }
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

/// Every code's value, for formats of up to 8 bits.
fn values(format: &Format) -> Cell {
    if format.width() > MAX_LISTED_WIDTH {
        return Cell::absent();
    }
    let rows: Vec<Value> = (0..=format.code_mask())
        .map(|code| {
            json!({
                "code": format!("0x{}", render::hex(format, code)),
                "class": format.class(code).name(),
                "value": answer::value(format, code),
            })
        })
        .collect();
    Cell::new(rows, String::new())
}

/// What a target is good for and weak at.
fn remarks(spec: &Spec) -> Vec<Block> {
    let block = match &spec.scaling {
        Scaling::Block(block) => block.row,
        Scaling::Plain | Scaling::Tensor | Scaling::Channel | Scaling::Tile { .. } => None,
    };
    let (good_for, weak_at, source) = match (block, row_of(&spec.format)) {
        (Some(row), _) => (row.good_for, row.weak_at, row.source),
        (None, Some(row)) => (row.good_for, row.weak_at, row.source),
        (None, None) => return Vec::new(),
    };
    let line = |label: &str, text: &str| Block::line(format!("  {label:<9} {text}"));
    vec![
        Block::blank(),
        Block::Line(vec![Span::new(spec.to_string(), Role::Heading)]),
        line("good for", good_for),
        line("weak at", weak_at),
        line("source", source),
    ]
}

fn block_line(row: &BlockRow) -> String {
    let scale = match row.scale {
        ScaleKind::E8m0 => "an e8m0 scale",
        ScaleKind::Nv => "an e4m3 scale, and one f32 a tensor",
    };
    format!("  {:<11} {} elements of {} and {scale}", row.name, row.size, row.element)
}
