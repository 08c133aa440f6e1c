//! Outputs and what they should have been become a loss and its gradient.
//!
//! Both are float32, as under autocast, whatever the model's formats. Only the naive softmax is
//! computed in the format of activations: it is there to be seen overflowing.

use super::{
    data::Examples, matrix::Matrix, quantizer::Quantizer, tally::to_f64, trace::Trace,
    values::Softmax,
};

/// What outputs are measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// Classes, by the cross-entropy of a softmax: the mean over the batch, in nats.
    CrossEntropy,
    /// The inputs themselves, by the squared error: the mean over batch and outputs.
    SquaredError,
}

/// A batch's loss.
#[derive(Clone, Debug, Default)]
pub struct Loss {
    /// The mean over the examples.
    pub mean: f64,
    /// How many examples have their largest output at their class.
    pub right: usize,
    /// The gradient of the mean with respect to the outputs.
    pub gradient: Matrix,
}

/// Measures the outputs of a batch; `last` is the layer's way into the format of activations.
pub fn loss(
    objective: Objective,
    softmax: Softmax,
    outputs: &Matrix,
    batch: &Examples,
    (last, trace): (&mut Quantizer, &mut Trace),
) -> Loss {
    let loss = match (objective, softmax) {
        (Objective::SquaredError, _) => squared_error(outputs, &batch.inputs),
        (Objective::CrossEntropy, Softmax::Stable) => cross_entropy(outputs, &batch.classes),
        (Objective::CrossEntropy, Softmax::Naive) => naive(outputs, &batch.classes, last),
    };
    let name = if softmax == Softmax::Naive { "naive softmax" } else { "loss" };
    trace.check(|| name.to_owned(), &loss.gradient.data);
    loss
}

/// The squared error: the gradient is `2·(y − x) / (batch · outputs)`.
#[expect(clippy::cast_precision_loss, reason = "sizes of batches are far below 2^24")]
fn squared_error(outputs: &Matrix, targets: &Matrix) -> Loss {
    let size = outputs.data.len() as f32;
    let mut sum = 0.0;
    let gradient = outputs.data.iter().zip(&targets.data).map(|(y, x)| {
        let error = y - x;
        sum += f64::from(error) * f64::from(error);
        2.0 * error / size
    });
    let gradient = Matrix::from_rows(outputs.rows, gradient.collect());
    Loss { mean: sum / to_f64(outputs.data.len()), right: 0, gradient }
}

/// The cross-entropy `log sum exp(z − max) − (z[class] − max)`: the gradient is
/// `(softmax − one-hot) / batch`.
#[expect(clippy::cast_precision_loss, reason = "sizes of batches are far below 2^24")]
fn cross_entropy(outputs: &Matrix, classes: &[usize]) -> Loss {
    let mut loss = Loss { gradient: outputs.clone(), ..Loss::default() };
    for (row, &class) in classes.iter().enumerate() {
        let z = loss.gradient.row_mut(row);
        let (best, largest) = largest(z);
        let shifted = z[class] - largest;
        let mut sum = 0.0;
        for x in &mut *z {
            *x = libm::expf(*x - largest);
            sum += *x;
        }
        loss.mean += f64::from(libm::logf(sum) - shifted) / to_f64(classes.len());
        loss.right += usize::from(best == class);
        softmax_gradient(z, sum, class, classes.len() as f32);
    }
    loss
}

/// The same as a beginner writes it, `-log(exp(z) / sum exp(z))`, each intermediate rounded.
#[expect(clippy::cast_precision_loss, reason = "sizes of batches are far below 2^24")]
fn naive(outputs: &Matrix, classes: &[usize], format: &mut Quantizer) -> Loss {
    let mut loss = Loss { gradient: outputs.clone(), ..Loss::default() };
    for (row, &class) in classes.iter().enumerate() {
        let z = loss.gradient.row_mut(row);
        let (best, _) = largest(z);
        for x in &mut *z {
            *x = libm::expf(*x);
        }
        format.hold(z);
        let mut sum = [z.iter().sum()];
        format.hold(&mut sum);
        for x in &mut *z {
            *x /= sum[0];
        }
        format.hold(z);
        loss.mean -= f64::from(libm::logf(z[class])) / to_f64(classes.len());
        loss.right += usize::from(best == class);
        softmax_gradient(z, 1.0, class, classes.len() as f32);
    }
    loss
}

/// Turns exponentials and their sum into the gradient of the batch's mean.
fn softmax_gradient(exponentials: &mut [f32], sum: f32, class: usize, batch: f32) {
    for x in &mut *exponentials {
        *x /= sum;
    }
    exponentials[class] -= 1.0;
    for x in exponentials {
        *x /= batch;
    }
}

/// Returns the first largest number with its place; NaNs are passed over.
fn largest(numbers: &[f32]) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (place, &x) in numbers.iter().enumerate() {
        if x > best.1 {
            best = (place, x);
        }
    }
    best
}
