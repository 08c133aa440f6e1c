//! A tensor becomes what a format holds of it: the one place where training rounds.
//!
//! Two kinds of format are told apart by their width. One of 16 bits or more holds results as well:
//! as under autocast, what a matrix product returns is rounded to it, and everything after reads
//! rounded numbers. A narrower one holds only the two operands of each matrix product, rounded on
//! the way in with a scale, saturating; results stay float32. That is how FP8 and FP4 units are used.

use std::collections::VecDeque;

use super::{
    matrix::Matrix,
    slots::Slots,
    tally::{Survey, Tally},
    values::Scaling,
};
use crate::{
    block::spec::Spec,
    codec::{NanTo, Overflow, Projection},
    format::{F32, Format},
    kernel::{Counts, Dither, Plan, quantize_in_place},
    random::Stream,
};

/// Formats at least this wide hold results as well as operands.
const HOLDS_RESULTS: u32 = 16;

/// Whether tensors between matrix products are kept in this format.
pub fn holds_results(format: &Format) -> bool {
    format.width() >= HOLDS_RESULTS
}

/// Returns the plan of rounding to a format, or nothing for float32, which holds every result.
///
/// A format that holds results has infinities, unless `general` says otherwise; a narrower one
/// saturates. Where there is no NaN, a NaN becomes the largest finite number.
pub fn plan(spec: &Spec, general: &Projection) -> Option<Plan> {
    let narrow = !holds_results(&spec.format);
    let overflow = if narrow { Overflow::Saturate } else { general.overflow };
    let nan_to = if general.nan_to == NanTo::Error { NanTo::Max } else { general.nan_to };
    let projection = spec.projection(&Projection { overflow, nan_to, ..*general });
    (spec.format != F32).then(|| Plan::new(&spec.format, &projection))
}

/// A format in which numbers are kept, with the random bits of its stochastic rounding.
#[derive(Clone, Debug)]
pub struct Store {
    plan: Option<Plan>,
    dither: Dither,
}

impl Store {
    /// Returns a format's store.
    pub fn new(spec: &Spec, general: &Projection, stream: Stream) -> Self {
        Self { plan: plan(spec, general), dither: Dither { stream, first: 0 } }
    }

    /// Rounds in place.
    pub fn round(&mut self, numbers: &mut [f32]) -> Counts {
        let Some(plan) = self.plan else { return Counts::default() };
        let counts = quantize_in_place(&plan, numbers, self.dither);
        self.dither.first += numbers.len() as u64;
        counts
    }
}

/// A role's way into its format, with what it went through.
#[derive(Clone, Debug)]
pub struct Quantizer {
    store: Store,
    holds_results: bool,
    largest_finite: f32,
    scaling: Scaling,
    history: VecDeque<f32>,
    is_frozen: bool,
    /// What the tensors of this role went through.
    pub tally: Tally,
}

/// A tensor as matrix products read it.
#[derive(Clone, Debug, Default)]
pub struct Operand {
    along_last: Matrix,
    /// Present where rounding depends on the axis.
    along_first: Option<Matrix>,
}

impl Operand {
    /// Returns the tensor for a product whose inner index is its last axis.
    pub const fn along_last(&self) -> &Matrix {
        &self.along_last
    }

    /// Returns the tensor for a product whose inner index is its first axis.
    pub fn along_first(&self) -> &Matrix {
        self.along_first.as_ref().unwrap_or(&self.along_last)
    }
}

impl Quantizer {
    /// Returns a role's way into its format under a policy; `stream` is for stochastic rounding.
    pub fn new(spec: &Spec, slots: &Slots, stream: Stream) -> Self {
        Self {
            store: Store::new(spec, &slots.general, stream),
            holds_results: holds_results(&spec.format),
            largest_finite: largest_finite(&spec.format),
            scaling: slots.scaling,
            history: VecDeque::new(),
            is_frozen: false,
            tally: Tally::default(),
        }
    }

    /// Stops counting and remembering: what follows is a test, not training.
    pub const fn freeze(&mut self) {
        self.is_frozen = true;
    }

    /// Rounds a result where the format holds results.
    pub fn hold(&mut self, numbers: &mut [f32]) {
        if self.holds_results {
            self.round(numbers);
        } else if !self.is_frozen {
            self.tally.largest = self.tally.largest.max(Survey::of(numbers).largest);
        }
    }

    /// Returns a tensor as matrix products read it.
    pub fn operand(&mut self, tensor: Matrix) -> Operand {
        let mut operand = Operand { along_last: tensor, along_first: None };
        if !self.holds_results {
            let scale = self.scale(&operand.along_last.data);
            operand.along_last.scale(scale);
            self.round(&mut operand.along_last.data);
            operand.along_last.scale(scale.recip());
        }
        operand
    }

    /// Rounds in place and counts.
    fn round(&mut self, numbers: &mut [f32]) {
        let survey = if self.is_frozen { Survey::default() } else { Survey::of(numbers) };
        let counts = self.store.round(numbers);
        if !self.is_frozen {
            self.tally.add(survey, counts);
        }
    }

    /// Returns the factor that brings a tensor's largest magnitude to the format's.
    fn scale(&mut self, numbers: &[f32]) -> f32 {
        let largest = match self.scaling {
            Scaling::None | Scaling::Block => return 1.0,
            Scaling::Current => Survey::of(numbers).largest,
            Scaling::Delayed { history } => {
                let remembered = self.history.iter().copied().fold(0.0, f32::max);
                if !self.is_frozen {
                    self.history.truncate(history - 1);
                    self.history.push_front(Survey::of(numbers).largest);
                }
                remembered
            }
        };
        let scale = self.largest_finite / largest;
        // Nothing is known of a tensor of zeros, and subnormal magnitudes would need infinity.
        if scale.is_finite() { scale } else { 1.0 }
    }
}

/// Returns the largest finite number of a format.
#[expect(clippy::cast_possible_truncation, reason = "formats of training lie within binary32")]
pub fn largest_finite(format: &Format) -> f32 {
    crate::codec::decode(format, format.largest_finite()).to_f64() as f32
}
