//! What a conversion found out becomes rows for machines and lines for people.

use serde_json::{Value, json};

use super::{Config, Copied, ScaleCounts, Summary, Watched};
use crate::{
    container::show,
    report::{
        Cell, Column, Report, Table, answer,
        number::{bytes, grouped, share, significant},
    },
};

/// Returns a row an input, with everything that was counted.
pub fn report(config: &Config, summaries: &[Summary]) -> Report {
    let columns = [
        "input",
        "tensors",
        "converted",
        "copied",
        "copied_not_float",
        "copied_left_out",
        "copied_few_dimensions",
        "copied_scales",
        "bytes_in",
        "bytes_out",
        "elements",
        "inexact",
        "overflow",
        "flushed",
        "subnormal",
        "nan",
        "inf",
        "lost",
        "first_lost",
        "scales",
        "short_scales",
        "nan_scales",
        "zero_scales",
        "written",
        "failed",
        "notes",
        "seconds",
        "gb_per_second",
    ];
    let mut rows = Table::new(columns.map(|name| Column::new(name, name)));
    for summary in summaries {
        rows.push(cells(summary));
    }
    let mut report = Report::new("convert", rows)
        .option("to", config.target.to_string())
        .option("simulate", config.simulate)
        .option("allow_unscaled", config.allow_unscaled);
    for (name, patterns) in
        [("include", &config.select.include), ("exclude", &config.select.exclude)]
    {
        let patterns: Vec<&str> = patterns.iter().map(glob::Pattern::as_str).collect();
        report = report.option(name, patterns);
    }
    let projection = config.projection();
    for (name, value) in answer::rounding_options(&projection, config.seed) {
        report = report.option(&name, value);
    }
    report
}

fn cells(summary: &Summary) -> Vec<Cell> {
    let counts = &summary.counts;
    let Copied { not_float, left_out, few_dimensions, scales } = summary.copied;
    let seconds = summary.duration.as_secs_f64();
    let json = |value: Value| Cell::new(value.clone(), value.to_string());
    let number = |n: u64| Cell::count(n);
    vec![
        Cell::text(summary.path.to_string_lossy()),
        number(summary.tensors),
        number(summary.converted),
        number(summary.copied.total()),
        number(not_float),
        number(left_out),
        number(few_dimensions),
        number(scales),
        number(summary.bytes_in),
        number(summary.bytes_out),
        number(counts.elements),
        number(counts.inexact),
        number(counts.overflow),
        number(counts.flushed),
        number(counts.subnormal),
        number(counts.nan_in),
        number(counts.inf_in),
        number(counts.lost),
        json(match &summary.lost {
            Some(lost) => json!({"tensor": lost.tensor, "index": lost.index}),
            None => Value::Null,
        }),
        number(summary.scales.all),
        number(summary.scales.short),
        number(summary.scales.nan),
        number(summary.scales.zero),
        json(summary.is_written.into()),
        json(summary.failed.iter().map(|failed| failed.name()).collect()),
        json(summary.notes.clone().into()),
        Cell::number(seconds, significant(seconds, 3)),
        Cell::number(rate(summary), significant(rate(summary), 3)),
    ]
}

/// Returns the gigabytes of the input a second.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn rate(summary: &Summary) -> f64 {
    let seconds = summary.duration.as_secs_f64();
    if seconds > 0.0 { summary.bytes_in as f64 / 1e9 / seconds } else { 0.0 }
}

/// Returns what people see: lines, and a warning that comes after all of them.
pub fn lines(config: &Config, summary: &Summary) -> (Vec<String>, Option<String>) {
    let counts = &summary.counts;
    let projection = config.projection();
    let mode = if config.simulate { ", simulated" } else { "" };
    let mut lines = vec![
        format!("{}   to {}{mode}   {projection}", show(&summary.path), config.target),
        format!(
            "  tensors   {} converted, {}; {} -> {}",
            grouped(summary.converted),
            copied(&summary.copied),
            bytes(summary.bytes_in),
            bytes(summary.bytes_out)
        ),
        format!(
            "  elements  {}; inexact {}, {} {}, flushed to zero {}, NaN {}",
            grouped(counts.elements),
            share(counts.inexact, counts.elements),
            // Under scales of blocks every element that overflows is clipped to the largest.
            if config.is_clipped() { "clipped" } else { "overflow" },
            share(counts.overflow, counts.elements),
            share(counts.flushed, counts.elements),
            grouped(counts.nan_in),
        ),
    ];
    lines.extend(scales(summary));
    lines.push(format!(
        "  time      {} s, {} GB/s",
        significant(summary.duration.as_secs_f64(), 3),
        significant(rate(summary), 3)
    ));
    lines.extend(failures(summary));
    if !summary.is_written && summary.failed.is_empty() {
        lines.push("nothing written (add -o)".to_owned());
    }
    (lines, warning(summary))
}

/// Says how many scales were found, and which of them are remarkable.
fn scales(summary: &Summary) -> Option<String> {
    let ScaleCounts { all, short, nan, zero } = summary.scales;
    (all > 0).then(|| {
        format!(
            "  scales    {}; of short blocks {}, NaN {}, zero {}",
            grouped(all),
            grouped(short),
            grouped(nan),
            grouped(zero)
        )
    })
}

/// Says how many tensors were copied, and why.
fn copied(copied: &Copied) -> String {
    let reasons = [
        (copied.few_dimensions, "with fewer than 2 dimensions, --include '*' converts them"),
        (copied.not_float, "no floating-point numbers"),
        (copied.left_out, "left out"),
        (copied.scales, "scales"),
    ];
    let reasons: Vec<String> = reasons
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{}: {reason}", grouped(count)))
        .collect();
    if reasons.is_empty() {
        return "0 copied".to_owned();
    }
    format!("{} copied ({})", grouped(copied.total()), reasons.join("; "))
}

/// Says which conditions of `fail_on` were met.
fn failures(summary: &Summary) -> Option<String> {
    let met = |watched: &Watched| {
        format!("{} in {} elements", watched.name(), grouped(watched.elements(&summary.counts)))
    };
    let met: Vec<String> = summary.failed.iter().map(met).collect();
    (!met.is_empty()).then(|| format!("nothing kept: {}", met.join(", ")))
}

/// Says that finite elements became infinite or NaN, where, and what helps.
fn warning(summary: &Summary) -> Option<String> {
    let lost = summary.lost.as_ref()?;
    let count = summary.counts.lost;
    let elements = if count == 1 { "element" } else { "elements" };
    let remedy = match summary.scales.nan {
        0 => {
            "--overflow saturate keeps them finite, a scaled target (/tensor, /channel) or one with \
              more range keeps their values"
        }
        _ => "a NaN or an infinity makes its whole block NaN; --exclude keeps such a tensor",
    };
    Some(format!(
        "{} finite {elements} became infinite or NaN, the first is {lost}: {remedy}",
        grouped(count)
    ))
}
