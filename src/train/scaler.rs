//! Gradients of a scaled loss become gradients, and steps with infinities are skipped.
//!
//! The dynamic scale is PyTorch's `GradScaler` (`torch/amp/grad_scaler.py`,
//! `AmpGradScalerKernels.cpp`): it halves after a step with an infinity or NaN among the gradients,
//! and doubles after `interval` steps without. There is no floor: a scale below 1 says that it is
//! not the gradients that overflow.
//!
//! ```
//! use fpx::train::{scaler::Scaler, values::LossScale};
//! let mut scaler = Scaler::new(LossScale::Dynamic { initial: 8.0, interval: 2 });
//! scaler.update(true);
//! assert_eq!(scaler.scale(), 4.0);
//! scaler.update(false);
//! scaler.update(false);
//! assert_eq!(scaler.scale(), 8.0);
//! ```

use super::values::LossScale;

/// The loss scale and what moves it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaler {
    scale: f32,
    /// Steps without infinities since the scale last changed, where it moves at all.
    steps_since_change: u32,
    interval: Option<u32>,
}

/// The factor after `interval` steps without infinities.
const GROWTH: f32 = 2.0;
/// The factor after a step with one.
const BACKOFF: f32 = 0.5;

impl Scaler {
    /// Returns the scaler in its first state.
    pub const fn new(kind: LossScale) -> Self {
        let (scale, interval) = match kind {
            LossScale::None => (1.0, None),
            LossScale::Static(scale) => (scale, None),
            LossScale::Dynamic { initial, interval } => (initial, Some(interval)),
        };
        Self { scale, steps_since_change: 0, interval }
    }

    /// Returns the factor on the loss.
    pub const fn scale(&self) -> f32 {
        self.scale
    }

    /// Whether steps with infinite or NaN gradients are skipped.
    pub const fn skips(&self) -> bool {
        self.interval.is_some()
    }

    /// Returns what gradients are multiplied by to undo the scale: its inverse, found in binary64
    /// and rounded to binary32. Infinite once the scale is below 2^-128.
    #[expect(clippy::cast_possible_truncation, reason = "PyTorch rounds the inverse to binary32")]
    pub fn inverse(&self) -> f32 {
        f64::from(self.scale).recip() as f32
    }

    /// Moves the scale at the end of a step.
    pub const fn update(&mut self, found_infinity: bool) {
        let Some(interval) = self.interval else { return };
        if found_infinity {
            self.scale *= BACKOFF;
            self.steps_since_change = 0;
            return;
        }
        self.steps_since_change += 1;
        if self.steps_since_change == interval {
            let grown = self.scale * GROWTH;
            if grown.is_finite() {
                self.scale = grown;
            }
            self.steps_since_change = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaler(initial: f32, interval: u32) -> Scaler {
        Scaler::new(LossScale::Dynamic { initial, interval })
    }

    #[test]
    fn starts_at_pytorchs_defaults() {
        let scaler = Scaler::new(LossScale::DYNAMIC);
        assert_eq!((scaler.scale(), scaler.interval), (65536.0, Some(2000)));
        assert!(scaler.skips());
    }

    #[test]
    fn grows_only_at_the_interval_and_counts_anew_after_it() {
        let mut scaler = scaler(4.0, 3);
        let scales: Vec<f32> = (0..7)
            .map(|_| {
                scaler.update(false);
                scaler.scale()
            })
            .collect();
        assert_eq!(scales, [4.0, 4.0, 8.0, 8.0, 8.0, 16.0, 16.0]);
    }

    #[test]
    fn an_infinity_halves_the_scale_and_restarts_the_count() {
        let mut scaler = scaler(4.0, 2);
        scaler.update(false);
        scaler.update(true);
        assert_eq!(scaler.scale(), 2.0);
        scaler.update(false);
        assert_eq!(scaler.scale(), 2.0, "one step since the backoff");
        scaler.update(false);
        assert_eq!(scaler.scale(), 4.0);
    }

    #[test]
    fn growth_past_the_largest_float_is_not_taken_but_counted() {
        let mut scaler = scaler(2f32.powi(127), 2);
        scaler.update(false);
        scaler.update(false);
        assert_eq!((scaler.scale(), scaler.steps_since_change), (2f32.powi(127), 0));
    }

    #[test]
    fn there_is_no_floor_and_the_inverse_ends_at_infinity() {
        let mut scaler = scaler(1.0, 2000);
        for _ in 0..130 {
            scaler.update(true);
        }
        assert_eq!(scaler.scale(), 2f32.powi(-130));
        assert_eq!(scaler.inverse(), f32::INFINITY);
        for _ in 0..30 {
            scaler.update(true);
        }
        assert_eq!(scaler.scale(), 0.0);
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "the rounding that is tested")]
    fn the_inverse_is_rounded_once_from_binary64() {
        assert_eq!(scaler(3.0, 1).inverse(), (1.0f64 / 3.0) as f32);
        assert_eq!(scaler(65536.0, 1).inverse(), 2f32.powi(-16));
    }

    #[test]
    fn static_and_no_scales_never_move_or_skip() {
        for (kind, scale) in [(LossScale::None, 1.0), (LossScale::Static(128.0), 128.0)] {
            let mut scaler = Scaler::new(kind);
            scaler.update(true);
            scaler.update(false);
            assert_eq!(scaler.scale(), scale);
            assert!(!scaler.skips());
        }
    }
}
