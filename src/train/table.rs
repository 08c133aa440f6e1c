//! Measured rows become a table: for people what matters, for machines everything.

use serde_json::{Value, json};

use super::{
    experiment::Measured,
    judge::{Verdict, judge, standard},
    summary::{Role as Tensors, Spread},
    tally::to_f64,
    task::Figure,
    values::LossScale,
};
use crate::report::{Cell, Column, Place, Role, Span, Table, line_of, number, value_of};

/// Returns the columns for machines, in the order of the contract, and the further ones after them.
fn data_columns() -> Vec<Column> {
    let keys = "policy task seeds test_accuracy test_accuracy_min test_accuracy_max test_loss \
        test_loss_min test_loss_max train_loss train_loss_min train_loss_max steps skipped_steps \
        final_loss_scale first_nan_step first_nan_op gradients_flushed gradients_saturated \
        updates_lost weight_bytes gradient_bytes optimizer_bytes seconds \
        activations_flushed activations_saturated weights_flushed weights_saturated \
        largest_gradient recommended_loss_scale diverged_seeds parameters slots settings";
    keys.split_whitespace().map(|key| Column::new(key, key).place(Place::Data)).collect()
}

/// Returns a row's cells under [`data_columns`].
fn data_cells(row: &Measured, seeds: &[u64]) -> Vec<Cell> {
    let entry = &row.entry;
    let first_nan = row.first_nan();
    let mut cells =
        vec![Cell::text(&*entry.policy), Cell::text(entry.task.name), Cell::new(json!(seeds), "")];
    for figure in [Figure::Accuracy, Figure::TestLoss, Figure::TrainLoss] {
        cells.extend(spread_cells(row.figure(figure)));
    }
    cells.extend([
        whole(row.mean(|outcome| to_f64(outcome.log.len()))),
        whole(row.mean(|outcome| to_f64(outcome.skipped()))),
        optional(final_scale(row)),
        first_nan.map_or_else(Cell::absent, |first| Cell::count(first.step)),
        first_nan.map_or_else(Cell::absent, |first| Cell::text(&*first.operation)),
    ]);
    let [activations, weights, gradients] = Tensors::ALL.map(|role| row.tally(role));
    let memory = row.memory;
    cells.extend([
        optional(gradients.flushed_share()),
        optional(gradients.saturated_share()),
        optional(row.updates_lost()),
        Cell::count(memory.weights),
        Cell::count(memory.gradients),
        Cell::count(memory.optimizer),
        optional(Some(row.mean(|outcome| outcome.seconds))),
        optional(activations.flushed_share()),
        optional(activations.saturated_share()),
        optional(weights.flushed_share()),
        optional(weights.saturated_share()),
        optional(Some(f64::from(row.largest_gradient()))),
        optional(row.recommended_loss_scale()),
        Cell::count(row.diverged() as u64),
        Cell::count(memory.parameters),
        Cell::text(entry.slots.to_string()),
        Cell::text(entry.recipe.describe()),
    ]);
    cells
}

fn spread_cells(spread: Option<Spread>) -> [Cell; 3] {
    [
        optional(spread.map(|s| s.mean)),
        optional(spread.map(|s| s.min)),
        optional(spread.map(|s| s.max)),
    ]
}

fn optional(x: Option<f64>) -> Cell {
    Cell::new(x.map_or(Value::Null, value_of), "")
}

/// A mean of counts: an integer where it is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of steps")]
fn whole(mean: f64) -> Cell {
    if mean.fract() == 0.0 { Cell::count(mean as u64) } else { Cell::number(mean, "") }
}

/// Returns the mean of the loss scales at the end, if the policy scales the loss.
fn final_scale(row: &Measured) -> Option<f64> {
    let scales = row.entry.slots.loss_scale != LossScale::None;
    scales.then(|| row.mean(|outcome| f64::from(outcome.final_scale())))
}

/// Returns all rows with the columns for machines, followed by those of the screen.
pub fn data(rows: &[Measured], seeds: &[u64]) -> Table {
    let screen = screen(&rows.iter().collect::<Vec<_>>(), rows);
    let screen_columns = screen.columns.iter().cloned().map(|column| column.place(Place::Screen));
    let mut table = Table::new(data_columns().into_iter().chain(screen_columns));
    for (row, cells) in rows.iter().zip(screen.cells()) {
        table.push(data_cells(row, seeds).into_iter().chain(cells.iter().cloned()));
    }
    table
}

/// Characters of a policy's name and a figure that leave room for every column.
const LONG: usize = 28;

/// Returns the table that people see of some of the rows; `all` has those they are compared with.
pub fn screen(rows: &[&Measured], all: &[Measured]) -> Table {
    let figure = rows.first().map_or(Figure::Accuracy, |row| row.entry.task.figure);
    let mut table = Table::new([
        Column::new("", "policy").wraps(),
        Column::new("", first_heading(figure, rows)),
        Column::new("", second_heading(figure)).point(),
        Column::new("", "gradients\nflushed").right(),
        Column::new("", "updates\nlost").right(),
        Column::new("", "skipped\nsteps").right(),
        Column::new("", "scale\nat end").right(),
        Column::new("", "bytes a\nparameter").right(),
    ]);
    // Long names, long figures and the seconds do not all fit a line.
    let length = |row: &&Measured| line_of(&figure_cell(row, figure, all).spans).len();
    let names = rows.iter().map(|row| row.entry.policy.len()).max();
    let figures = rows.iter().map(length).max();
    let shows_seconds = names.unwrap_or(0) + figures.unwrap_or(0) <= LONG;
    if shows_seconds {
        table.columns.push(Column::new("", "s\n").right());
    }
    for row in rows {
        let (updates, lost) = row.updates();
        let flushed = row.tally(Tensors::Gradients);
        let mut cells = vec![
            Cell::text(&*row.entry.policy),
            figure_cell(row, figure, all),
            second_cell(row, second(figure), all),
            share_cell(flushed.flushed, flushed.numbers),
            share_cell(lost, updates),
            Cell::new(Value::Null, short(row.mean(|o| to_f64(o.skipped())))),
            final_scale(row)
                .map_or_else(Cell::absent, |scale| Cell::new(Value::Null, power(scale))),
            Cell::new(Value::Null, short(row.memory.bytes_a_parameter())),
        ];
        if shows_seconds {
            let seconds = row.mean(|outcome| outcome.seconds);
            cells.push(Cell::new(Value::Null, number::fixed(seconds, 1)));
        }
        table.push(cells);
    }
    table
}

fn first_heading(figure: Figure, rows: &[&Measured]) -> String {
    let name = match figure {
        Figure::Accuracy => "test acc %",
        Figure::TestLoss => "test MSE",
        Figure::TrainLoss => "train loss",
    };
    let has_range = rows.iter().any(|row| row.outcomes.len() > 1);
    format!("{name}\n{}", if has_range { "mean (range)" } else { "" })
}

const fn second_heading(figure: Figure) -> &'static str {
    match second(figure) {
        Figure::TestLoss => "validation\nloss",
        Figure::Accuracy | Figure::TrainLoss => "train loss\n",
    }
}

/// Returns the figure shown beside the one policies are ranked by.
const fn second(figure: Figure) -> Figure {
    match figure {
        Figure::Accuracy | Figure::TestLoss => Figure::TrainLoss,
        Figure::TrainLoss => Figure::TestLoss,
    }
}

/// Writes a figure: per cent, or three digits of a loss.
pub fn figure_text(figure: Figure, x: f64) -> String {
    match figure {
        Figure::Accuracy => number::fixed(100.0 * x, 1),
        Figure::TestLoss | Figure::TrainLoss => number::significant(x, if x < 1.0 { 3 } else { 4 }),
    }
}

fn figure_cell(row: &Measured, figure: Figure, all: &[Measured]) -> Cell {
    let Some(spread) = row.figure(figure) else { return nan_cell(row) };
    let text = |x| figure_text(figure, x);
    let mut shown = text(spread.mean);
    if row.outcomes.len() > 1 {
        shown = format!("{shown} ({}-{})", text(spread.min), text(spread.max));
    }
    if row.diverged() > 0 {
        shown = format!("{shown}, {} of {} NaN", row.diverged(), row.outcomes.len());
    }
    marked(shown, row, figure, all)
}

fn second_cell(row: &Measured, figure: Figure, all: &[Measured]) -> Cell {
    match row.figure(figure) {
        Some(spread) => marked(figure_text(figure, spread.mean), row, figure, all),
        None => Cell::absent(),
    }
}

/// Marks a figure that is worse than float32's by more than the seeds differ.
fn marked(text: String, row: &Measured, figure: Figure, all: &[Measured]) -> Cell {
    let verdict = standard(all, row).map(|standard| judge(row, standard, figure));
    if verdict == Some(Verdict::Worse) {
        let mark = Span::new(format!("{text} !"), Role::Bad);
        return Cell::spans(Value::Null, vec![mark]);
    }
    Cell::new(Value::Null, text)
}

fn nan_cell(row: &Measured) -> Cell {
    let step = row.first_nan().map_or(0, |first| first.step);
    Cell::new(Value::Null, format!("NaN at step {step}")).role(Role::Bad)
}

fn share_cell(count: u64, total: u64) -> Cell {
    let text = if total == 0 { "-".to_owned() } else { number::share(count, total) };
    Cell::new(Value::Null, text)
}

/// Writes a loss scale: a large or small power of two as such.
pub fn power(scale: f64) -> String {
    let exponent = libm::log2(scale);
    let is_power = exponent.fract() == 0.0;
    if is_power && !(-3.0..=16.0).contains(&exponent) {
        format!("2^{exponent}")
    } else {
        short(scale)
    }
}

/// Writes an integer as such, and another number in three digits.
fn short(x: f64) -> String {
    if x.fract() == 0.0 { number::shortest(x) } else { number::significant(x, 3) }
}
