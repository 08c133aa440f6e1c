//! Rows of numbers become other rows of numbers: the one container of the library.
//!
//! ```
//! use fpx::train::matrix::Matrix;
//! let x = Matrix::from_rows(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
//! assert_eq!(x.row(1), [4.0, 5.0, 6.0]);
//! assert_eq!(x.transposed().row(2), [3.0, 6.0]);
//! ```

use crate::kernel::View;

/// A matrix of binary32 numbers, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Rows.
    pub rows: usize,
    /// Numbers in a row.
    pub columns: usize,
    /// All numbers, row after row.
    pub data: Vec<f32>,
}

impl Matrix {
    /// Returns a matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, data: vec![0.0; rows * columns] }
    }

    /// Returns the matrix with these numbers in `rows` rows.
    ///
    /// # Panics
    ///
    /// If the numbers do not fill the rows.
    pub fn from_rows(rows: usize, data: Vec<f32>) -> Self {
        let columns = data.len().checked_div(rows).unwrap_or(0);
        assert_eq!(rows * columns, data.len(), "the numbers fill the rows");
        Self { rows, columns, data }
    }

    /// Returns the matrix as a product reads it.
    pub fn view(&self) -> View<'_> {
        View::new(&self.data, self.rows, self.columns)
    }

    /// Returns one row.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.columns..][..self.columns]
    }

    /// Returns one row, to be changed.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.data[row * self.columns..][..self.columns]
    }

    /// Returns rows as slices, one after the other.
    pub fn iter_rows(&self) -> impl Iterator<Item = &[f32]> {
        (0..self.rows).map(|row| self.row(row))
    }

    /// Returns the matrix with rows and columns exchanged.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut turned = Self::zeros(self.columns, self.rows);
        // Squares of 16 by 16: both sides stay in the first-level cache.
        for top in (0..self.rows).step_by(16) {
            for left in (0..self.columns).step_by(16) {
                for i in top..self.rows.min(top + 16) {
                    for j in left..self.columns.min(left + 16) {
                        turned.data[j * self.rows + i] = self.data[i * self.columns + j];
                    }
                }
            }
        }
        turned
    }

    /// Multiplies each number.
    pub fn scale(&mut self, factor: f32) {
        for x in &mut self.data {
            *x *= factor;
        }
    }

    /// Returns the sum of each column, rows added in order.
    pub fn column_sums(&self) -> Vec<f32> {
        let mut sums = vec![0.0; self.columns];
        for row in self.iter_rows() {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
        sums
    }

    /// Returns the rows of the given numbers, in that order.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let data = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { rows: rows.len(), columns: self.columns, data }
    }
}
