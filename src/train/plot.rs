//! Measured rows become charts: loss over steps, the loss scale, and gradients against their window.

use super::{
    experiment::Measured,
    run::{Outcome, Step},
    tally::Binades,
    values::LossScale,
};
use crate::{
    format::Format,
    report::{
        number,
        plot::{Axis, Chart, Draw, Scale, Series},
    },
};

/// Points of a curve at most; each is the mean of as many steps.
const POINTS: usize = 200;

/// Returns every chart of an experiment: for each group of rows the loss and the loss scale, and
/// for each row its gradients.
pub fn charts(rows: &[Measured]) -> Vec<Chart> {
    let mut charts = Vec::new();
    for group in rows.chunk_by(|a, b| a.entry.group == b.entry.group) {
        let Some(first) = group.first() else { continue };
        let task = first.entry.task.name;
        charts.push(Chart {
            title: format!("{task}: training loss"),
            x: Axis::new("step", Scale::Linear),
            y: Axis::new("loss", Scale::Log),
            draw: Draw::Line,
            series: group.iter().filter_map(|row| curve(row, |step| step.loss)).collect(),
        });
        let scales = |row: &&Measured| row.entry.slots.loss_scale != LossScale::None;
        let scaled = group.iter().filter(scales);
        let series: Vec<Series> =
            scaled.filter_map(|row| curve(row, |step| libm::log2(f64::from(step.scale)))).collect();
        if !series.is_empty() {
            charts.push(Chart {
                title: format!("{task}: loss scale"),
                x: Axis::new("step", Scale::Linear),
                y: Axis::new("scale", Scale::PowerOfTwo),
                draw: Draw::Line,
                series,
            });
        }
    }
    charts.extend(rows.iter().filter_map(gradients));
    charts
}

/// Returns the mean of a number over neighbouring steps of the first seed.
fn curve(row: &Measured, of: fn(&Step) -> f64) -> Option<Series> {
    let Outcome { log, .. } = row.outcomes.first()?;
    let points = log.chunks(log.len().div_ceil(POINTS).max(1)).map(|steps| {
        let count = super::tally::to_f64(steps.len());
        let mean = steps.iter().map(of).sum::<f64>() / count;
        (steps.last().map_or(0.0, |step| super::tally::to_f64(to_usize(step.step))), mean)
    });
    let points: Vec<(f64, f64)> = points.filter(|(_, y)| y.is_finite()).collect();
    (!points.is_empty()).then(|| Series { name: row.entry.policy.clone(), points })
}

fn to_usize(step: u64) -> usize {
    usize::try_from(step).unwrap_or(usize::MAX)
}

/// Returns the histogram of a row's gradients by binade, before rounding, cut at the edges of what
/// their format holds.
pub fn gradients(row: &Measured) -> Option<Chart> {
    let mut binades = Binades::default();
    for outcome in &row.outcomes {
        binades.merge(&outcome.gradients);
    }
    let (least, most) = binades.range()?;
    let total = binades.total();
    let format = &row.entry.slots.gradients.format;
    let series = windows(format).into_iter().filter_map(|(name, [from, to])| {
        let exponents = least.max(from)..=most.min(to);
        let points: Vec<(f64, f64)> = exponents
            .map(|exponent| (f64::from(exponent), percent(binades.at(exponent), total)))
            .collect();
        (!points.is_empty()).then_some(Series { name, points })
    });
    let scaled = if row.entry.slots.loss_scale == LossScale::None { "" } else { "scaled " };
    let zeros = match binades.zeros() {
        0 => String::new(),
        zeros => format!(", {} are 0", number::share(zeros, total)),
    };
    Some(Chart {
        title: format!("{}: {scaled}gradients of activations{zeros}", row.label),
        x: Axis::new("|g|", Scale::PowerOfTwo),
        y: Axis::new("% of all", Scale::Linear),
        draw: Draw::Bars,
        series: series.collect(),
    })
}

fn percent(count: u64, total: u64) -> f64 {
    100.0 * super::tally::share(count, total).unwrap_or(0.0)
}

/// Returns the binades that a format makes zero, holds as subnormal numbers, as normal numbers, and
/// not at all, from the exponent of the least to that of the largest.
fn windows(format: &Format) -> Vec<(String, [i32; 2])> {
    // Half of the least number rounds to it or to zero; everything below is zero.
    let least = format.least_quantum_exponent();
    vec![
        (format!("0 in {format}"), [i32::MIN, least - 1]),
        (format!("subnormal in {format}"), [least, format.emin() - 1]),
        (format!("normal in {format}"), [format.emin(), format.emax()]),
        (format!("beyond {format}"), [format.emax() + 1, i32::MAX]),
    ]
}
