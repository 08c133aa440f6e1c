//! Rows become the cheapest target that is good enough, by measured error.

use super::{
    condition::Condition,
    row::{BITS, Row, SQNR, metric_column},
    view::Columns as _,
};
use crate::{
    block::rows::SCALE_RULES,
    report::{Cell, Column, Role, Table},
    stats::{Metric, metric},
};

/// Returns the best of some rows under conditions, if any meets them all.
///
/// Cheapest is fewest bits, then highest SQNR. Where the conditions are about bits alone, all that
/// meet them are cheap enough, and the highest SQNR wins. A row whose elements overflowed never
/// wins, unless they share scales: there the largest may be clipped by design, and stay in the sums
/// with their errors, so that the SQNR is that of all elements.
pub(super) fn best<'a>(rows: &[&'a Row], conditions: &[Condition]) -> Option<&'a Row> {
    let fits = rows
        .iter()
        .copied()
        .filter(|row| !row.is_flawed() && conditions.iter().all(|condition| condition.holds(*row)));
    let by_bits = conditions.iter().any(|condition| condition.column != BITS);
    let quality = |row: &Row| row.number(SQNR).unwrap_or(f64::NEG_INFINITY);
    let bits = |row: &Row| row.number(BITS).unwrap_or(f64::INFINITY);
    fits.min_by(|a, b| {
        let bits = bits(a).total_cmp(&bits(b));
        let better = quality(b).total_cmp(&quality(a));
        if by_bits { bits.then(better) } else { better.then(bits) }
    })
}

/// Returns the best scale of a target: the highest SQNR without overflow, else the least overflow.
pub(super) fn best_scale<'a>(rows: &[&'a Row]) -> Option<&'a Row> {
    let quality = |row: &&Row| row.number(SQNR).unwrap_or(f64::NEG_INFINITY);
    let sound = rows.iter().copied().filter(|row| !row.is_flawed());
    // Of equals the first, which has the lowest scale.
    let best = sound.reduce(|best, row| if quality(&row) > quality(&best) { row } else { best });
    best.or_else(|| rows.iter().copied().min_by_key(|row| row.statistics.counts.overflow))
}

/// Why a row is not recommended; `None` if it meets the conditions.
pub(super) fn objection(row: &Row, conditions: &[Condition]) -> Option<String> {
    if row.is_flawed() {
        return Some("overflow".to_owned());
    }
    let failed = conditions.iter().find(|condition| !condition.holds(row))?;
    Some(format!("not {failed}"))
}

/// Returns the rows with what justifies a recommendation, the cheapest first.
pub(super) fn reasons(rows: &[&Row], conditions: &[Condition]) -> Table {
    let columns = ["overflow", "flushed", SQNR];
    let metrics: Vec<&Metric> = columns.iter().filter_map(|name| metric(name)).collect();
    let bits = metric(BITS);
    let headings = [Column::new("format", "format")].into_iter();
    let headings = headings.chain(bits.into_iter().chain(metrics.clone()).map(metric_column));
    let mut table = Table::new(headings.chain([Column::new("verdict", "")]));
    let best = best(rows, conditions);
    let mut rows = rows.to_vec();
    let key = |row: &Row, name| row.number(name).unwrap_or(f64::NAN);
    rows.sort_by(|a, b| {
        key(a, BITS).total_cmp(&key(b, BITS)).then(key(b, SQNR).total_cmp(&key(a, SQNR)))
    });
    for row in rows {
        let is_best = best.is_some_and(|best| std::ptr::eq(best, row));
        let verdict = match objection(row, conditions) {
            Some(objection) => Cell::text(objection).role(Role::Dim),
            None if is_best => Cell::text("recommended").role(Role::Good),
            None => Cell::text("meets it"),
        };
        let cells = bits.into_iter().chain(metrics.clone()).map(|metric| row.cell(metric));
        table.push([Cell::text(row.label())].into_iter().chain(cells).chain([verdict]));
    }
    table
}

/// Returns SQNR by block format and scale rule, where rows differ in the rule alone.
pub(super) fn rules(rows: &[&Row]) -> Option<Table> {
    let of = |row: &Row| row.power_of_two_block().map(|block| block.rule.name);
    let mut families: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in rows.iter().copied().filter(|row| of(row).is_some()) {
        let words = row.label();
        let words =
            words.split('/').filter(|word| SCALE_RULES.iter().all(|rule| rule.name != *word));
        let name = words.collect::<Vec<_>>().join("/");
        match families.iter_mut().find(|(known, _)| *known == name) {
            Some((_, family)) => family.push(row),
            None => families.push((name, vec![row])),
        }
    }
    families.retain(|(_, family)| family.len() > 1);
    let headings = SCALE_RULES.iter().map(|rule| Column::new(rule.name, rule.name).point());
    let mut table = Table::new([Column::new("format", "sqnr, dB")].into_iter().chain(headings));
    for (name, family) in &families {
        let cells = SCALE_RULES.iter().map(|rule| {
            let row = family.iter().find(|row| of(row) == Some(rule.name));
            row.zip(metric(SQNR)).map_or_else(Cell::absent, |(row, metric)| row.cell(metric))
        });
        table.push([Cell::text(name)].into_iter().chain(cells));
    }
    (!families.is_empty()).then_some(table)
}
