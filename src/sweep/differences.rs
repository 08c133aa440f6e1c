//! What two files differ in becomes a report: a row a tensor, and one for all.

use super::{
    Answer, Comparison,
    against::{COSINE, Compared, Difference, METRICS, Pair, Side},
    by_tensor::SHOWN,
    names::{Prefix, tensors},
    row::{SQNR, figure_cell, metric_column},
    view::{Columns, View, ViewError},
};
use crate::{
    container::show_shape,
    kernel::Total,
    report::{Block, Cell, Column, Report, Role, Span, Table, number, value_of},
    stats::{Figure, Measured, metric},
};

/// The metrics that two files have as samples and their results do.
const SHARED: [&str; 16] = [
    "n",
    "nan",
    "inf",
    "max_input",
    "max_abs",
    "max_abs_input",
    "mean_abs",
    "rmse",
    "bias",
    "max_rel",
    "max_rel_input",
    "mean_rel",
    "max_ulp",
    "max_ulp_input",
    "mean_ulp",
    SQNR,
];

/// Names and headings of the columns before the metrics.
const KEYS: [(&str, &str); 5] = [
    ("tensor", "tensor"),
    ("dtype", "first"),
    ("against_dtype", "second"),
    ("shape", "shape"),
    ("against_shape", "shape of\nthe second"),
];

/// Names and headings of the columns that tell the first difference.
const FIRST: [(&str, &str); 3] = [
    ("first_index", "first\nat"),
    ("first_value", "first\nvalue"),
    ("against_value", "against\nit"),
];

/// The columns of the screen unless told otherwise.
const USUAL: [&str; 9] = [
    "tensor",
    "differing",
    "max_abs",
    "mean_rel",
    "max_ulp",
    "mean_ulp",
    SQNR,
    COSINE,
    "first_index",
];

/// The most characters of a tensor's name in the table.
const NAMES: usize = 24;

/// Tensors that are named in a remark.
const NAMED: usize = 3;

impl Pair {
    fn figure(&self, name: &str) -> Figure {
        let Some(compared) = &self.compared else { return Figure::Absent };
        match name {
            "differing" => Figure::Count(compared.differing),
            COSINE => cosine(compared).map_or(Figure::Absent, Figure::Number),
            _ => metric(name).filter(|_| SHARED.contains(&name)).map_or(Figure::Absent, |metric| {
                let Compared { statistics, has_ulps, .. } = compared;
                let elements = statistics.counts.elements;
                let (bytes, tensor_scales, has_ulps) = (0, 0, *has_ulps);
                let measured = Measured { statistics, elements, bytes, tensor_scales, has_ulps };
                (metric.get)(&measured)
            }),
        }
    }

    fn elements(&self) -> u64 {
        self.compared.as_ref().map_or(0, |compared| compared.statistics.counts.elements)
    }

    fn cell(&self, name: &str) -> Cell {
        let figure = self.figure(name);
        let cell = match (name, figure) {
            ("differing", Figure::Count(n)) => Cell::new(n, number::share(n, self.elements())),
            (COSINE, Figure::Number(x)) => Cell::number(x, near_one(x)),
            _ => metric(name)
                .map_or_else(Cell::absent, |metric| figure_cell(metric, figure, self.elements())),
        };
        let is_partial = self.compared.as_ref().is_some_and(|compared| compared.unmeasured > 0);
        if name == SQNR && is_partial {
            let text = crate::report::line_of(&cell.spans) + "*";
            return Cell::new(cell.value, text).role(Role::Warning);
        }
        cell
    }

    fn key(&self, name: &str, prefix: Prefix) -> Cell {
        let side = |at: usize| self.sides[at].as_ref();
        let dtype = |side: Option<&Side>| side.map(|side| side.dtype.clone());
        let shape = |side: Option<&Side>| side.map(|side| show_shape(&side.shape));
        let text = match name {
            "tensor" => {
                let name = self.name.as_deref().filter(|name| !name.is_empty());
                let text = name.map(|name| prefix.shorten(name, NAMES));
                return Cell::new(self.name.clone(), text.unwrap_or_else(|| self.label()));
            }
            "dtype" => dtype(side(0)),
            "against_dtype" => dtype(side(1)),
            "shape" => shape(side(0)),
            _ => shape(side(1)),
        };
        text.map_or_else(Cell::absent, Cell::text)
    }

    /// Returns the cells of [`FIRST`].
    fn first(&self) -> [Cell; 3] {
        let first = self.compared.as_ref().and_then(|compared| compared.first);
        let Some(Difference { index, numbers }) = first else {
            return [Cell::absent(), Cell::absent(), Cell::absent()];
        };
        let number = |x: f64| Cell::new(value_of(x), number::shortest(x));
        [Cell::new(index, self.place(index)), number(numbers[0]), number(numbers[1])]
    }

    /// Returns an element's index in each dimension.
    fn place(&self, index: u64) -> String {
        let shape = self.sides[0].as_ref().map_or(&[][..], |side| &side.shape);
        let mut rest = index;
        let mut place: Vec<u64> = shape
            .iter()
            .rev()
            .map(|&length| {
                let at = rest % length.max(1);
                rest /= length.max(1);
                at
            })
            .collect();
        place.reverse();
        if place.is_empty() { index.to_string() } else { show_shape(&place) }
    }
}

/// The cosine of the angle between the numbers that are finite in both.
fn cosine(compared: &Compared) -> Option<f64> {
    let norms = [compared.statistics.total(Total::Signal), compared.squares.to_f64()];
    let norm = norms[0].sqrt() * norms[1].sqrt();
    (norm > 0.0 && norm.is_finite()).then(|| (compared.products.to_f64() / norm).clamp(-1.0, 1.0))
}

/// A cosine in six decimals; only what is 1 shows as 1.
fn near_one(x: f64) -> String {
    let text = number::fixed(x, 6);
    match text.as_str() {
        "1.000000" if x < 1.0 => ">0.999999".to_owned(),
        _ => text,
    }
}

impl Columns for Pair {
    fn names() -> Vec<&'static str> {
        let keys = KEYS.iter().map(|(name, _)| *name);
        let first = FIRST.iter().map(|(name, _)| *name);
        keys.chain(SHARED).chain(METRICS).chain(first).collect()
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.figure(name).number()
    }

    fn text(&self, name: &str) -> Option<&str> {
        match name {
            "tensor" => self.name.as_deref(),
            "dtype" => self.sides[0].as_ref().map(|side| side.dtype.as_str()),
            "against_dtype" => self.sides[1].as_ref().map(|side| side.dtype.as_str()),
            _ => None,
        }
    }

    fn label(&self) -> String {
        match self.name.as_deref() {
            None => "all tensors",
            Some("") => "the tensor",
            Some(name) => name,
        }
        .to_owned()
    }
}

fn table<'a>(pairs: impl Iterator<Item = &'a Pair>, prefix: Prefix) -> Table {
    let keys = KEYS.iter().map(|&(name, heading)| match (name, prefix.heading()) {
        (_, "") | ("dtype" | "against_dtype" | "shape" | "against_shape", _) => {
            Column::new(name, heading)
        }
        (_, prefix) => Column::new(name, prefix),
    });
    let shared = SHARED.iter().filter_map(|name| metric(name)).map(metric_column);
    let own = [Column::new("differing", "differing"), Column::new(COSINE, COSINE).point()];
    let first = FIRST.iter().map(|&(name, heading)| Column::new(name, heading));
    let mut table = Table::new(keys.chain(shared).chain(own).chain(first));
    for pair in pairs {
        let keys = KEYS.iter().map(|(name, _)| pair.key(name, prefix));
        let metrics = SHARED.iter().chain(&METRICS).map(|name| pair.cell(name));
        table.push(keys.chain(metrics).chain(pair.first()));
    }
    table
}

/// All tensors that were compared, as one.
fn total(pairs: &[Pair]) -> Pair {
    let mut compared = Compared { has_ulps: true, ..Compared::default() };
    pairs.iter().filter_map(|pair| pair.compared.as_ref()).for_each(|own| compared.merge(own));
    Pair { name: None, sides: [None, None], compared: Some(compared) }
}

/// Returns a comparison as a report, and the limits that it fails. A tensor that could not be
/// compared fails every limit.
///
/// # Errors
///
/// [`ViewError`], for a column that does not exist.
pub fn present_comparison(comparison: &Comparison, view: &View) -> Result<Answer, ViewError> {
    let mut pairs = comparison.pairs.clone();
    if view.sort.is_none() {
        let quality = |pair: &Pair| pair.number(SQNR).unwrap_or(f64::NEG_INFINITY);
        pairs.sort_by(|a, b| quality(a).total_cmp(&quality(b)));
    }
    view.sort(&mut pairs)?;
    let shown = view.shown::<Pair>(&USUAL)?;
    let total = total(&pairs);
    let rows: Vec<Pair> = pairs.iter().chain([&total]).cloned().collect();
    let names: Vec<&str> = pairs.iter().filter_map(|pair| pair.name.as_deref()).collect();
    let prefix = Prefix::of(&names);
    let mut report = Report::new("error-sweep", table(rows.iter(), prefix));
    report.options.clone_from(&comparison.options);
    report.view = Some(super::row::select(&report.rows, &shown));
    let screen = |rows: &[&Pair]| super::row::select(&table(rows.iter().copied(), prefix), &shown);
    report.blocks = blocks(comparison, &pairs, &total, &screen, view.all);
    let failures = view.failures(&rows)?;
    Ok(Answer { report, charts: Vec::new(), failures })
}

fn blocks(
    comparison: &Comparison,
    pairs: &[Pair],
    total: &Pair,
    table: &dyn Fn(&[&Pair]) -> Table,
    all: bool,
) -> Vec<Block> {
    let [first, second] = &comparison.names;
    let compared: Vec<&Pair> = pairs.iter().filter(|pair| pair.compared.is_some()).collect();
    let elements = number::grouped(total.elements());
    let mut blocks = vec![
        Block::Line(vec![
            Span::new(format!("{first} against {second}"), Role::Heading),
            Span::plain(format!("   {}, {elements} elements", tensors(compared.len()))),
        ]),
        Block::blank(),
    ];
    let differs = |pair: &&&Pair| pair.figure("differing") != Figure::Count(0);
    let differing: Vec<&Pair> = compared.iter().filter(differs).copied().collect();
    let count = if all { compared.len() } else { differing.len().min(SHOWN) };
    if count > 0 {
        let rows = if all { &compared } else { &differing };
        let mut screen = table(&rows[..count]);
        screen.push_rule();
        screen.rows.extend(table(&[total]).rows);
        blocks.extend([Block::Table(screen), Block::blank()]);
    }
    if count < differing.len() {
        let more = differing.len() - count;
        blocks.push(Block::line(format!("{more} more tensors differ (--all)")));
    }
    if let same @ 1.. = compared.len() - differing.len() {
        blocks.push(Block::line(format!(
            "{same} of {} tensors hold the same numbers",
            compared.len()
        )));
    }
    blocks.extend(remarks(comparison, pairs, total, &differing).into_iter().map(Block::line));
    blocks
}

/// What cannot be compared, and what the numbers mean.
fn remarks(
    comparison: &Comparison,
    pairs: &[Pair],
    total: &Pair,
    differing: &[&Pair],
) -> Vec<String> {
    let mut remarks = Vec::new();
    for (at, name) in comparison.names.iter().enumerate() {
        let alone = pairs.iter().filter(|pair| pair.sides[1 - at].is_none());
        remarks.extend(named(alone.map(Pair::label).collect(), &format!("only in {name}: ")));
    }
    let unlike = pairs
        .iter()
        .filter(|pair| pair.compared.is_none() && pair.sides.iter().all(Option::is_some));
    let shapes = unlike.map(|pair| {
        let shapes = pair.sides.iter().flatten().map(|side| show_shape(&side.shape));
        format!("{} {}", pair.label(), shapes.collect::<Vec<_>>().join(" and "))
    });
    remarks.extend(named(shapes.collect(), "not compared, of different shapes: "));
    if total.compared.as_ref().is_some_and(|compared| compared.unmeasured > 0) {
        remarks.push("* of the elements that are finite in both files".to_owned());
    }
    if !differing.is_empty() {
        remarks.push(
            "an ulp is the quantum of the first file's number in the second's format, under its scale."
                .to_owned(),
        );
    }
    remarks
}

/// Some names after a heading, if there are any.
fn named(names: Vec<String>, heading: &str) -> Option<String> {
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names: Vec<String> = names.into_iter().take(NAMED).collect();
    (!names.is_empty()).then(|| format!("{heading}{}{more}", names.join(", ")))
}
