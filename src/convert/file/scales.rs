//! Scales applied to the numbers of a chunk: read beside them, or found from their magnitudes.

use std::{
    ops::Range,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{FileError, buffer};
use crate::{
    block::{division, float_scale, grouping::Grouping},
    codec::decode,
    container::{Body, Source, Storage, Tensor, companion::Use, quote},
    format::Format,
};

/// The scales of neighbouring groups.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scales<'a> {
    pub(super) grouping: &'a Grouping,
    /// The number of the first of `values`.
    pub(super) first: u64,
    pub(super) values: &'a [f64],
}

impl Scales<'_> {
    /// Replaces each number of a range of elements, given its scale.
    pub(super) fn apply(
        &self,
        elements: Range<u64>,
        numbers: &mut [f64],
        operation: impl Fn(f64, f64) -> f64,
    ) {
        let mut rest = numbers;
        for (run, scale) in self.grouping.runs(elements) {
            let scale = self.values[index(scale - self.first)];
            let (run, after) = rest.split_at_mut(index(run.end - run.start));
            for number in run {
                *number = operation(*number, scale);
            }
            rest = after;
        }
    }
}

/// A position in memory.
fn index(position: u64) -> usize {
    usize::try_from(position).expect("what is held in memory can be indexed")
}

/// Where the scales of a weight are read.
#[derive(Debug)]
pub(super) struct ScaleReader<'a> {
    source: &'a Source,
    offset: u64,
    storage: Storage,
    grouping: Grouping,
    /// The scale of the whole tensor, and how it is used.
    global: Option<(f64, Use)>,
}

impl<'a> ScaleReader<'a> {
    /// Prepares to read scales, and reads the scale of the whole tensor.
    pub(super) fn new(
        (source, scale): (&'a Source, &Tensor),
        storage: Storage,
        grouping: Grouping,
        global: Option<(&Source, &Tensor, Use)>,
    ) -> Result<Self, FileError> {
        let global = match global {
            None => None,
            Some((source, tensor, applied)) => {
                let storage = tensor.element.storage().cloned();
                let storage = storage.unwrap_or_else(|| Storage::new(&crate::format::F32));
                let value = read(source, tensor.offset, &storage, 0..1)?[0];
                if !(value.is_finite() && value != 0.0) {
                    let name = quote(&tensor.name);
                    return Err(FileError::Data(format!("the scale {name} is {value}")));
                }
                Some((value, applied))
            }
        };
        Ok(Self { source, offset: scale.offset, storage, grouping, global })
    }

    /// Multiplies the numbers of a range by their scales. Products of a code of at most 8 bits and
    /// its scales are exact in binary64; a quotient is rounded to odd.
    pub(super) fn apply(&self, elements: Range<u64>, numbers: &mut [f64]) -> Result<(), FileError> {
        let scales = self.grouping.scales_of(&elements);
        let first = scales.start;
        let values = read(self.source, self.offset, &self.storage, scales)?;
        let scales = Scales { grouping: &self.grouping, first, values: &values };
        match self.global {
            None => scales.apply(elements, numbers, |x, scale| x * scale),
            Some((global, Use::Multiply)) => {
                scales.apply(elements, numbers, |x, scale| x * scale * global);
            }
            Some((global, Use::Divide)) => {
                scales.apply(elements, numbers, |x, scale| division::to_odd(x * scale, global));
            }
        }
        Ok(())
    }
}

/// Reads a stretch of a tensor of scales.
fn read(
    source: &Source,
    offset: u64,
    storage: &Storage,
    scales: Range<u64>,
) -> Result<Vec<f64>, FileError> {
    let Body::File(file) = &source.body else {
        return Err(FileError::Data("scales are read from files only".to_owned()));
    };
    let size = storage.format.storage_bytes();
    let mut bytes = vec![0; index(scales.end - scales.start) * size];
    file.read_exact_at(&mut bytes, offset + scales.start * size as u64)
        .map_err(|error| source.read_error(error))?;
    Ok(bytes.chunks_exact(size).map(|code| number(&storage.format, code)).collect())
}

/// Decodes a little-endian code that fits binary64.
fn number(format: &Format, bytes: &[u8]) -> f64 {
    let code = bytes.iter().rev().fold(0, |code, &byte| code << 8 | u128::from(byte));
    decode(format, code).to_f64()
}

/// The largest finite magnitudes of neighbouring groups, found by several workers at once.
#[derive(Debug)]
pub(super) struct Maxima<'a> {
    grouping: &'a Grouping,
    first: u64,
    /// Binary64 codes of magnitudes, whose order as integers is that of the numbers.
    codes: Vec<AtomicU64>,
}

impl<'a> Maxima<'a> {
    pub(super) fn new(grouping: &'a Grouping, scales: &Range<u64>) -> Self {
        let codes = (scales.start..scales.end).map(|_| AtomicU64::new(0)).collect();
        Self { grouping, first: scales.start, codes }
    }

    /// Takes the numbers of a range of elements into account.
    pub(super) fn update(&self, elements: Range<u64>, numbers: &[f64]) {
        let mut rest = numbers;
        for (run, scale) in self.grouping.runs(elements) {
            let (run, after) = rest.split_at(index(run.end - run.start));
            let finite = |x: &f64| if x.is_finite() { x.abs().to_bits() } else { 0 };
            let largest = run.iter().map(finite).max().unwrap_or_default();
            let slot = &self.codes[index(scale - self.first)];
            if largest > slot.load(Ordering::Relaxed) {
                slot.fetch_max(largest, Ordering::Relaxed);
            }
            rest = after;
        }
    }

    /// Returns the float32 scales of a format.
    ///
    /// # Errors
    ///
    /// If a magnitude is so large that its scale is beyond float32.
    pub(super) fn scales(self, format: &Format, name: &str) -> Result<Vec<f32>, FileError> {
        let scale = |code: AtomicU64| {
            float_scale::scale(format, f64::from_bits(code.into_inner())).map_err(|quotient| {
                let name = quote(name);
                FileError::Data(format!("tensor {name} needs a scale of {quotient:e}, beyond f32"))
            })
        };
        self.codes.into_iter().map(scale).collect()
    }
}

/// Returns scales as they are stored.
pub(super) fn stored(scales: &[f32]) -> Vec<u8> {
    let mut bytes: Vec<u8> = scales.iter().flat_map(|scale| scale.to_ne_bytes()).collect();
    buffer::little_endian(&mut bytes, size_of::<f32>());
    bytes
}
