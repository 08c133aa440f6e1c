//! Inputs become one tensor, of one axis, for targets whose elements share scales.
//!
//! The scales depend on all inputs, so nothing is written before the last one is read.

use std::{fmt::Write as _, io::BufRead};

use super::{
    emit::{self, Emit},
    numbers::{Answer, Converter, Input, InputError},
    stream::{Lines, Source, StreamError},
};
use crate::{
    block::{
        Quantizer,
        exact::{Element, Row},
        spec::Spec,
    },
    codec::{Flags, Kind, Unpacked},
    report::{
        self, Block, Cell, Column, Place, Report, Screen, Table, answer,
        blocks::{self, Blocks, scale_text},
    },
    text::render,
};

/// Every input as written, and the line it stood on if it stood on one.
#[derive(Debug, Default)]
pub struct Texts(Vec<(String, Option<u64>)>);

impl Texts {
    /// Reads every source to its end.
    ///
    /// # Errors
    ///
    /// [`StreamError`], if reading fails or a line is not text.
    pub fn read(sources: Vec<Source>) -> Result<Self, StreamError> {
        let mut texts = Self::default();
        for source in sources {
            match source {
                Source::Number(input) => texts.0.push((input.text.to_owned(), None)),
                Source::Lines(source) => texts.lines(source)?,
                Source::Codes(format, codes) => {
                    texts.0.extend(
                        codes.map(|code| (format!("0x{}", render::hex(format, code)), None)),
                    );
                }
            }
        }
        Ok(texts)
    }

    fn lines(&mut self, source: impl BufRead) -> Result<(), StreamError> {
        let mut lines = Lines::new(source);
        while let Some((line, text)) = lines.next()? {
            self.0.push((text.to_owned(), Some(line)));
        }
        Ok(())
    }

    /// Returns what the texts say.
    ///
    /// # Errors
    ///
    /// [`StreamError`], for the first that has no meaning.
    pub fn inputs<'t>(&'t self, converter: &Converter<'t>) -> Result<Vec<Input<'t>>, StreamError> {
        let read = |(text, line): &'t (String, Option<u64>)| {
            converter.read(text).map_err(|error| failure(error, *line))
        };
        self.0.iter().map(read).collect()
    }

    /// Says where an input stands.
    fn failure(&self, input: usize, error: InputError) -> StreamError {
        failure(error, self.0.get(input).and_then(|(_, line)| *line))
    }
}

fn failure(error: InputError, line: Option<u64>) -> StreamError {
    match line {
        Some(line) => StreamError::Input { line, error },
        None => StreamError::Argument(error),
    }
}

/// What one target made of the inputs.
#[derive(Debug)]
enum Answers {
    Plain(Vec<Answer>),
    Scaled { quantizer: Box<Quantizer>, data: Vec<Unpacked>, row: Row },
}

/// A tensor of inputs in every target.
#[derive(Debug)]
pub struct Tensor<'a> {
    converter: &'a Converter<'a>,
    inputs: &'a [Input<'a>],
    targets: Vec<Answers>,
}

impl<'a> Tensor<'a> {
    /// Quantises the inputs to every target; plain ones take them one by one.
    ///
    /// # Errors
    ///
    /// [`StreamError`], for the first input that has no answer.
    pub fn new(
        converter: &'a Converter<'a>,
        texts: &Texts,
        inputs: &'a [Input<'a>],
    ) -> Result<Self, StreamError> {
        let specs = converter.config().targets.iter().enumerate();
        let targets = specs.map(|(target, spec)| answers(converter, texts, inputs, target, spec));
        Ok(Self { converter, inputs, targets: targets.collect::<Result<_, _>>()? })
    }

    fn spec(&self, target: usize) -> &'a Spec {
        &self.converter.config().targets[target]
    }

    /// Returns the answers as text.
    pub fn render(&self, emit: Emit, screen: Screen) -> String {
        match emit {
            Emit::Bits => self.codes("0x"),
            Emit::Hex => self.codes(""),
            Emit::Values => self.values(),
            Emit::Rows(syntax) => {
                let mut report = Report::new("convert", self.rows());
                report.options = emit::options(self.converter.config());
                report.render(report::Emit::Data(syntax), screen)
            }
            Emit::Table | Emit::Testfloat | Emit::Readmemh | Emit::C => {
                self.screen().render(report::Emit::Table, screen)
            }
        }
    }

    /// A line a block, the code of its scale first; before them a line with that of the tensor's
    /// scale, where there is one. For a plain target a line with all codes.
    fn codes(&self, prefix: &str) -> String {
        let mut out = String::new();
        for (target, answers) in self.targets.iter().enumerate() {
            let format = &self.spec(target).format;
            match answers {
                Answers::Plain(answers) => {
                    let codes: Vec<String> = answers
                        .iter()
                        .map(|answer| format!("{prefix}{}", render::hex(format, answer.code)))
                        .collect();
                    out += &(codes.join(" ") + "\n");
                }
                Answers::Scaled { quantizer, row, .. } => {
                    if quantizer.has_tensor_scale() {
                        let _ = writeln!(out, "{prefix}{:08x}", row.tensor_scale.to_bits());
                    }
                    for (i, scale) in row.scales.iter().enumerate() {
                        let hex = render::hex(quantizer.scale_format(), scale.code.into());
                        let _ = write!(out, "{prefix}{hex}");
                        for element in row.elements.iter().filter(|element| element.scale == i) {
                            let _ = write!(out, " {prefix}{}", render::hex(format, element.stored));
                        }
                        out.push('\n');
                    }
                }
            }
        }
        out
    }

    /// The value of each input in each target, a line each.
    fn values(&self) -> String {
        let mut out = String::new();
        for i in 0..self.inputs.len() {
            for (target, answers) in self.targets.iter().enumerate() {
                out += &match answers {
                    Answers::Plain(answers) => {
                        render::value(&self.spec(target).format, answers[i].code)
                    }
                    Answers::Scaled { row, .. } => {
                        let code = row.elements[i].number.to_bits();
                        render::value(&crate::format::F32, code.into())
                    }
                };
                out.push('\n');
            }
        }
        out
    }

    /// The cells of one input in one target.
    fn cells(&self, input: usize, target: usize) -> Vec<Cell> {
        let text = &self.inputs[input];
        let from = text.held_in.map(|(format, _)| format.name());
        match &self.targets[target] {
            Answers::Plain(answers) => {
                let config = self.converter.config();
                let mut cells = emit::cells(config, text, target, &answers[input]);
                cells.extend(blocks::columns().iter().map(|_| Cell::absent()));
                cells
            }
            Answers::Scaled { quantizer, data, row } => {
                let to = self.spec(target).to_string();
                let blocks = Blocks { to: &to, quantizer, row };
                let element = &row.elements[input];
                let mut cells = blocks.answer(text.text, from, element, &data[input]);
                cells.extend(blocks.cells(element));
                cells
            }
        }
    }

    /// A row for each input and target, in the order of the inputs.
    fn rows(&self) -> Table {
        let mut table = Table::new(answer::columns().into_iter().chain(blocks::columns()));
        for input in 0..self.inputs.len() {
            for target in 0..self.targets.len() {
                table.push(self.cells(input, target));
            }
        }
        table
    }

    fn screen(&self) -> Report {
        let config = self.converter.config();
        let mode = config.projection.rounding.mode.about;
        let count = self.inputs.len();
        let title =
            format!("{count} numbers as one tensor; rounded once, {mode}; elements saturate");
        let mut report = Report::new("convert", self.rows()).with(Block::line(title));
        for (target, answers) in self.targets.iter().enumerate() {
            report = report.with(Block::blank());
            if let Answers::Scaled { quantizer, row, .. } = answers {
                report = report.with(Block::line(heading(self.spec(target), quantizer, row)));
            }
            report = report.with(Block::Table(self.table(target, answers)));
            if let Answers::Scaled { row, .. } = answers {
                report.blocks.extend(remarks(row).into_iter().map(Block::line));
            }
        }
        report
    }

    /// The rows of one target for people, a line between blocks.
    fn table(&self, target: usize, answers: &Answers) -> Table {
        let shown =
            ["scale", "input", "to", "code", "element", "value", "error", "error_ulp", "flags"];
        let columns = || answer::columns().into_iter().chain(blocks::columns());
        let is_scaled = matches!(answers, Answers::Scaled { .. });
        let wanted: Vec<usize> = shown
            .into_iter()
            .filter(|key| {
                is_scaled != (*key == "to") && (is_scaled || !["scale", "element"].contains(key))
            })
            .filter_map(|key| columns().position(|column| column.key == key))
            .collect();
        let all: Vec<Column> = columns().collect();
        let mut table = Table::new(wanted.iter().map(|&i| all[i].clone().place(Place::Everywhere)));
        let mut last = None;
        for input in 0..self.inputs.len() {
            let cells = self.cells(input, target);
            let mut row: Vec<Cell> = wanted.iter().map(|&i| cells[i].clone()).collect();
            if let Answers::Scaled { quantizer, row: quantised, .. } = answers {
                let block = quantised.elements[input].scale;
                if last == Some(block) {
                    row[0] = Cell::text("");
                } else {
                    if last.is_some() {
                        table.push_rule();
                    }
                    let scale = &quantised.scales[block];
                    let hex = render::hex(quantizer.scale_format(), scale.code.into());
                    row[0] = Cell::text(format!("0x{hex} = {}", scale_text(&scale.value)));
                }
                last = Some(block);
            }
            table.push(row);
        }
        table
    }
}

fn answers(
    converter: &Converter,
    texts: &Texts,
    inputs: &[Input],
    target: usize,
    spec: &Spec,
) -> Result<Answers, StreamError> {
    if spec.is_plain() {
        let answer = |(position, input): (u64, &Input)| {
            let failure = |error| texts.failure(usize::try_from(position).unwrap_or(0), error);
            converter.answer(input, target, position).map_err(failure)
        };
        return (0..).zip(inputs).map(answer).collect::<Result<_, _>>().map(Answers::Plain);
    }
    let argument = |error| StreamError::Argument(InputError::Block(error));
    let quantizer = Quantizer::new(spec, &converter.config().projection).map_err(argument)?;
    let data: Vec<Unpacked> = inputs.iter().map(|input| input.meaning.of(&spec.format).0).collect();
    let row = quantizer.row(&data, converter.stream()).map_err(argument)?;
    let is_refused = |element: &Element| element.flags.contains(Flags::REFUSED);
    if let Some(i) = row.elements.iter().position(is_refused) {
        let (text, format) = (inputs[i].text.to_owned(), spec.format.name().to_owned());
        return Err(texts.failure(i, InputError::NoNan { text, format }));
    }
    Ok(Answers::Scaled { quantizer: Box::new(quantizer), data, row })
}

/// What the target is, in words.
fn heading(spec: &Spec, quantizer: &Quantizer, row: &Row) -> String {
    let scales = match row.scales.len() {
        1 => "1 scale".to_owned(),
        n => format!("{n} scales"),
    };
    let mut line = format!(
        "{spec}: {} under {scales} of {}",
        blocks::elements(quantizer),
        quantizer.scale_format()
    );
    if quantizer.has_tensor_scale() {
        let code = row.tensor_scale.to_bits();
        let value = render::value(&crate::format::F32, code.into());
        let _ = write!(line, ", and one f32 for all: 0x{code:08x} = {value}");
    }
    line
}

/// What in a row deserves attention.
fn remarks(row: &Row) -> Vec<String> {
    let elements = row.elements.iter();
    let clipped = elements.filter(|element| element.flags.contains(Flags::OVERFLOW)).count();
    let of = |kind| row.scales.iter().filter(|scale| scale.value.kind == kind).count();
    let (nan, zero) = (of(Kind::Nan), of(Kind::Zero));
    [
        (clipped, "clipped to the largest element (/rceil chooses scales under which nothing is)"),
        (
            nan,
            "blocks with a NaN or an infinity, so that their scale and all their numbers are NaN",
        ),
        (zero, "blocks with scale zero, so that all their numbers are zero"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{what}: {count}"))
    .collect()
}
