//! Tables of choices become reports: what `list` shows of policies, tasks and lessons.

use super::{lesson::LESSONS, policy, slots::Slots, task::TASKS};
use crate::report::{Block, Cell, Column, Report, Role, Span, Table};

/// Lists every policy with its slots as `--set` reads them, and every slot with its default.
pub fn policies() -> Report {
    let mut rows = Table::new(["policy", "slots", "about"].map(|key| Column::new(key, key)));
    let mut blocks = Vec::new();
    for policy in policy::all() {
        let (slots, about) = (policy.slots.to_string(), policy.about);
        blocks.push(Block::Line(vec![
            Span::new(format!("{:22}", policy.name), Role::Heading),
            Span::plain(about),
        ]));
        let shown = if slots.is_empty() { "every slot at its default" } else { &slots };
        blocks.push(Block::line(format!("  {shown}")));
        rows.push([policy.name, slots, about.to_owned()].map(Cell::text));
    }
    let mut slots = Table::new([
        Column::new("slot", "slot"),
        Column::new("default", "default"),
        Column::new("expected", "--set slot=").wraps(),
    ]);
    for slot in Slots::default().written() {
        slots.push([slot.name, &*slot.value, slot.expected].map(Cell::text));
    }
    let mut report = Report::new("train-demo", rows);
    report.blocks = blocks;
    report
        .with(Block::blank())
        .with(Block::line("slots, for --set SLOT=VALUE; a policy writes those that differ"))
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
    let mut rows = Table::new([
        Column::new("lesson", "lesson"),
        Column::new("about", "what it shows").wraps(),
    ]);
    for lesson in LESSONS {
        rows.push([lesson.name, lesson.about].map(Cell::text));
    }
    let hint = Span::new("try one: fpx train-demo --lesson loss-scale", Role::Dim);
    Report::new("train-demo", rows).with(Block::Rows).with(Block::Hint(vec![hint]))
}
