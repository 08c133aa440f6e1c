//! Measured rows become what the tensors of each role went through, and the way of the loss scale.

use serde_json::Value;

use super::{experiment::Measured, summary::Role, table::power};
use crate::report::{Block, Cell, Column, Table, number};

/// Changes of a loss scale that are written out at most; further ones in the middle are counted.
const MOST: usize = 12;

/// Returns a table of the roles of every row, and a line for each loss scale that moved.
pub fn blocks(rows: &[Measured]) -> Vec<Block> {
    let roles = Role::ALL.into_iter().flat_map(|role| {
        [format!("{}\nflushed", role.name()), "\nsaturated".to_owned()]
            .map(|heading| Column::new("", heading).right())
    });
    let policy = Column::new("", "policy").wraps();
    let ends = ["headroom,\nbits", "scale\nadvised"].map(|end| Column::new("", end).right());
    let mut table = Table::new([policy].into_iter().chain(roles).chain(ends));
    for row in rows {
        let mut cells = vec![Cell::text(&*row.label)];
        for role in Role::ALL {
            let tally = row.tally(role);
            let shares = [tally.flushed, tally.saturated];
            cells.extend(shares.map(|count| text(number::share(count, tally.numbers))));
        }
        let headroom = row.headroom(row.largest_scaled_gradient());
        cells.push(headroom.map_or_else(Cell::absent, |bits| text(number::fixed(bits, 1))));
        let advised = row.recommended_loss_scale();
        cells.push(advised.map_or_else(Cell::absent, |scale| text(power(scale))));
        table.push(cells);
    }
    let moved = rows.iter().filter_map(moves).map(Block::line);
    [Block::blank(), Block::Table(table), Block::blank()].into_iter().chain(moved).collect()
}

fn text(text: String) -> Cell {
    Cell::new(Value::Null, text)
}

/// Writes the loss scales of the first seed, if there is more than one.
fn moves(row: &Measured) -> Option<String> {
    let [(_, first), changes @ ..] = row.outcomes.first()?.scales.as_slice() else { return None };
    let written =
        |&(step, scale): &(u64, f32)| format!(", {} after step {step}", power(f64::from(scale)));
    let shown = changes.len().min(MOST - 1);
    let mut line = format!("{}: loss scale {}", row.label, power(f64::from(*first)));
    line.extend(changes[..shown].iter().map(written));
    if let [hidden @ .., last] = &changes[shown..] {
        line.extend((!hidden.is_empty()).then(|| format!(", {} more", hidden.len())));
        line += &written(last);
    }
    (!changes.is_empty()).then_some(line)
}
