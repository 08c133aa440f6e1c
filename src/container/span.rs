//! Where in the bytes of a tensor its elements lie.

use std::ops::Range;

/// Where in the bytes of a tensor its elements lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// One after the other, so many bits each.
    Bits(u64),
    /// In cells, each of which begins on a byte.
    Cells(Cells),
}

/// Neighbouring elements that begin on a byte together: the last cell of a row may have fewer, and
/// leaves the rest of its bytes unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    /// Elements of a row, at least 1; no cell goes on in the next.
    pub row: u64,
    /// Elements of a cell, at least 1.
    pub elements: u64,
    /// Bytes of a cell.
    pub bytes: u64,
    /// Whether a cell is two 4-bit codes a byte in their order and nothing else.
    pub is_plain: bool,
}

impl Cells {
    /// Returns cells of two 4-bit codes a byte.
    pub fn nibbles(row: u64, elements: u64) -> Self {
        Self { row, elements, bytes: elements.div_ceil(2), is_plain: true }
    }

    /// Returns the cells of a row.
    pub fn a_row(&self) -> u64 {
        self.row.div_ceil(self.elements)
    }

    /// Returns the element after the last of a cell.
    pub fn end(&self, element: u64) -> u64 {
        let column = element % self.row;
        let within = column % self.elements;
        element + (self.elements - within).min(self.row - column)
    }

    fn byte(&self, element: u64) -> Option<u64> {
        let (row, column) = (element / self.row, element % self.row);
        let (cell, within) = (column / self.elements, column % self.elements);
        let is_on_byte = within == 0 || self.is_plain && within.is_multiple_of(2);
        is_on_byte.then(|| (row * self.a_row() + cell) * self.bytes + within / 2)
    }
}

impl Span {
    /// Returns the byte on which an element begins, if it begins on one.
    ///
    /// ```
    /// use fpx::container::{Cells, Span};
    /// assert_eq!(Span::Bits(6).byte(4), Some(3));
    /// assert_eq!(Span::Bits(6).byte(5), None);
    /// // Rows of five 4-bit codes in three bytes.
    /// assert_eq!(Span::Cells(Cells::nibbles(5, 5)).byte(5), Some(3));
    /// ```
    pub fn byte(&self, element: u64) -> Option<u64> {
        match self {
            Self::Bits(bits) => {
                let bits = element * bits;
                bits.is_multiple_of(8).then_some(bits / 8)
            }
            Self::Cells(cells) => cells.byte(element),
        }
    }

    /// Returns the bytes of a range that begins on a byte and ends on one or with the tensor.
    pub fn bytes(&self, elements: &Range<u64>) -> Option<Range<u64>> {
        let end = match self {
            Self::Bits(bits) => (elements.end * bits).div_ceil(8),
            Self::Cells(cells) => cells.byte(elements.end)?,
        };
        Some(self.byte(elements.start)?..end)
    }
}
