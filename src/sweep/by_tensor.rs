//! A row a tensor and a column a format: where a format fails is seen at a glance.

use super::{
    chart::{by_target, target_name},
    names::{Prefix, elided},
    row::{BITS, Row, SQNR},
    view::{Columns as _, View},
};
use crate::{
    block::spec::{Scaling, Spec},
    report::{Block, Cell, Column, Role, Table, line_of, number},
    stats::metric,
};

/// Tensors that are shown unless all are asked for.
pub(super) const SHOWN: usize = 20;

/// The least and the most characters of a tensor's name.
const NAMES: (usize, usize) = (24, 60);

/// Characters of a line, and between columns.
const WIDTHS: (usize, usize) = (100, 2);

/// So many dB below the total a tensor is marked.
const MARKED: f64 = 10.0;

/// The rows of one tensor, one a target.
struct Group<'a> {
    name: &'a str,
    rows: Vec<&'a Row>,
    /// The largest distance below a column's total, in dB.
    behind: f64,
}

/// Returns the table of the tensors and what is to be said about it.
pub(super) fn blocks(measured: &[Row], rows: &[Row], view: &View) -> Vec<Block> {
    // Columns stay in the order of the targets, however rows are sorted.
    let totals: Vec<&Row> = measured.iter().filter(|row| row.key.tensor.is_none()).collect();
    let mut groups = groups(rows, &totals);
    if view.sort.is_none() {
        groups.sort_by(|a, b| b.behind.total_cmp(&a.behind));
    }
    let shown = if view.all { groups.len() } else { groups.len().min(SHOWN) };
    let names: Vec<&str> = groups.iter().map(|group| group.name).collect();
    let prefix = Prefix::of(&names);
    let columns = columns(&totals, rows, prefix.heading());
    let own: Vec<Vec<Cell>> = groups[..shown].iter().map(|group| cells(group, &totals)).collect();
    let foot = foot(&totals);
    let room = room(&columns, own.iter().chain(&foot)).clamp(NAMES.0, NAMES.1);
    let mut table = Table::new(columns);
    for (group, own) in groups.iter().zip(own) {
        let name = Cell::new(group.name, prefix.shorten(group.name, room));
        table.push(std::iter::once(name).chain(own.into_iter().skip(1)));
    }
    table.push_rule();
    for cells in foot {
        table.push(cells);
    }
    let mut blocks = vec![Block::line("SQNR, dB"), Block::Table(table)];
    if shown < groups.len() {
        let rest = groups[shown..].iter().map(|group| group.behind).fold(0.0, f64::max);
        let rest = number::fixed(rest, 1);
        let count = groups.len() - shown;
        blocks.push(Block::line(format!(
            "{count} more tensors, each within {rest} dB of the total (--all)"
        )));
    }
    blocks.extend(remarks(&groups));
    blocks
}

/// The cells of a tensor's row, the first without its name.
fn cells(group: &Group, totals: &[&Row]) -> Vec<Cell> {
    let first = group.rows.first();
    let largest = first.map_or(0.0, |row| row.statistics.max_input);
    let shape: Vec<String> =
        first.map_or(&[][..], |row| &row.shape).iter().map(u64::to_string).collect();
    let mut cells = vec![
        Cell::text(""),
        Cell::text(shape.join("x")),
        Cell::new(largest, number::significant(largest, 2)),
    ];
    cells.extend(group.rows.iter().map(|row| sqnr(row, total_of(totals, row))));
    cells
}

/// The characters of a line that the columns after the first leave.
fn room<'a>(columns: &[Column], rows: impl Iterator<Item = &'a Vec<Cell>>) -> usize {
    let length = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut widths: Vec<usize> = columns.iter().map(|column| length(&column.heading)).collect();
    for cells in rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(length(&line_of(&cell.spans)));
        }
    }
    let used: usize = widths[1..].iter().map(|width| width + WIDTHS.1).sum();
    WIDTHS.0.saturating_sub(used)
}

fn total_of<'a>(totals: &[&'a Row], row: &Row) -> Option<&'a Row> {
    let same = |total: &&&Row| {
        let (a, b) = (&total.key, &row.key);
        (&a.format, &a.rounding, a.scale) == (&b.format, &b.rounding, b.scale)
    };
    totals.iter().find(same).copied()
}

fn groups<'a>(rows: &'a [Row], totals: &[&Row]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let Some(name) = row.key.tensor.as_deref() else { continue };
        let total = total_of(totals, row).and_then(|total| total.number(SQNR));
        let behind = total.zip(row.number(SQNR)).map_or(0.0, |(total, own)| total - own);
        let behind = if behind.is_nan() { 0.0 } else { behind };
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => {
                group.behind = group.behind.max(behind);
                group.rows.push(row);
            }
            None => groups.push(Group { name, rows: vec![row], behind }),
        }
    }
    // Rows may have been sorted; columns are in the order of the totals.
    for group in &mut groups {
        let at = |row: &Row| {
            totals.iter().position(|total| {
                total.key.format == row.key.format
                    && total.key.rounding == row.key.rounding
                    && total.key.scale == row.key.scale
            })
        };
        group.rows.sort_by_key(|row| at(row));
    }
    groups
}

fn columns(totals: &[&Row], rows: &[Row], prefix: &str) -> Vec<Column> {
    let heading = if prefix.is_empty() { "tensor".to_owned() } else { prefix.to_owned() };
    let mut columns = vec![
        Column::new("tensor", heading),
        Column::new("shape", "shape"),
        Column::new("max_input", "max\n|x|"),
    ];
    columns.extend(totals.iter().map(|total| {
        let name = target_name(&total.key, rows);
        let scale =
            if total.key.scale == 0 { String::new() } else { format!(" 2^{}", total.key.scale) };
        // A long name is broken before its words.
        let at = name.find(['/', '_', ' ']).unwrap_or(name.len());
        let (first, words) = name.split_at(at);
        let heading = format!("{first}\n{}{scale}", words.trim_start());
        let heading = heading.trim_end().to_owned();
        Column::new(name, heading).right()
    }));
    columns
}

/// The cell of a tensor's SQNR, marked where it is far below the total.
fn sqnr(row: &Row, total: Option<&Row>) -> Cell {
    let Some(own) = row.number(SQNR) else { return Cell::absent() };
    let star = if row.is_flawed() { "*" } else { "" };
    let total = total.and_then(|total| total.number(SQNR));
    let is_far = total.is_some_and(|total| total - own > MARKED);
    let text = format!("{}{star}{}", number::fixed(own, 1), if is_far { "!" } else { "" });
    let cell = Cell::number(own, text);
    if is_far || row.is_flawed() { cell.role(Role::Warning) } else { cell }
}

/// The rows below the rule: everything over all tensors.
fn foot(totals: &[&Row]) -> Vec<Vec<Cell>> {
    let line = |name: &str, cell: &dyn Fn(&Row) -> Cell| {
        let heads = [Cell::text(name), Cell::text(""), Cell::text("")];
        heads.into_iter().chain(totals.iter().map(|row| cell(row))).collect()
    };
    let few = |count: u64, row: &Row| {
        let elements = row.statistics.counts.elements;
        let is_few = count > 0 && count < 1000 && count < elements / 10_000;
        Cell::new(
            count,
            if is_few { format!("{count} el.") } else { number::share(count, elements) },
        )
    };
    let largest = totals.iter().map(|row| row.bytes).max().unwrap_or(0);
    let (unit, size) = UNITS.into_iter().rfind(|(_, size)| *size <= largest).unwrap_or(UNITS[0]);
    #[expect(clippy::cast_precision_loss, reason = "three digits of a size")]
    let bytes = |row: &Row| number::significant(row.bytes as f64 / size as f64, 3);
    vec![
        line("all tensors", &|row| sqnr(row, None)),
        line("flushed to zero", &|row| few(row.statistics.counts.flushed, row)),
        line("overflow or clipped", &|row| few(row.statistics.counts.overflow, row)),
        line("bits a weight", &|row| {
            let bits = row.number(BITS).unwrap_or(f64::NAN);
            Cell::number(bits, number::shortest((bits * 100.0).round() / 100.0))
        }),
        line(&format!("size, {unit}"), &|row| Cell::new(row.bytes, bytes(row))),
    ]
}

/// Units of bytes.
const UNITS: [(&str, u64); 5] =
    [("B", 1), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];

/// What deserves attention: tensors of which a format loses most.
fn remarks(groups: &[Group]) -> Vec<Block> {
    let mut remarks = Vec::new();
    for group in groups {
        for row in &group.rows {
            let counts = row.statistics.counts;
            if counts.elements > 0 && counts.flushed > counts.elements / 2 {
                let share = number::share(counts.flushed, counts.elements);
                let (name, format) = (elided(group.name, NAMES.1), &row.key.format);
                let remedy = remedy(group, row).unwrap_or_default();
                remarks.push(format!("! {name}: {share} becomes zero in {format}{remedy}."));
            }
        }
    }
    let more = remarks.len().saturating_sub(3);
    remarks.truncate(3);
    if more > 0 {
        remarks.push(format!("! {more} more cases in which most of a tensor becomes zero"));
    }
    remarks.into_iter().map(Block::line).collect()
}

/// What a scale does for a tensor that vanishes without one, if that was measured.
fn remedy(group: &Group, row: &Row) -> Option<String> {
    let elements = |row: &Row| row.key.format.parse::<Spec>().ok().map(|spec| spec.format);
    let is_plain = row.scaling() == Scaling::Plain;
    let scaled = group.rows.iter().filter(|other| {
        is_plain && other.scaling() != Scaling::Plain && elements(other) == elements(row)
    });
    let (name, sqnr) = scaled
        .filter_map(|row| Some((&row.key.format, row.number(SQNR)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(" without a scale; {name} gives {} dB", number::fixed(sqnr, 1)))
}

/// Returns the best target of each tensor and of all, with the table that justifies it.
pub(super) fn recommended(rows: &[Row], conditions: &[super::Condition]) -> Option<Table> {
    let mut table = Table::new([
        Column::new("tensor", "tensor"),
        Column::new("format", "format"),
        Column::new(BITS, "bits a\nweight").point(),
        Column::new(SQNR, "sqnr\ndB").point(),
    ]);
    let totals: Vec<&Row> = rows.iter().filter(|row| row.key.tensor.is_none()).collect();
    let groups = groups(rows, &totals);
    if groups.is_empty() {
        return None;
    }
    for group in &groups {
        let best = super::recommend::best(&group.rows, conditions);
        let cell = |name| metric(name).zip(best).map_or_else(Cell::absent, |(m, row)| row.cell(m));
        let format = best.map_or_else(
            || "none".to_owned(),
            |row| by_target(std::slice::from_ref(row)).remove(0).0,
        );
        table.push([
            Cell::new(group.name, elided(group.name, NAMES.1)),
            Cell::text(format),
            cell(BITS),
            cell(SQNR),
        ]);
    }
    Some(table)
}
