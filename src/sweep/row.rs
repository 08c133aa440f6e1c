//! Statistics with what they are of become rows of a report.

use serde_json::Value;

use super::{target::Target, view::Columns};
use crate::{
    block::{
        rows::ScaleKind,
        spec::{Block, Scaling, Spec},
    },
    report::{Cell, Column, Place, Role, Table, number, value_of},
    stats::{self, Figure, METRICS, Measured, Metric, Show, StateError, Statistics},
};

/// One target at one scale, over one tensor or all.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// What it is measured on.
    pub(super) key: Key,
    /// What was measured.
    pub(super) statistics: Statistics,
    /// The elements of the whole tensor or source, whatever share of it was measured.
    pub(super) elements: u64,
    /// Bytes that store all elements.
    pub(super) bytes: u64,
    /// Those of them that are scales of whole tensors.
    pub(super) tensor_scales: u64,
    /// The dimensions of the tensor; none for all of the source.
    pub(super) shape: Vec<u64>,
}

/// What tells rows apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    /// The distribution or the file.
    pub(super) source: String,
    /// The tensor; `None` for all of the source.
    pub(super) tensor: Option<String>,
    /// The target, without its rounding.
    pub(super) format: String,
    /// The rounding.
    pub(super) rounding: String,
    /// The overflow policy.
    pub(super) overflow: String,
    /// The exponent of the scale.
    pub(super) scale: i32,
}

impl Key {
    /// Returns the key of a target.
    pub(super) fn new(source: &str, tensor: Option<&str>, target: &Target, scale: i32) -> Self {
        Self {
            source: source.to_owned(),
            tensor: tensor.map(str::to_owned),
            format: target.name(),
            rounding: target.projection.rounding.to_string(),
            overflow: target.projection.overflow.name().to_owned(),
            scale,
        }
    }
}

impl Row {
    /// Returns what another run needs in order to add to this row.
    fn state(&self) -> Value {
        let mut state = self.statistics.state();
        state[ELEMENTS] = self.elements.into();
        state[TENSOR_SCALES] = self.tensor_scales.into();
        state[SHAPE] = self.shape.clone().into();
        state
    }

    /// Reads a row of JSON; the metrics in it are not read, but derived again.
    pub(super) fn from_json(row: &Value) -> Result<Self, StateError> {
        let text = |name: &str| row[name].as_str().map(str::to_owned).ok_or(StateError);
        let scale = row["scale_log2"].as_i64().and_then(|scale| i32::try_from(scale).ok());
        let key = Key {
            source: text("source")?,
            tensor: if row["tensor"].is_null() { None } else { Some(text("tensor")?) },
            format: text("format")?,
            rounding: text("rounding")?,
            overflow: text("overflow_policy")?,
            scale: scale.ok_or(StateError)?,
        };
        let shape = row["state"][SHAPE].as_array().ok_or(StateError)?;
        let found = Self {
            key,
            statistics: Statistics::from_state(&row["state"])?,
            elements: row["state"][ELEMENTS].as_u64().ok_or(StateError)?,
            bytes: row["bytes"].as_u64().ok_or(StateError)?,
            tensor_scales: row["state"][TENSOR_SCALES].as_u64().ok_or(StateError)?,
            shape: shape.iter().map(|n| n.as_u64().ok_or(StateError)).collect::<Result<_, _>>()?,
        };
        // A state that belongs to another row would go unnoticed in the sums.
        let same = METRICS.iter().all(|metric| match found.figure(metric) {
            Figure::Count(n) => row[metric.name] == n,
            Figure::Number(_) | Figure::Absent => true,
        });
        if same { Ok(found) } else { Err(StateError) }
    }

    /// Returns the same row for all tensors.
    pub(super) fn total(&self) -> Self {
        let mut total = self.clone();
        total.key.tensor = None;
        total.shape.clear();
        total
    }

    /// Adds the row of another tensor.
    pub(super) fn add(&mut self, other: &Self) {
        self.statistics.merge(&other.statistics);
        self.elements += other.elements;
        self.bytes += other.bytes;
        self.tensor_scales += other.tensor_scales;
    }

    /// Returns what metrics are functions of.
    pub(super) fn measured(&self) -> Measured<'_> {
        let Self { statistics, elements, bytes, tensor_scales, .. } = self;
        let (elements, bytes, tensor_scales) = (*elements, *bytes, *tensor_scales);
        Measured { statistics, elements, bytes, tensor_scales, has_ulps: true }
    }

    /// Returns a metric's value.
    pub(super) fn figure(&self, metric: &Metric) -> Figure {
        (metric.get)(&self.measured())
    }

    /// Returns the scaling of the target.
    pub(super) fn scaling(&self) -> Scaling {
        self.key.format.parse::<Spec>().map_or(Scaling::Plain, |spec| spec.scaling)
    }

    /// Returns the block format of the target, if its scales are powers of two.
    pub(super) fn power_of_two_block(&self) -> Option<Block> {
        let Scaling::Block(block) = self.scaling() else { return None };
        (block.scale() == ScaleKind::E8m0).then_some(block)
    }

    /// Returns the codes of the scales with how many there are; `None` where they are not counted.
    fn scale_codes(&self) -> Option<Value> {
        let codes = self.statistics.scales.as_ref()?;
        let pair =
            |(code, count)| Value::from(vec![format!("{code:#04x}").into(), Value::from(count)]);
        Some(codes.filled().map(pair).collect())
    }

    /// Whether finite elements overflowed or became infinite or NaN: the means then leave the worst
    /// errors out.
    pub(super) fn is_flawed(&self) -> bool {
        let counts = self.statistics.counts;
        // Under a scale the largest elements may be clipped by design, with their errors in the sums.
        counts.lost > 0 || (counts.overflow > 0 && self.scaling() == Scaling::Plain)
    }

    /// Returns the cell of a metric.
    pub(super) fn cell(&self, metric: &Metric) -> Cell {
        let figure = self.figure(metric);
        let mut cell = figure_cell(metric, figure, self.statistics.counts.elements);
        let starred = metric.name == SQNR && self.is_flawed();
        if starred && let Some(span) = cell.spans.last_mut() {
            span.text.push('*');
        }
        let is_loss = matches!(metric.name, "overflow" | "flushed") && figure != Figure::Count(0);
        if is_loss || starred { cell.role(Role::Warning) } else { cell }
    }

    /// Returns one cell a column of [`columns`].
    pub(super) fn cells(&self) -> Vec<Cell> {
        let Key { source, tensor, format, rounding, overflow, scale } = &self.key;
        let scale_text = if *scale == 0 { "1".to_owned() } else { format!("2^{scale}") };
        let mut cells = vec![
            Cell::text(source),
            tensor.as_ref().map_or_else(Cell::absent, Cell::text),
            Cell::text(format),
            Cell::text(rounding),
            Cell::text(overflow),
            Cell::new(*scale, scale_text),
        ];
        cells.extend(METRICS.iter().map(|metric| self.cell(metric)));
        cells.push(Cell::new(self.scale_codes(), ""));
        cells.push(Cell::new(self.state(), ""));
        cells
    }
}

impl Columns for Row {
    fn names() -> Vec<&'static str> {
        let keys = KEYS.iter().map(|(name, _)| *name);
        keys.chain(METRICS.iter().map(|metric| metric.name)).collect()
    }

    fn number(&self, name: &str) -> Option<f64> {
        match name {
            "scale_log2" => Some(self.key.scale.into()),
            _ => stats::metric(name).and_then(|metric| self.figure(metric).number()),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        let Key { source, tensor, format, rounding, overflow, .. } = &self.key;
        match name {
            "source" => Some(source),
            "tensor" => tensor.as_deref(),
            "format" => Some(format),
            "rounding" => Some(rounding),
            "overflow_policy" => Some(overflow),
            _ => None,
        }
    }

    fn label(&self) -> String {
        let Key { tensor, format, rounding, scale, .. } = &self.key;
        let mut label = format.clone();
        if *rounding != crate::codec::RNE.name {
            label = format!("{label}/{rounding}");
        }
        if *scale != 0 {
            label = format!("{label} at 2^{scale}");
        }
        match tensor {
            Some(tensor) => format!("{tensor} in {label}"),
            None => label,
        }
    }
}

/// Returns the cell of a metric's value, over so many elements.
pub(super) fn figure_cell(metric: &Metric, figure: Figure, elements: u64) -> Cell {
    let text = match (figure, metric.show) {
        (Figure::Absent, _) => return Cell::absent(),
        (Figure::Count(n), Show::Share) => number::share(n, elements),
        (Figure::Count(n), Show::Bytes) => number::bytes(n),
        (Figure::Count(n), _) => number::grouped(n),
        (Figure::Number(x), Show::Fixed(decimals)) => {
            number::fixed(x, if x.abs() < WHOLE { decimals } else { 0 })
        }
        (Figure::Number(x), Show::Scientific(digits)) => number::scientific(x, digits),
        (Figure::Number(x), Show::Share | Show::Count | Show::Bytes) => number::shortest(x),
    };
    let value = match figure {
        Figure::Count(n) => n.into(),
        Figure::Number(x) => value_of(x),
        Figure::Absent => Value::Null,
    };
    Cell::new(value, text)
}

/// From here on decimals say nothing.
const WHOLE: f64 = 1000.0;

/// Returns the column of a metric.
pub(super) fn metric_column(metric: &Metric) -> Column {
    let column = Column::new(metric.name, metric.heading);
    match metric.show {
        Show::Count | Show::Bytes => column.right(),
        Show::Share | Show::Scientific(_) => column,
        Show::Fixed(_) => column.point(),
    }
}

/// What a state holds besides the statistics.
const ELEMENTS: &str = "elements";
const SHAPE: &str = "shape";
const TENSOR_SCALES: &str = "tensor_scale_bytes";

/// The metric of what a format costs.
pub(super) const BITS: &str = "bits_per_weight";

/// The metric by which formats are compared.
pub(super) const SQNR: &str = "sqnr_db";

/// Names and headings of the columns before the metrics.
pub(super) const KEYS: [(&str, &str); 6] = [
    ("source", "source"),
    ("tensor", "tensor"),
    ("format", "format"),
    ("rounding", "rounding"),
    ("overflow_policy", "overflow\npolicy"),
    ("scale_log2", "scale"),
];

/// The columns that a table shows unless told otherwise.
pub(super) const USUAL: [&str; 10] = [
    "format",
    "overflow",
    "flushed",
    "subnormal",
    "mean_rel",
    "max_rel",
    "rmse",
    "max_ulp",
    SQNR,
    "used_codes",
];

/// Returns all columns, in the order of [`Row::cells`].
fn columns() -> Vec<Column> {
    let keys = KEYS.iter().map(|&(name, heading)| {
        let column = Column::new(name, heading);
        if matches!(name, "source" | "tensor") { column.wraps() } else { column }
    });
    let metrics = METRICS.iter().map(metric_column);
    let nested = ["scale_codes", "state"].map(|name| Column::new(name, "").place(Place::Json));
    keys.chain(metrics).chain(nested).collect()
}

/// Returns rows with every column.
pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(columns());
    for row in rows {
        table.push(row.cells());
    }
    table
}

/// Returns the columns with these names, in this order.
pub(super) fn select(table: &Table, names: &[String]) -> Table {
    let place = |name: &String| table.columns.iter().position(|column| column.key == *name);
    let places: Vec<usize> = names.iter().filter_map(place).collect();
    let mut selected = Table::new(places.iter().map(|&at| table.columns[at].clone()));
    for cells in table.cells() {
        selected.push(places.iter().map(|&at| cells[at].clone()));
    }
    selected
}
