//! Random vectors become dot products, summed in formats of different widths.
//!
//! The shorter of the two classic demonstrations is a sum of ones: it stops where adding one is
//! below half an ulp, at 2048 in f16 and at 256 in bf16.

use super::{
    matmul::{gemm, matmul},
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

/// An error that deserves a sentence.
const MUCH: f64 = 0.01;

/// How the products of one column are summed.
fn columns() -> [(String, Accumulate); 4] {
    let narrow = |format: &Format, chunk| Accumulate { format: format.clone(), chunk };
    [
        (format!("{F32}\nsum"), Accumulate::default()),
        (format!("{F16}\nsum"), narrow(&F16, None)),
        (format!("{BF16}\nsum"), narrow(&BF16, None)),
        (format!("{F16}, {F32}\nevery {CHUNK}"), narrow(&F16, Some(CHUNK))),
    ]
}

/// The errors of dot products: a row a length, a column a way to sum.
#[derive(Debug)]
pub struct Products {
    errors: [[f64; 4]; LENGTHS.len()],
}

impl Products {
    /// Measures dot products of random vectors.
    pub fn measure(seed: u64) -> Self {
        let columns = columns();
        let error = |length, (_, sum): &_| mean_relative_error(length, sum, seed);
        let errors = LENGTHS.map(|length| columns.each_ref().map(|column| error(length, column)));
        Self { errors }
    }

    /// Returns the table of mean relative errors with the sums of ones below it.
    pub fn blocks(&self) -> Vec<Block> {
        let headings = columns().map(|(heading, _)| Column::new("", heading).right());
        let terms = Column::new("terms", "terms\n").right();
        let mut table = Table::new([terms].into_iter().chain(headings));
        for (length, errors) in LENGTHS.iter().zip(&self.errors) {
            let errors = errors.map(|error| Cell::number(error, number::scientific(error, 2)));
            table.push([Cell::count(*length as u64)].into_iter().chain(errors));
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

    /// Returns what the errors show: from which length on narrow sums are wrong.
    pub fn sentences(&self) -> Vec<String> {
        let percent = |error| format!("{} %", number::significant(100.0 * error, 2));
        let [.., longest] = LENGTHS;
        let narrow = columns().into_iter().enumerate().skip(1);
        let sentences = narrow.map(|(place, (_, Accumulate { format, chunk }))| {
            let rest = chunk.map_or(String::new(), |chunk| format!(", added to {F32} every {chunk},"));
            let errors = self.errors.map(|errors| errors[place]);
            let [.., last] = errors.map(percent);
            let wrong = LENGTHS.into_iter().zip(errors).find(|(_, error)| *error > MUCH);
            match wrong {
                Some((length, error)) => format!(
                    "{format} sums of {length} terms{rest} are off by {}, of {longest} by {last}: what is below \
                     half an ulp of the sum is lost.",
                    percent(error)
                ),
                None => format!("{format} sums of {longest} terms{rest} are off by {last}."),
            }
        });
        sentences.collect()
    }
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
    let gemm = gemm(accumulate);
    let errors = (0..SAMPLES).map(|i| {
        let exact: f64 =
            a.row(i).iter().zip(b.row(i)).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
        let [x, y] = [&a, &b].map(|side| Matrix::from_rows(1, side.row(i).to_vec()));
        let sum = matmul(&gemm, x.view(), y.view().turned()).data[0];
        (f64::from(sum) - exact).abs() / exact
    });
    errors.sum::<f64>() / super::tally::to_f64(SAMPLES)
}

/// Returns the sum of as many ones as the longest dot product has terms.
fn sum_of_ones(accumulate: &Accumulate) -> f32 {
    let ones = Matrix::from_rows(1, vec![1.0; LENGTHS[4]]);
    matmul(&gemm(accumulate), ones.view(), ones.view().turned()).data[0]
}
