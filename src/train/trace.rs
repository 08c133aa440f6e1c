//! Results of operations become the name of the first one that was not finite, and gradients a
//! histogram.

use super::tally::Binades;

/// What is seen of a run while it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    first: Option<String>,
    /// The gradients of activations, scaled and before they are rounded.
    pub gradients: Binades,
}

impl Trace {
    /// Forgets the last step.
    pub fn clear(&mut self) {
        self.first = None;
    }

    /// Counts gradients of activations by their size.
    pub fn record(&mut self, gradients: &[f32]) {
        self.gradients.record(gradients);
    }

    /// Looks at the result of an operation.
    pub fn check(&mut self, operation: impl FnOnce() -> String, result: &[f32]) {
        if self.first.is_none() && !is_finite(result) {
            self.first = Some(operation());
        }
    }

    /// Returns the first operation whose result was not finite.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }
}

/// Whether no number is infinite or NaN.
pub fn is_finite(numbers: &[f32]) -> bool {
    // No early end within a chunk, so that the compiler can use vectors.
    numbers.chunks(1024).all(|chunk| chunk.iter().fold(true, |all, x| all & x.is_finite()))
}
