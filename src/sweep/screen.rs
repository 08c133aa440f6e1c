//! What people see of a measurement: what was asked, the table, what deserves attention, what next.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Measurement, by_tensor,
    chart::{self, by_target},
    names, recommend,
    row::{BITS, Row, SQNR, USUAL},
    view::{Columns as _, View},
};
use crate::{
    block::{
        rows::{SCALE_RULES, ScaleRule},
        spec::{self, Scaling, Spec},
    },
    kernel::Total,
    report::{Block, Cell, Column, Role, Span, Table, number},
    stats::metric,
};

/// A quality this many dB below the best still counts as the window of a format.
const WINDOW: f64 = 3.0;

/// Whether rows differ in their scale.
pub(super) fn is_sweep(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.key.scale != rows[0].key.scale)
}

/// Returns the columns that these rows need to be told apart, and the usual metrics.
pub(super) fn usual(rows: &[Row]) -> Vec<&'static str> {
    let differ = |key: fn(&Row) -> String| rows.iter().any(|row| key(row) != key(&rows[0]));
    let mut columns = Vec::new();
    if differ(|row| row.key.source.clone()) {
        columns.push("source");
    }
    if rows.iter().any(|row| row.key.tensor.is_some()) {
        columns.push("tensor");
    }
    if differ(|row| row.key.rounding.clone()) {
        columns.push("rounding");
    }
    if is_sweep(rows) {
        columns.push("scale_log2");
    }
    columns.extend(USUAL);
    columns
}

/// Returns the screen.
pub(super) fn blocks(measurement: &Measurement, rows: &[Row], view: &View) -> Vec<Block> {
    let mut blocks = title(measurement, rows);
    blocks.push(Block::blank());
    let has_tensors = rows.iter().any(|row| row.key.tensor.is_some());
    if is_sweep(rows) && !has_tensors {
        let source = &rows[0].key.source;
        let charts = chart::sweep(source, &measurement.rows);
        blocks.extend(charts.into_iter().take(1).map(Block::Chart));
        blocks.push(Block::blank());
        blocks.push(Block::Table(best_scales(rows)));
    } else if view.recommend.is_some() && view.columns.is_empty() {
        // The reasons for the recommendation take the place of the rows.
    } else if has_tensors {
        blocks.extend(by_tensor::blocks(&measurement.rows, rows, view));
    } else {
        blocks.push(Block::Rows);
    }
    if let Some(recommendation) = &view.recommend {
        if !matches!(blocks.last(), Some(Block::Line(spans)) if spans.is_empty()) {
            blocks.push(Block::blank());
        }
        blocks.extend(recommended(rows, &recommendation.conditions));
    }
    if view.histograms {
        blocks.push(Block::blank());
        blocks.extend(chart::histograms(&rows[0].key.source, rows).into_iter().map(Block::Chart));
    }
    let notes = notes(rows, view);
    if !notes.is_empty() {
        blocks.push(Block::blank());
        blocks.extend(notes.into_iter().map(Block::line));
    }
    blocks.push(Block::hint(""));
    blocks.push(Block::hint(hint(rows, option_is_null(measurement, "samples"))));
    blocks
}

/// What was asked and assumed.
fn title(measurement: &Measurement, rows: &[Row]) -> Vec<Block> {
    let option = |name: &str| measurement.options.get(name).unwrap_or(&Value::Null);
    let source = rows.first().map_or(String::new(), |row| row.key.source.clone());
    let total = rows.iter().find(|row| row.key.tensor.is_none());
    let elements = total.map_or(0, |row| row.statistics.counts.elements);
    let tensors: BTreeSet<&str> = rows.iter().filter_map(|row| row.key.tensor.as_deref()).collect();
    let what = if option("samples").is_null() {
        let tensors = match tensors.len() {
            0 => String::new(),
            count => format!("{}, ", names::tensors(count)),
        };
        format!("{tensors}{} elements{}", number::grouped(elements), stored(&option))
    } else {
        format!("{} samples, seed {}", number::grouped(elements), option("seed"))
    };
    let text = |name: &str| option(name).as_str().unwrap_or_default().to_owned();
    let rounding = text("rounding");
    let rounding = crate::codec::ROUNDING_MODES
        .iter()
        .find(|mode| mode.name == rounding)
        .map_or(rounding.clone(), |mode| mode.about.to_owned());
    let scaling =
        if is_sweep(rows) { format!(", scales 2^({})", text("scale")) } else { scaled(rows) };
    let rest = format!("   {what}   {rounding}; overflow {}{scaling}", text("overflow"));
    let mut blocks = vec![Block::Line(vec![Span::new(source, Role::Heading), Span::plain(rest)])];
    if let Some(shards) = option("shard").as_array() {
        let shards: Vec<_> = shards.iter().filter_map(Value::as_str).collect();
        blocks.push(Block::line(format!("only shard {} of the input", shards.join(", "))));
    }
    blocks
}

/// What a file's tensors are stored as.
fn stored<'a>(option: &impl Fn(&str) -> &'a Value) -> String {
    let dtypes: Vec<&str> =
        option("dtypes").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let bytes = option("input_bytes").as_u64();
    let bytes = bytes.map_or_else(String::new, |bytes| format!(", {}", number::bytes(bytes)));
    if dtypes.is_empty() { String::new() } else { format!(" {}{bytes}", dtypes.join(" ")) }
}

fn scaled(rows: &[Row]) -> String {
    match rows.first().map_or(0, |row| row.key.scale) {
        0 if rows.iter().any(|row| row.scaling() != Scaling::Plain) => String::new(),
        0 => ", no scaling".to_owned(),
        scale => format!(", inputs times 2^{scale}"),
    }
}

/// The best scale of each target, and the scales about as good.
fn best_scales(rows: &[Row]) -> Table {
    let mut table = Table::new([
        Column::new("format", "format"),
        Column::new("best", "best\nscale"),
        Column::new(SQNR, "sqnr\ndB").point(),
        Column::new("overflow", "overflow"),
        Column::new("flushed", "flushed\nto zero"),
        Column::new("window", format!("within {WINDOW:.0} dB\nwithout overflow")),
    ]);
    for (name, rows) in by_target(rows) {
        let Some(best) = recommend::best_scale(&rows) else { continue };
        let cell = |name: &str| metric(name).map_or_else(Cell::absent, |metric| best.cell(metric));
        let least = best.number(SQNR).map(|sqnr| sqnr - WINDOW);
        let near = rows.iter().filter(|row| {
            !row.is_flawed() && row.number(SQNR).zip(least).is_some_and(|(x, least)| x >= least)
        });
        let scales: Vec<i32> = near.map(|row| row.key.scale).collect();
        let window = match (scales.first(), scales.last()) {
            (Some(first), Some(last)) => format!("2^{first} .. 2^{last}"),
            _ => "none".to_owned(),
        };
        table.push([
            Cell::text(name),
            Cell::text(format!("2^{}", best.key.scale)),
            cell(SQNR),
            cell("overflow"),
            cell("flushed"),
            Cell::text(window),
        ]);
    }
    table
}

/// The cheapest target that meets the conditions.
fn recommended(rows: &[Row], conditions: &[super::Condition]) -> Vec<Block> {
    let wanted: Vec<String> = conditions.iter().map(ToString::to_string).collect();
    let wanted = wanted.join(", ");
    let all: Vec<&Row> = rows.iter().filter(|row| row.key.tensor.is_none()).collect();
    let line = match recommend::best(&all, conditions) {
        Some(best) => vec![
            Span::plain(format!("recommended for {wanted}: ")),
            Span::new(best.label(), Role::Good),
            Span::plain(format!(
                ", {} bits a weight, {} dB",
                number::shortest((best.number(BITS).unwrap_or(f64::NAN) * 1e4).round() / 1e4),
                best.number(SQNR).map_or_else(|| "no".to_owned(), |x| number::fixed(x, 2)),
            )),
        ],
        None => vec![Span::new(format!("none of these formats meets {wanted}"), Role::Warning)],
    };
    let tables = [
        Some(recommend::reasons(&all, conditions)),
        recommend::rules(&all),
        by_tensor::recommended(rows, conditions),
    ];
    let mut blocks = vec![Block::Line(line)];
    for table in tables.into_iter().flatten() {
        blocks.extend([Block::blank(), Block::Table(table)]);
    }
    blocks
}

/// What in the rows deserves attention.
fn notes(rows: &[Row], view: &View) -> Vec<String> {
    let mut notes = Vec::new();
    let totals: Vec<&Row> = rows.iter().filter(|row| row.key.tensor.is_none()).collect();
    if rows.iter().any(Row::is_flawed) {
        notes.push("* of the elements whose result is finite and did not overflow".to_owned());
    }
    // Over scales a block format's rows are the same, and so would be what is said of them.
    if !is_sweep(rows) && view.recommend.is_none() {
        notes.extend(clipped(&totals));
    }
    let has_tensors = totals.len() < rows.len();
    // What is said of columns that are not shown explains nothing.
    if !has_tensors && !is_sweep(rows) && view.recommend.is_none() {
        notes.push(bias(rows));
        let is_one = |row: &Row| row.number("max_rel") == Some(1.0);
        if rows.iter().any(|row| row.statistics.counts.flushed > 0 && is_one(row)) {
            notes.push("max rel error 1 = a value that became zero.".to_owned());
        }
    }
    if let Some(counts) = totals.first().map(|row| row.statistics.counts)
        && counts.nan_in + counts.inf_in > 0
    {
        let (nan, inf) = (number::grouped(counts.nan_in), number::grouped(counts.inf_in));
        notes.push(format!("{nan} NaN and {inf} infinite inputs are left out of the means."));
    }
    if has_tensors {
        notes.push(
            "SQNR measures weights, not a model's accuracy; activations are not in this file."
                .to_owned(),
        );
    }
    notes
}

fn bias(rows: &[Row]) -> String {
    let biased: Vec<String> = rows.iter().filter(|row| is_biased(row)).map(Row::label).collect();
    let more = match biased.len() {
        0 => {
            return "bias is not distinguishable from 0 in any row (|bias| < 2 rmse/sqrt n)."
                .to_owned();
        }
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    format!("bias differs from 0 in {}{more} (|bias| >= 2 rmse/sqrt n).", biased[0])
}

/// Block formats that clip and are worse than a binary32 scale over more elements, or than the same
/// format under another rule: then it is the rule that costs.
fn clipped(totals: &[&Row]) -> Vec<String> {
    let block = Row::power_of_two_block;
    let element = |row: &Row| row.key.format.parse::<Spec>().ok().map(|spec| spec.format);
    let under = |row: &Row, rule| {
        let spec = row.key.format.parse::<Spec>().ok()?;
        let scaling = Scaling::Block(spec::Block { rule, ..block(row)? });
        Some(Spec { scaling, ..spec }.to_string())
    };
    let note = |row: &Row| {
        let rule = block(row)?.rule;
        let is_family = |other: &Row| block(other).and(under(other, rule)) == under(row, rule);
        let better = totals.iter().copied().filter(|other| {
            let is_coarse = !matches!(other.scaling(), Scaling::Plain | Scaling::Block(_));
            let is_alike = is_coarse && element(other) == element(row) || is_family(other);
            is_alike && other.key.scale == row.key.scale
        });
        let better = better.max_by(|a, b| quality(a).total_cmp(&quality(b)))?;
        let (gain, counts) = (quality(better) - quality(row), row.statistics.counts);
        if counts.overflow == 0 || gain.is_nan() || gain < GAIN {
            return None;
        }
        let share = number::share(counts.overflow, counts.elements);
        let is_other = |other: &&Row| is_family(other) && !std::ptr::eq(*other, row);
        let advice = if totals.iter().any(is_other) {
            String::new()
        } else {
            format!("; try {}", under(row, safe_rule())?)
        };
        let (format, other, gain) = (&row.key.format, &better.key.format, number::fixed(gain, 1));
        Some(format!(
            "{format} is {gain} dB below {other}: the {} rule clips block maxima, {share} of the elements{advice}.",
            rule.name,
        ))
    };
    totals.iter().filter_map(|row| note(row)).collect()
}

/// The least scale under which nothing is clipped.
fn safe_rule() -> &'static ScaleRule {
    &SCALE_RULES[1]
}

/// A row's quality.
fn quality(row: &Row) -> f64 {
    row.number(SQNR).unwrap_or(f64::NEG_INFINITY)
}

/// So many dB are worth a remark.
const GAIN: f64 = 0.1;

/// Whether a mean error is larger than chance makes it: two standard errors.
#[expect(clippy::cast_precision_loss, reason = "a count under a root")]
fn is_biased(row: &Row) -> bool {
    let n = row.statistics.summed as f64;
    let bias = (row.statistics.total(Total::Error) / n).abs();
    let rmse = (row.statistics.total(Total::Squared) / n).sqrt();
    n > 0.0 && rmse > 0.0 && bias >= 2.0 * rmse / n.sqrt()
}

fn option_is_null(measurement: &Measurement, name: &str) -> bool {
    measurement.options.get(name).is_none_or(Value::is_null)
}

/// What to type next.
fn hint(rows: &[Row], is_file: bool) -> &'static str {
    if is_sweep(rows) {
        "every scale: --emit csv · a picture: --plot sweep.svg"
    } else if rows.iter().any(|row| row.key.tensor.is_some()) {
        "long form: --emit csv · what would do: --recommend · write it: fpx convert --to FORMAT -o FILE"
    } else if is_file {
        "tensor by tensor: --by tensor · what would do: --recommend · every column: --columns all"
    } else {
        "the window of each format: --scale -40..20 · your weights: fpx error-sweep model.safetensors"
    }
}
