//! A policy becomes the table of its operations: which list of autocast each is on, what it reads,
//! what it sums in and what it returns.
//!
//! The lists are PyTorch's (`docs/source/amp.md`): matrix products run in low precision, losses and
//! sums in float32, and what is on no list in the format of its input.

use super::{
    experiment::{self, Config, Entry, ExperimentError},
    layer::Shape,
    loss::Objective,
    optimizer::Rule,
    quantizer::holds_results,
    slots::Slots,
    values::{Activation, Choice as _, LossScale, Scaling, Softmax, Update},
};
use crate::{
    block::spec::Spec,
    format::F32,
    report::{Block, Cell, Column, Report, Role, Span, Table},
};

/// An operation of a training step.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Operation {
    name: String,
    list: &'static str,
    reads: String,
    sums: String,
    returns: String,
}

/// Operations of matrix units.
const LOW: &str = "low precision";
/// Operations that need range or precision.
const FULL: &str = "float32";
/// Operations on no list.
const SAME: &str = "input's";
/// Operations outside the autocast region.
const OUTSIDE: &str = "-";

/// Returns the operations of one training step of each policy.
///
/// # Errors
///
/// If the data, whose size decides the model's, cannot be used.
pub fn report(config: &Config) -> Result<Report, ExperimentError> {
    let shapes = experiment::shapes(config)?;
    let screen = table().columns[1..].to_vec();
    let mut report = Report::new("train-demo", table());
    for (entry, shape) in config.entries.iter().zip(&shapes) {
        let mut shown = Table::new(screen.clone());
        for operation in operations(entry, shape) {
            let Operation { name, list, reads, sums, returns } = operation;
            let cells = [name, list.to_owned(), reads, sums, returns].map(Cell::text);
            shown.push(cells.clone());
            report.rows.push([Cell::text(&*entry.policy)].into_iter().chain(cells));
        }
        report = report
            .with(Block::Line(vec![
                Span::new(&*entry.policy, Role::Heading),
                Span::plain(format!("   {}", entry.slots)),
            ]))
            .with(Block::blank())
            .with(Block::Table(shown))
            .with(Block::blank());
    }
    Ok(report.with(Block::line(
        "lists as PyTorch's autocast: products in low precision, losses and sums in float32",
    )))
}

fn table() -> Table {
    Table::new([
        Column::new("policy", "policy"),
        Column::new("op", "operation").wraps(),
        Column::new("list", "autocast\nlist"),
        Column::new("format_in", "format\nin").wraps(),
        Column::new("accumulator", "accumulator\n"),
        Column::new("format_out", "format\nout").wraps(),
    ])
}

fn operations(entry: &Entry, shape: &Shape) -> Vec<Operation> {
    let slots = &entry.slots;
    let count = shape.layers();
    let numbers: Vec<usize> = (1..=count).collect();
    let is_kept = |number: &usize| slots.keep.contains(*number, count);
    let groups: Vec<&[usize]> = numbers.chunk_by(|a, b| is_kept(a) == is_kept(b)).collect();
    let mut operations = Vec::new();
    if let Some([characters, numbers]) = shape.embedding {
        let kept = kept(slots);
        let name = format!("embedding, {characters} by {numbers}");
        operations.push(plain(name, OUTSIDE, kept.clone(), kept));
    }
    for group in &groups {
        operations.extend(forward(group, count, shape, slots));
    }
    operations.extend(loss(entry, count));
    for group in groups.iter().rev() {
        operations.extend(backward(group, count, slots));
    }
    operations.extend(step(entry));
    operations
}

fn operation(
    name: String,
    list: &'static str,
    reads: String,
    sums: String,
    returns: String,
) -> Operation {
    Operation { name, list, reads, sums, returns }
}

/// An operation on each number alone.
fn plain(name: String, list: &'static str, reads: String, returns: String) -> Operation {
    operation(name, list, reads, "-".to_owned(), returns)
}

fn layers(group: &[usize]) -> String {
    match group {
        [one] => format!("layer {one}"),
        [first, .., last] => format!("layers {first}-{last}"),
        [] => String::new(),
    }
}

/// Returns the format of an operand, with its scaling.
fn operand(spec: &Spec, slots: &Slots) -> String {
    let is_scaled = matches!(slots.scaling, Scaling::Current | Scaling::Delayed { .. });
    if is_scaled && !holds_results(&spec.format) {
        format!("{spec} ({} scale)", slots.scaling.write())
    } else {
        spec.to_string()
    }
}

/// Returns the format in which results of a role are held.
fn held(spec: &Spec) -> String {
    if holds_results(&spec.format) { spec.to_string() } else { F32.to_string() }
}

fn kept(slots: &Slots) -> String {
    slots.master.as_ref().unwrap_or(&slots.weights).to_string()
}

fn sums(slots: &Slots) -> String {
    slots.accumulate.write()
}

fn forward(group: &[usize], count: usize, shape: &Shape, slots: &Slots) -> Vec<Operation> {
    let slots = &slots.of_layer(group[0], count);
    let name = layers(group);
    let weights = operand(&slots.weights, slots);
    let held = held(&slots.activations);
    let mut operations = Vec::new();
    if kept(slots) != weights {
        operations.push(plain(format!("{name}: cast W"), LOW, kept(slots), weights.clone()));
    }
    let reads = pair(&operand(&slots.activations, slots), &weights);
    operations.push(operation(format!("{name}: x W + b"), LOW, reads, sums(slots), held.clone()));
    if shape.activation != Activation::Task && group != [count] {
        operations.push(plain(shape.activation.write(), SAME, held.clone(), held));
    }
    operations
}

/// Writes the formats of two operands: one name where they are the same.
fn pair(left: &str, right: &str) -> String {
    if left == right { left.to_owned() } else { format!("{left}, {right}") }
}

fn loss(entry: &Entry, count: usize) -> Vec<Operation> {
    let slots = &entry.slots.of_layer(count, count);
    let outputs = held(&slots.activations);
    let full = F32.to_string();
    let mut operations = match (entry.task.objective, entry.slots.softmax) {
        (Objective::SquaredError, _) => {
            vec![plain("mean squared error".to_owned(), FULL, outputs, full.clone())]
        }
        (Objective::CrossEntropy, Softmax::Stable) => {
            vec![plain("log-softmax, cross-entropy".to_owned(), FULL, outputs, full.clone())]
        }
        (Objective::CrossEntropy, Softmax::Naive) => {
            let softmax = plain("naive softmax".to_owned(), SAME, outputs.clone(), outputs.clone());
            vec![softmax, plain("-log".to_owned(), FULL, outputs, full.clone())]
        }
    };
    if entry.slots.loss_scale != LossScale::None {
        let name = format!("times the loss scale ({})", entry.slots.loss_scale.write());
        operations.push(plain(name, FULL, full.clone(), full));
    }
    operations
}

fn backward(group: &[usize], count: usize, slots: &Slots) -> Vec<Operation> {
    let slots = &slots.of_layer(group[0], count);
    let name = layers(group);
    let gradients = operand(&slots.gradients, slots);
    let held = held(&slots.gradients);
    let transform =
        if slots.hadamard == super::values::Hadamard::Wgrad { ", Hadamard" } else { "" };
    let inputs = pair(&gradients, &operand(&slots.weights, slots));
    let weights = pair(&operand(&slots.activations, slots), &gradients);
    vec![
        operation(format!("{name}: dx = dy W'"), LOW, inputs, sums(slots), held.clone()),
        operation(
            format!("{name}: dW = x' dy{transform}"),
            LOW,
            weights,
            sums(slots),
            held.clone(),
        ),
        operation(format!("{name}: db = sum dy"), LOW, held.clone(), F32.to_string(), held),
    ]
}

fn step(entry: &Entry) -> Vec<Operation> {
    let slots = &entry.slots;
    let gradient = if slots.master.is_none() { held(&slots.gradients) } else { F32.to_string() };
    let state = slots.optimizer_state.to_string();
    let mut operations = Vec::new();
    if slots.loss_scale != LossScale::None {
        let check = matches!(slots.loss_scale, LossScale::Dynamic { .. });
        let name = if check { "unscale, check for infinities" } else { "unscale" };
        operations.push(plain(name.to_owned(), OUTSIDE, gradient.clone(), gradient.clone()));
    }
    if let Some(norm) = entry.recipe.clip {
        let name = format!("clip to norm {norm}");
        operations.push(plain(name, OUTSIDE, gradient.clone(), gradient.clone()));
    }
    let rule = match entry.recipe.rule {
        Rule::Sgd => "SGD",
        Rule::Adam { .. } => "Adam",
    };
    operations.push(plain(format!("{rule} state"), OUTSIDE, pair(&gradient, &state), state));
    let rounding = match slots.update {
        Update::Nearest => "",
        Update::Stochastic => ", stochastic",
        Update::Kahan => ", Kahan",
    };
    let kept = kept(slots);
    operations.push(plain(format!("update W{rounding}"), OUTSIDE, kept.clone(), kept));
    operations
}
