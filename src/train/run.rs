//! One policy, one seed and one task become a trained model and what was seen on the way.
//!
//! [`train`] is the whole story, in the order of any mixed-precision training loop: batch, cast,
//! forward, loss, scale, backward, unscale, check, clip, step, update, log. The policy only decides
//! what each of these rounds; there is no second loop.

use std::time::Instant;

use super::{
    data::{Dataset, Examples},
    layer::Shape,
    loss::{Loss, Objective, loss},
    matrix::Matrix,
    model::Model,
    optimizer::Optimizer,
    parameter::Updates,
    random::{self, Use},
    scaler::Scaler,
    slots::Slots,
    tally::{Binades, Tallies, to_f64},
    task::Recipe,
    trace::{Trace, is_finite},
};

/// Everything that decides the bits of a run.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// What to learn from.
    pub data: &'a Dataset,
    /// The model, formats apart.
    pub shape: Shape,
    /// What outputs are measured by.
    pub objective: Objective,
    /// The settings.
    pub recipe: Recipe,
    /// What is rounded, where, and to what.
    pub slots: &'a Slots,
    /// What initial weights, order and stochastic rounding depend on.
    pub seed: u64,
}

/// What a run measured.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// On the examples to learn from, after training; nothing if the weights are not finite.
    pub train: Option<Score>,
    /// On the examples to be tested on, after training; nothing if the weights are not finite.
    pub test: Option<Score>,
    /// The loss scale at the start, step 0, and after each step that changed it.
    pub scales: Vec<(u64, f32)>,
    /// The first step that made a weight or the loss infinite or NaN.
    pub first_nan: Option<FirstNan>,
    /// What the tensors of each role went through.
    pub tallies: Tallies,
    /// Updates of weights.
    pub updates: Updates,
    /// The gradients of activations, scaled and before they are rounded.
    pub gradients: Binades,
    /// The largest finite gradient with the loss scale undone, over all steps.
    pub largest_gradient: f32,
    /// The largest finite gradient as it was scaled, over the steps that were not skipped.
    pub largest_scaled_gradient: f32,
    /// Every step.
    pub log: Vec<Step>,
    /// Seconds.
    pub seconds: f64,
}

/// Where a run first had an infinite or NaN weight or loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstNan {
    /// The step, from 1.
    pub step: u64,
    /// The first operation of that step whose result was not finite.
    pub operation: String,
}

/// How well a model does on examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The mean loss: nats, or the squared error.
    pub loss: f64,
    /// The share of examples whose class has the largest output.
    pub accuracy: f64,
}

/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step, from 1.
    pub step: u64,
    /// The mean loss of the batch.
    pub loss: f64,
    /// The loss scale it was made with.
    pub scale: f32,
    /// Whether gradients were not finite and the step changed nothing.
    pub is_skipped: bool,
}

/// Trains a model; `after_epoch` is told the last step of each epoch.
pub fn train(run: &Run<'_>, mut after_epoch: impl FnMut(&Step)) -> (Model, Outcome) {
    let started = Instant::now();
    let mut model = Model::new(&run.shape, run.slots, run.seed);
    let mut optimizer = Optimizer::new(run.recipe.rule, run.recipe.learning_rate, run.slots);
    let mut scaler = Scaler::new(run.slots.loss_scale);
    let mut trace = Trace::default();
    let mut outcome = Outcome { scales: vec![(0, scaler.scale())], ..Outcome::default() };
    'training: for epoch in 1..=run.recipe.epochs {
        let order = random::stream(run.seed, Use::Order, epoch);
        let order = random::shuffled(order, run.data.train.len());
        for numbers in order.chunks(run.recipe.batch) {
            trace.clear();
            let batch = run.data.train.select(numbers);
            model.cast();
            let outputs = model.forward(&batch.inputs, &mut trace);
            let mut loss = run.loss(&outputs, &batch, &mut model, &mut trace);
            loss.gradient.scale(scaler.scale());
            model.backward(loss.gradient, &mut trace);
            let found_infinity = unscale(&mut model, &scaler);
            clip(&mut model, run.recipe.clip);
            let is_skipped = found_infinity && scaler.skips();
            if !is_skipped {
                optimizer.advance();
                for parameter in model.parameters_mut() {
                    let updates = optimizer.updates(parameter, &mut trace);
                    outcome.updates += parameter.apply(&updates);
                }
            }
            let scale = scaler.scale();
            scaler.update(found_infinity);
            let step = outcome.log.len() as u64 + 1;
            outcome.log.push(Step { epoch, step, loss: loss.mean, scale, is_skipped });
            outcome.see(&mut model, &scaler, &trace);
            if !model.is_finite() {
                break 'training;
            }
        }
        outcome.log.last().into_iter().for_each(&mut after_epoch);
    }
    outcome.finish(run, &mut model, trace);
    outcome.seconds = started.elapsed().as_secs_f64();
    (model, outcome)
}

/// Undoes the loss scale; returns whether a gradient was infinite or NaN before.
fn unscale(model: &mut Model, scaler: &Scaler) -> bool {
    let mut found_infinity = false;
    for parameter in model.parameters_mut() {
        found_infinity |= !is_finite(&parameter.gradient);
        parameter.scale_gradient(scaler.inverse());
    }
    found_infinity
}

/// Scales all gradients down if their norm together is above the limit, as PyTorch's
/// `clip_grad_norm_` does.
#[expect(clippy::cast_possible_truncation, reason = "gradients are binary32")]
fn clip(model: &mut Model, limit: Option<f32>) {
    let Some(limit) = limit else { return };
    let squares = model.parameters().flat_map(|parameter| &parameter.gradient);
    let norm = squares.map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt();
    let factor = (f64::from(limit) / (norm + 1e-6)).min(1.0);
    for parameter in model.parameters_mut() {
        parameter.scale_gradient(factor as f32);
    }
}

/// Examples whose outputs are computed together in a test.
const TEST_BATCH: usize = 512;

impl Run<'_> {
    fn loss(
        &self,
        outputs: &Matrix,
        batch: &Examples,
        model: &mut Model,
        trace: &mut Trace,
    ) -> Loss {
        let last = model.layers.last_mut().expect("a model has layers");
        loss(self.objective, self.slots.softmax, outputs, batch, (&mut last.activations, trace))
    }

    /// Measures a model that is no longer trained.
    fn test(&self, model: &mut Model, examples: &Examples) -> Score {
        let (mut sum, mut right) = (0.0, 0);
        let mut trace = Trace::default();
        let numbers: Vec<usize> = (0..examples.len()).collect();
        for numbers in numbers.chunks(TEST_BATCH) {
            let batch = examples.select(numbers);
            let outputs = model.forward(&batch.inputs, &mut trace);
            let loss = self.loss(&outputs, &batch, model, &mut trace);
            sum += loss.mean * to_f64(batch.len());
            right += loss.right;
        }
        Score {
            loss: sum / to_f64(examples.len()),
            accuracy: to_f64(right) / to_f64(examples.len()),
        }
    }
}

impl Outcome {
    /// Takes note of the end of a step.
    #[expect(clippy::float_cmp, reason = "a scale that moves is another number")]
    fn see(&mut self, model: &mut Model, scaler: &Scaler, trace: &Trace) {
        let Some(&Step { step, loss, scale, is_skipped, .. }) = self.log.last() else { return };
        let scaled = model.take_largest_gradient();
        self.largest_gradient = self.largest_gradient.max(scaled / scale);
        if !is_skipped {
            self.largest_scaled_gradient = self.largest_scaled_gradient.max(scaled);
        }
        if self.scales.last().is_none_or(|&(_, scale)| scale != scaler.scale()) {
            self.scales.push((step, scaler.scale()));
        }
        if self.first_nan.is_none() && !(loss.is_finite() && model.is_finite()) {
            let operation = trace.first().unwrap_or("update of the weights").to_owned();
            self.first_nan = Some(FirstNan { step, operation });
        }
    }

    /// Takes note of the end of training.
    fn finish(&mut self, run: &Run<'_>, model: &mut Model, trace: Trace) {
        self.tallies = model.tallies();
        self.gradients = trace.gradients;
        if model.is_finite() {
            model.freeze();
            model.cast();
            self.train = Some(run.test(model, &run.data.train));
            self.test = Some(run.test(model, &run.data.test));
        }
    }

    /// Returns the loss scale after the last step.
    pub fn final_scale(&self) -> f32 {
        self.scales.last().map_or(1.0, |&(_, scale)| scale)
    }

    /// Returns the steps whose gradients were not finite and that changed nothing.
    pub fn skipped(&self) -> usize {
        self.log.iter().filter(|step| step.is_skipped).count()
    }
}
