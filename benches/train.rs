//! The time of an emulated layer as a ratio to the same layer in plain float32, in the same run.
//!
//! `cargo bench --bench train` prints one line a policy, with its target.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::expect_used, reason = "the rows are right")]

#[expect(dead_code, reason = "its subjects are layers, not single values")]
mod common;

use std::hint::black_box;

use common::{Subject, medians};
use fpx::{
    kernel::instruction_set,
    train::{
        layer::{Layer, Shape},
        lesson::entry,
        matrix::Matrix,
        task::TASKS,
        trace::Trace,
        values::Activation,
    },
};

/// Examples, inputs and outputs of the layer.
const SIDES: [usize; 3] = [64, 784, 256];
/// The most that rounding operands and results may take, over plain float32.
const ROUNDED: f64 = 2.0;
/// The most that rounding each sum as well may take.
const ACCUMULATED: f64 = 6.0;

/// Rows of slots, each with its target.
const ROWS: [(&str, f64); 9] = [
    ("f16-amp", ROUNDED),
    ("bf16-amp", ROUNDED),
    ("fp8", ROUNDED),
    ("fp8-current", ROUNDED),
    ("mxfp8", ROUNDED),
    ("nvfp4", ROUNDED),
    ("f16-amp accumulate=f16", ACCUMULATED),
    ("f16-amp accumulate=f16:32", ACCUMULATED),
    ("bf16-amp accumulate=bf16", ACCUMULATED),
];

fn numbers(rows: usize, columns: usize, size: f32) -> Matrix {
    let place = |i: usize| f32::from(u16::try_from(i * 7919 % 10_007).expect("below 2^16"));
    let data = (0..rows * columns).map(|i| (place(i) / 5003.0 - 1.0) * size).collect();
    Matrix::from_rows(rows, data)
}

/// Casts, computes the outputs and the gradients of weights and inputs.
fn layer(name: &'static str) -> Subject<'static> {
    let [batch, inputs, outputs] = SIDES;
    let slots = entry(name, &TASKS[0], TASKS[0].recipe).expect("a row of slots").slots;
    let shape =
        Shape { embedding: None, widths: vec![inputs, outputs], activation: Activation::Task };
    let mut layer = Layer::new(1, &shape, &slots, 0);
    let (inputs, gradients) = (numbers(batch, inputs, 1.0), numbers(batch, outputs, 0.01));
    let mut trace = Trace::default();
    Subject::new(name, move || {
        layer.cast();
        black_box(layer.forward(inputs.clone(), &mut trace));
        let gradient = layer.backward(gradients.clone(), &mut trace);
        black_box(layer.input_gradient(&gradient, &mut trace));
        trace.clear();
    })
}

fn main() {
    match instruction_set() {
        Ok(set) => println!("instruction set {}", set.name()),
        Err(error) => println!("{error}"),
    }
    let [batch, inputs, outputs] = SIDES;
    let mut subjects = vec![layer("f32")];
    subjects.extend(ROWS.iter().map(|&(name, _)| layer(name)));
    let times = medians(&mut subjects, 15);
    println!("a layer of {batch} x {inputs} x {outputs}, cast, forward and backward");
    println!("{:<30} {:>7.3} ms", "f32", times[0] * 1e3);
    for ((name, target), time) in ROWS.iter().zip(&times[1..]) {
        let ratio = time / times[0];
        let verdict = if ratio <= *target { "met" } else { "missed" };
        println!(
            "{name:<30} {:>7.3} ms  over f32 {ratio:>5.2}  target {target:>2}  {verdict}",
            time * 1e3
        );
    }
}
