//! Measured rows become sentences: what the numbers show, and nothing that they do not.
//!
//! A sentence about an ingredient compares two rows that differ in it alone. Whether it says that the
//! ingredient helps, hurts or makes no difference is the judgement of the figures; a difference
//! within the spread of the seeds is called that.

use super::{
    experiment::{Entry, Measured},
    ingredient::{INGREDIENTS, Ingredient, differences},
    judge::{Verdict, judge, reference},
    label::context,
    optimizer::Rule,
    summary::Role,
    table::{figure_text, power},
    task::Figure,
    values::{Accumulate, LossScale},
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
    let mut sentences = matching(rows);
    sentences.extend(unscaled_and_well(rows));
    sentences.extend(short_sums(rows));
    sentences.extend(compared(rows));
    sentences.extend(rows.iter().filter_map(failure));
    sentences.dedup();
    sentences
}

/// Names the rows of each table that do as well as float32.
fn matching(rows: &[Measured]) -> Vec<String> {
    let entries: Vec<&Entry> = rows.iter().map(|row| &row.entry).collect();
    let groups = rows.chunk_by(|a, b| a.entry.group == b.entry.group);
    let sentence = |group: &[Measured]| {
        let is_as_good = |row: &&Measured| {
            let figures = [row.entry.task.figure, Figure::TrainLoss];
            let reference = reference(rows, row).filter(|other| other.entry != row.entry);
            reference.is_some_and(|reference| {
                figures.iter().all(|&figure| judge(row, reference, figure) != Verdict::Worse)
            })
        };
        let names: Vec<&str> =
            group.iter().filter(is_as_good).map(|row| &*row.entry.policy).collect();
        let names = match names.as_slice() {
            [] => return None,
            [one] => format!("{one} matches"),
            [most @ .., last] => format!("{} and {last} match", most.join(", ")),
        };
        let [first, ..] = group else { return None };
        let several = first.outcomes.len() > 1;
        let within =
            if several { "the spread of the seeds" } else { "what other seeds would differ" };
        let context = context(&first.entry, &entries);
        let context = context.map_or(String::new(), |context| format!("{context}: "));
        Some(format!("{context}{names} float32 within {within}."))
    };
    groups.filter_map(sentence).collect()
}

/// Says where gradients become zero and it does not matter.
fn unscaled_and_well(rows: &[Measured]) -> Option<String> {
    let is_unscaled =
        |row: &&Measured| matches!(row.entry.slots.loss_scale, LossScale::Static(1.0));
    let is_well = |row: &Measured| {
        let figure = row.entry.task.figure;
        reference(rows, row).is_some_and(|other| judge(row, other, figure) != Verdict::Worse)
    };
    let well = |row: &&Measured| is_well(row) && row.tally(Role::Gradients).flushed > 0;
    let row = rows.iter().filter(is_unscaled).find(well)?;
    let fails = |row: &Measured| reference(rows, row).is_some() && !is_well(row);
    let decides_here = rows.iter().filter(is_unscaled).any(fails);
    let (subject, hint) = if decides_here {
        (&*row.label, "")
    } else {
        let hint = " A task where it decides: fpx train-demo --lesson loss-scale.";
        ("This task", hint)
    };
    let tally = row.tally(Role::Gradients);
    let share = number::share(tally.flushed, tally.numbers);
    let format = &row.entry.slots.gradients.format;
    Some(format!(
        "{subject} needs no loss scaling: {share} of the {format} gradients become zero and it does \
         not matter.{hint}"
    ))
}

/// Says where narrow accumulators change nothing, and why.
fn short_sums(rows: &[Measured]) -> Option<String> {
    let is_narrow = |row: &&Measured| row.entry.slots.accumulate != Accumulate::default();
    let first = rows.iter().find(is_narrow)?;
    let figures = [first.entry.task.figure, Figure::TrainLoss];
    let is_same = |row: &Measured| {
        reference(rows, row).is_some_and(|other| {
            figures.iter().all(|&figure| judge(row, other, figure) == Verdict::Same)
        })
    };
    let terms = first.shape.widths.iter().max().max(Some(&first.entry.recipe.batch))?;
    rows.iter().filter(is_narrow).all(is_same).then(|| {
        format!("In training, narrow accumulators change nothing here: no sum has more than {terms} terms.")
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
    let (from, to) = (&before.label, &after.label);
    let why =
        (ingredient.why)(before, after, verdict).map_or(String::new(), |why| format!(" {why}"));
    let (x, y) = (text(before), text(after));
    let sentence = format!("{said}: {name} {x} -> {y}{unit} ({from} -> {to}).{why}");
    Some(Effect { verdict, size, sentence })
}

/// Says why a row has no result.
fn failure(row: &Measured) -> Option<String> {
    let first = row.first_nan()?;
    let name = &row.label;
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
