//! Whole tensors, and pieces of whole tiles, become scales and codes in one pass, a part that fits
//! the cache at a time.

use std::ops::Range;

use super::{
    grouping::Grouping,
    quantizer::{BlockError, Counts, Quantizer},
    segment::Piece,
};
use crate::kernel::{self, BLOCK, Codes, CodesRef, Dither, Power, Real, Scales};

/// Elements that are scaled at a time, so that they stay in the cache from step to step.
const PIECE: u64 = 1 << 14;

/// A tensor, quantised.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantized {
    /// Which elements share a scale.
    pub grouping: Grouping,
    /// The scale of the whole tensor; 1 where the target has none.
    pub tensor_scale: f32,
    /// The codes of the scales, in [`Quantizer::scale_format`].
    pub scales: Vec<u32>,
    /// The codes of the elements.
    pub codes: Vec<u64>,
    /// What was seen.
    pub counts: Counts,
}

/// The scales of a part.
struct Found<'a> {
    codes: &'a [u32],
    values: &'a [f64],
}

impl Quantizer {
    /// Writes the codes of the scales and of the elements of a piece that cuts no tile in two.
    ///
    /// # Panics
    ///
    /// If the slices do not fit the piece.
    pub fn encode_tiles<R: Real>(
        &self,
        piece: &Piece<'_>,
        source: &[R],
        tensor_scale: f32,
        scales: &mut [u32],
        codes: &mut Codes<'_>,
        dither: Dither,
    ) -> Counts {
        if let (Some(power), Codes::U8(codes)) = (self.power_of(piece), &mut *codes) {
            piece.check(source.len());
            let seen = kernel::encode_blocks(&self.plan, power, source, scales, codes);
            if let Some(elements) = seen {
                return self.counts_of(piece, scales, elements);
            }
        }
        let mut rest = scales;
        self.by_tiles(piece, source, tensor_scale, |part, at, scales| {
            let (places, after) = std::mem::take(&mut rest).split_at_mut(scales.codes.len());
            places.copy_from_slice(scales.codes);
            rest = after;
            self.encode(part, &source[at.clone()], scales.values, &mut codes.range(at), dither)
        })
    }

    /// Rounds every number of a tensor to what its code and scale stand for: quantises and
    /// dequantises at once.
    ///
    /// # Panics
    ///
    /// If the slices are not as long as the tensor.
    pub fn fake_quantize<R: Real>(
        &self,
        grouping: &Grouping,
        source: &[R],
        rounded: &mut [R],
        dither: Dither,
    ) -> Counts {
        let whole = Piece { grouping, elements: 0..grouping.elements() };
        if let Some(power) = self.power_of(&whole) {
            whole.check(source.len());
            let mut scales = vec![0; whole.scales()];
            let (plan, places) = (&self.plan, &mut scales[..]);
            let seen = kernel::quantize_blocks(plan, power, source, places, rounded);
            if let Some(elements) = seen {
                return self.counts_of(&whole, &scales, elements);
            }
        }
        let tensor_scale = self.tensor_scale_of(source);
        self.by_tiles(&whole, source, tensor_scale, |part, at, scales| {
            let (source, rounded) = (&source[at.clone()], &mut rounded[at]);
            let mut counts = kernel::Counts::default();
            for segment in grouping.segments(part.elements.clone()) {
                let first = part.elements.start + segment.elements.start as u64;
                counts += kernel::quantize_scaled(
                    &self.plan,
                    &source[segment.elements.clone()],
                    Scales { values: &scales.values[segment.scales], size: segment.size },
                    &mut rounded[segment.elements],
                    Dither { first: dither.first + first, ..dither },
                );
            }
            counts
        })
    }

    /// Returns how the scales of a piece follow, if each is a power of two for the next whole block of
    /// the usual size.
    fn power_of(&self, piece: &Piece<'_>) -> Option<Power> {
        let grouping = piece.grouping;
        let follow = grouping.tile() == (1, BLOCK as u64)
            && (grouping.row().is_multiple_of(BLOCK as u64)
                || grouping.row() == grouping.elements());
        self.scaler.power().filter(|_| follow)
    }

    /// Returns the counts of a piece whose scales are powers of two.
    fn counts_of(&self, piece: &Piece<'_>, scales: &[u32], elements: kernel::Counts) -> Counts {
        let nan = self.scale_format().code_mask();
        let is_nan = |code: &u32| u128::from(*code) == nan;
        Counts {
            elements,
            scales: scales.len() as u64,
            short: piece.grouping.cropped(&piece.elements),
            nan: scales.iter().map(|code| u64::from(is_nan(code))).sum(),
            zero: 0,
        }
    }

    /// Finds the scales of a piece that cuts no tile in two, a part at a time, and hands each part
    /// to `visit`, with its place in the piece.
    fn by_tiles<R: Real>(
        &self,
        piece: &Piece<'_>,
        source: &[R],
        tensor_scale: f32,
        mut visit: impl FnMut(&Piece<'_>, Range<usize>, Found<'_>) -> kernel::Counts,
    ) -> Counts {
        piece.check(source.len());
        let mut counts = Counts::default();
        let (mut largest, mut codes, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let (mut next, mut at) = (piece.elements.start, 0);
        while next < piece.elements.end {
            let end = piece.grouping.cut(next, PIECE).min(piece.elements.end);
            let part = Piece { grouping: piece.grouping, elements: next..end };
            let place = at..at + part.len();
            let scales = part.scales();
            largest.clear();
            largest.resize(scales, 0.0);
            codes.resize(scales, 0);
            values.resize(scales, 0.0);
            self.largest(&part, &source[place.clone()], &mut largest);
            self.scaler.codes(&largest, tensor_scale, &mut codes);
            self.scaler.values(&codes, tensor_scale, &mut values);
            let (mut nan, mut zero) = (0, 0);
            for value in &values {
                nan += u64::from(value.is_nan());
                zero += u64::from(*value == 0.0);
            }
            counts += Counts {
                scales: values.len() as u64,
                short: part.grouping.cropped(&part.elements),
                nan,
                zero,
                elements: visit(&part, place.clone(), Found { codes: &codes, values: &values }),
            };
            (next, at) = (end, place.end);
        }
        counts
    }

    /// Quantises a tensor.
    ///
    /// # Errors
    ///
    /// [`BlockError::Axis`], if blocks lie along an axis that the tensor does not have.
    ///
    /// # Panics
    ///
    /// If the shape is not that of the numbers.
    pub fn quantize<R: Real>(
        &self,
        shape: &[u64],
        source: &[R],
        dither: Dither,
    ) -> Result<Quantized, BlockError> {
        let grouping = self.grouping(shape)?;
        let tensor_scale = self.tensor_scale_of(source);
        let whole = Piece { grouping: &grouping, elements: 0..grouping.elements() };
        let mut scales = vec![0; whole.scales()];
        let mut codes = vec![0u64; source.len()];
        let mut places = Codes::U64(&mut codes);
        let counts =
            self.encode_tiles(&whole, source, tensor_scale, &mut scales, &mut places, dither);
        Ok(Quantized { grouping, tensor_scale, scales, codes, counts })
    }

    /// Returns the numbers of a quantised tensor, each rounded once.
    ///
    /// # Panics
    ///
    /// If the tensor's scales and codes do not fit its grouping.
    pub fn dequantize<R: Real>(&self, tensor: &Quantized) -> Vec<R> {
        let scales = self.scale_values(&tensor.scales, tensor.tensor_scale);
        let grouping = &tensor.grouping;
        let whole = Piece { grouping, elements: 0..grouping.elements() };
        let mut numbers = vec![R::NAN; tensor.codes.len()];
        self.decode(&whole, CodesRef::U64(&tensor.codes), &scales, &mut numbers);
        numbers
    }
}
