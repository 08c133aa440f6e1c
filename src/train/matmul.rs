//! Two matrices become their product, in the accumulator of a policy.

use super::{matrix::Matrix, quantizer, values::Accumulate};
use crate::{
    block::spec::Spec,
    codec::Projection,
    kernel::{Gemm, View},
};

/// Returns the products of a slot.
pub fn gemm(accumulate: &Accumulate) -> Gemm {
    let plan = quantizer::plan(&Spec::plain(accumulate.format.clone()), &Projection::default());
    plan.map_or_else(Gemm::default, |plan| Gemm::rounded(plan, accumulate.chunk))
}

/// Multiplies two matrices.
///
/// # Panics
///
/// If the columns of `a` are not as many as the rows of `b`.
///
/// ```
/// use fpx::{kernel::Gemm, train::{matmul::matmul, matrix::Matrix}};
/// let a = Matrix::from_rows(2, vec![1.0, 2.0, 3.0, 4.0]);
/// let b = Matrix::from_rows(2, vec![5.0, 6.0, 7.0, 8.0]);
/// assert_eq!(matmul(&Gemm::default(), a.view(), b.view()).data, [19.0, 22.0, 43.0, 50.0]);
/// ```
pub fn matmul(gemm: &Gemm, a: View<'_>, b: View<'_>) -> Matrix {
    let mut product = Matrix::zeros(a.rows(), b.columns());
    gemm.multiply(a, b, &mut product.data);
    product
}
