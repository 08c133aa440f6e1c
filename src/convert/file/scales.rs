//! The scales of a target, found from the magnitudes of its groups.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use super::FileError;
use crate::{
    block::{float_scale, grouping::Grouping},
    container::{quote, reading::scales::index},
    format::Format,
};

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
    scales.iter().flat_map(|scale| scale.to_le_bytes()).collect()
}
