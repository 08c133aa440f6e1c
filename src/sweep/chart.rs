//! Rows become charts: quality and losses against scale, and histograms.

use super::{
    row::{Key, Row, SQNR},
    view::Columns as _,
};
use crate::{
    block::{rows::ScaleKind, spec::Scaling},
    codec::{Kind, decode},
    format::{E4M3FN, catalogue::E8M0},
    report::plot::{Axis, Chart, Draw, Scale, Series},
    stats::Histogram,
};

/// How a row's target is called where only targets differ.
pub(super) fn target_name(key: &Key, all: &[Row]) -> String {
    let several = all.iter().any(|row| row.key.rounding != key.rounding);
    if several { format!("{} {}", key.format, key.rounding) } else { key.format.clone() }
}

/// Returns the rows of each target, in the order in which targets come first.
pub(super) fn by_target(rows: &[Row]) -> Vec<(String, Vec<&Row>)> {
    let mut groups: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in rows {
        let name = target_name(&row.key, rows);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => group.push(row),
            None => groups.push((name, vec![row])),
        }
    }
    groups
}

/// The share of a row's elements.
#[expect(clippy::cast_precision_loss, reason = "a share in a chart")]
fn share(row: &Row, count: u64) -> f64 {
    count as f64 / row.statistics.counts.elements.max(1) as f64
}

/// Returns the charts of a sweep over scales: SQNR, and the shares lost at either end.
pub(super) fn sweep(source: &str, rows: &[Row]) -> [Chart; 2] {
    let groups = by_target(rows);
    let series = |name: &str, rows: &[&Row], y: &dyn Fn(&Row) -> f64| Series {
        name: name.to_owned(),
        points: rows.iter().map(|row| (f64::from(row.key.scale), y(row))).collect(),
    };
    let quality = groups.iter().map(|(name, rows)| {
        series(name, rows, &|row| {
            // Without the elements that overflowed a figure would mislead.
            let sqnr = row.number(SQNR).filter(|_| !row.is_flawed());
            sqnr.unwrap_or(f64::NAN)
        })
    });
    let losses = groups.iter().flat_map(|(name, rows)| {
        let flushed = |row: &Row| share(row, row.statistics.counts.flushed);
        let overflow = |row: &Row| share(row, row.statistics.counts.overflow);
        [
            series(&format!("{name} flushed"), rows, &flushed),
            series(&format!("{name} overflow"), rows, &overflow),
        ]
    });
    let chart = |title: String, y: Axis, series: Vec<Series>| Chart {
        title,
        x: Axis::new("input scale", Scale::PowerOfTwo),
        y,
        draw: Draw::Line,
        series,
    };
    let db = Axis::new("SQNR without overflow, dB", Scale::Linear);
    let fraction = Axis::new("share of elements", Scale::Log);
    [
        chart(format!("SQNR against scale: {source}"), db, quality.collect()),
        chart("flushed to zero and overflow".to_owned(), fraction, losses.collect()),
    ]
}

/// How many of a row's block scales have which exponent, before the scale of the tensor; zeros and
/// NaNs have none.
fn block_scales(row: &Row) -> Option<Histogram> {
    let Scaling::Block(block) = row.scaling() else { return None };
    let format = match block.scale() {
        ScaleKind::E8m0 => &E8M0,
        ScaleKind::Nv => &E4M3FN,
    };
    let mut exponents = Histogram::default();
    for (code, count) in row.statistics.scales.as_ref()?.filled() {
        let scale = decode(format, code.cast_unsigned().into());
        if scale.kind == Kind::Finite {
            exponents.count(scale.exponent, count);
        }
    }
    Some(exponents)
}

/// Returns the histograms of the inputs of the first row, and of the errors and block scales of every
/// row.
pub(super) fn histograms(source: &str, rows: &[Row]) -> Vec<Chart> {
    #[expect(clippy::cast_precision_loss, reason = "a count in a chart")]
    let series = |name: String, histogram: &Histogram| Series {
        name,
        points: histogram.bins().map(|(e, count)| (f64::from(e), count as f64)).collect(),
    };
    let of = |row: &Row| row.statistics.histograms.clone();
    let Some(first) = rows.first().and_then(of) else { return Vec::new() };
    let targets = by_target(rows);
    let firsts = || targets.iter().filter_map(|(name, rows)| Some((name, *rows.first()?)));
    let errors = firsts().filter_map(|(name, row)| {
        of(row).map(|histograms| series(name.clone(), &histograms.errors))
    });
    let scales: Vec<Series> = firsts()
        .filter_map(|(name, row)| block_scales(row).map(|scales| series(name.clone(), &scales)))
        .collect();
    let chart = |title: String, x: &str, y: &str, series: Vec<Series>| Chart {
        title,
        x: Axis::new(x, Scale::PowerOfTwo),
        y: Axis::new(y, Scale::Linear),
        draw: Draw::Bars,
        series,
    };
    let inputs = vec![series("inputs".to_owned(), &first.inputs)];
    let mut charts = vec![
        chart(format!("inputs: {source}"), "|x|", "elements", inputs),
        chart("errors".to_owned(), "|e|", "elements", errors.collect()),
    ];
    if !scales.is_empty() {
        charts.push(chart("block scales".to_owned(), "scale", "blocks", scales));
    }
    charts
}
