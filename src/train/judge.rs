//! Two rows become a verdict: is the difference more than other seeds would make?

use super::{experiment::Measured, summary::Spread, task::Figure};

/// How a row compares with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// By more than the seeds differ.
    Better,
    /// Within what the seeds differ: noise.
    Same,
    /// By more than the seeds differ, or its weights are not finite.
    Worse,
}

/// With one seed, a training loss that differs by less than this share may be noise.
const LOSS_NOISE: f64 = 0.25;

/// Compares a figure of a row with another row's.
pub fn judge(row: &Measured, other: &Measured, figure: Figure) -> Verdict {
    match (row.figure(figure), other.figure(figure)) {
        (Some(_), None) => Verdict::Better,
        (None, None) => Verdict::Same,
        (None, Some(_)) => Verdict::Worse,
        (Some(ours), Some(theirs)) => {
            let gain = ours.mean - theirs.mean;
            let gain = if figure.more_is_better() { gain } else { -gain };
            let noise = noise(row, figure, ours, theirs);
            if gain > noise {
                Verdict::Better
            } else if gain < -noise {
                Verdict::Worse
            } else {
                Verdict::Same
            }
        }
    }
}

/// Returns the difference that other seeds would make: what they made, or for a single seed what
/// is known of the task.
fn noise(row: &Measured, figure: Figure, ours: Spread, theirs: Spread) -> f64 {
    let task = row.entry.task;
    if row.outcomes.len() > 1 {
        ours.width().max(theirs.width())
    } else if figure == task.figure {
        task.noise
    } else {
        LOSS_NOISE * ours.mean.min(theirs.mean)
    }
}

/// Returns the float32 row of the same task and settings.
pub fn reference<'a>(rows: &'a [Measured], row: &Measured) -> Option<&'a Measured> {
    rows.iter().find(|other| is_reference(other, row) && other.entry.recipe == row.entry.recipe)
}

/// Returns the float32 row that a row is marked against: with the same settings, else the one of
/// its table.
pub fn standard<'a>(rows: &'a [Measured], row: &Measured) -> Option<&'a Measured> {
    let in_table =
        |other: &&Measured| is_reference(other, row) && other.entry.group == row.entry.group;
    reference(rows, row).or_else(|| rows.iter().find(in_table))
}

fn is_reference(other: &Measured, row: &Measured) -> bool {
    let (ours, theirs) = (&row.entry, &other.entry);
    ours.task == theirs.task && theirs.slots == ours.slots.in_float32()
}
