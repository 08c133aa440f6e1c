//! Numbers become scales and codes, and back.
//!
//! A [`Quantizer`] is a scaled target and a projection, worked out once. Whole tensors go through
//! [`Quantizer::quantize`], [`Quantizer::dequantize`] and [`Quantizer::fake_quantize`]. A tensor that
//! is not in memory goes through in pieces, in one of two ways:
//!
//! * Where tiles are small, [`Grouping::cut`] chooses pieces of whole tiles, and
//!   [`Quantizer::encode_tiles`] finds the scales and the codes of each.
//! * Where a tile may be larger than memory (`/tensor`, `/channel`), a first pass calls
//!   [`Quantizer::largest`] on any pieces, [`Quantizer::scale_codes`] makes the scales, and a second
//!   pass calls [`Quantizer::encode`].
//!
//! NVFP4 has a scale of the whole tensor besides, for which [`kernel::largest_finite`]
//! passes over the tensor first. Everything takes binary32 or binary64 numbers, and rounds once.
//!
//! ```
//! use fpx::{block::{Quantizer, Spec}, codec::Projection, kernel::Dither};
//! let spec: Spec = "mxfp4".parse().unwrap();
//! let quantizer = Quantizer::new(&spec, &Projection::default()).unwrap();
//! let tensor = quantizer.quantize(&[4], &[1.0f32, 0.3, -6.0, 0.0], Dither::default()).unwrap();
//! assert_eq!((&tensor.scales[..], &tensor.codes[..]), (&[127][..], &[2, 1, 15, 0][..]));
//! assert_eq!(quantizer.dequantize::<f32>(&tensor), [1.0, 0.5, -6.0, 0.0]);
//! ```

use std::ops::AddAssign;

use super::{
    grouping::Grouping,
    rows::Coding,
    scale::Scaler,
    segment::Piece,
    spec::{Scaling, Spec},
};
use crate::{
    codec::{Overflow, Projection, Unpacked},
    format::Format,
    kernel::{self, Codes, CodesRef, Dither, Plan, Real, Scales},
};

/// What one pass saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The elements; `overflow` are those that were clipped.
    pub elements: kernel::Counts,
    /// Scales: blocks, or whatever else shares one.
    pub scales: u64,
    /// Scales of fewer elements than the others have.
    pub short: u64,
    /// Scales that are NaN, because of a NaN or an infinity among their elements.
    pub nan: u64,
    /// Scales that are zero, so that all of their elements are.
    pub zero: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.elements += other.elements;
        self.scales += other.scales;
        self.short += other.short;
        self.nan += other.nan;
        self.zero += other.zero;
    }
}

/// Why a target or a tensor cannot be quantised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// There is no scale.
    #[error(
        "'{0}' has no scale: expected a block format, /tensor, /channel, /tile:RxC or /block:N"
    )]
    Plain(String),
    /// The element has more bits than kernels hold.
    #[error("elements of '{name}' have {width} bits: expected at most 64")]
    TooWide {
        /// The target.
        name: String,
        /// The bits of an element.
        width: u32,
    },
    /// The element has no number to which a largest magnitude could be scaled.
    #[error("elements of '{0}' have no number but zero")]
    Empty(String),
    /// Blocks along an axis that the tensor does not have.
    #[error("blocks along axis {axis} of a tensor with {axes} axes: expected {}", axes_of(*axes))]
    Axis {
        /// The axis asked for.
        axis: i32,
        /// How many axes there are.
        axes: usize,
    },
}

fn axes_of(axes: usize) -> String {
    match axes {
        0 => "a tensor with an axis".to_owned(),
        _ => format!("-{axes} to {}", axes - 1),
    }
}

/// A scaled target and how to round to it.
#[derive(Clone, Debug)]
pub struct Quantizer {
    scaling: Scaling,
    element: Format,
    coding: Coding,
    pub(super) scaler: Scaler,
    projection: Projection,
    pub(super) plan: Plan,
}

impl Quantizer {
    /// Returns the quantiser of a target. The name's own rounding wins over the projection's.
    ///
    /// Elements of block formats saturate whatever the overflow policy says (OCP MX 1.0 §6.3). Under
    /// binary32 scales the largest element may be carried past the finite range by the rounding of
    /// its scale, and saturates too unless it is infinite.
    ///
    /// # Errors
    ///
    /// [`BlockError`], for a target without a scale or with elements that cannot be scaled.
    pub fn new(spec: &Spec, projection: &Projection) -> Result<Self, BlockError> {
        let element = spec.format.clone();
        let Some(scaler) = Scaler::new(spec) else {
            return Err(BlockError::Plain(spec.to_string()));
        };
        if element.width() > 64 {
            return Err(BlockError::TooWide { name: spec.to_string(), width: element.width() });
        }
        if element.has_zero() && element.largest_finite() == 0 {
            return Err(BlockError::Empty(spec.to_string()));
        }
        let mut projection = spec.projection(projection);
        let coding = match &spec.scaling {
            Scaling::Block(block) => {
                projection.overflow = Overflow::Saturate;
                block.coding()
            }
            Scaling::Plain | Scaling::Tensor | Scaling::Channel | Scaling::Tile { .. } => {
                if projection.overflow == Overflow::Ieee {
                    projection.overflow = Overflow::SaturateFinite;
                }
                Coding::Format
            }
        };
        let plan = Plan::new(&element, &projection);
        Ok(Self { scaling: spec.scaling, element, coding, scaler, projection, plan })
    }

    /// Returns the same quantiser, which counts elements and scales and nothing else, and is faster.
    #[must_use]
    pub fn without_counts(self) -> Self {
        Self { plan: self.plan.without_counts(), ..self }
    }

    /// Returns the format of the elements.
    pub fn element(&self) -> &Format {
        &self.element
    }

    /// Returns how elements are rounded.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Returns how the elements' codes are stored.
    pub fn coding(&self) -> Coding {
        self.coding
    }

    /// Returns the format of the scales' codes: E8M0, E4M3 or binary32.
    pub fn scale_format(&self) -> &'static Format {
        self.scaler.format()
    }

    /// Returns which elements of a tensor of this shape share a scale.
    ///
    /// # Errors
    ///
    /// [`BlockError::Axis`], if blocks lie along an axis that the tensor does not have.
    pub fn grouping(&self, shape: &[u64]) -> Result<Grouping, BlockError> {
        Grouping::of(&self.scaling, shape).ok_or(BlockError::Axis {
            axis: match self.scaling {
                Scaling::Block(block) => block.axis,
                Scaling::Plain | Scaling::Tensor | Scaling::Channel | Scaling::Tile { .. } => 0,
            },
            axes: shape.len(),
        })
    }

    /// Whether the whole tensor has a scale, beside those of its blocks.
    pub fn has_tensor_scale(&self) -> bool {
        self.scaler.has_tensor_scale()
    }

    /// Whether the whole tensor has a scale that follows from its largest magnitude.
    pub fn needs_tensor_scale(&self) -> bool {
        self.scaler.needs_tensor_scale()
    }

    /// Returns the scale of the whole tensor for its largest finite magnitude: NVFP4's
    /// `amax / (448·6)`, rounded once, or the one given; 1 for every other target.
    ///
    /// ```
    /// use fpx::{block::{Quantizer, Spec}, codec::Projection};
    /// let spec: Spec = "nvfp4".parse().unwrap();
    /// let quantizer = Quantizer::new(&spec, &Projection::default()).unwrap();
    /// assert_eq!(quantizer.tensor_scale(2688.0), 1.0);
    /// ```
    pub fn tensor_scale(&self, largest: f64) -> f32 {
        self.scaler.tensor_scale(&Unpacked::from_f64(largest))
    }

    /// Returns the scale of a whole tensor in memory; see [`Self::tensor_scale`].
    pub fn tensor_scale_of<R: Real>(&self, source: &[R]) -> f32 {
        let needs = self.needs_tensor_scale();
        self.tensor_scale(if needs { kernel::largest_finite(source) } else { 0.0 })
    }

    /// Raises `largest` to the largest magnitudes under the scales of a piece, which may begin and
    /// end anywhere. `largest` begins as zeros, one for each of [`Grouping::scales_of`] the piece.
    ///
    /// Where a NaN or an infinity spoils its scale, it is the largest magnitude; under binary32
    /// scales, which it does not spoil, it is passed over.
    ///
    /// # Panics
    ///
    /// If `source` is not as long as the piece, or `largest` is too short.
    pub fn largest<R: Real>(&self, piece: &Piece<'_>, source: &[R], largest: &mut [f64]) {
        piece.check(source.len());
        let pass = if self.scaler.is_spoiled() {
            kernel::largest_magnitudes
        } else {
            kernel::largest_finite_magnitudes
        };
        for segment in piece.grouping.segments(piece.elements.clone()) {
            pass(&source[segment.elements], segment.size, &mut largest[segment.scales]);
        }
    }

    /// Returns the codes of scales for the largest magnitudes under them.
    pub fn scale_codes(&self, largest: &[f64], tensor_scale: f32) -> Vec<u32> {
        let mut codes = vec![0; largest.len()];
        self.scaler.codes(largest, tensor_scale, &mut codes);
        codes
    }

    /// Returns what the codes of scales stand for, the tensor's scale included, exactly.
    pub fn scale_values(&self, codes: &[u32], tensor_scale: f32) -> Vec<f64> {
        let mut values = vec![0.0; codes.len()];
        self.scaler.values(codes, tensor_scale, &mut values);
        values
    }

    /// Writes the codes of a piece, which may begin and end anywhere, under the scales of
    /// [`Grouping::scales_of`] the piece. `dither.first` is the index of the tensor's first element.
    ///
    /// # Panics
    ///
    /// If the slices are not as long as the piece, or there are too few scales.
    pub fn encode<R: Real>(
        &self,
        piece: &Piece<'_>,
        source: &[R],
        scales: &[f64],
        codes: &mut Codes<'_>,
        dither: Dither,
    ) -> kernel::Counts {
        piece.check(source.len());
        let mut counts = kernel::Counts::default();
        for segment in piece.grouping.segments(piece.elements.clone()) {
            let first = piece.elements.start + segment.elements.start as u64;
            counts += kernel::encode_scaled(
                &self.plan,
                &source[segment.elements.clone()],
                Scales { values: &scales[segment.scales], size: segment.size },
                codes.range(segment.elements),
                Dither { first: dither.first + first, ..dither },
            );
        }
        if self.coding == Coding::TwosComplement {
            codes.map(|code| self.to_twos_complement(code));
        }
        counts
    }

    /// Writes the numbers of a piece, which may begin and end anywhere, under the scales of
    /// [`Grouping::scales_of`] the piece: `code × scale`, rounded once.
    ///
    /// # Panics
    ///
    /// If the slices are not as long as the piece, or there are too few scales.
    pub fn decode<R: Real>(
        &self,
        piece: &Piece<'_>,
        codes: CodesRef<'_>,
        scales: &[f64],
        numbers: &mut [R],
    ) {
        piece.check(codes.len());
        for segment in piece.grouping.segments(piece.elements.clone()) {
            let numbers = &mut numbers[segment.elements.clone()];
            let codes = codes.range(segment.elements);
            let scales = Scales { values: &scales[segment.scales], size: segment.size };
            match self.coding {
                Coding::Format => kernel::decode_scaled(&self.plan, codes, scales, numbers),
                Coding::TwosComplement => self.decode_integers(codes, scales, numbers),
            }
        }
    }

    /// Returns the two's complement integer of a code with a sign bit.
    pub(super) fn to_twos_complement(&self, code: u64) -> u64 {
        let sign = 1 << (self.element.width() - 1);
        if code & sign == 0 { code } else { (sign - (code & (sign - 1))) | sign }
    }

    /// Multiplies two's complement integers by the quantum and their scales.
    #[expect(clippy::cast_precision_loss, reason = "an integer has fewer bits than a significand")]
    fn decode_integers<R: Real>(&self, codes: CodesRef<'_>, scales: Scales<'_>, numbers: &mut [R]) {
        let unused = 64 - self.element.width();
        let quantum = libm::ldexp(1.0, self.element.least_quantum_exponent());
        for (i, (code, x)) in codes.iter().zip(numbers).enumerate() {
            let integer = (code << unused).cast_signed() >> unused;
            // Exact in binary64: 8 bits, times powers of two.
            *x = R::from_f64(integer as f64 * quantum * scales.values[i / scales.size]);
        }
    }
}
