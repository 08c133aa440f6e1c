//! What a layer computed becomes what the next one reads, and back for gradients.
//!
//! Every function's derivative follows from its result, so only results are kept for the backward
//! pass. `exp` and `tanh` are the `libm` crate's, the same on every machine.

use super::values::Activation;

/// Applies the function to each number.
pub fn apply(activation: Activation, numbers: &mut [f32]) {
    match activation {
        Activation::Task => {}
        Activation::Relu => map(numbers, |x| if x > 0.0 || x.is_nan() { x } else { 0.0 }),
        Activation::Tanh => map(numbers, libm::tanhf),
        Activation::Logistic => map(numbers, |x| 1.0 / (1.0 + libm::expf(-x))),
    }
}

/// Whether results are among the inputs and zero, so that there is nothing to round.
pub const fn is_exact(activation: Activation) -> bool {
    matches!(activation, Activation::Task | Activation::Relu)
}

fn map(numbers: &mut [f32], function: impl Fn(f32) -> f32) {
    for x in numbers {
        *x = function(*x);
    }
}

/// Turns gradients of results into gradients of what the function was applied to.
pub fn backward(activation: Activation, results: &[f32], gradients: &mut [f32]) {
    match activation {
        Activation::Task => {}
        Activation::Relu => zip(gradients, results, |g, y| if y > 0.0 { g } else { 0.0 }),
        Activation::Tanh => zip(gradients, results, |g, y| g * (1.0 - y * y)),
        Activation::Logistic => zip(gradients, results, |g, y| g * (y * (1.0 - y))),
    }
}

fn zip(gradients: &mut [f32], results: &[f32], function: impl Fn(f32, f32) -> f32) {
    for (g, &y) in gradients.iter_mut().zip(results) {
        *g = function(*g, y);
    }
}
