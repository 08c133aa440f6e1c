//! Elements of a tensor: one in full, several as a table, those of a scale under it.

use serde_json::{Value, json};

use super::{
    FileError, Focus,
    held::{Content, Held, Scale, hold, show_index, target},
    select,
};
use crate::{
    block::spec::Spec,
    codec::{Error, Flags, Unpacked, decode},
    container::{ContainerError, companion::Scaled, show_shape},
    format::{F32, Format},
    inspect::{
        blocks::under_scale,
        full,
        numbers::{self, Config, Formats, Origin, Reading},
        table,
    },
    kernel::Real,
    report::{
        Block, Cell, Column, Place as In, Report, Role, Row, Span, Table, answer::Answer, blocks,
        escape, number,
    },
    text::render,
};

/// Elements that are shown where none is named, or of a scale.
const SHOWN: usize = 64;
/// Elements that are shown of a tensor where none is named.
const FIRST: u64 = 16;

/// What is shown: some elements, and how they were chosen.
struct View<'a> {
    held: &'a Held<'a>,
    config: &'a Config,
    indices: Vec<Vec<u64>>,
    /// The number of a scale, and of its elements.
    block: Option<(u64, u64)>,
    /// Whether the elements are the first of more.
    is_cut: bool,
}

/// Returns what there is to show of a tensor.
pub(super) fn report(held: &Held, focus: &Focus, config: &Config) -> Result<Report, FileError> {
    let mut view = View { held, config, indices: Vec::new(), block: None, is_cut: false };
    if let Some(block) = focus.block {
        let block = select::block(held, block)?;
        let grouping = held.scaled.map(|scaled| &scaled.grouping);
        if let Some(grouping) = grouping {
            let elements = grouping.elements_of(block).take(SHOWN);
            view.indices = elements.map(|element| held.index(element)).collect();
            view.block = Some((block, grouping.size_of(block)));
        }
    } else if focus.indices.is_empty() {
        let count = held.elements();
        view.indices = (0..count.min(FIRST)).map(|element| held.index(element)).collect();
        view.is_cut = count > FIRST;
    } else {
        let element = |index: &Vec<i64>| select::element(held, index);
        view.indices = focus.indices.iter().map(element).collect::<Result<_, _>>()?;
    }
    check_formats(held, config)?;
    let mut report = match &held.content {
        Content::Codes(format, stride) => {
            let codes = held.codes(*stride, &view.indices)?;
            view.codes(format, &codes)?
        }
        Content::Text(Some(format)) => {
            let numbers = held.numbers(&view.indices)?;
            let codes: Vec<u128> = numbers.iter().map(|x| hold(format, x)).collect();
            view.codes(format, &codes)?
        }
        Content::Text(None) => view.text()?,
        Content::Bits(kind, stride) => {
            view.bits(*kind, stride.bits, held.codes(*stride, &view.indices)?)
        }
    };
    report.options.insert("tensor".to_owned(), json!(held.name));
    report.options.insert("shape".to_owned(), json!(held.shape));
    Ok(report)
}

/// Refuses formats that single numbers cannot be shown in.
fn check_formats(held: &Held, config: &Config) -> Result<(), ContainerError> {
    let Formats::Given(specs) = &config.formats else { return Ok(()) };
    if let Some(spec) = specs.iter().find(|spec| !spec.is_plain()) {
        let what = format!("'{spec}' has a scale of several numbers: give a plain --format");
        return Err(held.usage(what));
    }
    if matches!(held.content, Content::Bits(..)) {
        let dtype = &held.place.tensor().dtype;
        return Err(held.usage(format!("--format does not go with elements of type {dtype}")));
    }
    Ok(())
}

impl View<'_> {
    /// The tensor, and what of it is shown.
    fn title(&self) -> Vec<Span> {
        let tensor = self.held.place.tensor();
        let what = self.held.scaled.map_or_else(
            || tensor.dtype.clone(),
            |scaled| format!("{}, {} ({})", tensor.dtype, target(scaled), scaled.producer),
        );
        let count = number::grouped(self.held.elements());
        let shown = match self.block {
            Some((block, size)) => {
                let blocks = self.held.scaled.map_or(0, |scaled| scaled.grouping.scales());
                let first = if size > SHOWN as u64 {
                    format!("the first {SHOWN} of ")
                } else {
                    String::new()
                };
                let blocks = number::grouped(blocks);
                format!("; {first}{size} elements of block {block} of {blocks}")
            }
            None if self.is_cut => format!("; the first {FIRST} of {count} elements"),
            None => String::new(),
        };
        let name =
            if tensor.name.is_empty() { "the tensor".to_owned() } else { escape(self.held.name) };
        vec![
            Span::new(name, Role::Heading),
            Span::plain(format!("   {what} {}{shown}", show_shape(&self.held.shape))),
        ]
    }

    /// Numbers as text, each rounded to the formats.
    fn text(&self) -> Result<Report, FileError> {
        let numbers = self.held.numbers(&self.indices)?;
        let mut inputs = Vec::new();
        let mut readings = Vec::new();
        for (position, (index, x)) in (0..).zip(self.indices.iter().zip(&numbers)) {
            let label = self.held.label(index);
            let given = numbers::formats(self.config);
            for spec in &given {
                readings.push(numbers::rounded(self.config, &label, spec, x, position)?);
            }
            inputs.push(label);
        }
        let config = Config { inputs, ..self.config.clone() };
        Ok(numbers::report(&config, &readings)?)
    }

    /// Integers, or bits of an unknown type.
    fn bits(&self, kind: Option<char>, bits: u64, codes: Vec<u128>) -> Report {
        let dtype = &self.held.place.tensor().dtype;
        let width = usize::try_from(bits.div_ceil(4)).unwrap_or(2);
        let mut table = Table::new([
            Column::new("input", "input").place(In::Data),
            Column::new("from", "from").place(In::Data),
            Column::new("to", "to").place(In::Data),
            Column::new("tensor", "tensor").place(In::Data),
            Column::new("index", "index"),
            Column::new("code", "code"),
            Column::new("value", "value").right(),
        ]);
        for (index, code) in self.indices.iter().zip(codes) {
            let value = match kind {
                Some('i') => {
                    let shift = u32::try_from(128 - bits).unwrap_or(0);
                    let signed = (code.cast_signed() << shift) >> shift;
                    integer(i64::try_from(signed).map(Value::from), signed.to_string())
                }
                Some(_) => integer(u64::try_from(code).map(Value::from), code.to_string()),
                None => Cell::absent(),
            };
            table.push([
                Cell::text(self.held.label(index)),
                Cell::text(dtype.as_str()),
                Cell::text(dtype.as_str()),
                Cell::text(self.held.name),
                Cell::new(index.clone(), show_index(index)),
                Cell::text(format!("0x{code:0width$x}")),
                value,
            ]);
        }
        let report = Report::new("inspect", table).with(Block::Line(self.title()));
        report.with(Block::blank()).with(Block::Rows)
    }

    /// Codes of a format.
    fn codes(&self, format: &Format, codes: &[u128]) -> Result<Report, FileError> {
        let scales = self.held.scales(&self.indices)?;
        let mut elements = Vec::new();
        for (i, (index, &code)) in self.indices.iter().zip(codes).enumerate() {
            let spec = Spec::plain(format.clone());
            let label = self.held.label(index);
            let reading = Reading::code(self.config, &label, (&spec, code), Origin::Held);
            let scale = scales.as_ref().map(|scales| scales[i].clone());
            elements.push(Element { index, reading, scale });
        }
        let is_full = matches!(self.config.formats, Formats::Usual) && self.block.is_none();
        let mut report = match &elements[..] {
            [only] if is_full => self.full(only),
            _ => self.several(&elements)?,
        };
        report.options.insert("format".to_owned(), json!([self.format_name(format)]));
        Ok(report)
    }

    fn format_name(&self, format: &Format) -> String {
        self.held.scaled.map_or_else(|| format.name().to_owned(), target)
    }

    /// One element in full.
    fn full(&self, element: &Element) -> Report {
        let mut report = full::report(&element.reading);
        report.rows = self.table(std::slice::from_ref(element));
        if let (Some(scale), Some(scaled)) = (&element.scale, self.held.scaled) {
            report.blocks.push(Block::blank());
            let facts = self.scale_facts(element, scale, scaled);
            report.blocks.extend(facts.iter().flat_map(full::lines));
        }
        report
    }

    /// The scale of an element, and what the element is under it.
    fn scale_facts(&self, element: &Element, scale: &Scale, scaled: &Scaled) -> Vec<full::Fact> {
        let format = &scaled.scale_storage.format;
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
    fn several(&self, elements: &[Element]) -> Result<Report, FileError> {
        let mut report = Report::new("inspect", self.table(elements));
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
            let own = element.reading.exact;
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
        let Some(scaled) = self.held.scaled else { return String::new() };
        let format = &scaled.scale_storage.format;
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
    fn table(&self, elements: &[Element]) -> Table {
        let readings: Vec<Reading> =
            elements.iter().map(|element| element.reading.clone()).collect();
        let mut table = table::rows(&readings);
        let is_scaled = self.held.scaled.is_some();
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
            cells[data] = Cell::text(show_index(element.index));
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
            stored: Some((format, reading.code)),
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
        let (Some(scale), Some(scaled)) = (&element.scale, self.held.scaled) else { return cells };
        let code = render::hex(&scaled.scale_storage.format, scale.code);
        let global = scale.tensor.map(|scale| scale.to_f64());
        let (value, own) = (scale.value.to_f64(), element.reading.exact.to_f64());
        cells.extend([
            Cell::new(scale.number, scale.number.to_string()),
            global.map_or_else(Cell::absent, |global| Cell::number(global, String::new())),
            Cell::text(format!("0x{code}")),
            Cell::number(value, String::new()),
            Cell::number(own, String::new()),
            Cell::text(scale.text(&scaled.scale_storage.format)),
            Cell::text(number_text(element.value(scale))),
        ]);
        cells
    }
}

/// An element that is a code.
struct Element<'a> {
    index: &'a Vec<u64>,
    reading: Reading,
    scale: Option<Scale>,
}

impl Element<'_> {
    /// The number that the element is under its scale.
    fn value(&self, scale: &Scale) -> Unpacked {
        decode(self.reading.format(), self.reading.code).times(&scale.value)
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

/// An integer, exact in JSON if it has 64 bits.
fn integer<E>(value: Result<Value, E>, text: String) -> Cell {
    Cell::new(value.unwrap_or_else(|_| text.clone().into()), text)
}
