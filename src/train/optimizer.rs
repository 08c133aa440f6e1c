//! Gradients become updates of the weights: SGD with momentum, and Adam.
//!
//! The operations are those of PyTorch's unfused optimizers, one line each here as there, and what
//! PyTorch stores between two of them is rounded to the format of the optimizer's state. So Adam's
//! ε of 1e-8 meets the format where it meets it in `model.half()`: added to √v, it becomes 0.

use super::{parameter::Parameter, quantizer::Store, slots::Slots, trace::Trace, values::Choice};

/// The rule that turns gradients into updates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Stochastic gradient descent, with the momentum of the slots.
    Sgd,
    /// Adam (Kingma and Ba, 2015) with the betas 0.9 and 0.999.
    Adam {
        /// What is added to the square root of the second moment.
        epsilon: f32,
    },
}

impl Choice for Rule {
    const EXPECTED: &'static str = "sgd|adam";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "sgd" => Ok(Self::Sgd),
            "adam" => Ok(Self::ADAM),
            _ => Err(format!("expected {}", Self::EXPECTED)),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Sgd => "sgd".to_owned(),
            Self::Adam { .. } => "adam".to_owned(),
        }
    }
}

impl Rule {
    /// Adam with its usual ε.
    pub const ADAM: Self = Self::Adam { epsilon: 1e-8 };
}

/// Adam's decay of the first moment.
const BETA1: f64 = 0.9;
/// Adam's decay of the second moment.
const BETA2: f64 = 0.999;

/// An optimizer, all but the moments, which lie beside each parameter.
#[derive(Clone, Debug)]
pub struct Optimizer {
    rule: Rule,
    learning_rate: f32,
    momentum: f32,
    weight_decay: f32,
    step: i32,
}

/// Stores the result of one operation on each number, in the format of the optimizer's state.
fn store(state: &mut Store, numbers: &mut [f32], operation: impl Fn(usize, f32) -> f32) {
    for (i, x) in numbers.iter_mut().enumerate() {
        *x = operation(i, *x);
    }
    state.round(numbers);
}

impl Optimizer {
    /// Returns an optimizer that has not seen a gradient.
    pub fn new(rule: Rule, learning_rate: f32, slots: &Slots) -> Self {
        Self {
            rule,
            learning_rate,
            momentum: slots.momentum,
            weight_decay: slots.weight_decay,
            step: 0,
        }
    }

    /// Begins the next step, which every parameter then takes with [`Optimizer::updates`].
    pub const fn advance(&mut self) {
        self.step += 1;
    }

    /// Returns the update of each number of a parameter.
    pub fn updates(&self, parameter: &mut Parameter, trace: &mut Trace) -> Vec<f32> {
        if self.weight_decay != 0.0 {
            let Parameter { value, gradient, state, .. } = parameter;
            store(state, gradient, |i, g| g + self.weight_decay * value.data[i]);
        }
        match self.rule {
            Rule::Sgd => self.sgd(parameter),
            Rule::Adam { epsilon } => self.adam(parameter, epsilon, trace),
        }
    }

    fn sgd(&self, parameter: &mut Parameter) -> Vec<f32> {
        let Parameter { gradient, moments: [velocity, _], state, .. } = parameter;
        if self.momentum == 0.0 {
            return gradient.iter().map(|g| -self.learning_rate * g).collect();
        }
        store(state, velocity, |_, v| v * self.momentum);
        store(state, velocity, |i, v| v + gradient[i]);
        velocity.iter().map(|v| -self.learning_rate * v).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "PyTorch hands these factors to binary32")]
    fn adam(&self, parameter: &mut Parameter, epsilon: f32, trace: &mut Trace) -> Vec<f32> {
        let Parameter { name, gradient, moments: [first, second], state, .. } = parameter;
        let [correction1, correction2] = [BETA1, BETA2].map(|beta| 1.0 - power(beta, self.step));
        let [keep1, keep2] = [(1.0 - BETA1) as f32, (1.0 - BETA2) as f32];
        let root_correction2 = correction2.sqrt() as f32;
        store(state, first, |i, m| m + (gradient[i] - m) * keep1);
        store(state, second, |_, v| v * BETA2 as f32);
        store(state, second, |i, v| v + keep2 * gradient[i] * gradient[i]);
        let mut denominators = second.clone();
        store(state, &mut denominators, |_, v| v.sqrt());
        store(state, &mut denominators, |_, root| root / root_correction2);
        store(state, &mut denominators, |_, root| root + epsilon);
        let size = (f64::from(self.learning_rate) / correction1) as f32;
        let quotients = first.iter().zip(&denominators).map(|(m, d)| -size * (m / d));
        let updates: Vec<f32> = quotients.collect();
        trace.check(|| adam_failure(name, first, &denominators), &updates);
        updates
    }
}

/// Says which division of Adam's gave no number.
fn adam_failure(name: &str, first: &[f32], denominators: &[f32]) -> String {
    let mut pairs = first.iter().zip(denominators);
    let is_zero_by_zero = pairs.any(|(&m, &d)| m == 0.0 && d == 0.0);
    let what = if is_zero_by_zero { "0/0" } else { "overflow" };
    format!("{name}: adam m / (sqrt v + eps), {what}")
}

/// Returns `base^exponent` by squaring: the standard library's may differ between machines.
fn power(base: f64, exponent: i32) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}
