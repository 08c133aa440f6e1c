//! An experiment becomes a report: tables, what they show, and what deserves attention.

use serde_json::{Value, json};

use super::{
    experiment::{Config, Measured},
    findings,
    lesson::Lesson,
    optimizer::Rule,
    products::Products,
    table,
    task::Recipe,
    values::{Activation, Choice as _},
    warning,
};
use crate::report::{Block, Report, Role, Span, answer::rounding_options};

/// Returns the report of an experiment, of a lesson if it is one.
pub fn report(config: &Config, rows: &[Measured], lesson: Option<&Lesson>) -> Report {
    let mut report = Report::new("train-demo", table::data(rows, &config.seeds));
    for (name, value) in options(config, lesson) {
        report = report.option(name, value);
    }
    if let Some(entry) = config.entries.first() {
        report.options.extend(rounding_options(&entry.slots.general, config.seeds[0]));
    }
    let mut sentences = Vec::new();
    if let Some(lesson) = lesson {
        report.blocks.push(heading(&format!("{}: {}", lesson.name, lesson.about)));
        report.blocks.push(Block::blank());
        if lesson.has_products {
            let products = Products::measure(config.seeds[0]);
            report.blocks.extend(products.blocks());
            sentences.extend(products.sentences());
        }
    }
    for group in rows.chunk_by(|a, b| a.entry.group == b.entry.group) {
        report.blocks.extend(group_blocks(group, rows, config.seeds.len()));
    }
    report.blocks.push(heading("What the numbers show"));
    sentences.extend(findings::sentences(rows));
    for sentence in sentences {
        report.blocks.extend(wrapped(&sentence, "  ").into_iter().map(Block::line));
    }
    report.blocks.extend(rows.iter().flat_map(warning_lines));
    report.blocks.push(Block::line(
        "bytes a parameter: weights, copy for the products, gradients, optimizer state; amp saves \
         on activations",
    ));
    report.blocks.push(Block::hint(
        "more: --lesson list · --policy list · what runs in which format: --explain",
    ));
    report
}

fn heading(text: &str) -> Block {
    Block::Line(vec![Span::new(text, Role::Heading)])
}

/// A table with the lines above it that say what was trained.
fn group_blocks(group: &[Measured], rows: &[Measured], seeds: usize) -> Vec<Block> {
    let Some(first) = group.first() else { return Vec::new() };
    let [train, test] = first.examples;
    let (name, recipe) = (first.entry.task.name, first.entry.recipe.describe());
    let seeds = if seeds == 1 { "1 seed".to_owned() } else { format!("{seeds} seeds") };
    let model = describe(first);
    let group: Vec<&Measured> = group.iter().collect();
    vec![
        Block::line(format!("{name}: {model}, {train} train / {test} test; {recipe}, {seeds}")),
        Block::line(
            "every value is rounded where the policy says so; accuracy is emulated, speed is not",
        ),
        Block::blank(),
        Block::Table(table::screen(&group, rows)),
        Block::blank(),
    ]
}

/// Describes a model by its widths and its activation function.
pub fn describe(row: &Measured) -> String {
    let widths: Vec<String> = row.shape.widths.iter().map(usize::to_string).collect();
    let activation = row.shape.activation;
    let activation =
        if activation == Activation::Relu { "ReLU".to_owned() } else { activation.write() };
    let embedding = row.shape.embedding.map_or(String::new(), |[characters, numbers]| {
        format!("{characters} characters by {numbers} numbers, ")
    });
    format!("{embedding}{} {activation}", widths.join("-"))
}

fn warning_lines(row: &Measured) -> Vec<Block> {
    let mut lines = Vec::new();
    for warning in warning::warnings(row) {
        let mut mark = "  ! ";
        for line in wrapped(&format!("{}: {warning}", row.label), "") {
            lines.push(Block::Line(vec![Span::new(mark, Role::Warning), Span::plain(line)]));
            mark = "    ";
        }
    }
    lines
}

/// Columns of a line of text, the indentation apart.
const WIDTH: usize = 94;

/// Breaks text into lines; each after the first is indented by two more.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines = vec![indent.to_owned()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        let is_empty = line.trim().is_empty();
        if !is_empty && line.chars().count() + word.chars().count() >= WIDTH {
            lines.push(format!("{indent}  {word}"));
        } else {
            *line += if is_empty { "" } else { " " };
            *line += word;
        }
    }
    lines
}

/// Everything that decided the numbers; what differs between rows is in the rows.
fn options(config: &Config, lesson: Option<&Lesson>) -> Vec<(&'static str, Value)> {
    let shared = |of: fn(&Recipe) -> Value| {
        let mut values = config.entries.iter().map(|entry| of(&entry.recipe));
        let first = values.next().unwrap_or_default();
        if values.all(|value| value == first) { first } else { Value::Null }
    };
    let policies: Vec<&str> = config.entries.iter().map(|entry| &*entry.policy).collect();
    vec![
        ("policies", json!(policies)),
        ("lesson", json!(lesson.map(|lesson| lesson.name))),
        ("data", json!(config.data.as_ref().map(|path| path.display().to_string()))),
        ("seeds", json!(config.seeds)),
        ("epochs", shared(|recipe| json!(recipe.epochs))),
        ("batch", shared(|recipe| json!(recipe.batch))),
        ("lr", shared(|recipe| json!(recipe.learning_rate.to_string()))),
        ("optimizer", shared(|recipe| json!(recipe.rule.write()))),
        (
            "adam_eps",
            shared(|recipe| match recipe.rule {
                Rule::Adam { epsilon } => json!(f64::from(epsilon)),
                Rule::Sgd => Value::Null,
            }),
        ),
        ("clip_grad", shared(|recipe| json!(recipe.clip))),
    ]
}
