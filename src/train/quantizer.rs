//! A tensor becomes what a format holds of it: the one place where training rounds.
//!
//! Two kinds of format are told apart by their width. One of 16 bits or more holds results as well:
//! as under autocast, what a matrix product returns is rounded to it, and everything after reads
//! rounded numbers. A narrower one holds only the two operands of each matrix product, rounded on
//! the way in with a scale, saturating; results stay float32. That is how FP8 and FP4 units are used.

use std::borrow::Cow;

use super::{
    hadamard,
    matrix::Matrix,
    narrow::{Axis, Narrow},
    slots::Slots,
    tally::{Role, Survey, Tally},
    values::Hadamard,
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

/// Returns how training rounds to a format.
///
/// A format that holds results has infinities, unless `general` says otherwise; a narrower one
/// saturates. Where there is no NaN, a NaN becomes the largest finite number.
pub fn projection(spec: &Spec, general: &Projection) -> Projection {
    let narrow = !holds_results(&spec.format);
    let overflow = if narrow { Overflow::Saturate } else { general.overflow };
    let nan_to = if general.nan_to == NanTo::Error { NanTo::Max } else { general.nan_to };
    spec.projection(&Projection { overflow, nan_to, ..*general })
}

/// Returns the plan of rounding to a format, or nothing for float32, which holds every result.
pub fn plan(spec: &Spec, general: &Projection) -> Option<Plan> {
    (spec.format != F32).then(|| Plan::new(&spec.format, &projection(spec, general)))
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

    /// Returns the random bits of the next numbers, which are so many.
    pub const fn draw(&mut self, numbers: usize) -> Dither {
        let dither = self.dither;
        self.dither.first += numbers as u64;
        dither
    }

    /// Rounds in place.
    pub fn round(&mut self, numbers: &mut [f32]) -> Counts {
        let Some(plan) = self.plan else { return Counts::default() };
        quantize_in_place(&plan, numbers, self.draw(numbers.len()))
    }
}

/// A role's way into its format, with what it went through.
#[derive(Clone, Debug)]
pub struct Quantizer {
    store: Store,
    /// How operands are scaled, in a format that holds nothing else.
    narrow: Option<Narrow>,
    /// The signs of the Hadamard transform along the first axis, if there is one.
    signs: Option<[f32; hadamard::SIZE]>,
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
    /// Returns a role's way into its format under a policy; `stream` is for stochastic rounding, the
    /// run's `seed` for the signs of the Hadamard transform.
    pub fn new(role: Role, slots: &Slots, seed: u64, stream: Stream) -> Self {
        let spec = role.spec(slots);
        let is_mixed = slots.hadamard == Hadamard::Wgrad && role != Role::Weights;
        Self {
            store: Store::new(spec, &slots.general, stream),
            narrow: (!holds_results(&spec.format)).then(|| Narrow::new(role, slots)),
            signs: is_mixed.then(|| hadamard::signs(seed)),
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
        let survey = self.survey(numbers);
        if self.narrow.is_none() {
            let counts = self.store.round(numbers);
            self.add(survey, counts);
        } else {
            self.add(Survey { numbers: 0, ..survey }, Counts::default());
        }
    }

    /// Returns a tensor as matrix products read it.
    pub fn operand(&mut self, tensor: Matrix) -> Operand {
        let mut mixed = self.signs.map(|signs| hadamard::transform(&tensor, &signs));
        let Some(narrow) = &mut self.narrow else {
            // Results are rounded already, and only mixing makes other numbers of them.
            if let Some(mixed) = &mut mixed {
                self.store.round(&mut mixed.data);
            }
            return Operand { along_last: tensor, along_first: mixed };
        };
        let survey = Survey::of(&tensor.data);
        let given = narrow.remember(survey.largest, self.is_frozen);
        let mut tally = Tally::default();
        let mut rounded = |tensor: Cow<'_, Matrix>, axis| {
            let (rounded, counts) = narrow.rounded(tensor, axis, given, &mut self.store);
            tally.add(survey, counts);
            rounded
        };
        let along_first = match mixed {
            Some(mixed) => Some(rounded(Cow::Owned(mixed), Axis::First)),
            None if narrow.depends_on_axis() => Some(rounded(Cow::Borrowed(&tensor), Axis::First)),
            None => None,
        };
        let along_last = rounded(Cow::Owned(tensor), Axis::Last);
        if !self.is_frozen {
            self.tally += tally;
        }
        Operand { along_last, along_first }
    }

    fn survey(&self, numbers: &[f32]) -> Survey {
        if self.is_frozen { Survey::default() } else { Survey::of(numbers) }
    }

    fn add(&mut self, survey: Survey, counts: Counts) {
        if !self.is_frozen {
            self.tally.add(survey, counts);
        }
    }
}

/// Returns the largest finite number of a format.
#[expect(clippy::cast_possible_truncation, reason = "formats of training lie within binary32")]
pub fn largest_finite(format: &Format) -> f32 {
    crate::codec::decode(format, format.largest_finite()).to_f64() as f32
}
