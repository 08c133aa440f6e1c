//! Bytes of a file become numbers that a kernel rounds.

use std::ops::Range;

use super::{
    buffer::{self, Landing, Workspace},
    scales::ScaleReader,
};
use crate::{
    codec::{Projection, Unpacked, decode, project},
    container::{ContainerError, Endian, Storage},
    format::{F32, F64, Format},
    kernel::{self, Plan},
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
        /// The scales they are multiplied by.
        scales: Option<ScaleReader<'a>>,
    },
    /// From text, rounded to a format first if one is given.
    Text(Option<Format>),
}

impl Load<'_> {
    /// Returns the lane in which the numbers come.
    pub(crate) fn lane(&self) -> Lane {
        match self {
            Self::Codes { storage, scales } => {
                let scaled = if scales.is_some() { Lane::F64 } else { Lane::F32 };
                Lane::of(&storage.format).max(scaled)
            }
            Self::Text(_) => Lane::Exact,
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
            Self::Codes { .. } | Self::Text(_) => None,
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
            Self::Codes { storage, scales } => {
                let mut found = self.decode(storage, work, count);
                if scales.is_some() && found == Lane::F32 {
                    widen(work, count);
                    found = Lane::F64;
                }
                if let Some(scales) = scales {
                    scales.apply(elements, work.wide.numbers(count))?;
                }
                raise(work, count, found, lane);
            }
            Self::Text(None) => {}
            Self::Text(Some(held)) => {
                for x in &mut work.exact {
                    *x = decode(held, project(held, &Projection::default(), x).code);
                }
            }
        }
        Ok(())
    }

    /// Decodes, and returns the lane of the numbers.
    fn decode(&self, storage: &Storage, work: &mut Workspace, count: usize) -> Lane {
        let size = storage.format.storage_bytes();
        let dense = storage.is_dense().then_some(storage.format.width());
        let landed = work.landing(self.landing(), if dense.is_some() { 0 } else { count * size });
        match storage.endian {
            Endian::Little => buffer::little_endian(landed, size),
            Endian::Big if cfg!(target_endian = "little") => buffer::swap_bytes(landed, size),
            Endian::Big => {}
        }
        if let Some(native) = self.native() {
            return native;
        }
        decode_codes(&storage.format, dense, work, count)
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
            if lane == Lane::F64 {
                let wide: &mut [f64] = work.wide.numbers(count);
                for (wide, x) in wide.iter_mut().zip(&work.exact) {
                    *wide = x.to_f64();
                }
            }
        }
    }
    lane
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
