//! A target: numbers become the numbers its codes stand for, and statistics of the difference.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use super::numbers::Numbers;
use crate::{
    block::{
        BlockError, Grouping, Piece, Quantizer,
        spec::{Scaling, Spec},
    },
    codec::{Projection, decode},
    container::{Storage, reading::scales::index},
    format::{F32, Format},
    kernel::{self, Codes, CodesRef, Counts, Dither, Grid, Plan, Quanta},
    stats::{Histogram, MAX_WIDTH, Pass, Statistics},
};

/// Elements that are rounded and measured while they are in the cache.
const BLOCK: usize = 4096;

/// The scales of a tensor for one target.
#[derive(Debug)]
pub(super) struct TensorScales {
    grouping: Grouping,
    values: Vec<f64>,
    /// How many have which code, if the codes are few.
    pub(super) codes: Option<Histogram>,
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
        let counted = has_few_codes(self.quantizer).then(|| {
            let mut counted = Histogram::default();
            for code in &codes {
                counted.count(code.cast_signed(), 1);
            }
            counted
        });
        TensorScales { grouping: self.grouping, values, codes: counted }
    }
}

/// Whether the codes of scales are few enough to be counted one by one.
fn has_few_codes(quantizer: &Quantizer) -> bool {
    quantizer.scale_format().width() <= 8
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
    rounded: Rounded,
}

/// The numbers that codes stand for, in either type, and the scale of each if there are any.
#[derive(Debug, Default)]
struct Rounded {
    narrow: Vec<f32>,
    wide: Vec<f64>,
    scales: Vec<f64>,
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
        let has_codes = self.quantizer.as_ref().is_some_and(|quantizer| has_few_codes(quantizer));
        let scales = has_codes.then(Histogram::default);
        Statistics { scales, ..Statistics::new(self.spec.format.width()) }
    }

    /// Returns the bytes of the scale of a whole tensor.
    pub(super) fn tensor_scale_bytes(&self) -> u64 {
        let has_scale = self.spec.scaling == Scaling::Tensor
            || self.quantizer.as_ref().is_some_and(|quantizer| quantizer.has_tensor_scale());
        u64::from(has_scale) * size_of::<f32>() as u64
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
            self.measure_block(block, dither, index + start as u64, scales, work, statistics);
        }
        work.pass.end(statistics);
    }

    fn measure_block(
        &self,
        x: Numbers,
        dither: Dither,
        index: u64,
        scales: Option<&TensorScales>,
        work: &mut Work,
        statistics: &mut Statistics,
    ) {
        let Work { pass, bytes, halves, words, doubles, rounded } = work;
        let counts = match self.plan.width() {
            0..=8 => self.round(x, dither, scales, bytes, rounded),
            9..=16 => self.round(x, dither, scales, halves, rounded),
            17..=32 => self.round(x, dither, scales, words, rounded),
            _ => self.round(x, dither, scales, doubles, rounded),
        };
        match (self.plan.width(), counts.refused) {
            (0..=8, 0) => pass.mark(bytes),
            (9..=MAX_WIDTH, 0) => pass.mark(halves),
            // What was refused has no code.
            (0..=8, _) => pass.mark_each(kept(x, bytes)),
            (9..=MAX_WIDTH, _) => pass.mark_each(kept(x, halves)),
            _ => {}
        }
        statistics.counts += counts;
        statistics.max_input = statistics.max_input.max(x.largest());
        // Without a finite result there is no error.
        let outside = counts.nan_in + counts.inf_in + counts.lost;
        if outside == counts.elements && statistics.histograms.is_none() {
            return;
        }
        let Rounded { narrow, wide, scales: each } = rounded;
        let (is_scaled, is_narrow) = (scales.is_some(), scales.is_none() && self.is_narrow);
        let results = if is_narrow { Numbers::Narrow(narrow) } else { Numbers::Wide(wide) };
        let quanta = Quanta { grid: self.grid, scales: is_scaled.then_some(each) };
        x.measure(results, quanta, index, pass, statistics);
    }

    /// Writes the codes of numbers and the numbers that the codes stand for.
    fn round<W>(
        &self,
        x: Numbers,
        dither: Dither,
        scales: Option<&TensorScales>,
        codes: &mut Vec<W>,
        rounded: &mut Rounded,
    ) -> Counts
    where
        W: Copy + Default + Into<u64>,
        for<'a> Codes<'a>: From<&'a mut [W]>,
        for<'a> CodesRef<'a>: From<&'a [W]>,
    {
        codes.resize(x.len(), W::default());
        if let (Some(quantizer), Some(scales)) = (&self.quantizer, scales) {
            return rounded.by_scales(quantizer, scales, x, dither, codes);
        }
        let counts = match x {
            Numbers::Narrow(x) => {
                kernel::encode_f32(&self.plan, x, codes.as_mut_slice().into(), dither)
            }
            Numbers::Wide(x) => {
                kernel::encode_f64(&self.plan, x, codes.as_mut_slice().into(), dither)
            }
        };
        let Rounded { narrow, wide, .. } = rounded;
        if self.is_narrow && counts.flushed == counts.elements {
            narrow.clear();
            narrow.resize(x.len(), 0.0);
        } else if self.is_narrow {
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

impl Rounded {
    /// Writes codes under scales, the numbers that they stand for, and the scale of each.
    fn by_scales<W>(
        &mut self,
        quantizer: &Quantizer,
        scales: &TensorScales,
        x: Numbers,
        dither: Dither,
        codes: &mut [W],
    ) -> Counts
    where
        for<'a> Codes<'a>: From<&'a mut [W]>,
        for<'a> CodesRef<'a>: From<&'a [W]>,
    {
        let Self { wide, scales: each, .. } = self;
        let elements = dither.first..dither.first + x.len() as u64;
        let piece = Piece { grouping: &scales.grouping, elements };
        let values = scales.of(&piece);
        each.resize(x.len(), 0.0);
        for segment in piece.grouping.segments(piece.elements.clone()) {
            let runs = each[segment.elements].chunks_mut(segment.size);
            runs.zip(&values[segment.scales]).for_each(|(run, scale)| run.fill(*scale));
        }
        let dither = Dither { first: 0, ..dither };
        let mut places = Codes::from(&mut *codes);
        let counts = match x {
            Numbers::Narrow(x) => quantizer.encode(&piece, x, values, &mut places, dither),
            Numbers::Wide(x) => quantizer.encode(&piece, x, values, &mut places, dither),
        };
        wide.resize(x.len(), 0.0);
        quantizer.decode(&piece, (&*codes).into(), values, wide);
        counts
    }
}

/// The codes of numbers that are not NaN.
fn kept<'a, W: Copy>(x: Numbers<'a>, codes: &'a [W]) -> impl Iterator<Item = W> + 'a {
    x.iter().zip(codes).filter(|(x, _)| !x.is_nan()).map(|(_, code)| *code)
}
