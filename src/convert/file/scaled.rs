//! Conversion under scales that are found: the largest magnitudes first, then the codes.
//!
//! A tensor goes by stretches with a limited number of scales, each read twice, so that memory does
//! not depend on its size, nor on the size of a block or the axis along which blocks lie. The scale
//! of the whole tensor, where there is one, takes a pass before.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    FileError,
    chunks::{Chunk, Sink},
    run::Task,
    summary::ScaleCounts,
};
use crate::{
    block::{Grouping, Piece, Quantizer, Spec, spec},
    codec::{Projection, decode},
    container::{
        ContainerError, Order, elements, limits, quote,
        reading::{
            buffer::Workspace,
            load::Lane,
            scales::{Scales, index},
        },
    },
    format::F32,
    kernel,
};

/// A target whose scales are found.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    pub(super) quantizer: Quantizer,
    pub(super) grouping: Grouping,
}

impl Scaling {
    /// Prepares to scale a tensor. In Fortran order its elements follow each other as those of a
    /// tensor with the dimensions reversed do, of which tiles of two dimensions are no tiles.
    ///
    /// # Errors
    ///
    /// A sentence, if the tensor has no such blocks.
    pub(super) fn new(
        target: &Spec,
        projection: &Projection,
        (shape, order): (&[u64], Order),
    ) -> Result<Self, String> {
        let quantizer = Quantizer::new(target, projection).map_err(|error| error.to_string())?;
        let in_order = quantizer.grouping(shape).map_err(|error| error.to_string())?;
        let grouping = match (order, &target.scaling) {
            (Order::C, _) | (_, spec::Scaling::Tensor | spec::Scaling::Plain) => in_order,
            (Order::Fortran, spec::Scaling::Channel) => {
                let channels = shape.first().copied().unwrap_or(1);
                let each = elements(shape).unwrap_or_default() / channels.max(1);
                Grouping::tiles(&[each, channels], each, 1)
            }
            (Order::Fortran, spec::Scaling::Block(block)) => {
                let reversed: Vec<u64> = shape.iter().rev().copied().collect();
                // The axis -1, the last, becomes 0, the first.
                Grouping::blocks(&reversed, block.size as u64, -1 - block.axis)
                    .ok_or("the tensor has no such axis")?
            }
            (Order::Fortran, spec::Scaling::Tile { .. }) => {
                return Err(format!("{target} does not go with Fortran order"));
            }
        };
        Ok(Self { quantizer, grouping })
    }
}

/// The largest magnitudes under neighbouring scales, found by several workers at once: binary64
/// codes, whose order as integers is that of the numbers, NaN above all.
struct Maxima {
    first: u64,
    codes: Vec<AtomicU64>,
}

impl Maxima {
    fn new(scales: &Range<u64>) -> Self {
        let codes = (scales.start..scales.end).map(|_| AtomicU64::new(0)).collect();
        Self { first: scales.start, codes }
    }

    fn raise(&self, first: u64, largest: &[f64]) {
        for (slot, largest) in self.codes[index(first - self.first)..].iter().zip(largest) {
            let code = largest.to_bits();
            if code > slot.load(Ordering::Relaxed) {
                slot.fetch_max(code, Ordering::Relaxed);
            }
        }
    }

    fn into_numbers(self) -> Vec<f64> {
        self.codes.into_iter().map(|code| f64::from_bits(code.into_inner())).collect()
    }
}

/// Runs an expression with the numbers of a lane that a scale can be found for.
macro_rules! with_numbers {
    ($work:expr, $lane:expr, $count:expr, $numbers:ident => $run:expr) => {
        if $lane == Lane::F32 {
            let $numbers: &[f32] = $work.narrow.numbers($count);
            $run
        } else {
            let $numbers: &[f64] = $work.wide.numbers($count);
            $run
        }
    };
}
pub(super) use with_numbers;

impl Task<'_, '_> {
    /// Converts and writes the tensor, its scales, and the scale of the whole tensor, each to a sink.
    pub(super) fn convert_scaled(
        &self,
        scaling: &Scaling,
        sinks: &[Sink],
    ) -> Result<ScaleCounts, FileError> {
        if self.lane() == Lane::Exact {
            let what = format!(
                "scales are found for numbers that f64 holds, not {}: add --from f32 or f64 to text",
                self.tensor.dtype
            );
            return Err(ContainerError::usage(&self.source.path, what).into());
        }
        let Scaling { quantizer, grouping } = scaling;
        let tensor_scale = self.tensor_scale(quantizer, grouping)?;
        if quantizer.has_tensor_scale()
            && let Some(sink) = sinks.get(2)
        {
            self.write_first(sink, &tensor_scale.to_le_bytes())?;
        }
        let mut counts = ScaleCounts::default();
        for stretch in grouping.stretches(limits::MAX_SCALES) {
            let maxima = Maxima::new(&stretch.scales);
            for elements in stretch.elements() {
                self.look(elements, |work, chunk, count| {
                    let piece = Piece { grouping, elements: chunk.elements.clone() };
                    let scales = grouping.scales_of(&piece.elements);
                    let mut largest = vec![0.0; index(scales.end - scales.start)];
                    with_numbers!(work, self.lane(), count, numbers => {
                        quantizer.largest(&piece, numbers, &mut largest);
                    });
                    maxima.raise(scales.start, &largest);
                })?;
            }
            let largest = maxima.into_numbers();
            self.check_range(quantizer, &largest)?;
            let codes = quantizer.scale_codes(&largest, tensor_scale);
            let values = quantizer.scale_values(&codes, tensor_scale);
            if let Some(sink) = sinks.get(1) {
                let size = quantizer.scale_format().storage_bytes();
                let bytes: Vec<u8> = codes
                    .iter()
                    .flat_map(|code| code.to_le_bytes().into_iter().take(size))
                    .collect();
                let chunk = Chunk { number: 0, elements: stretch.scales.clone() };
                self.runner.write(sink, &chunk, stretch.scales.start * size as u64, &bytes)?;
            }
            let count = |is: fn(&f64) -> bool| values.iter().filter(|x| is(x)).count() as u64;
            counts += ScaleCounts {
                all: values.len() as u64,
                short: 0,
                nan: count(|x| x.is_nan()),
                zero: count(|x| *x == 0.0),
            };
            let scales = Scales { grouping, first: stretch.scales.start, values: &values };
            for elements in stretch.elements() {
                self.pass(&sinks[0], elements, Some(scales))?;
            }
        }
        counts.short = grouping.cropped(&(0..grouping.elements()));
        Ok(counts)
    }

    /// Finds the scale of the whole tensor.
    fn tensor_scale(&self, quantizer: &Quantizer, grouping: &Grouping) -> Result<f32, FileError> {
        let whole = Maxima::new(&(0..1));
        if quantizer.needs_tensor_scale() {
            self.look(0..grouping.elements(), |work, _, count| {
                let largest = with_numbers!(work, self.lane(), count, numbers => {
                    kernel::largest_finite(numbers)
                });
                whole.raise(0, &[largest]);
            })?;
        }
        Ok(quantizer.tensor_scale(whole.into_numbers()[0]))
    }

    /// Reads a range without writing anything.
    fn look(
        &self,
        elements: Range<u64>,
        body: impl Fn(&mut Workspace, &Chunk, usize) + Sync,
    ) -> Result<(), FileError> {
        self.each(elements, &Sink::Nowhere, |work, chunk, count| {
            body(work, chunk, count);
            Ok(())
        })
    }

    /// Writes bytes that are a tensor's first.
    fn write_first(&self, sink: &Sink, bytes: &[u8]) -> Result<(), FileError> {
        self.runner.write(sink, &Chunk { number: 0, elements: 0..1 }, 0, bytes)
    }

    /// Refuses a magnitude so large that its scale is beyond float32.
    fn check_range(&self, quantizer: &Quantizer, largest: &[f64]) -> Result<(), FileError> {
        if *quantizer.scale_format() != F32 {
            return Ok(());
        }
        let element = quantizer.element();
        let most = f64::from(f32::MAX) * decode(element, element.largest_finite()).to_f64();
        match largest.iter().find(|x| **x > most) {
            None => Ok(()),
            Some(x) => {
                let name = quote(&self.tensor.name);
                let what = format!("tensor {name} holds {x:e}, whose scale would be beyond f32");
                Err(ContainerError::data(&self.source.path, what).into())
            }
        }
    }
}
