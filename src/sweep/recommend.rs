//! Rows become the cheapest target that is good enough, by measured error.

use super::{
    condition::Condition,
    row::{BITS, Row, SQNR},
    view::Columns as _,
};

/// Returns the best of some rows under conditions, if any meets them all.
///
/// Cheapest is fewest bits, then highest SQNR. Where the conditions are about bits alone, all that
/// meet them are cheap enough, and the highest SQNR wins. A row whose elements overflowed never
/// wins.
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
