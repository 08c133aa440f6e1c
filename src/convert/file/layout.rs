//! How a scaled weight lies in a file: which tensors it becomes.
//!
//! | target | codes | scales |
//! | --- | --- | --- |
//! | float32 scales | `X`, its own type | `X_scale`, for tiles `X_scale_inv`, F32 |
//! | E2M1 under E8M0, along the last axis | `X_blocks`, U8, two a byte, a block a row | `X_scales`, U8 |
//! | E2M1 under E4M3 | `X`, U8, two a byte | `X_scale`, `F8_E4M3`, and `X_scale_2`, F32 |
//! | any other under E8M0 | `X`, its own type | `X_scale`, `F8_E8M0` |
//!
//! Two codes a byte are filled up where a block or a row ends with one. Codes of 4 or 6 bits with a
//! type of their own lie one a byte, as U8, where they do not fill bytes.

use super::{FileError, outputs::describe, plan::Planner, store::Form};
use crate::{
    block::{
        Grouping, Scaling,
        rows::{Coding, ScaleKind},
        spec::Block,
    },
    container::{
        Cells, Element, Integer, Order, Packing, Source, Span, Storage, Tensor, elements, limits,
    },
    format::{
        E4M3FN, F32,
        catalogue::{E2M1FN, E8M0},
    },
};

/// What a scaled weight becomes.
pub(super) struct Laid {
    /// The codes, the scales, and perhaps the scale of the whole tensor.
    pub(super) outputs: Vec<Tensor>,
    pub(super) form: Form,
    /// Whether the header alone does not tell the format and the shape.
    pub(super) needs_record: bool,
}

/// The tensor of codes.
struct Codes {
    suffix: &'static str,
    element: Element,
    shape: Vec<u64>,
    storage: Storage,
    span: Span,
    needs_record: bool,
}

/// Bytes that are codes of something else.
const BYTE: Element = Element::Integer(Integer { kind: 'u', bytes: 1 });

impl Planner<'_> {
    /// Lays a weight out, of which name and shape are known.
    pub(super) fn lay_out(
        &self,
        weight: &Tensor,
        grouping: &Grouping,
        source: &Source,
    ) -> Result<Laid, FileError> {
        let float = |format| Element::Float(Storage::new(format));
        let shape = &weight.shape;
        let (codes, suffix, scale) = match &self.config.target.scaling {
            Scaling::Block(block) if block.scale() == ScaleKind::Nv => {
                (self.rows_of_nibbles(shape), "_scale", float(&E4M3FN))
            }
            Scaling::Block(block) if self.has_nibble_blocks(block, shape) => {
                (self.blocks_of_nibbles(shape, block.size as u64), "_scales", BYTE)
            }
            Scaling::Block(block) => {
                (self.own_codes(shape, grouping, block.coding()), "_scale", float(&E8M0))
            }
            Scaling::Tile { .. } => {
                (self.own_codes(shape, grouping, Coding::Format), "_scale_inv", float(&F32))
            }
            Scaling::Plain | Scaling::Tensor | Scaling::Channel => {
                (self.own_codes(shape, grouping, Coding::Format), "_scale", float(&F32))
            }
        };
        let scale_shape = grouping.scale_shape().to_vec();
        let mut outputs = vec![
            self.part_of(weight, codes.suffix, codes.element, codes.shape, source)?,
            self.part_of(weight, suffix, scale, scale_shape, source)?,
        ];
        if matches!(&self.config.target.scaling, Scaling::Block(b) if b.scale() == ScaleKind::Nv) {
            outputs.push(self.part_of(weight, "_scale_2", float(&F32), Vec::new(), source)?);
        }
        let form = Form::Codes(codes.storage, codes.span);
        Ok(Laid { outputs, form, needs_record: codes.needs_record })
    }

    /// Whether a target is laid out as blocks of two codes a byte.
    fn has_nibble_blocks(&self, block: &Block, shape: &[u64]) -> bool {
        let is_last = block.axis == -1
            || usize::try_from(block.axis).is_ok_and(|axis| axis + 1 == shape.len());
        self.config.target.format == E2M1FN && is_last
    }

    /// Returns codes as their own type has them.
    fn own_codes(&self, shape: &[u64], grouping: &Grouping, coding: Coding) -> Codes {
        let storage = self.storage(Storage::new(&self.config.target.format));
        let count = elements(shape).unwrap_or(u64::MAX);
        let fills =
            |elements: u64| elements.checked_mul(storage.bits()).is_some_and(|n| n % 8 == 0);
        // A tensor that is read in stretches is cut between rows.
        let is_split = storage.is_dense()
            && !(fills(count) && (count <= limits::MAX_SCALES || fills(grouping.row())));
        let (element, storage) = match coding {
            Coding::TwosComplement => (Element::Integer(Integer { kind: 'i', bytes: 1 }), storage),
            Coding::Format if is_split => (BYTE, storage.with_packing(Packing::Byte)),
            Coding::Format => (Element::Float(storage.clone()), storage),
        };
        let span = Span::Bits(storage.bits());
        Codes { suffix: "", element, shape: shape.to_vec(), storage, span, needs_record: is_split }
    }

    /// Returns two codes a byte, each row beginning on one.
    fn rows_of_nibbles(&self, shape: &[u64]) -> Codes {
        let mut shape = shape.to_vec();
        let row = shape.last().copied().unwrap_or(1).max(1);
        shape.iter_mut().rev().take(1).for_each(|last| *last = last.div_ceil(2));
        self.nibbles("", shape, Cells::nibbles(row, row))
    }

    /// Returns two codes a byte, the bytes of each block in a dimension of their own.
    fn blocks_of_nibbles(&self, shape: &[u64], size: u64) -> Codes {
        let mut shape = shape.to_vec();
        let row = shape.pop().unwrap_or(1);
        let cells = Cells::nibbles(row.max(1), size);
        shape.extend([row.div_ceil(size), cells.bytes]);
        self.nibbles("_blocks", shape, cells)
    }

    fn nibbles(&self, suffix: &'static str, shape: Vec<u64>, cells: Cells) -> Codes {
        let is_full = cells.row.is_multiple_of(cells.elements) && cells.elements.is_multiple_of(2);
        Codes {
            suffix,
            element: BYTE,
            shape,
            storage: Storage::new(&self.config.target.format),
            span: if is_full { Span::Bits(4) } else { Span::Cells(cells) },
            needs_record: !is_full,
        }
    }

    /// Returns a tensor that a weight is written as.
    fn part_of(
        &self,
        weight: &Tensor,
        suffix: &str,
        element: Element,
        shape: Vec<u64>,
        source: &Source,
    ) -> Result<Tensor, FileError> {
        let dtype = self.framing().and_then(|framing| (framing.dtype)(&element));
        let format = &self.config.target.format;
        let dtype = dtype.ok_or_else(|| self.no_type(&format.to_string(), source))?;
        let bits = element.bits().unwrap_or_default();
        let bytes = elements(&shape).and_then(|count| count.checked_mul(bits));
        let Some(bits) = bytes else {
            let weight = describe(weight, source);
            return Err(FileError::Data(format!("{weight} would exceed 2^64 bits")));
        };
        Ok(Tensor {
            name: format!("{}{suffix}", weight.name),
            dtype,
            element,
            shape,
            order: Order::C,
            offset: 0,
            bytes: Some(bits.div_ceil(8)),
        })
    }
}
