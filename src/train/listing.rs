//! Tables of choices become reports: what `list` shows of policies, tasks and lessons.

use super::{lesson::LESSONS, policy, slots::Slots, task::TASKS};
use crate::report::{Block, Cell, Column, Report, Role, Span, Table};

/// Lists every policy with its slots as `--set` reads them, and every slot with its default.
pub fn policies() -> Report {
    let mut rows = Table::new([
        Column::new("policy", "policy"),
        Column::new("slots", "slots that differ from float32").wraps(),
        Column::new("about", "what it is").wraps(),
    ]);
    for policy in policy::all() {
        rows.push([policy.name, policy.slots.to_string(), policy.about.to_owned()].map(Cell::text));
    }
    let mut slots = Table::new([
        Column::new("slot", "slot"),
        Column::new("default", "default"),
        Column::new("expected", "--set slot=").wraps(),
    ]);
    for slot in Slots::default().written() {
        slots.push([slot.name, &*slot.value, slot.expected].map(Cell::text));
    }
    Report::new("train-demo", rows)
        .with(Block::Rows)
        .with(Block::blank())
        .with(Block::Table(slots))
        .with(Block::hint("try a change: fpx train-demo --policy bf16-pure --set update=sr"))
}

/// Lists every task with its model and settings.
pub fn tasks() -> Report {
    let mut rows = Table::new([
        Column::new("task", "task"),
        Column::new("settings", "settings"),
        Column::new("about", "what it is").wraps(),
    ]);
    for task in TASKS {
        rows.push([task.name, &*task.recipe.describe(), task.about].map(Cell::text));
    }
    Report::new("train-demo", rows).with(Block::Rows)
}

/// Lists every lesson.
pub fn lessons() -> Report {
    let mut rows =
        Table::new([Column::new("lesson", "lesson"), Column::new("about", "what it shows").wraps()]);
    for lesson in LESSONS {
        rows.push([lesson.name, lesson.about].map(Cell::text));
    }
    let hint = Span::new("try one: fpx train-demo --lesson loss-scale", Role::Dim);
    Report::new("train-demo", rows).with(Block::Rows).with(Block::Hint(vec![hint]))
}
