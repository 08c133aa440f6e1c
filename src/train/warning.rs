//! Measured rows become warnings: what is likely to be a mistake, and why.

use super::{
    experiment::Measured,
    findings::vanished_epsilon,
    quantizer::holds_results,
    summary::Role,
    table::power,
    values::{LossScale, Scaling, Update},
};
use crate::report::number;

/// More of anything than this share, lost or saturated, deserves a warning.
const MUCH: f64 = 0.5;

/// Returns the warnings of a row.
pub fn warnings(row: &Measured) -> Vec<String> {
    let checks = [scale_below_one, epsilon, scaler_of_pure, updates_lost, saturation];
    checks.iter().filter_map(|check| check(row)).collect()
}

/// PyTorch's documentation: a scale below 1 means that something is wrong.
fn scale_below_one(row: &Measured) -> Option<String> {
    let LossScale::Dynamic { .. } = row.entry.slots.loss_scale else { return None };
    let final_scales = row.outcomes.iter().map(super::run::Outcome::final_scale);
    let scale = final_scales.fold(f32::INFINITY, f32::min);
    (scale < 1.0).then(|| {
        let scale = power(f64::from(scale));
        format!("the loss scale fell to {scale}: below 1 it is the forward pass that overflows")
    })
}

fn epsilon(row: &Measured) -> Option<String> {
    let epsilon = vanished_epsilon(row)?;
    let format = &row.entry.slots.optimizer_state.format;
    Some(format!(
        "Adam's eps {epsilon:e} rounds to 0 in {format}: use 1e-4 or more, or float32 state"
    ))
}

fn scaler_of_pure(row: &Measured) -> Option<String> {
    let slots = &row.entry.slots;
    let scales = matches!(slots.loss_scale, LossScale::Dynamic { .. });
    let is_pure = slots.master.is_none() && holds_results(&slots.gradients.format);
    (scales && is_pure).then(|| {
        let format = &slots.gradients.format;
        format!("PyTorch's GradScaler refuses {format} gradients: it needs float32 master weights")
    })
}

fn updates_lost(row: &Measured) -> Option<String> {
    let slots = &row.entry.slots;
    let format = &slots.master.as_ref().unwrap_or(&slots.weights).format;
    let is_nearest = slots.update == Update::Nearest;
    let is_much = is_nearest && row.updates_lost()? > MUCH;
    (is_much && *format != crate::format::F32).then(|| {
        let (all, lost) = row.updates();
        let share = number::share(lost, all);
        format!(
            "{share} of the updates are below half an ulp of their {format} weight and are lost"
        )
    })
}

fn saturation(row: &Measured) -> Option<String> {
    if row.entry.slots.scaling == Scaling::Block {
        return None; // the floor rule of MX saturates block maxima by design
    }
    let role =
        Role::ALL.into_iter().find(|&role| row.tally(role).saturated_share() > Some(MUCH / 5.0))?;
    let tally = row.tally(role);
    let share = number::share(tally.saturated, tally.numbers);
    Some(format!("{share} of the {} lie beyond the largest finite number", role.name()))
}
