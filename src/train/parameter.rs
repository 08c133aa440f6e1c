//! Random numbers become weights, and weights with their updates become other weights.

use super::{
    matrix::Matrix,
    quantizer::{Quantizer, Store, holds_results},
    random::{self, Use},
    slots::Slots,
    tally::Role,
    trace::is_finite,
    values::Update,
};
use crate::{
    block::spec::Spec,
    codec::{Projection, Rounding, SR},
    format::Format,
};

/// A tensor that training changes, in the format in which it is kept.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name, as PyTorch would call it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The format in which it is kept.
    pub format: Format,
    /// The numbers.
    pub value: Matrix,
    /// The gradient of the loss with respect to them.
    pub gradient: Vec<f32>,
    /// The optimizer's moments: momentum, or Adam's first and second.
    pub moments: [Vec<f32>; 2],
    /// The format of the moments and of the optimizer's intermediates.
    pub state: Store,
    /// The format of the gradient the optimizer reads, if that is not float32.
    pub held: Option<Quantizer>,
    /// The format of the numbers, with the rounding of updates.
    kept: Store,
    /// What Kahan's updates still owe the numbers; empty where the update is not Kahan's.
    owed: Vec<f32>,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The matrix of a layer, a row an input.
    Weight,
    /// What a layer adds, one row.
    Bias,
    /// The numbers of each character, a row a character.
    Table,
}

/// Returns the format of weights with the rounding of their updates.
fn updated(spec: &Spec, update: Update) -> Spec {
    let rounding = match update {
        Update::Nearest => spec.rounding,
        Update::Stochastic => Some(Rounding::new(&SR)),
        Update::Kahan => None,
    };
    Spec { rounding, ..spec.clone() }
}

/// Which parameter, of which run.
#[derive(Clone, Debug)]
pub struct Which {
    /// Its name, as PyTorch would call it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The run's seed.
    pub seed: u64,
    /// The parameter's place in the model: with the seed, what its random numbers depend on.
    pub number: usize,
}

/// Nonzero updates, and those that changed nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    /// Nonzero updates.
    pub nonzero: u64,
    /// Nonzero updates that left the number, and what Kahan summation keeps beside it, unchanged.
    pub lost: u64,
}

impl std::ops::AddAssign for Updates {
    fn add_assign(&mut self, other: Self) {
        self.nonzero += other.nonzero;
        self.lost += other.lost;
    }
}

impl Parameter {
    /// Returns the `number`-th parameter of a model, uniform in ±bound, in the formats of `slots`.
    pub fn new(which: Which, sides: [usize; 2], bound: f32, slots: &Slots) -> Self {
        let Which { name, kind, seed, number } = which;
        let [rows, columns] = sides;
        let initial = random::stream(seed, Use::Initial, number);
        let draw = |i| (2.0 * random::unit(initial, i) - 1.0) * bound;
        let mut data: Vec<f32> = (0..(rows * columns) as u64).map(draw).collect();
        let kept = slots.master.as_ref().unwrap_or(&slots.weights);
        let stream = |purpose| random::stream(seed, purpose, number);
        let store =
            |spec: &Spec, purpose| Store::new(spec, &Projection::default(), stream(purpose));
        let nearest = Spec { rounding: None, ..kept.clone() };
        store(&nearest, Use::Initial).round(&mut data);
        let zeros = vec![0.0; data.len()];
        let is_held = slots.master.is_none() && holds_results(&slots.gradients.format);
        Self {
            name,
            kind,
            format: kept.format.clone(),
            value: Matrix::from_rows(rows, data),
            gradient: zeros.clone(),
            moments: [zeros.clone(), zeros.clone()],
            state: store(&slots.optimizer_state, Use::State),
            held: is_held
                .then(|| Quantizer::new(Role::Gradients, slots, seed, stream(Use::Gradient))),
            kept: store(&updated(kept, slots.update), Use::Update),
            owed: if slots.update == Update::Kahan { zeros } else { Vec::new() },
        }
    }

    /// Multiplies the gradient, rounding it where it is held in a narrower format than float32.
    /// A factor of 1 changes nothing.
    #[expect(clippy::float_cmp, reason = "1 is exact")]
    pub fn scale_gradient(&mut self, factor: f32) {
        if factor == 1.0 {
            return;
        }
        for g in &mut self.gradient {
            *g *= factor;
        }
        self.hold_gradient();
    }

    /// Rounds the gradient where it is held in a narrower format than float32.
    pub fn hold_gradient(&mut self) {
        if let Some(held) = &mut self.held {
            held.hold(&mut self.gradient);
        }
    }

    /// Returns how many numbers there are.
    pub fn len(&self) -> usize {
        self.value.data.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.value.data.is_empty()
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        is_finite(&self.value.data)
    }

    /// Adds an update to each number, rounded as the parameter is kept.
    #[expect(clippy::float_cmp, reason = "a lost update leaves the very same number")]
    pub fn apply(&mut self, updates: &[f32]) -> Updates {
        let before = self.value.data.clone();
        let owed_before = self.owed.clone();
        if owed_before.is_empty() {
            self.value.data = self.round(zip(&before, updates, |x, u| x + u));
        } else {
            self.add_with_kahan(updates);
        }
        let mut counted = Updates::default();
        for (i, (update, before)) in updates.iter().zip(&before).enumerate() {
            let is_lost = self.value.data[i] == *before && self.owed.get(i) == owed_before.get(i);
            counted.nonzero += u64::from(*update != 0.0);
            counted.lost += u64::from(*update != 0.0 && is_lost);
        }
        counted
    }

    fn round(&mut self, mut numbers: Vec<f32>) -> Vec<f32> {
        self.kept.round(&mut numbers);
        numbers
    }

    /// Kahan's compensated sum (1965), every intermediate rounded to the parameter's format: what an
    /// addition adds too much is subtracted from the next update.
    fn add_with_kahan(&mut self, updates: &[f32]) {
        let value = std::mem::take(&mut self.value.data);
        let updates = self.round(zip(updates, &self.owed, |u, owed| u - owed));
        let sums = self.round(zip(&value, &updates, |x, u| x + u));
        let moved = self.round(zip(&sums, &value, |sum, x| sum - x));
        self.owed = self.round(zip(&moved, &updates, |moved, u| moved - u));
        self.value.data = sums;
    }
}

fn zip(left: &[f32], right: &[f32], function: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    left.iter().zip(right).map(|(&x, &y)| function(x, y)).collect()
}
