//! Bytes of a file become numbers that a kernel rounds.

use std::ops::Range;

use super::{
    buffer::{self, Landing, Workspace},
    scales::{ScaleReader, index},
};
use crate::{
    block::rows::Coding,
    codec::{Projection, Unpacked, decode, project},
    container::{
        Blocks, ContainerError, Element, Endian, Source, Span, Storage, Tensor,
        companion::{Scaled, Weight},
    },
    format::{F32, F64, Format, catalogue::E2M1FN},
    kernel::{self, Plan, Real as _},
};

/// In which numbers a tensor is computed: the narrowest that holds every value exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// Binary32, in [`Workspace::narrow`].
    F32,
    /// Binary64, in [`Workspace::wide`].
    F64,
    /// The codec's own, in [`Workspace::exact`].
    Exact,
}

impl Lane {
    /// Returns the narrowest lane that holds every number of a format.
    pub(crate) fn of(format: &Format) -> Self {
        if fits(format, &F32) {
            Self::F32
        } else if fits(format, &F64) {
            Self::F64
        } else {
            Self::Exact
        }
    }
}

/// Whether every number of `inner` is one of `outer`.
fn fits(inner: &Format, outer: &Format) -> bool {
    inner.precision() <= outer.precision()
        && inner.emax() <= outer.emax()
        && inner.least_quantum_exponent() >= outer.least_quantum_exponent()
}

/// How the elements of a tensor become numbers.
#[derive(Debug)]
pub(crate) enum Load<'a> {
    /// From codes.
    Codes {
        /// What the codes are.
        storage: Storage,
        coding: Coding,
        span: Span,
        /// The scales they are multiplied by.
        scales: Option<ScaleReader<'a>>,
    },
    /// From codes with scales among them.
    Blocks {
        blocks: Blocks,
        span: Span,
        /// The scales they are multiplied by, besides their own.
        scales: Option<ScaleReader<'a>>,
    },
    /// From text, rounded to a format first if one is given.
    Text(Option<Format>),
}

impl<'a> Load<'a> {
    /// Prepares to read a tensor through the scales that belong to it, which `place` finds by their
    /// numbers; `None` if its elements are no numbers.
    ///
    /// # Errors
    ///
    /// If the scale of the whole tensor cannot be read or is no scale.
    pub(crate) fn new(
        tensor: &Tensor,
        scaled: Option<&Scaled>,
        place: impl Fn(usize) -> (&'a Source, &'a Tensor),
        from: Option<&Format>,
    ) -> Result<Option<Self>, ContainerError> {
        let scales = match scaled {
            None => None,
            Some(scaled) => {
                let global = scaled.global.map(|(global, applied)| {
                    let (source, tensor) = place(global);
                    (source, tensor, applied)
                });
                let (storage, grouping) = (scaled.scale_storage.clone(), scaled.grouping.clone());
                Some(ScaleReader::new(place(scaled.scale), storage, grouping, global)?)
            }
        };
        Ok(Some(match (&tensor.element, scaled) {
            (Element::Blocks(blocks), _) => {
                Self::Blocks { blocks: blocks.clone(), span: blocks.span(&tensor.shape), scales }
            }
            (_, Some(scaled)) => {
                let Weight { storage, coding, span, .. } = scaled.weight.clone();
                Self::Codes { storage, coding, span, scales }
            }
            (Element::Float(storage), None) => Self::Codes {
                storage: storage.clone(),
                coding: Coding::Format,
                span: Span::Bits(storage.bits()),
                scales: None,
            },
            (Element::Literal, None) => Self::Text(from.cloned()),
            (Element::Integer(_) | Element::Opaque | Element::Unreadable(_), None) => {
                return Ok(None);
            }
        }))
    }

    /// Returns where the elements lie in the tensor's bytes.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Codes { span, .. } | Self::Blocks { span, .. } => *span,
            Self::Text(_) => Span::Bits(8),
        }
    }

    /// Returns elements that follow each other under different scales: a row, if there are many.
    pub(crate) fn row(&self) -> u64 {
        let (Self::Codes { scales, .. } | Self::Blocks { scales, .. }) = self else {
            return u64::MAX;
        };
        scales.as_ref().map_or(u64::MAX, ScaleReader::row)
    }

    /// Returns the lane in which the numbers come.
    pub(crate) fn lane(&self) -> Lane {
        match self {
            Self::Codes { storage, scales, .. } => {
                let scaled = if scales.is_some() { Lane::F64 } else { Lane::F32 };
                Lane::of(&storage.format).max(scaled)
            }
            Self::Blocks { .. } => Lane::F64,
            Self::Text(held) => held.as_ref().map_or(Lane::Exact, Lane::of),
        }
    }

    /// Returns where bytes of the file are read to.
    pub(crate) fn landing(&self) -> Landing {
        match self.native() {
            Some(Lane::F32) => Landing::Narrow,
            Some(_) => Landing::Wide,
            None => Landing::Input,
        }
    }

    /// Returns the lane whose numbers the codes are already.
    fn native(&self) -> Option<Lane> {
        match self {
            Self::Codes { storage, .. } if storage.format == F32 => Some(Lane::F32),
            Self::Codes { storage, .. } if storage.format == F64 => Some(Lane::F64),
            Self::Codes { .. } | Self::Blocks { .. } | Self::Text(_) => None,
        }
    }

    /// Turns the elements of a range, which lie where they landed, into numbers of at least this
    /// lane.
    pub(crate) fn numbers(
        &self,
        work: &mut Workspace,
        elements: Range<u64>,
        count: usize,
        lane: Lane,
    ) -> Result<(), ContainerError> {
        match self {
            Self::Codes { storage, coding, span, scales } => {
                let mut found = match coding {
                    Coding::Format => self.decode(storage, span, work, &elements, count),
                    Coding::TwosComplement => decode_integers(&storage.format, work, count),
                };
                if let Some(scales) = scales {
                    raise(work, count, found, Lane::F64);
                    found = found.max(Lane::F64);
                    scales.apply(elements, work.wide.numbers(count))?;
                }
                raise(work, count, found, lane);
            }
            Self::Blocks { blocks, scales, .. } => {
                decode_blocks(blocks, work, count);
                if let Some(scales) = scales {
                    scales.apply(elements, work.wide.numbers(count))?;
                }
                raise(work, count, Lane::F64, lane);
            }
            Self::Text(None) => {}
            Self::Text(Some(held)) => {
                for x in &mut work.exact {
                    *x = decode(held, project(held, &Projection::default(), x).code);
                }
                settle(work, count, Lane::of(held));
                raise(work, count, Lane::of(held), lane);
            }
        }
        Ok(())
    }

    /// Decodes, and returns the lane of the numbers.
    fn decode(
        &self,
        storage: &Storage,
        span: &Span,
        work: &mut Workspace,
        elements: &Range<u64>,
        count: usize,
    ) -> Lane {
        let format = &storage.format;
        if let Span::Cells(cells) = span {
            let bytes = span.bytes(elements).map_or(0, |bytes| index(bytes.end - bytes.start));
            let codes = work.codes.numbers(count);
            buffer::unpack_cells(cells, elements, work.input.bytes(bytes), codes);
            std::mem::swap(&mut work.input, &mut work.codes);
            return decode_codes(format, None, work, count);
        }
        let size = format.storage_bytes();
        let dense = storage.is_dense().then_some(format.width());
        let landed = work.landing(self.landing(), if dense.is_some() { 0 } else { count * size });
        match storage.endian {
            Endian::Little => buffer::little_endian(landed, size),
            Endian::Big if cfg!(target_endian = "little") => buffer::swap_bytes(landed, size),
            Endian::Big => {}
        }
        if let Some(native) = self.native() {
            return native;
        }
        decode_codes(format, dense, work, count)
    }
}

/// Decodes two's complement multiples of a format's quantum.
fn decode_integers(format: &Format, work: &mut Workspace, count: usize) -> Lane {
    let quantum = libm::ldexpf(1.0, format.least_quantum_exponent());
    let numbers = work.narrow.numbers(count);
    for (number, byte) in numbers.iter_mut().zip(work.input.bytes(count)) {
        *number = f32::from(byte.cast_signed()) * quantum;
    }
    Lane::F32
}

/// Decodes blocks of codes with scales among them, to binary64.
fn decode_blocks(blocks: &Blocks, work: &mut Workspace, count: usize) {
    let (scales, half) = (index(blocks.scales()), index(blocks.scaled) / 2);
    let size = index(blocks.bytes());
    let values: [f64; 16] = std::array::from_fn(|code| decode(&E2M1FN, code as u128).to_f64());
    let bytes = work.input.bytes(count / index(blocks.elements) * size);
    let mut numbers = work.wide.numbers::<f64>(count).chunks_exact_mut(2 * half);
    for block in bytes.chunks_exact(size) {
        let (own, codes) = block.split_at(scales);
        for ((scale, codes), run) in own.iter().zip(codes.chunks_exact(half)).zip(&mut numbers) {
            // The scales have no sign: in formats that have one its bit is not looked at.
            let scale = decode(&blocks.scale, u128::from(*scale)).to_f64().abs();
            let (first, second) = run.split_at_mut(half);
            for ((low, high), byte) in first.iter_mut().zip(second).zip(codes) {
                *low = values[usize::from(byte & 0xf)] * scale;
                *high = values[usize::from(byte >> 4)] * scale;
            }
        }
    }
}

/// Decodes the codes in the input buffer to the narrowest lane that holds them, which is returned.
pub(crate) fn decode_codes(
    format: &Format,
    dense: Option<u32>,
    work: &mut Workspace,
    count: usize,
) -> Lane {
    let size = format.storage_bytes();
    let lane = Lane::of(format);
    let codes = if let Some(bits) = dense {
        let bytes = (count * bits as usize).div_ceil(8);
        buffer::unpack(work.input.bytes(bytes), bits, work.codes.numbers(count));
        &mut work.codes
    } else {
        &mut work.input
    };
    match lane {
        Lane::F32 => {
            let plan = Plan::new(format, &Projection::default());
            kernel::decode_f32(&plan, codes.codes_ref(size, count), work.narrow.numbers(count));
        }
        Lane::F64 | Lane::Exact => {
            let bytes = codes.bytes(count * size);
            work.exact.clear();
            work.exact.extend(bytes.chunks_exact(size).map(|code| {
                let mut wide = [0; size_of::<u128>()];
                wide[..size].copy_from_slice(code);
                buffer::little_endian(&mut wide[..size], size);
                decode(format, u128::from_le_bytes(wide))
            }));
            settle(work, count, lane);
        }
    }
    lane
}

/// Brings numbers of the codec into a lane that holds them.
fn settle(work: &mut Workspace, count: usize, lane: Lane) {
    match lane {
        Lane::F32 => {
            let narrow = work.narrow.numbers::<f32>(count).iter_mut();
            narrow.zip(&work.exact).for_each(|(narrow, x)| *narrow = f32::nearest(x));
        }
        Lane::F64 => {
            let wide = work.wide.numbers::<f64>(count).iter_mut();
            wide.zip(&work.exact).for_each(|(wide, x)| *wide = x.to_f64());
        }
        Lane::Exact => {}
    }
}

/// Copies binary32 numbers to binary64.
fn widen(work: &mut Workspace, count: usize) {
    let narrow: &[f32] = work.narrow.numbers(count);
    for (wide, narrow) in work.wide.numbers::<f64>(count).iter_mut().zip(narrow) {
        *wide = f64::from(*narrow);
    }
}

/// Brings numbers into a lane at least as wide.
pub(crate) fn raise(work: &mut Workspace, count: usize, from: Lane, to: Lane) {
    match (from, to) {
        (Lane::F32, Lane::F64) => widen(work, count),
        (Lane::F32, Lane::Exact) => {
            let narrow: &[f32] = work.narrow.numbers(count);
            work.exact.clear();
            work.exact.extend(narrow.iter().map(|&x| Unpacked::from_f32(x)));
        }
        (Lane::F64, Lane::Exact) => {
            let wide: &[f64] = work.wide.numbers(count);
            work.exact.clear();
            work.exact.extend(wide.iter().map(|&x| Unpacked::from_f64(x)));
        }
        (Lane::F32 | Lane::F64 | Lane::Exact, _) => {}
    }
}
