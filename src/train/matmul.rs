//! Two matrices become their product, each element summed in the order of the inner index.
//!
//! The order is fixed, so that a seed gives the same bits on every machine: element (i, j) is
//! `((a[i][0]·b[0][j] + a[i][1]·b[1][j]) + …`, every product and every sum rounded to binary32.
//! Vector registers run along j, never along the sum.
//!
//! ```
//! use fpx::train::{matmul::{matmul, View}, matrix::Matrix};
//! let a = Matrix::from_rows(2, vec![1.0, 2.0, 3.0, 4.0]);
//! let b = Matrix::from_rows(2, vec![5.0, 6.0, 7.0, 8.0]);
//! assert_eq!(matmul(View::of(&a), View::of(&b), None).data, [19.0, 22.0, 43.0, 50.0]);
//! assert_eq!(matmul(View::of(&a).turned(), View::of(&b), None).data, [26.0, 30.0, 38.0, 44.0]);
//! ```

use super::{matrix::Matrix, quantizer, values::Accumulate};
use crate::{
    block::spec::Spec,
    codec::Projection,
    kernel::{Dither, Plan, quantize_in_place},
};

/// A matrix as a product reads it: as it is, or with rows and columns exchanged.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// Returns the matrix as it is.
    pub fn of(matrix: &'a Matrix) -> Self {
        let Matrix { rows, columns, ref data } = *matrix;
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// Returns the view with rows and columns exchanged; nothing is copied.
    #[must_use]
    pub const fn turned(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn at(self, row: usize, column: usize) -> f32 {
        self.data[row * self.row_stride + column * self.column_stride]
    }
}

/// The accumulator of a matrix product that is narrower than binary32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accumulator {
    /// Rounds the running sum after each multiply-add.
    plan: Plan,
    /// The terms after which the running sum is added to a binary32 one and starts again at 0.
    chunk: usize,
}

impl Accumulator {
    /// Returns the accumulator of a slot, or nothing for binary32.
    pub fn new(accumulate: &Accumulate) -> Option<Self> {
        let plan =
            quantizer::plan(&Spec::plain(accumulate.format.clone()), &Projection::default())?;
        Some(Self { plan, chunk: accumulate.chunk.unwrap_or(usize::MAX) })
    }
}

/// Rows computed together: each number of `b` that is read serves this many sums.
const ROWS: usize = 4;
/// Columns computed together: two registers of four lanes.
const COLUMNS: usize = 8;

/// Multiplies two matrices, rounding the running sums as `accumulator` says, if it does.
///
/// # Panics
///
/// If the columns of `a` are not as many as the rows of `b`.
pub fn matmul(a: View<'_>, b: View<'_>, accumulator: Option<&Accumulator>) -> Matrix {
    assert_eq!(a.columns, b.rows, "the inner sides of a product agree");
    let mut product = Matrix::zeros(a.rows, b.columns);
    if let Some(accumulator) = accumulator {
        rounded(a, b, accumulator, &mut product);
        return product;
    }
    let mut panel = vec![[0.0; COLUMNS]; b.rows];
    for left in (0..b.columns).step_by(COLUMNS) {
        let width = COLUMNS.min(b.columns - left);
        for (k, slot) in panel.iter_mut().enumerate() {
            for (j, x) in slot[..width].iter_mut().enumerate() {
                *x = b.at(k, left + j);
            }
        }
        for top in (0..a.rows).step_by(ROWS) {
            let height = ROWS.min(a.rows - top);
            // A short last group computes some rows twice and keeps one of each.
            let rows = std::array::from_fn(|i| top + i.min(height - 1));
            for (i, sums) in tile(a, rows, &panel).iter().enumerate().take(height) {
                product.row_mut(top + i)[left..left + width].copy_from_slice(&sums[..width]);
            }
        }
    }
    product
}

/// Returns the sums of [`ROWS`] rows of `a` with one panel of columns of `b`.
fn tile(a: View<'_>, rows: [usize; ROWS], panel: &[[f32; COLUMNS]]) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    let mut index = rows.map(|row| row * a.row_stride);
    for b in panel {
        for (sums, index) in sums.iter_mut().zip(&mut index) {
            let factor = a.data[*index];
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += factor * b;
            }
            *index += a.column_stride;
        }
    }
    sums
}

/// Multiplies with an accumulator that is rounded after each multiply-add.
fn rounded(a: View<'_>, b: View<'_>, accumulator: &Accumulator, product: &mut Matrix) {
    let mut narrow = vec![0.0; b.columns];
    for i in 0..a.rows {
        for first in (0..a.columns).step_by(accumulator.chunk) {
            narrow.fill(0.0);
            for k in first..a.columns.min(first + accumulator.chunk) {
                let factor = a.at(i, k);
                for (j, sum) in narrow.iter_mut().enumerate() {
                    *sum += factor * b.at(k, j);
                }
                quantize_in_place(&accumulator.plan, &mut narrow, Dither::default());
            }
            for (sum, narrow) in product.row_mut(i).iter_mut().zip(&narrow) {
                *sum += narrow;
            }
        }
    }
}
