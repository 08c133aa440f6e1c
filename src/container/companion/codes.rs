//! What the bytes of a weight hold, by its element type, its shape, and what the file says of it.

use super::needs_scale;
use crate::{
    block::{
        rows::Coding,
        spec::{Scaling, Spec},
    },
    container::{
        Blocks, Cells, Element, Integer, Packing, Span, Storage, Tensor, elements,
        written::{Record, Written},
    },
    format::catalogue as c,
};

/// What a weight's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codes {
    /// What its own type says: floating-point codes of at most 8 bits, or wider ones of which the
    /// file says that they have scales.
    Own,
    /// Two 4-bit codes a byte along the last dimension, the first in the low bits; an odd row is
    /// filled up.
    Nibbles,
    /// As nibbles, with the bytes of a block in a dimension of their own; a short block is filled up.
    NibbleBlocks,
    /// Codes of 4 or 6 bits, one a byte, of which the file says the format.
    Bytes,
    /// Two's complement multiples of 1/64.
    Integers,
    /// Blocks with scales of their own, under one more.
    Blocks,
}

/// What the bytes of a weight hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// The codes.
    pub storage: Storage,
    /// Whether they are the format's, or integers.
    pub coding: Coding,
    /// Where they lie.
    pub span: Span,
    /// The shape in elements.
    pub shape: Vec<u64>,
    /// The elements of a block, if the layout says.
    pub(super) block: Option<u64>,
}

/// Whether a tensor holds bytes, of one of these of NumPy's kinds.
fn is_byte(tensor: &Tensor, kinds: &[char]) -> bool {
    matches!(tensor.element, Element::Integer(Integer { kind, bytes: 1 }) if kinds.contains(&kind))
}

impl Codes {
    /// Whether the tensor can be such codes by its element type.
    pub(super) fn may_be(self, tensor: &Tensor, written: &Written) -> bool {
        let storage = tensor.element.storage();
        match self {
            Self::Own => {
                let has_scales = |storage: &Storage| written.has_scaled(&storage.format);
                needs_scale(&tensor.element) || storage.is_some_and(has_scales)
            }
            Self::Nibbles => {
                is_byte(tensor, &['u', 'i']) || storage.is_some_and(|s| s.format == c::E2M1FN)
            }
            Self::NibbleBlocks => is_byte(tensor, &['u', 'i']) && tensor.shape.len() > 1,
            Self::Bytes => is_byte(tensor, &['u']),
            Self::Integers => is_byte(tensor, &['i']),
            Self::Blocks => matches!(tensor.element, Element::Blocks(_)),
        }
    }

    /// Returns what the tensor holds, if it can be such codes.
    pub(super) fn read(self, tensor: &Tensor, written: &Written) -> Option<Weight> {
        if !self.may_be(tensor, written) {
            return None;
        }
        let bytes = Weight {
            storage: Storage::new(&c::E2M1FN),
            coding: Coding::Format,
            span: Span::Bits(8),
            shape: tensor.shape.clone(),
            block: None,
        };
        let record = written.tensors.get(&tensor.name);
        match (self, &tensor.element) {
            (Self::Own | Self::Nibbles, Element::Float(storage)) => {
                Some(Weight { storage: storage.clone(), span: Span::Bits(storage.bits()), ..bytes })
            }
            (Self::Nibbles, _) => rows_of_nibbles(bytes, record),
            (Self::NibbleBlocks, _) => blocks_of_nibbles(bytes, record),
            (Self::Bytes, _) => {
                let format = &record.filter(|record| record.shape == bytes.shape)?.spec.format;
                let storage = Storage::new(format).with_packing(Packing::Byte);
                matches!(format.width(), 4 | 6).then_some(Weight { storage, ..bytes })
            }
            (Self::Integers, _) => {
                let storage = Storage::new(&c::INT8_SIXTY_FOURTHS);
                Some(Weight { storage, coding: Coding::TwosComplement, ..bytes })
            }
            (Self::Blocks, Element::Blocks(blocks)) => {
                Some(Weight { span: blocks.span(&bytes.shape), ..bytes })
            }
            (Self::Own | Self::Blocks, _) => None,
        }
    }
}

impl Blocks {
    /// Returns where the blocks of a tensor of this shape lie.
    pub fn span(&self, shape: &[u64]) -> Span {
        let row = shape.last().copied().unwrap_or(1).max(1);
        Span::Cells(Cells { row, elements: self.elements, bytes: self.bytes(), is_plain: false })
    }
}

/// Reads bytes of two codes each, in rows.
fn rows_of_nibbles(own: Weight, record: Option<&Record>) -> Option<Weight> {
    let mut shape = own.shape.clone();
    let last = shape.last_mut()?;
    let bytes = *last;
    *last = last.checked_mul(2)?;
    if let Some(record) = record.filter(|record| record.spec.format == own.storage.format) {
        shape.last_mut().into_iter().zip(record.shape.last()).for_each(|(last, &row)| *last = row);
        if shape != record.shape || shape.last().map(|row| row.div_ceil(2)) != Some(bytes) {
            return None;
        }
    }
    elements(&shape)?;
    let row = shape.last().copied().unwrap_or_default();
    let span = match row % 2 {
        0 => Span::Bits(4),
        _ => Span::Cells(Cells::nibbles(row, row)),
    };
    Some(Weight { span, shape, ..own })
}

/// Reads bytes of two codes each, in blocks.
fn blocks_of_nibbles(own: Weight, record: Option<&Record>) -> Option<Weight> {
    let [leading @ .., blocks, bytes] = own.shape.as_slice() else { return None };
    let (shape, size) = match record {
        Some(Record { spec: Spec { scaling: Scaling::Block(block), .. }, shape }) => {
            let [outer @ .., row] = shape.as_slice() else { return None };
            let size = block.size as u64;
            let fits =
                outer == leading && (row.div_ceil(size), size.div_ceil(2)) == (*blocks, *bytes);
            (fits.then(|| shape.clone())?, size)
        }
        Some(_) => return None,
        None => {
            let size = bytes.checked_mul(2)?.max(1);
            ([leading, &[blocks.checked_mul(size)?]].concat(), size)
        }
    };
    elements(&shape)?;
    let row = shape.last().copied()?;
    let span = if row.is_multiple_of(size) && size.is_multiple_of(2) {
        Span::Bits(4)
    } else {
        Span::Cells(Cells::nibbles(row.max(1), size))
    };
    Some(Weight { span, shape, block: Some(size), ..own })
}
