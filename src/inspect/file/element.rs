//! Elements of a tensor: which are shown, and those that are no codes.

use serde_json::{Value, json};

use super::{
    FileError, Focus,
    held::{Content, Held, hold, show_index},
    select,
};
use crate::{
    block::{grouping::Grouping, rows::Coding},
    container::{ContainerError, show_shape},
    inspect::numbers::{self, Config, Formats},
    report::{Block, Cell, Column, Place as In, Report, Role, Span, Table, escape, number},
};

/// Elements that are shown where none is named, or of a scale.
const SHOWN: usize = 64;
/// Elements that are shown of a tensor where none is named.
const FIRST: u64 = 16;

/// What is shown: some elements, and how they were chosen.
pub(super) struct View<'a> {
    pub(super) held: &'a Held<'a>,
    pub(super) config: &'a Config,
    pub(super) indices: Vec<Vec<u64>>,
    /// The number of a scale, and of its elements.
    pub(super) block: Option<(u64, u64)>,
    /// Whether the elements are the first of more.
    pub(super) is_cut: bool,
}

/// Returns what there is to show of a tensor.
pub(super) fn report(held: &Held, focus: &Focus, config: &Config) -> Result<Report, FileError> {
    let mut view = View { held, config, indices: Vec::new(), block: None, is_cut: false };
    if let Some(block) = focus.block {
        let block = select::block(held, block)?;
        if let Some(grouping) = held.grouping() {
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
        Content::Codes(format, coding, stride) => {
            let codes = held.codes(stride, &view.indices)?;
            view.codes(format, *coding, &codes)?
        }
        Content::Text(Some(format)) => {
            let numbers = held.numbers(&view.indices)?;
            let codes: Vec<u128> = numbers.iter().map(|x| hold(format, x)).collect();
            view.codes(format, Coding::Format, &codes)?
        }
        Content::Text(None) => view.text()?,
        Content::Bits(kind, stride) => {
            view.bits(*kind, stride.bits, held.codes(stride, &view.indices)?)
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
    pub(super) fn title(&self) -> Vec<Span> {
        let tensor = self.held.place.tensor();
        let what = match self.held.format() {
            (Some(format), Some(producer)) => format!("{}, {format} ({producer})", tensor.dtype),
            _ => tensor.dtype.clone(),
        };
        let count = number::grouped(self.held.elements());
        let shown = match self.block {
            Some((block, size)) => {
                let blocks = self.held.grouping().map_or(0, Grouping::scales);
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
}

/// An integer, exact in JSON if it has 64 bits.
fn integer<E>(value: Result<Value, E>, text: String) -> Cell {
    Cell::new(value.unwrap_or_else(|_| text.clone().into()), text)
}
