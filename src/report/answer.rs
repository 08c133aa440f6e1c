//! The columns that every answer about one number has: what it was, what it became, how far off.

use serde_json::{Value, json};

use super::{Cell, Column, Place, number, value_of};
use crate::{
    codec::{Error, Flags, Kind, Projection, Unpacked, decode},
    format::Format,
    text::render,
};

/// One number in one format.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The input as written.
    pub input: &'a str,
    /// The format the input is held in, if it is.
    pub from: Option<&'a str>,
    /// The target as named.
    pub to: &'a str,
    /// The target's format.
    pub format: &'a Format,
    /// The code.
    pub code: u128,
    /// The element and its code that are stored, where a scale makes them the number of `code`.
    pub stored: Option<(&'a Format, u128)>,
    /// The error of the code against what was rounded.
    pub error: Error,
    /// The exceptions.
    pub flags: Flags,
}

/// Returns the columns of answers.
pub fn columns() -> Vec<Column> {
    vec![
        Column::new("input", "input"),
        Column::new("from", "from").place(Place::Data),
        Column::new("to", "format"),
        Column::new("code", "code"),
        Column::new("value", "value"),
        Column::new("exact", "exact").place(Place::Data),
        Column::new("hexfloat", "hexfloat").place(Place::Data),
        Column::new("error", "error").point(),
        Column::new("error_ulp", "ulp").point(),
        Column::new("error_rel", "relative").place(Place::Data),
        Column::new("flags", "flags"),
    ]
}

impl Answer<'_> {
    /// Returns a cell a column of [`columns`].
    pub fn cells(&self) -> Vec<Cell> {
        let Self { format, code, error, .. } = *self;
        let (stored_format, stored_code) = self.stored.unwrap_or((format, code));
        let flags: Vec<_> = self.flags.names().collect();
        let datum = decode(format, code);
        let (absolute, ulp) = if error.is_zero() {
            ("exact".to_owned(), String::new())
        } else if error.absolute == 0.0 {
            // Too small for binary64, but not nothing.
            let bound = if error.absolute.is_sign_negative() { ">-5e-324" } else { "<5e-324" };
            let ulp = if error.ulp == 0.0 { bound.to_owned() } else { number::fixed(error.ulp, 3) };
            (bound.to_owned(), ulp)
        } else {
            (number::significant(error.absolute, 3), number::fixed(error.ulp, 3))
        };
        vec![
            Cell::new(self.input, shown(self.input)),
            self.from.map_or_else(Cell::absent, Cell::text),
            Cell::text(self.to),
            Cell::text(format!("0x{}", render::hex(stored_format, stored_code))),
            Cell::new(value(format, code), render::value(format, code)),
            Cell::text(render::exact(&datum)),
            Cell::text(render::hex_float(&datum)),
            Cell::number(error.absolute, absolute),
            Cell::new(value_of(error.ulp), ulp),
            Cell::number(error.relative, number::scientific(error.relative, 2)),
            Cell::new(flags.clone(), flags.join(" ")),
        ]
    }
}

/// Characters of an input that a screen repeats.
const SHOWN: usize = 40;

/// Returns an input as a screen shows it: whole if short, else its beginning.
pub fn shown(input: &str) -> String {
    match input.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &input[..end]),
        None => input.to_owned(),
    }
}

/// Returns a code's value as JSON holds it: a number where binary64 holds it exactly, else a string.
pub fn value(format: &Format, code: u128) -> Value {
    let x = decode(format, code);
    let nearest = x.to_f64();
    let is_held = Unpacked::from_f64(nearest) == x && matches!(x.kind, Kind::Zero | Kind::Finite);
    if is_held { nearest.into() } else { render::value(format, code).into() }
}

/// Returns how numbers were rounded, for the `options` of JSON.
pub fn rounding_options(
    projection: &Projection,
    seed: u64,
) -> impl Iterator<Item = (String, Value)> {
    [
        ("rounding", json!(projection.rounding.to_string())),
        ("overflow", json!(projection.overflow.name())),
        ("nan", json!(projection.nan.name())),
        ("nan_to", json!(projection.nan_to.name())),
        ("subnormals", json!(projection.subnormals.name())),
        ("tininess", json!(projection.tininess.name())),
        ("seed", json!(seed)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
}
