//! Measured rows become sentences: what the numbers show, and nothing that they do not.
//!
//! A sentence about an ingredient compares two rows that differ in it alone. Whether it says that the
//! ingredient helps, hurts or makes no difference is the judgement of the figures; a difference
//! within the spread of the seeds is called that.

use super::{
    experiment::Measured,
    ingredient::{INGREDIENTS, Ingredient, differences},
    judge::{Verdict, judge, reference},
    optimizer::Rule,
    summary::Role,
    table::{figure_text, power},
    task::Figure,
    values::LossScale,
};
use crate::{
    codec::{Projection, Unpacked, decode, project},
    format::Format,
    report::number,
};

/// Comparisons of an ingredient that are printed at most.
const MOST: usize = 6;

/// Returns what the rows show, the most telling sentence first.
pub fn sentences(rows: &[Measured]) -> Vec<String> {
    let mut sentences: Vec<String> = matching(rows).into_iter().collect();
    sentences.extend(unscaled_and_well(rows));
    sentences.extend(compared(rows));
    sentences.extend(rows.iter().filter_map(failure));
    sentences.dedup();
    sentences
}

/// Names the rows that do as well as float32.
fn matching(rows: &[Measured]) -> Option<String> {
    let mut names = Vec::new();
    let mut seeds = 1;
    for row in rows {
        let Some(reference) = reference(rows, row).filter(|other| other.entry != row.entry) else {
            continue;
        };
        let figures = [row.entry.task.figure, Figure::TrainLoss];
        if figures.iter().all(|&figure| judge(row, reference, figure) != Verdict::Worse) {
            seeds = row.outcomes.len();
            if !names.contains(&row.entry.policy.as_str()) {
                names.push(row.entry.policy.as_str());
            }
        }
    }
    let within =
        if seeds > 1 { "the spread of the seeds" } else { "what other seeds would differ" };
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("{one} matches float32 within {within}.")),
        [most @ .., last] => {
            Some(format!("{} and {last} match float32 within {within}.", most.join(", ")))
        }
    }
}

/// Says where gradients become zero and it does not matter.
fn unscaled_and_well(rows: &[Measured]) -> Option<String> {
    rows.iter().find_map(|row| {
        let reference = reference(rows, row)?;
        let unscaled = matches!(row.entry.slots.loss_scale, LossScale::Static(1.0));
        let figure = row.entry.task.figure;
        let well = judge(row, reference, figure) != Verdict::Worse;
        let tally = row.tally(Role::Gradients);
        (unscaled && well && tally.flushed > 0).then(|| {
            format!(
                "This task needs no loss scaling: {} of the {} gradients become zero and it does \
                 not matter. A task where it decides: fpx train-demo --lesson loss-scale.",
                number::share(tally.flushed, tally.numbers),
                row.entry.slots.gradients.format,
            )
        })
    })
}

/// Compares rows that differ in one ingredient, the largest effect of each ingredient first.
fn compared(rows: &[Measured]) -> Vec<String> {
    let mut found: Vec<Effect> = Vec::new();
    for ingredient in INGREDIENTS {
        let pairs = rows.iter().flat_map(|before| rows.iter().map(move |after| (before, after)));
        let pairs = pairs.filter(|(before, after)| {
            differences(&before.entry, &after.entry).as_slice() == [ingredient.name]
                && (ingredient.is_added)(&before.entry, &after.entry)
        });
        let effects: Vec<Effect> =
            pairs.filter_map(|(before, after)| effect(ingredient, before, after)).collect();
        for verdict in [Verdict::Better, Verdict::Worse] {
            let of_verdict = effects.iter().filter(|effect| effect.verdict == verdict);
            let best = of_verdict.max_by(|a, b| a.size.total_cmp(&b.size));
            found.extend(best.cloned());
        }
    }
    found.sort_by(|a, b| b.size.total_cmp(&a.size));
    found.into_iter().take(MOST).map(|effect| effect.sentence).collect()
}

/// What an ingredient did between two rows.
#[derive(Clone, Debug)]
struct Effect {
    verdict: Verdict,
    /// The logarithm of the ratio of the figures; infinite where one is not finite.
    size: f64,
    sentence: String,
}

/// Says what an ingredient did between two rows; nothing if it did nothing.
fn effect(ingredient: &Ingredient, before: &Measured, after: &Measured) -> Option<Effect> {
    let figures = [before.entry.task.figure, Figure::TrainLoss];
    let (figure, verdict) = figures
        .into_iter()
        .map(|figure| (figure, judge(after, before, figure)))
        .find(|(_, verdict)| *verdict != Verdict::Same)?;
    let said = if verdict == Verdict::Better { ingredient.helps } else { ingredient.hurts };
    let text = |row: &Measured| {
        let spread = row.figure(figure);
        spread.map_or("NaN".to_owned(), |spread| figure_text(figure, spread.mean))
    };
    let name = match figure {
        Figure::Accuracy => "accuracy",
        Figure::TestLoss => "test loss",
        Figure::TrainLoss => "training loss",
    };
    let unit = if figure == Figure::Accuracy { " %" } else { "" };
    let size = match (before.figure(figure), after.figure(figure)) {
        (Some(before), Some(after)) => libm::fabs(libm::log(after.mean / before.mean)),
        _ => f64::INFINITY,
    };
    let (from, to) = (&before.entry.policy, &after.entry.policy);
    let why =
        (ingredient.why)(before, after, verdict).map_or(String::new(), |why| format!(" {why}"));
    let (x, y) = (text(before), text(after));
    let sentence = format!("{said}: {name} {x} -> {y}{unit} ({from} -> {to}).{why}");
    Some(Effect { verdict, size, sentence })
}

/// Says why a row has no result.
fn failure(row: &Measured) -> Option<String> {
    let first = row.first_nan()?;
    let name = &row.entry.policy;
    let slots = &row.entry.slots;
    if let Some(epsilon) = vanished_epsilon(row) {
        let format = &slots.optimizer_state.format;
        let least = decode(format, format.least_positive()).to_f64();
        let least = number::scientific(least, 2);
        return Some(format!(
            "{name}: Adam's eps {epsilon:e} rounds to 0 in {format} (least subnormal {least}), so \
             0/0 at step {}: the optimizer's state belongs in float32.",
            first.step
        ));
    }
    let at = format!("at step {}, {}", first.step, first.operation);
    if row.diverged() == 0 {
        return Some(format!("{name}: the loss was not finite {at}, and recovered."));
    }
    let scale =
        row.outcomes.iter().map(super::run::Outcome::final_scale).fold(f32::INFINITY, f32::min);
    if slots.loss_scale != LossScale::None && scale < 1.0 {
        let scale = power(f64::from(scale));
        return Some(format!(
            "{name}: NaN {at}; the scale fell to {scale}: a scale below 1 says that the forward \
             pass overflows, which no loss scale cures."
        ));
    }
    Some(format!("{name}: NaN {at}."))
}

/// Returns Adam's ε if it becomes 0 in the format of the optimizer's state.
pub fn vanished_epsilon(row: &Measured) -> Option<f32> {
    let Rule::Adam { epsilon } = row.entry.recipe.rule else { return None };
    let format: &Format = &row.entry.slots.optimizer_state.format;
    let rounded = project(format, &Projection::default(), &Unpacked::from_f32(epsilon)).code;
    (epsilon > 0.0 && rounded == 0).then_some(epsilon)
}
