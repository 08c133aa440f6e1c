//! Elements that are codes: one in full, several as a table, those of a scale under it.

use serde_json::json;

use super::{
    FileError,
    element::View,
    held::{Scale, show_index},
};
use crate::{
    block::{rows::Coding, spec::Spec},
    codec::{Error, Flags, Projection, Unpacked, decode, project},
    format::{F32, Format},
    inspect::{
        blocks::{bits, under_scale},
        full,
        numbers::{self, Formats, Origin, Reading},
        table,
    },
    kernel::Real,
    report::{Block, Cell, Column, Place as In, Report, Row, Table, answer::Answer, blocks},
    text::render,
};

/// An element that is a code.
struct Element<'a> {
    index: &'a Vec<u64>,
    reading: Reading,
    /// The code as it is stored, and the number it stands for.
    stored: u128,
    own: Unpacked,
    scale: Option<Scale>,
}

impl Element<'_> {
    /// The number that the element is under its scale.
    fn value(&self, scale: &Scale) -> Unpacked {
        self.own.times(&scale.value)
    }
}

/// The code of the format that stored bits stand for, and the number.
///
/// Two's complement has one number more than the format: its code is the nearest one.
fn read(format: &Format, coding: Coding, stored: u128) -> (u128, Unpacked) {
    match coding {
        Coding::Format => {
            (stored & format.code_mask(), decode(format, stored & format.code_mask()))
        }
        Coding::TwosComplement => {
            let above = 128 - format.width();
            let integer = (stored << above).cast_signed() >> above;
            let quantum = format.least_quantum_exponent();
            let own = Unpacked::scaled(integer < 0, integer.unsigned_abs(), quantum);
            (project(format, &Projection::default(), &own).code, own)
        }
    }
}

impl View<'_> {
    /// Codes of a format.
    pub(super) fn codes(
        &self,
        format: &Format,
        coding: Coding,
        codes: &[u128],
    ) -> Result<Report, FileError> {
        let scales = self.held.scales(&self.indices)?;
        let mut elements = Vec::new();
        for (i, (index, &stored)) in self.indices.iter().zip(codes).enumerate() {
            let (code, own) = read(format, coding, stored);
            let spec = Spec::plain(format.clone());
            let label = self.held.label(index);
            let reading = Reading::code(self.config, &label, (&spec, code), Origin::Held);
            let scale = scales.as_ref().map(|scales| scales[i].clone());
            elements.push(Element { index, reading, stored, own, scale });
        }
        let is_full = matches!(self.config.formats, Formats::Usual)
            && self.block.is_none()
            && coding == Coding::Format;
        let mut report = match &elements[..] {
            [only] if is_full => self.full(only),
            _ => self.several(&elements, coding)?,
        };
        report.options.insert("format".to_owned(), json!([self.format_name(format)]));
        Ok(report)
    }

    fn format_name(&self, format: &Format) -> String {
        self.held.format().0.unwrap_or_else(|| format.name().to_owned())
    }

    /// One element in full.
    fn full(&self, element: &Element) -> Report {
        let mut report = full::report(&element.reading);
        report.rows = self.table(std::slice::from_ref(element), Coding::Format);
        if let (Some(scale), Some(format)) = (&element.scale, self.held.scale_format()) {
            report.blocks.push(Block::blank());
            let facts = self.scale_facts(element, scale, format);
            report.blocks.extend(facts.iter().flat_map(full::lines));
        }
        report
    }

    /// The scale of an element, and what the element is under it.
    fn scale_facts(&self, element: &Element, scale: &Scale, format: &Format) -> Vec<full::Fact> {
        let place = self.held.scale_label(scale.number);
        let code = format!("0x{} {format}, {place}", render::hex(format, scale.code));
        let mut facts = vec![("scale", scale.own_text(format), code)];
        if scale.tensor.is_some() {
            let remark = "with the scale of the tensor".to_owned();
            facts.push(("", scale.text(format), remark));
        }
        let own = render::value(element.reading.format(), element.reading.code);
        let product = format!("= {own} x {}", scale.text(format));
        facts.push(("dequantised", number_text(element.value(scale)), product));
        facts
    }

    /// Several elements as a table, and what they are in other formats if some are named.
    fn several(&self, elements: &[Element], coding: Coding) -> Result<Report, FileError> {
        let mut report = Report::new("inspect", self.table(elements, coding));
        report.blocks = vec![Block::Line(self.title()), Block::blank()];
        let scale = elements.first().and_then(|element| element.scale.as_ref());
        if let (Some((block, _)), Some(scale)) = (self.block, scale) {
            report.blocks.push(Block::line(self.scale_line(block, scale)));
        }
        report.blocks.push(Block::Rows);
        if matches!(self.config.formats, Formats::Usual) {
            return Ok(report);
        }
        // Each number is rounded from what it is with its scale.
        let specs = numbers::formats(self.config);
        let (mut rounded, mut rows) = (Vec::new(), report.rows.clone());
        for (position, element) in (0..).zip(elements) {
            let own = element.own;
            let x = element.scale.as_ref().map_or(own, |scale| element.value(scale));
            for spec in &specs {
                let label = &element.reading.text;
                let reading = numbers::rounded(self.config, label, spec, &x, position)?;
                let mut cells = table::data_cells(&reading);
                cells.resize(rows.columns.len(), Cell::absent());
                rows.push(cells);
                rounded.push(reading);
            }
        }
        report.view = Some(std::mem::replace(&mut report.rows, rows));
        let title = format!("the same numbers, {}", self.config.projection);
        report.blocks.extend([Block::blank(), Block::line(title)]);
        report.blocks.push(Block::Table(table::rows(&rounded)));
        Ok(report)
    }

    /// The scale that a block has.
    fn scale_line(&self, block: u64, scale: &Scale) -> String {
        let Some(format) = self.held.scale_format() else { return String::new() };
        let code = render::hex(format, scale.code);
        let times = match scale.tensor {
            Some(_) => format!("; with the tensor's {}", scale.text(format)),
            None => String::new(),
        };
        let place = self.held.scale_label(scale.number);
        format!(
            "block {block}   scale 0x{code} = {}{times}   {format}, {place}",
            scale.own_text(format)
        )
    }

    /// Everything known about each element, and the columns of the screen.
    fn table(&self, elements: &[Element], coding: Coding) -> Table {
        let readings: Vec<Reading> =
            elements.iter().map(|element| element.reading.clone()).collect();
        let mut table = table::rows(&readings);
        let is_scaled = self.held.grouping().is_some();
        let data = table::data_columns().len();
        for column in &mut table.columns[data..] {
            match column.key.as_str() {
                "input" => "index".clone_into(&mut column.heading),
                "exact_value" if is_scaled => "element".clone_into(&mut column.heading),
                "format" | "errors" => column.place = In::Json,
                _ => {}
            }
        }
        table.columns.extend(columns(is_scaled));
        if self.block.is_some() {
            // All have the scale that stands over the table.
            let scale = table.columns.iter_mut().filter(|column| column.key == "scale_text");
            scale.for_each(|column| column.place = In::Json);
        }
        for (row, element) in table.rows.iter_mut().zip(elements) {
            let Row::Cells(cells) = row else { continue };
            let format = element.reading.format();
            cells[data] = Cell::text(show_index(element.index));
            if coding == Coding::TwosComplement {
                let code = Cell::text(format!("0x{}", render::hex(format, element.stored)));
                let exact = Cell::text(render::exact(&element.own));
                let bits = bits(format, coding, element.reading.code, element.stored);
                cells.splice(data + 2..data + 5, [bits, code, exact]);
            }
            if let Some(scale) = &element.scale {
                cells.splice(..data, self.under_scale(element, scale));
            }
            cells.extend(self.own_cells(element));
        }
        table::drop_hidden(&mut table);
        table
    }

    /// The cells of a reading, in units of the numbers.
    fn under_scale(&self, element: &Element, scale: &Scale) -> Vec<Cell> {
        let reading = &element.reading;
        let format = reading.format();
        let exact = element.value(scale);
        let number = f32::nearest(&exact);
        let bits = number.to_bits().into();
        let own = Answer {
            input: &reading.text,
            from: Some(format.name()),
            to: &self.format_name(format),
            format: &F32,
            code: bits,
            stored: Some((format, element.stored)),
            error: Error::of(&F32, &exact, bits),
            flags: Flags::NONE,
        };
        under_scale(reading, own.cells(), &scale.value, number)
    }

    /// The cells of what only elements have.
    fn own_cells(&self, element: &Element) -> Vec<Cell> {
        let mut cells = vec![
            Cell::text(self.held.name),
            Cell::new(element.index.clone(), show_index(element.index)),
        ];
        let (Some(scale), Some(format)) = (&element.scale, self.held.scale_format()) else {
            return cells;
        };
        let code = render::hex(format, scale.code);
        let global = scale.tensor.map(|scale| scale.to_f64());
        let (value, own) = (scale.value.to_f64(), element.own.to_f64());
        cells.extend([
            Cell::new(scale.number, scale.number.to_string()),
            global.map_or_else(Cell::absent, |global| Cell::number(global, String::new())),
            Cell::text(format!("0x{code}")),
            Cell::number(value, String::new()),
            Cell::number(own, String::new()),
            Cell::text(scale.text(format)),
            Cell::text(number_text(element.value(scale))),
        ]);
        cells
    }
}

/// The columns of what only elements have.
fn columns(is_scaled: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::new("tensor", "tensor").place(In::Data),
        Column::new("index", "index").place(In::Data),
    ];
    if is_scaled {
        columns.extend(blocks::columns());
        columns.push(Column::new("scale_text", "scale").place(In::Screen));
        columns.push(Column::new("dequantised", "value").place(In::Screen));
    }
    columns
}

/// A number read back, rounded once to binary32.
fn number_text(x: Unpacked) -> String {
    render::value(&F32, f32::nearest(&x).to_bits().into())
}
