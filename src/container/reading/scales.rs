//! The scales of a weight, read beside it and applied to its numbers.

use std::{ops::Range, os::unix::fs::FileExt};

use crate::{
    block::{division, grouping::Grouping},
    codec::decode,
    container::{Body, ContainerError, Source, Storage, Tensor, companion::Use, quote},
    format::Format,
};

/// The scales of neighbouring groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scales<'a> {
    pub(crate) grouping: &'a Grouping,
    /// The number of the first of `values`.
    pub(crate) first: u64,
    pub(crate) values: &'a [f64],
}

impl<'a> Scales<'a> {
    /// Returns those of [`Grouping::scales_of`] a range.
    pub(crate) fn of(&self, elements: &Range<u64>) -> &'a [f64] {
        let scales = self.grouping.scales_of(elements);
        &self.values[index(scales.start - self.first)..index(scales.end - self.first)]
    }

    /// Returns that of an element.
    pub(crate) fn at(&self, element: u64) -> f64 {
        self.values[index(self.grouping.scale_of(element) - self.first)]
    }

    /// Replaces each number of a range of elements, given its scale.
    pub(crate) fn apply(
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

/// Returns a position in memory.
///
/// # Panics
///
/// If memory cannot be that large.
pub(crate) fn index(position: u64) -> usize {
    usize::try_from(position).expect("what is held in memory can be indexed")
}

/// Where the scales of a weight are read.
#[derive(Debug)]
pub(crate) struct ScaleReader<'a> {
    source: &'a Source,
    offset: u64,
    storage: Storage,
    grouping: Grouping,
    /// The scale of the whole tensor, and how it is used.
    global: Option<(f64, Use)>,
}

impl<'a> ScaleReader<'a> {
    /// Prepares to read scales, and reads the scale of the whole tensor.
    pub(crate) fn new(
        (source, scale): (&'a Source, &Tensor),
        storage: Storage,
        grouping: Grouping,
        global: Option<(&Source, &Tensor, Use)>,
    ) -> Result<Self, ContainerError> {
        let global = match global {
            None => None,
            Some((source, tensor, applied)) => {
                let storage = tensor.element.storage().cloned();
                let storage = storage.unwrap_or_else(|| Storage::new(&crate::format::F32));
                let value = read(source, tensor.offset, &storage, 0..1)?[0];
                // A tensor of zeros has the multiplier 0.
                if !value.is_finite() || value == 0.0 && applied == Use::Divide {
                    let name = quote(&tensor.name);
                    let what = format!("the scale {name} is {value}");
                    return Err(ContainerError::data(&source.path, what));
                }
                Some((value, applied))
            }
        };
        Ok(Self { source, offset: scale.offset, storage, grouping, global })
    }

    /// Returns the elements of a row, within which the scales of neighbours are neighbours.
    pub(crate) fn row(&self) -> u64 {
        self.grouping.row()
    }

    /// Multiplies the numbers of a range by their scales. Products of a code of at most 8 bits and
    /// its scales are exact in binary64; a quotient is rounded to odd.
    pub(crate) fn apply(
        &self,
        elements: Range<u64>,
        numbers: &mut [f64],
    ) -> Result<(), ContainerError> {
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
) -> Result<Vec<f64>, ContainerError> {
    let Body::File(file) = &source.body else {
        return Err(ContainerError::data(&source.path, "scales are read from files only"));
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
