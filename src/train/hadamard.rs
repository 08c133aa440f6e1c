//! Both operands of a weight gradient become mixtures along the examples, whose product is the same.
//!
//! Multiplying by an orthogonal matrix and its transpose changes nothing but the roundings between:
//! an outlier is spread over 16 numbers, and small neighbours survive. The matrix is that of
//! Sylvester, 16 by 16, divided by 4, after random signs (arXiv 2509.25149 §4.2).
//!
//! ```
//! use fpx::train::{hadamard::{signs, transform}, matrix::Matrix};
//! let mut x = Matrix::zeros(3, 1);
//! x.data[0] = 8.0;
//! let mixed = transform(&x, &signs(0));
//! assert_eq!((mixed.rows, mixed.data.iter().map(|x| x.abs()).sum::<f32>()), (16, 32.0));
//! ```

use super::{
    matrix::Matrix,
    random::{self, Use},
};

/// Rows mixed together.
pub const SIZE: usize = 16;
/// Makes the transform orthogonal: one over the root of [`SIZE`].
const NORM: f32 = 0.25;

/// Returns the random signs of a run.
pub fn signs(seed: u64) -> [f32; SIZE] {
    let stream = random::stream(seed, Use::Signs, 0);
    std::array::from_fn(|i| if stream.bits(i as u64) & 1 == 0 { 1.0 } else { -1.0 })
}

/// Mixes each 16 rows; missing rows of the last group are zeros.
pub fn transform(matrix: &Matrix, signs: &[f32; SIZE]) -> Matrix {
    let columns = matrix.columns;
    let mut mixed = matrix.clone();
    mixed.rows = matrix.rows.next_multiple_of(SIZE);
    mixed.data.resize(mixed.rows * columns, 0.0);
    for group in mixed.data.chunks_mut((SIZE * columns).max(1)) {
        for (row, sign) in group.chunks_mut(columns).zip(signs) {
            for x in row {
                *x *= NORM * sign;
            }
        }
        let mut half = 1;
        while half < SIZE {
            for pair in group.chunks_mut(2 * half * columns) {
                let (upper, lower) = pair.split_at_mut(half * columns);
                for (a, b) in upper.iter_mut().zip(lower) {
                    (*a, *b) = (*a + *b, *a - *b);
                }
            }
            half *= 2;
        }
    }
    mixed
}
