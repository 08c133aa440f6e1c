//! A model and a policy become the bytes that training keeps of each parameter.

use super::{
    model::Model, optimizer::Rule, parameter::Parameter, quantizer::holds_results, slots::Slots,
    values::Update,
};
use crate::{
    block::{
        rows::ScaleKind,
        spec::{Scaling, Spec},
    },
    format::F32,
};

/// Bytes of a model while it is trained, activations apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Numbers that training changes.
    pub parameters: u64,
    /// The weights as they are kept, and the copy that matrix products read where it is in another
    /// format.
    pub weights: u64,
    /// Their gradients.
    pub gradients: u64,
    /// Momentum, or Adam's two moments, and what Kahan summation keeps.
    pub optimizer: u64,
}

impl Memory {
    /// Returns the bytes of training a model under a policy.
    pub fn of(model: &Model, slots: &Slots, rule: Rule) -> Self {
        let layers = model.layers.len();
        let mut bits = Self::default();
        for layer in &model.layers {
            let slots = slots.of_layer(layer.number, layers);
            bits.add(&layer.weight, &slots, rule, Some(&slots.weights));
            let is_cast = holds_results(&slots.weights.format);
            bits.add(&layer.bias, &slots, rule, is_cast.then_some(&slots.weights));
        }
        if let Some(table) = model.embedding() {
            bits.add(table, slots, rule, None);
        }
        let [weights, gradients, optimizer] =
            [bits.weights, bits.gradients, bits.optimizer].map(|bits| bits.div_ceil(8));
        Self { parameters: bits.parameters, weights, gradients, optimizer }
    }

    /// Adds the bits of a parameter, of which matrix products read a copy in the format `cast`.
    fn add(&mut self, parameter: &Parameter, slots: &Slots, rule: Rule, cast: Option<&Spec>) {
        let count = parameter.len() as u64;
        let kept = slots.master.as_ref().unwrap_or(&slots.weights);
        let copy = cast.filter(|cast| slots.master.is_some() && cast.format != kept.format);
        let gradient = parameter.held.as_ref().map_or(&F32, |_| &slots.gradients.format).width();
        let state = slots.optimizer_state.format.width();
        let moments = match rule {
            Rule::Adam { .. } => 2 * state,
            Rule::Sgd if slots.momentum != 0.0 => state,
            Rule::Sgd => 0,
        };
        let owed = if slots.update == Update::Kahan { kept.format.width() } else { 0 };
        self.parameters += count;
        self.weights += count * u64::from(kept.format.width());
        self.weights += copy.map_or(0, |copy| copied_bits(copy, count));
        self.gradients += count * u64::from(gradient);
        self.optimizer += count * u64::from(moments + owed);
    }

    /// Returns the bytes a parameter.
    #[expect(clippy::cast_precision_loss, reason = "models have far fewer than 2^53 bytes")]
    pub fn bytes_a_parameter(&self) -> f64 {
        (self.weights + self.gradients + self.optimizer) as f64 / self.parameters as f64
    }
}

/// Returns the bits of a tensor's elements and of the scales they share.
fn copied_bits(spec: &Spec, count: u64) -> u64 {
    let elements = count * u64::from(spec.format.width());
    match spec.scaling {
        Scaling::Block(block) => {
            let tensor_scale = if block.scale() == ScaleKind::Nv { 32 } else { 0 };
            elements + 8 * count.div_ceil(block.size as u64) + tensor_scale
        }
        Scaling::Plain | Scaling::Tensor | Scaling::Channel | Scaling::Tile { .. } => elements,
    }
}
