//! Numbers under shared scales: the scale of each block, its elements, what they are read back as.

use super::{
    numbers::{Config, InspectError, Origin, Reading},
    table,
};
use crate::{
    block::{
        Quantizer,
        exact::{Element, Row},
        rows::Coding,
        spec::Spec,
    },
    codec::{Flags, Kind, Unpacked, decode, neighbor},
    format::{F32, Format},
    random::Stream,
    report::{
        Block, Cell, Column, Place, Report, Role, Span, Table,
        blocks::{self, Blocks, scale_text},
        number,
    },
    text::{literal, render},
};

/// Shows the inputs as one row of numbers in each target.
pub(super) fn report(config: &Config, specs: &[Spec]) -> Result<Report, InspectError> {
    let mut report = Report::new("inspect", Table::new(columns()));
    for spec in specs {
        if spec.is_plain() {
            return Err(InspectError::Mixed(spec.to_string()));
        }
        let quantizer = Quantizer::new(spec, &config.projection)?;
        let data = data(config, spec)?;
        let row = quantizer.row(&data, Stream::new(config.seed, 0))?;
        let is_refused = |element: &Element| element.flags.contains(Flags::REFUSED);
        if let Some(i) = row.elements.iter().position(is_refused) {
            let (text, format) = (config.inputs[i].clone(), spec.format.name().to_owned());
            return Err(InspectError::NoNan { text, format });
        }
        let to = spec.to_string();
        let blocks = Blocks { to: &to, quantizer: &quantizer, row: &row };
        let view = View { config, spec, blocks, data: &data };
        for i in 0..data.len() {
            report.rows.push(view.cells(i));
        }
        if !report.blocks.is_empty() {
            report = report.with(Block::blank());
        }
        report.blocks.extend(view.screen());
    }
    Ok(report)
}

/// Returns the numbers that the inputs stand for.
fn data(config: &Config, spec: &Spec) -> Result<Vec<Unpacked>, InspectError> {
    let datum = |text: &String| match literal::parse(text)? {
        literal::Literal::Number(x) => Ok(x),
        literal::Literal::Constant { negative, constant } => {
            Ok(Unpacked { negative, ..constant.value(&spec.format) })
        }
        literal::Literal::Code(_) => {
            Err(InspectError::Code { text: text.clone(), target: spec.to_string() })
        }
    };
    config.inputs.iter().map(datum).collect()
}

/// The columns of rows: those of readings, of blocks, and the screen's.
fn columns() -> Vec<Column> {
    table::data_columns().into_iter().chain(blocks::columns()).collect()
}

/// Returns the cells of an element as of a reading, but in units of the numbers: `own` is the answer's
/// cells, and `number` what the element is read back as under its scale.
pub(super) fn under_scale(
    reading: &Reading,
    own: Vec<Cell>,
    scale: &Unpacked,
    number: f32,
) -> Vec<Cell> {
    let mut cells = table::data_cells(reading);
    cells.splice(..own.len(), own);
    let (format, code) = (reading.format(), reading.code);
    let interval = neighbor::interval(format, &reading.projection, code);
    let quantum = neighbor::quantum_exponent(format, &decode(format, code))
        .map(|exponent| Unpacked::scaled(false, 1, exponent));
    let scaled = |x: Option<Unpacked>| {
        let product = x.map(|x| x.times(scale));
        product.map_or_else(Cell::absent, |x| Cell::text(render::exact(&x)))
    };
    let shortest = render::shortest(&F32, number.to_bits().into());
    for (key, cell) in [
        ("shortest", Cell::text(shortest)),
        ("ulp", scaled(quantum)),
        ("interval_low", scaled(interval.map(|interval| interval.low.at))),
        ("interval_high", scaled(interval.map(|interval| interval.high.at))),
    ] {
        let column = table::data_columns().iter().position(|column| column.key == key);
        if let Some(place) = column {
            cells[place] = cell;
        }
    }
    cells
}

/// Returns the bits of an element, a field a role; an integer is one field.
pub(super) fn bits(format: &Format, coding: Coding, code: u128, stored: u128) -> Cell {
    let spans = match coding {
        Coding::Format => {
            let fields = render::fields(format, code);
            let significand = fields.leading + &fields.trailing;
            let texts = [fields.sign + " ", fields.exponent + " ", significand];
            let roles = [Role::Sign, Role::Exponent, Role::Significand];
            texts.into_iter().zip(roles).map(|(text, role)| Span::new(text, role)).collect()
        }
        Coding::TwosComplement => {
            let width = format.width() as usize;
            vec![Span::new(format!("{stored:0width$b}"), Role::Significand)]
        }
    };
    Cell::spans(serde_json::Value::Null, spans)
}

/// The columns of the screen.
const SHOWN: [(&str, &str); 8] = [
    ("input", "input"),
    ("quotient", "over scale"),
    ("bits", "bits"),
    ("code", "code"),
    ("element", "element"),
    ("value", "value"),
    ("relative", "relative"),
    ("ulp", "ulp"),
];

/// One target and what it made of the inputs.
struct View<'a> {
    config: &'a Config,
    spec: &'a Spec,
    blocks: Blocks<'a>,
    data: &'a [Unpacked],
}

impl View<'_> {
    fn row(&self) -> &Row {
        self.blocks.row
    }

    /// An element as a reading of its own.
    fn reading(&self, i: usize) -> Reading {
        let element = &self.row().elements[i];
        Reading {
            text: self.config.inputs[i].clone(),
            spec: Spec::plain(self.spec.format.clone()),
            projection: *self.blocks.quantizer.projection(),
            exact: element.quotient,
            code: element.code,
            flags: element.flags,
            origin: Origin::Rounded,
        }
    }

    /// The cells of an element: as of a reading, but in units of the numbers rather than of the
    /// elements.
    fn cells(&self, i: usize) -> Vec<Cell> {
        let element = &self.row().elements[i];
        let scale = self.blocks.scale(element).value;
        let reading = self.reading(i);
        let own = self.blocks.answer(&reading.text, None, element, &self.data[i]);
        let mut cells = under_scale(&reading, own, &scale, element.number);
        cells.extend(self.blocks.cells(element));
        cells
    }

    /// What people see: the target, its scales, and under each its elements.
    fn screen(&self) -> Vec<Block> {
        let (row, quantizer) = (self.row(), self.blocks.quantizer);
        let count = blocks::numbers(row.elements.len());
        let mode = quantizer.projection().rounding.mode.about;
        let mut screen = vec![Block::Line(vec![
            Span::new(self.spec.to_string(), Role::Heading),
            Span::plain(format!(
                "   {count}: {} under scales of {}; {mode}",
                blocks::elements(quantizer),
                quantizer.scale_format(),
            )),
        ])];
        if quantizer.has_tensor_scale() {
            let code = row.tensor_scale.to_bits();
            let value = render::value(&F32, code.into());
            let line = format!("scale of the tensor   0x{code:08x} = {value}   an f32");
            screen.extend([Block::blank(), Block::line(line)]);
        }
        for (i, scale) in row.scales.iter().enumerate() {
            let hex = render::hex(quantizer.scale_format(), scale.code.into());
            let of_code = decode(quantizer.scale_format(), scale.code.into());
            let mut line = format!("block {i}   scale 0x{hex} = {}", scale_text(&of_code));
            if quantizer.has_tensor_scale() && scale.value.kind == Kind::Finite {
                line = format!("{line}; times the tensor's {}", scale_text(&scale.value));
            }
            screen.extend([Block::blank(), Block::line(line), Block::Table(self.table(i))]);
        }
        screen
    }

    /// The elements under one scale.
    fn table(&self, scale: usize) -> Table {
        let mut table =
            Table::new(SHOWN.map(|(key, heading)| Column::new(key, heading).place(Place::Screen)));
        for (i, element) in self.row().elements.iter().enumerate() {
            if element.scale == scale {
                table.push(self.screen_cells(i, element));
            }
        }
        table
    }

    fn screen_cells(&self, i: usize, element: &Element) -> Vec<Cell> {
        let format = &self.spec.format;
        let error = self.blocks.error(element, &self.data[i]);
        let (relative, ulp) = if error.is_zero() {
            (Cell::text("exact").role(Role::Good), Cell::text(""))
        } else {
            let ulp = table::signed(error.ulp, number::fixed(error.ulp, 2));
            (Cell::text(table::relative(&error)), Cell::text(ulp))
        };
        let of_element = decode(format, element.code);
        vec![
            Cell::text(self.config.inputs[i].as_str()),
            Cell::text(scale_text(&element.quotient)),
            bits(format, self.blocks.quantizer.coding(), element.code, element.stored),
            Cell::text(format!("0x{}", render::hex(format, element.stored))),
            Cell::text(render::exact(&of_element)),
            Cell::text(render::value(&F32, element.number.to_bits().into())),
            relative,
            ulp,
        ]
    }
}
