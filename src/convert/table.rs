//! A few numbers become a table for people.

use super::{
    emit,
    numbers::{Answer, Config, Converter, Input, InputError},
};
use crate::{
    report::{Block, Place, Report, Table, answer},
    text::render,
};

/// Returns the answers to some inputs as a report.
///
/// # Errors
///
/// [`InputError`], for the first input that has no answer.
pub fn report(converter: &Converter, inputs: &[Input]) -> Result<Report, InputError> {
    let config = converter.config();
    let mut table = Table::new(answer::columns());
    let mut remarks = Vec::new();
    for (position, input) in (0..).zip(inputs) {
        for target in 0..config.targets.len() {
            let answer = converter.answer(input, target, position)?;
            table.push(emit::cells(config, input, target, &answer));
            remarks.extend(double_rounding(config, input, target, &answer));
        }
    }
    let mut title = config.modes();
    if let [input] = inputs {
        table.columns[0].place = Place::Data;
        title = format!("{}   {}{title}", answer::shown(input.text), reading(config, input));
    }
    let mut report = Report::new("convert", table)
        .with(Block::line(title))
        .with(Block::blank())
        .with(Block::Rows);
    report.blocks.extend(remarks.into_iter().map(Block::line));
    Ok(report)
}

/// Says what a pattern was read as, if nothing named its format.
fn reading(config: &Config, input: &Input) -> String {
    match (&config.from, input.held_in) {
        (None, Some((format, _))) => format!("a code of {format}; "),
        _ => String::new(),
    }
}

/// Says that holding the input in a format changed the answer.
fn double_rounding(
    config: &Config,
    input: &Input,
    target: usize,
    answer: &Answer,
) -> Option<String> {
    let once = answer.without_holding?;
    let spec = &config.targets[target];
    let (from, _) = input.held_in?;
    Some(format!(
        "double rounding: {} held in {from} first gives {spec} 0x{}; rounded once it is 0x{}",
        answer::shown(input.text),
        render::hex(&spec.format, answer.code),
        render::hex(&spec.format, once),
    ))
}
