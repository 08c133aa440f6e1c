//! The runs of a row become its figures: means over the seeds with their range.

pub use super::tally::Role;
use super::{
    experiment::Measured,
    loss::Objective,
    quantizer::{holds_results, largest_finite},
    run::{FirstNan, Outcome},
    tally::{Tally, share, to_f64},
    task::Figure,
};
use crate::format::F32;

/// A figure over several seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The least.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Returns the figure's mean and range, if there is any.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let figures: Vec<f64> = figures.into_iter().collect();
        let mean = figures.iter().sum::<f64>() / to_f64(figures.len());
        let min = figures.iter().copied().reduce(f64::min)?;
        Some(Self { mean, min, max: figures.iter().copied().fold(min, f64::max) })
    }

    /// Returns the distance between the least and the largest.
    pub fn width(&self) -> f64 {
        self.max - self.min
    }
}

impl Measured {
    /// Returns a figure of the runs whose weights stayed finite.
    pub fn figure(&self, figure: Figure) -> Option<Spread> {
        Spread::of(self.outcomes.iter().filter_map(|outcome| match figure {
            Figure::Accuracy => self.has_classes().then_some(outcome.test?.accuracy),
            Figure::TestLoss => Some(outcome.test?.loss),
            Figure::TrainLoss => Some(outcome.train?.loss),
        }))
    }

    /// Whether outputs are classes, so that there is an accuracy.
    pub fn has_classes(&self) -> bool {
        self.entry.task.objective == Objective::CrossEntropy
    }

    /// Returns how many runs ended with weights that are not finite.
    pub fn diverged(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.test.is_none()).count()
    }

    /// Returns the earliest step, over the seeds, that made a weight or the loss infinite or NaN.
    pub fn first_nan(&self) -> Option<&FirstNan> {
        let found = self.outcomes.iter().filter_map(|outcome| outcome.first_nan.as_ref());
        found.min_by_key(|first| first.step)
    }

    /// Returns the mean of a number over the seeds.
    ///
    /// # Panics
    ///
    /// If there are no runs.
    pub fn mean(&self, number: impl Fn(&Outcome) -> f64) -> f64 {
        Spread::of(self.outcomes.iter().map(number)).expect("a row has runs").mean
    }

    /// Returns the sum of one role's tallies over the seeds.
    pub fn tally(&self, role: Role) -> Tally {
        let mut sum = Tally::default();
        for outcome in &self.outcomes {
            sum += outcome.tallies[role];
        }
        sum
    }

    /// Returns the largest finite gradient of all seeds, with the loss scale undone.
    pub fn largest_gradient(&self) -> f32 {
        self.outcomes.iter().map(|outcome| outcome.largest_gradient).fold(0.0, f32::max)
    }

    /// Returns the largest finite gradient of all seeds as it was scaled, skipped steps apart.
    pub fn largest_scaled_gradient(&self) -> f32 {
        self.outcomes.iter().map(|outcome| outcome.largest_scaled_gradient).fold(0.0, f32::max)
    }

    /// Returns the largest power of two that keeps all gradients below the largest finite number of
    /// their format, if that is a format whose range needs care.
    pub fn recommended_loss_scale(&self) -> Option<f64> {
        let exponent = self.headroom(self.largest_gradient())?.floor();
        Some(libm::exp2(exponent))
    }

    /// Returns the bits between a gradient and the largest finite one of its format, if the format
    /// holds results and has less range than float32.
    pub fn headroom(&self, largest: f32) -> Option<f64> {
        let format = &self.entry.slots.gradients.format;
        let is_narrow = holds_results(format) && format.emax() < F32.emax();
        let room = f64::from(largest_finite(format)) / f64::from(largest);
        (is_narrow && room.is_finite()).then(|| libm::log2(room))
    }

    /// Returns the nonzero updates of all seeds, and those that changed nothing.
    pub fn updates(&self) -> (u64, u64) {
        let updates = self.outcomes.iter().map(|outcome| outcome.updates);
        updates.fold((0, 0), |(all, lost), more| (all + more.nonzero, lost + more.lost))
    }

    /// Returns the share of nonzero updates that changed nothing.
    pub fn updates_lost(&self) -> Option<f64> {
        let (all, lost) = self.updates();
        share(lost, all)
    }
}
