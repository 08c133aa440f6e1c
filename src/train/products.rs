//! Random vectors become dot products, summed in formats of different widths.
//!
//! The shorter of the two classic demonstrations is a sum of ones: it stops where adding one is
//! below half an ulp, at 2048 in f16 and at 256 in bf16.

use super::{
    matmul::{Accumulator, View, matmul},
    matrix::Matrix,
    random::{self, Use},
    values::Accumulate,
};
use crate::{
    block::spec::Spec,
    codec::Projection,
    format::{BF16, F16, F32, Format},
    kernel::{Dither, quantize_in_place},
    report::{Block, Cell, Column, Table, number},
};

/// The numbers of terms.
const LENGTHS: [usize; 5] = [64, 256, 1024, 4096, 16384];
/// Dot products whose errors are averaged.
const SAMPLES: usize = 16;
/// Terms after which the chunked accumulator is added to a float32 one.
const CHUNK: usize = 128;

/// How the products of one column are summed.
fn columns() -> Vec<(String, Accumulate)> {
    let narrow = |format: &Format, chunk| Accumulate { format: format.clone(), chunk };
    vec![
        (format!("{F32}\nsum"), Accumulate::default()),
        (format!("{F16}\nsum"), narrow(&F16, None)),
        (format!("{BF16}\nsum"), narrow(&BF16, None)),
        (format!("{F16}, {F32}\nevery {CHUNK}"), narrow(&F16, Some(CHUNK))),
    ]
}

/// Returns the table of mean relative errors with the sums of ones below it.
pub fn blocks(seed: u64) -> Vec<Block> {
    let mut table = Table::new(
        [Column::new("terms", "terms\n").right()]
            .into_iter()
            .chain(columns().into_iter().map(|(heading, _)| Column::new("", heading).right())),
    );
    for length in LENGTHS {
        let errors = columns().into_iter().map(|(_, accumulate)| {
            let error = mean_relative_error(length, &accumulate, seed);
            Cell::number(error, number::scientific(error, 2))
        });
        table.push([Cell::count(length as u64)].into_iter().chain(errors));
    }
    let ones: Vec<String> = columns()[..3]
        .iter()
        .map(|(_, sum)| format!("{} {}", sum.format, sum_of_ones(sum)))
        .collect();
    vec![
        Block::line(format!(
            "mean relative error of {SAMPLES} dot products of {F16} numbers, uniform in [0, 1)"
        )),
        Block::blank(),
        Block::Table(table),
        Block::blank(),
        Block::line(format!("the sum of {} ones: {}", LENGTHS[4], ones.join(", "))),
        Block::blank(),
    ]
}

/// Returns the mean relative error of dot products of numbers that f16 holds.
fn mean_relative_error(length: usize, accumulate: &Accumulate, seed: u64) -> f64 {
    let [a, b] = [0, 1].map(|side| {
        let stream = random::stream(seed, Use::Products, side);
        let count = (SAMPLES * length) as u64;
        let mut numbers: Vec<f32> = (0..count).map(|i| random::unit(stream, i)).collect();
        let plan = super::quantizer::plan(&Spec::plain(F16.clone()), &Projection::default());
        if let Some(plan) = plan {
            quantize_in_place(&plan, &mut numbers, Dither::default());
        }
        Matrix::from_rows(SAMPLES, numbers)
    });
    let accumulator = Accumulator::new(accumulate);
    let errors = (0..SAMPLES).map(|i| {
        let exact: f64 =
            a.row(i).iter().zip(b.row(i)).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
        let [x, y] = [&a, &b].map(|side| Matrix::from_rows(1, side.row(i).to_vec()));
        let sum = matmul(View::of(&x), View::of(&y).turned(), accumulator.as_ref()).data[0];
        (f64::from(sum) - exact).abs() / exact
    });
    errors.sum::<f64>() / super::tally::to_f64(SAMPLES)
}

/// Returns the sum of as many ones as the longest dot product has terms.
fn sum_of_ones(accumulate: &Accumulate) -> f32 {
    let ones = Matrix::from_rows(1, vec![1.0; LENGTHS[4]]);
    let accumulator = Accumulator::new(accumulate);
    matmul(View::of(&ones), View::of(&ones).turned(), accumulator.as_ref()).data[0]
}
