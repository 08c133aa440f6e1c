//! A list of numbers under shared scales becomes rows: what every element was, under which scale it
//! went, what it became, how far off.

use super::{Cell, Column, Place, answer, number};
use crate::{
    block::{
        Quantizer,
        exact::{Element, Row, Scale},
        rows::Coding,
    },
    codec::{Error, Kind, Unpacked, decode},
    format::{F32, Format},
    text::render,
};

/// A quantised list, and how it came to be.
#[derive(Debug)]
pub struct Blocks<'a> {
    /// The target as named.
    pub to: &'a str,
    /// The quantiser.
    pub quantizer: &'a Quantizer,
    /// What it made.
    pub row: &'a Row,
}

/// Returns the columns that answers under a scale have beside [`answer::columns`].
pub fn columns() -> Vec<Column> {
    vec![
        Column::new("block", "block").place(Place::Data),
        Column::new("tensor_scale", "tensor scale").place(Place::Data),
        Column::new("scale_code", "scale").place(Place::Data),
        Column::new("scale", "scale").place(Place::Data),
        Column::new("element", "element").place(Place::Data),
    ]
}

impl Blocks<'_> {
    /// Returns the scale of an element.
    pub fn scale(&self, element: &Element) -> &Scale {
        &self.row.scales[element.scale]
    }

    /// Returns what is off about an element's number against the datum it was; in ulps of the
    /// element, under its scale.
    pub fn error(&self, element: &Element, exact: &Unpacked) -> Error {
        let error = Error::of(&F32, exact, element.number.to_bits().into());
        let ulp = match self.scale(element).value.kind {
            Kind::Finite => Error::of(self.format(), &element.quotient, element.code).ulp,
            Kind::Zero | Kind::Infinity | Kind::Nan => error.absolute,
        };
        Error { ulp, ..error }
    }

    /// Returns the format of the elements.
    pub fn format(&self) -> &Format {
        self.quantizer.element()
    }

    /// Returns a cell a column of [`answer::columns`]: the code of the element, and for the rest the
    /// number that is read back.
    pub fn answer(
        &self,
        input: &str,
        from: Option<&str>,
        element: &Element,
        exact: &Unpacked,
    ) -> Vec<Cell> {
        answer::Answer {
            input,
            from,
            to: self.to,
            format: &F32,
            code: element.number.to_bits().into(),
            stored: Some((self.format(), element.stored)),
            error: self.error(element, exact),
            flags: element.flags,
        }
        .cells()
    }

    /// Returns a cell a column of [`columns`].
    pub fn cells(&self, element: &Element) -> Vec<Cell> {
        let scale = self.scale(element);
        let tensor = self.row.tensor_scale;
        let code = render::hex(self.quantizer.scale_format(), scale.code.into());
        let value = scale.value.to_f64();
        let of_element = decode(self.format(), element.code).to_f64();
        vec![
            Cell::new(element.scale, element.scale.to_string()),
            Cell::number(tensor.into(), number::shortest(tensor.into())),
            Cell::text(format!("0x{code}")),
            Cell::number(value, scale_text(&scale.value)),
            Cell::number(of_element, number::shortest(of_element)),
        ]
    }
}

/// Returns how many numbers there are, in words.
pub fn numbers(count: usize) -> String {
    if count == 1 { "1 number".to_owned() } else { format!("{count} numbers") }
}

/// Returns what the elements of a target are, in words.
pub fn elements(quantizer: &Quantizer) -> String {
    let format = quantizer.element();
    match quantizer.coding() {
        Coding::Format => format!("elements of {format}"),
        Coding::TwosComplement => {
            let quantum = format.least_quantum_exponent();
            format!("{}-bit integers times 2^{quantum}", format.width())
        }
    }
}

/// Returns a scale for people: a power of two as one, else in a few digits.
pub fn scale_text(scale: &Unpacked) -> String {
    const DIGITS: usize = 7;
    match render::odd_integer(scale) {
        Some((1, exponent)) if !(-3..=10).contains(&exponent) => format!("2^{exponent}"),
        _ => {
            let whole = number::shortest(scale.to_f64());
            let short = number::significant(scale.to_f64(), DIGITS);
            if whole.len() <= short.len() { whole } else { short }
        }
    }
}
