//! An operand becomes numbers of fewer than 16 bits under a scale: of the tensor, or of each block.
//!
//! A block lies along the inner index of the product that reads it, so a tensor that two products
//! read along different axes is rounded twice, both times from the original numbers.

use std::{borrow::Cow, collections::VecDeque};

use super::{
    matrix::Matrix,
    quantizer::{Store, projection},
    slots::Slots,
    tally::Role,
    values::{Scaling, WeightScales},
};
use crate::{
    block::{
        self, Grouping, Piece,
        spec::{self, Spec},
    },
    kernel::{Codes, CodesRef, Counts, Dither},
};

/// How the operands of a role are scaled.
#[derive(Clone, Debug)]
pub struct Narrow {
    /// Rounds under scales; nothing where operands are not scaled.
    scaled: Option<block::Quantizer>,
    groups: Groups,
    /// The largest magnitudes of the last steps under delayed scaling, the latest first.
    history: VecDeque<f64>,
    /// How many are remembered; 0 under other scalings.
    remembered: usize,
    /// A factor between choosing scales and rounding, undone after.
    prescale: f32,
}

/// The inner index of a product, as an axis of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// A column is summed over.
    First,
    /// A row is summed over.
    Last,
}

/// What shares a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Groups {
    Whole,
    Runs(u64),
    Squares(u64),
}

impl Narrow {
    /// Returns how a role's operands are scaled under a policy.
    pub fn new(role: Role, slots: &Slots) -> Self {
        let spec = role.spec(slots);
        let is_square =
            role == Role::Weights && slots.weight_scales == WeightScales::TwoDimensional;
        let (groups, scaling) = match spec.scaling {
            spec::Scaling::Block(block) if is_square => {
                (Groups::Squares(block.size as u64), spec.scaling)
            }
            spec::Scaling::Block(block) => (Groups::Runs(block.size as u64), spec.scaling),
            spec::Scaling::Plain
            | spec::Scaling::Tensor
            | spec::Scaling::Channel
            | spec::Scaling::Tile { .. } => (Groups::Whole, spec::Scaling::Tensor),
        };
        let is_scaled = slots.scaling != Scaling::None;
        let spec = Spec { scaling, ..spec.clone() };
        let scaled = block::Quantizer::new(&spec, &projection(&spec, &slots.general)).ok();
        let remembered = match slots.scaling {
            Scaling::Delayed { history } => history,
            Scaling::None | Scaling::Current | Scaling::Block => 0,
        };
        Self {
            scaled: scaled.filter(|_| is_scaled),
            groups,
            history: VecDeque::new(),
            remembered,
            prescale: if role == Role::Gradients { slots.prescale } else { 1.0 },
        }
    }

    /// Returns the magnitude that sets the scale of the next tensor under delayed scaling, 0 if none
    /// is known, and remembers the next tensor's own unless the history is frozen.
    pub fn remember(&mut self, largest: f32, is_frozen: bool) -> Option<f64> {
        if self.remembered == 0 {
            return None;
        }
        let known = self.history.iter().copied().fold(0.0, f64::max);
        if is_frozen {
            return Some(known);
        }
        self.history.truncate(self.remembered - 1);
        self.history.push_front(largest.into());
        Some(known)
    }

    /// Whether rounding for products along one axis and along the other differ.
    pub const fn depends_on_axis(&self) -> bool {
        matches!(self.groups, Groups::Runs(_))
    }

    /// Returns a tensor rounded for products whose inner index is this axis; a magnitude that is
    /// `given` sets the scale.
    pub fn rounded(
        &self,
        tensor: Cow<'_, Matrix>,
        axis: Axis,
        given: Option<f64>,
        store: &mut Store,
    ) -> (Matrix, Counts) {
        let Some(scaled) = self.scaled.as_ref().filter(|_| given != Some(0.0)) else {
            let mut tensor = tensor.into_owned();
            let counts = store.round(&mut tensor.data);
            return (tensor, counts);
        };
        let shape = [tensor.rows as u64, tensor.columns as u64];
        let grouping = match self.groups {
            Groups::Whole => Grouping::whole(&shape),
            Groups::Squares(side) => Grouping::tiles(&shape, side, side),
            Groups::Runs(size) if axis == Axis::First => Grouping::tiles(&shape, size, 1),
            Groups::Runs(size) => Grouping::tiles(&shape, 1, size),
        };
        let dither = store.draw(tensor.data.len());
        if given.is_none() && self.prescale.to_bits() == 1f32.to_bits() {
            let mut rounded = Matrix::zeros(tensor.rows, tensor.columns);
            let counts = scaled.fake_quantize(&grouping, &tensor.data, &mut rounded.data, dither);
            (rounded, counts.elements)
        } else {
            let mut tensor = tensor.into_owned();
            let counts = self.round_under(scaled, &grouping, given, &mut tensor, dither);
            (tensor, counts)
        }
    }

    /// Rounds under scales that are not those of the numbers that are rounded.
    fn round_under(
        &self,
        scaled: &block::Quantizer,
        grouping: &Grouping,
        given: Option<f64>,
        tensor: &mut Matrix,
        dither: Dither,
    ) -> Counts {
        let whole = Piece { grouping, elements: 0..grouping.elements() };
        let scales: u64 = grouping.scale_shape().iter().product();
        let mut largest: Vec<f64> = (0..scales).map(|_| given.unwrap_or(0.0)).collect();
        if given.is_none() {
            scaled.largest(&whole, &tensor.data, &mut largest);
        }
        let tensor_scale = scaled.tensor_scale_of(&tensor.data);
        let scales = scaled.scale_values(&scaled.scale_codes(&largest, tensor_scale), tensor_scale);
        tensor.scale(self.prescale);
        let mut codes = vec![0u16; tensor.data.len()];
        let places = &mut Codes::U16(&mut codes);
        let counts = scaled.encode(&whole, &tensor.data, &scales, places, dither);
        scaled.decode(&whole, CodesRef::U16(&codes), &scales, &mut tensor.data);
        tensor.scale(self.prescale.recip());
        counts
    }
}
