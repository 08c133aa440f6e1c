//! Two rows become the names of the ingredients in which they differ.

use super::{
    experiment::{Entry, Measured},
    judge::Verdict,
    layer::Shape,
    loss::Objective,
    optimizer::Rule,
    summary::Role,
    values::{Activation, LossScale, Scaling, Update},
};
use crate::{block::spec::Spec, report::number};

/// Something that a recipe has or has not, with what to say of it.
#[derive(Debug)]
pub struct Ingredient {
    /// Its name.
    pub name: &'static str,
    /// Whether two rows differ in it.
    differs: fn(&Entry, &Entry) -> bool,
    /// Whether the second row is the one that has it, or has more of it.
    pub is_added: fn(&Entry, &Entry) -> bool,
    /// What to say where the second row does better.
    pub helps: &'static str,
    /// What to say where the second row does worse.
    pub hurts: &'static str,
    /// What in the numbers explains it.
    pub why: fn(&Measured, &Measured, Verdict) -> Option<String>,
}

/// Returns the ingredients in which two rows of one task differ; rows of different tasks differ in
/// everything.
pub fn differences(before: &Entry, after: &Entry) -> Vec<&'static str> {
    let differing = INGREDIENTS
        .iter()
        .filter(|ingredient| before.task != after.task || (ingredient.differs)(before, after));
    let mut names: Vec<&'static str> = differing.map(|ingredient| ingredient.name).collect();
    names.dedup();
    names
}

/// Every ingredient. Rows with the same name are the same difference, seen differently.
pub static INGREDIENTS: &[Ingredient] = &[
    Ingredient {
        name: "loss scale",
        differs: |a, b| a.slots.loss_scale != b.slots.loss_scale,
        is_added: |a, b| scale_of(a) == 1.0 && scale_of(b) != 1.0,
        helps: "Loss scaling decides",
        hurts: "A loss scale too large overflows",
        why: |before, _, verdict| {
            let flushed = flushed(before, "Unscaled, ", " of the gradients become 0.");
            let flushed = flushed.filter(|_| verdict == Verdict::Better)?;
            Some(flushed + &small_gradients(before))
        },
    },
    Ingredient {
        name: "master weights",
        differs: |a, b| {
            a.slots.master != b.slots.master || a.slots.optimizer_state != b.slots.optimizer_state
        },
        is_added: |a, b| a.slots.master.is_some() && b.slots.master.is_none(),
        helps: "Without master weights it does better",
        hurts: "Without float32 master weights and optimizer state",
        why: |_, after, _| lost(after),
    },
    Ingredient {
        name: "update",
        differs: |a, b| a.slots.update != b.slots.update,
        is_added: |a, b| a.slots.update == Update::Nearest && b.slots.update == Update::Stochastic,
        helps: "Stochastic rounding of the updates recovers it",
        hurts: "Stochastic rounding of the updates hurts",
        why: |before, _, _| lost(before),
    },
    Ingredient {
        name: "update",
        differs: |_, _| false,
        is_added: |a, b| a.slots.update == Update::Nearest && b.slots.update == Update::Kahan,
        helps: "Kahan summation of the updates recovers it",
        hurts: "Kahan summation of the updates hurts",
        why: |before, _, _| lost(before),
    },
    Ingredient {
        name: "scaling",
        differs: |a, b| a.slots.scaling != b.slots.scaling,
        is_added: |a, b| a.slots.scaling == Scaling::None && b.slots.scaling == Scaling::Current,
        helps: "Scaling each tensor by its largest magnitude decides",
        hurts: "Scaling each tensor by its largest magnitude hurts",
        why: |before, _, _| flushed(before, "Unscaled, ", " of the gradients become 0."),
    },
    Ingredient {
        name: "scaling",
        differs: |_, _| false,
        is_added: |a, b| {
            a.slots.scaling == Scaling::Current
                && matches!(b.slots.scaling, Scaling::Delayed { .. })
        },
        helps: "Delayed scaling does better than current",
        hurts: "Delayed scaling does worse than current",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "gradients",
        differs: |a, b| a.slots.gradients != b.slots.gradients,
        is_added: |a, b| is_stochastic(&b.slots.gradients) && !is_stochastic(&a.slots.gradients),
        helps: "Stochastic rounding of gradients recovers it",
        hurts: "Stochastic rounding of gradients hurts",
        why: |before, after, verdict| {
            let tally = after.tally(Role::Gradients);
            let share = number::share(tally.saturated, tally.numbers);
            match verdict {
                Verdict::Worse if tally.saturated > 0 => {
                    Some(format!("{share} of them saturate, which biases what is left."))
                }
                Verdict::Worse => None,
                Verdict::Better | Verdict::Same => {
                    flushed(before, "To nearest, ", " of the gradients become 0.")
                }
            }
        },
    },
    Ingredient {
        name: "gradients",
        differs: |_, _| false,
        is_added: |a, b| {
            let (ours, theirs) = (&a.slots.gradients.format, &b.slots.gradients.format);
            theirs.emin() < ours.emin() && a.slots.scaling == Scaling::None
        },
        helps: "Gradients need range more than precision",
        hurts: "Gradients with more range do worse",
        why: |before, _, _| flushed(before, "With less, ", " of them become 0."),
    },
    Ingredient {
        name: "prescale",
        differs: |a, b| a.slots.prescale != b.slots.prescale,
        is_added: |a, b| a.slots.prescale == 1.0 && b.slots.prescale != 1.0,
        helps: "Scaling gradients by 3/4 before rounding, so that none saturates, cures it",
        hurts: "Scaling gradients before rounding hurts",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "Hadamard",
        differs: |a, b| a.slots.hadamard != b.slots.hadamard,
        is_added: |a, b| a.slots.hadamard == super::values::Hadamard::None && a != b,
        helps: "A random Hadamard transform before weight gradients recovers it",
        hurts: "A random Hadamard transform before weight gradients hurts",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "weight blocks",
        differs: |a, b| a.slots.weight_scales != b.slots.weight_scales,
        is_added: |a, _| a.slots.weight_scales == super::values::WeightScales::OneDimensional,
        helps: "Square blocks of weights help",
        hurts: "Square blocks of weights cost precision",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "softmax",
        differs: |a, b| a.slots.softmax != b.slots.softmax,
        is_added: |a, _| a.slots.softmax == super::values::Softmax::Naive,
        helps: "A stable softmax decides: subtract the largest logit before exp",
        hurts: "The stable softmax does worse",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "kept layers",
        differs: |a, b| a.slots.keep != b.slots.keep,
        is_added: |a, b| a.slots.keep.largest() == 0 && b.slots.keep.largest() > 0,
        helps: "A layer left in float32 recovers it",
        hurts: "A layer left in float32 makes it worse",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "accumulator",
        differs: |a, b| a.slots.accumulate != b.slots.accumulate,
        is_added: |a, _| a.slots.accumulate == super::values::Accumulate::default(),
        helps: "A narrow accumulator does better",
        hurts: "A narrow accumulator hurts",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "weight decay",
        differs: |a, b| a.slots.weight_decay != b.slots.weight_decay,
        is_added: |a, b| a.slots.weight_decay < b.slots.weight_decay,
        helps: "Weight decay keeps the logits small enough",
        hurts: "Weight decay hurts",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "momentum",
        differs: |a, b| a.slots.momentum != b.slots.momentum,
        is_added: |a, b| a.slots.momentum > b.slots.momentum,
        helps: "Less momentum helps",
        hurts: "Less momentum hurts",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "activation",
        differs: |a, b| a.slots.activation != b.slots.activation,
        is_added: |a, b| b.slots.activation != Activation::Task && a != b,
        helps: "Another activation function helps",
        hurts: "Another activation function hurts",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "learning rate",
        differs: |a, b| a.recipe.learning_rate != b.recipe.learning_rate,
        is_added: |a, b| a.recipe.learning_rate > b.recipe.learning_rate,
        helps: "A lower learning rate decides",
        hurts: "A lower learning rate learns less",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "clipping",
        differs: |a, b| a.recipe.clip != b.recipe.clip,
        is_added: |a, b| a.recipe.clip.is_none() && b.recipe.clip.is_some(),
        helps: "Clipping the gradients decides",
        hurts: "Clipping the gradients hurts",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "optimizer",
        differs: |a, b| a.recipe.rule != b.recipe.rule,
        is_added: |a, b| epsilon(a) < epsilon(b),
        helps: "A larger eps of Adam decides",
        hurts: "A larger eps of Adam hurts",
        why: |_, _, _| None,
    },
    Ingredient {
        name: "the rest",
        differs: |a, b| {
            a.slots.weights != b.slots.weights
                || a.slots.activations != b.slots.activations
                || a.recipe.epochs != b.recipe.epochs
                || a.recipe.batch != b.recipe.batch
        },
        is_added: |_, _| false,
        helps: "",
        hurts: "",
        why: |_, _, _| None,
    },
];

/// Returns the loss scale a row begins with; infinite where it moves, as that is not a number.
fn scale_of(entry: &Entry) -> f32 {
    match entry.slots.loss_scale {
        LossScale::None => 1.0,
        LossScale::Static(scale) => scale,
        LossScale::Dynamic { .. } => f32::INFINITY,
    }
}

fn is_stochastic(spec: &Spec) -> bool {
    spec.rounding.is_some_and(|rounding| rounding.mode.is_stochastic())
}

fn epsilon(entry: &Entry) -> f32 {
    match entry.recipe.rule {
        Rule::Adam { epsilon } => epsilon,
        Rule::Sgd => f32::INFINITY,
    }
}

fn flushed(row: &Measured, before: &str, after: &str) -> Option<String> {
    let tally = row.tally(Role::Gradients);
    let share = number::share(tally.flushed, tally.numbers);
    (tally.flushed > 0).then(|| format!("{before}{share}{after}"))
}

/// Says why a model has small gradients, if it is one that does.
fn small_gradients(row: &Measured) -> String {
    let Shape { widths, activation, .. } = &row.shape;
    match (row.entry.task.objective, activation, widths.as_slice()) {
        (Objective::SquaredError, Activation::Logistic, [_, hidden @ .., outputs]) => format!(
            " They are small because the loss is a mean over {} x {outputs} numbers, and each of {} \
             logistic layers multiplies them by 1/4 or less.",
            row.entry.recipe.batch,
            hidden.len()
        ),
        _ => String::new(),
    }
}

fn lost(row: &Measured) -> Option<String> {
    let (all, lost) = row.updates();
    (lost > 0).then(|| format!("{} of the updates change nothing.", number::share(lost, all)))
}
