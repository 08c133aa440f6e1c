//! A target: numbers become the numbers its codes stand for, and statistics of the difference.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use super::numbers::Numbers;
use crate::{
    block::{BlockError, Grouping, Piece, Quantizer, spec::Spec},
    codec::{Projection, decode},
    container::{Storage, reading::scales::index},
    format::{F32, Format},
    kernel::{self, Codes, CodesRef, Counts, Dither, Grid, Plan, Real},
    stats::{MAX_WIDTH, Pass, Statistics},
};

/// Elements that are rounded and measured while they are in the cache.
const BLOCK: usize = 4096;

/// The scales of a tensor for one target.
#[derive(Debug)]
pub(super) struct TensorScales {
    grouping: Grouping,
    values: Vec<f64>,
}

impl TensorScales {
    /// Returns the scales of a piece.
    fn of(&self, piece: &Piece) -> &[f64] {
        let scales = self.grouping.scales_of(&piece.elements);
        &self.values[index(scales.start)..index(scales.end)]
    }
}

/// The largest magnitudes under each scale of a tensor, found by several workers at once.
#[derive(Debug)]
pub(super) struct Maxima<'a> {
    quantizer: &'a Quantizer,
    grouping: Grouping,
    /// Binary64 codes of magnitudes, whose order as integers is that of the numbers; NaN comes last.
    largest: Vec<AtomicU64>,
    /// That of the whole tensor, among the finite ones.
    tensor: AtomicU64,
}

impl<'a> Maxima<'a> {
    /// Returns the maxima of no element.
    pub(super) fn new(quantizer: &'a Quantizer, shape: &[u64]) -> Result<Self, BlockError> {
        let grouping = quantizer.grouping(shape)?;
        let largest = (0..grouping.scales()).map(|_| AtomicU64::new(0)).collect();
        Ok(Self { quantizer, grouping, largest, tensor: AtomicU64::new(0) })
    }

    /// Takes the numbers of a range of elements into account.
    pub(super) fn update(&self, numbers: Numbers, elements: Range<u64>) {
        let piece = Piece { grouping: &self.grouping, elements };
        let scales = self.grouping.scales_of(&piece.elements);
        let mut own = vec![0.0; index(scales.end - scales.start)];
        match numbers {
            Numbers::Narrow(numbers) => self.quantizer.largest(&piece, numbers, &mut own),
            Numbers::Wide(numbers) => self.quantizer.largest(&piece, numbers, &mut own),
        }
        for (slot, own) in self.largest[index(scales.start)..].iter().zip(own) {
            slot.fetch_max(own.abs().to_bits(), Ordering::Relaxed);
        }
        self.tensor.fetch_max(numbers.largest().to_bits(), Ordering::Relaxed);
    }

    /// Returns the scales that follow.
    pub(super) fn scales(self) -> TensorScales {
        let largest: Vec<f64> =
            self.largest.into_iter().map(|code| f64::from_bits(code.into_inner())).collect();
        let tensor = self.quantizer.tensor_scale(f64::from_bits(self.tensor.into_inner()));
        let codes = self.quantizer.scale_codes(&largest, tensor);
        let values = self.quantizer.scale_values(&codes, tensor);
        TensorScales { grouping: self.grouping, values }
    }
}

/// A format and how to round to it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// As it was asked for.
    pub(super) spec: Spec,
    /// The rounding and the policies.
    pub(super) projection: Projection,
    /// How elements share scales; `None` for a plain format.
    pub(super) quantizer: Option<Box<Quantizer>>,
    plan: Plan,
    grid: Grid,
    /// Whether every number of the format is a binary32 number.
    is_narrow: bool,
}

/// The memory of one worker.
#[derive(Debug, Default)]
pub(super) struct Work {
    pass: Pass,
    bytes: Vec<u8>,
    halves: Vec<u16>,
    words: Vec<u32>,
    doubles: Vec<u64>,
    narrow: Vec<f32>,
    wide: Vec<f64>,
}

/// A place in a source: an index for the random bits, and one in the whole input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The random bits of the first element and those after it.
    pub(super) dither: Dither,
    /// The index of the first element in all tensors together.
    pub(super) index: u64,
}

/// Whether every number of `inner` is one of `outer`.
pub(super) fn fits(inner: &Format, outer: &Format) -> bool {
    inner.precision() <= outer.precision()
        && inner.emax() <= outer.emax()
        && inner.least_quantum_exponent() >= outer.least_quantum_exponent()
}

impl Target {
    /// Returns the target of a specification; its own rounding wins over the projection's.
    pub(super) fn new(spec: &Spec, projection: &Projection) -> Result<Self, BlockError> {
        let quantizer =
            if spec.is_plain() { None } else { Some(Box::new(Quantizer::new(spec, projection)?)) };
        let projection = match &quantizer {
            None => spec.projection(projection),
            Some(quantizer) => *quantizer.projection(),
        };
        Ok(Self {
            spec: spec.clone(),
            projection,
            quantizer,
            plan: Plan::new(&spec.format, &projection),
            grid: Grid::new(spec.format.emin(), spec.format.trailing_width()),
            is_narrow: fits(&spec.format, &F32),
        })
    }

    /// Returns the canonical name without a rounding.
    pub(super) fn name(&self) -> String {
        Spec { rounding: None, ..self.spec.clone() }.to_string()
    }

    /// Returns statistics of no element.
    pub(super) fn statistics(&self) -> Statistics {
        Statistics::new(if self.quantizer.is_some() { 0 } else { self.spec.format.width() })
    }

    /// Returns the bytes that store a tensor, its scales included.
    pub(super) fn bytes(&self, elements: u64, shape: &[u64]) -> Result<u64, BlockError> {
        let codes = Storage::new(&self.spec.format).bytes(elements).unwrap_or(u64::MAX);
        let Some(quantizer) = &self.quantizer else { return Ok(codes) };
        let scale = Storage::new(quantizer.scale_format());
        let scales = scale.bytes(quantizer.grouping(shape)?.scales()).unwrap_or(u64::MAX);
        let tensor = u64::from(quantizer.has_tensor_scale()) * size_of::<f32>() as u64;
        Ok(codes.saturating_add(scales).saturating_add(tensor))
    }

    /// Rounds the numbers of a chunk and adds the errors to the statistics; `scales` are those of the
    /// tensor where the target has any.
    pub(super) fn measure(
        &self,
        numbers: Numbers,
        place: Place,
        scales: Option<&TensorScales>,
        work: &mut Work,
        statistics: &mut Statistics,
    ) {
        for start in (0..numbers.len()).step_by(BLOCK) {
            let block = numbers.slice(start..numbers.len().min(start + BLOCK));
            let Place { dither, index } = place;
            let dither = Dither { first: dither.first + start as u64, ..dither };
            let index = index + start as u64;
            match (&self.quantizer, scales, block) {
                (Some(quantizer), Some(scales), Numbers::Narrow(block)) => {
                    self.measure_scaled(quantizer, scales, block, dither, index, work, statistics);
                }
                (Some(quantizer), Some(scales), Numbers::Wide(block)) => {
                    self.measure_scaled(quantizer, scales, block, dither, index, work, statistics);
                }
                _ => self.measure_block(block, dither, index, work, statistics),
            }
        }
        work.pass.end(statistics);
    }

    #[expect(clippy::too_many_arguments, reason = "what a block is, and where its statistics go")]
    fn measure_scaled<R: Real>(
        &self,
        quantizer: &Quantizer,
        scales: &TensorScales,
        x: &[R],
        dither: Dither,
        index: u64,
        work: &mut Work,
        statistics: &mut Statistics,
    ) {
        let Work { pass, doubles, wide, .. } = work;
        let elements = dither.first..dither.first + x.len() as u64;
        let piece = Piece { grouping: &scales.grouping, elements };
        let values = scales.of(&piece);
        doubles.resize(x.len(), 0);
        wide.resize(x.len(), 0.0);
        let dither = Dither { first: 0, ..dither };
        let mut codes = Codes::from(doubles.as_mut_slice());
        statistics.counts += quantizer.encode(&piece, x, values, &mut codes, dither);
        quantizer.decode(&piece, doubles.as_slice().into(), values, wide);
        pass.block(statistics, self.grid, index, (x, &wide[..]));
    }

    fn measure_block(
        &self,
        x: Numbers,
        dither: Dither,
        index: u64,
        work: &mut Work,
        statistics: &mut Statistics,
    ) {
        let Work { pass, bytes, halves, words, doubles, narrow, wide } = work;
        let counts = match self.plan.width() {
            0..=8 => self.round(x, dither, bytes, narrow, wide),
            9..=16 => self.round(x, dither, halves, narrow, wide),
            17..=32 => self.round(x, dither, words, narrow, wide),
            _ => self.round(x, dither, doubles, narrow, wide),
        };
        match (self.plan.width(), counts.refused) {
            (0..=8, 0) => pass.mark(bytes.iter().map(|code| u16::from(*code))),
            (9..=MAX_WIDTH, 0) => pass.mark(halves.iter().copied()),
            // What was refused has no code.
            (0..=8, _) => pass.mark(kept(x, bytes).map(u16::from)),
            (9..=MAX_WIDTH, _) => pass.mark(kept(x, halves)),
            _ => {}
        }
        statistics.counts += counts;
        let (narrow, wide) = (&narrow[..], &wide[..]);
        match (x, self.is_narrow) {
            (Numbers::Narrow(x), true) => pass.block(statistics, self.grid, index, (x, narrow)),
            (Numbers::Narrow(x), false) => pass.block(statistics, self.grid, index, (x, wide)),
            (Numbers::Wide(x), true) => pass.block(statistics, self.grid, index, (x, narrow)),
            (Numbers::Wide(x), false) => pass.block(statistics, self.grid, index, (x, wide)),
        }
    }

    /// Writes the codes of numbers and the numbers that the codes stand for.
    fn round<W>(
        &self,
        x: Numbers,
        dither: Dither,
        codes: &mut Vec<W>,
        narrow: &mut Vec<f32>,
        wide: &mut Vec<f64>,
    ) -> Counts
    where
        W: Copy + Default + Into<u64>,
        for<'a> Codes<'a>: From<&'a mut [W]>,
        for<'a> CodesRef<'a>: From<&'a [W]>,
    {
        codes.resize(x.len(), W::default());
        let counts = match x {
            Numbers::Narrow(x) => {
                kernel::encode_f32(&self.plan, x, codes.as_mut_slice().into(), dither)
            }
            Numbers::Wide(x) => {
                kernel::encode_f64(&self.plan, x, codes.as_mut_slice().into(), dither)
            }
        };
        if self.is_narrow {
            narrow.resize(x.len(), 0.0);
            kernel::decode_f32(&self.plan, codes.as_slice().into(), narrow);
        } else {
            let number = |code: &W| {
                let code: u64 = (*code).into();
                decode(&self.spec.format, code.into()).to_f64()
            };
            wide.clear();
            wide.extend(codes.iter().map(number));
        }
        counts
    }
}

/// The codes of numbers that are not NaN.
fn kept<'a, W: Copy>(x: Numbers<'a>, codes: &'a [W]) -> impl Iterator<Item = W> + 'a {
    x.iter().zip(codes).filter(|(x, _)| !x.is_nan()).map(|(_, code)| *code)
}
